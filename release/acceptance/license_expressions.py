"""License expressions, as the server's `packaging` reads them.

It is more lenient than the specification: a `LicenseRef-` may be followed by nothing, and WITH may follow parentheses.
Newer versions of `packaging` refuse both; older ones know fewer identifiers. Source: PEP 639 and SPDX.
Observed: packaging 25.0 to 26.4, 2026-11.
"""

from __future__ import annotations

from collections.abc import Sequence

from release.acceptance.known_names import is_license, is_license_exception
from release.acceptance.server_reference import ServerFailsError
from release.core.lazy_pattern import lazy_pattern

_OPERATORS = frozenset({"and", "or", "with"})
_REFERENCE = lazy_pattern(r"licenseref-[a-z0-9.-]*")
#: parentheses in each other that Python's parser reads, with which the server's library checks the syntax
_DEEPEST = 200


def is_license_expression(text: str) -> bool:
    """Whether an expression is valid. Raises ServerFailsError for a `LicenseRef-` with a plus sign."""
    words = text.replace("(", " ( ").replace(")", " ) ").lower().split()
    return _is_well_formed(words) and all(
        _is_known(word, words, after_with=before == "with")
        for before, word in zip(["", *words], words, strict=False)
        if word not in _OPERATORS | {"(", ")"}
    )


def _is_well_formed(words: Sequence[str]) -> bool:
    depth, complete = 0, False
    for word in words:
        opens, closes = word == "(", word == ")"
        depth += opens - closes
        # a name or an opening parenthesis follows what is incomplete, everything else what is complete
        if complete == (opens or not (closes or word in _OPERATORS)) or not 0 <= depth <= _DEEPEST:
            return False
        complete = not (opens or word in _OPERATORS)
    return complete and depth == 0


def _is_known(word: str, words: Sequence[str], *, after_with: bool) -> bool:
    if after_with:
        return is_license_exception(word)
    name = word.removesuffix("+")
    if not name.startswith("licenseref-"):
        return is_license(name)
    if not _REFERENCE.fullmatch(name):
        return False
    if name not in words:
        raise ServerFailsError
    return True
