"""Dependency specifiers, as the server's `packaging` reads them, and its words for what is wrong with one.

Other versions differ in their words, in what may follow `===`, and in line breaks and blanks beyond ASCII.
Source: PEP 508. Observed: packaging 25.0 to 26.4, 2026-11.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import Any, NoReturn

from msgspec import Struct
from packaging.utils import canonicalize_name

from release.acceptance.server_reference import ServerFailsError
from release.acceptance.version_specifiers import SPECIFIER, is_specifier_set
from release.core.lazy_pattern import lazy_pattern

_BLANKS = lazy_pattern(r"[ \t]+")
_NAME = lazy_pattern(r"\b[a-zA-Z0-9][a-zA-Z0-9._-]*\b")
_URL = lazy_pattern(r"[^ \t]+")
_END = lazy_pattern("$")
_TRAILING_STAR, _TRAILING_LOCAL = lazy_pattern(r"\.\*"), lazy_pattern(r"\+[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_QUOTED = lazy_pattern("'[^']*'|\"[^\"]*\"")
_VARIABLE = lazy_pattern(
    r"\b(?:python_version|python_full_version|os[._]name|sys[._]platform|platform_(?:release|system)"
    r"|platform[._](?:version|machine|python_implementation)|python_implementation"
    r"|implementation_(?:name|version)|extras?|dependency_groups)\b"
)
_COMPARISON = lazy_pattern("===|==|~=|!=|<=|>=|<|>")
_IN, _NOT, _AND_OR = lazy_pattern(r"\bin\b"), lazy_pattern(r"\bnot\b"), lazy_pattern(r"\b(?:or|and)\b")
_OPERATORS = "<=, <, !=, ==, >=, >, ~=, ===, in, not in"

#: items, and the words between them; an item is a comparison, or a list in parentheses
_Marker = list[Any]


class InvalidDependencyError(ValueError):
    """A dependency specifier is not valid; the text shows where."""


class Dependency(Struct, frozen=True, kw_only=True):
    """A valid dependency specifier."""

    name: str
    extras: tuple[str, ...]
    #: empty where there is none
    url: str
    marker: str

    def to_text(self) -> str:
        """The specifier as the server writes it; without version specifiers, next to which there is no URL."""
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{self.name}{extras} @ {self.url}{f' ; {self.marker}' if self.marker else ''}"


def parse_dependency(text: str) -> Dependency:
    """Parse a dependency specifier.

    Raises InvalidDependencyError, and ServerFailsError where the library raises what the server does not catch.
    """
    try:
        return _Parser(text).dependency()
    except RecursionError as error:
        raise ServerFailsError from error


class _Parser:
    """A text, and how far it has been read."""

    def __init__(self, text: str) -> None:
        self._text, self._position = text, 0

    def dependency(self) -> Dependency:
        self._take(_BLANKS)
        name = self._expect(_NAME, "package name at the start of dependency specifier")
        self._take(_BLANKS)
        extras = self._extras()
        self._take(_BLANKS)
        url, marker = self._url() if self._take_text("@") else self._versions()
        self._expect(_END, "end of dependency specifier")
        return Dependency(name=name, extras=tuple(sorted(set(extras))), url=url, marker=_to_text(marker))

    def _next(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self._text, self._position)
        return found and found[0]

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        found = self._next(pattern)
        self._position += len(found or "")
        return found

    def _take_text(self, character: str) -> bool:
        found = self._text.startswith(character, self._position)
        self._position += found
        return found

    def _expect(self, pattern: re.Pattern[str], what: str) -> str:
        found = self._take(pattern)
        return found if found is not None else self._fail(f"Expected {what}")

    def _fail(self, message: str, start: int | None = None, end: int | None = None) -> NoReturn:
        start = self._position if start is None else start
        end = self._position if end is None else end
        pointer = f"{' ' * start}{'~' * (end - start)}^"
        raise InvalidDependencyError(f"{message}\n    {self._text}\n    {pointer}")

    def _close(self, character: str, start: int, name: str, around: str) -> None:
        if not self._take_text(character):
            self._fail(f"Expected matching RIGHT_{name} for LEFT_{name}, after {around}", start)

    def _extras(self) -> list[str]:
        start = self._position
        if not self._take_text("["):
            return []
        self._take(_BLANKS)
        first = self._take(_NAME)
        extras = [] if first is None else [first]
        while extras:
            self._take(_BLANKS)
            if self._next(_NAME) is not None:
                self._fail("Expected comma between extra names")
            if not self._take_text(","):
                break
            self._take(_BLANKS)
            extras.append(self._expect(_NAME, "extra name after comma"))
        self._take(_BLANKS)
        self._close("]", start, "BRACKET", "extras")
        return extras

    def _url(self) -> tuple[str, _Marker]:
        self._take(_BLANKS)
        start = self._position
        url = self._expect(_URL, "URL after @")
        if self._next(_END) is None:
            self._expect(_BLANKS, "whitespace after URL")
        return url, self._optional_marker("semicolon (after URL and whitespace)", start)

    def _versions(self) -> tuple[str, _Marker]:
        start = self._position
        in_parentheses = self._take_text("(")
        self._take(_BLANKS)
        specifiers = self._specifiers()
        self._take(_BLANKS)
        if in_parentheses:
            self._close(")", start, "PARENTHESIS", "version specifier")
            self._take(_BLANKS)
        what = "comma (within version specifier), semicolon (after version specifier)"
        what = what if specifiers else "semicolon (after name with no version specifier)"
        marker = self._optional_marker(what, start)
        if self._next(_END) is not None and not is_specifier_set(specifiers):
            raise ServerFailsError  # a comma in the text after ===
        return "", marker

    def _specifiers(self) -> str:
        specifiers = ""
        start = self._position
        while (one := self._take(SPECIFIER)) is not None:
            specifiers += one
            only = "can only be used with `==` or `!=` operators"
            if self._next(_TRAILING_STAR) is not None:
                self._fail(f".* suffix {only}", start, self._position + 1)
            if self._next(_TRAILING_LOCAL) is not None:
                self._fail(f"Local version label {only}", start)
            self._take(_BLANKS)
            if not self._take_text(","):
                break
            specifiers += ","
            self._take(_BLANKS)
            start = self._position
        return specifiers

    def _optional_marker(self, what: str, start: int) -> _Marker:
        if self._next(_END) is not None:
            return []
        if not self._take_text(";"):
            self._fail(f"Expected {what} or end", start)
        return [_normalize_extra(item) for item in self._marker()]

    def _marker(self) -> _Marker:
        marker: _Marker = [self._item()]
        while (word := self._take(_AND_OR)) is not None:
            marker += [word, self._item()]
        return marker

    def _item(self) -> _Marker | tuple[str, str, str]:
        self._take(_BLANKS)
        start = self._position
        item: _Marker | tuple[str, str, str]
        if self._take_text("("):
            item = self._marker()
            self._close(")", start, "PARENTHESIS", "marker expression")
        else:
            left = self._operand()
            self._take(_BLANKS)
            operator = self._operator()
            self._take(_BLANKS)
            item = (left, operator, self._operand())
        self._take(_BLANKS)
        return item

    def _operator(self) -> str:
        if self._take(_IN) is not None:
            return "in"
        if self._take(_NOT) is not None:
            self._expect(_BLANKS, "whitespace after 'not'")
            self._expect(_IN, "'in' after 'not'")
            return "not in"
        return self._take(_COMPARISON) or self._fail(f"Expected marker operator, one of {_OPERATORS}")

    def _operand(self) -> str:
        """A variable, or a value in double quotes, which are not escaped."""
        variable = self._take(_VARIABLE)
        if variable is not None:
            variable = variable.replace(".", "_")
            return "platform_python_implementation" if variable == "python_implementation" else variable
        quoted = self._take(_QUOTED)
        return f'"{_unquote(quoted)}"' if quoted else self._fail("Expected a marker variable or quoted string")


def _unquote(quoted: str) -> str:
    if not re.search(r"[\\\r\n\0]", quoted):
        return quoted[1:-1]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of Python, about backslashes that escape nothing
            return str(ast.literal_eval(quoted))
    except Exception as error:  # the server's library reads the value as Python does, and catches nothing
        raise ServerFailsError from error


def _normalize_extra(item: Any) -> Any:
    """A comparison of `extra` with the other side as a normalized name; only those outside of parentheses."""
    if not isinstance(item, tuple) or "extra" not in item:
        return item
    left, operator, right = item
    other = right if left == "extra" else left
    normalized = f'"{canonicalize_name(other[1:-1] if other.startswith(chr(34)) else other)}"'
    return (left, operator, normalized) if left == "extra" else (normalized, operator, right)


def _to_text(marker: Any, *, outermost: bool = True) -> str:
    if isinstance(marker, (str, tuple)):
        return marker if isinstance(marker, str) else " ".join(marker)
    if len(marker) == 1 and not isinstance(marker[0], str):
        return _to_text(marker[0])
    text = " ".join(_to_text(item, outermost=False) for item in marker)
    return text if outermost else f"({text})"
