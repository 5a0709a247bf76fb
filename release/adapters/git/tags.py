"""Read and create the tags of a repository. Every function raises `ToolError` where git fails unexpectedly."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from release.adapters.git import repository
from release.core.tag_form import DatedTag, RepositoryTags

if TYPE_CHECKING:
    from release.adapters.system.system import System


def all_tags(system: System, root: Path) -> RepositoryTags:
    """All tags of the repository."""
    listed = repository.git_output(
        system, root, "for-each-ref", "--format=%(creatordate:unix) %(refname:strip=2)", "refs/tags"
    )
    pairs = (line.partition(" ") for line in listed.splitlines())
    return RepositoryTags(DatedTag(name=name, time=int(seconds or 0)) for seconds, _, name in pairs)


def is_on_remote(system: System, root: Path, commit: str) -> bool:
    """Whether a branch of any remote has the commit, as of the last fetch or push."""
    return bool(
        repository.git_output(system, root, "for-each-ref", "--count=1", f"--contains={commit}", "refs/remotes").strip()
    )


def create_tag(system: System, root: Path, tag: str, commit: str, message: str) -> None:
    """Create an annotated tag, signed if the user's configuration says so. Raises `ToolError` where it exists.

    Where git knows no identity, as on a build machine, the tagger is the committer of the commit.
    """
    identity = tagger_identity(system, root, commit)
    words = ("tag", "--annotate", "--cleanup=verbatim", f"--message={message}", "--", tag, commit)
    repository.git_output(system, root, *identity, *words, child="git that signs", hooks=True)


def tagger_identity(system: System, root: Path, commit: str) -> tuple[str, ...]:
    """The options that give the committer's identity, where git knows none."""
    if not repository.run_git(system, root, "var", "GIT_COMMITTER_IDENT").status:
        return ()
    committer = repository.git_output(system, root, "log", "-1", "--format=%cn%x00%ce", commit, "--").strip()
    name, _, address = committer.partition("\0")
    return "-c", f"user.name={name}", "-c", f"user.email={address}"
