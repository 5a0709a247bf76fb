"""`explain`: each cause has what it is, how it shows, how to mend it and where that is known from."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest

from release.cli.commands import load_command
from release.core.errors import UsageError
from release.diagnostics.catalog import CATALOG

ROOT = Path(__file__).parents[2]


def explain(*words: str, **options: bool) -> str:
    """What the verb writes."""
    said: list[str] = []
    chosen: dict[str, Any] = {
        "cause": words[0] if words else None,
        "all": False,
        "checks": False,
        "markdown": False,
        "json": False,
    }
    assert load_command("explain").run(argparse.Namespace(**{**chosen, **options}), said.append) == 0
    return "".join(said)


def test_each_cause_is_explained() -> None:
    for id_ in CATALOG:
        text, data = explain(id_), json.loads(explain(id_, json=True))
        for heading in (id_, "Symptoms:", "Remedy:", "Sources: "):
            assert heading in text
        assert (data["schema"], data["id"]) == (1, id_)
        assert all(data[name] for name in ("title", "explanation", "remedy", "sources")), data
        assert data["symptoms"] or data["also"] or data["shows"], data
        assert explain(id_, markdown=True).startswith(f"### `{id_}`")


def test_all_of_them_are_one_document() -> None:
    assert [one["id"] for one in json.loads(explain(all=True, json=True))["causes"]] == list(CATALOG)
    text = explain(all=True)
    assert all(id_ in text for id_ in CATALOG)
    page = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    assert explain(all=True, markdown=True) == page


@pytest.mark.parametrize(
    ("word", "meant"), [("cred.mising", "cred.missing"), ("quotes", "cred.quotes"), ("truncated", "cred.truncated")]
)
def test_an_unknown_cause_is_a_usage_error_that_says_what_may_be_meant(word: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean '{meant}'") as caught:
        explain(word)
    assert caught.value.exit == 2


def test_a_check_is_explained() -> None:
    text, data = explain("the-tree-is-clean"), json.loads(explain("the-tree-is-clean", json=True))
    for words in ("No uncommitted changes", "Remedy:", "[tool.release.waive]", 'the-tree-is-clean = "your reason"'):
        assert words in text
    assert (data["schema"], data["check"]) == (1, "the-tree-is-clean")
    assert explain("the-tree-is-clean", markdown=True).startswith("### `the-tree-is-clean`")


def test_all_checks_are_explained_with_the_causes_and_alone() -> None:
    every, alone = json.loads(explain(all=True, json=True)), json.loads(explain(checks=True, json=True))
    assert every["checks"] == alone["checks"]
    assert "causes" not in alone
    assert "what-was-installed-works" in explain(all=True)
    assert "cred.missing\n" not in explain(checks=True)
    assert explain(checks=True, markdown=True) == (ROOT / "docs" / "checks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("the-tree-is-claen", "the-tree-is-clean"),
        ("the_token_lasts", "the-token-lasts"),
        ("The-Name-Is-Valid", "the-name"),
    ],
)
def test_an_unknown_check_gets_a_proposal(word: str, meant: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean '{meant}"):
        explain(word)


def test_one_cause_or_all_and_never_neither_nor_both() -> None:
    for words, options in (((), {}), (("cred.missing",), {"all": True}), ((), {"all": True, "checks": True})):
        with pytest.raises(UsageError, match="one cause or check, or --all"):
            explain(*words, **options)


#: in the form of a cause: keys of pyproject.toml, file names, a module of `build`, and an example of a task
OTHER_NAMES = {
    "project.version", "project.description", "project.readme", "version.py", "version.txt", "build.env", "name.build"
}  # fmt: skip


def test_every_cause_that_the_program_names_has_a_record() -> None:
    """A name without a record would be a riddle."""
    family = "|".join(sorted({id_.partition(".")[0] for id_ in CATALOG}))
    said = re.compile(rf'"((?:{family})\.[a-z0-9]+(?:-[a-z0-9]+)*)"')
    names: dict[str, Path] = {}
    for path in sorted((ROOT / "release").rglob("*.py")):
        names |= dict.fromkeys(said.findall(path.read_text(encoding="utf-8")), path)
    unknown = {name: path.name for name, path in names.items() if name not in CATALOG.keys() | OTHER_NAMES}
    assert unknown == {}
    assert len(names) > 80, "the pattern finds them"
