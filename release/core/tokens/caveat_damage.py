"""Find caveats that a character changed in the token has left: no index issues them, and no holder adds them.

A caveat of an unknown kind, or with a name that is not normalized, can have been added on purpose. An identifier that
is not a UUID, or the remains of JSON, cannot.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import islice

from release.core.lazy_pattern import lazy_pattern
from release.core.models.index import is_project_name
from release.core.tokens.caveats import (
    Caveat,
    Expiration,
    InvalidCaveat,
    ProjectIds,
    ProjectNames,
    PublisherCaveat,
    RequestUser,
)

#: as PostgreSQL and Python write it; the index compares the text
_UUID = lazy_pattern(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: a period of two numbers with ten digits, in the forms in which it is written; a character of a number may be another
_PERIODS = (
    lazy_pattern(r"\[0,(.{10}),(.{10})\]", re.DOTALL),
    lazy_pattern(r"\[0, (.{10}), (.{10})\]", re.DOTALL),
    lazy_pattern(r'\{"(?:nbf|exp)":(.{10}),"(?:nbf|exp)":(.{10})\}', re.DOTALL),
    lazy_pattern(r'\{"(?:nbf|exp)": (.{10}), "(?:nbf|exp)": (.{10})\}', re.DOTALL),
)
#: a time of today that has lost its first digit to a sign
_NEGATIVE = lazy_pattern(r"-\d{9}\b", re.ASCII)
#: what a space after a comma or a colon can have become, in JSON that is still valid
_WAS_SPACE = lazy_pattern(r"(?<=[,:])(?:[\t\r\n-]|\d(?=\d{10}\b))", re.ASCII)

#: places that are tried; more than any caveat of an index has
_MOST_SPACES = 16


def caveat_damage(data: Sequence[bytes], caveats: Sequence[Caveat]) -> str | None:
    """What is damaged in the caveats of a token, given as their bytes and parsed; None if nothing is.

    "the user identifier in caveat 1 is not a UUID".
    """
    for number, (one, caveat) in enumerate(zip(data, caveats, strict=True), 1):
        # the index limits a token of a publisher to the publisher's projects
        odd = isinstance(caveat, PublisherCaveat) and number == 1 and not isinstance((*caveats, None)[1], ProjectIds)
        if what := _damage(one.decode("utf-8", "replace"), caveat, without_projects=odd):
            return what.format(f"caveat {number}")
    return None


def _damage(text: str, caveat: Caveat, *, without_projects: bool) -> str | None:
    """A phrase with a place for the caveat's name."""
    match caveat:
        case RequestUser(user_id=user) if user is not None and not _UUID.fullmatch(user):
            return "the user identifier in {} is not a UUID"
        case ProjectIds(ids=ids) if not all(map(_UUID.fullmatch, ids)):
            return "a project identifier in {} is not a UUID"
        case PublisherCaveat(publisher_id=publisher) if not _UUID.fullmatch(publisher):
            return "the publisher identifier in {} is not a UUID"
        case ProjectNames(names=names) if not all(map(is_project_name, names)):
            return "a project name in {} contains characters that no name has"
        case InvalidCaveat() if _was_json(text):
            return "{} is not valid JSON"
        case _ if _has_lost_a_space(text):
            return "a space in {} is another character"
        case Expiration() if _is_torn(text):
            return "a time in {} has lost a digit"
        # of another tag than before: [3,"…"] is of a user, [4,"…",null] of a publisher
        case PublisherCaveat() if without_projects and len(json.loads(text)) == 2:  # noqa: PLR2004 - tag and publisher
            return "the tag of {} is not the one that belongs to its fields"
        case RequestUser(user_id=str()) if json.loads(text)[2:] == [None]:
            return "the tag of {} is not the one that belongs to its fields"
        case _:
            return None


def _was_json(text: str) -> bool:
    """Whether a text that is not JSON looks like a caveat of an index with a character changed, or like no text."""
    try:
        json.loads(text)
    except RecursionError:
        return False
    except ValueError:
        return text[:1] in {"[", "{"} or text[-1:] in {"]", "}"} or "\ufffd" in text or not text.isprintable()
    return False


def _has_lost_a_space(text: str) -> bool:
    """Whether one character keeps a text from being JSON with spaces, as Python writes it."""
    for match in islice(_WAS_SPACE.finditer(text), _MOST_SPACES):
        written = f"{text[: match.start()]} {text[match.end() :]}"
        if "\\" not in written and _as_written(written) == written:
            return True
    return False


def _as_written(text: str) -> str | None:
    try:
        return json.dumps(json.loads(text))
    except (ValueError, RecursionError):
        return None


def _is_torn(text: str) -> bool:
    """Whether one digit of two times is another character, which leaves a shorter or a third number, or a sign."""
    if _NEGATIVE.search(text):
        return True
    found = next((match for form in _PERIODS if (match := form.fullmatch(text))), None)
    return found is not None and sum(not one.isdecimal() for one in found[1] + found[2]) == 1
