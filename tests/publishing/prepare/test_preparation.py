"""A preparation is made whole, or nothing of it stays: files, modes, index, commits and tags."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.system.process import Completed
from release.adapters.system.system import System, real_system
from release.core.child_environment import without_credentials
from release.core.config import Config
from release.core.errors import RefusedError, ReleaseError
from release.core.events import Message
from release.publishing.prepare import preparation_run, undo_record
from release.publishing.prepare.collect_preparation import CollectedPreparation, PrepareOptions, collect_preparation
from release.publishing.prepare.preparation_run import PreparationRun
from release.publishing.prepare.undo_record import load_undo_record, undo_interrupted

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "acme-widget"  # the widget
version = "1.1.0"
"""
CHANGELOG = "# Changelog\r\n\r\n## Unreleased\r\n\r\n- A lid.\r\n\r\n## 1.1.0 (2026-01-31)\r\n\r\n- A hinge.\r\n"


def git(root: Path, *words: str) -> str:
    env = without_credentials(os.environ) | {"GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True, env=env).stdout


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project") / "acme"
    root.mkdir()
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "pyproject.toml").chmod(0o755)
    (root / "CHANGELOG.md").write_bytes(CHANGELOG.encode())
    (root / "news").mkdir()
    (root / "news/1.rst").write_text("A lid.\n")
    git(root, "init", "-q", "-b", "main")
    for name, value in (("user.name", "A"), ("user.email", "a@example.org"), ("core.autocrlf", "false")):
        git(root, "config", name, value)
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all")
    git(root, "tag", "v1.1.0")
    git(root, "commit", "-q", "--allow-empty", "-m", "feat: add a lid")
    return root


@pytest.fixture
def root(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(template, tmp_path / "acme"))


