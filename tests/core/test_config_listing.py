"""Each setting with its origin, each mistake; and the JSON Schema, which accepts what the program accepts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pypi_preflight.config_schema import config_schema
from release.core import config
from release.core.config_listing import find_mistakes, list_settings
from release.core.errors import ConfigError
from release.core.set_settings import _SET
from release.token_health import fleet

SCHEMA = config_schema()
VALIDATOR = jsonschema.Draft7Validator(SCHEMA)
INDEX = {"upload-url": "https://packages.example/legacy/", "simple-url": "https://packages.example/simple/"}


def test_the_schema_has_every_key_and_no_other() -> None:
    properties = SCHEMA["properties"]
    assert set(properties) == set(config._READERS)
    assert set(properties["upload"]["properties"]) == set(config._UPLOAD)
    assert set(properties["smoke"]["properties"]) == set(config._SMOKE)
    assert set(properties["set"]["properties"]) == set(_SET)
    assert set(properties["indexes"]["additionalProperties"]["properties"]) == set(config._INDEX)
    assert set(properties["fleet"]["properties"]) == set(fleet._READERS)
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_defaults_of_the_schema_are_those_of_the_program() -> None:
    defaults = {key: one["default"] for key, one in SCHEMA["properties"].items() if "default" in one}
    assert config.parse_config(defaults) == config.Config()
    upload = {
        key: one["default"] for key, one in SCHEMA["properties"]["upload"]["properties"].items() if "default" in one
    }
    assert config.parse_config({"upload": upload}).upload == config.UploadSettings()
    without = set(SCHEMA["properties"]) - set(defaults)
    assert without == {"branch", "tag-format", "changelog", "dry-run-on", "smoke", "upload", "set"} | {
        "build-constraints", "require-pinned-build",
    }  # fmt: skip


@pytest.mark.parametrize(
    "table",
    [
        {"branch": "main", "maintenance-branches": ["1.x"]}, {"attest": True}, {"attest": False}, {"attest": "auto"},
        {"build-constraints": "pins.txt", "require-pinned-build": True},
        {"tag-format": "{name}-v{version}"}, {"dry-run-on": "none"}, {"indexes": {"internal": INDEX}},
        {"indexes": {"pypi": {"kind": "other"}}}, {"upload": {"concurrency": 16, "deadline": 0.5}},
        {"smoke": {"imports": [], "commands": ["acme --version"]}}, {"waive": {"the-tree-is-clean": "CI"}},
        {"checks": {"no-file-is-not-ours": "block"}}, {"set": {"members": ["packages/*"], "lockstep": True}},
        {"fleet": {"warn-before": "30d", "tokens": []}}, {"pass-environment": ["HF_TOKEN", "ACME_*"]},
    ],
)  # fmt: skip
def test_both_accept(table: Mapping[str, Any]) -> None:
    config.parse_config(table)
    VALIDATOR.validate(table)


@pytest.mark.parametrize(
    "table",
    [
        {"branche": "main"}, {"branch": 1}, {"attest": "yes"}, {"tag-format": "v1"}, {"dry-run-on": "pypi"},
        {"push-tag": "true"}, {"upload": {"concurrency": 0}}, {"upload": {"concurrency": 1.5}},
        {"upload": {"threads": 4}}, {"indexes": {"x": {**INDEX, "upload-url": "ftp://packages.example/"}}},
        {"smoke": {"imports": "acme"}}, {"waive": {"the-tree-is-clean": " "}}, {"waive": ["the-tree-is-clean"]},
        {"checks": {"no-file-is-not-ours": "error"}}, {"set": {"members": []}}, {"expected": "sdist"},
        {"pass-environment": ["A=b"]},
    ],
)  # fmt: skip
def test_both_refuse(table: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigError):
        config.parse_config(table)
    assert not VALIDATOR.is_valid(table)


def test_each_setting_has_its_value_and_whether_it_is_set() -> None:
    data = {"branch": "main", "upload": {"attempts": 2}, "indexes": {"internal": INDEX, "pypi": {"kind": "other"}}}
    found = {(one.table, one.key): one for one in list_settings(data, SCHEMA)}
    assert (found["", "branch"].value, found["", "branch"].is_set) == ("main", True)
    assert (found["", "attenuate"].value, found["", "attenuate"].is_set) == (True, False)
    assert found["", "changelog"].value is None
    assert (found["upload", "attempts"].value, found["upload", "attempts"].is_set) == (2, True)
    assert (found["upload", "concurrency"].value, found["upload", "concurrency"].is_set) == (4, False)
    assert found["indexes.internal", "upload-url"].is_set
    assert (found["indexes.pypi", "kind"].value, found["indexes.pypi", "kind"].is_set) == ("other", True)
    assert not found["indexes.pypi", "upload-url"].is_set
    assert not found["indexes.testpypi", "simple-url"].is_set


def test_every_mistake_is_found() -> None:
    data = {"branche": "main", "push-tag": 1, "upload": {"attempts": 0, "threads": 1}, "waive": {"no-such-check": "x"}}
    messages = [error.message for error in find_mistakes(data, lambda: {"the-tree-is-clean"})]
    assert len(messages) == 5
    assert "branche" in messages[0]
    assert "tool.release.upload.threads" in messages[3]
    assert not find_mistakes({"branch": "main"}, lambda: ())


def test_validate_pyproject_finds_the_schema() -> None:
    """Its entry point names the function of the facade: a project may have a module `release` of its own."""
    import tomllib

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    entry = project["entry-points"]["validate_pyproject.tool_schema"]
    assert entry == {"release": "pypi_preflight.config_schema:config_schema"}
    assert json.dumps(SCHEMA)
    assert SCHEMA["$schema"].startswith("http://json-schema.org/draft-07/")


@pytest.mark.parametrize("table", ["set", "fleet"])
def test_a_table_that_means_something_by_being_there_is_listed_only_then(table: str) -> None:
    def listed(data: Mapping[str, Any]) -> bool:
        return any(one.table.startswith(table) for one in list_settings(data, SCHEMA))

    assert listed({table: {}})
    assert not listed({})


@pytest.mark.parametrize("table", ["smoke", "upload", "set", "waive", "checks", "indexes"])
def test_each_mistake_of_a_table_is_one_of_its_own(table: str) -> None:
    found = find_mistakes({table: {"first-mistake": 1, "second-mistake": 2}}, lambda: ())
    assert len(found) == 2
    assert len({one.message for one in found}) == 2
