"""Neither a project's own tasks and sessions replace those of this program, nor the other way round."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import nox
import pytest
from invoke.collection import Collection
from invoke.exceptions import Exit

from release import sessions
from release.cli.commands import COMMANDS

#: commands that are no task, and why
WITHOUT_TASK = {
    "set": "its actions are tasks: set-check, set-release",
    "completion": "it is run once, for the shell's own configuration",
}
SESSIONS = (
    "check", "build", "rehearse", "testpypi", "publish", "release", "tokens", "inspect", "set-check", "set-rehearse",
    "set-release",
)  # fmt: skip
TASK = "@task\ndef {name}(c):\n    'Theirs.'\n"
NAMESPACE = "namespace = tasks.collection({})\n"
SESSION = "@nox.session\ndef {name}(session): 'Theirs.'\n"


@pytest.fixture(autouse=True)
def _new_registry() -> Iterator[None]:
    nox.registry.reset()
    yield
    nox.registry.reset()


def load_noxfile(text: str) -> dict[str, str | None]:
    """The sessions and their descriptions."""
    exec(compile(text, "noxfile.py", "exec"), {"nox": nox, "sessions": sessions})  # noqa: S102 - as nox does
    return {name: one.__doc__ for name, one in nox.registry.get().items()}


def load_tasks(text: str) -> dict[str, list[str]]:
    """The names of tasks with their aliases, as Invoke lists them."""
    module = ModuleType("project_tasks")
    text = f"from invoke import Collection, task\nfrom release import tasks\n{text}"
    exec(compile(text, "tasks.py", "exec"), module.__dict__)  # noqa: S102 - as Invoke does
    found: dict[str, list[str]] = Collection.from_module(module).task_names
    return found


@pytest.mark.filterwarnings("ignore:The session 'build':FutureWarning")
@pytest.mark.parametrize(
    "text",
    [
        f"sessions.register()\n{SESSION.format(name='build')}",
        f"{SESSION.format(name='build')}sessions.register()\n",
        "sessions.register()\n@nox.session(name='build', python=['3.12', '3.13'])\ndef other(session): pass\n",
        f"sessions.register('x-')\n{SESSION.format(name='build')}sessions.register()\n",
    ],
)
def test_a_session_of_the_same_name_stops_nox(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        load_noxfile(text)
    assert caught.value.code == 2
    told = capsys.readouterr().err
    assert "two sessions are named 'build': one in noxfile.py, line " in told
    assert 'sessions.register(prefix="release-")' in told


def test_other_sessions_stand_next_to_these(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = "".join(SESSION.format(name=name) for name in ("build_docs", "tests", "Release"))
    found = load_noxfile(f"{theirs}sessions.register()\n")
    assert set(found) == {*SESSIONS, "build_docs", "tests", "Release"}
    assert found["build_docs"] == "Theirs."

    nox.registry.reset()
    found = load_noxfile(f'sessions.register(prefix="release-")\n{SESSION.format(name="build")}')
    assert set(found) == {*(f"release-{name}" for name in SESSIONS), "build"}
    assert nox.registry.get()["release-publish"].requires == ["release-testpypi"]

    nox.registry.reset()
    monkeypatch.setattr(sys, "argv", ["nox", "-s", "token-health"])
    assert set(load_noxfile("sessions.register()\n")) == {*SESSIONS, "token-health"}


def test_the_whole_chain_is_one_name() -> None:
    load_noxfile("sessions.register()\n")
    of, order = nox.registry.get(), ["release"]
    while of[order[-1]].requires:
        order.append(of[order[-1]].requires[0])
    assert order == ["release", "publish", "testpypi", "build", "check"]
    assert of["testpypi"].requires == ["build", "rehearse"]


@pytest.mark.parametrize(
    "text",
    [
        TASK.format(name="build") + NAMESPACE.format(""),
        NAMESPACE.format("") + TASK.format(name="build"),
        NAMESPACE.format("") + TASK.format(name="build") + "namespace.add_task(build)\n",
        NAMESPACE.format("") + TASK.format(name="other") + "namespace.add_task(other, 'build')\n",
        NAMESPACE.format("") + "@task(aliases=['build'])\ndef other(c): pass\n",
        NAMESPACE.format("") + "namespace.add_collection(Collection('build'))\n",
        "from release.tasks import *\n" + TASK.format(name="build") + "namespace = collection()\n",
        NAMESPACE.format("'release'") + TASK.format(name="build"),
    ],
)
def test_a_task_of_the_same_name_stops_invoke(text: str) -> None:
    with pytest.raises(Exit) as caught:
        load_tasks(text)
    assert caught.value.code == 2
    assert "two tasks are named 'build': one in " in str(caught.value.message)
    assert 'tasks.collection(prefix="release-")' in str(caught.value.message)


def test_other_tasks_stand_next_to_these() -> None:
    """Invoke alone lists only what is in the namespace."""
    ours = load_tasks(NAMESPACE.format(""))
    assert ours["publish"] == ["upload"]
    assert ours["tokens"] == ["token-health"]
    assert ours["set-release"] == ["release-set"]
    found = load_tasks(
        TASK.format(name="build_docs") + NAMESPACE.format("")
        + TASK.format(name="upload") + TASK.format(name="late") + TASK.format(name="deep")
        + "namespace.add_task(late, 'later')\nnamespace.add_collection(Collection('docs', deep))\n"
    )  # fmt: skip
    assert set(found) - set(ours) == {"build-docs", "upload", "later", "docs.deep"}
    assert found["publish"] == [], "theirs has the name that was an alias"
    imported = "from release.tasks import check\n" + NAMESPACE.format("prefix='x-'")
    assert set(load_tasks(imported)) == {f"x-{name}" for name in ours}, "it is one of these"
    prefixed = load_tasks(TASK.format(name="build") + NAMESPACE.format('prefix="release-"'))
    assert set(prefixed) == {*(f"release-{name}" for name in ours), "build"}
    assert prefixed["release-publish"] == ["release-upload"]
    named = load_tasks(TASK.format(name="build") + 'ns = Collection(build, tasks.collection("release"))\n')
    assert set(named) == {*(f"release.{name}" for name in ours), "build"}
    starred = load_tasks("from release.tasks import *\n" + TASK.format(name="build"))
    assert set(starred) == {"build"}


def test_every_command_is_a_task_of_its_name() -> None:
    assert set(COMMANDS) - set(load_tasks(NAMESPACE.format(""))) == set(WITHOUT_TASK)


@pytest.mark.parametrize(
    ("tool", "name", "text"),
    [
        ("nox", "noxfile.py", "import nox\nfrom pypi_preflight import sessions\nsessions.register()\n" + SESSION),
        ("invoke", "tasks.py", "from invoke import task\nfrom pypi_preflight import tasks\n" + NAMESPACE + TASK),
    ],
)  # fmt: skip
def test_the_tools_end_with_the_message(tmp_path: Path, tool: str, name: str, text: str) -> None:
    (tmp_path / name).write_text(text.format("", name="build"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-P", "-m", tool, "-l"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "prefix=" in done.stderr.splitlines()[-1]
