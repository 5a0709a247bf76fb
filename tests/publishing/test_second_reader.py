"""A large zip is read by two processes with the result of one, and a child that fails changes nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from release.adapters.system.process import Pipe
from release.adapters.system.system import real_system
from release.publishing import second_reader
from release.publishing.inspection import inspect_files
from release.publishing.second_reader import SecondReader
from tests import fake_tokens, sample_distributions
from tests.acceptance.making import zipped

#: one part each: its unpacked size counts, and zeros are packed to nothing
BIG = bytes(5 << 20)
_has_read = SecondReader.has_read
#: spelled in two parts, as in `protected_code`
PROTECTED = b"__pyarmor" + b"_enter__"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"a" * 64 + b"\nsize 1\n"


def wheel(directory: Path, **last: bytes) -> Path:
    """A wheel of six parts; `last` are its last members."""
    members: dict[str, Any] = {f"acme_widget/data{number}.bin": BIG for number in range(4)}
    members |= {"acme_widget/a.py": BIG, "acme_widget/b.py": BIG, "acme_widget/c/": b""}
    members |= {f"acme_widget/{name.replace('_py', '.py')}": data for name, data in last.items()}
    path = directory / sample_distributions.wheel_name()
    path.write_bytes(sample_distributions.wheel(files=members))
    return path


@pytest.fixture(autouse=True)
def _two_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_reader, "usable_processors", lambda: 2)
    monkeypatch.setattr(second_reader, "_LARGE", 1)


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """This process waits until the child has read all but the first part. What it then leaves to the child."""
    answers: list[bool] = []

    def has_read(self: SecondReader, part: int) -> bool:
        while self._pipe is not None and 1 not in self._read:
            self._receive(self._pipe)
        found = part > 0 and _has_read(self, part)
        answers.append(found)
        return found

    monkeypatch.setattr(SecondReader, "has_read", has_read)
    return answers


def document(path: Path) -> dict[str, Any]:
    return dict(inspect_files(real_system(), [path]).document)


def alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    with monkeypatch.context() as patched:
        patched.setattr(second_reader, "usable_processors", lambda: 1)
        return document(path)


def test_a_sound_file_is_read_by_both(tmp_path: Path, left: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path)
    scanned: list[object] = []
    monkeypatch.setattr("release.leaks.file_scan.scan_file", lambda *_: scanned.append(1))  # the file once more
    found = document(path)
    assert found["files"][0]["verdict"] == "accept"
    assert (left.count(True), left.count(False)) == (8, 2)
    assert scanned == []
    monkeypatch.undo()
    assert found == alone(path, monkeypatch)


@pytest.mark.parametrize(
    "last",
    [
        lambda: {"z": fake_tokens.token().encode()},
        lambda: {"z": zipped({"x": fake_tokens.token().encode()})},
        lambda: {"z": POINTER},
        lambda: {"z_py": PROTECTED},
    ],
)
def test_what_is_to_be_reported_is_read_here(
    tmp_path: Path, left: list[bool], monkeypatch: pytest.MonkeyPatch, last: Callable[[], dict[str, bytes]]
) -> None:
    path = wheel(tmp_path, **last())
    found = document(path)
    assert any(left), "the second process has read a part"
    monkeypatch.setattr(SecondReader, "has_read", _has_read)
    assert found == alone(path, monkeypatch)
    assert found["files"][0]["findings"] or found["release"]


def test_a_damaged_member_is_reported(tmp_path: Path, left: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path, z=b"some text" * 100)
    content = bytearray(path.read_bytes())
    at = content.index(b"acme_widget/z") + len("acme_widget/z")
    content[at] ^= 0xFF
    path.write_bytes(content)
    found = document(path)
    assert any(left), "the second process has read a part"
    assert "acme_widget/z" in str(found["files"][0]["findings"])
    monkeypatch.setattr(SecondReader, "has_read", _has_read)
    assert found == alone(path, monkeypatch)


def test_a_child_that_was_killed_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = wheel(tmp_path)

    def has_read(self: SecondReader, part: int) -> bool:
        if self._pipe is not None:
            self._pipe._process.kill()
            while self._pipe is not None:
                self._receive(self._pipe)
        return _has_read(self, part)

    monkeypatch.setattr(SecondReader, "has_read", has_read)
    assert document(path) == alone(path, monkeypatch)


def test_a_child_that_cannot_start_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("too many processes")

    path = wheel(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(subprocess, "Popen", fail)
        found = document(path)
    assert found == alone(path, monkeypatch)


@pytest.mark.parametrize("answer", [{"is": "other"}, {"is": "read", "part": "1", "sound": True}])
def test_an_answer_that_is_none_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    path = wheel(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Pipe, "read", lambda *_: answer)
        patched.setattr(Pipe, "has_message", True)
        found = document(path)
    assert found == alone(path, monkeypatch)


def test_nothing_is_left_to_a_child_that_reads_another_file(
    tmp_path: Path, left: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the file is replaced or written while both read it."""
    path = wheel(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(second_reader, "file_state", lambda _: [1, 2, 3, 4])
        found = document(path)
    assert left.count(True) == 0
    assert found == alone(path, monkeypatch)


def test_a_file_that_the_child_cannot_open_is_read_here(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    reader = SecondReader(tmp_path / "missing-1.0-py3-none-any.whl", {})
    reader._path = path
    reader.start()
    reader._path = tmp_path / "missing-1.0-py3-none-any.whl"
    with path.open("rb") as content, reader.read_parts(content) as second:
        while reader._pipe is not None:
            reader._receive(reader._pipe)
        assert not second.has_read(0)


def test_nothing_is_started_where_it_does_not_pay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(second_reader, "start_own_process", lambda *arguments: started.append(arguments))
    path = wheel(tmp_path)
    sdist = tmp_path / sample_distributions.sdist_name()
    sdist.write_bytes(sample_distributions.sdist())
    document(sdist)
    monkeypatch.setattr(second_reader, "_LARGE", path.stat().st_size + 1)
    document(path)
    monkeypatch.setattr(second_reader, "_LARGE", 1)
    alone(path, monkeypatch)
    assert started == []


def test_ctrl_c_ends_the_child(tmp_path: Path) -> None:
    path = wheel(tmp_path)
    reader = SecondReader(path, {})
    with suppress(KeyboardInterrupt), path.open("rb") as content, reader.read_parts(content):
        assert reader._pipe is not None
        child = reader._pipe._process
        raise KeyboardInterrupt
    assert child.poll() is not None
