"""Sign a test object as git would sign a tag, so that a missing key is known before anything is uploaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from release.adapters.git import repository, tags
from release.adapters.git.git_settings import git_environment
from release.adapters.system.process import TimedOutError
from release.adapters.system.temporary_directory import temporary_directory
from release.core.models.check_result import Finding, Unknown
from release.core.shell import quote_word

if TYPE_CHECKING:
    from release.adapters.system.system import System

#: seconds; a passphrase may be entered
_LIMIT = 60
#: the settings that sign an annotated tag. Source: git-config(1)
_SETTINGS = ("tag.gpgSign", "tag.forceSignAnnotated")


def signing_problem(system: System, root: Path) -> Finding | Unknown | None:
    """Why git cannot sign a tag; None if it can, or the user's configuration does not sign tags.

    The signed object is written to a temporary directory, not to the repository.
    """
    settings = [name for name in _SETTINGS if _is_set(system, root, name)]
    if not settings:
        return None
    by_hand = (
        f"run `git commit-tree -S -m test HEAD^{{tree}}`, and fix what it reports; or do not sign: git config "
        f"{settings[0]} false"
    )
    with temporary_directory() as objects:
        env = git_environment(system, "git that signs")
        stored = repository.git_output(system, root, "rev-parse", "--path-format=absolute", "--git-path", "objects")
        env |= {"GIT_OBJECT_DIRECTORY": str(objects), "GIT_ALTERNATE_OBJECT_DIRECTORIES": stored.strip()}
        identity = tags.tagger_identity(system, root, "HEAD")
        words = ["git", *identity, "commit-tree", "-S", "-m", "test", "HEAD^{tree}"]
        try:
            done = system.run(words, cwd=root, env=env, timeout=_LIMIT, apart=True)
        except TimedOutError:
            return Unknown(reason=f"signing a test object took more than {_LIMIT} s", remedy=by_hand)
    if not done.status:
        return None
    lines = [line.strip() for line in done.errors.splitlines() if line.strip()]
    reason = repository.failure_line(done.errors) or "no reason given"
    if reason.startswith("fatal: failed to write commit object") and len(lines) > 1:
        reason = lines[0]
    if reason.startswith("error: gpg failed to sign the data"):  # git 2.39 shows nothing of gpg's output
        key = repository.run_git(system, root, "config", "--get", "user.signingKey").output.strip()
        show = f"gpg --list-secret-keys {quote_word(key)}" if key else "gpg --list-secret-keys"
        by_hand = f"check that gpg has the secret key: {show}; then {by_hand}"
    return Finding(message=f"{settings[0]} is set, but git cannot sign the release tag: {reason!r}", remedy=by_hand)


def _is_set(system: System, root: Path, name: str) -> bool:
    return repository.run_git(system, root, "config", "--type=bool", "--get", name).output.strip() == "true"
