"""`[tool.release.set]`."""

from __future__ import annotations

from typing import Any

import pytest

from release.core.config import parse_config
from release.core.errors import ConfigError
from release.core.models.release_set import SetSettings


def test_the_table_is_read_and_without_it_there_is_no_set() -> None:
    table = {
        "members": ["./packages/*/", "libs/**", "."],
        "exclude": ["libs/x"],
        "only-changed": True,
        "lockstep": True,
    }
    assert parse_config({"set": table}).release_set == SetSettings(
        members=("packages/*", "libs/**", "."), exclude=("libs/x",), only_changed=True, lockstep=True
    )
    assert parse_config({}).release_set is None
    assert parse_config({"set": {}}).release_set == SetSettings()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"member": ["a"]}, "unknown key tool.release.set.member: did you mean 'members'?"),
        ({"only_changed": True}, "unknown key tool.release.set.only_changed: did you mean 'only-changed'?"),
        ({"members": "packages/*"}, "tool.release.set.members must be a list of patterns of directories"),
        ({"members": []}, "tool.release.set.members must be a list of patterns such as"),
        ({"members": ["../a"]}, "tool.release.set.members[0] must be a pattern of directories below this one"),
        ({"members": ["a", "/srv/b"]}, "tool.release.set.members[1] must be a pattern"),
        ({"members": ["packages\\*"]}, "tool.release.set.members[0] must be a pattern"),
        ({"members": ["a"], "exclude": [""]}, "tool.release.set.exclude[0] must be a non-empty string"),
        ({"members": ["a"], "lockstep": "yes"}, "tool.release.set.lockstep must be true or false"),
        (["packages/*"], "tool.release.set must be a table"),
    ],
)  # fmt: skip
def test_an_error_names_the_key(table: Any, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        parse_config({"set": table})
    assert message in error.value.message


def test_a_set_without_patterns_is_refused_with_what_was_given() -> None:
    with pytest.raises(ConfigError, match=r'must be a list of patterns such as "packages/\*", not \[\]$'):
        parse_config({"set": {"members": []}})
