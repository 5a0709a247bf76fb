"""Where a secret is, as a configuration says it; no message repeats what may be the secret."""

from __future__ import annotations

from typing import Any

import pytest

from release.core.errors import ConfigError
from release.core.models.secret_location import CommandOutput, EnvironmentVariable, KeyringEntry, PrivateFile
from release.core.tables import KeyPath
from release.token_health.location_reader import location_of, secret_location, secret_locations, with_passed
from tests.fake_system import LASTING
from tests.fake_tokens import random_text

AT = KeyPath(file="fleet.toml", path="notify.webhook")


@pytest.mark.parametrize(
    ("table", "location"),
    [
        ({"env": "HOOK"}, EnvironmentVariable(name="HOOK")),
        ({"env": "$HOOK"}, EnvironmentVariable(name="HOOK")),
        ({"file": "~/hook"}, PrivateFile(path="~/hook")),
        ({"command": ["pass", "show", "a b"]}, CommandOutput(argv=("pass", "show", "a b"))),
        ({"command": ["pass"], "limit": "5s"}, CommandOutput(argv=("pass",), limit=5)),
        ({"keyring": {"service": "s", "username": "u"}}, KeyringEntry(service="s", username="u")),
    ],
)
def test_each_kind_of_location(table: dict[str, Any], location: object) -> None:
    assert secret_location(table, AT) == location
    assert secret_locations(table, AT) == (location,)
    assert secret_locations([table, {"env": "B"}], AT) == (location, EnvironmentVariable(name="B"))


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"limit": "5s"},
        {"env": "A", "file": "b"},
        {"env": ""},
        {"env": "A=b"},
        {"file": ""},
        {"file": 3},
        {"command": "pass show x"},
        {"command": []},
        {"command": ["pass", ""]},
        {"keyring": True},
        {"keyring": {"service": "s"}},
        {"keyring": False},
        {"environ": "A"},
    ],
)
def test_what_names_no_one_location(table: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as wrong:
        secret_location(table, AT)
    assert "notify.webhook" in wrong.value.message
    assert wrong.value.remedy


def test_a_secret_in_the_place_of_its_location_is_not_repeated() -> None:
    secret = f"https://hooks.example/{random_text(24)}"
    for value in (secret, [secret]):
        with pytest.raises(ConfigError, match="must be a table with its location") as wrong:
            secret_locations(value, AT)
        assert secret not in f"{wrong.value.message} {wrong.value.remedy} {wrong.value!r}"


def test_an_entry_of_the_keyring_is_completed_by_its_index() -> None:
    entry = KeyringEntry(service=LASTING.upload_url, username="__token__")
    assert location_of({"keyring": {}}, AT, LASTING, "__token__") == entry
    own = location_of({"keyring": {"service": "s"}}, AT, LASTING, "__token__")
    assert own == KeyringEntry(service="s", username="__token__")


def test_only_a_command_gets_variables() -> None:
    command = CommandOutput(argv=("pass",))
    found = with_passed(command, ("VAULT_TOKEN",))
    assert isinstance(found, CommandOutput)
    assert found.passed == ("VAULT_TOKEN",)
    assert with_passed(PrivateFile(path="x"), ("VAULT_TOKEN",)) == PrivateFile(path="x")
