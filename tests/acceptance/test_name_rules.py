"""Names of new projects that the index does not take, beside those that it takes."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from release.acceptance.name_rules import NEW_NAME, standard_modules
from release.acceptance.rule import first_refusal
from release.core.models.index_contents import IndexContents
from tests.acceptance.making import NOW, SITE, upload

INDEX = IndexContents(
    now=NOW,
    names=frozenset(map(canonicalize_name, ["acme-widget", "Other.Owned"])),
    prohibited=frozenset(map(canonicalize_name, ["acme-prohibited", "requirements-txt"])),
)
SEE = f"See {SITE}/help/#project-name for more information."


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("acmewidget", "400 The name 'acmewidget' is too similar to an existing project."),
        ("acme-w1dget", "400 The name 'acme-w1dget' is too similar to an existing project."),
        ("0ther-0wned", "400 The name '0ther-0wned' is too similar to an existing project."),
        ("Acme_Widget", "409 The name 'Acme_Widget' conflicts with an existing project."),
        ("acme-prohibited", "400 The name 'acme-prohibited' isn't allowed."),
        ("requirements.txt", "400 The name 'requirements.txt' isn't allowed."),
        ("json", "400 The name 'json' isn't allowed (conflict with Python Standard Library module name)."),
        ("xml.etree", "400 The name 'xml.etree' isn't allowed (conflict with Python Standard Library module name)."),
        (
            "xml-etree-ElementTree",
            "400 The name 'xml-etree-ElementTree' isn't allowed (conflict with Python Standard Library module name).",
        ),
    ],
)
def test_a_name_that_can_not_be_registered(name: str, answer: str) -> None:
    """Status and words are the server's."""
    refusal = first_refusal(NEW_NAME, upload(b"", name=name), INDEX)
    assert refusal is not None
    assert f"{refusal.status} {refusal.text}" == f"{answer} {SEE}"


@pytest.mark.parametrize("name", ["acme-widget2", "jsonx", "acme", "prohibited-acme", "xml-etree-else"])
def test_a_name_that_is_free(name: str) -> None:
    """Neighbours of refused names are taken."""
    assert first_refusal(NEW_NAME, upload(b"", name=name), INDEX) is None


def test_a_name_of_the_wrong_form_is_refused_again() -> None:
    """The service that registers names has its own words for it."""
    refusal = first_refusal(NEW_NAME, upload(b"", name="a b"), INDEX)
    assert refusal is not None
    assert refusal.text == "The name 'a b' is invalid."


def test_the_standard_library_of_every_python_counts() -> None:
    """Dotted submodules and modules long gone count; the index's own list has 2,363 names."""
    assert {"asyncio", "concurrent-futures-thread", "sets", "distutils", "this"} <= standard_modules()
    assert len(standard_modules()) > 2300
