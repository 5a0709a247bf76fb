"""Find secrets in bytes: a prefilter that is as fast as memory allows, then the detector of each kind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from release.core.models.leak import Leak, SecretMatch
from release.leaks import prefilter
from release.leaks.credential_files import find_password
from release.leaks.scan_limit import ScanLimit

if TYPE_CHECKING:
    from release.leaks.detectors import Detector

#: Bytes by which two pieces of a file overlap, so that a secret across their border is complete in one of them:
#: more than the longest token, and than most private keys.
OVERLAP = 16_384

#: The prefilter; each pattern with its first byte, which is found ten times as fast: as a number, because bytes are
#: asked for other bytes only after an exception that says that these are no number.
_PATTERNS = tuple(
    (ord(first), re.compile(text.encode()))
    for first, text in (("A", prefilter.ANCHORS), ("_", prefilter.UNDERSCORES), ("-", prefilter.DASHES))
)


def _detectors(number: int) -> tuple[Detector, ...]:
    """The detectors for a pattern, for one text. Imported when it matches: that takes longer than most scans."""
    if number == 0:
        return (_index_tokens(), _other_anchored)
    from release.leaks import detectors

    match number:
        case 1:
            return (
                detectors.github_token, detectors.npm_token, detectors.stripe_key, detectors.github_fine_grained_token,
            )  # fmt: skip
        case _:
            return detectors.gitlab_token, detectors.slack_token


def _index_tokens() -> Detector:
    """The detector of tokens, imported at an anchor of one: in binary files, the prefilter matches much else."""
    tokens: Detector | None = None

    def detect(data: bytes, at: int) -> SecretMatch | None:
        nonlocal tokens
        if tokens is None:
            if not re.compile(prefilter.TOKEN_START).match(data, at):
                return None
            from release.leaks.index_tokens import WrappedTokens

            tokens = WrappedTokens()
        return tokens(data, at)

    return detect


def _other_anchored(data: bytes, at: int) -> SecretMatch | None:
    """A secret of another kind whose anchor is at an "A"; each has another character after it."""
    if data[at + 1 : at + 2] not in prefilter.AFTER_A:
        return None
    from release.leaks import detectors

    kinds = (detectors.private_key, detectors.aws_key, detectors.google_key)
    return next((spot for detect in kinds if (spot := detect(data, at)) is not None), None)


_BASIC = prefilter.BASIC.encode()
#: the start of a secret in UTF-16 of either byte order
_WIDE = re.compile(prefilter.WIDE.encode())
#: bytes around a match in UTF-16 that are read as text
_WIDE_BEFORE, _WIDE_AFTER = 4096, 2 * OVERLAP
#: bytes at the start of a file from which its encoding is guessed
_HEAD = 512
#: English text in UTF-16: the part of every second byte that is 0, and of the others that is printable
_ZEROS, _PRINTABLE = 0.8, 0.9
_PRINTED = bytes(range(32, 127)) + b"\t\r\n"
#: bytes that are compared at a time: first large steps, then small ones near the difference
_STEPS = (8192, 512)
#: Bytes around a change that are scanned with it: more than the longest match of a pattern, except for a torn anchor,
#: which consists of these characters.
_AROUND, _LONGEST_ANCHOR = 64, 1024
_OF_ANCHORS = bytes(set(range(256)) - set(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")) + b"gnr"
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
#: encoding → the step that puts the high bytes of its characters first
_ORDERS = {"utf-16-be": 1, "utf-16-le": -1}


def scan_bytes(data: bytes, path: str = "", *, first_line: int = 1, limit: ScanLimit | None = None) -> tuple[Leak, ...]:
    """The secrets in the bytes of a file, or of a piece of it that begins with line `first_line`.

    Of a text that takes longer than `limit`, those that were found until then; the caller checks it.
    """
    text = _as_text(data)
    spots = sorted(_spots(text, path, limit or ScanLimit(len(data))), key=lambda spot: spot.offset)
    if not spots:
        return ()
    leaks, seen, line, counted = list[Leak](), set[tuple[str, str]](), first_line, 0
    for spot in spots:
        if (spot.kind, spot.identity) in seen:
            continue
        seen.add((spot.kind, spot.identity))
        line, counted = line + text.count(b"\n", counted, spot.offset), spot.offset
        leaks.append(Leak(kind=spot.kind, identity=spot.identity, host=spot.host, path=path, line=line))
    return tuple(leaks)


def may_hold_secret(data: bytes) -> bool:
    """Whether a scan can find anything in the bytes, regardless of the file's name."""
    return _matches(_as_text(data))


