"""Files that were built elsewhere, in the directories that CI makes of artifacts."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.core.errors import RefusedError, UsageError
from release.publishing import journal as journals
from release.publishing import prebuilt
from tests.sample_distributions import sdist_name, wheel_name

ONE = wheel_name(tag="cp311-cp311-win32")
TWO = wheel_name(tag="cp312-cp312-win32")


def put(path: Path, content: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content or path.name, encoding="utf-8")
    return path


def names(*paths: Path) -> list[str]:
    return [one.filename for one in prebuilt.find_distributions(paths)]


def test_subdirectories_are_searched_as_far_as_artifacts_go(tmp_path: Path) -> None:
    put(tmp_path / "dist" / sdist_name())
    put(tmp_path / "dist" / "part-linux" / ONE)
    put(tmp_path / "dist" / "part-windows" / "wheelhouse" / TWO)
    put(tmp_path / "dist" / "part-windows" / "README.txt")
    put(tmp_path / "dist" / ".cache" / wheel_name(tag="cp313-cp313-win32"))
    put(tmp_path / "dist" / "a" / "b" / "c" / "d" / wheel_name(tag="cp314-cp314-win32"))
    found = prebuilt.find_distributions([tmp_path / "dist"])
    assert [one.filename for one in found] == [sdist_name(), ONE, TWO]
    assert prebuilt.files_to_text(found) == "2 wheels for 2 Pythons and 1 platform, 1 sdist, from 3 directories"


@pytest.mark.parametrize("mark", ["pyproject.toml", "setup.py", "pyvenv.cfg"])
def test_below_sources_nothing_is_searched(tmp_path: Path, mark: str) -> None:
    """The directory of a project has wheels of its tests, of its environment, of earlier builds."""
    put(tmp_path / mark)
    put(tmp_path / "tests" / "data" / TWO)
    with pytest.raises(UsageError, match=r"has no wheel or sdist$"):
        names(tmp_path)
    put(tmp_path / ONE)
    assert names(tmp_path) == [ONE]


def test_links_to_directories_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path / "dist" / "part" / ONE)
    (tmp_path / "dist" / "part" / "loop").symlink_to(tmp_path / "dist", target_is_directory=True)
    assert names(tmp_path / "dist") == [ONE]


def test_a_directory_with_too_many_subdirectories_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "dist" / "part" / ONE)
    put(tmp_path / "dist" / "other" / TWO)
    monkeypatch.setattr(prebuilt, "_DIRECTORIES", 2)
    with pytest.raises(UsageError, match="has more than 2 subdirectories"):
        names(tmp_path / "dist")


def test_a_file_in_two_directories_is_one_if_its_bytes_are_equal(tmp_path: Path) -> None:
    put(tmp_path / "a" / ONE)
    put(tmp_path / "b" / ONE)
    put(tmp_path / "b" / TWO)
    assert names(tmp_path / "a", tmp_path / "b", tmp_path / "a" / ONE) == [ONE, TWO]
    put(tmp_path / "b" / ONE, "other bytes")
    assert names(tmp_path / "a", tmp_path / "b") == [ONE, ONE, TWO]  # for the checks


def test_the_main_release_comes_first(tmp_path: Path) -> None:
    """Name and version of the run come from the first file that has both."""
    put(tmp_path / wheel_name(version="0.9", tag="cp311-cp311-win32"))
    put(tmp_path / "acme_widget-1.0-bad.whl")
    put(tmp_path / ONE)
    put(tmp_path / TWO)
    assert names(tmp_path)[:2] == [ONE, TWO]
    assert len(names(tmp_path)) == 4


def test_files_of_several_projects_are_for_a_set(tmp_path: Path) -> None:
    put(tmp_path / ONE)
    put(tmp_path / wheel_name("other"))
    with pytest.raises(UsageError) as raised:
        names(tmp_path)
    assert "2 projects: acme-widget, other" in raised.value.message
    assert "pypi-preflight set release --files DIR" in raised.value.remedy
    groups = prebuilt.group_by_project(prebuilt.find_files([tmp_path]))
    assert {name: [one.filename for one in files] for name, files in groups.items()} == {
        "acme-widget": [ONE],
        "other": [wheel_name("other")],
    }


@pytest.mark.parametrize("content", [b"\xff\xfe", b"[1]"])
def test_a_list_that_cannot_be_read_is_a_usage_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)
    with pytest.raises(UsageError):
        prebuilt.load_file_list(path)
    with pytest.raises(UsageError, match="cannot read"):
        prebuilt.load_file_list(tmp_path)
    assert prebuilt.load_file_list(None) is None


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (ONE, "does not exist$"),
        ("README.txt", "is not a wheel or sdist$"),
        ("no directory", "does not exist$"),
        ("empty", "has no wheel or sdist, nor have its subdirectories$"),
    ],
)
def test_a_path_without_distributions(tmp_path: Path, name: str, message: str) -> None:
    put(tmp_path / "README.txt")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=message):
        names(tmp_path / name)


def test_the_number_of_directories_is_named_only_where_there_are_several(tmp_path: Path) -> None:
    put(tmp_path / "a" / ONE)
    assert prebuilt.files_to_text(prebuilt.find_files([tmp_path])) == "1 wheel"
    put(tmp_path / "b" / TWO)
    assert prebuilt.files_to_text(prebuilt.find_files([tmp_path])).endswith(", from 2 directories")


def test_one_release_has_one_version(tmp_path: Path) -> None:
    files = [put(tmp_path / sdist_name(version=f"{number}.0")) for number in range(1, 7)]
    with pytest.raises(UsageError) as raised:
        prebuilt.find_release([tmp_path])
    shown = ", ".join(repr(path.name) for path in files[:4])
    assert raised.value.message == f"the files belong to 6 releases: {shown}, …"
    assert raised.value.remedy == "pass the files of one release"
    assert [one.filename for one in prebuilt.find_release(files[:1])] == [files[0].name]


def test_of_many_projects_four_are_named(tmp_path: Path) -> None:
    for name in "edcba":
        put(tmp_path / wheel_name(name))
    with pytest.raises(UsageError, match=r"^the files belong to 5 projects: a, b, c, d$"):
        names(tmp_path)


def test_a_list_needs_files(tmp_path: Path) -> None:
    listed = put(tmp_path / "list", ONE)
    with pytest.raises(UsageError, match=r"^--require-complete needs the files$"):
        prebuilt.load_given_files([], listed)
    files, found = prebuilt.load_given_files([put(tmp_path / ONE)], listed)
    assert ([one.filename for one in files], found is not None) == ([ONE], True)
    assert prebuilt.load_given_files([], None) == ((), None)


def test_files_that_differ_from_those_on_an_index_by_a_journal_are_refused(tmp_path: Path) -> None:
    book = journals.for_release(tmp_path, version="1.0", commit=None)
    book.write("accepted", index="sandbox", file=ONE, sha256="1" * 64)
    book.write("refused", index="pypi", file=ONE, sha256="2" * 64)
    book.write("accepted", index="pypi", file=TWO, sha256="3" * 64)
    found = prebuilt.find_files([put(tmp_path / "dist" / ONE)])
    prebuilt.reject_changed(found, tmp_path)
    book.write("accepted", index="pypi", file=ONE, sha256=found[0].sha256)
    prebuilt.reject_changed(found, tmp_path)
    book.write("accepted", index="pypi", file=ONE, sha256="4" * 64)
    with pytest.raises(RefusedError) as refused:
        prebuilt.reject_changed(found, tmp_path)
    assert refused.value.message == (f"{ONE!r} is not the file on pypi, whose SHA-256 in the journal is {'4' * 64}")
    assert str(book.dist) in refused.value.remedy
