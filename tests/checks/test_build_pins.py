"""What is reported of pinned builds, before the build and after it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from release.checks import build_pins, source_checks
from release.checks.engine import run
from release.core.build_constraints import BuildPins, parse_constraints
from release.core.config import Config
from release.core.facts import BuiltFiles, ProjectMetadata, Source
from release.core.models.build_requirement import BuildEnvironments, InstalledRequirement
from release.core.models.check_result import CheckState, Outcome, Unknown

A = "a" * 64
GOOD = f"hatchling==1.33 --hash=sha256:{A}"
FILE = "pins.txt"


def source_outcome(text: str | None, *requires: str, required: bool = False, tracked: bool = True) -> Outcome:
    config = Config(build_constraints=FILE if text is not None else None, require_pinned_build=required)
    pins = None
    if text is not None:
        pins = BuildPins(constraints=parse_constraints(text), requires=requires or ("hatchling",), tracked=tracked)
    project = ProjectMetadata(name="acme", version="1")
    source = Source(config=config, project=project, git=None, tag=None, changelog=None, build_pins=pins)
    return outcome_of(source)


def outcome_of(source: Source) -> Outcome:
    (found,) = run([source_checks.the_build_constraints_are_complete], source)
    return found


def test_complete_constraints_pass_and_none_do_not_apply() -> None:
    assert source_outcome(GOOD, required=True).state is CheckState.PASSED
    assert source_outcome(None).state is CheckState.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("text", "requires", "tracked", "message"),
    [
        (GOOD, "cython", True, "'pins.txt' does not pin what [build-system] requires: 'cython'"),
        ("hatchling==1.33", "hatchling", True, "'pins.txt', line 1: 'hatchling' has no --hash=sha256:…"),
        (f"hatchling>1 --hash=sha256:{A}", "hatchling", True, "'pins.txt', line 1: 'hatchling' is not pinned by =="),
        (GOOD, "hatchling", False, "'pins.txt' is not in git, so a build elsewhere is not held to it"),
    ],
)
def test_what_is_not_pinned_blocks_where_it_must_be(text: str, requires: str, tracked: bool, message: str) -> None:
    for required, state in ((False, CheckState.WARNED), (True, CheckState.FAILED)):
        found = source_outcome(text, requires, required=required, tracked=tracked)
        assert (found.state, [one.message for one in found.findings]) == (state, [message])
        assert found.findings[0].cause == "build.unpinned"


def test_a_contradiction_always_blocks() -> None:
    found = source_outcome(GOOD, "hatchling>=2")
    assert found.state is CheckState.FAILED
    assert (
        found.findings[0].message == "'pins.txt' contradicts [build-system] requires: 'hatchling>=2 (hatchling==1.33)'"
    )


def test_a_backend_that_was_refused_is_reported_once() -> None:
    source = Source(
        config=Config(build_constraints=FILE), git=None, tag=None, changelog=None,
        project=Unknown(reason="refused", remedy="do", cause="build.unpinned"),
        build_pins=BuildPins(constraints=parse_constraints(""), requires=("hatchling",), tracked=True),
    )  # fmt: skip
    assert outcome_of(source).state is CheckState.NOT_APPLICABLE
    other = replace(source, project=Unknown(reason="broken", remedy="do"))
    assert outcome_of(other).state is CheckState.WARNED


def built_outcome(**facts: Any) -> Outcome:
    built = BuiltFiles(project=None, files=(), now=datetime(2026, 11, 28, tzinfo=UTC), **facts)
    (found,) = run(build_pins.OF_BUILD, built)
    return found


def environments(*unpinned: str) -> BuildEnvironments:
    return BuildEnvironments(requirements=(InstalledRequirement(name="a", version="1"),), unpinned=unpinned)


@pytest.mark.parametrize(
    ("facts", "states"),
    [
        ({"build_environments": environments()}, (CheckState.PASSED, CheckState.PASSED)),
        ({"build_environments": environments("a==1")}, (CheckState.WARNED, CheckState.FAILED)),
        ({}, (CheckState.WARNED, CheckState.FAILED)),
        ({"given": True}, (CheckState.NOT_APPLICABLE, CheckState.WARNED)),
    ],
)
def test_what_was_installed_is_judged_by_the_setting(facts: dict[str, Any], states: tuple[CheckState, ...]) -> None:
    found = [built_outcome(**facts, pinned_build=(FILE, required)) for required in (False, True)]
    assert tuple(one.state for one in found) == states
    assert built_outcome(**facts).state is CheckState.NOT_APPLICABLE
