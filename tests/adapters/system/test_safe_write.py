"""Files that others have open, or that may not be written."""

from __future__ import annotations

import shutil
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from release.adapters.system import safe_write
from release.core.errors import ReleaseError


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


def test_a_private_file_keeps_its_owner_and_is_readable_by_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With sudo, a new file would belong to root, and its user could no longer read the token."""
    path, given = tmp_path / ".pypirc", list[tuple[int, int]]()
    path.write_bytes(b"old")
    path.chmod(0o644)
    monkeypatch.setattr("os.chown", lambda _name, user, group: given.append((user, group)), raising=False)
    safe_write.replace_private_file(path, b"old", b"new")
    about = path.stat()
    assert given == [(about.st_uid, about.st_gid)]
    assert path.read_bytes() == b"new"
    if sys.platform != "win32":
        assert stat.S_IMODE(about.st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [".pypirc"]


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_a_mode_is_kept_where_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    safe_write.replace_private_file(path, b"old", b"new", keep_mode=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_file_that_somebody_has_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / ".pypirc"
    path.write_bytes(b"theirs")
    with pytest.raises(ReleaseError, match="has changed since it was read"):
        safe_write.replace_private_file(path, b"old", b"new")
    assert path.read_bytes() == b"theirs"


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "pypirc", tmp_path / ".pypirc"
    real.parent.mkdir()
    real.write_bytes(b"old")
    link.symlink_to(real)
    safe_write.replace_private_file(link, b"old", b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


@pytest.mark.parametrize("private", [True, False])
def test_the_new_content_is_on_the_disk_before_it_replaces_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: bool
) -> None:
    """After a power failure, a file that was renamed first may be empty."""
    path, done = tmp_path / "file", list[str]()
    path.write_bytes(b"old")
    real = safe_write.replace_file

    def rename(source: Path, target: Path) -> Path:
        done.append("rename")
        return real(source, target)

    monkeypatch.setattr("os.fsync", lambda _: done.append("fsync"))
    monkeypatch.setattr(safe_write, "replace_file", rename)
    if private:
        safe_write.replace_private_file(path, b"old", b"new")
    else:
        assert safe_write.write_atomically(path, b"new")
        assert not safe_write.write_atomically(path, b"new")
    assert (done, path.read_bytes()) == (["fsync", "rename"], b"new")


@pytest.mark.parametrize("private", [True, False])
def test_a_writer_that_is_interrupted_leaves_no_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, private: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        safe_write.replace_private_file(path, b"old", b"new") if private else safe_write.write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_removing_says_whether_there_was_anything(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert safe_write.remove_file(tmp_path / "file")
    assert not safe_write.remove_file(tmp_path / "file")
