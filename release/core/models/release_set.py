"""Projects that are released together: the members of a set, their order, and what is known of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from msgspec import Struct, field

if TYPE_CHECKING:
    from release.core.models.check_result import Unknown
    from release.core.models.distribution import Distribution
    from release.core.models.index import Index, ProjectListing

#: why a member is released, or is not: "release": the target index lacks its version, or some of its files;
#: "released": the index has it; "unchanged": no commit since its last tag, with `only-changed`; "private": a classifier
#: "Private ::" keeps it from every index; "not-selected": `--only` names others; "unknown": its name or version, or
#: what the index has
MemberState = Literal["release", "released", "unchanged", "private", "not-selected", "unknown"]


class SetSettings(Struct, frozen=True, kw_only=True):
    """`[tool.release.set]`: which projects below a directory form a set."""

    #: patterns of directories, relative to the root: "packages/*"; "." is the root's own project
    members: tuple[str, ...] = ()
    #: patterns of directories that are no members
    exclude: tuple[str, ...] = ()
    #: whether a member without a commit since its last tag is left out although the index lacks its version
    only_changed: bool = False
    #: whether all members must have the same version
    lockstep: bool = False


class Member(Struct, frozen=True, kw_only=True):
    """One project of a set."""

    #: as its metadata spells it
    name: str
    version: str
    #: relative to the root, with slashes; "." is the root; empty where the member is known from files only
    directory: str = ""
    #: where it is known from files, the directory below the root whose `[tool.release]` counts; empty: the root's
    configured_in: str = ""
    #: its requirements, one PEP 508 text each, those of extras with their marker
    requires: tuple[str, ...] = ()
    #: `build-system.requires`, one PEP 508 text each
    build_requires: tuple[str, ...] = ()
    #: whether a classifier "Private ::" keeps it from every index
    private: bool = False
    #: what makes it private: "classifier 'Private :: Do Not Upload'"; empty where it is not
    private_by: str = ""
    #: its files, where they were built before; sorted by name
    files: tuple[Distribution, ...] = ()


class MemberFacts(Struct, frozen=True, kw_only=True):
    """A member, and what its repository and the indexes say about it."""

    member: Member
    state: MemberState
    #: name of an index → what it lists of the project; None: it has no such project
    listings: Mapping[str, ProjectListing | Unknown | None] = field(default_factory=dict)
    #: where the index has its version: the tag of that version; else the newest tag of an earlier version that HEAD
    #: has; None where there is none, or no repository
    last_tag: str | None = None
    #: the number of commits since that tag that touch the member's directory
    commits_since: int = 0
    #: whether its clone is shallow, so that tags and commits may be missing
    shallow: bool = False
    #: the form of its tags: "b-v{version}"; empty where it has no repository
    tag_format: str = ""
    #: why it is in that state, in a few words: "pypi has 1.1"
    reason: str = ""
    #: why the state is "unknown", and what to do; None in any other state
    problem: Unknown | None = None


class ReleaseSet(Struct, frozen=True, kw_only=True):
    """A set, as it is to be released."""

    settings: SetSettings
    #: all members, in the order of their directories, or of their names
    members: tuple[MemberFacts, ...]
    #: canonical names of the members in state "release": each level needs only what the levels before it, and the
    #: indexes, have
    levels: tuple[tuple[str, ...], ...]
    #: the name of the index that the set is released to
    index: str = "pypi"
    #: the indexes that keep what is uploaded, in the order of the uploads; the last one is `index`
    indexes: tuple[Index, ...] = ()
    #: what the reader should know of it: where the members come from, requirements that do not order
    notes: tuple[str, ...] = ()
    #: name of an index → how many new projects it accepts now, as it has stated itself in this run
    new_projects_left: Mapping[str, int] = field(default_factory=dict)


class Sibling(Struct, frozen=True, kw_only=True):
    """A member whose new version is on an index already, as a build or a clean install of another member sees it."""

    name: str
    version: str
    #: the page of the project in the index's simple API; only this project's files are taken from there
    page: str