def system_of(tmp_path: Path, run: Callable[..., Completed] | None = None) -> System:
    env = without_credentials(os.environ) | {
        "GIT_CONFIG_GLOBAL": os.devnull, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    made = real_system()
    return replace(made, env=env, run=run or made.run)


def prepared(root: Path, system: System, wish: str | None = None, **config: Any) -> CollectedPreparation:
    return collect_preparation(
        PrepareOptions(system=system, directory=root, config=Config(**config), wish=wish, offline=True)
    )


def run_of(
    system: System, one: CollectedPreparation, check: Callable[[], None] = lambda: None, events: list[Any] | None = None
) -> PreparationRun:
    notify = (events if events is not None else []).append
    return PreparationRun(system=system, home=one.directory, members=(one,), notify=notify, check=check)


def state(root: Path) -> tuple[Any, ...]:
    """Everything that a preparation may change."""
    files = {
        path.relative_to(root).as_posix(): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {".git", ".release"} & set(path.relative_to(root).parts)
    }
    shown = [git(root, *words) for words in (("rev-parse", "HEAD", "--symbolic-full-name", "HEAD"), ("tag",))]
    staged = git(root, "diff", "--cached", "--name-only") + git(root, "status", "--porcelain")
    return files, *shown, staged, (root / ".release/prepare.json").exists()


TOWNCRIER = """\
#!/bin/sh
echo "acme 1.2.0" > NEWS.rst && git rm -q news/1.rst && git add NEWS.rst && echo "{end}" && exit {status}
"""


def with_towncrier(root: Path, tmp_path: Path, *, status: int = 0) -> None:
    """A tool that writes, removes and stages, as towncrier 26.9 does."""
    with (root / "pyproject.toml").open("a") as file:
        file.write('[tool.towncrier]\ndirectory = "news"\n')
    git(root, "commit", "-q", "-a", "-m", "Use towncrier")
    path = tmp_path / "bin/towncrier"
    path.parent.mkdir(exist_ok=True)
    path.write_text(TOWNCRIER.format(end="Error: no template" if status else "Done!", status=status))
    path.chmod(0o755)


def test_the_commit_has_the_changed_files_alone(root: Path, tmp_path: Path) -> None:
    (root / "scratch.txt").write_text("mine\n")
    (root / "staged.txt").write_text("mine too\n")
    git(root, "add", "staged.txt")
    one = prepared(root, system_of(tmp_path), waive={"the-tree-is-clean": "a test"})
    made = one.preparation
    assert [edit.path for edit in made.edits] == ["pyproject.toml", "CHANGELOG.md"]
    assert (made.project, str(made.current), made.last_tag) == ("acme-widget", "1.1.0", "v1.1.0")
    assert (made.proposal.text, made.message, made.tag) == ("1.2.0", "Release 1.2.0", None)
    run = run_of(system_of(tmp_path), one)
    run.execute()
    assert git(root, "show", "--name-status", "--format=%s", "HEAD").split() == [
        "Release", "1.2.0", "M", "CHANGELOG.md", "M", "pyproject.toml"
    ]  # fmt: skip
    assert run.commit == git(root, "rev-parse", "HEAD").strip()
    assert git(root, "status", "--porcelain") == "A  staged.txt\n?? scratch.txt\n"
    assert (root / "CHANGELOG.md").read_bytes().startswith(b"# Changelog\r\n\r\n## Unreleased\r\n\r\n## 1.2.0 (20")
    assert os.name == "nt" or stat.S_IMODE((root / "pyproject.toml").stat().st_mode) == 0o755
    assert load_undo_record(system_of(tmp_path), root) is None


@pytest.mark.skipif(sys.platform == "win32", reason="the tool is a shell script")
@pytest.mark.parametrize(
    "fault",
    ["none", "hook", "check", *(pytest.param(one, marks=pytest.mark.slow) for one in ("tool", "interrupt"))],
)
def test_a_failed_step_leaves_nothing(root: Path, tmp_path: Path, fault: str) -> None:
    with_towncrier(root, tmp_path, status=1 if fault == "tool" else 0)
    if fault == "hook":
        hook = root / ".git/hooks/pre-commit"
        hook.write_text("#!/bin/sh\necho 'tidied' >> pyproject.toml\necho 'hook: no' >&2\nexit 1\n")
        hook.chmod(0o755)
    before, events = state(root), []  # type: ignore[var-annotated] # of any kind

    def check() -> None:
        if fault == "check":
            raise RefusedError("the token is not valid", remedy="get another one")
        if fault == "interrupt":
            raise KeyboardInterrupt

    run = run_of(system_of(tmp_path), prepared(root, system_of(tmp_path)), check, events)
    if fault == "none":
        run.execute()
        assert git(root, "show", "--name-status", "--format=", "HEAD").split("\n")[:3] == [
            "A\tNEWS.rst", "D\tnews/1.rst", "M\tpyproject.toml"
        ]  # fmt: skip
        assert git(root, "status", "--porcelain") == ""
        return
    with pytest.raises(ReleaseError) as raised:
        run.execute()
    assert state(root) == before
    said = [event.text for event in events if isinstance(event, Message)]
    assert said[0] == "everything is as it was before: no file is changed, nothing is committed"
    expected = {
        "tool": "towncrier failed: 'Error: no template'", "check": "the token is not valid",
        "hook": "git commit failed: 'hook: no'", "interrupt": "interrupted",
    }  # fmt: skip
    assert raised.value.message.startswith(expected[fault])
    if fault == "hook":  # what a hook wrote is kept
        assert said[1].startswith("pyproject.toml had other content than the preparation wrote: a copy is in ")
        assert (root / ".release/prepare-kept/pyproject.toml").read_text().endswith("tidied\n")


class Interrupting:
    """Runs programs; the n-th call does not come back, before or after its work."""

    def __init__(self, system: System, at: int = -1, *, after: bool = False) -> None:
        self._system, self._at, self._after, self.calls = system, at, after, 0

    def __call__(self, argv: Sequence[str], **options: Any) -> Completed:
        self.calls += 1
        if self.calls == self._at and not self._after:
            raise KeyboardInterrupt
        done = self._system.run(argv, **options)
        if self.calls == self._at:
            raise KeyboardInterrupt
        return done


def _interruptions(root: Path, tmp_path: Path) -> Iterator[tuple[Path, int, bool, CollectedPreparation]]:
    whole = Path(shutil.copytree(root, tmp_path / "whole"))
    counting = Interrupting(system_of(tmp_path))
    one = prepared(whole, system_of(tmp_path))
    run_of(system_of(tmp_path, counting), one).execute()
    for number in range(1, counting.calls + 1):
        for after in (False, True):
            copy = Path(shutil.copytree(root, tmp_path / f"copy-{number}-{after}"))
            yield copy, number, after, prepared(copy, system_of(tmp_path))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the tool is a shell script")
def test_ctrl_c_at_any_program(root: Path, tmp_path: Path) -> None:
    with_towncrier(root, tmp_path)
    for copy, number, after, one in _interruptions(root, tmp_path):
        before = state(copy)
        run = run_of(system_of(tmp_path, Interrupting(system_of(tmp_path), number, after=after)), one)
        with pytest.raises((ReleaseError, KeyboardInterrupt)):
            run.execute()
        assert state(copy) == before, (number, after)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the tool is a shell script")
def test_a_run_that_dies_at_any_program_is_undone_by_the_next(root: Path, tmp_path: Path, monkeypatch: Any) -> None:
    """Dies: nothing is undone by the run itself, as after SIGKILL."""
    with_towncrier(root, tmp_path)
    cases = list(_interruptions(root, tmp_path))
    monkeypatch.setattr(preparation_run.PreparationRun, "undo_after", lambda _self, error: error)
    for copy, number, after, one in cases:
        before = state(copy)
        run = run_of(system_of(tmp_path, Interrupting(system_of(tmp_path), number, after=after)), one)
        with pytest.raises((ReleaseError, KeyboardInterrupt)):
            run.execute()
        notes = undo_interrupted(system_of(tmp_path), copy)
        if any("it stays" in note for note in notes):
            assert git(copy, "log", "-1", "--format=%s").strip() == "Release 1.2.0"
            assert git(copy, "status", "--porcelain") == ""
            continue
        assert state(copy) == before, (number, after)


def test_a_killed_run_is_undone_by_the_next_one(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, system = state(root), system_of(tmp_path)
    monkeypatch.setattr(preparation_run.PreparationRun, "undo_after", lambda _self, error: error)
    with pytest.raises(RefusedError):
        run_of(system, prepared(root, system), _refuse).execute()
    assert b"1.2.0" in (root / "pyproject.toml").read_bytes()
    with (root / "CHANGELOG.md").open("ab") as file:
        file.write(b"- written since\n")
    kept = root / ".release/prepare-kept"
    kept.mkdir()
    (kept / "CHANGELOG.md").write_bytes(b"of an earlier run")
    notes = undo_interrupted(system, root)
    assert notes[0] == "undid a preparation that was killed: Release 1.2.0"
    assert notes[1].startswith("CHANGELOG.md had other content")
    assert (kept / "CHANGELOG.md").read_bytes() == b"of an earlier run"
    assert (kept / "CHANGELOG.md.2").read_bytes().endswith(b"- written since\n")
    assert state(root) == before
    assert undo_interrupted(system, root) == ()


def _refuse() -> None:
    raise RefusedError("no", remedy="yes")


def test_what_moved_since_is_not_undone_blindly(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system = system_of(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(preparation_run.PreparationRun, "undo_after", lambda _self, error: error)
        with pytest.raises(RefusedError):
            run_of(system, prepared(root, system), _refuse).execute()
    (root / "mine.txt").write_text("mine\n")
    git(root, "add", "mine.txt")
    git(root, "commit", "-q", "-a", "-m", "Release 1.2.0")  # by the user, with a file of theirs
    with pytest.raises(ReleaseError, match="the branch has moved since the preparation began"):
        undo_interrupted(system, root)
    assert undo_record.load_undo_record(system, root) is not None
    outside = tmp_path / "outside.txt"
    for name in ("../outside.txt", outside.as_posix()):
        record = json.loads((root / ".release/prepare.json").read_bytes())
        git(root, "reset", "-q", "--soft", record["head"])
        (root / ".release/prepare.json").write_text(json.dumps(record | {"before": {name: "bWluZQ=="}}))
        with pytest.raises(ReleaseError, match="is damaged"):
            undo_interrupted(system, root)
        assert not outside.exists()
    (root / ".release/prepare.json").write_text("{")
    with pytest.raises(ReleaseError, match="is damaged"):
        undo_interrupted(system, root)


def test_refusals_before_anything_is_written(root: Path, tmp_path: Path) -> None:
    system = system_of(tmp_path)
    one = prepared(root, system)
    git(root, "commit", "-q", "--allow-empty", "-m", "meanwhile")
    with pytest.raises(RefusedError, match="the repository has changed since the plan was made"):
        run_of(system, one).execute()
    (root / "CHANGELOG.md").write_text("## Unreleased\n\n- x\n")
    dirty = prepared(root, system)
    assert [outcome.check for outcome in dirty.outcomes if outcome.state.blocks] == ["the-tree-is-clean"]
    assert not dirty.preparation.findings
    waived = prepared(root, system, waive={"the-tree-is-clean": "a test"})
    assert [finding.message for finding in waived.preparation.findings] == [
        "'CHANGELOG.md' is to be changed, but it has uncommitted changes"
    ]
    git(root, "checkout", "-q", "--", "CHANGELOG.md")
    git(root, "tag", "v1.2.0", "HEAD~1")
    git(root, "reset", "-q", "--soft", "HEAD~2")
    with pytest.raises(RefusedError, match=r"the tag 'v1\.2\.0' of 1\.2\.0 exists already"):
        prepared(root, system, "1.2.0")
    with pytest.raises(RefusedError) as unchanged:
        prepared(root, system)
    assert unchanged.value.message == "nothing has changed since v1.1.0"
    git(root, "checkout", "-q", "--detach")
    with pytest.raises(RefusedError, match="HEAD is detached"):
        prepared(root, system)


def test_a_prepared_version_is_not_bumped_again_by_a_word(root: Path, tmp_path: Path) -> None:
    system = system_of(tmp_path)
    run_of(system, prepared(root, system)).execute()
    assert prepared(root, system).is_complete
    (finding,) = [one for one in prepared(root, system, "minor").preparation.findings if one.severity == "block"]
    assert finding.message == "1.2.0 is prepared, but not released: it has no tag"
    assert "pypi-preflight prepare 1.3.0" in finding.remedy
    assert not [one for one in prepared(root, system, "1.3.0").preparation.findings if one.severity == "block"]


@pytest.mark.skipif(sys.platform == "win32", reason="the hook is a shell script")
def test_a_commit_whose_message_a_hook_completes_is_undone(root: Path, tmp_path: Path) -> None:
    """Gerrit's hook adds a line, others the number of a ticket."""
    path = root / ".git/hooks/commit-msg"
    path.write_text('#!/bin/sh\nprintf "\\nChange-Id: I0123\\n" >> "$1"\n')
    path.chmod(0o755)
    system, before = system_of(tmp_path), state(root)
    run = run_of(system, prepared(root, system))
    run.execute()
    assert "Change-Id: I0123" in git(root, "log", "-1", "--format=%B")
    run.record.commit = None  # as where it was killed before it recorded that
    run.undo_after(RefusedError("the release was refused", remedy="fix it"))
    assert state(root) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_file_behind_a_link_is_committed(root: Path, tmp_path: Path) -> None:
    (root / "docs").mkdir()
    (root / "CHANGELOG.md").rename(root / "docs/changelog.md")
    (root / "CHANGELOG.md").symlink_to("docs/changelog.md")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Move the changelog")
    system, before = system_of(tmp_path), state(root)
    run = run_of(system, prepared(root, system))
    run.execute()
    assert git(root, "show", "--format=", "--name-only").split() == ["docs/changelog.md", "pyproject.toml"]
    assert (root / "CHANGELOG.md").is_symlink()
    assert git(root, "status", "--porcelain") == ""
    run.undo_after(RefusedError("the release was refused", remedy="fix it"))
    assert state(root) == before


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_file_outside_of_the_repository_is_not_written(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "CHANGELOG.md").rename(outside / "CHANGELOG.md")
    (root / "CHANGELOG.md").symlink_to(outside / "CHANGELOG.md")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Share the changelog")
    system = system_of(tmp_path)
    with pytest.raises(RefusedError, match=r"CHANGELOG\.md.* outside of the repository"):
        prepared(root, system)


@pytest.mark.skipif(sys.platform == "win32", reason="the hook is a shell script")
def test_what_a_hook_stages_is_committed_and_the_tree_is_clean(root: Path, tmp_path: Path) -> None:
    path = root / ".git/hooks/pre-commit"
    path.write_text("#!/bin/sh\necho '# formatted' >> pyproject.toml && echo 1 > new && git add pyproject.toml new\n")
    path.chmod(0o755)
    system = system_of(tmp_path)
    run_of(system, prepared(root, system)).execute()
    assert git(root, "show", "HEAD:pyproject.toml").endswith("# formatted\n")
    assert git(root, "status", "--porcelain") == ""


def test_control_characters_in_messages_of_commits(root: Path, tmp_path: Path) -> None:
    git(root, "commit", "-q", "--allow-empty", "-m", "fix: a \x1e in a body\n\nof \x1e and \x1f text")
    found = prepared(root, system_of(tmp_path)).preparation.commits
    assert [one.subject for one in found][-1:] == ["feat: add a lid"]
    assert len(found) == 2
    assert found[0].body == "of \x1e and \x1f text"
