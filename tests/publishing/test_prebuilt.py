"""Files that were built elsewhere, in the directories that CI makes of artifacts."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.core.errors import UsageError
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
