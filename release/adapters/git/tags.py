"""Tags of a repository: made here, and pushed. The only writing that is done to a user's repository."""

from __future__ import annotations

from pathlib import Path

from release.adapters.git import repository
from release.adapters.system.process import TimedOutError
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.models.finding import Unknown

#: seconds for a push; a pre-push hook is the user's own, and may run tests
_LIMIT = 600


def create_tag(system: System, root: Path, tag: str, commit: str, message: str) -> None:
    """Make an annotated tag, signed where the user's configuration says so. Raises where it exists.

    Where git knows no identity, as on a build machine, the tagger is who committed the commit.
    """
    words = ("tag", "--annotate", "--cleanup=verbatim", f"--message={message}", "--", tag, commit)
    repository.git_output(system, root, *_identity(system, root, commit), *words, ours=True)


def push_tag(system: System, root: Path, remote: str, tag: str) -> bool:
    """Push a tag, alone and whole; whether there was anything to push.

    Nobody is asked for a password. Raises `ToolError` where the remote can't be asked, has another tag of
    that name, or refuses it.
    """
    ours = repository.git_output(system, root, "rev-parse", "--verify", f"refs/tags/{tag}").strip()
    theirs = repository.remote_commit(system, root, remote, f"refs/tags/{tag}")
    by_hand = f"mend it, and push it: git push {remote} {tag}"
    if isinstance(theirs, Unknown):
        raise ToolError(f"the remote {remote!r} can't be asked for the tag {tag!r}: {theirs.reason}", remedy=by_hand)
    if theirs == ours:
        return False
    if theirs:
        raise ToolError(
            f"the remote {remote!r} has another tag {tag!r}: {theirs[:12]} there, {ours[:12]} here",
            remedy=f"find out who made it; if it is a mistake: git push --force {remote} refs/tags/{tag}",
        )
    quiet = repository.noninteractive_variables(system.env, repository.ssh_command(system, root))
    try:
        done = repository.run_git(
            system, root, "-c", "core.askPass=", "push", "--atomic", "--porcelain", remote, f"refs/tags/{tag}",
            ours=True, timeout=_LIMIT, extra=quiet,
        )  # fmt: skip
    except TimedOutError:
        raise ToolError(f"pushing the tag {tag!r} took more than {_LIMIT} s", remedy=by_hand) from None
    if done.status:
        raise ToolError(f"the tag {tag!r} was not pushed: {_why(done.errors, done.output)!r}", remedy=by_hand)
    return True


def _why(errors: str, output: str) -> str:
    """What the other side said, else what git says. Source: git-push(1), "OUTPUT": "!" marks a refused reference."""
    said = [line.removeprefix("remote:").strip() for line in errors.splitlines() if line.startswith("remote:")]
    refused = [line[1:].strip() for line in output.splitlines() if line.startswith("!")]
    return "; ".join([*filter(None, said), *refused][:4]) or repository.failure_line(errors)


def _identity(system: System, root: Path, commit: str) -> tuple[str, ...]:
    """Options that name the committer of `commit`; none where git knows who its user is."""
    if not repository.run_git(system, root, "var", "GIT_COMMITTER_IDENT", ours=True).status:
        return ()
    committer = repository.git_output(system, root, "show", "--no-patch", "--format=%cn%x00%ce", commit).strip()
    name, _, address = committer.partition("\0")
    return "-c", f"user.name={name}", "-c", f"user.email={address}"