def may_gain_secret(data: bytes, changes: Iterable[tuple[int, int]]) -> bool:
    """The same for a version of a file, if there is none in an earlier version.

    `changes`: the bounds of the parts that differ from it.
    """
    text = _as_text(data)
    return _matches(_around(data, changes) if text is data else text)


def _matches(text: bytes) -> bool:
    for first, pattern in _PATTERNS:  # a loop for speed: called for every version of every file of a history
        if first in text and pattern.search(text):
            return True
    return text.find(_BASIC) >= 0 or (0 in text and _WIDE.search(text) is not None)


def _around(data: bytes, changes: Iterable[tuple[int, int]]) -> bytes:
    """Parts of the data, each with some bytes around it, joined: a match of a pattern is in them, unless it is in none.

    A torn anchor has some more characters around it than other matches.
    """
    parts = []
    for start, end in changes:
        before, after = data[max(0, start - _LONGEST_ANCHOR) : start], data[end : end + _LONGEST_ANCHOR]
        torn = len(before) - len(before.rstrip(_OF_ANCHORS)) + 1
        first = max(0, start - max(torn, _AROUND))
        torn = len(after) - len(after.lstrip(_OF_ANCHORS)) + 1
        parts.append(data[first : end + max(torn, _AROUND)])
    return b"".join(parts)


def difference(data: bytes, before: bytes) -> list[tuple[int, int]]:
    """The bounds of the part of a file that differs from an earlier version; none if they are equal."""
    if data == before:
        return []
    most, start, end = min(len(data), len(before)), 0, 0
    for step in _STEPS:
        while start + step <= most and data.startswith(before[start : start + step], start):
            start += step
    here, there = len(data), len(before)
    for step in _STEPS:
        while start + end + step <= most and data.startswith(
            before[there - end - step : there - end], here - end - step
        ):
            end += step
    return [(start, here - end)]


def _spots(data: bytes, path: str, limit: ScanLimit) -> Iterator[SecretMatch]:
    yield from _narrow_spots(data, limit)
    if path:
        yield from find_password(path, data)
    if 0 in data:
        yield from _wide_spots(data, limit)


def _narrow_spots(data: bytes, limit: ScanLimit) -> Iterator[SecretMatch]:
    """Secrets in text of one byte for each character."""
    may_be_putty = False
    for number, (first, pattern) in enumerate(_PATTERNS):
        detectors: tuple[Detector, ...] = ()
        for found in pattern.finditer(data) if first in data else ():
            if limit.is_reached:
                return
            detectors = detectors or _detectors(number)
            may_be_putty = may_be_putty or data.startswith(b"AC: ", found.start())
            yield from (spot for detect in detectors if (spot := detect(data, found.start())) is not None)
    if _BASIC in data:
        from release.leaks.index_tokens import basic_auth_tokens

        yield from basic_auth_tokens(data)
    if may_be_putty:
        from release.leaks.detectors import putty_keys

        yield from putty_keys(data)


def _wide_spots(data: bytes, limit: ScanLimit) -> Iterator[SecretMatch]:
    """Secrets in UTF-16 between other bytes, as in a compiled program.

    Places that are near each other are read together, so that many of them take no longer than few.
    """
    parts: dict[int, list[tuple[int, int]]] = {0: [], 1: []}
    for found in _WIDE.finditer(data):
        known = parts[found.start() % 2]
        start, end = found.start() - (min(found.start(), _WIDE_BEFORE) & ~1), found.end() + _WIDE_AFTER
        if known and start <= known[-1][1]:
            start = known.pop()[0]
        known.append((start, end))
    for start, end in (*parts[0], *parts[1]):
        for spot in _narrow_spots(data[start:end:2], limit):
            yield replace(spot, offset=start + 2 * spot.offset)


def _as_text(data: bytes) -> bytes:
    """A file in UTF-16 as UTF-8; any other unchanged."""
    encoding = _BOMS.get(data[:2])
    if encoding is None and 0 in data[:_HEAD]:
        halves = data[:_HEAD:2], data[1:_HEAD:2]
        encoding = next((name for name, order in _ORDERS.items() if _is_wide(*halves[::order])), None)
    if encoding is None:
        return data
    # If other bytes precede the text, the last character may be incomplete.
    return (data + b"\0" * (len(data) % 2)).decode(encoding, "replace").encode("utf-8", "replace")


def _is_wide(high: bytes, low: bytes) -> bool:
    """Whether these are the high and low bytes of a text in UTF-16."""
    printed = len(low) - len(low.translate(None, _PRINTED))
    return high.count(0) > _ZEROS * len(high) and printed > _PRINTABLE * len(low)
