"""Foreign code sees no credential, and a token is nowhere but on the wire to its index."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from release.core.child_environment import Child
from tests.stories.canaries import Canaries, child_of
from tests.stories.project import Indexes, UserProject, files_on, indexes, make, release_table

DUMP = "import os, json, pathlib; pathlib.Path({path!r}).open('a').write(json.dumps(dict(os.environ)) + '\\n')"
VARIABLES = {
    "TWINE_PASSWORD": "hunter2-twine", "UV_PUBLISH_TOKEN": "hunter2-uv", "FLIT_PASSWORD": "hunter2-flit",
    "POETRY_PYPI_TOKEN_PYPI": "hunter2-poetry", "HATCH_INDEX_AUTH": "hunter2-hatch",
    "PDM_PUBLISH_PASSWORD": "hunter2-pdm",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "hunter2-oidc", "PYPI_TOKEN": "hunter2-bare", "GITHUB_TOKEN": "hunter2-github",
    "NPM_TOKEN": "hunter2-npm", "AWS_SECRET_ACCESS_KEY": "hunter2-aws", "MY_SECRET": "hunter2-mine",
    "DATABASE": "postgres://me:hunter2-database@localhost/db", "ACME_COPY": "hunter2-twine",
    "UV_INDEX_ACME_PASSWORD": "hunter2-index", "SSH_AUTH_SOCK": "/hunter2",
}  # fmt: skip
#: passed on by the project's configuration
PASSED = {"ACME_TOKEN": "canary-passed"}


def test_a_build_backend_and_a_smoke_command_find_no_credential(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    smoke = '[tool.release]\npass-environment = ["ACME_*"]\n[tool.release.smoke]\ncommands = ["python dump.py"]\n'
    project = make(tmp_path, more=f'[tool.hatch.build.hooks.custom]\npath = "hook.py"\n{smoke}')
    dump = DUMP.format(path=str(seen))
    script = tmp_path / "dump.py"
    script.write_text(dump)
    text = (project.root / "pyproject.toml").read_text()
    project.write("pyproject.toml", text.replace("python dump.py", f"python {script}"))
    project.write(
        "hook.py",
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        f"class Hook(BuildHookInterface):\n    def initialize(self, *_):\n        {dump}\n",
    )
    project.env = VARIABLES | PASSED
    told = project.run("rehearse")
    assert told.status == 0, told.all
    dumps = seen.read_text().splitlines()
    assert len(dumps) >= 3  # the hook for the sdist and for the wheel, and the smoke command
    assert "hunter2" not in seen.read_text()
    assert all(json.loads(one)["ACME_TOKEN"] == "canary-passed" for one in dumps)


def processes() -> set[str]:
    """The directories of the processes of this machine."""
    return {f"/proc/{name}" for name in os.listdir("/proc") if name.isdecimal()}  # noqa: PTH208 - a thousand times


class Watch(threading.Thread):
    """Looks at the arguments and the environment of every process that a run starts."""

    def __init__(self, needle: bytes) -> None:
        super().__init__(daemon=True)
        self.needle, self.found, self.over, self.looks = needle, set[str](), threading.Event(), 0
        self.before = processes()

    def run(self) -> None:
        while not self.over.wait(0.005):
            self.looks += 1
            for process in processes() - self.before:
                for place in ("cmdline", "environ"):
                    try:
                        if self.needle in Path(process, place).read_bytes():
                            line = Path(process, "cmdline").read_text().replace("\0", " ")
                            self.found.add(f"{place}: {line[:200]}")
                    except (OSError, UnicodeDecodeError):
                        continue


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks at /proc")
def test_a_token_is_in_no_output_file_argument_or_environment(tmp_path: Path) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.credentials(on)
        project.commit()
        project.env["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
        tokens = [getattr(on, name).tokens["account"].reveal() for name in ("testpypi", "pypi")]
        watch = Watch(tokens[1].encode()[-40:])
        watch.start()
        told = project.command(sys.executable, "-m", "release", "release", "--yes", timeout=400)
        watch.over.set()
        watch.join()
        assert told.status == 0, told.all
        assert files_on(on.pypi)
    assert (tmp_path / "summary.md").exists()
    assert (project.root / ".release" / "1.0" / "record.json").exists()
    assert watch.looks > 10
    assert watch.found == set()
    needles = [t.encode() for t in tokens] + [base64.b64encode(f"__token__:{t}".encode()) for t in tokens]
    (project.home / ".pypirc").unlink()
    for needle in needles:
        assert needle[-60:] not in told.all.encode()
        for path in tmp_path.rglob("*"):
            if path.is_file():
                assert needle[-60:] not in path.read_bytes(), path


#: runs commands one after the other, with a record of each program that they start
RECORDING = """
import json, os, sys
def record(event, arguments):
    if event == "subprocess.Popen":
        argv, env = arguments[1], arguments[3]
        with open(os.environ["RECORDED"], "a") as file:
            file.write(json.dumps([[str(one) for one in argv], dict(os.environ if env is None else env)]) + "\\n")
