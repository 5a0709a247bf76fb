"""Every check has a name of its own, a title, a remedy and a way to accept it; the page equals the checks."""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from release import checks
from release.checks.all_checks import causes_of, check_names, checks_by_name, is_index_refusal
from release.checks.engine import Checklist
from release.checks.general_remedies import DEFAULT_REMEDY, GENERAL_REMEDIES
from release.core.config import parse_config
from release.core.errors import ConfigError
from release.diagnostics.catalog import CATALOG
from release.reports import checks_page
from release.token_health.fleet import parse_fleet, parse_fleet_file

ROOT = Path(__file__).parents[2]


def test_every_check_of_every_checklist_is_there() -> None:
    for found in pkgutil.iter_modules(checks.__path__):
        module = importlib.import_module(f"release.checks.{found.name}")
        for value in vars(module).values():
            if isinstance(value, Checklist):
                assert {one.name for one in value} <= check_names(), module.__name__


def test_a_check_and_a_cause_never_share_a_name() -> None:
    assert not check_names() & set(CATALOG)
    assert not [name for name in check_names() if "." in name]


def test_a_check_is_described_and_can_be_accepted() -> None:
    for check in checks_by_name().values():
        document = checks_page.check_to_json(check, CATALOG)
        assert document["title"], check.name
        assert document["remedy"].endswith(".")
        waiver = tomllib.loads(document["waiver"])["tool"]["release"]
        assert parse_config(waiver, check_names).waive == {check.name: "your reason"}
        for text in (checks_page.check_to_text(check, CATALOG), checks_page.check_to_markdown(check, CATALOG)):
            assert check.name in text
            assert check.title in text
        assert [line for line in checks_page.check_to_text(check, CATALOG).splitlines() if len(line) > 80] == []
        assert set(document["causes"]) <= set(CATALOG)


def test_each_remedy_is_of_a_check() -> None:
    assert set(GENERAL_REMEDIES) <= check_names()
    generic = [name for name in check_names() if GENERAL_REMEDIES.get(name, DEFAULT_REMEDY) == DEFAULT_REMEDY]
    assert len(generic) < 25, generic


def test_each_program_line_in_a_remedy_names_a_command() -> None:
    from release.cli.commands import COMMANDS

    text = " ".join(GENERAL_REMEDIES.values())
    assert set(re.findall(r"`pypi-preflight ([a-z]+)", text)) <= set(COMMANDS)


def test_causes_are_those_that_the_check_names() -> None:
    by_name = checks_by_name()
    assert causes_of(by_name["the-version-is-valid"], CATALOG) == ("version.local",)
    assert "meta.summary-long" in causes_of(by_name["the-index-takes-the-metadata"], CATALOG)
    assert "size.file" in causes_of(by_name["the-index-has-room"], CATALOG)
    assert causes_of(by_name["the-tree-is-clean"], CATALOG) == ()


def test_what_the_index_refuses_is_not_helped_by_a_waiver() -> None:
    by_name = checks_by_name()
    for name in ("the-index-takes-the-metadata", "the-token-is-whole", "twine-takes-the-files"):
        assert is_index_refusal(by_name[name])
        assert "refuses" in checks_page.check_to_text(by_name[name], CATALOG)
    assert not is_index_refusal(by_name["the-tree-is-clean"])


def test_the_page_equals_the_checks() -> None:
    """To write it anew: pypi-preflight explain --checks --markdown > docs/checks.md."""
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    assert page == checks_page.checks_to_markdown(CATALOG)


def test_the_anchors_of_the_page_are_headings() -> None:
    page = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")
    headings = set(re.findall(r"(?m)^### `(.+)`$", page))
    assert set(re.findall(r"\]\(#([\w-]+)\)", page)) == headings == check_names()
    failures = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    for cause, anchor in re.findall(r"\[`([^`]+)`\]\(failures\.md#([\w-]+)\)", page):
        assert f"### `{cause}`" in failures
        assert anchor == cause.replace(".", "")


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"waive": {"the-tree-is-claen": "x"}}, "tool.release.waive: no check is called 'the-tree-is-claen'"),
        ({"waive": {"the_tree_is_clean": "x"}}, "did you mean 'the-tree-is-clean'?"),
        ({"checks": {"no-file-is-not-our": "block"}}, "did you mean 'no-file-is-not-ours'?"),
        ({"checks": {"nonsense": "warn"}}, "tool.release.checks: no check is called 'nonsense'"),
        ({"waive": {"version.local": "a cause"}}, "no check is called 'version.local'"),
    ],
)
def test_an_unknown_check_in_the_configuration_is_an_error(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(table, check_names)
    assert said in caught.value.message
    assert "explain --checks" in caught.value.remedy
    assert caught.value.exit == 2


def test_an_unknown_check_in_a_fleet_is_an_error() -> None:
    wrong = {"waive": {"the-token-is-for-one-projekt": "x"}}
    with pytest.raises(ConfigError, match="did you mean 'the-token-is-for-one-project'"):
        parse_fleet(wrong)
    with pytest.raises(ConfigError, match=r"fleet\.toml|waive"):
        parse_fleet_file(wrong, "fleet.toml")


def test_names_of_checks_are_accepted_in_the_configuration() -> None:
    table = {
        "waive": {"the-tree-is-clean": "x", "what-was-installed-works": "y"},
        "checks": {"the-token-lasts": "block"},
    }
    made = parse_config(table, check_names)
    assert set(made.waive) == {"the-tree-is-clean", "what-was-installed-works"}
    assert made.block == {"the-token-lasts"}
