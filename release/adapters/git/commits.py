"""Read the commits since a tag, and make or take back the commit of a release.

Paths are relative to the root of the repository, with slashes. Every function raises `ToolError` where git fails.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from release.adapters.git import repository
from release.adapters.git.git_settings import git_environment
from release.adapters.git.objects import git_bytes
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.preparation import CommitSummary
from release.core.quoting import quote_path

#: seconds for a commit; the user's hooks may run tests
_COMMIT_LIMIT = 600


def commits_after(system: System, root: Path, tag: str | None, paths: Sequence[str] = ()) -> tuple[CommitSummary, ...]:
    """The commits since a tag that HEAD has, the newest first, with merges, which have the titles of pull requests.

    `tag` None: all. `paths`: pathspecs that they must touch.
    """
    revisions = f"refs/tags/{tag}..HEAD" if tag else "HEAD"
    fields = "--format=tformat:%H%x00%s%x00%b"
    words = ("log", "-z", "--no-show-signature", fields, revisions, "--", *paths)
    texts = iter(repository.git_output(system, root, *words).split("\0")[:-1])
    entries = zip(texts, texts, texts, strict=True)
    return tuple(CommitSummary(commit=name, subject=subject, body=body.strip()) for name, subject, body in entries)


def bytes_at(system: System, root: Path, tag: str, path: str) -> bytes | None:
    """The bytes of a file at a tag; None where it has no such file."""
    try:
        # The one object that a partial clone may lack, and fetch.
        env = git_environment(system, "git at a remote")
        return git_bytes(root, env, "cat-file", "blob", f"refs/tags/{tag}:{path}")
    except ToolError:
        return None


def dirty_paths(system: System, root: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Those of these files, and of the files below these directories, that differ from HEAD or are untracked."""
    if not paths:
        return ()
    options = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=all")
    listed = repository.git_output(system, root, "--literal-pathspecs", "status", *options, "--", *paths)
    return tuple(entry[3:] for entry in listed.split("\0") if entry)


def files_below(system: System, root: Path, path: str) -> tuple[str, ...]:
    """The tracked files at or below a path."""
    listed = repository.git_output(system, root, "--literal-pathspecs", "ls-files", "-z", "--", path)
    return tuple(entry for entry in listed.split("\0") if entry)


def has_identity(system: System, root: Path) -> bool:
    """Whether git knows who commits."""
    return not repository.run_git(system, root, "var", "GIT_COMMITTER_IDENT").status


def ongoing_operation(system: System, root: Path) -> str | None:
    """What git has not ended: "merge", "rebase", "cherry-pick", "revert" or "bisect"; None if there is nothing."""
    names = {
        "MERGE_HEAD": "merge", "rebase-merge": "rebase", "rebase-apply": "rebase", "CHERRY_PICK_HEAD": "cherry-pick",
        "REVERT_HEAD": "revert", "BISECT_LOG": "bisect",
    }  # fmt: skip
    words = [word for name in names for word in ("--git-path", name)]
    places = repository.git_output(system, root, "rev-parse", *words).splitlines()
    return next((what for place, what in zip(places, names.values(), strict=True) if (root / place).exists()), None)


def require_unlocked(system: System, root: Path) -> None:
    """Raise `ToolError` where another git process holds the index, or one that was killed has left its lock."""
    lock = root / repository.git_output(system, root, "rev-parse", "--git-path", "index.lock").strip()
    if lock.exists():
        raise ToolError(
            f"git is at work in {quote_path(root)}: it holds {quote_path(lock)}",
            remedy="wait until it ends; if no git is running, delete that file",
        )


def create_commit(system: System, root: Path, message: str, paths: Sequence[str]) -> str:
    """Commit these files alone, with the user's hooks and signature. The commit, 40 hex digits (64 with SHA-256).

    The hooks are code of the project: they do not see credentials. Raises `ToolError` with what git or a hook reports.
    """
    repository.git_output(system, root, "update-index", "--add", "--remove", "--", *paths)
    staged = repository.git_output(
        system, root, "diff", "--cached", "--name-only", "--no-renames", "--no-ext-diff", "-z"
    ).split("\0")
    env = git_environment(system, "git that signs", hooks=True)
    words = ["git", "--literal-pathspecs", "commit", "--quiet", f"--message={message}"]
    if set(filter(None, staged)) - set(paths):  # else not: git commits what a hook stages then, but unstages it
        words += ["--only", "--", *paths]
    try:
        done = system.run(words, cwd=root, env=env, timeout=_COMMIT_LIMIT)
    except TimedOutError:
        raise ToolError(
            f"git commit took more than {_COMMIT_LIMIT} s",
            remedy="run the hooks by hand to find out what they wait for",
        ) from None
    if done.status:
        lines = [line.strip() for line in done.output.splitlines() if line.strip()]
        reason = repository.failure_line(done.output) or f"exit status {done.status}"
        shown = "\n".join(f"    {line}" for line in lines[-8:])
        raise ToolError(
            f"git commit failed: {reason!r}" + (f"\n{shown}" if len(lines) > 1 else ""),
            remedy="fix what git, or the hook, reports; then run the same command again",
        )
    return repository.commit(system, root)


def take_back_commit(system: System, root: Path, branch: str, *, commit: str, parent: str) -> None:
    """Let the branch point to the parent again, if it still points to the commit. Files and index stay as they are."""
    words = ("update-ref", "-m", "prepare: undone", f"refs/heads/{branch}", parent, commit)
    repository.git_output(system, root, *words)


def is_own_commit(  # noqa: PLR0913 - a commit, and what it is compared with
    system: System, root: Path, commit: str, *, parent: str, message: str, paths: Collection[str]
) -> bool:
    """Whether a commit has this one parent, this message, which a hook may have extended, and no other files."""
    fields = (
        "show",
        "-z",
        "--name-only",
        "--no-renames",
        "--no-show-signature",
        "--format=tformat:%P%x00%B",
        commit,
        "--",
    )
    parents, text, *changed = repository.git_output(system, root, *fields).split("\0")
    changed = [one.removeprefix("\n") for one in changed if one.removeprefix("\n")]
    return parents == parent and message.strip() in text and set(changed) <= set(paths)


def unstage(system: System, root: Path, paths: Iterable[str]) -> None:
    """Let the index have these paths as HEAD has them; the files stay as they are."""
    listed = list(paths)
    if listed:
        repository.git_output(system, root, "--literal-pathspecs", "reset", "--quiet", "HEAD", "--", *listed)


def tag_object(system: System, root: Path, tag: str) -> str | None:
    """The object of a tag; None without such a tag."""
    found = repository.run_git(system, root, "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}")
    return found.output.strip() or None


def remove_own_tag(system: System, root: Path, tag: str, found: str) -> None:
    """Remove a tag that this run has made, if it is still that object."""
    repository.git_output(system, root, "update-ref", "-d", f"refs/tags/{tag}", found)
