"""Run the jobs of a GitLab pipeline here, stage by stage, and its child pipeline: artifacts are folders.

Source: GitLab documentation, "CI/CD YAML syntax reference", "Downstream pipelines". What it does not know, it refuses,
so that a test does not pass a pipeline by.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.publishing.ci.workflow_files import parsed
from tests.publishing.ci.workflow_runner import StepFailedError, check_out, copy_files

_GLOBAL = {"stages", "default", "variables"}
_JOB_KEYS = {
    "stage", "extends", "rules", "variables", "before_script", "script", "artifacts", "environment", "resource_group",
    "needs", "trigger", "image", "interruptible", "id_tokens",
}  # fmt: skip


@dataclass(kw_only=True)
class PipelineRun:
    """One run of a pipeline, with its child."""

    text: str
    repository: Path
    work: Path
    env: Mapping[str, str]
    #: environment of a job → the CI/CD variables of its scope
    scoped: Callable[[str], Mapping[str, str]]
    #: the predefined variables that rules read
    predefined: Mapping[str, str]
    ran: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    #: variables of dotenv reports
    dotenv: dict[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Run each stage after the one before, unless a job of that failed."""
        document = parsed(self.text)
        variables = {name: _default(value) for name, value in document["variables"].items()}
        jobs = {name: _extended(document, one) for name, one in document.items() if name not in _GLOBAL}
        for stage in document["stages"]:
            for name, job in jobs.items():
                if job.get("stage") == stage and not name.startswith(".") and self._applies(job):
                    self._run_job(name, job, variables)
            if self.failures:
                return

    def _applies(self, job: Mapping[str, Any]) -> bool:
        """Whether any of its rules holds: a variable, its comparison, or its match."""
        for rule in job.get("rules", [{"if": '$CI_PIPELINE_SOURCE != "no"'}]):
            found = re.fullmatch(r'\$(\w+)(?: (==|!=|=~) (?:"(.*)"|/(.*)/))?', rule["if"])
            assert found, f"unknown rule {rule}"
            value = self.predefined.get(found[1], "")
            if found[2] is None:
                holds = bool(value)
            elif found[2] == "=~":
                holds = re.search(found[4].replace(r"\/", "/"), value) is not None
            else:
                holds = (value == found[3]) == (found[2] == "==")
            if holds:
                return True
        return False

    def _run_job(self, name: str, job: Mapping[str, Any], variables: Mapping[str, str]) -> None:
        assert job.keys() <= _JOB_KEYS, job.keys() - _JOB_KEYS
        artifacts = self.work / "artifacts"
        if "trigger" in job:
            (included,) = job["trigger"]["include"]
            assert job["trigger"]["strategy"] == "depend"
            child = PipelineRun(
                text=(artifacts / included["artifact"]).read_text(), repository=self.repository,
                work=self.work / "child", env=self.env, scoped=self.scoped, predefined=self.predefined, ran=self.ran,
                failures=self.failures,
            )  # fmt: skip
            child.run()
            return
        self.ran.append(name)
        machine = self.work / "machines" / name
        machine.mkdir(parents=True)
        settings = {**variables, **job.get("variables", {})}
        if settings.get("GIT_STRATEGY") != "none":
            check_out(self.repository, machine)
        if artifacts.exists():
            copy_files(artifacts, machine)
        given = {**self.dotenv, **self.scoped(job.get("environment", ""))}
        expanded = {key: _expanded(value, given) for key, value in settings.items()}
        env = {**self.env, **expanded, **given}
        lines = [one for one in (*job.get("before_script", ()), *job["script"]) if not _installs(one)]
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
            cwd=machine, env=env, capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
        if done.returncode:
            failed = StepFailedError(f"exit status {done.returncode} of {lines}\n{done.stdout}{done.stderr}")
            self.failures[name] = str(failed)
            if job.get("artifacts", {}).get("when") != "always":
                return
        self._collect(name, job.get("artifacts", {}), machine)

    def _collect(self, name: str, settings: Mapping[str, Any], machine: Path) -> None:
        artifacts = self.work / "artifacts"
        for path in settings.get("paths", ()):
            found = list(machine.glob(path)) if "*" in path else [machine / path]
            assert found, f"{name}: no artifact {path}"
            for one in found:
                assert one.exists(), f"{name}: no artifact {path}"
                copy_files(one, artifacts / (one if one.is_dir() else one.parent).relative_to(machine))
        if report := settings.get("reports", {}).get("dotenv"):
            self.dotenv |= dict(line.split("=", 1) for line in (machine / report).read_text().splitlines())


def _installs(line: str) -> bool:
    """Whether a line installs what is there already."""
    return "pip install" in line or line.startswith(("apt-get", "git lfs"))


def _expanded(value: str, env: Mapping[str, str]) -> str:
    """The value of a job's variable with the CI/CD variables in it; one that is missing is empty."""
    return re.sub(r"\$(\w+)", lambda found: env.get(found[1], ""), value)


def _default(value: Any) -> str:
    return str(value["value"] if isinstance(value, Mapping) else value)


def _extended(document: Mapping[str, Any], job: Mapping[str, Any]) -> dict[str, Any]:
    return {**_extended(document, document[job["extends"]]), **job} if "extends" in job else dict(job)
