"""Files that others have open, or that may not be written."""

from __future__ import annotations

import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from release.adapters.system import safe_write


@pytest.mark.parametrize(
    ("refusals", "platform", "succeeds"), [(3, "win32", True), (99, "win32", False), (1, "linux", False)]
)
def test_a_file_that_a_reader_has_open_is_replaced_once_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int, platform: str, succeeds: bool
) -> None:
    """Windows refuses with ERROR_ACCESS_DENIED; elsewhere a refusal stays one."""
    tried, waited = list[Path](), list[float]()
    real = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        tried.append(self)
        if len(tried) <= refusals:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, target)

    record = tmp_path / "record.json"
    record.write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr("time.sleep", waited.append)
    monkeypatch.setattr(sys, "platform", platform)
    if succeeds:
        assert safe_write.write_atomically(record, b"new")
    else:
        with pytest.raises(PermissionError):
            safe_write.write_atomically(record, b"new")
    assert record.read_bytes() == (b"new" if succeeds else b"old")
    assert [one.name for one in tmp_path.iterdir()] == ["record.json"]
    assert sum(waited) <= 2


def test_a_directory_with_files_that_may_not_be_written_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    r"""As Windows refuses to remove the objects of git, which are read-only."""
    objects = tmp_path / "clone" / ".git" / "objects"
    objects.mkdir(parents=True)
    (objects / "1f").write_bytes(b"x")
    (objects / "1f").chmod(stat.S_IREAD)
    real = shutil.rmtree

    def remove(path: Path, **options: Any) -> None:
        if all(one.stat().st_mode & stat.S_IWRITE for one in path.rglob("*")):
            real(path, **options)

    monkeypatch.setattr(shutil, "rmtree", remove)
    safe_write.remove_tree(tmp_path / "clone")
    assert not (tmp_path / "clone").exists()
    safe_write.remove_tree(tmp_path / "clone")  # already gone
