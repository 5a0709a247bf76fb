"""Odd archives on which versions of Python disagree, each beside a neighbour that is as it should be.

The answers are those of CPython 3.14.10, 2026-11.
"""

from __future__ import annotations

import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib

import pytest

from release.acceptance.file_rules import FILE
from release.acceptance.gzip_stream import GzipStream
from release.acceptance.rule import first_refusal
from release.acceptance.tar_reader import TarContents, read_tar
from release.acceptance.zip_reader import ZipContents, open_zip
from tests.acceptance.making import NOTHING, SDIST, WHEEL, metadata, sdist, upload, wheel, zipped

TOP = "acme_widget-1.0"
NO_ZIP, NO_TAR = "400 File is not a zipfile", "400 File is not a tarfile"
ERROR = "500 Internal Server Error"


def answer(content: bytes, filename: str = WHEEL) -> str | None:
    refusal = first_refusal(FILE, upload(content, filename), NOTHING)
    return None if refusal is None else f"{refusal.status} {refusal.text.removeprefix('Invalid distribution file. ')}"


@pytest.mark.parametrize(("disk", "of_directory", "text"), [(0, 0, None), (1, 0, NO_ZIP), (0, 1, NO_ZIP), (1, 1, None)])
def test_the_disks_of_an_end_record(disk: int, of_directory: int, text: str | None) -> None:
    """The directory must be on the disk of its end record, whichever that is."""
    content = bytearray(wheel())
    struct.pack_into("<2H", content, content.rindex(b"PK\x05\x06") + 4, disk, of_directory)
    assert answer(bytes(content)) == text


def with_extra(extra: bytes, name: str = "a.txt") -> bytes:
    """A wheel with one member more, which has an extra field in both of its headers."""
    buffer = io.BytesIO(wheel())
    with zipfile.ZipFile(buffer, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.extra = extra
        archive.writestr(info, b"")
    return buffer.getvalue()


def path_field(data: bytes) -> bytes:
    return struct.pack("<HH", 0x7075, len(data)) + data


CHECKSUM = struct.pack("<BL", 1, zlib.crc32(b"a.txt"))


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        (path_field(b"\1"), "400 None"),
        (path_field(b"\1crc"), "400 None"),
        (path_field(CHECKSUM + b"\xff"), "400 None"),
        (path_field(CHECKSUM + b"a.txt"), None),
        (path_field(CHECKSUM), None),
        (struct.pack("<HHB", 0x5455, 1, 1), None),
        (struct.pack("<HH", 1, 0), None),
    ],
)
def test_an_extra_field_that_is_cut(extra: bytes, text: str | None) -> None:
    """A path needs its version and checksum; the data of unknown fields may be anything."""
    assert answer(with_extra(extra)) == text


def test_a_path_in_an_extra_field_replaces_the_name() -> None:
    """If the checksum is that of the name, and a path follows it."""
    for data, name in ((CHECKSUM + b"b.txt", "b.txt"), (CHECKSUM, "a.txt"), (b"\1crc!b.txt", "a.txt")):
        archive = open_zip(io.BytesIO(with_extra(path_field(data))))
        assert isinstance(archive, ZipContents)
        assert (archive.names[-1], archive.members[-1].original_name) == (name, "a.txt")


@pytest.mark.parametrize("name", ["", "acme_widget/", "caf\xe9"])
def test_an_odd_name_is_accepted(name: str) -> None:
    """The library of 3.11 breaks on the empty one."""
    assert answer(with_extra(b"", name)) is None


@pytest.mark.parametrize("method", [9, 12, 14, 93, 95])
def test_only_stored_and_deflated_members_are_accepted(method: int) -> None:
    """The library of 3.14 reads Zstandard (93), the index accepts none of these."""
    content = bytearray(wheel())
    for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        struct.pack_into("<H", content, content.index(signature) + at, method)
    assert answer(bytes(content)) == "400 File does not use a supported compression type"


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compressions_can_be_read(compression: int) -> None:
    """Their metadata are shown beside the refusal."""
    buffer, data = io.BytesIO(), bytes(2 * 1024 * 1024) + b"end"
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.writestr("a", data)
        archive.writestr("b", b"")
    opened = open_zip(buffer)
    assert isinstance(opened, ZipContents)
    assert (opened.read("a"), opened.read("b")) == (data, b"")


