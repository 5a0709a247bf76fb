"""What is found while `inspect` unpacks an archive is what a search of its own finds."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import pytest

from release.checks.distribution_reader import inspect_built_files
from release.core.facts import BuiltFile, BuiltFiles
from release.core.models.leak import ScanResult
from release.leaks import file_scan
from release.leaks.file_scan import MemberScan
from tests import fake_tokens
from tests.acceptance.making import NOW, SDIST, WHEEL, metadata, sdist, tarred, wheel, wheel_members, zipped

MIB = 1 << 20


def wheel_with(members: Mapping[str, bytes]) -> tuple[str, bytes]:
    return WHEEL, zipped(wheel_members() | dict(members))


def sdist_with(members: Mapping[str, bytes]) -> tuple[str, bytes]:
    inside = {"PKG-INFO": metadata(), **members}
    return SDIST, tarred({f"acme_widget-1.0/{path}": data for path, data in inside.items()})


def places(token: bytes) -> dict[str, Mapping[str, bytes]]:
    """Where a token can lie in a file."""
    return {
        "code": {"a.py": b"one\n" + token},
        "data": {"a.bin": b"\0\1" + token},
        "text of two bytes a letter": {"a.txt": token.decode().encode("utf-16")},
        "an archive in it": {"a.zip": zipped({"b.txt": token})},
        "an archive in an archive": {"a.tgz": tarred({"b.zip": zipped({"c.txt": token})})},
        "a large archive in it": {"a.zip": zipped({"b.txt": token, "c": bytes(2 * MIB)}, compression=0)},
        "far inside a large file": {"a.bin": b"line\n" * MIB + token + b"\n" * MIB},
        "across two pieces": {"a.bin": b"-" * (MIB - 20) + token + b"-" * 50},
        "across two smaller pieces": {"a.bin": b"-" * (MIB // 4 - 20) + token + b"-" * 2 * MIB},
        "twice": {"a.txt": token, "b.txt": token},
        "a file of that name": {".pypirc": b"[pypi]\npassword = q7-Zebra-42\n"},
        "code beside protected code": {"a.py": b"__pyarmor" + b"_enter__", "b.py": token, "c.txt": token},
        "nowhere": {"a.py": b"x = 1\n", "empty": b""},
    }


PLACES = tuple(places(b""))


def passed(path: Path) -> ScanResult:
    """The search that comes with a look into the file."""
    content = path.read_bytes()
    search = MemberScan(path)
    file = BuiltFile(
        filename=path.name, size=len(content), sha256=None, open=partial(io.BytesIO, content), visit=search
    )
    (one,) = inspect_built_files(BuiltFiles(project=None, files=(file,), now=NOW))
    return search.result(len(one.members))


@pytest.mark.parametrize("pack", [wheel_with, sdist_with])
@pytest.mark.parametrize("place", PLACES)
def test_the_same_is_found(
    pack: Callable[[Mapping[str, bytes]], tuple[str, bytes]], place: str, tmp_path: Path
) -> None:
    token = fake_tokens.token().encode()
    name, content = pack(places(token)[place])
    path = tmp_path / name
    path.write_bytes(content)
    found, alone = passed(path), file_scan.scan_file(path, name)
    assert set(found.leaks) == set(alone.leaks)
    assert found.unread == alone.unread == ()
    assert bool(found.leaks) == (place != "nowhere")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (WHEEL, b"no zip at all: "),
        (WHEEL, wheel()[:-30]),
        (SDIST, sdist()[:60]),
        ("acme_widget-1.0.tar.bz2", b""),
    ],
)
def test_what_can_not_be_unpacked_is_searched_as_it_lies_there(name: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content + fake_tokens.token().encode())
    assert [leak.path for leak in passed(path).leaks] == [name]


def test_a_sound_file_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_scan, "scan_file", lambda *_: pytest.fail("it was searched again"))
    for name, content in (wheel_with({"a": bytes(3 * MIB), "b/": b""}), sdist_with({"a": bytes(3 * MIB), "b": b""})):
        path = tmp_path / name
        path.write_bytes(content)
        assert passed(path) == ScanResult(count=1)
