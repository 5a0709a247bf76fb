"""Foreign code sees no credential, and a token is nowhere but on the wire to its index."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.stories.project import files_on, indexes, make, release_table

DUMP = "import os, json, pathlib; pathlib.Path({path!r}).open('a').write(json.dumps(dict(os.environ)) + '\\n')"
VARIABLES = {
    "TWINE_PASSWORD": "hunter2-twine", "UV_PUBLISH_TOKEN": "hunter2-uv", "FLIT_PASSWORD": "hunter2-flit",
    "POETRY_PYPI_TOKEN_PYPI": "hunter2-poetry", "HATCH_INDEX_AUTH": "hunter2-hatch",
    "PDM_PUBLISH_PASSWORD": "hunter2-pdm",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "hunter2-oidc", "PYPI_TOKEN": "hunter2-bare", "GITHUB_TOKEN": "hunter2-github",
}  # fmt: skip


def test_a_build_backend_and_a_smoke_command_find_no_credential(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    smoke = '[tool.release.smoke]\ncommands = ["python dump.py"]\n'
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
    project.env = dict(VARIABLES)
    told = project.run("rehearse")
    assert told.status == 0, told.all
    dumps = seen.read_text().splitlines()
    assert len(dumps) >= 3  # the hook for the sdist and for the wheel, and the smoke command
    assert "hunter2" not in seen.read_text()


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


@pytest.mark.skipif(sys.platform == "win32", reason="a token in an environment variable, seen through /proc")
def test_a_token_from_the_environment_reaches_no_child(tmp_path: Path) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.commit()
        token = on.testpypi.tokens["account"].reveal()
        project.env = {"TWINE_PASSWORD": token}
        seen, before = set[str](), processes()
        process = subprocess.Popen(
            [sys.executable, "-m", "release", "testpypi"], cwd=project.root, env=project.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        with process:
            while process.poll() is None:
                for place in processes() - before - {f"/proc/{process.pid}"}:
                    try:
                        line = Path(place, "cmdline").read_text().replace("\0", " ")
                        # between fork and exec a child is still its parent, by environment and by arguments
                        ours = line.endswith("-m release testpypi ")
                        if not ours and token.encode() in Path(place, "environ").read_bytes():
                            seen.add(line)
                    except OSError:
                        continue
                time.sleep(0.001)
            out, _ = process.communicate()
        assert process.returncode == 0, out
        assert {line for line in seen if line} == set()
        assert set(files_on(on.testpypi))
