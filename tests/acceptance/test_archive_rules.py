"""Archives that the index does not take, each beside a neighbour that it takes."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.acceptance import tar_reader
from release.acceptance.file_rules import FILE
from release.acceptance.rule import first_refusal
from release.acceptance.zip_framing import framing_fault
from release.acceptance.zip_reader import ZipContents, open_zip
from tests.acceptance.making import (
    NOTHING,
    SDIST,
    SITE,
    WHEEL,
    metadata,
    sdist,
    tarred,
    upload,
    wheel,
    wheel_members,
    zipped,
)

DIST = "acme_widget-1.0.dist-info"
TOP = "acme_widget-1.0"


def answer(content: bytes, filename: str = WHEEL) -> str | None:
    refusal = first_refusal(FILE, upload(content, filename), NOTHING)
    return None if refusal is None else f"{refusal.status} {refusal.text.removeprefix('Invalid distribution file. ')}"


def without(*names: str) -> bytes:
    return zipped({name: data for name, data in wheel_members().items() if name not in names})


def having(**members: bytes) -> bytes:
    return zipped(wheel_members() | {f"{DIST}/{name.replace('_txt', '.txt')}": data for name, data in members.items()})


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"no zip", "File is not a zipfile"),
        (b"", "File is not a zipfile"),
        (wheel()[: len(wheel()) // 2], "File is not a zipfile"),
        (without(f"{DIST}/WHEEL"), f"WHEEL not found at {DIST}/WHEEL"),
        (
            without(f"{DIST}/METADATA"),
            f"Wheel '{WHEEL}' does not contain the required METADATA file: {DIST}/METADATA",
        ),
        (without(f"{DIST}/RECORD"), f"Wheel '{WHEEL}' does not contain the required RECORD file: {DIST}/RECORD"),
        (having(RECORD=b"\xff"), f"Wheel '{WHEEL}' does not contain the required RECORD file: {DIST}/RECORD"),
        (zipped(wheel_members(), zipfile.ZIP_BZIP2), "File does not use a supported compression type"),
        (
            zipped(wheel_members() | {"a.py": b"pyarmor".join((b"__", b"__(__name__, __file__, b'')"))}),
            f"PyArmor-encrypted content is not allowed. See {SITE}/policy/acceptable-use-policy/ for more information.",
        ),
        (
            zipped(wheel_members() | {"a.pye": b"PYE".join((b"---BEGIN ", b" FILE---\n---END ", b" FILE---"))}),
            (
                f"SourceDefender-encrypted content is not allowed. See {SITE}/policy/acceptable-use-policy/ "
                "for more information."
            ),
        ),
    ],
)
def test_a_wheel_that_is_not_taken(content: bytes, text: str) -> None:
    """Words are the server's."""
    assert answer(content) == f"400 {text}"


@pytest.mark.parametrize(
    "entry_points",
    [b"\xff", b"[console_scripts]\nfoo:main\n", b"[console_scripts]\nfoo bar = a:b\n", b"[gui_scripts]\n../x = a:b\n",
     b"[console_scripts]\na = b:c\na = b:d\n", b"a = b:c\n"],
)  # fmt: skip
def test_entry_points_that_are_not_taken(entry_points: bytes) -> None:
    """Not UTF-8, no INI file, or a script with a path or a blank in its name."""
    text = f"Wheel '{WHEEL}' has invalid entry points defined in the entry_points.txt file"
    assert answer(having(entry_points_txt=entry_points)) == f"400 {text}"


@pytest.mark.parametrize(
    "entry_points",
    [b"", b"[console_scripts]\nFoo.bar-1_2 = a:b [x,y]\n# note\n", b"[other]\n/foo/ = a\n", "[x]\nä=b\n".encode()],
)
def test_entry_points_that_are_taken(entry_points: bytes) -> None:
    """Only the names of scripts are looked at."""
    assert answer(having(entry_points_txt=entry_points)) is None


def test_a_blank_line_in_record_breaks_the_server() -> None:
    """An empty row has no first column; the server does not expect that."""
    record = wheel_members()[f"{DIST}/RECORD"]
    assert answer(having(RECORD=record + b"\n")) == "500 Internal Server Error"
    assert answer(having(RECORD=b"unlisted,,\n")) is None


def damage(content: bytes, name: str) -> bytes:
    """Change one byte of a stored member."""
    at = content.index(name.encode()) + len(name)
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("acme_widget.py", "400 None"),
        (f"{DIST}/WHEEL", "400 None"),
        (f"{DIST}/METADATA", "500 Internal Server Error"),
        (f"{DIST}/RECORD", "500 Internal Server Error"),
    ],
)
def test_a_damaged_member(name: str, text: str) -> None:
    """Code and WHEEL are read inside the server's own guard, the rest outside it."""
    stored = zipped(wheel_members(), zipfile.ZIP_STORED)
    assert answer(stored) is None
    assert answer(damage(stored, name)) == text


