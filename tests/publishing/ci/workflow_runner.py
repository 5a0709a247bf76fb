"""Run the jobs of a GitHub workflow here, in the order of `needs`: artifacts are folders, a checkout is a clone.

Source: GitHub documentation, "Workflow syntax", "Evaluate expressions in workflows and actions". What it does not know,
it refuses, so that a test does not pass a workflow by.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from tests.publishing.ci.expressions import calls_status, evaluate, fill_in

_JOB_KEYS = {
    "name", "needs", "if", "runs-on", "timeout-minutes", "strategy", "permissions", "environment", "outputs", "env",
    "steps", "defaults",
}  # fmt: skip
_STEP_KEYS = {"name", "id", "if", "uses", "with", "run", "shell", "env"}
_SHELLS: Mapping[str | None, tuple[str, ...]] = {
    None: ("bash", "-e"), "bash": ("bash", "--noprofile", "--norc", "-eo", "pipefail"),
}  # fmt: skip


class StepFailedError(Exception):
    """A step of a job failed; the message has what it wrote."""


@dataclass(kw_only=True)
class WorkflowRun:
    """One run of a workflow."""

    workflow: Mapping[str, Any]
    #: the repository that is checked out
    repository: Path
    #: an empty directory for the machines and the artifacts
    work: Path
    #: the environment of each step
    env: Mapping[str, str]
    #: environment of a job with `id-token: write` → variables that its steps have in addition
    identify: Callable[[str], Mapping[str, str]]
    inputs: Mapping[str, str] = field(default_factory=dict)
    #: job → "success", "failure" or "skipped"
    results: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    #: the jobs that ran, each instance of a matrix with its member
    ran: list[str] = field(default_factory=list)
    #: instance of a job → what its failed step wrote
    failures: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Run each job that its condition allows, after those that it needs."""
        jobs = self.workflow["jobs"]
        needs = {name: _listed(job.get("needs", [])) for name, job in jobs.items()}
        for name in TopologicalSorter(needs).static_order():
            ancestors = _ancestors(needs, name)
            self.results[name] = self._run_job(name, jobs[name], needs[name], ancestors)

    def _run_job(self, name: str, job: Mapping[str, Any], needs: list[str], ancestors: set[str]) -> str:
        assert job.keys() <= _JOB_KEYS, job.keys() - _JOB_KEYS
        contexts: dict[str, Any] = {
            "needs": {one: {"result": self.results[one], "outputs": self.outputs.get(one, {})} for one in needs},
            "inputs": self.inputs,
        }
        status = {
            "failure": any(self.results[one] == "failure" for one in ancestors), "cancelled": False, "always": True,
            "success": all(self.results[one] == "success" for one in ancestors),
        }  # fmt: skip
        condition = job.get("if", "success()")
        if not (calls_status(condition) or status["success"]) or not evaluate(condition, contexts, status):
            return "skipped"
        matrix = job.get("strategy", {}).get("matrix", {"include": [{}]})
        assert matrix.keys() == {"include"}
        rows = fill_in(matrix["include"], contexts)
        assert rows, f"the matrix of {name} is empty"
        failed = False
        for row in rows:
            instance = " ".join([name, *(str(row[key]) for key in ("index", "member", "machine") if key in row)])
            self.ran.append(instance)
            try:
                self._run_steps(name, instance, job, contexts | {"matrix": row})
            except StepFailedError as error:
                self.failures[instance] = str(error)
                failed = True
        return "failure" if failed else "success"

    def _run_steps(self, name: str, instance: str, job: Mapping[str, Any], contexts: dict[str, Any]) -> None:
        machine = self.work / "machines" / instance.replace(" ", "-")
        machine.mkdir(parents=True)
        environment = fill_in(job.get("environment", ""), contexts)
        env = dict(self.env) | fill_in(job.get("env", {}), contexts)
        if job.get("permissions", {}).get("id-token") == "write":
            env |= self.identify(environment)
        done: dict[str, Any] = {}
        for step in job["steps"]:
            assert step.keys() <= _STEP_KEYS, step.keys() - _STEP_KEYS
            now = contexts | {"steps": done}
            if "if" in step and not evaluate(step["if"], now):
                continue
            if "uses" in step:
                self._use(step["uses"], fill_in(step.get("with", {}), now), machine)
            elif "pip install" not in step["run"]:  # it is there
                where = job.get("defaults", self.workflow.get("defaults", {})).get("run", {})
                output = machine.with_name(f"{machine.name}.output")
                cwd = machine / where.get("working-directory", ".")
                written = _run_shell(step, output, cwd, env | fill_in(step.get("env", {}), now))
                done[step.get("id", "")] = {"outputs": written}
        self.outputs[name] = fill_in(job.get("outputs", {}), contexts | {"steps": done})

    def _use(self, action: str, given: Mapping[str, Any], machine: Path) -> None:
        artifacts = self.work / "artifacts"
        match action.partition("@")[0]:
            case "actions/checkout":
                check_out(self.repository, machine, given.get("sparse-checkout"))
            case "actions/setup-python":
                pass
            case "actions/upload-artifact":
                source = machine / given["path"]
                if not source.exists() or (artifacts / given["name"]).exists():
                    raise StepFailedError(f"no files at {given['path']}, or the artifact {given['name']} exists")
                copy_files(source, artifacts / given["name"])
            case "actions/download-artifact":
                pattern = given.get("name") or given["pattern"]
                assert "name" in given or given["merge-multiple"] is True
                found = [one for one in artifacts.iterdir() if fnmatchcase(one.name, pattern)]
                if "name" in given and not found:
                    raise StepFailedError(f"no artifact {pattern}")
                for one in found:
                    copy_files(one, machine / given["path"])
            case other:
                raise AssertionError(f"unknown action {other}")


