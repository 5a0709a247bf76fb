"""Whatever an index serves under the name of a file, the checks that open it name the cause; none of them crashes."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable
from functools import cache

import pytest

from release.checks import previous_release, reproducibility
from release.checks.engine import run
from release.core.facts import BuiltFile, BuiltFiles, FilenameConflict, PreviousRelease
from release.core.models.check_result import CheckState, Outcome
from release.core.models.index import PYPI
from tests.acceptance.making import NOW, SDIST, WHEEL, metadata, sdist, wheel


@cache
def bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("a.py", bytes(80 << 20))
    return stream.getvalue()


def encrypted() -> bytes:
    """A wheel whose members are marked as encrypted."""
    data = bytearray(wheel())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(mark, at + 4)
    return bytes(data)


def unknown_compression() -> bytes:
    data = bytearray(wheel())
    at = data.rfind(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 10, 99)
    return bytes(data)


def hostile_tar(size: bytes, kind: bytes = tarfile.REGTYPE, *, more: int = 0) -> bytes:
    info = tarfile.TarInfo("a" * 30)
    info.type = kind
    header = bytearray(info.tobuf())
    header[124:136] = size.ljust(12, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return gzip.compress(bytes(header) + b"1" * 512 + bytes(more), compresslevel=1)


def long_header() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo("a")
        info.type, info.size = tarfile.XHDTYPE, 1 << 20
        archive.addfile(info, io.BytesIO(b"1" * info.size))
    return gzip.compress(stream.getvalue())


#: what an index serves → the bytes under the name of a wheel, and of an sdist; the words for it
SERVED: dict[str, tuple[Callable[[], bytes], Callable[[], bytes], str]] = {
    "no archive": (lambda: b"other bytes", lambda: b"other bytes", "is no readable"),
    "nothing": (lambda: b"", lambda: b"", "is empty"),
    "a web page": (lambda: b"\n<!DOCTYPE html><p>", lambda: b"<html><form>", "is a web page"),
    "half of it": (lambda: wheel()[:-40], lambda: sdist()[:-40], "is no readable"),
    "a bomb": (bomb, lambda: hostile_tar(b"00600000000", more=80 << 20), "unpacks to far more than its size"),
    "encrypted, or a negative size": (encrypted, lambda: hostile_tar(b"-0000000001"), "different contents: "),
    "an unknown method, or an endless member": (
        unknown_compression,
        lambda: hostile_tar(b"\x80" + b"\xff" * 11),
        "is no readable",
    ),
    "an unknown method, or a hostile map": (
        unknown_compression,
        lambda: hostile_tar(b"00000001000", tarfile.GNUTYPE_SPARSE),
        "different contents",
    ),
    "an unknown method, or a long header": (unknown_compression, long_header, "is no readable"),
    "another project": (
        lambda: wheel(metadata(name="other")),
        lambda: sdist(metadata(name="other")),
        "different contents",
    ),
}


def file(name: str, content: bytes) -> BuiltFile:
    digest = hashlib.sha256(content).hexdigest()
    return BuiltFile(filename=name, size=len(content), sha256=digest, open=lambda: io.BytesIO(content))


def on_pypi(name: str, content: bytes | None) -> tuple[BuiltFile, Outcome]:
    ours = file(name, wheel() if name == WHEEL else sdist())
    there = file(name, content or b"")
    conflict = FilenameConflict(
        index=PYPI, on_dry_run_index=False, filename=name, file=there,
        sha256=there.sha256 if content is not None else None,
    )  # fmt: skip
    (outcome,) = run(
        reproducibility.OF_INDEXES, BuiltFiles(project=None, files=(ours,), now=NOW, conflicts=(conflict,))
    )
    return ours, outcome


@pytest.mark.parametrize(
    ("name", "made", "words"),
    [
        pytest.param(WHEEL if at == 0 else SDIST, one[at], one[2], id=f"{('wheel', 'sdist')[at]}: {served}")
        for served, one in SERVED.items()
        for at in (0, 1)
    ],
)
def test_other_bytes_are_named_with_both_hashes(name: str, made: Callable[[], bytes], words: str) -> None:
    content = made()
    ours, outcome = on_pypi(name, content)
    assert outcome.state is CheckState.FAILED
    (finding,) = outcome.findings
    assert finding.cause == "file.exists-different"
    assert f"its SHA-256 is {hashlib.sha256(content).hexdigest()}, ours is {ours.sha256}; " in finding.message
    assert words in finding.message
    assert finding.remedy.startswith("bump the version")


@pytest.mark.parametrize("made", [one[0] for one in SERVED.values()], ids=list(SERVED))
def test_the_previous_release_can_be_anything(made: Callable[[], bytes]) -> None:
    before = PreviousRelease(version="0.9", files=(file("acme_widget-0.9-py3-none-any.whl", made()),))
    facts = BuiltFiles(project=None, files=(file(WHEEL, wheel()),), now=NOW, previous=before)
    assert CheckState.CRASHED not in {outcome.state for outcome in run(previous_release.CHECKS, facts)}


def test_a_file_without_a_hash_is_unknown() -> None:
    ours, outcome = on_pypi(WHEEL, None)
    assert outcome.state is CheckState.UNKNOWN
    assert outcome.cause == "post.no-strong-hash"
    assert str(ours.sha256) in outcome.reason
