"""Looks for secrets in bytes: a sieve that reads as fast as memory allows, then the rule of each kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

from release.core.models.leak import Leak, SecretMatch
from release.leaks import prefilter
from release.leaks.credential_files import find_password

#: from a file's bytes and the place in them where the sieve stopped
Rule = Callable[[bytes, int], SecretMatch | None]

#: Bytes by which two pieces of one file overlap, so that what lies across their border is whole in one of
#: them: more than the longest token, and than most private keys.
OVERLAP = 16_384

#: where a secret may begin; and the letter that each pattern begins with, which is looked for ten times as fast
_SIEVES = tuple(
    (letter, re.compile(text.encode()))
    for letter, text in ((b"A", prefilter.ANCHORS), (b"_", prefilter.UNDERSCORES), (b"-", prefilter.DASHES))
)


@cache
def _rules() -> tuple[tuple[Rule, ...], ...]:
    """What may begin where each sieve stops. Loaded then: a decoder of tokens takes longer than most searches."""
    from release.leaks import detectors, pypi_token_detector

    return (
        (
            pypi_token_detector.index_token,
            detectors.private_key,
            detectors.aws_key,
            detectors.google_key,
            detectors.putty_key,
        ),
        (detectors.github_token, detectors.npm_token, detectors.stripe_key, detectors.github_fine_grained_token),
        (detectors.gitlab_token, detectors.slack_token),
    )


_BASIC = prefilter.BASIC.encode()
#: an anchor in UTF-16 of either byte order
_WIDE = re.compile(prefilter.WIDE.encode())
#: bytes around an anchor of UTF-16 that are read as text
_WIDE_BEFORE, _WIDE_AFTER = 4096, 2 * OVERLAP
#: bytes of a file by which its encoding is guessed
_HEAD = 512
#: in English text as UTF-16, so many of every second byte are 0, and so many of the others are printable
_ZEROS, _PRINTABLE = 0.8, 0.9
_PRINTED = bytes(range(32, 127)) + b"\t\r\n"
#: bytes that are compared at a time: as long as they are the same, and then around the place where they differ
_STEPS = (8192, 512)
#: Bytes around a change that are searched with it. Where there was nothing before, whatever the sieve stops at
#: now has some of the changed bytes in it: more than the longest text that one of its patterns can match.
_AROUND = 1024
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
#: encoding, and the step by which the halves of its letters are walked from high to low
_ORDERS = {"utf-16-be": 1, "utf-16-le": -1}


def scan_bytes(data: bytes, path: str = "", *, first_line: int = 1) -> tuple[Leak, ...]:
    """Every secret in a file's bytes, or in one piece of them that begins with line `first_line`."""
    text = _as_text(data)
    spots = sorted(_spots(text, path), key=lambda spot: spot.offset)
    if not spots:
        return ()
    first = {(spot.kind, spot.identity): spot for spot in reversed(spots)}
    return tuple(
        Leak(
            kind=spot.kind,
            identity=spot.identity,
            host=spot.host,
            path=path,
            line=first_line + text.count(b"\n", 0, spot.offset),
        )
        for spot in spots
        if first[spot.kind, spot.identity] is spot
    )


def may_hold_secret(data: bytes) -> bool:
    """Whether a search can find anything in the bytes, names of files apart."""
    text = _as_text(data)
    for letter, sieve in _SIEVES:  # a loop, since this is asked of every version of every file of a history
        if letter in text and sieve.search(text):
            return True
    return _BASIC in text or (b"\0" in text and _WIDE.search(text) is not None)


def changed_part(data: bytes, before: bytes) -> bytes:
    """What of a file differs from an earlier version, with some bytes around it; empty where nothing does.

    Versions of a file share most of their text: where the one before held nothing, only this needs a search.
    """
    if data == before:
        return b""
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
    return data[max(0, start - _AROUND) : len(data) - end + _AROUND]


def _spots(data: bytes, path: str) -> Iterator[SecretMatch]:
    for number, (letter, sieve) in enumerate(_SIEVES):
        for found in sieve.finditer(data) if letter in data else ():
            yield from (spot for rule in _rules()[number] if (spot := rule(data, found.start())) is not None)
    if _BASIC in data:
        from release.leaks import pypi_token_detector

        yield from pypi_token_detector.basic_auth_tokens(data)
    if path:
        yield from find_password(path, data)
    if b"\0" in data:
        yield from _wide_spots(data)


def _wide_spots(data: bytes) -> Iterator[SecretMatch]:
    """Secrets in UTF-16 amidst other bytes: a string in a program, for one."""
    for found in _WIDE.finditer(data):
        start = found.start() - (min(found.start(), _WIDE_BEFORE) & ~1)
        narrow = data[start : found.end() + _WIDE_AFTER : 2]
        yield from (replace(spot, offset=found.start()) for spot in _spots(narrow.replace(b"\0", b""), ""))


def _as_text(data: bytes) -> bytes:
    """UTF-8 of a file in UTF-16; any other as it is."""
    encoding = _BOMS.get(data[:2])
    if encoding is None and b"\0" in data[:_HEAD]:
        halves = data[:_HEAD:2], data[1:_HEAD:2]
        encoding = next((name for name, order in _ORDERS.items() if _is_wide(*halves[::order])), None)
    if encoding is None:
        return data
    # Where something stands before the text, the last letter may lack its second half.
    return (data + b"\0" * (len(data) % 2)).decode(encoding, "replace").encode("utf-8", "replace")


def _is_wide(high: bytes, low: bytes) -> bool:
    """Whether these are the halves of the letters of a text in UTF-16."""
    printed = len(low) - len(low.translate(None, _PRINTED))
    return high.count(0) > _ZEROS * len(high) and printed > _PRINTABLE * len(low)
