"""Whatever is wrong: what, where, remedy; no traceback; the right exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.stories.project import indexes, make, posts, release_table


def neither(text: str) -> None:
    assert "Traceback" not in text
    assert "pypi-AgE" not in text


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("pyproject.toml", None, "no Python project in"),
        ("pyproject.toml", "[project\n", "is not valid TOML"),
        (
            "pyproject.toml",
            '[tool.release]\nbrnach = "main"\n',
            "unknown key tool.release.brnach: did you mean 'branch'?",
        ),
        ("pyproject.toml", "[tool]\nrelease = 3\n", "tool.release in"),
    ],
)
def test_a_configuration_that_can_not_be_used(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    project = make(tmp_path)
    (project.root / name).unlink()
    if text:
        project.write(name, text)
    for verb in ("check", "rehearse", "release"):
        told = project.run(verb)
        assert told.status == 2, told.all
        assert said in told.err
        assert "→" in told.err
        neither(told.all)


def test_a_project_that_does_not_build(tmp_path: Path) -> None:
    project = make(tmp_path)
    project.write(
        "pyproject.toml", '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    )
    project.write("setup.py", "from setuptools import setup\nsetup(name='acme-widget', version='1.0'\n")
    told = project.run("rehearse")
    assert told.status == 1
    assert "SyntaxError" in told.all
    assert "→" in told.all
    assert 'File "/' not in told.err


def test_a_backend_that_is_not_there(tmp_path: Path) -> None:
    project = make(tmp_path)
    text = (project.root / "pyproject.toml").read_text()
    project.write(
        "pyproject.toml", text.replace('build-backend = "hatchling.build"', 'build-backend = "hatchlink.build"')
    )
    told = project.run("rehearse")
    assert told.status == 1
    assert "hatchlink" in told.all
    neither(told.err)


def test_an_unreadable_pypirc(tmp_path: Path) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.commit()
        (project.home / ".pypirc").write_text("password = pypi-x\n[pypi]\n")
        told = project.run("check")
        assert told.status == 1
        assert ".pypirc" in told.out
        assert "pypi-x" not in told.all
        neither(told.all)


def test_no_network(tmp_path: Path) -> None:
    table = "".join(
        f'[tool.release.indexes.{n}]\nupload-url = "http://127.0.0.1:9/legacy/"\nsimple-url = "http://127.0.0.1:9/simple/"\n'
        for n in ("pypi", "testpypi")
    )
    project = make(tmp_path, more=table)
    project.commit()
    project.env["TWINE_PASSWORD"] = "irrelevant"
    told = project.run("check", "--json")
    assert told.status == 1
    assert any("127.0.0.1" in c["reason"] for c in told.data["checks"] if c["state"] == "unknown")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_run_that_is_stopped_says_so_and_leaves_nothing_behind(tmp_path: Path, number: str) -> None:
    project = make(tmp_path, more='[tool.hatch.build.hooks.custom]\npath = "slow.py"\n')
    project.write(
        "slow.py",
        "import time\nfrom hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class Slow(BuildHookInterface):\n    def initialize(self, *_):\n"
        "        open('started', 'w').close(); time.sleep(60)\n",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "release", "rehearse"], cwd=project.root, env=project.environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        deadline = time.monotonic() + 240
        begun = project.root / ".release" / "rehearsal" / "journal.jsonl"  # the build starts before the run
        while not (begun.exists() and (list(tmp_path.rglob("started")) or _building(process.pid))):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(getattr(signal, number))
        out, _ = process.communicate(timeout=240)
    assert process.returncode == 1, out
    assert "interrupted" in out
    neither(out)
    again = project.run("status", "--json").data["releases"]
    assert again[0]["ended"] == 1


def _building(pid: int) -> bool:
    """Whether any thread of the process has started the build frontend."""
    children = " ".join(path.read_text(encoding="utf-8") for path in Path(f"/proc/{pid}/task").glob("*/children"))
    lines = [Path(f"/proc/{child}/cmdline") for child in children.split()]
    return any("build" in path.read_text(encoding="utf-8") for path in lines if path.exists())


def test_a_reader_that_goes_away_does_not_stop_a_release(tmp_path: Path) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.credentials(on)
        project.commit()
        command = f"{sys.executable} -m release testpypi | head -1; exit ${{PIPESTATUS[0]}}"
        told = project.command("bash", "-c", command)
        assert told.status == 0, told.all
        assert len(posts(on.testpypi)) == 2
        neither(told.all)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="mounts a small disk")
def test_a_full_disk(tmp_path: Path) -> None:
    project = make(tmp_path)
    disk = project.root / ".release"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", disk], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        told = project.run("rehearse")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    assert told.status == 1, told.all
    assert "no space left on the disk" in told.all
    neither(told.all)


def test_unknown_verbs_and_options_are_usage(tmp_path: Path) -> None:
    project = make(tmp_path)
    assert project.run("publsh").status == 2
    assert project.run("check", "--index", "nowhere").status == 2
    assert project.run("check", "--config", "missing.toml").status == 2
    assert project.run("--help").status == 0
