"""`.pypirc` is read as twine reads it, and what is wrong with it is told by line and without its text."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.secret_location import location_to_text
from release.core.secret import Secret
from release.credentials.sources import pypirc
from release.credentials.sources.base import BrokenSourceError, SourceQuery, SourceResult

ACME = Index(name="acme", upload_url="https://acme.test/legacy/", simple_url="https://acme.test/simple/", kind="other")


def find(
    index: Index, home: Path, *, config_file: Path | None = None, directory: Path | None = None
) -> SourceResult | None:
    return pypirc.find(SourceQuery(index=index, env={}, home=home, config_file=config_file, directory=directory))


def write(home: Path, text: str | bytes, mode: int = 0o600) -> None:
    path = home / ".pypirc"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)


def found(index: Index, home: Path) -> SourceResult:
    result = find(index, home)
    assert result is not None
    return result


def causes(result: SourceResult) -> list[str | None]:
    return [one.cause for one in result.remarks]


def test_no_file_is_none(tmp_path: Path) -> None:
    assert find(PYPI, tmp_path) is None
    write(tmp_path, "[testpypi]\npassword = x\n")
    assert find(PYPI, tmp_path) is None


def test_the_place_of_a_password_is_told_to_the_line(tmp_path: Path) -> None:
    write(
        tmp_path,
        "[distutils]\nindex-servers =\n  pypi\n  acme\n\n[pypi]\nusername = __token__\npassword = one\n"
        "[acme]\nrepository: https://acme.test/legacy/\nusername: alice\nPassword: two\n",
    )
    pypi, acme = found(PYPI, tmp_path), found(ACME, tmp_path)
    assert (pypi.username, pypi.password, causes(pypi)) == (None, Secret("one"), [])
    assert pypi.origin is not None
    assert location_to_text(pypi.origin) == "~/.pypirc, line 8, [pypi] password"
    assert (acme.username, acme.password, causes(acme)) == ("alice", Secret("two"), [])
    assert acme.origin is not None
    assert location_to_text(acme.origin) == "~/.pypirc, line 12, [acme] password"


def test_a_section_of_another_name_counts_by_its_url(tmp_path: Path) -> None:
    write(
        tmp_path,
        "[distutils]\nindex-servers = prod\n[prod]\nrepository = https://upload.pypi.org/legacy/\npassword = x\n",
    )
    assert found(PYPI, tmp_path).password == Secret("x")
    assert causes(found(PYPI, tmp_path)) == []


def test_quotes_comments_and_percent_signs_belong_to_the_value(tmp_path: Path) -> None:
    for value in ('"x"', "x ; comment", "x%y", "x # y"):
        write(tmp_path, f"[pypi]\npassword = {value}\n")
        assert found(PYPI, tmp_path).password == Secret(value)


def test_server_login_is_the_default_of_all_sections(tmp_path: Path) -> None:
    write(tmp_path, "[server-login]\nusername = __token__\npassword = x\n")
    assert found(PYPI, tmp_path).password == Secret("x")
    assert found(TESTPYPI, tmp_path).password == Secret("x")


@pytest.mark.parametrize(
    ("text", "cause", "line"),
    [
        ("[distutils]\nindex-servers = testpypi\n[pypi]\npassword = x\n", "pypirc.section-unlisted", 3),
        ("[PyPI]\npassword = x\n", "pypirc.section-unlisted", 1),
        ("[pypi]\nrepository = https://test.pypi.org/legacy/\npassword = x\n", "pypirc.repository-mismatch", 2),
    ],
)
def test_a_section_that_does_not_count_is_explained_and_not_used(
    tmp_path: Path, text: str, cause: str, line: int
) -> None:
    write(tmp_path, text)
    result = found(PYPI, tmp_path)
    assert (result.password, causes(result)) == (None, [cause])
    assert result.remarks[0].where == f"~/.pypirc, line {line}"


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("https://upload.pypi.org/legacy", "url.no-trailing-slash"),
        ("http://upload.pypi.org/legacy/", "url.http"),
        ("https://pypi.python.org/pypi", "url.legacy-domain"),
        ("https://pypi.org/simple/", "url.simple-or-root"),
        ("https://bob:hunter2@pypi.org/", "url.simple-or-root"),
    ],
)
def test_a_wrong_url_is_named_and_never_shows_a_password(tmp_path: Path, url: str, cause: str) -> None:
    write(tmp_path, f"[pypi]\nrepository = {url}\npassword = x\n")
    result = found(PYPI, tmp_path)
    assert (result.password, causes(result)) == (Secret("x"), [cause])
    assert "hunter2" not in repr(result)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("password = canary\n", ["line 1", "before the first [section]"]),
        ("[pypi]\ncanary\n", ["line 2", "key = value"]),
        ("[pypi]\npassword = canary\npassword = canary\n", ["line 3", "'password'", "second time"]),
        ("[pypi]\npassword = canary\n[pypi]\n", ["line 3", "second time"]),
        ("[pypi]\npassword = canary\xe9\n".encode("latin-1"), ["not UTF-8"]),
        ("[pypi]\npassword = canary\n".encode("utf-16"), ["UTF-16"]),
    ],
)
def test_a_broken_file_is_told_by_line_and_its_text_never_shown(
    tmp_path: Path, text: str | bytes, words: list[str]
) -> None:
    write(tmp_path, text)
    with pytest.raises(BrokenSourceError) as caught:
        find(PYPI, tmp_path)
    assert caught.value.cause == "pypirc.malformed"
    assert all(word in caught.value.message for word in words)
    assert "canary" not in f"{caught.value.message} {caught.value.remedy} {caught.value.__cause__}"


def test_a_directory_in_its_place_is_broken(tmp_path: Path) -> None:
    (tmp_path / ".pypirc").mkdir()
    with pytest.raises(BrokenSourceError, match="cannot be read"):
        find(PYPI, tmp_path)


def test_a_byte_order_mark_is_read_over_and_told(tmp_path: Path) -> None:
    write(tmp_path, b"\xef\xbb\xbf[pypi]\npassword = x\n")
    assert (found(PYPI, tmp_path).password, causes(found(PYPI, tmp_path))) == (Secret("x"), ["pypirc.malformed"])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_file_that_others_can_read_is_told(tmp_path: Path) -> None:
    write(tmp_path, "[pypi]\npassword = x\n", mode=0o644)
    assert causes(found(PYPI, tmp_path)) == ["pypirc.perms"]
    assert "chmod 600 ~/.pypirc" in found(PYPI, tmp_path).remarks[0].remedy


def test_a_username_that_twine_overrides_is_told(tmp_path: Path) -> None:
    """Observed: twine 7.0.0 sends `__token__` to PyPI whatever the section says."""
    write(tmp_path, "[pypi]\nusername = alice\npassword = x\n")
    assert (found(PYPI, tmp_path).username, causes(found(PYPI, tmp_path))) == (None, ["cred.username-not-token"])


def test_a_section_without_repository_counts_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, "[distutils]\nindex-servers = acme\n[acme]\nusername = alice\npassword = x\n")
    assert (found(ACME, tmp_path).password, causes(found(ACME, tmp_path))) == (Secret("x"), ["pypirc.missing-repo"])


def test_a_file_under_a_wrong_name_or_in_the_project_is_told(tmp_path: Path) -> None:
    home, project = tmp_path / "home", tmp_path / "project"
    for place in (home / ".pypirc.txt", project / ".pypirc"):
        place.parent.mkdir()
        place.write_text("[pypi]\n", encoding="utf-8")
    result = find(PYPI, home, directory=project)
    assert result is not None
    assert causes(result) == ["pypirc.not-found", "pypirc.not-found"]


def test_another_file_is_read_where_it_is_named_and_must_be_there(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("[pypi]\npassword = y\n", encoding="utf-8")
    other.chmod(0o600)
    write(tmp_path, "[pypi]\npassword = x\n")
    result = find(PYPI, tmp_path, config_file=other)
    assert result is not None
    assert result.password == Secret("y")
    assert result.origin is not None
    assert location_to_text(result.origin).startswith(f"{other}, line 2")
    with pytest.raises(BrokenSourceError, match="there is no file"):
        find(PYPI, tmp_path, config_file=tmp_path / "none")


@pytest.mark.parametrize(
    "text", ["[pypi]\npassword = x\n", "[distutils]\nindex-servers = a pypi\n[pypi]\npassword: x\n"]
)
def test_twine_reads_the_same(tmp_path: Path, text: str) -> None:
    from twine.utils import get_config

    write(tmp_path, text)
    theirs = get_config(str(tmp_path / ".pypirc"))["pypi"]["password"]
    assert theirs is not None
    assert found(PYPI, tmp_path).password == Secret(theirs)
    assert os.fspath(tmp_path) not in repr(found(PYPI, tmp_path))
