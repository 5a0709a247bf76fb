"""The fleet file: what it may say, and that every mistake in it is told with its key."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from release.checks.token_health_checks import CHECKS
from release.core import config
from release.core.errors import ConfigError
from release.core.models import token_health
from release.core.models.index import PYPI, TESTPYPI
from release.core.models.secret_location import CommandOutput, EnvironmentVariable, KeyringEntry, PrivateFile
from release.token_health import fleet
from release.token_health.fleet import Fleet

WHOLE = """
rotate-after = "90d"
warn-before = "3w"
remind-after = "12h"
concurrency = 8
rate = 2.5
deadline = "5m"
[waive]
trusted-publishing-is-used = "not on this forge"
[indexes.internal]
upload-url = "https://packages.example/legacy/"
simple-url = "https://packages.example/simple/"
[[tokens]]
project = "acme-widget"
env = "ACME_TOKEN"
made = 2026-01-31
[[tokens]]
projects = ["acme-gadget", "acme-widget"]
index = "testpypi"
file = "~/gadget.token"
rotate-after = "never"
[[tokens]]
command = ["op", "read", "op://vault/pypi/token"]
limit = "5s"
[[tokens]]
project = "acme-widget"
keyring = true
[[tokens]]
project = "acme-widget"
index = "internal"
username = "robot"
keyring = { service = "packages" }
"""


def parse(text: str) -> Fleet:
    return fleet.parse_fleet_file(tomllib.loads(text), "fleet.toml")


def test_all_of_it_is_understood() -> None:
    made = parse(WHOLE)
    assert made.policy == token_health.TokenPolicy(rotate_after=timedelta(days=90), warn_before=timedelta(weeks=3))
    assert made.limits == fleet.FleetLimits(concurrency=8, rate=2.5, deadline=300.0)
    assert made.remind_after == timedelta(hours=12)
    assert [(one.index.name, one.project, one.location) for one in made.entries] == [
        ("pypi", "acme-widget", EnvironmentVariable(name="ACME_TOKEN")),
        ("testpypi", "acme-gadget", PrivateFile(path="~/gadget.token")),
        ("testpypi", "acme-widget", PrivateFile(path="~/gadget.token")),
        ("pypi", None, CommandOutput(argv=("op", "read", "op://vault/pypi/token"), limit=5.0)),
        ("pypi", "acme-widget", KeyringEntry(service=PYPI.upload_url, username="__token__")),
        ("internal", "acme-widget", KeyringEntry(service="packages", username="robot")),
    ]
    assert made.entries[0].made == datetime(2026, 1, 31, tzinfo=UTC)
    assert made.entries[1].policy.rotate_after is None
    assert made.entries[1].index == TESTPYPI


def test_a_command_gets_the_variables_that_the_fleet_and_the_project_pass() -> None:
    table = {"pass-environment": ["VAULT_KEY"], "tokens": [{"command": ["x"]}, {"env": "T"}]}
    made = fleet.parse_fleet(table, passed=("ACME_*",)).entries
    assert [one.location for one in made] == [
        CommandOutput(argv=("x",), passed=("ACME_*", "VAULT_KEY")), EnvironmentVariable(name="T"),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match=r"pass-environment: 'TWINE_\*', which includes TWINE_PASSWORD, is an upload"):
        fleet.parse_fleet({"pass-environment": ["TWINE_*"]})


def test_the_same_table_may_stand_in_the_configuration_of_a_project() -> None:
    made = config.parse_config({"fleet": {"warn-before": "2d", "tokens": [{"env": "T"}]}})
    assert fleet.parse_fleet(made.fleet, made.indexes).entries[0].policy.warn_before == timedelta(days=2)


MISTAKES = [
    ('rotate-afer = "1d"', "unknown key rotate-afer: did you mean 'rotate-after'?"),
    ('rotate-after = "soon"', 'rotate-after must be a time such as "180d"'),
    ("warn-before = 14", 'warn-before must be a time such as "180d"'),
    ('warn-before = "999999999999d"', "warn-before must be a shorter time"),
    ("concurrency = 0", "concurrency must be a number from 1 to 256, not 0"),
    ("concurrency = 2.5", "concurrency must be a number"),
    ("rate = true", "rate must be a number"),
    ("tokens = 1", "tokens must be a list of tables"),
    ('tokens = ["pypi"]', "tokens[0] must be a table"),
    ("waive = 1", "waive must be a table"),
    ("[waive]\nx = 1", "waive.x must be the reason"),
    ("[indexes.a]\nupload-url = 'https://a.example/'", "indexes.a.simple-url is missing"),
    ("[[tokens]]\nproject = 'a'", "tokens[0] has no location for its credential"),
    ("[[tokens]]\nenv = 'A'\nfile = 'b'", "tokens[0] has env and file"),
    ("[[tokens]]\nevn = 'A'", "unknown key tokens[0].evn: did you mean 'env'?"),
    ("[[tokens]]\nenv = ''", "tokens[0].env must be the name of an environment variable"),
    ("[[tokens]]\nenv = 'A'\n[[tokens]]\ncommand = 'op read x'", "tokens[1].command must be a list of words"),
    ("[[tokens]]\ncommand = []", "tokens[0].command must be a list of words"),
    ("[[tokens]]\nkeyring = false", "tokens[0].keyring must be true"),
    ("[[tokens]]\nkeyring = { user = 'x' }", "unknown key tokens[0].keyring.user: did you mean 'username'?"),
    ("[[tokens]]\nenv = 'A'\nindex = 'pypy'", "tokens[0].index: no index is called 'pypy': did you mean 'pypi'?"),
    ("[[tokens]]\nenv = 'A'\nproject = 'a b'", "tokens[0].project must be a project's name, not 'a b'"),
    ("[[tokens]]\nenv = 'A'\nproject = 'a'\nprojects = ['b']", "tokens[0] has both project and projects"),
    ("[[tokens]]\nenv = 'A'\nprojects = []", "tokens[0].projects must be a list of names"),
    ("[[tokens]]\nenv = 'A'\nmade = '2026-01-31'", "tokens[0].made must be a date, without quotes"),
]


@pytest.mark.parametrize(("text", "message"), MISTAKES)
def test_every_mistake_names_its_key(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(text)
    assert message in raised.value.message
    assert raised.value.remedy
    assert "pyproject.toml" not in raised.value.remedy


def test_in_the_configuration_the_key_is_named_from_its_top() -> None:
    with pytest.raises(ConfigError, match=r"tool\.release\.fleet\.tokens\[0\]\.env must be"):
        fleet.parse_fleet({"tokens": [{"env": 1}]})


DOCS = (Path(__file__).parents[2] / "docs" / "token-health.md").read_text(encoding="utf-8")


def test_the_fleet_of_the_documentation_is_valid() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL)
    made = parse(text)
    assert len(made.entries) == 4
    assert made.policy == token_health.TokenPolicy()
    assert made.limits == fleet.FleetLimits()
    assert made.remind_after == Fleet().remind_after
    assert set(made.waive) <= {one.name for one in CHECKS}


def test_the_documentation_names_every_table_of_the_history_and_what_is_in_it() -> None:
    made = (Path(fleet.__file__).parent / "schema.sql").read_text(encoding="utf-8")
    tables = set(re.findall(r"CREATE TABLE (\w+)", made))
    assert tables == set(re.findall(r"^\| `(\w+)` \|", DOCS, re.MULTILINE))
    for word in re.findall(r"`(\w+)`", "\n".join(row for row in DOCS.splitlines() if row.startswith("| `"))):
        assert word in made
