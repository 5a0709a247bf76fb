"""What build backends print about files that they do not find."""

from __future__ import annotations

import re

#: Lines that report a missing file or package. setuptools also prints "no previously-included files found", which is
#: harmless, and that a package "is absent from the `packages` configuration" for directories that it ships all the
#: same: a check compares that with the wheel.
#: Observed: setuptools 84.2, 2026-11.
_MISSING = re.compile(
    r"(?:WARNING|warning:) (?P<warning>no (?:files|directories) found matching .+"
    r"|Package '[^']+' is absent from the `packages` configuration)\.?|(?P<plain>file .+ \(for module .+\) not found)"
)


def file_warning(line: str) -> str | None:
    """The message of the build backend in a line of a build, if it reports a missing file or package."""
    found = _MISSING.fullmatch(line.strip())
    return (found["warning"] or found["plain"]) if found else None