sys.addaudithook(record)
from pypi_preflight.command_line import prepare_imports
prepare_imports()
from release.cli.main import main
print("statuses", [main(words) for words in json.loads(sys.argv[1])])
"""
RECORDED = (
    ["verify", "--index", "testpypi"], ["check"], ["tokens", "--fleet", "fleet.toml"], ["leaks", "--history"],
    ["testpypi"],
)  # fmt: skip


def fleet_with_command(project: UserProject, on: Indexes, token: str) -> Path:
    """Write a fleet whose only token is the output of a command; the file that the command prints."""
    kept = project.root.parent / "kept"
    kept.write_text(token)
    kept.chmod(0o600)
    command = kept.with_name("fleet-command")
    command.write_text(f"#!/bin/sh\ncat {kept}\n")
    command.chmod(0o755)
    urls = f'upload-url = "{on.pypi.upload_url}"\nsimple-url = "{on.pypi.simple_url}"\n'
    place = f'project = "acme-widget"\ncommand = ["{command}"]\n'
    project.write("fleet.toml", f"[indexes.pypi]\n{urls}[[tokens]]\n{place}")
    return kept


@pytest.mark.skipif(sys.platform == "win32", reason="the fleet's command is a shell script")
def test_a_secret_from_the_environment_reaches_no_child_that_is_not_listed(tmp_path: Path) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        kept = fleet_with_command(project, on, on.pypi.tokens["account"].reveal())
        project.commit()
        token = on.testpypi.tokens["account"].reveal()
        canaries = Canaries(token)
        project.env = {**canaries.variables, "TWINE_PASSWORD": token, "RECORDED": str(tmp_path / "recorded")}
        told = project.command(sys.executable, "-P", "-c", RECORDING, json.dumps(RECORDED))
        assert "statuses [0, 1, 5, 0, 0]" in told.out, told.all  # one token cannot be for both indexes
        assert set(files_on(on.testpypi))
    children = [json.loads(line) for line in (tmp_path / "recorded").read_text().splitlines()]
    assert any(argv[0].endswith("fleet-command") for argv, _ in children)
    assert len(children) > 40
    assert [fault for argv, env in children for fault in canaries.faults(argv, env)] == []
    assert not canaries.in_text(told.all)
    (tmp_path / "recorded").unlink()  # git gets the agent's socket
    kept.unlink()
    assert canaries.in_files(tmp_path) == []


#: what a user runs, and whether it needs a directory of files
TRACED = (
    ["verify", "--index", "pypi"], ["check"], ["tokens", "--fleet", "fleet.toml"], ["diagnose", "403 Forbidden"],
    ["leaks", "--history"], ["rehearse"], ["inspect"], ["testpypi"], ["publish", "--yes"], ["status"], ["config"],
    ["confirm", "acme-widget==1.0"], ["prepare", "--plan", "2.0"],
)  # fmt: skip
_CALLS = "trace=execve,write,pwrite64,clone,clone3,fork,vfork"
_EXECVE = re.compile(r'^\d+ +execve\("(?P<program>(?:[^"\\\\]|\\\\.)*)", \[(?P<argv>.*?)\], \[(?P<env>.*)\]\)')
_WORD = re.compile(r'"((?:[^"\\\\]|\\\\.)*)"')
_STARTED = re.compile(r"^(?P<parent>\d+) +(?:<\.\.\. )?(?:clone3?|v?fork)\b.* = (?P<child>\d+)$")
_WRITE = re.compile(r"^\d+ +p?write(?:64)?\(\d+<(?P<path>/(?!dev/)[^>]*)>, (?P<data>.*)")


def search_trace(lines: Sequence[str], canaries: Canaries) -> tuple[int, list[str]]:
    """The number of programs that were started, and where a secret is that must not be there."""
    parents = {found["child"]: found["parent"] for line in lines if (found := _STARTED.match(line))}
    kinds: dict[str, Child | None] = {}
    faults, programs = list[str](), 0
    for line in lines:
        process = line.partition(" ")[0]
        if found := _EXECVE.match(line):
            argv = _WORD.findall(found["argv"])
            env = dict(one.split("=", 1) for one in _WORD.findall(found["env"]) if "=" in one)
            ours = process not in parents  # the program itself, which has them all
            above = next((kinds[one] for one in ancestors(process, parents) if one in kinds), None)
            faults += [] if ours else canaries.faults(argv, env, above)
            kinds[process], programs = (None if ours else child_of(argv, above)), programs + 1
        elif (found := _WRITE.match(line)) and canaries.in_text(found["data"]):
            faults.append(found["path"])
    return programs, faults


def ancestors(process: str, parents: Mapping[str, str]) -> Iterator[str]:
    """The process itself, and those that have started it, the nearest first."""
    yield process
    while process in parents:
        process = parents[process]
        yield process


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
@pytest.mark.parametrize("source", ["variable", "pypirc", "command"])
def test_a_token_is_in_no_argument_file_output_or_child_of_any_command(tmp_path: Path, source: str) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        token = on.pypi.tokens["account"].reveal()
        canaries = Canaries(token)
        kept = fleet_with_command(project, on, token)
        if source != "command":
            place = {"variable": 'env = "TWINE_PASSWORD"', "pypirc": f'file = "{kept}"'}[source]
            text = (project.root / "fleet.toml").read_text()
            project.write("fleet.toml", re.sub("command = .*", place, text))
        project.commit()
        if source == "pypirc":
            project.credentials(on)
        else:
            project.env["TWINE_PASSWORD"] = token
        project.env |= canaries.variables
        trace, faults, programs = tmp_path / "trace", list[str](), 0
        for words in TRACED:
            tracing = ("strace", "-f", "-v", "-y", "-s", "300000", "-e", _CALLS, "-o")
            told = project.command(*tracing, str(trace), sys.executable, "-m", "release", *words, timeout=400)
            assert "Traceback" not in told.all
            faults += [f"output of {words}"] if canaries.in_text(told.all) else []
            lines = trace.read_text(errors="replace").splitlines()
            started, found = search_trace(lines, canaries)
            faults, programs = [*faults, *(f"{words}: {one}" for one in found)], programs + started
            trace.unlink()
    assert faults == []
    assert programs > 100
    kept.unlink()
    (project.home / ".pypirc").unlink(missing_ok=True)
    assert canaries.in_files(tmp_path) == []
