"""Deltas of packs: what they create, what they change, and what is no delta."""

from __future__ import annotations

import random

import pytest

from release.adapters.git.deltas import PackError, apply_delta


def length(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*digits, value])


def copied(offset: int, size: int) -> bytes:
    """The command that copies bytes of the base."""
    bits, digits = 0x80, bytearray()
    for bit, value in enumerate(
        (*offset.to_bytes(4, "little"), *(size % 0x10000 if size == 0x10000 else size).to_bytes(3, "little"))
    ):
        if value:
            bits |= 1 << bit
            digits.append(value)
    return bytes([bits, *digits])


def delta(base: bytes, *commands: bytes | tuple[int, int], size: int | None = None) -> bytes:
    """A delta of `base`: bytes are added, pairs of offset and size are copied."""
    created = sum(one[1] if isinstance(one, tuple) else len(one) for one in commands)
    parts = [copied(*one) if isinstance(one, tuple) else bytes([len(one)]) + one for one in commands]
    return length(len(base)) + length(created if size is None else size) + b"".join(parts)


BASE = random.Random(1).randbytes(100_000)  # noqa: S311 - the same each time


def test_bytes_are_copied_and_added() -> None:
    data, _ = apply_delta(delta(BASE, (70_000, 300), b"new", (0, 0x10000), (5, 1)), BASE)
    assert data == BASE[70_000:70_300] + b"new" + BASE[:0x10000] + BASE[5:6]


def test_what_is_added_is_a_change_and_the_rest_is_none() -> None:
    assert apply_delta(delta(BASE, (0, 50_000), b"new", (50_000, 50_000)), BASE)[1] == [(50_000, 50_003)]


def test_what_is_joined_is_a_change_without_bytes() -> None:
    assert apply_delta(delta(BASE, (0, 30_000), (60_000, 40_000)), BASE)[1] == [(30_000, 30_000)]


def test_a_new_beginning_and_a_new_end_are_changes() -> None:
    assert apply_delta(delta(BASE, (10_000, 50_000)), BASE)[1] == [(0, 0), (50_000, 50_000)]


def test_a_copy_of_all_is_no_change() -> None:
    assert apply_delta(delta(BASE, (0, 50_000), (50_000, 50_000)), BASE)[1] == [(50_000, 50_000)]
    assert apply_delta(delta(BASE[:60_000], (0, 60_000)), BASE[:60_000]) == (BASE[:60_000], [])


def test_short_copies_are_changes_with_what_is_between_them() -> None:
    commands = ((0, 20_000), b"new", (30_000, 100), b"more", (40_000, 60_000))
    assert apply_delta(delta(BASE, *commands), BASE)[1] == [(20_000, 20_107)]


@pytest.mark.parametrize("offset", [0, 5, 0x100, 0x1234, 0x10000, 0x10005, 0x12300, 0x12345])
@pytest.mark.parametrize("size", [1, 0xFF, 0x100, 0x1234, 0x10000])
def test_a_copy_may_omit_bytes_of_its_numbers_that_are_zero(offset: int, size: int) -> None:
    base = BASE * 2
    assert apply_delta(delta(base, (offset, size)), base)[0] == base[offset : offset + size]


@pytest.mark.parametrize(
    "damaged",
    [
        delta(BASE + b"x", (0, 9)),
        delta(BASE, (99_999, 2)),
        delta(BASE, b"new", size=4),
        delta(BASE, (0, 50_000), size=40_000),
        delta(BASE, *[(0, 0x10000)] * 200),
        delta(BASE, size=1 << 60),
        delta(BASE) + b"\0",
        delta(BASE, b"new")[:-1],
        delta(BASE, (300, 300))[:-1],
        b"\xff" * 20,
        b"",
    ],
)
def test_what_is_no_delta_of_the_base_is_an_error(damaged: bytes) -> None:
    with pytest.raises((PackError, IndexError)):
        apply_delta(damaged, BASE)


def test_what_is_between_the_changes_of_any_delta_is_in_the_base() -> None:
    chance = random.Random(2)  # noqa: S311 - the same each time
    for _ in range(200):
        commands: list[bytes | tuple[int, int]] = []
        for _ in range(chance.randrange(1, 12)):
            if chance.random() < 0.5:
                commands.append((chance.randrange(90_000), chance.randrange(1, 10_000)))
            else:
                commands.append(chance.randbytes(chance.randrange(1, 127)))
        data, changes = apply_delta(delta(BASE, *commands), BASE)
        parts = [one if isinstance(one, bytes) else BASE[one[0] : one[0] + one[1]] for one in commands]
        assert data == b"".join(parts)
        borders = [len(b"".join(parts[:number])) for number in range(1, len(parts))]
        assert all(any(start <= border <= end for start, end in changes) for border in borders)
        ends = [0, *(at for change in changes for at in change), len(data)]
        assert ends == sorted(ends)
        assert all(data[start:end] in BASE for start, end in zip(ends[::2], ends[1::2], strict=True))
