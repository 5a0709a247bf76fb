"""A preparation is made whole or not at all, and its commit says what it is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from release.adapters.git import commits, repository
from release.adapters.system.process import Completed
from release.core.config import Config
from release.core.errors import ReleaseError, ToolError
from release.core.events import Event, Message, StepFinished
from release.core.models.preparation import FileEdit, ToolRun
from release.publishing.prepare.preparation_run import PreparationRun, commit_message
from release.publishing.prepare.undo_record import UndoRecord
from tests.fake_system import Programs, fake_system

HEAD = "a" * 40


def member(root: Path, project: str = "acme", version: str = "1.1", **more: Any) -> Any:
    """A preparation, as far as its run needs it."""
    made: dict[str, Any] = {
        "project": project, "proposal": SimpleNamespace(text=version, version=version), "edits": (), "runs": (),
        "message": None, "tag": None,
    }  # fmt: skip
    return SimpleNamespace(
        preparation=SimpleNamespace(**made | more), root=root, directory=root, commit=HEAD, branch="main",
        config=Config(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ([("acme", "1.1")], "Release 1.1"),
        ([("acme", "1.1"), ("beta", "1.1")], "Release 1.1\n\n- acme\n- beta"),
        ([("acme", "1.1"), ("beta", "2.0")], "Release acme 1.1, beta 2.0"),
        ([("a" * 40, "1.1"), ("b" * 40, "2.0")], f"Release 2 projects\n\n- {'a' * 40} 1.1\n- {'b' * 40} 2.0"),
    ],
)
def test_the_message_names_what_is_released(made: list[tuple[str, str]], message: str) -> None:
    assert commit_message([member(Path(), *one) for one in made]) == message
    assert len(message.partition("\n")[0]) <= 72


class World:
    """A preparation in a directory; what was undone, and what was told."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
        self.root, self.undone, self.told = root, list[str](), list[Event]()
        self.head, self.fails = HEAD, list[Exception]()
        self.programs = Programs(answer=lambda _: "")
        monkeypatch.setattr(repository, "commit", lambda *_: self.head)
        monkeypatch.setattr(repository, "branch", lambda *_: "main")
        monkeypatch.setattr(commits, "files_below", lambda *_: ())

        def undo(record: UndoRecord) -> tuple[str, ...]:
            self.undone.append(record.head)
            for error in self.fails:
                raise error
            return ("a copy was kept",)

        monkeypatch.setattr(UndoRecord, "undo", undo)
        env = {"TWINE_PASSWORD": "secret", "PATH": "/bin"}
        self.run = PreparationRun(
            system=fake_system(env=env, run=self.programs), home=root, members=[member(root, **more)],
            notify=self.told.append, check=lambda: None,
        )  # fmt: skip


EDIT = FileEdit(path="pyproject.toml", before=b"old", after=b"new", what="version")


def test_a_repository_that_has_moved_since_the_plan_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch)
    world.head = "b" * 40
    with pytest.raises(ReleaseError, match="the repository has changed since the plan was made"):
        world.run.execute()
    assert world.undone == [], "there is nothing of ours to undo"


def test_a_file_that_has_changed_since_the_plan_is_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch, edits=(EDIT,))
    (tmp_path / "pyproject.toml").write_bytes(b"theirs")
    with pytest.raises(ReleaseError, match=r"'pyproject\.toml' has changed since the plan was made"):
        world.run.execute()
    assert (tmp_path / "pyproject.toml").read_bytes() == b"theirs"
    assert world.undone == [HEAD]


@pytest.mark.parametrize("error", [ToolError("the check failed", remedy="correct it"), KeyboardInterrupt()])
def test_a_failure_after_the_files_are_written_undoes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    world = World(tmp_path, monkeypatch, edits=(EDIT,))
    (tmp_path / "pyproject.toml").write_bytes(b"old")

    def check() -> None:
        assert (tmp_path / "pyproject.toml").read_bytes() == b"new"
        assert world.run.record.path.exists(), "a killed run leaves what is to be undone"
        assert world.run.record.before == {"pyproject.toml": b"old"}
        raise error

    world.run.check = check
    with pytest.raises(ReleaseError, match=r"the check failed|interrupted"):
        world.run.execute()
    assert world.undone == [HEAD]
    texts = [one.text for one in world.told if isinstance(one, Message)]
    assert texts == ["everything is as it was before: no file is changed, nothing is committed", "a copy was kept"]


def test_what_cannot_be_undone_is_said_with_both_reasons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch)
    world.fails.append(ToolError("git is at work", remedy="wait"))
    error = world.run.undo_after(ToolError("the check failed", remedy="correct it"))
    assert error.message == "the check failed; and the preparation cannot be undone: git is at work"
    assert error.remedy == "wait; then run the same command again, which undoes it"
    assert world.told == []


def test_a_tool_of_the_project_gets_no_credentials_and_its_failure_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = ToolRun(argv=("uv", "lock"), what="update uv.lock", paths=("uv.lock",))
    world = World(tmp_path, monkeypatch, runs=(tool,))
    world.programs.answer = lambda _: Completed(status=2, output="error: no network")
    with pytest.raises(ToolError, match="uv failed: 'no network'") as failed:
        world.run.execute()
    assert failed.value.remedy.endswith("uv lock")
    assert "TWINE_PASSWORD" not in world.programs.options[0]["env"]
    assert world.programs.options[0]["env"]["PATH"] == "/bin"
    ended = [(one.title, one.status) for one in world.told if isinstance(one, StepFinished)]
    assert ended == [("update uv.lock", "refused")]
    assert world.undone == [HEAD]


def test_the_steps_are_titled_by_what_they_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commit has the first line of its message; of an interrupt, the step that it ended says so."""
    world = World(tmp_path, monkeypatch, message="Release 1.1", edits=(EDIT,))
    (tmp_path / "pyproject.toml").write_bytes(b"old")
    world.run.members = [*world.run.members, member(tmp_path, "beta", message="Release 1.1")]
    interrupts: list[list[str]] = []

    def answer(argv: Any) -> str:
        if "commit" in argv:
            interrupts.append(list(argv))
            raise KeyboardInterrupt
        return ""

    world.programs.answer = answer
    monkeypatch.setattr(commits, "files_below", lambda *_: ("pyproject.toml",))
    monkeypatch.setattr(commits, "dirty_paths", lambda *_: ("pyproject.toml",))
    with pytest.raises(ReleaseError, match=r"^interrupted$"):
        world.run.execute()
    assert len(interrupts) == 1
    ended = [(one.title, one.status, one.note) for one in world.told if isinstance(one, StepFinished)]
    assert ended == [("write 1 file", "done", ""), ("commit 'Release 1.1'", "refused", "interrupted")]


def test_a_preparation_that_changes_nothing_makes_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, monkeypatch, message="Release 1.1")
    with pytest.raises(ReleaseError, match="the preparation has changed no file"):
        world.run.execute()
    assert world.undone == [HEAD]
