"""Objects that are read from packs are those that git returns; what cannot be read is left to git."""

from __future__ import annotations

import hashlib
import os
import random
import struct
import subprocess
import zlib
from array import array
from pathlib import Path

import pytest

from release.adapters.git import packs
from release.adapters.git.deltas import PackError
from release.adapters.git.packs import Pack, PackedObject

_ENV = os.environ | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(where: Path, *words: str, given: bytes = b"") -> bytes:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "gc.auto=0")
    done = subprocess.run(["git", *identity, *words], cwd=where, input=given, check=True, capture_output=True, env=_ENV)
    return done.stdout


def lines(chance: random.Random, count: int) -> list[bytes]:
    return [b"%d %s\n" % (at, chance.randbytes(20).hex().encode()) for at in range(count)]


def repository(where: Path, *options: str, versions: int = 12, form: str = "sha1") -> Path:
    """Create a repository with many versions of three files in one pack; returns its index."""
    chance = random.Random(1)  # noqa: S311 - the same each time
    git(where, "init", "-q", f"--object-format={form}")
    files = {name: lines(chance, 300) for name in ("a", "b", "c")}
    stream = b""
    for number in range(versions):
        stream += b"commit refs/heads/main\ncommitter A <a@example.org> %d +0000\ndata 1\nx\n" % (10**9 + number)
        for name, text in files.items():
            text[chance.randrange(len(text))] = b"changed %d\n" % chance.randrange(10**9)
            data = b"".join(text)
            stream += b"M 100644 inline %s\ndata %d\n%s\n" % (name.encode(), len(data), data)
    git(where, "fast-import", "--quiet", given=stream)
    git(where, *options, "repack", "-adfq")
    (index,) = (where / ".git/objects/pack").glob("*.idx")
    return index


def read(pack: Pack, first: int = 0, last: int | None = None) -> dict[str, tuple[str, bytes]]:
    found = list(pack.read(first, len(pack.index) if last is None else last))
    return {pack.index.name(one.number): (one.type, one.data) for one in found if isinstance(one, PackedObject)}


def from_git(where: Path, names: list[str]) -> dict[str, tuple[str, bytes]]:
    output = git(where, "cat-file", "--batch", given="".join(f"{name}\n" for name in names).encode())
    found, at = {}, 0
    while at < len(output):
        end = output.index(b"\n", at)
        name, kind, size = output[at:end].decode().split()
        found[name] = kind, output[end + 1 : end + 1 + int(size)]
        at = end + int(size) + 2
    return found


@pytest.mark.parametrize(
    ("options", "form"),
    [
        ((), "sha1"),
        (("-c", "repack.useDeltaBaseOffset=false"), "sha1"),
        ((), "sha256"),
        (("-c", "pack.depth=1"), "sha1"),
    ],
)
def test_every_object_is_that_of_git(tmp_path: Path, options: tuple[str, ...], form: str) -> None:
    pack = Pack(repository(tmp_path, *options, form=form), 32 if form == "sha256" else 20)
    names = sorted(pack.index.names())
    assert len(names) == 12 * 5
    assert read(pack) == from_git(tmp_path, names)
    assert any(one.base >= 0 for one in pack.read(0, len(names)) if isinstance(one, PackedObject))
    for first in range(0, len(names), 17):
        part = [pack.index.name(number) for number in pack.order[first : first + 17]]
        assert read(pack, first, first + 17) == from_git(tmp_path, part)


def test_an_object_comes_after_the_one_that_it_is_a_delta_of(tmp_path: Path) -> None:
    pack = Pack(repository(tmp_path), 20)
    places = {number: place for place, number in enumerate(pack.order)}
    deltas = [one for one in pack.read(0, len(pack.index)) if isinstance(one, PackedObject) and one.base >= 0]
    assert deltas
    assert all(places[one.base] < places[one.number] for one in deltas)


def test_what_is_no_longer_kept_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "_CACHE_SIZE", 0)
    pack = Pack(repository(tmp_path), 20)
    assert read(pack) == from_git(tmp_path, list(pack.index.names()))
    monkeypatch.setattr(packs, "_DEEPEST", 1)
    assert 0 < len(read(pack)) < len(pack.index)


def test_an_object_is_kept_as_long_as_another_is_a_delta_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = packs._Kept()
    monkeypatch.setattr(packs, "_Kept", lambda: kept)
    pack = Pack(repository(tmp_path), 20)
    unpacked, sizes, unpack = list[int](), list[int](), Pack._unpacked

    def counted(pack: Pack, number: int, most: int) -> bytes:
        unpacked.append(number)
        return unpack(pack, number, most)

    monkeypatch.setattr(Pack, "_unpacked", counted)
    for _ in pack.read(0, len(pack.index)):
        sizes.append(kept._size)
    assert sorted(unpacked) == list(range(len(pack.index)))  # each once
    assert max(sizes) > 0
    assert (kept._size, kept._objects) == (0, {})


def test_large_objects_and_large_deltas_are_left_to_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack = Pack(repository(tmp_path), 20)
    monkeypatch.setattr(packs, "LARGEST_OBJECT", 5000)
    assert not any(kind == "blob" for kind, _ in read(pack).values())
    monkeypatch.setattr(packs, "_LARGEST_DELTA", 1)
    assert all(isinstance(one, int) or one.base < 0 for one in pack.read(0, len(pack.index)))