def test_a_broken_deflate_stream_breaks_the_server() -> None:
    """The server expects a wrong checksum, but no broken stream: in code, in WHEEL, and behind the declared size."""
    for name in ("acme_widget.py", f"{TOP}.dist-info/WHEEL"):
        content = bytearray(wheel())
        at = content.index(name.encode()) + len(name)
        content[at] |= 0b110  # the kind of the first block is one that does not exist
        assert answer(bytes(content)) == ERROR
    short = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    start = short.compress(b"x = 1\n") + short.flush(zlib.Z_FULL_FLUSH)
    for rest, text in ((b"\x07", ERROR), (b"\x03\0", None)):
        assert answer(wheel_with(start + rest, b"x = 1\n")) == text


def wheel_with(packed: bytes, data: bytes) -> bytes:
    """A wheel with one member of code more, whose packed bytes are given."""
    buffer = io.BytesIO(wheel())
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr(zipfile.ZipInfo("b.py"), packed)
    content, size = bytearray(buffer.getvalue()), struct.pack("<3L", zlib.crc32(data), len(packed), len(data))
    for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        start = content.rindex(signature)
        struct.pack_into("<H", content, start + at, zipfile.ZIP_DEFLATED)
        content[start + at + 6 : start + at + 18] = size
    return bytes(content)


def member(name: str, data: bytes = b"", kind: bytes = b"0", **fields: tuple[int, bytes]) -> bytes:
    """The header of a tar member, some of its fields replaced, and its data."""
    info = tarfile.TarInfo(name)
    info.size, info.type = len(data), kind
    header = bytearray(info.tobuf(tarfile.USTAR_FORMAT))
    for at, field in fields.values():
        header[at : at + len(field)] = field
    header[148:156] = b" " * 8
    header[148:156] = f"{sum(header):06o}\0 ".encode()
    return bytes(header) + data + bytes(-len(data) % 512)


def record(keyword: str, value: str) -> bytes:
    size = len(keyword) + len(value) + 3
    return f"{size + len(str(size + len(str(size))))} {keyword}={value}\n".encode()


def packed(*members: bytes, end: bytes = bytes(1024)) -> bytes:
    return gzip.compress(b"".join(members) + end)


INFO, CODE = member(f"{TOP}/PKG-INFO", metadata()), member(f"{TOP}/a.py", b"x = 1\n")
NO_INFO = f"400 PKG-INFO not found at {TOP}/a.py/PKG-INFO"
ALONE = f"400 PKG-INFO not found at {TOP}/PKG-INFO/PKG-INFO"


@pytest.mark.parametrize("kind", [b"x", b"g", b"X"])
@pytest.mark.parametrize("records", [b"garbage", b"9 path=aX", b"4 x\n", b"99 path=a\n", b"-9 path=a\n"])
def test_a_pax_header_that_does_not_parse(kind: bytes, records: bytes) -> None:
    """As the first header it makes the file no tar; later, it ends the archive."""
    pax = member("pax", records, kind)
    assert answer(packed(pax, INFO, CODE), SDIST) == NO_TAR
    assert answer(packed(INFO, pax, CODE), SDIST) == ALONE
    assert answer(packed(INFO, CODE, pax, member("b")), SDIST) is None
    assert answer(packed(member("pax", record("comment", "x"), kind), INFO, CODE), SDIST) is None


@pytest.mark.parametrize(
    ("size", "first", "later"),
    [("-5", ERROR, ALONE), ("99999999999999999999", ERROR, ERROR), ("x", NO_INFO, None), ("6", None, None)],
)
def test_the_size_in_a_pax_record(size: str, first: str | None, later: str | None) -> None:
    """A negative one ends the archive, one too large for a position breaks the server, what is no number counts as 0.

    Where it counts as 0, the next header is expected where the data are, and the archive ends.
    """
    pax = member("pax", record("size", size), b"x")
    assert answer(packed(pax, CODE, INFO), SDIST) == first
    assert answer(packed(INFO, pax, CODE, member(f"{TOP}/b")), SDIST) == later


def test_a_global_size_does_not_move_the_headers() -> None:
    """Code is then read as far as the record says, behind its end."""
    for size, text in (("6", None), ("-1", None), ("400", None), ("500000", "400 None")):
        pax = member("pax", record("size", size), b"g")
        assert answer(packed(pax, INFO, CODE), SDIST) == text


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (b"\x80" + bytes(10) + b"\x06", None),
        (b"0o6\0", None),
        (b"     6 \0", None),
        (b"\xff" * 12, ALONE),
        (b"8", ALONE),
        (b"\xe9", ALONE),
        (b"\x80\0\0\0\x80" + bytes(7), ERROR),
        (b"\x80\0\0\0\x7f" + bytes(7), "400 None"),
    ],
)
def test_the_size_in_a_header(field: bytes, text: str | None) -> None:
    """In base 256 it may be negative, or larger than any file."""
    code = member(f"{TOP}/a.py", b"x = 1\n", size=(124, field.ljust(12, b"\0")))
    assert answer(packed(INFO, code), SDIST) == text


