"""A repository whose configuration names programs: reading runs none of them, and those that run see no token."""

from __future__ import annotations

import os
import secrets
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.git import commits, member_history, pushes, signing, submodules, tags
from release.adapters.git import repository as git
from release.adapters.system.system import System, real_system
from release.core.errors import ToolError
from release.core.models.check_result import Unknown
from release.leaks import git_history, worktree
from tests.fake_tokens import token

HOOKS = (
    "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg",
    "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "reference-transaction",
    "pre-auto-gc", "post-rewrite", "fsmonitor-watchman", "post-index-change",
)  # fmt: skip
CANARY, OTHER = token(), secrets.token_hex(16)
SECRET = {
    "TWINE_PASSWORD": CANARY, "UV_PUBLISH_TOKEN": CANARY, "INNOCENT": CANARY.removeprefix("pypi-"),
    "NPM_TOKEN": OTHER, "COPY": f"x{OTHER}",
}  # fmt: skip
_WHO = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "A"}
_WHO |= {"GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")


class Hostile:
    """A repository in which everything that can name a program names one, which writes down its environment."""

    def __init__(self, place: Path) -> None:
        self.root, self.ran, self._programs = place / "repository", place / "ran", place / "programs"
        for one in (self.root, self.ran, self._programs):
            one.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", ".")
        (self.root / "a.txt").write_text("one\n")
        (self.root / "big.bin").write_text("one\n")
        (self.root / ".gitattributes").write_text("*.txt diff=hostile\n*.bin filter=hostile\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "one")
        self.git("tag", "v1")
        signed = self.git("cat-file", "commit", "HEAD").replace("\n\none", "\ngpgsig -----BEGIN PGP\n x\n\none", 1)
        self.git(
            "update-ref", "refs/heads/signed", self.git("hash-object", "-t", "commit", "-w", "--stdin", text=signed)
        )
        (self.root / "a.txt").write_text("two\n")
        self.git("commit", "-q", "-a", "-m", "two")
        hooks = place / "hooks"
        hooks.mkdir()
        for name in HOOKS:
            (hooks / name).symlink_to(self.program(f"hook-{name}"))
        for name, value in {
            "core.hooksPath": str(hooks), "core.fsmonitor": self.program("fsmonitor"),
            "core.sshCommand": self.program("ssh"), "core.pager": self.program("pager"), "pager.log": "true",
            "core.editor": self.program("editor"), "core.askPass": self.program("askpass"),
            "credential.helper": self.program("helper"), "diff.external": self.program("external"),
            "diff.hostile.textconv": self.program("textconv"), "diff.hostile.command": self.program("command"),
            "gpg.program": self.program("gpg"), "log.showSignature": "true",
            "filter.hostile.clean": self.program("filter"),
            "alias.status": "!" + self.program("alias"), "alias.log": "!" + self.program("alias"),
            "protocol.ext.allow": "always", "remote.origin.url": "ssh://localhost/x",
            "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*", "branch.main.remote": "origin",
            "branch.main.merge": "refs/heads/main", "core.alternateRefsCommand": self.program("alternates"),
        }.items():  # fmt: skip
            self.git("config", name, value)
        (self.root / "a.txt").write_text("three\n")
        (self.root / "big.bin").write_text("two\n")

    def program(self, name: str) -> str:
        """A program that writes its environment down, and fails."""
        path = self._programs / name
        path.write_text(f'#!/bin/sh\nenv > "{self.ran}/{name}-$$"\nexit 1\n')
        path.chmod(0o755)
        return str(path)

    def git(self, *words: str, text: str = "") -> str:
        env = {**os.environ, **_WHO}
        done = subprocess.run(
            ["git", *words], cwd=self.root, env=env, check=True, capture_output=True, text=True, input=text
        )
        return done.stdout.strip() if words[0] != "cat-file" else done.stdout

    def started(self) -> set[str]:
        """The names of the programs that ran since the last call. None of them saw a secret."""
        found = set()
        for one in self.ran.iterdir():
            text = one.read_text()
            assert CANARY not in text
            assert CANARY.removeprefix("pypi-") not in text
            assert OTHER not in text
            found.add(one.name.rpartition("-")[0])
            one.unlink()
        return found

    def system(self, **more: str) -> System:
        here = real_system()
        return replace(here, env={**here.env, **_WHO, **SECRET, **more})


@pytest.fixture
def hostile(tmp_path: Path) -> Hostile:
    made = Hostile(tmp_path)
    assert made.started() <= {"filter"}
    return made


def test_reading_runs_no_program_but_filters(hostile: Hostile, tmp_path: Path) -> None:
    system, root = hostile.system(), hostile.root
    head = git.commit(system, root)
    assert git.find_root(system, root) == root
    assert git.commit_time(system, root, head) > 0
    assert git.commit_time(system, root, "refs/heads/signed") > 0
    assert (git.branch(system, root), git.upstream(system, root)) == ("main", "origin/main")
    assert git.upstream_branch(system, root) == ("origin", "main")
    assert git.remote_url(system, root, "origin") == "ssh://localhost/x"
    assert git.remote(system, root) == "origin"
    assert git.tag_commit(system, root, "v1")
    assert not git.is_shallow(system, root)
    assert "a.txt" in git.project_files(system, root)
    assert git.tracked_files(system, root)
    assert git.untracked_files(system, root) == ()
    assert submodules.list_submodules(system, root) == ()
    assert [one.name for one in tags.all_tags(system, root)] == ["v1"]
    assert [one.subject for one in commits.commits_after(system, root, "v1")] == ["two"]
    assert commits.bytes_at(system, root, "v1", "a.txt") == b"one\n"
    assert commits.tag_object(system, root, "v1")
    assert commits.is_own_commit(system, root, head, parent="", message="two", paths=["a.txt"]) is False
    found = member_history.open_repository(system, root)
    assert found is not None
    assert member_history.commits_since(system, found, "v1", root) == 1
    assert worktree.scan_directory(system, root).count == 3
    assert git_history.scan_history(system, root).count
    assert git_history.scan_staged(system, root).leaks == ()
    git.clone_commit(system, root, head, tmp_path / "copy")
    git.clone_without_files(system, root, tmp_path / "other")
    assert (tmp_path / "copy" / "a.txt").read_text() == "two\n"
    assert hostile.started() == set()
    assert "a.txt" in git.changed_paths(system, root)
    assert commits.dirty_paths(system, root, ["a.txt"]) == ("a.txt",)
    assert hostile.started() <= {"filter"}, "without filters git would report files of Git LFS as changed"


def test_a_clone_without_trees_has_a_date_and_the_remedy_for_the_rest(hostile: Hostile) -> None:
    hostile.git("config", "extensions.partialClone", "origin")
    hostile.git("config", "remote.origin.promisor", "true")
    system, root = hostile.system(), hostile.root
    tree = hostile.git("rev-parse", "v1^{tree}")
    (root / ".git/objects" / tree[:2] / tree[2:]).unlink()
    hostile.started()
    assert git.commit_time(system, root, git.commit(system, root)) > 0
    with pytest.raises(ToolError, match="git log needs objects that the partial clone") as caught:
        commits.commits_after(system, root, "v1", ["a.txt"])
    assert caught.value.remedy == "git fetch --refetch --no-filter"
    assert hostile.started() == set()


def test_a_partial_clone_fetches_nothing(hostile: Hostile) -> None:
    hostile.git("config", "extensions.partialClone", "origin")
    hostile.git("config", "remote.origin.promisor", "true")
    missing = hostile.git("rev-parse", "v1:a.txt")
    (hostile.root / ".git/objects" / missing[:2] / missing[2:]).unlink()
    hostile.started()
    with pytest.raises(ToolError):
        git.git_output(hostile.system(), hostile.root, "cat-file", "blob", missing)
    assert hostile.started() == set()


@pytest.mark.parametrize("form", ["ext", "upload-pack", "option"])
def test_the_remote_is_asked_as_the_user_configured_it_but_no_option_is_smuggled(hostile: Hostile, form: str) -> None:
    system, root, name = hostile.system(SSH_AUTH_SOCK="/agent"), hostile.root, "origin"
    if form == "ext":
        hostile.git("config", "remote.origin.url", f"ext::{hostile.program('ext')}")
    elif form == "upload-pack":
        hostile.git("config", "remote.origin.url", str(root))
        hostile.git("config", "remote.origin.uploadpack", hostile.program("uploadpack"))
    else:
        name = f"--upload-pack={hostile.program('option')}"
    hostile.started()
    assert isinstance(git.remote_commit(system, root, name, "refs/heads/main"), Unknown)
    assert git.remote_tags(system, root, name) == {}
    assert hostile.started() <= {"uploadpack"}


def test_ssh_sees_the_agent_and_no_token(hostile: Hostile) -> None:
    system = hostile.system(SSH_AUTH_SOCK="/agent-of-mine")
    assert isinstance(git.remote_commit(system, hostile.root, "origin", "refs/heads/main"), Unknown)
    (ran,) = hostile.ran.iterdir()
    assert "SSH_AUTH_SOCK=/agent-of-mine" in ran.read_text()
    assert hostile.started() == {"ssh"}


def test_hooks_and_gpg_run_for_tags_commits_and_pushes_and_see_no_token(hostile: Hostile, tmp_path: Path) -> None:
    system, root = hostile.system(ACME_TOKEN="passed"), hostile.root
    hostile.git("config", "tag.gpgSign", "true")
    assert signing.signing_problem(system, root) is not None
    assert hostile.started() == {"gpg"}
    with pytest.raises(ToolError):
        tags.create_tag(system, root, "v2", "HEAD", "v2")
    assert hostile.started() == {"gpg"}
    with pytest.raises(ToolError):
        commits.create_commit(system, root, "three", ["a.txt"])
    (hook,) = hostile.ran.glob("hook-pre-commit*")
    assert "GIT_ALLOW_PROTOCOL" not in hook.read_text(), "the hooks of pre-commit are cloned"
    assert "hook-pre-commit" in hostile.started()
    remote = tmp_path / "remote.git"
    hostile.git("init", "-q", "--bare", str(remote))
    hostile.git("config", "remote.origin.url", str(remote))
    with pytest.raises(ToolError, match="was not pushed"):
        pushes.push_tag(replace(system, passed=("ACME_*",)), root, "origin", "v1")
    (hook,) = hostile.ran.glob("hook-pre-push*")
    assert "ACME_TOKEN=passed" in hook.read_text()
    assert "hook-pre-push" in hostile.started()
