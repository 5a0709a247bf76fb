"""The definition of the action: pinned, without a secret in a command, and with the inputs of its program."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.publishing.ci import github
from release.publishing.ci.job_inputs import JobInputs
from tests.publishing.ci.workflow_files import parsed

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "action.yml").read_text(encoding="utf-8")
ACTION: Any = parsed(TEXT)
#: inputs of pypa/gh-action-pypi-publish, v1.14.2
KNOWN = {
    "user", "password", "repository-url", "packages-dir", "verify-metadata", "skip-existing", "verbose", "print-hash",
    "attestations", "repository_url", "packages_dir", "verify_metadata", "skip_existing", "print_hash",
}  # fmt: skip


def test_its_own_steps_are_pinned_as_in_the_workflows_and_no_shell_sees_an_expression() -> None:
    uses = re.findall(r"uses: (.*)", TEXT)
    assert uses
    assert set(uses) <= set(github.ACTIONS.values())
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")


def test_it_has_the_inputs_of_the_publishing_action_and_those_of_its_program() -> None:
    inputs = ACTION["inputs"]
    assert inputs.keys() >= KNOWN
    ours = {field.name.replace("_", "-"): field.default for field in fields(JobInputs)}
    assert inputs.keys() == KNOWN | ours.keys()
    assert not any(one["required"] for one in inputs.values()), "a workflow moves by its `uses` alone"
    for name, default in ours.items():
        assert inputs[name].get("default", "") in {"", str(default).lower()}


def test_each_input_is_passed_once_and_the_password_to_one_step() -> None:
    *others, last = ACTION["runs"]["steps"]
    assert "password" not in str(others)
    for name in ACTION["inputs"]:
        if "_" in name:
            continue
        former = name.replace("-", "_")
        expected = f"inputs.{name} || inputs.{former}" if former in KNOWN and "-" in name else f"inputs.{name}"
        assert last["env"][f"INPUT_{former.upper()}"] == f"${{{{ {expected} }}}}"
    assert {step.get("env", {}).get("PYTHONPATH") for step in (others[1], last)} == {""}


def test_the_lock_has_each_requirement_of_this_package_with_hashes() -> None:
    lock = (ROOT / ".github" / "action-requirements.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"(?m)^([\w.-]+)==(\S+)", lock))
    assert all(re.search(rf"(?ms)^{name}==[^\n]*\n    --hash=sha256:", lock) for name in locked)
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*document["project"]["dependencies"], *document["project"]["optional-dependencies"]["attest"]]
    for text in (*wanted, *document["build-system"]["requires"]):
        one = Requirement(text)
        assert one.specifier.contains(locked[canonicalize_name(one.name)], prereleases=True), (
            f"{text}: lock it again by the command at the top of .github/action-requirements.txt"
        )


@pytest.mark.parametrize("name", ["verdict", "cause", "record"])
def test_the_outputs_are_those_of_the_step_that_runs_it(name: str) -> None:
    assert ACTION["outputs"][name]["value"] == f"${{{{ steps.run.outputs.{name} }}}}"
