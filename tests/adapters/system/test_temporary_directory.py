"""Temporary directories: one for a process, and what an earlier process has left is removed after a day."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from filelock import FileLock

from release.adapters.system import temporary_directory as module
from release.adapters.system.safe_write import remove_tree
from release.adapters.system.temporary_directory import temporary_directory, temporary_directory_in
from release.core.errors import ReleaseError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary directory of the machine, for a process that has none yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(module, "_own", None)
    return tmp_path


def _age(path: Path, seconds: float) -> Path:
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))
    return path


def _left_behind(place: Path, name: str, *, days: float) -> Path:
    directory = place / name
    (directory / "environment" / "bin").mkdir(parents=True)
    (directory / "owner.lock").touch()
    return _age(directory, days * 86_400)


def test_all_of_a_process_are_in_one(place: Path) -> None:
    with temporary_directory() as first:
        with temporary_directory() as second:
            assert first.parent == second.parent
            assert first.parent.parent == place
            assert first != second
            (second / "content").touch()
        assert first.is_dir()
        assert not second.exists()
    with temporary_directory() as third:
        assert third.parent == first.parent
    assert not list(place.glob("*/*/"))


def test_it_is_removed_where_no_thread_can_be_started(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with temporary_directory(wait=False) as directory:
        (directory / "content").touch()
        monkeypatch.setattr(threading.Thread, "start", refuse)
    assert not directory.exists()


def test_it_goes_with_the_process(place: Path) -> None:
    code = (
        "from release.adapters.system.temporary_directory import temporary_directory, temporary_variables\n"
        "with temporary_directory() as one: print(one.parent)\n"
        "import os, pathlib\n"
        "for path in temporary_variables().values(): pathlib.Path(path, 'of a child').touch(); print(path)\n"
        "if os.name != 'nt' and os.fork() == 0: sys.exit()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}"], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[3], env={**os.environ, "TMPDIR": str(place), "TEMP": str(place)},
    )  # fmt: skip
    (path,) = set(done.stdout.split())
    assert Path(path).parent == place
    assert not list(place.iterdir())


def test_threads_share_it(place: Path) -> None:
    def use(number: int) -> Path:
        with temporary_directory() as directory:
            (directory / str(number)).touch()
            assert [path.name for path in directory.iterdir()] == [str(number)]
            return directory

    with ThreadPoolExecutor(8) as pool:
        directories = set(pool.map(use, range(100)))
    assert len(directories) == 100
    assert len({path.parent for path in directories}) == 1
    assert not any(path.exists() for path in directories)


def test_what_is_older_than_a_day_and_has_no_owner_is_removed(place: Path) -> None:
    old = _left_behind(place, "pypi-preflight-aaaaaaaa", days=1.1)
    young = _left_behind(place, "pypi-preflight-bbbbbbbb", days=0.9)
    owned = _left_behind(place, "pypi-preflight-cccccccc", days=9)
    of_the_user = _left_behind(place, "release-20261127", days=9)
    without_lock = _left_behind(place, "pypi-preflight-notes", days=9)
    (without_lock / "owner.lock").unlink()
    _age(without_lock, 9 * 86_400)
    (place / "pypi-preflight-20261127T000000Z-1.log").touch()
    link = place / "pypi-preflight-dddddddd"
    link.symlink_to(of_the_user)
    with FileLock(owned / "owner.lock"), temporary_directory():
        assert not old.exists()
        kept = (young, owned, of_the_user, without_lock, link, place / "pypi-preflight-20261127T000000Z-1.log")
        assert all(path.exists() for path in kept)
        assert (of_the_user / "environment").exists()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="Windows has no owners by number")
def test_what_another_user_has_left_stays(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = _left_behind(place, "pypi-preflight-aaaaaaaa", days=2)
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with temporary_directory():
        assert old.exists()


def _is_owned(directory: Path) -> bool:
    """Whether another process finds the lock of the directory held."""
    code = (
        "import sys; from filelock import FileLock, Timeout\n"
        "try:\n    FileLock(sys.argv[1], timeout=0).acquire()\nexcept Timeout:\n    print('owned')\n"
    )
    words = [sys.executable, "-c", code, str(directory / "owner.lock")]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == "owned"


def test_the_owner_is_known_to_other_processes(place: Path) -> None:
    with temporary_directory() as directory:
        assert _is_owned(directory.parent)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_where_the_lock_is_not_to_be_had_at_once_filelock_takes_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_is_locked", lambda _file: False)
    with temporary_directory() as directory:
        assert _is_owned(directory.parent)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no flock")
def test_a_new_directory_does_without_filelock(tmp_path: Path) -> None:
    code = (
        "import sys; from release.adapters.system.temporary_directory import temporary_directory\n"
        "with temporary_directory():\n    print('filelock' in sys.modules)\n"
    )
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "False"
    assert list(tmp_path.iterdir()) == []


def test_a_thread_that_the_end_of_the_process_waits_for_may_remove_it(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_begin = threading.Event()

    def remove_later(path: Path) -> None:
        may_begin.wait()
        remove_tree(path)

    monkeypatch.setattr(module, "remove_tree", remove_later)
    with temporary_directory(wait=False) as directory:
        (directory / "file").touch()
    (removal,) = (one for one in threading.enumerate() if one.name == "removal")
    assert directory.exists()
    assert not removal.daemon
    may_begin.set()
    removal.join()
    assert not directory.exists()


def test_in_a_directory_of_our_own_what_was_left_is_removed_by_its_name(tmp_path: Path) -> None:
    for name in (".build-old", ".build-young", "dist"):
        (tmp_path / name).mkdir()
    _age(tmp_path / ".build-old", 2 * 86_400)
    _age(tmp_path / "dist", 2 * 86_400)
    with temporary_directory_in(tmp_path, "the build directory", prefix=".build-") as work:
        assert work.parent == tmp_path
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([work.name, ".build-young", "dist"])
    assert not work.exists()


def test_an_interrupt_before_it_is_guarded_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "guard_directory", interrupt)
    with pytest.raises(KeyboardInterrupt), temporary_directory_in(tmp_path, "the build directory", prefix=".build-"):
        pass
    assert not list(tmp_path.iterdir())


def test_where_none_can_be_created_the_reason_is_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(place / "missing"))
    with pytest.raises(ReleaseError, match="cannot use the temporary directory"), temporary_directory():
        pass
    with (
        pytest.raises(ReleaseError, match="cannot use the build directory"),
        temporary_directory_in(place / "missing", "the build directory", prefix="x"),
    ):
        pass