def test_a_zip_bomb_is_refused_and_a_large_file_is_not() -> None:
    """More than 64 MiB unpacked, and more than fifty times the size."""
    limit = 64 * 1024 * 1024
    members = wheel_members()
    assert answer(zipped(members | {"data": bytes(limit + 1)})) == "400 File exceeds compression ratio of 50"
    small = limit - sum(map(len, members.values()))
    assert answer(zipped(members | {"data": bytes(small)})) is None


def sparse() -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo(f"{TOP}/hole")
        info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,1"}
        info.pax_headers["GNU.sparse.size"] = "1"
        info.size = 1
        archive.addfile(info, io.BytesIO(b"x"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"no tar", "File is not a tarfile"),
        (b"", "File is not a tarfile"),
        (bz2.compress(gzip.decompress(sdist())), "None"),
        (gzip.decompress(sdist()), "None"),
        (tarred({f"{TOP}/setup.py": b""}), f"PKG-INFO not found at {TOP}/setup.py/PKG-INFO"),
        (tarred({f"{TOP}/a": b"", f"{TOP}/b": b""}), f"PKG-INFO not found at {TOP}/PKG-INFO"),
        (tarred({f"./{TOP}/PKG-INFO": b"", f"./{TOP}/b": b""}), f"PKG-INFO not found at {TOP}/PKG-INFO"),
        (tarred({"a/PKG-INFO": b"", "b/PKG-INFO": b""}), "Incorrect number of top-level directories in sdist"),
        (
            sparse(),
            (
                "tar archive not accepted: Sparse members are not allowed. See https://docs.pypi.org/archives "
                "for more information"
            ),
        ),
        (
            tarred({f"{TOP}/PKG-INFO": metadata(), f"{TOP}/a.py": b"pyarmor".join((b"__", b"_enter__"))}),
            f"PyArmor-encrypted content is not allowed. See {SITE}/policy/acceptable-use-policy/ for more information.",
        ),
    ],
)
def test_an_sdist_that_is_not_taken(content: bytes, text: str) -> None:
    """Words are the server's."""
    assert answer(content, SDIST) == f"400 {text}"


