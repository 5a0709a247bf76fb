"""What several caveats of a token leave together, and why nothing is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from release.core.tokens.caveats import Expiration, ProjectIds, ProjectNames, PublisherCaveat, RequestUser
from release.core.tokens.scope import contradictions

NOW = datetime(2026, 11, 28, tzinfo=UTC)
HOUR = timedelta(hours=1)
USER, PUBLISHER = RequestUser(user_id="u"), PublisherCaveat(publisher_id="p")


def names(*texts: str) -> ProjectNames:
    return ProjectNames(names=texts)


def ids(*texts: str) -> ProjectIds:
    return ProjectIds(ids=texts)


def period(start: timedelta, end: timedelta) -> Expiration:
    return Expiration(not_before=NOW + start, expires_at=NOW + end)


@pytest.mark.parametrize(
    ("caveats", "cause", "message"),
    [
        ((USER, RequestUser(user_id="v")), "cred.user-caveat", "is limited to 2 different users at once"),
        ((PUBLISHER, PublisherCaveat(publisher_id="q")), "cred.publisher-caveat",
         "is limited to 2 different trusted publishers at once"),
        ((USER, PUBLISHER), "cred.publisher-caveat",
         "is limited to a user and to a trusted publisher, but belongs to one of them only"),
        ((names("a"), PUBLISHER), "cred.publisher-caveat",
         "was created by a user for a project, but is limited to a trusted publisher"),
        ((names(),), "cred.scope-empty", "is limited to an empty list of projects"),
        ((names("a"), names("b", "c")), "cred.scope-conflict",
         "is limited to 'a' and to 'b', 'c', which have no project in common"),
        ((names("a"), names("a"), names("b")), "cred.scope-conflict",
         "is limited to 'a' and to 'b', which have no project in common"),
        ((names("A_b"),), "cred.scope-unnormalised",
         "is limited to 'A_b', but the index compares with the normalized name, 'a-b'"),
        ((names(*"abcdef"), names("z")), "cred.scope-conflict",
         "is limited to 'a', 'b', 'c', 'd', 'e', … and to 'z', which have no project in common"),
        ((ids(),), "cred.scope-empty", "is limited to an empty list of project identifiers"),
        ((ids("x"), ids("y")), "cred.scope-conflict",
         "is limited to lists of project identifiers that have none in common"),
        ((period(HOUR, -HOUR),), "cred.scope-empty",
         "is never valid: from 2026-11-28 01:00:00 UTC, but only until 2026-11-27 23:00:00 UTC"),
        ((period(HOUR, 3 * HOUR), period(-HOUR, HOUR)), "cred.scope-empty",
         "is never valid: from 2026-11-28 01:00:00 UTC, but only until 2026-11-28 01:00:00 UTC"),
    ],
)  # fmt: skip
def test_why_no_upload_can_meet_all_caveats(caveats: tuple[Any, ...], cause: str, message: str) -> None:
    (found,) = contradictions(caveats, NOW)
    assert (found.cause, found.message) == (cause, message)


@pytest.mark.parametrize(
    "caveats",
    [
        (), (USER, USER), (USER, RequestUser(user_id=None)), (PUBLISHER, PUBLISHER), (PUBLISHER, names("a")),
        (names("a", "b"), names("b")), (names("a", "B"),), (ids("x", "y"), ids("y")), (period(-HOUR, HOUR),),
        (period(-3 * HOUR, -2 * HOUR), period(-HOUR, HOUR)),  # expired, which another check reports
    ],
)  # fmt: skip
def test_caveats_that_fit_each_other(caveats: tuple[Any, ...]) -> None:
    assert list(contradictions(caveats, NOW)) == []
