"""Create and push tags: the only changes that are made to a user's repository."""

from __future__ import annotations

from pathlib import Path

from release.adapters.git import repository
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.finding import Unknown

#: seconds for a push; the user's pre-push hook may run tests
_LIMIT = 600


def create_tag(system: System, root: Path, tag: str, commit: str, message: str) -> None:
    """Create an annotated tag, signed if the user's configuration says so. Raises `ToolError` where it exists.

    Where git knows no identity, as on a build machine, the tagger is the committer of the commit.
    """
    words = ("tag", "--annotate", "--cleanup=verbatim", f"--message={message}", "--", tag, commit)
    repository.git_output(system, root, *_identity(system, root, commit), *words, credentials=True)


def push_tag(system: System, root: Path, remote: str, tag: str) -> bool:
    """Push one tag, without prompting; returns whether the remote did not have it yet.

    Raises `ToolError` where the remote cannot be reached, has another tag of that name, or refuses it.
    """
    ours = repository.git_output(system, root, "rev-parse", "--verify", f"refs/tags/{tag}").strip()
    theirs = repository.remote_commit(system, root, remote, f"refs/tags/{tag}")
    by_hand = f"fix that, then push the tag: git push {remote} {tag}"
    if isinstance(theirs, Unknown):
        raise ToolError(f"cannot ask the remote {remote!r} for the tag {tag!r}: {theirs.reason}", remedy=by_hand)
    if theirs == ours:
        return False
    if theirs:
        raise ToolError(
            f"the remote {remote!r} has another tag {tag!r}: {theirs[:12]} there, {ours[:12]} here",
            remedy=f"find out who created it; if it is a mistake: git push --force {remote} refs/tags/{tag}",
        )
    quiet = repository.noninteractive_variables(system.env, repository.ssh_command(system, root))
    try:
        done = repository.run_git(
            system, root, "-c", "core.askPass=", "push", "--atomic", "--porcelain", remote, f"refs/tags/{tag}",
            credentials=True, timeout=_LIMIT, extra=quiet,
        )  # fmt: skip
    except TimedOutError:
        raise ToolError(f"pushing the tag {tag!r} took more than {_LIMIT} s", remedy=by_hand) from None
    if done.status:
        raise ToolError(f"the tag {tag!r} was not pushed: {_why(done.errors, done.output)!r}", remedy=by_hand)
    return True


def _why(errors: str, output: str) -> str:
    """The message of the remote, else of git. Source: git-push(1), "OUTPUT": "!" marks a rejected reference."""
    remote = [line.removeprefix("remote:").strip() for line in errors.splitlines() if line.startswith("remote:")]
    refused = [line[1:].strip() for line in output.splitlines() if line.startswith("!")]
    return "; ".join([*filter(None, remote), *refused][:4]) or repository.failure_line(errors)


def _identity(system: System, root: Path, commit: str) -> tuple[str, ...]:
    """Options that name the committer of `commit` as the user; none where git knows an identity."""
    if not repository.run_git(system, root, "var", "GIT_COMMITTER_IDENT", credentials=True).status:
        return ()
    committer = repository.git_output(system, root, "show", "--no-patch", "--format=%cn%x00%ce", commit).strip()
    name, _, address = committer.partition("\0")
    return "-c", f"user.name={name}", "-c", f"user.email={address}"