@pytest.mark.parametrize(
    ("kind", "data", "found"),
    [
        (b"Z", b"data", [f"{TOP}/odd", f"{TOP}/a.py"]),
        (b"7", b"data", [f"{TOP}/odd", f"{TOP}/a.py"]),
        (b"5", b"", [f"{TOP}/odd", f"{TOP}/a.py"]),
        (b"L", b"long\0", ["long"]),
        (b"K", b"long\0", [f"{TOP}/a.py"]),
        (b"X", record("path", "new/"), ["new"]),
        (b"x", record("path", "new"), ["new"]),
        (b"g", record("path", "new"), ["new"]),
    ],
)
def test_the_types_of_members(kind: bytes, data: bytes, found: list[str]) -> None:
    """Unknown types are members with data; some types describe the next member."""
    contents = read_tar(io.BytesIO(packed(member(f"{TOP}/odd", data, kind), CODE)))
    assert isinstance(contents, TarContents)
    assert contents.names == found


def test_too_many_nested_headers_break_the_server() -> None:
    """The library calls itself for each; some are fine."""
    pax = member("pax", record("comment", "x"), b"x")
    assert answer(packed(INFO, pax * 20, CODE), SDIST) is None
    assert answer(packed(INFO, pax * 1000, CODE), SDIST) == ERROR


def test_a_wrong_checksum_counts_only_if_it_is_read() -> None:
    """The blocks of zeros end the archive before the end of the stream."""
    for end, text in ((bytes(1024), None), (b"", ERROR)):
        content = bytearray(packed(INFO, CODE, end=end))
        content[-8] ^= 1
        assert answer(bytes(content), SDIST) == text


def test_a_stream_of_several_parts() -> None:
    """Zeros may separate gzip streams and follow the last one; other bytes count where they are read."""
    tar = INFO + CODE + bytes(1024)
    for between, text in ((b"", None), (bytes(3), None), (bytes(300_000), None), (b"junk", ERROR)):
        assert answer(gzip.compress(tar[:700]) + between + gzip.compress(tar[700:]), SDIST) == text
    for behind in (b"\0", b"junk", b"\x1f\x8b"):
        assert answer(sdist() + behind, SDIST) is None


def test_a_large_stream_is_the_one_that_gzip_unpacks() -> None:
    """In one go, in odd pieces, and after going back."""
    chance = random.Random(2)  # noqa: S311 - the same bytes in every run
    data = chance.randbytes(300_000) + bytes(400_000) + chance.randbytes(50_000)
    content = gzip.compress(data[:123_456]) + bytes(9) + gzip.compress(data[123_456:])
    stream = GzipStream(io.BytesIO(content), 10 * len(data))
    assert b"".join(iter(lambda: stream.read(chance.choice([1, 512, 131_072, 300_000])), b"")) == data
    for at in (0, 700_000, 131_071, 131_073, 5, len(data)):
        stream.seek(at)
        assert stream.tell() == at
        assert stream.read(70_000) == data[at : at + 70_000]
    stream.seek(10**9)
    assert (stream.tell(), stream.read(1)) == (len(data), b"")


def test_an_empty_archive_breaks_the_server() -> None:
    """No members have no common path."""
    assert answer(packed(), SDIST) == ERROR
    assert answer(packed(INFO, CODE), SDIST) is None


def test_the_parts_of_a_zip_have_each_member_once_in_the_order_of_reading() -> None:
    big = bytes(3 << 20)
    members = {"a.bin": big, "d.py/": b"", "b.py": big, "c.txt": big, "e/": b"", "f.py": b"", "g": big}
    archive = open_zip(io.BytesIO(zipped(members)))
    assert isinstance(archive, ZipContents)
    parts = [[member.filename for member in part] for part in archive.parts]
    assert parts == [["b.py", "f.py", "a.bin"], ["d.py/", "c.txt", "e/", "g"]]
    assert archive.are_sound(archive.members, lambda *_: None)
    assert isinstance(empty := open_zip(io.BytesIO(zipped({}))), ZipContents)
    assert list(empty.parts) == []
