"""What a run leaves behind, and what its user makes of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import release
from release.cli.main import main
from tests.runs import full
from tests.stories.project import Told, UserProject, make

SCHEMA = json.loads((Path(release.__file__).parent / "reports" / "record.schema.json").read_text(encoding="utf-8"))


def record(project: UserProject, version: str) -> Any:
    made = json.loads((project.root / ".release" / version / "record.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(made)
    return made


def asked(directory: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Told:
    """What only reads is asked for in this process: starting one more takes longer than the answer."""
    status = main(["--directory", str(directory), *words])
    return Told(status=status, **capsys.readouterr()._asdict())


def test_a_rehearsal_and_a_refusal_leave_records_that_can_be_read_in_every_form(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = make(tmp_path)
    summary = tmp_path / "summary.md"
    project.env["GITHUB_STEP_SUMMARY"] = str(summary)
    assert "there are no records" in asked(project.root, capsys, "history").out
    assert asked(project.root, capsys, "report").status == 2
    project.commit()
    told = project.run("rehearse")
    assert told.status == 0, told.all
    rehearsal = record(project, "rehearsal")
    assert f"record: {project.root / '.release' / 'rehearsal' / 'record.json'}" in told.out
    assert {file["kind"] for file in rehearsal["files"]} == {"sdist", "bdist_wheel"}
    (run,) = rehearsal["runs"]
    assert [step["how"] for step in run["steps"]] == ["done"] * 5
    assert {"python", "build", "twine", "build-system.requires"} <= run["tools"].keys()
    assert all(check["step"] in {step["title"] for step in run["steps"]} for check in run["checks"])

    project.write("stray.txt", "")
    refused = project.run("build")
    assert refused.status == 1, refused.all
    made = record(project, "1.0")
    assert (made["runs"][0]["exit"]["status"], made["files"]) == (1, [])
    assert [step["how"] for step in made["runs"][0]["steps"]] == ["refused", "not reached", "not reached"]
    text = summary.read_text(encoding="utf-8")
    assert text.startswith("## ✅ acme-widget 1.0 was rehearsed: ")
    assert "\nacme-widget 1.0, rehearse, " in text
    assert "\n## ❌ 1 file changed or untracked: 'stray.txt'\n\n→ " in text
    assert "\nacme-widget 1.0, build, " in text

    assert asked(project.root, capsys, "report").out.startswith("acme-widget 1.0")
    assert asked(project.root, capsys, "report", "--json").data == made
    page = asked(
        project.root, capsys, "report", "rehearsal", "--html", "--output", str(tmp_path / "out" / "report.html")
    )
    assert page.out.split() == ["written:", str(tmp_path / "out" / "report.html")]
    assert "was rehearsed" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<testsuites " in asked(project.root, capsys, "report", "--junit").out
    assert json.loads(asked(project.root, capsys, "report", "--sarif").out)["version"] == "2.1.0"
    assert asked(project.root, capsys, "report", "--markdown").out.startswith("## ❌ 1 file changed or ")
    missing = asked(project.root, capsys, "report", "2.0")
    assert (missing.status, "'1.0', 'rehearsal'" in missing.err) == (2, True)

    past = asked(project.root, capsys, "history", "--json").data["releases"]
    assert [(one["rehearsal"], one["verb"], one["exit"]) for one in past] == [
        (False, "build", 1),
        (True, "rehearse", 0),
    ]
    assert past[1]["indexes"] == {"sandbox": {"standing": "verified", "verified": True}}
    lines = asked(project.root, capsys, "history").out.splitlines()
    assert lines[0].startswith("acme-widget 1.0 at ")
    assert any(line.startswith("rehearsal of acme-widget 1.0") for line in lines)


def test_a_record_that_was_changed_by_hand_is_told_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".release" / "1.0" / "record.json"
    path.parent.mkdir(parents=True)
    path.write_text("{", encoding="utf-8")
    assert "is not a release record" in asked(tmp_path, capsys, "report").err
    assert "is not a release record" in asked(tmp_path, capsys, "history").out
    path.write_text(json.dumps({**full(), "files": [{"filename": 1, "kind": 2, "size": "x", "sha256": 3}]}))
    broken = asked(tmp_path, capsys, "report")
    assert (broken.status, "Traceback" in broken.all) == (1, False)
    assert "cannot show" in broken.err


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to one process")
def test_an_interrupted_run_leaves_its_record(tmp_path: Path) -> None:
    project = make(tmp_path, more='[tool.hatch.build.hooks.custom]\npath = "hook.py"\n')
    project.write(
        "hook.py",
        "import time\nfrom hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class Hook(BuildHookInterface):\n    def initialize(self, *_):\n        time.sleep(120)\n",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "release", "rehearse", "-v"], cwd=project.root, env=project.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("build the working tree"):
                process.send_signal(signal.SIGINT)
    (run,) = record(project, "rehearsal")["runs"]
    assert (run["exit"]["message"], run["exit"]["status"]) == ("interrupted", 1)
    assert [step["how"] for step in run["steps"]] == ["done", "refused", "not reached", "not reached", "not reached"]
