"""What a repository says about a member of a set: its newest tag, and the commits since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from release.adapters.git import repository, tags
from release.adapters.system.system import System
from release.core.tag_form import RepositoryTags, TagForm


class MemberRepository(Struct, frozen=True, kw_only=True):
    """The repository that has the directories of members."""

    root: Path
    tags: RepositoryTags
    #: the names of the tags whose commits HEAD has
    merged: frozenset[str]
    #: of HEAD
    commit: str
    shallow: bool


def open_repository(system: System, directory: Path) -> MemberRepository | None:
    """The repository of a directory; None without one, or without a commit. Raises `ToolError` where git fails."""
    root = repository.find_root(system, directory)
    if root is None or repository.run_git(system, root, "rev-parse", "--verify", "--quiet", "HEAD").status:
        return None
    merged = repository.git_output(
        system, root, "for-each-ref", "--merged=HEAD", "--format=%(refname:strip=2)", "refs/tags"
    )
    return MemberRepository(
        root=root, tags=tags.all_tags(system, root), merged=frozenset(merged.splitlines()),
        commit=repository.commit(system, root), shallow=repository.is_shallow(system, root),
    )  # fmt: skip


def tag_before(form: TagForm, version: str, found: MemberRepository) -> str | None:
    """The tag of the highest version below `version` that HEAD has; of an invalid version, that of the highest."""
    try:
        ours = Version(version)
    except InvalidVersion:
        ours = None
    merged = [one for one in found.tags.of_form(form) if one.name in found.merged]
    tagged = [(version_of, one.time, one.name) for one in merged if (version_of := form.version_of(one.name))]
    earlier = [one for one in tagged if ours is None or one[0] < ours]
    return max(earlier)[2] if earlier else None


def commits_since(
    system: System, found: MemberRepository, tag: str, directory: Path, others: Sequence[Path] = ()
) -> int:
    """The number of commits since a tag that touch a directory; 0 where its files are those of the tag.

    `others`: directories inside of it that do not count. Raises `ToolError` where git fails.
    """
    place = directory.resolve().relative_to(found.root.resolve()).as_posix()
    top = found.root.resolve()
    paths = [":(top)" if place == "." else f":(top,literal){place}"]
    paths += [f":(top,exclude,literal){one.resolve().relative_to(top).as_posix()}" for one in others]
    ref = f"refs/tags/{tag}"
    same = repository.run_git(
        system, found.root, "diff", "--quiet", "--no-ext-diff", "--no-textconv", ref, "HEAD", "--", *paths
    )
    if not same.status:
        return 0
    counted = repository.git_output(system, found.root, "rev-list", "--count", f"{ref}..HEAD", "--", *paths)
    return max(1, int(counted.strip()))
