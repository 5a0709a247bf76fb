"""The description on the project page: relative links and images, and an empty README."""

from __future__ import annotations

import time

import pytest

from release.checks.description_checks import relative_targets
from release.checks.distributions import CHECKS
from release.checks.engine import run
from release.core.models.check_result import Finding
from tests.acceptance.making import SDIST, WHEEL, metadata, sdist, tarred, wheel
from tests.checks.test_distributions import built, file

MARKDOWN, RST = "text/markdown", "text/x-rst"
#: as the title of a README: Markdown shows nothing of a text without one
TITLE = "# Widgets\n\n"


@pytest.mark.parametrize(
    ("text", "kind", "targets"),
    [
        ("See [it](docs/a.md) and ![logo](img/logo.png).", MARKDOWN, ["img/logo.png", "docs/a.md"]),
        ("See [it][1].\n\n[1]: ./docs/b.md 'title'", MARKDOWN, ["./docs/b.md"]),
        ('<p align="center"><img src="logo.svg"></p>\n\n<a href="LICENSE">it</a>', MARKDOWN, ["logo.svg", "LICENSE"]),
        ("| a |\n|---|\n| [x](x.md) |\n", MARKDOWN, ["x.md"]),
        ("[root](/docs) [up](../a.md) [again](../a.md) [page](a.md#part)", MARKDOWN, ["/docs", "../a.md", "a.md#part"]),
        ("Text[^1]\n\n[^1]: note [z](z.md)", MARKDOWN, ["z.md"]),
        (".. image:: docs/a.png\n   :target: docs/\n", RST, ["docs/a.png", "docs/"]),
        (".. figure:: b.png\n\n   Caption\n", RST, ["b.png"]),
        ("See `x`_ and `y <z.rst>`_.\n\n.. _x: ./y\n", RST, ["./y", "z.rst"]),
        ("|logo| text\n\n.. |logo| image:: logo.png\n", RST, ["logo.png"]),
    ],
)
def test_relative_targets(text: str, kind: str, targets: list[str]) -> None:
    """Each target once, images first."""
    assert relative_targets(text, kind) == targets


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("[use](#usage) [a](https://a.example/x) [m](mailto:a@b.example) [p](//cdn.example/x)", MARKDOWN),
        ("![d](data:image/png;base64,AAAA) <https://a.example> www.a.example a@b.example", MARKDOWN),
        ("```md\n[a](b.md)\n```\n\n    ![c](d.png)\n\n`[e](f.md)` \\[g](h.md)", MARKDOWN),
        ("<!-- [a](b.md) <img src='c.png'> -->\n\nText", MARKDOWN),
        ("[unused]: docs/a.md\n\nText", MARKDOWN),
        ('<a name="here"></a><img alt="none">', MARKDOWN),
        ("Title\n=====\n\n`Title`_ `w <https://a.example>`__ a@b.example\n\n::\n\n   .. image:: a.png\n", RST),
        (".. contents::\n\nOne\n===\n\n.. image:: https://a.example/b.png\n\n.. _unused: ./x\n", RST),
        ("[a](b.md) .. image:: c.png", "text/plain"),
        ("A *b", RST),
    ],
)
def test_what_works_on_the_page_is_no_target(text: str, kind: str) -> None:
    """Anchors, addresses, code, comments, plain text; and a text that does not render has its own finding."""
    assert relative_targets(text, kind) == []


def found_by(check: str, *contents: tuple[str, bytes]) -> list[Finding]:
    facts = built(*(file(name, content) for name, content in contents))
    return [finding for one in run(CHECKS, facts) if one.check == check for finding in one.findings]


def test_a_release_has_one_warning_for_all_its_relative_links() -> None:
    """Wheel and sdist have the same description; the warning names the first targets with their lines."""
    body = f"{TITLE}[a](a.md)\n![b](b.png)\n[c](c.md)\n[d](d.md)\n"
    data = metadata(body=body, Description_Content_Type=MARKDOWN)
    (one,) = found_by("the-links-of-the-description-work", (WHEEL, wheel(data)), (SDIST, sdist(data)))
    assert one.severity == "warn"
    assert one.message == (
        "the description has 4 relative links or images, which do not work on the project page: "
        "'b.png' (line 4), 'a.md' (line 3), 'c.md' (line 5) and 1 more"
    )
    assert not found_by("the-links-of-the-description-work", (WHEEL, wheel()))