def check_out(repository: Path, into: Path, sparse: str | None = None) -> None:
    """Clone the repository; with `sparse`, only the paths that match these patterns."""
    git = ["git", "-C", str(into)]
    options = ["--no-checkout"] if sparse else []
    subprocess.run(["git", "clone", "-q", *options, str(repository), str(into)], check=True)
    if sparse:
        subprocess.run([*git, "sparse-checkout", "set", "--no-cone", "--stdin"], input=sparse.encode(), check=True)
        subprocess.run([*git, "checkout", "-q"], check=True)


def copy_files(source: Path, into: Path) -> None:
    """Copy a file into a directory, or what a directory has."""
    into.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, into, dirs_exist_ok=True)
    else:
        shutil.copy2(source, into / source.name)


def _run_shell(step: Mapping[str, Any], output: Path, cwd: Path, env: Mapping[str, str]) -> dict[str, str]:
    """What a step wrote to GITHUB_OUTPUT. Raises `StepFailedError`."""
    output.write_text("", encoding="utf-8")
    given = {**env, "GITHUB_OUTPUT": str(output), "RUNNER_OS": "Linux"}
    command = [*_SHELLS[step.get("shell")], "-c", step["run"]]
    done = subprocess.run(command, cwd=cwd, env=given, capture_output=True, text=True, check=False, timeout=240)
    if done.returncode:
        raise StepFailedError(f"exit status {done.returncode} of {step['run']}\n{done.stdout}{done.stderr}")
    found = dict(_outputs(output.read_text(encoding="utf-8")))
    output.unlink()
    return found


def _outputs(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        assert re.match(r"[\w-]+=", line), f"not an output: {line!r}"
        name, _, value = line.partition("=")
        yield name, value


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _ancestors(needs: Mapping[str, list[str]], name: str) -> set[str]:
    found: set[str] = set()
    queue = [*needs[name]]
    while queue:
        one = queue.pop()
        if one not in found:
            found.add(one)
            queue += needs[one]
    return found
