"""Run this repository's action here: its steps, one after the other, each in a shell.

Source: GitHub documentation, "Metadata syntax reference", `runs` of composite actions. What it does not know, it
refuses, so that a test does not pass the action by.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.publishing.ci.expressions import fill_in
from tests.publishing.ci.workflow_files import parsed

ROOT = Path(__file__).parents[3]
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")


@dataclass(kw_only=True)
class ActionRun:
    """One run of the action, and how it ended."""

    #: the directory of the job
    workspace: Path
    #: a directory for the files of the runner
    runner: Path
    env: Mapping[str, str]
    #: whether the tools are installed as the action does it; if not, those of this environment are there already
    installs: bool = False
    status: int = 0
    #: what all steps wrote
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""

    def run(self, given: Mapping[str, str]) -> ActionRun:
        """Run all steps with these inputs; after a failed one, none."""
        action = parsed((ROOT / "action.yml").read_text(encoding="utf-8"))
        assert given.keys() <= action["inputs"].keys(), given.keys() - action["inputs"].keys()
        defaults = {name: one.get("default", "") for name, one in action["inputs"].items()}
        contexts: dict[str, Any] = {"inputs": defaults | dict(given), "steps": {}}
        if not self.installs:
            pretend_installed(self.runner / "pypi-preflight")
        for step in action["runs"]["steps"]:
            assert step.keys() <= {"name", "id", "uses", "with", "shell", "env", "run"}, step
            found = self._use(step) if "uses" in step else self._shell(step, contexts)
            contexts["steps"][step.get("id", "")] = {"outputs": found}
            if self.status:
                break
        self.outputs = {name: fill_in(one["value"], contexts) for name, one in action["outputs"].items()}
        return self

    def _use(self, step: Mapping[str, Any]) -> dict[str, str]:
        assert step["uses"].startswith("actions/setup-python@")
        assert step["with"]["update-environment"] is False, "the Python of the job stays as it is"
        return {"python-path": sys.executable}

    def _shell(self, step: Mapping[str, Any], contexts: Mapping[str, Any]) -> dict[str, str]:
        assert step["shell"] == "bash"
        output, summary = self.runner / "output", self.runner / "summary"
        output.write_text("")
        env = {
            **self.env, **fill_in(step.get("env", {}), contexts), "GITHUB_ACTIONS": "true", "RUNNER_OS": "Linux",
            "RUNNER_TEMP": str(self.runner), "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
        }  # fmt: skip
        done = subprocess.run(
            [*_BASH, step["run"]], cwd=self.workspace, env=env, text=True, check=False, timeout=580,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.log += done.stdout
        self.status = done.returncode
        self.summary = summary.read_text(encoding="utf-8") if summary.exists() else ""
        return dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())


def pretend_installed(tools: Path) -> None:
    """Let the environment of the tests stand where the action installs its own."""
    tools.mkdir(exist_ok=True)
    for name in ("bin", "lib", "pyvenv.cfg"):
        if not (tools / name).exists():
            (tools / name).symlink_to(Path(sys.prefix) / name)
    (tools / "installed").touch()
