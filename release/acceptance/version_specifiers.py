"""Versions and version specifiers, as the server's `packaging` reads them.

Other versions of `packaging` also take a few letters beyond ASCII, or refuse `===` without a version.
Source: PEP 440. Observed: packaging 25.0 to 26.4, 2026-11.
"""

from __future__ import annotations

import re

from release.acceptance.server_reference import ServerFailsError
from release.core.lazy_pattern import lazy_pattern

_START = r"v?(?:[0-9]+!)?[0-9]+"
_MORE = r"(?:\.[0-9]+)"
_PRE = r"(?:[-_.]?(?:alpha|beta|preview|pre|a|b|c|rc)[-_.]?[0-9]*)?"
_POST = r"(?:-[0-9]+|[-_.]?(?:post|rev|r)[-_.]?[0-9]*)?"
_DEV = r"(?:[-_.]?dev[-_.]?[0-9]*)?"
_LOCAL = r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?"
_SUFFIX = f"{_PRE}{_POST}{_DEV}"
#: one specifier, from its operator on. Only after `~=` may letters be beyond ASCII: those that have the upper case of
#: an ASCII letter. The operator === takes any text, even none.
SPECIFIER = lazy_pattern(
    rf"(?:===\s*[^\s;)]*"
    rf"|[=!]=\s*{_START}{_MORE}*(?:\.\*|(?a:{_SUFFIX}{_LOCAL}))"
    rf"|~=\s*{_START}{_MORE}+{_SUFFIX}"
    rf"|(?:<=|>=|<|>)\s*{_START}{_MORE}*(?a:{_SUFFIX}))",
    re.IGNORECASE,
)


def is_version(text: str) -> bool:
    """Whether a version is valid. Raises ServerFailsError where a number has more digits than Python reads."""
    from packaging.version import InvalidVersion, Version

    if not text.strip().isascii():
        return False
    try:
        Version(text)
    except InvalidVersion:
        return False
    except ValueError as error:
        raise ServerFailsError from error
    return True


def is_specifier_set(text: str) -> bool:
    """Whether a list of specifiers is valid; empty items do not matter."""
    parts = (part.strip() for part in text.split(","))
    return all(SPECIFIER.fullmatch(part) for part in parts if part)
