"""Push to a remote: without force, and without a prompt. Every function raises `ToolError` where git fails."""

from __future__ import annotations

from pathlib import Path

from release.adapters.git import repository
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.check_result import Unknown
from release.core.shell import quote_word

#: seconds for a push; the user's pre-push hook may run tests
_PUSH_LIMIT = 600


def push_tag(system: System, root: Path, remote: str, tag: str) -> bool:
    """Push one tag, without prompting; returns whether the remote did not have it yet.

    Raises `ToolError` where the remote cannot be reached, has another tag of that name, or refuses it.
    """
    ours = repository.git_output(system, root, "rev-parse", "--verify", f"refs/tags/{tag}").strip()
    theirs = repository.remote_commit(system, root, remote, f"refs/tags/{tag}")
    by_hand = f"fix that, then push the tag: git push {quote_word(remote)} {quote_word(tag)}"
    if isinstance(theirs, Unknown):
        raise ToolError(f"cannot ask the remote {remote!r} for the tag {tag!r}: {theirs.reason}", remedy=by_hand)
    if theirs == ours:
        return False
    if theirs:
        raise ToolError(
            f"the remote {remote!r} has another tag {tag!r}: {theirs[:12]} there, {ours[:12]} here",
            remedy="find out who created it, and correct it there; to keep it: push-tag = false in [tool.release]",
        )
    _push(system, root, remote, f"refs/tags/{tag}", what=f"the tag {tag!r}", by_hand=by_hand)
    return True


def push_commit(system: System, root: Path, commit: str, *, remote: str, ref: str) -> bool:
    """Push a commit to a branch of the remote, for example "refs/heads/main"; whether the remote did not have it yet.

    Raises `ToolError` where the remote cannot be reached, has commits that are not here, or refuses it.
    """
    target = f"HEAD:{ref.removeprefix('refs/heads/')}"
    by_hand = f"run `git pull --rebase`, then push it: git push {quote_word(remote)} {quote_word(target)}"
    theirs = repository.remote_commit(system, root, remote, ref)
    if isinstance(theirs, Unknown):
        raise ToolError(f"cannot ask the remote {remote!r} for {ref!r}: {theirs.reason}", remedy=by_hand)
    if theirs and not repository.run_git(system, root, "merge-base", "--is-ancestor", commit, theirs).status:
        return False
    _push(system, root, remote, f"{commit}:{ref}", what=f"the commit {commit[:12]}", by_hand=by_hand)
    return True


def _push(system: System, root: Path, remote: str, refspec: str, *, what: str, by_hand: str) -> None:  # noqa: PLR0913 - what is pushed, and where
    words = ("push", "--atomic", "--porcelain", "--", remote, refspec)
    try:
        done = repository.run_at_remote(system, root, *words, timeout=_PUSH_LIMIT, hooks=True)
    except TimedOutError:
        raise ToolError(f"pushing {what} took more than {_PUSH_LIMIT} s", remedy=by_hand) from None
    if done.status:
        raise ToolError(f"{what} was not pushed: {_why(done.errors, done.output)!r}", remedy=by_hand)


def _why(errors: str, output: str) -> str:
    """The message of the remote, else of git. Source: git-push(1), "OUTPUT": "!" marks a rejected reference."""
    remote = [line.removeprefix("remote:").strip() for line in errors.splitlines() if line.startswith("remote:")]
    refused = [line[1:].strip() for line in output.splitlines() if line.startswith("!")]
    return "; ".join([*filter(None, remote), *refused][:4]) or repository.failure_line(errors)
