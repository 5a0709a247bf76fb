"""The built files, copied for the jobs that follow: the same bytes, once, and no others next to them."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.builds.builder import load_distribution
from release.core.errors import RefusedError
from release.publishing.build import copy_files


def built(directory: Path, *names: str, data: bytes = b"x") -> list[Path]:
    directory.mkdir(exist_ok=True)
    for name in names:
        (directory / name).write_bytes(data)
    return [directory / name for name in names]


def test_the_files_are_copied_once_and_files_of_other_kinds_stay(tmp_path: Path) -> None:
    files = [load_distribution(one) for one in built(tmp_path / "built", "a-1.whl", "a-1.tar.gz")]
    into = tmp_path / "dist" / "a"
    copy_files(files, into)
    (into / "notes.txt").write_text("mine")
    before = [(one.name, one.stat().st_mtime_ns, one.read_bytes()) for one in sorted(into.iterdir())]
    copy_files(files, into)
    assert [(one.name, one.stat().st_mtime_ns, one.read_bytes()) for one in sorted(into.iterdir())] == before
    assert [name for name, _, _ in before] == [".gitignore", "a-1.tar.gz", "a-1.whl", "notes.txt"]


def test_a_file_of_the_same_name_is_the_one_that_was_built_last(tmp_path: Path) -> None:
    built(tmp_path / "dist", "a-1.whl", data=b"older")
    copy_files([load_distribution(one) for one in built(tmp_path / "built", "a-1.whl")], tmp_path / "dist")
    assert (tmp_path / "dist" / "a-1.whl").read_bytes() == b"x"


@pytest.mark.parametrize("other", ["a-0.whl", "a-0.tar.gz", "b-1.zip"])
def test_files_of_another_build_are_not_mixed_with_these(tmp_path: Path, other: str) -> None:
    built(tmp_path / "dist", other)
    files = [load_distribution(one) for one in built(tmp_path / "built", "a-1.whl")]
    with pytest.raises(RefusedError, match=f"has files of another build: '{other}'") as caught:
        copy_files(files, tmp_path / "dist")
    assert "--output" in caught.value.remedy
    assert [one.name for one in (tmp_path / "dist").iterdir()] == [other]