@pytest.mark.parametrize("kind", [MARKDOWN, RST, "text/plain", "text/markdown; charset=UTF-8; variant=GFM"])
def test_an_empty_readme_is_a_warning(kind: str) -> None:
    """Only the content type shows that there is one."""
    data = metadata(Description_Content_Type=kind)
    (one,) = found_by("the-description-is-not-empty", (WHEEL, wheel(data)))
    assert one.severity == "warn"
    assert "the project page has no description: " in one.message
    assert "README.md" in one.message or "markdown" not in kind


def test_the_empty_readme_is_named_as_it_is_in_the_sdist() -> None:
    data = metadata(Description_Content_Type=MARKDOWN)
    content = tarred({"acme_widget-1.0/PKG-INFO": data, "acme_widget-1.0/readme-pypi.md": b""})
    (one,) = found_by("the-description-is-not-empty", (SDIST, content), (WHEEL, wheel(data)))
    assert one.message.startswith("readme-pypi.md is empty")


@pytest.mark.parametrize("name", ["README.md", "README.rst", "README", "Readme.txt"])
def test_hatchling_declares_nothing_of_an_empty_readme(name: str) -> None:
    """Observed: hatchling 1.33, 2026-11. The sdist has the file."""
    content = tarred({"acme_widget-1.0/PKG-INFO": metadata(), f"acme_widget-1.0/{name}": b""})
    (one,) = found_by("the-description-is-not-empty", (SDIST, content), (WHEEL, wheel()))
    assert one.message == f"{name} is empty, so the project page has no description"


@pytest.mark.parametrize(
    ("body", "member"), [("", "docs/README.md"), ("", "README.md.in"), ("Text", "README.md"), ("", "acme/README")]
)
def test_another_empty_file_is_not_the_readme(body: str, member: str) -> None:
    """Nor is a README that the description was not made from."""
    content = tarred({"acme_widget-1.0/PKG-INFO": metadata(body=body), f"acme_widget-1.0/{member}": b""})
    assert not found_by("the-description-is-not-empty", (SDIST, content))


def test_no_readme_is_no_empty_readme() -> None:
    assert not found_by("the-description-is-not-empty", (WHEEL, wheel()))
    data = metadata(body=TITLE, Description_Content_Type=MARKDOWN)
    assert not found_by("the-description-is-not-empty", (WHEEL, wheel(data)))


@pytest.mark.parametrize("kind", [MARKDOWN, RST])
def test_a_readme_of_blanks_is_refused_as_empty(kind: str) -> None:
    """The index refuses it; the finding says why, and the warning is not repeated."""
    data = metadata(body=" \n\n", Description_Content_Type=kind)
    (one,) = found_by("the-description-renders", (WHEEL, wheel(data)))
    assert one.severity == "block"
    assert one.message.endswith(": it is empty")
    assert one.remedy.startswith("the README is empty")
    assert not found_by("the-description-is-not-empty", (WHEEL, wheel(data)))


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (MARKDOWN, "[^1]: two words\n", "no content besides definitions of links and footnotes"),
        (RST, "Lone title\n==========\n", "no content besides the title"),
    ],
)
def test_a_readme_that_shows_nothing_is_to_be_written(kind: str, body: str, reason: str) -> None:
    data = metadata(body=body, Description_Content_Type=kind)
    (one,) = found_by("the-description-renders", (WHEEL, wheel(data)))
    assert one.message.endswith(f": {reason}")
    assert one.remedy.startswith("write a description in the README")


def test_what_follows_a_comment_without_an_end_is_none_of_the_page() -> None:
    assert relative_targets("Text\n\n<!-- open\n\n<img src='c.png'>\n\n<img src='d.png'>\n", "text/markdown") == []


def test_many_relative_links_take_linear_time() -> None:
    body = "".join(f"[x](docs/{number}.md)\n\n" for number in range(10_000))
    data = metadata(body=TITLE + body, Description_Content_Type=MARKDOWN)
    begun = time.process_time()
    (one,) = found_by("the-links-of-the-description-work", (WHEEL, wheel(data)))
    assert time.process_time() - begun < 10
    assert "10000 relative links or images" in one.message
