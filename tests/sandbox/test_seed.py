"""The world file: what it may say, and what is said of mistakes in it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from release.core.errors import UsageError
from release.sandbox.seed import ApiToken, SeedData, SeedProject, User
from tests.sandbox.sandbox_client import SEED_DATA


def user(**more: Any) -> dict[str, Any]:
    return {"users": [{"name": "alice", **more}]}


def test_a_whole_world_is_read() -> None:
    world = SeedData.parse(json.dumps(SEED_DATA | {"flags": ["read-only"]}))
    assert User(name="bob", email_verified=False) in world.users
    assert SeedProject(name="acme-widget", owners=("alice",)) in world.projects
    assert ApiToken(name="widget", user="alice", projects=("acme-widget",)) in world.tokens
    assert world.prohibited == ("acme-prohibited", "requirements-txt")
    assert world.flags == ("read-only",)


def test_a_world_without_users_and_tokens_has_the_usual_ones() -> None:
    assert SeedData.parse('{"prohibited": ["Some_Name"]}') == SeedData(prohibited=("some-name",))
    assert SeedData.parse("{}") == SeedData()
    assert SeedData.parse('{"users": [{"name": "alice"}]}').tokens == ()


def test_null_means_none() -> None:
    """As if the key were absent, wherever its absence means that there is none."""
    bare = {
        "projects": [{"name": "p"}],
        "tokens": [{"name": "t", "user": "alice"}],
        "publishers": [
            {"name": "a", "repository": "acme/p", "workflow": "release.yml", "projects": ["p"]},
            {"name": "b", "repository": "acme/p", "workflow": "r.yml", "pending": "new", "user": "alice"},
            {"name": "c", "provider": "google", "email": "a@acme.invalid", "projects": ["p"]},
        ],
    }
    with_null: dict[str, Any] = json.loads(json.dumps(bare)) | {"sigstore": None}
    with_null["projects"][0]["organization"] = None
    with_null["tokens"][0].update(expires=None, location=None, publisher=None)
    with_null["publishers"][0].update(environment=None, pending=None, user=None)
    with_null["publishers"][1].update(environment=None, projects=None)
    with_null["publishers"][2].update(sub=None)
    assert SeedData.parse(json.dumps(user() | with_null)) == SeedData.parse(json.dumps(user() | bare))


TIMES = {
    "unix": (1_800_000_000, 1_800_000_000),
    "fraction": (1_800_000_000.5, 1_800_000_000),
    "Z": ("2027-01-15T08:00:00Z", 1_800_000_000),
    "offset": ("2027-01-15T09:00:00+01:00", 1_800_000_000),
    "neither": ("2027-01-15T08:00:00", 1_800_000_000),
    "none": (None, None),
}


@pytest.mark.parametrize("row", TIMES)
def test_an_expiry_is_seconds_or_a_date(row: str) -> None:
    given, seconds = TIMES[row]
    data = {"users": [{"name": "a"}], "tokens": [{"name": "t", "user": "a", "expires": given}]}
    assert SeedData.parse(json.dumps(data)).tokens[0].expires == seconds


def token(**more: Any) -> dict[str, Any]:
    return user() | {"tokens": [{"name": "t", "user": "alice", **more}]}


MISTAKES: dict[str, tuple[Any, str]] = {
    "a list": ([], "the seed data must be an object, not []"),
    "unknown key": ({"user": []}, "unknown key user: did you mean 'users'?"),
    "unknown key inside": (
        user(email_verfied=False),
        "unknown key users[0].email_verfied: did you mean 'email_verified'?",
    ),
    "no name": ({"users": [{}]}, "users[0].name is missing"),
    "users as an object": ({"users": {}}, "users must be a list, not {}"),
    "no switch": (user(disabled="yes"), "users[0].disabled must be true or false, not 'yes'"),
    "two of a name": ({"users": [{"name": "a"}, {"name": "a"}]}, "users[1]: duplicate name 'a'"),
    "unknown owner": (
        user() | {"projects": [{"name": "p", "owners": ["alcie"]}]},
        "projects[0].owners: unknown 'alcie': did you mean 'alice'?",
    ),
    "unknown status": (
        user() | {"projects": [{"name": "p", "status": "archive"}]},
        "projects[0].status: unknown 'archive': did you mean 'archived'?",
    ),
    "unknown user of a token": (
        {"users": [{"name": "alice"}], "tokens": [{"name": "t", "user": "bob"}]},
        "tokens[0].user: unknown 'bob'",
    ),
    "unknown project in a scope": (token(scope=["acme"]), "tokens[0].scope: unknown 'acme'"),
    "unknown scope": (token(scope="acount"), "tokens[0].scope must be \"account\" or a list of projects, not 'acount'"),
    "no time": (
        token(expires="soon"),
        "tokens[0].expires must be a time: unix seconds, or a string like '2027-01-31T00:00:00Z', not 'soon'",
    ),
    "unknown flag": ({"flags": ["readonly"]}, "flags: unknown 'readonly': did you mean 'read-only'?"),
    "unknown kind of limit": (
        {"new_projects": {"users": {}}},
        "unknown key new_projects.users: did you mean 'user'?",
    ),
    "a limit of none": (
        {"new_projects": {"user": {"limit": 0}}},
        "new_projects.user.limit must be a number from 1 to 1000000, not 0",
    ),
    "a limit of null": (
        {"new_projects": {"user": {"limit": None}}},
        "new_projects.user.limit must be a number from 1 to 1000000, not null",
    ),
    "a size of null": (
        {"file_size_limit": None},
        "file_size_limit must be a number of bytes from 1 to 1125899906842624, not null",
    ),
    "a size in words": (
        user() | {"projects": [{"name": "p", "project_size_limit": "10 GB"}]},
        "projects[0].project_size_limit must be a number of bytes from 1 to 1125899906842624, not '10 GB'",
    ),
    "a null switch": (user(disabled=None), "users[0].disabled must be true or false, not null"),
    "a null name": (user(name=None), "users[0].name must be a non-empty string, not null"),
    "a null list": (
        user() | {"projects": [{"name": "p", "owners": None}]},
        "projects[0].owners must be a list of strings, not null",
    ),
    "a null scope": (token(scope=None), 'tokens[0].scope must be "account" or a list of projects, not null'),
    "a null document": (None, "the seed data must be an object, not null"),
    "no names": ({"prohibited": "x"}, "prohibited must be a list of strings, not 'x'"),
}


@pytest.mark.parametrize("row", MISTAKES)
def test_a_mistake_is_named_with_its_place(row: str) -> None:
    data, message = MISTAKES[row]
    with pytest.raises(UsageError) as caught:
        SeedData.parse(json.dumps(data))
    assert caught.value.message == message
    assert caught.value.remedy


def test_no_json_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"the seed data is not valid JSON: .*line 1 column 2"):
        SeedData.parse("{,}")