def damage(path: Path, at: int, byte: int) -> None:
    path.chmod(0o644)
    with path.open("r+b") as stream:
        stream.seek(at)
        stream.write(bytes([byte]))


def test_no_damage_is_read_as_an_object(tmp_path: Path) -> None:
    index = repository(tmp_path)
    sound = read(Pack(index, 20))
    path = index.with_suffix(".pack")
    content = path.read_bytes()
    path.chmod(0o644)
    chance = random.Random(3)  # noqa: S311 - the same each time
    for _ in range(60):
        at = chance.randrange(12, len(content) - 20)
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :])
        found = read(Pack(index, 20))
        wrong = [name for name, one in found.items() if one != sound[name]]
        # A reference to another object has no checksum: git does not notice that either.
        assert not wrong or from_git_fails_or_agrees(tmp_path, found, wrong)


def from_git_fails_or_agrees(where: Path, found: dict[str, tuple[str, bytes]], names: list[str]) -> bool:
    try:
        return from_git(where, names) == {name: found[name] for name in names}
    except (subprocess.CalledProcessError, ValueError):
        return True


def written(where: Path, *objects: tuple[int, bytes]) -> Path:
    """Write a pack of objects, each with the number of its type, and its index; returns the index."""
    pack, offsets = b"PACK" + struct.pack(">II", 2, len(objects)), list[int]()
    for kind, data in objects:
        offsets.append(len(pack))
        assert len(data) < 16
        pack += bytes([kind << 4 | len(data)]) + zlib.compress(data)
    checksum = hashlib.sha1(pack, usedforsecurity=False).digest()
    counts = [min(first + 1, len(objects)) for first in range(256)]
    index = b"\xfftOc" + struct.pack(">257I", 2, *counts)
    index += b"".join(bytes([number] * 20) for number in range(len(objects))) + bytes(4 * len(objects))
    path = where / "pack.idx"
    path.write_bytes(index + struct.pack(f">{len(offsets)}I", *offsets) + checksum + bytes(20))
    path.with_suffix(".pack").write_bytes(pack + checksum)
    return path


def test_an_object_of_an_unknown_type_is_no_delta_of_another(tmp_path: Path) -> None:
    base = b"x" * 10
    delta = bytes([10, 10, 0x90, 10])  # of the last object but one: all its bytes
    pack = Pack(written(tmp_path, (5, delta), (3, base), (3, b"y")), 20)
    assert [one if isinstance(one, int) else one.data for one in pack.read(0, 3)] == [0, base, b"y"]


@pytest.mark.parametrize(("at", "value"), [(8 + 4 * 5 + 3, 0), (8 + 4 * 256, 0x55), (8 + 4 * 256 + 20, 0)])
def test_an_index_in_which_git_does_not_find_every_object_is_left_to_git(tmp_path: Path, at: int, value: int) -> None:
    index = written(tmp_path, *[(3, b"%d" % number) for number in range(6)])
    Pack(index, 20)
    damage(index, at, value)
    with pytest.raises(PackError):
        Pack(index, 20)


def test_no_damage_of_an_index_hides_an_object(tmp_path: Path) -> None:
    index = repository(tmp_path, versions=4)
    content, chance = index.read_bytes(), random.Random(4)  # noqa: S311 - the same each time
    sound = read(Pack(index, 20))
    index.chmod(0o644)
    opened = 0
    for _ in range(60):
        at = chance.randrange(len(content))
        index.write_bytes(content[:at] + bytes([content[at] ^ 1 << chance.randrange(8)]) + content[at + 1 :])
        try:
            pack = Pack(index, 20)
        except PackError:
            continue
        opened += 1
        found = list(pack.read(0, len(pack.index)))
        assert sorted(one if isinstance(one, int) else one.number for one in found) == list(range(len(sound)))
        seen = {one.data for one in found if isinstance(one, PackedObject)}
        # What cannot be read here is left to git, as are the deltas of it.
        assert seen <= {data for _, data in sound.values()}
        assert len(seen) == len(sound) or any(isinstance(one, int) for one in found)
    assert opened > 5


def test_deltas_of_each_other_end() -> None:
    assert list(packs._Families(array("q", [1, 0, -1, 2])).order()) == [2, 3, 0, 1]


@pytest.mark.parametrize("at", [0, 7, 11, -1])
def test_a_pack_that_is_not_that_of_its_index_is_left_to_git(tmp_path: Path, at: int) -> None:
    index = repository(tmp_path, versions=1)
    path = index.with_suffix(".pack")
    damage(path, at % path.stat().st_size, 0xEE)
    with pytest.raises(PackError):
        Pack(index, 20)


@pytest.mark.parametrize("size", [0, 7, 100, 1100, -1])
def test_a_truncated_index_or_pack_is_left_to_git(tmp_path: Path, size: int) -> None:
    index = repository(tmp_path, versions=1)
    content, packed = index.read_bytes(), index.with_suffix(".pack").read_bytes()
    index.chmod(0o644)
    index.write_bytes(content[:size])
    with pytest.raises(PackError):
        Pack(index, 20)
    index.write_bytes(content)
    index.with_suffix(".pack").chmod(0o644)
    index.with_suffix(".pack").write_bytes(packed[:size])
    with pytest.raises(PackError):
        Pack(index, 20)


def test_an_index_of_the_first_version_is_left_to_git(tmp_path: Path) -> None:
    index = repository(tmp_path, "-c", "pack.indexVersion=1", versions=1)
    with pytest.raises(PackError):
        Pack(index, 20)
