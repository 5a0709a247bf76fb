"""The first checklist: each statement beside the case in which it fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.checks.engine import run
from release.checks.source_checks import CHECKS, missing_python
from release.checks.tag_checks import OF_THE_REPOSITORY
from release.core.config import Config
from release.core.facts import GitState, ProjectMetadata, Source
from release.core.models.check_result import CheckState, Unknown
from release.core.models.interpreter import Interpreter, RequiredPython
from release.core.models.source_tree import Submodule

COMMIT, OTHER = "a" * 40, "b" * 40
LOST = Unknown(reason="no answer", remedy="try again")


def git(**changes: Any) -> GitState:
    clean = GitState(
        commit=COMMIT, branch="main", changes=(), upstream="origin/main", behind=0, tagged_commit=None, shallow=False
    )
    return replace(clean, **changes)


def source(config: Config = Config(), **changes: Any) -> Source:  # noqa: B008 - frozen
    whole = Source(
        config=config, project=ProjectMetadata(name="acme", version="1.0"), git=git(), tag="v1.0", changelog=None
    )
    return replace(whole, **changes)


def python(specifier: str, *versions: tuple[int, int, int], chosen: bool = False) -> RequiredPython:
    running = Interpreter(path=Path("python"), version=(3, 11, 7))
    return RequiredPython(
        specifier=specifier, declared_in="requires-python in pyproject.toml", running=running,
        chosen=replace(running, version=(3, 13, 0)) if chosen else None, others=(running.version, *versions),
    )  # fmt: skip


def failing(facts: Source) -> dict[str, CheckState]:
    return {
        o.check: o.state for o in run(CHECKS, facts) if o.state not in {CheckState.PASSED, CheckState.NOT_APPLICABLE}
    }


def test_a_project_in_order_passes() -> None:
    assert failing(source()) == {}


@pytest.mark.parametrize(
    ("facts", "check", "state"),
    [
        (source(project=LOST), "the-project-says-its-name-and-version", CheckState.UNKNOWN),
        (source(project=ProjectMetadata(name="-acme", version="1.0")), "the-name-is-valid", CheckState.FAILED),
        (source(project=ProjectMetadata(name="acmé", version="1.0")), "the-name-is-valid", CheckState.FAILED),
        (source(project=ProjectMetadata(name="acme", version="one")), "the-version-is-valid", CheckState.FAILED),
        (source(project=ProjectMetadata(name="acme", version="1.0+g1")), "the-version-is-valid", CheckState.FAILED),
        (source(python=python(">=3.13")), "a-required-python-is-installed", CheckState.FAILED),
        (source(python=python("<3.10", (3, 12, 1))), "a-required-python-is-installed", CheckState.FAILED),
        (source(python=python(">=3.99")), "a-required-python-is-installed", CheckState.FAILED),
        (source(git=None), "the-project-is-in-a-repository", CheckState.FAILED),
        (source(git=LOST), "the-project-is-in-a-repository", CheckState.UNKNOWN),
        (source(git=git(changes=("setup.py",))), "the-tree-is-clean", CheckState.FAILED),
        (source(Config(branch="stable")), "the-branch-is-the-release-branch", CheckState.FAILED),
        (source(Config(branch="main"), git=git(branch=None)), "the-branch-is-the-release-branch", CheckState.FAILED),
        (source(git=git(tagged_commit=OTHER)), "the-tag-is-free-or-here", CheckState.FAILED),
        (source(git=git(behind=2)), "the-branch-is-not-behind-its-upstream", CheckState.FAILED),
        (source(git=git(behind=LOST)), "the-branch-is-not-behind-its-upstream", CheckState.UNKNOWN),
        (source(Config(changelog="NEWS")), "the-changelog-mentions-the-version", CheckState.FAILED),
        (
            source(Config(changelog="NEWS"), changelog="## 11.0\n## 1.0.1\n"),
            "the-changelog-mentions-the-version",
            CheckState.FAILED,
        ),
    ],
)
def test_each_statement_can_fail(facts: Source, check: str, state: CheckState) -> None:
    assert failing(facts)[check] == state
    outcome = next(o for o in run(CHECKS, facts) if o.check == check)
    assert outcome.remedy or all(finding.remedy for finding in outcome.findings)


@pytest.mark.parametrize(
    "facts",
    [
        source(Config(branch="main")),
        source(Config(branch="main"), git=git(branch=None, tagged_commit=COMMIT)),
        source(git=git(tagged_commit=COMMIT)),
        source(git=git(upstream=None, behind=LOST)),
        source(Config(changelog="NEWS"), changelog="Changes\n\n## [1.0] - today\n"),
        source(Config(changelog="NEWS"), changelog="acme 1.0.\n"),
        source(python=python(">=3.13", chosen=True)),
        source(project=ProjectMetadata(name="Acme.Widget_2", version="1.0rc1.post2")),
    ],
)
def test_the_neighbour_of_each_failure_passes(facts: Source) -> None:
    assert failing(facts) == {}


def test_a_failure_without_a_repository_has_no_consequences() -> None:
    assert failing(source(git=None)) == {
        "the-project-is-in-a-repository": CheckState.FAILED,
        "the-tree-is-clean": CheckState.SKIPPED,
        "the-submodules-are-checked-out": CheckState.SKIPPED,
        "the-branch-is-the-release-branch": CheckState.SKIPPED,
        "the-tag-is-free-or-here": CheckState.SKIPPED,
        "the-branch-is-not-behind-its-upstream": CheckState.SKIPPED,
    }


def submodules(**changes: Any) -> dict[str, CheckState]:
    one = Submodule(path="acme/data", checked_out=False, used_because="it is in the package 'acme'")
    return failing(
        source(git=git(submodules=(Submodule(path="docs/theme", checked_out=False), replace(one, **changes))))
    )


def test_a_missing_submodule_is_refused_where_the_release_needs_it() -> None:
    assert submodules() == {"the-submodules-are-checked-out": CheckState.FAILED}
    assert submodules(checked_out=True) == {}
    assert submodules(used_because=None) == {}


@pytest.mark.parametrize("named", [True, False])
def test_the_remedy_for_a_missing_submodule_checks_it_out(*, named: bool) -> None:
    one = Submodule(path="acme/data", checked_out=False, used_because="it is in the package 'acme'", named=named)
    (finding,) = (f for o in run(CHECKS, source(git=git(submodules=(one,)))) for f in o.findings)
    assert finding.remedy.endswith("git submodule update --init --recursive")
    assert (".gitmodules" in finding.remedy) is not named


@pytest.mark.parametrize(
    ("required", "message", "remedy"),
    [
        (
            python(">=3.13", (3, 12, 1)),
            "the project requires Python '>=3.13' (requires-python in pyproject.toml); found only 3.11.7, 3.12.1",
            (
                "install one of 3.13, 3.14, 3.15: uv python install 3.13, or pyenv install 3.13; then run the same "
                "command again"
            ),
        ),
        (
            python("<3.10"),
            "the project requires Python '<3.10' (requires-python in pyproject.toml); found only 3.11.7",
            "install one of 3.8, 3.9: uv python install 3.9, or pyenv install 3.9; then run the same command again",
        ),
        (
            python(">=3.99"),
            "the project requires Python '>=3.99' (requires-python in pyproject.toml); found only 3.11.7",
            "correct requires-python in pyproject.toml: no known Python version satisfies it",
        ),
    ],
)
def test_versions_that_satisfy_the_requirement_are_named(required: RequiredPython, message: str, remedy: str) -> None:
    finding = missing_python(required)
    assert (finding.message, finding.remedy) == (message, remedy)


def test_a_missing_submodule_fails_a_rehearsal_too() -> None:
    assert "the-tree-is-clean" in OF_THE_REPOSITORY
    assert "the-submodules-are-checked-out" not in OF_THE_REPOSITORY