def test_an_sdist_that_ends_too_early() -> None:
    """A stream that breaks off amid a member is refused without words."""
    noise = bytes(hash((n, "noise")) & 0xFF for n in range(50_000))
    whole = tarred({f"{TOP}/PKG-INFO": metadata(), f"{TOP}/data": noise})
    assert answer(whole, SDIST) is None
    assert answer(whole[: len(whole) // 2], SDIST) == "400 None"


def test_a_mix_of_absolute_and_relative_paths_breaks_the_server() -> None:
    """There is no common path, and the library says so with an exception."""
    assert answer(tarred({"/a": b"", "b": b""}), SDIST) == "500 Internal Server Error"


def test_a_file_that_is_zip_and_tar_at_once() -> None:
    """Two readers would see two things."""
    both = gzip.decompress(sdist()) + zipped(wheel_members())
    assert answer(both) == "400 File is both a zip and a tar file"


def test_a_tar_bomb_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """What unpacks to far more than its size is refused as the server would: by breaking off."""
    monkeypatch.setattr(tar_reader, "UNPACKED", 1024 * 1024)
    content = tarred({f"{TOP}/PKG-INFO": metadata(), f"{TOP}/zeros": bytes(8 * 1024 * 1024)})
    assert answer(content, SDIST) == "500 Internal Server Error"
    monkeypatch.setattr(tar_reader, "UNPACKED", 16 * 1024 * 1024)
    assert answer(content, SDIST) is None


def test_too_many_members_end_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers alone can fill the memory."""
    monkeypatch.setattr(tar_reader, "MEMBERS", 2)
    assert answer(sdist(), SDIST) is None
    assert answer(tarred({f"{TOP}/PKG-INFO": b"", f"{TOP}/a": b"", f"{TOP}/b": b""}), SDIST) == (
        "500 Internal Server Error"
    )


def fault(content: bytes) -> str | None:
    archive = open_zip(io.BytesIO(content))
    assert isinstance(archive, ZipContents)
    return framing_fault(io.BytesIO(content), archive.members)


def stored_zip(*, local_extra: bytes = b"", flags: int = 0, local_name: bytes = b"a", **odd: int) -> bytes:
    """A zip of one stored member `a`, with one thing that is odd."""
    data, crc = b"data", zlib.crc32(b"data")
    local = struct.pack(
        "<4s5H3L2H", b"PK\x03\x04", 20, flags, 0, 0, 33, crc, odd.get("packed", 4), odd.get("unpacked", 4),
        len(local_name), len(local_extra),
    ) + local_name + local_extra + data  # fmt: skip
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, crc, 4, 4, 1, 0, 0, 0, 0, 0, 0) + b"a"
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, odd.get("here", 1), odd.get("entries", 1), len(entry), len(local), 0
    )
    return local + entry + end


def field(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (stored_zip(flags=0x08), "ZIP contains a data descriptor"),
        (stored_zip(local_name=b"b"), "Filename not in central directory"),
        (stored_zip(local_name=b"\xff"), "Filename not unicode"),
        (stored_zip(local_name=b"a\n"), "Invalid character in filename"),
        (stored_zip(packed=5), "Mis-matched data size"),
        (stored_zip(unpacked=5), "Mis-matched file size"),
        (stored_zip(here=0), "Malformed zip file"),
        (stored_zip(here=2, entries=2), "Mismatched central directory records"),
        (stored_zip(local_extra=b"\1"), "Malformed zip file"),
        (stored_zip(local_extra=b"\1\0\xff\0"), "Malformed zip file"),
        (stored_zip(local_extra=field(1, b"") * 2), "Invalid duplicate extra in local file"),
        (stored_zip(local_extra=field(1, b"123")), "Malformed zip file"),
        (stored_zip(local_extra=field(1, b""), packed=0xFFFFFFFF), "Malformed zip file"),
        (stored_zip(local_extra=field(0x7075, b"\1crc!\xff")), "Filename not valid UTF-8"),
        (stored_zip(local_extra=field(0x7075, b"\1crc!a\0")), "Invalid character in filename"),
        (stored_zip() + b"x", "Trailing data"),
        (b"junk" + stored_zip(), "Unknown record signature"),
    ],
)
def test_framing_that_is_not_taken(content: bytes, reason: str) -> None:
    """Each reason by which a streaming reader and a reader of the directory could differ."""
    if content.endswith(b"x"):  # what follows the end record without being its comment hides it from `open_zip`
        archive = open_zip(io.BytesIO(content[:-1]))
        assert isinstance(archive, ZipContents)
        assert framing_fault(io.BytesIO(content), archive.members) == reason
    else:
        assert fault(content) == reason


@pytest.mark.parametrize(
    "content",
    [
        stored_zip(),
        stored_zip(local_extra=field(0x5455, b"12345") * 2),
        stored_zip(local_extra=field(1, struct.pack("<Q", 4)), packed=0xFFFFFFFF, unpacked=0xFFFFFFFF),
        stored_zip(local_extra=field(1, struct.pack("<QQ", 4, 4)), packed=0xFFFFFFFF, unpacked=0xFFFFFFFF),
        stored_zip(local_extra=field(0x7075, b"\1crc!a")),
        zipped({}),
        wheel(),
    ],
)
def test_framing_that_is_taken(content: bytes) -> None:
    """The valid neighbours, zip64 sizes among them."""
    assert fault(content) is None


def test_a_zip_with_a_name_twice_is_refused() -> None:
    """Which of the two counts would depend on the reader."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", b"one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a", b"two")
    assert fault(buffer.getvalue()) == "Duplicate filename in local headers"


def test_a_streamed_zip_is_refused() -> None:
    """Python writes data descriptors where it can't seek."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def tell(self) -> int:
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w") as archive:
        archive.writestr("a", b"one")
    assert fault(pipe.getvalue()) == "ZIP contains a data descriptor"


def test_a_comment_on_a_member_is_refused_and_one_on_the_archive_is_not() -> None:
    """A comment can hide another archive."""
    for on_member in (True, False):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            info = zipfile.ZipInfo("a")
            info.comment = b"note" * on_member
            archive.writestr(info, b"one")
            archive.comment = b"note" * (not on_member)
        assert fault(buffer.getvalue()) == ("Comment in central directory" if on_member else None)


def test_an_end_record_that_lies_is_no_zip_and_a_huge_directory_is_not_read() -> None:
    """The size of the directory is believed only as far as the file reaches, and where an entry starts there."""
    content = bytearray(wheel())
    struct.pack_into("<L", content, content.rindex(b"PK\x05\x06") + 12, 0x7FFFFFFF)
    assert answer(bytes(content)) == "400 File is not a zipfile"
    size = 11 * 1024 * 1024
    content = bytearray(b"x" * size + wheel())
    end = content.rindex(b"PK\x05\x06")
    struct.pack_into("<L", content, end + 12, size)
    assert answer(bytes(content)) == "400 File is not a zipfile"
    content[end - size : end - size + 4] = b"PK\x01\x02"
    assert answer(bytes(content)) == "500 Internal Server Error"


def test_the_reason_is_in_the_servers_sentence() -> None:
    """The framing is the last thing looked at in an archive."""
    content = wheel()
    commented = content[:-2] + b"\1\0x"
    assert answer(commented) is None
    text = "ZIP archive not accepted: Unknown record signature. See https://docs.pypi.org/archives for more information"
    assert answer(b"junk" + content) == f"400 {text}"


@settings(max_examples=60)
@given(st.data(), st.sampled_from([WHEEL, SDIST]))
def test_no_damaged_archive_breaks_the_rules(data: st.DataObject, filename: str) -> None:
    """Whatever bytes are changed, cut off or repeated, there is an answer."""
    content = bytearray(wheel() if filename == WHEEL else sdist())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    answer(bytes(content), filename)
    if filename == SDIST:
        tar = bytearray(gzip.decompress(sdist()))
        at = data.draw(st.integers(0, 1023))
        tar[at : at + 1] = data.draw(st.binary(min_size=1, max_size=1))
        answer(gzip.compress(bytes(tar)), SDIST)
