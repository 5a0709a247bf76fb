"""[tool.release]: every key optional, every mistake named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from release.core.config import Config, parse_config
from release.core.errors import ConfigError, Exit
from release.core.models.index import PYPI, TESTPYPI


def test_nothing_need_be_configured() -> None:
    config = parse_config({})
    assert config == Config()
    assert (config.index("pypi"), config.index("testpypi")) == (PYPI, TESTPYPI)
    assert config.tag_format is None


def test_the_reason_of_a_waiver_is_one_line() -> None:
    assert parse_config({"waive": {"a": "known,\n  ::error::x\n"}}).waive == {"a": "known, ::error::x"}


def test_an_index_of_ones_own() -> None:
    config = parse_config(
        {"indexes": {"mine": {"upload-url": "https://a.example/up", "simple-url": "https://a.example/simple/"}}}
    )
    assert config.index("mine").upload_url == "https://a.example/up/"
    assert config.index("mine").kind == "other"
    assert config.index("pypi") == PYPI


def test_a_known_index_may_be_played_by_another_server() -> None:
    urls = {"upload-url": "http://127.0.0.1:8000/legacy/", "simple-url": "http://localhost:8000/simple/"}
    index = parse_config({"indexes": {"pypi": urls}}).index("pypi")
    assert (index.kind, index.token_location) == ("warehouse", "127.0.0.1")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"brnach": "main"}, "unknown key tool.release.brnach: did you mean 'branch'?"),
        ({"branch": 3}, "tool.release.branch must be a non-empty string, not 3"),
        ({"branch": ""}, "tool.release.branch must be a non-empty string, not ''"),
        ({"tag-format": "release"}, "tool.release.tag-format must be"),
        ({"tag-format": "{verzion}"}, "tool.release.tag-format must be"),
        ({"tag-format": "1.0"}, "tool.release.tag-format must be"),
        ({"indexes": []}, "tool.release.indexes must be a table"),
        ({"indexes": {"x\n::error::": {}}}, r"the name 'x\n::error::' has control characters"),
        ({"indexes": {"x": 1}}, "tool.release.indexes.x must be a table"),
        ({"indexes": {"x": {"upload-url": "https://a.example/"}}}, "tool.release.indexes.x.simple-url is missing"),
        ({"indexes": {"pypi": {"uploadurl": "x"}}}, "did you mean 'upload-url'?"),
        ({"indexes": {"pypi": {"stages-url": "https://a.example/"}}}, "is not on this machine"),
        ({"indexes": {"pypi": {"upload-url": "ftp://a.example/"}}}, "must be an http(s) URL"),
        ({"indexes": {"pypi": {"upload-url": "https://"}}}, "must be an http(s) URL"),
        ({"indexes": {"pypi": {"upload-url": "https://a.example:x/"}}}, "must be a URL"),
        ({"indexes": {"pypi": {"upload-url": "http://a.example/"}}}, "is plain http"),
        ({"indexes": {"pypi": {"upload-url": "https://u:p@a.example/"}}}, "contains a user name or password"),
        ({"indexes": {"pypi": {"kind": "devpi"}}}, "unknown 'devpi'"),
        ({"smoke": {"import": ["a"]}}, "did you mean 'imports'?"),
        ({"smoke": {"imports": "a"}}, "tool.release.smoke.imports must be a list of strings"),
        ({"waive": {"the-tree-is-clean": ""}}, "must be the reason, as a string"),
        ({"checks": {"the-tree-is-clean": "off"}}, "unknown 'off'"),
        ({"pass-environment": "HF_TOKEN"}, "tool.release.pass-environment must be a list of strings"),
        ({"pass-environment": ["A-B"]}, "must be a list of names of variables, such as HF_TOKEN or ACME_*, not 'A-B'"),
        ({"pass-environment": ["*_TOKEN"]}, "must be a list of names of variables"),
        ({"pass-environment": ["TWINE_PASSWORD"]}, "pass-environment: 'TWINE_PASSWORD' is an upload credential"),
        (
            {"pass-environment": ["UV_*"]},
            "pass-environment: 'UV_*', which includes UV_PUBLISH_TOKEN, is an upload cred",
        ),
        ({"pass-environment": ["*"]}, "pass-environment: '*', which includes TWINE_PASSWORD, is an upload credential"),
    ],
)
def test_a_mistake_is_named_with_its_path(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(table)
    assert said in caught.value.message
    assert caught.value.remedy
    assert caught.value.exit == Exit.USAGE


def test_a_password_in_a_url_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({"indexes": {"pypi": {"upload-url": "https://user:hunter2@a.example/"}}})
    assert "hunter2" not in caught.value.message + caught.value.remedy


def test_an_unknown_index_is_named_with_its_neighbour() -> None:
    with pytest.raises(ConfigError, match="no index is called 'testpipy': did you mean 'testpypi'"):
        parse_config({}).index("testpipy")


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("intern", "intern"), ("my-index_2", "my-index_2"), ("https://a.example/legacy/", "NAME"), ("a.b", "NAME"),
        ("ünter", "NAME"), ("", "NAME"),
    ],
)  # fmt: skip
def test_the_table_for_an_unknown_index_is_valid_toml(name: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config({}).index(name)
    assert caught.value.remedy.endswith(f"add a table [tool.release.indexes.{key}]")


def test_how_hard_uploads_try_is_configurable() -> None:
    table = {"concurrency": 1, "attempts": 2, "deadline": 60, "longest-wait": 1.5}
    upload = parse_config({"upload": table}).upload
    assert (upload.concurrency, upload.attempts, upload.deadline, upload.longest_wait) == (1, 2, 60, 1.5)
    assert parse_config({}).upload.concurrency == 4


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"concurency": 4}, r"tool\.release\.upload\.concurency: did you mean 'concurrency'\?"),
        ({"concurrency": 0}, r"tool\.release\.upload\.concurrency must be a number from 1 to 16, not 0"),
        ({"concurrency": 2.0}, "must be a number from 1 to 16"),
        ({"attempts": True}, "must be a number from 1 to 100, not True"),
        ({"deadline": -1}, "must be seconds, from 0 to 86400"),
        ({"longest-wait": "1 min"}, "must be seconds, from 0 to 86400, not '1 min'"),
    ],
)
def test_what_uploads_can_not_do_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config({"upload": table})


@pytest.mark.parametrize(("value", "meant"), [("auto", "auto"), (True, "must"), (False, "never")])
def test_attestations_are_made_where_they_can_be_or_must_be_or_not_at_all(value: object, meant: str) -> None:
    assert parse_config({"attest": value}).attest == meant


@pytest.mark.parametrize("value", ["yes", 1.5, [], {}])
def test_no_other_word_is_taken_for_attestations(value: object) -> None:
    with pytest.raises(ConfigError, match='true, false or "auto"'):
        parse_config({"attest": value})


@pytest.mark.parametrize(
    ("fleet", "days"), [({}, 14), ({"warn-before": "3d"}, 3), ({"warn-before": "2w"}, 14), ({"warn-before": 3}, 14)]
)
def test_when_a_token_is_reported_before_it_expires(fleet: dict[str, object], days: int) -> None:
    """An error in the fleet must not stop a release."""
    assert parse_config({"fleet": fleet}).warn_before == timedelta(days=days)


def test_an_index_has_the_name_of_its_table() -> None:
    table = {"upload-url": "https://a.example/up", "simple-url": "https://a.example/simple/"}
    index = parse_config({"indexes": {"mine": table}}).index("mine")
    assert (index.name, index.kind) == ("mine", "other")


@pytest.mark.parametrize("login", ["ann@", "ann:x@", ":x@"])
def test_an_address_with_any_part_of_a_login_is_refused(login: str) -> None:
    table = {"upload-url": f"https://{login}a.example/up", "simple-url": "https://a.example/simple/"}
    with pytest.raises(ConfigError, match=r"contains a user name or password$"):
        parse_config({"indexes": {"mine": table}})


def test_stages_are_of_the_sandbox_alone() -> None:
    with pytest.raises(ConfigError, match=r"is not on this machine: 'https://a\.example/'") as wrong:
        parse_config({"indexes": {"pypi": {"stages-url": "https://a.example/"}}})
    assert wrong.value.remedy == (
        "remove it; only the sandbox has staged releases so far: pypi-preflight sandbox --staged"
    )
