"""Our form is twine's form: the same fields and the same refusals for the same file."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from twine.exceptions import InvalidDistribution
from twine.package import PackageFile
from twine.repository import Repository

from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.twine_form import TwineForm, twine_form
from tests.acceptance.making import SDIST, WHEEL, metadata, sdist, tarred, wheel, wheel_members, zipped

FULL = metadata(
    "Acme_Widget",
    body="A *description*.\n",
    Summary="one",
    Keywords="a,b, c",
    Author="Ada",
    Author_email="Ada <a@acme.org>",
    License_Expression="MIT",
    License_File=["LICENSE", "NOTICE"],
    Classifier=["Topic :: Utilities", "Typing :: Typed"],
    Requires_Dist=["a>=1", "b; extra == 'x'"],
    Provides_Extra="x",
    Requires_Python=">=3.11",
    Project_URL=["Homepage, https://acme.org", "Docs,https://acme.org/docs"],
    Platform=["any", "linux"],
    Description_Content_Type="text/markdown",
    Dynamic="Keywords",
)


def ours(filename: str, content: bytes) -> TwineForm:
    return twine_form(
        OpenDistribution(filename, io.BytesIO(content)),
        sha256=hashlib.sha256(content).hexdigest(),
        blake2_256=hashlib.blake2b(content, digest_size=32).hexdigest(),
    )


def objection(filename: str, content: bytes) -> str:
    found = ours(filename, content).objection
    assert found is not None
    return found.text


def by_name(fields: object) -> list[tuple[str, str]]:
    """Fields by name, the values of each in their order: twine's own order of names is that of a set."""
    assert isinstance(fields, (list, tuple))
    return sorted(fields, key=lambda field: str(field[0]))


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        (WHEEL, wheel()),
        (WHEEL, wheel(FULL)),
        (SDIST, sdist()),
        (SDIST, sdist(FULL)),
        ("acme_widget-1.0-1-cp311.cp312-abi3-manylinux_2_28_x86_64.whl", wheel()),
        ("acme-widget-1.0-py3-none-any.whl", wheel()),
        ("acme_widget.whl", wheel()),
        (WHEEL, wheel(metadata(Metadata_Version="2.1", License_File="LICENSE"))),
        (WHEEL, wheel(metadata(Metadata_Version="2.5", Import_Name="acme"))),
        (WHEEL, zipped({"x/METADATA/y": b"no", "x/METADATA": metadata("deep"), **wheel_members()})),
        ("acme_widget-1.0.zip", zipped({"acme_widget-1.0/PKG-INFO": metadata(), "acme_widget-1.0/a": b""})),
        (WHEEL, wheel(metadata(Author="J\xfcrgen", Keywords="\xe4"))),
    ],
)
def test_the_form_is_twines(tmp_path: Path, filename: str, content: bytes) -> None:
    """Every field that twine sends, with its value."""
    (tmp_path / filename).write_bytes(content)
    data = PackageFile.from_filename(str(tmp_path / filename), None).metadata_dictionary()
    theirs = Repository._convert_metadata_to_list_of_tuples(data)
    form = ours(filename, content)
    assert form.objection is None
    assert by_name(form.fields) == by_name(theirs)


@pytest.mark.parametrize(
    ("filename", "content"),
    [
        (WHEEL, wheel(metadata(Frobnicate="x"))),
        (WHEEL, wheel(metadata(Summary=["a", "b"]))),
        (WHEEL, wheel(metadata(Requires_Python="three", Version="abc"))),
        (WHEEL, wheel(metadata(Metadata_Version="9.9"))),
        (WHEEL, wheel(metadata(Metadata_Version="2.1", License_Expression="MIT"))),
        (WHEEL, zipped({"a": b""})),
        ("acme_widget-1.0.egg", wheel()),
        (SDIST, tarred({"a/PKG-INFO": metadata(), "b": b""})),
        (SDIST, tarred({"a/setup.py": b"", "a/b": b""})),
        ("acme_widget-1.0.zip", zipped({"a/x": b"", "a/y": b""})),
    ],
)
def test_what_twine_refuses(tmp_path: Path, filename: str, content: bytes) -> None:
    """The same words, the paths of this machine excepted."""
    (tmp_path / filename).write_bytes(content)
    with pytest.raises(InvalidDistribution) as refused:
        PackageFile.from_filename(str(tmp_path / filename), None)
    reason = objection(filename, content)
    assert str(refused.value).startswith(reason)


@pytest.mark.parametrize("filename", [WHEEL, SDIST, "acme_widget-1.0.zip"])
def test_what_twine_dies_of_is_a_refusal(tmp_path: Path, filename: str) -> None:
    """Twine has no words for a file that is no archive."""
    (tmp_path / filename).write_bytes(b"nothing")
    with pytest.raises(Exception, match=r"zip|gzip"):
        PackageFile.from_filename(str(tmp_path / filename), None)
    assert objection(filename, b"nothing")


def test_a_metadata_version_that_is_no_version(tmp_path: Path) -> None:
    """Twine compares it before anything else, and dies of it."""
    content = wheel(metadata(Metadata_Version="x"))
    (tmp_path / WHEEL).write_bytes(content)
    with pytest.raises(ValueError, match="x"):
        PackageFile.from_filename(str(tmp_path / WHEEL), None)
    assert objection(WHEEL, content) == "InvalidVersion: Invalid version: 'x'"
