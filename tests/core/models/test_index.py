"""Names, as the library that the index uses sees them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from packaging.utils import InvalidName, canonicalize_name

from release.core.models.index import (
    PYPI,
    RETIRED_HOSTS,
    TESTPYPI,
    Index,
    IndexFile,
    ProjectListing,
    files_by_release,
    files_of_version,
    host_of,
    is_loopback,
    is_project_name,
    name_from_filename,
    normalize_name,
    version_of,
    well_known,
)


@given(name=st.text(alphabet="aZ09._- é\n", max_size=12))
def test_names_are_as_packaging_has_them(name: str) -> None:
    assert normalize_name(name) == canonicalize_name(name)
    if is_project_name(name):
        assert canonicalize_name(name, validate=True)
    else:
        with pytest.raises(InvalidName):
            canonicalize_name(name, validate=True)


@pytest.mark.parametrize(
    ("filename", "project", "version"),
    [
        ("acme_widget-1.0-py3-none-any.whl", "Acme.Widget", "1.0"),
        ("acme-widget-1.0.tar.gz", "acme_widget", "1.0"),
        ("acme-widget-1.0-1.zip", "acme-widget", "1.0.post1"),
        ("acme-1.0-py3.9.egg", "acme", "1.0"),
        ("acme-1.0.win32.exe", "acme", None),
        ("acme-widget-1.0.tar.gz", "acme", None),
        ("acme-1.0.tar.gz", "other", None),
        ("1.0.tar.gz", "acme", None),
        ("acme-1.0.tar.Z", "acme", "1.0"),
        ("acme-1.0-x", "acme", "1.0"),
        ("acme.tar.gz", "acme", None),
        ("-1.0.tar.gz", "", "1.0"),
    ],
)
def test_the_version_in_the_name_of_a_file(filename: str, project: str, version: str | None) -> None:
    found = version_of(filename, project)
    assert (None if found is None else str(found)) == version


def listed(*filenames: str) -> ProjectListing:
    return ProjectListing(name="Acme", files=tuple(IndexFile(filename=one, url="", sha256=None) for one in filenames))


def test_the_files_of_a_release() -> None:
    listing = listed("acme-1.0.tar.gz", "acme-1.0-py3-none-any.whl", "acme-2.0.tar.gz", "readme.txt")
    assert [one.filename for one in files_of_version(listing, "v1.0.0")] == [
        "acme-1.0.tar.gz", "acme-1.0-py3-none-any.whl",
    ]  # fmt: skip
    assert [str(one) for one in files_by_release(listing)] == ["1.0", "2.0"]
    assert files_of_version(listing, "3.0") == files_of_version(listing, "one") == files_of_version(None, "1.0") == ()
    assert listing.file("readme.txt") is listing.files[3]
    assert listing.file("Readme.txt") is None


def test_the_pages_of_an_index() -> None:
    index = Index(name="a", upload_url="https://up.test/legacy/", simple_url="https://a.test/team/simple/")
    assert (index.json_url, index.site) == ("https://a.test/team/pypi/", "https://a.test/team")
    assert (index.token_location, index.loopback, index.trusted_publishing) == ("up.test", False, True)
    other = replace(index, kind="other", simple_url="https://a.test/x/", upload_url="http://[::1]:80/")
    assert (other.site, other.loopback, other.trusted_publishing) == ("https://a.test/x", True, False)
    assert PYPI.token_location == host_of(PYPI.simple_url) != host_of(PYPI.upload_url)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("a.localhost", True), ("localhost.test", False), ("127.3.2.1", True), ("::1", True),
     ("10.0.0.1", False), ("", False), ("notlocalhost", False)],
)  # fmt: skip
def test_this_machine(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_hosts_of_the_two() -> None:
    assert [host_of(url) for url in ("HTTPS://A.test:80/", "a.test", "http://[::1", "")] == ["a.test", "", "", ""]
    for index in (PYPI, TESTPYPI):
        assert well_known(f"http://{host_of(index.simple_url)}/x") is well_known(index.upload_url) is index
    for host, index in RETIRED_HOSTS.items():
        assert well_known(f"https://{host}/") is index
    assert well_known("https://a.test/") is None


@pytest.mark.parametrize(
    ("filename", "name"),
    [("Acme_widget-1.0-py3-none-any.whl", "acme-widget"), ("acme-widget-1.0.tar.gz", "acme-widget")],
)
def test_the_project_in_the_name_of_a_file(filename: str, name: str) -> None:
    assert normalize_name(name_from_filename(filename)) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a", True), ("A.b_C-9", True), ("a.", False), (".a", False), ("a b", False), ("", False), ("é", False),
     ("a\n", False)],
)  # fmt: skip
def test_a_valid_name(name: str, expected: bool) -> None:
    assert is_project_name(name) is expected
