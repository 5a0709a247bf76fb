"""Search a plain log for a symptom of the catalog, by its longest word before its pattern."""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import NamedTuple

_STATUS = re.compile(r"(?P<status>[1-5]\d\d) (?P<words>.*)", re.DOTALL)
_TOKEN = re.compile(r" … |…|\{[a-z_]+\}|\s+|['\"]|[^\s'\"{…]+|.")
_PLACE = re.compile(r"\{[a-z_]+\}")
#: what tools print between a status and its phrase
_TOOL = r"['):,]{0,2}\s+(?:(?:Client|Server)\s+Error:\s+)?"
#: characters; shorter symptoms are not searched for across line breaks within words
_SHORTEST_BROKEN = 12
_SHORTEST_PHRASE = 8


class Found(NamedTuple):
    """Where a symptom was found."""

    #: of the first occurrence, in the plain log
    begin: int
    end: int
    #: where the last occurrence begins
    last: int
    #: the values in the first occurrence
    values: Mapping[str, str]


def find_symptom(symptom: str, plain: str) -> Found | None:
    """Where the symptom is in a plain log; any white space matches any other."""
    if rarest_word(symptom) not in plain or (match := _compile(symptom).search(plain)) is None:
        return None
    last = max((one.start() for one in _compile(symptom).finditer(plain, match.end())), default=match.start())
    return Found(match.start(), match.end(), last, match.groupdict())


class JoinedText:
    """A plain log without its white space, for lines that are broken within words."""

    def __init__(self, plain: str) -> None:
        self._words = [(match.start(), match[0]) for match in re.finditer(r"\S+", plain)]
        self._ends = list(itertools.accumulate(len(word) for _, word in self._words))
        self._text = "".join(word for _, word in self._words)

    def find(self, symptom: str, *, complete: bool) -> Found | None:
        """Where the symptom is. Only quoted values are read; `complete`: search for no symptom with others."""
        longest, open_ended = _joined_form(symptom)
        if longest is None or (complete and open_ended) or longest not in self._text:
            return None
        matches = list(_compile_joined(symptom).finditer(self._text))
        if not matches:
            return None
        first, last = matches[0], matches[-1].start()
        return Found(self._place(first.start()), self._place(first.end() - 1) + 1, self._place(last), first.groupdict())

    def _place(self, offset: int) -> int:
        """The place in the plain log."""
        number = bisect.bisect_right(self._ends, offset)
        start, word = self._words[number]
        return start + offset - (self._ends[number] - len(word))


@cache
def standard_status(symptom: str) -> int | None:
    """The status of a symptom that consists of a status and its standard phrase."""
    match = _STATUS.fullmatch(symptom)
    if match is None or int(match["status"]) not in set(HTTPStatus):
        return None
    status = HTTPStatus(int(match["status"]))
    return int(status) if match["words"] in {status.phrase, *_FORMER_PHRASES.get(status, ())} else None


#: phrases of other years and libraries
_FORMER_PHRASES = {413: ("Request Entity Too Large", "Content Too Large", "Payload Too Large")}


@cache
def rarest_word(symptom: str) -> str:
    """The longest part of the symptom without blanks, quotes and gaps."""
    return max(re.split(r"\s|['\"…]|\{[a-z_]+\}", _words(symptom)), key=len)


@cache
def _joined_form(symptom: str) -> tuple[str | None, bool]:
    """The longest part without quotes and gaps, None if it is too short; and whether a value is not quoted."""
    words = "".join(_words(symptom).split())
    longest = max(re.split(r"['\"…]|\{[a-z_]+\}", words), key=len)
    shortest = _SHORTEST_BROKEN if standard_status(symptom) is None else _SHORTEST_PHRASE
    quoted = len(re.findall(r"['\"]\{[a-z_]+\}", words))
    return longest if len(longest) >= shortest else None, len(_PLACE.findall(words)) > quoted


def _words(symptom: str) -> str:
    match = _STATUS.fullmatch(symptom)
    return match["words"] if match else symptom


@cache
def _compile(symptom: str) -> re.Pattern[str]:
    """The pattern of a symptom. All repetitions are bounded, because logs may be large."""
    return re.compile(_pattern(symptom, space=r"\s+", unquoted=r"(?P<{}>[^\s'\"`,]{{1,300}})"))


@cache
def _compile_joined(symptom: str) -> re.Pattern[str]:
    """The pattern of a symptom in a text without white space."""
    return re.compile(_pattern(symptom, space="", unquoted=r"[^'\"`,]{{1,60}}?"))


def _pattern(symptom: str, *, space: str, unquoted: str) -> str:
    pattern, quoted = "", False
    for piece in _TOKEN.findall(_words(symptom)):
        if piece == " … " and space:
            pattern += r"\s+(?:[\s\S]{0,4000}?\s)??"
        elif "…" in piece:
            pattern += r"[\s\S]{0,4000}?"
        elif _PLACE.fullmatch(piece):
            pattern += f"(?P<{piece[1:-1]}>[^'\"]{{0,300}}?)" if quoted else unquoted.format(piece[1:-1])
        elif piece.isspace():
            pattern += space
        elif piece in {"'", '"'}:
            pattern += r"(?:\\?['\"])"
        else:
            pattern += re.escape(piece)
        quoted = piece in {"'", '"'}
    status = standard_status(symptom)
    return pattern if status is None else rf"(?<!\d){status}" + _TOOL.replace(r"\s+", space) + pattern
