"""The checklist of a release set, before any of its members is built: versions, requirements, quotas."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from math import ceil

from packaging.requirements import Requirement
from packaging.version import Version

from release.checks.engine import Checklist, quote_some, warn
from release.core.models.check_result import Finding, NotApplicable, Note, Observation, Unknown
from release.core.models.distribution import parse_version
from release.core.models.index import IndexFile, ProjectListing, files_by_release, normalize_name, well_known
from release.core.models.project_limits import PER_ACCOUNT
from release.core.models.release_set import MemberFacts, ReleaseSet
from release.core.set_order import SiblingRequirement, needed_members, sibling_requirements
from release.core.shell import quote_word
from release.core.tag_form import release_after
from release.core.time_text import format_count

CHECKS = Checklist[ReleaseSet]()


@CHECKS.check()
def each_member_can_be_read(found: ReleaseSet) -> Iterator[Observation]:
    """The name, the version and the listing of each member are known.

    What is not known of one member may decide about the others: the order, and what they can require.
    """
    same: dict[tuple[str, str], list[str]] = {}
    for one in found.members:
        if one.problem is not None:
            same.setdefault((one.problem.reason, one.problem.remedy), []).append(one.member.name)
    for (reason, remedy), names in same.items():
        others = f"; to release the others only: --only {_others(found, names)}" if _others(found, names) else ""
        yield Finding(message=f"{', '.join(names)}: {reason}", remedy=f"{remedy}{others}")


@CHECKS.check()
def a_changed_member_has_a_new_version(found: ReleaseSet) -> Iterator[Observation]:
    """Each member that was changed since its last release has a new version.

    Only where the index has the version that the source has, and the repository the tag of that version. Changes that
    were reverted do not count. A new release of another member may rely on the change.
    """
    untagged = [one for one in found.members if one.state == "released" and one.tag_format and one.last_tag is None]
    if unfetched := [one.member.name for one in untagged if one.shallow]:
        yield Unknown(
            reason=f"the clone is shallow, so the commits since the release of {quote_some(unfetched)} are not known",
            remedy="fetch the history: git fetch --unshallow --tags (actions/checkout: fetch-depth: 0)",
        )
    for one in untagged:
        if not one.shallow:
            tag = one.tag_format.replace("{version}", one.member.version)
            yield Note(
                message=f"{one.member.name} {one.member.version} has no tag, so the commits since are not known",
                remedy=f"tag the commit that was released: git tag {quote_word(tag)} COMMIT",
            )
    for one in found.members:
        if one.state == "released" and one.commits_since:
            name, count = one.member.name, format_count(one.commits_since, "commit")
            others = _others(found, [name])
            yield Finding(
                message=f"{name} has changed, but {found.index} has its version {one.member.version} already",
                remedy=f"bump the version of {name}, {count} since {one.last_tag}: pypi-preflight set prepare"
                + (f"; to release the others only: --only {others}" if others else ""),
                where=one.member.directory or None,
            )


@CHECKS.check()
def requirements_on_members_can_be_met(found: ReleaseSet) -> Iterator[Observation]:
    """Each requirement of a member on another one can be met.

    By the version that this set releases of it, or by one that the index has: a member may need an older release.
    Requirements of extras, of builds and of other environments
    count; that of an extra on a private member is a warning, since it may be for development. Source: version
    specifiers (PEP 440); dependency specifiers.
    """
    facts = {str(normalize_name(one.member.name)): one for one in found.members}
    for edge in sibling_requirements(one.member for one in found.members):
        sibling = facts[edge.needs]
        if facts[edge.member].state == "release" and not edge.requirement.url:
            yield from _unmet(found, facts[edge.member], edge, sibling)


def _unmet(
    found: ReleaseSet, member: MemberFacts, edge: SiblingRequirement, sibling: MemberFacts
) -> Iterator[Observation]:
    name, needed = member.member.name, sibling.member
    start = f"{name} needs {edge.text!r}{' to build' if edge.kind == 'build' else ''}"
    change = f"change the requirement of {name} ({edge.where})"
    wanted = str(edge.requirement.specifier)
    match sibling.state:
        case "unknown":
            return
        case "private":
            yield Finding(
                message=f"{start}, but {needed.name} is private: {needed.private_by}",
                remedy=f"remove the requirement ({edge.where}), or what makes {needed.name} private",
                severity="warn" if edge.kind == "extra" else "block",
            )
        case "release":
            if _accepts(edge.requirement, _versions_to_come(needed.version)):
                return
            start += f", but this set releases {needed.name} {needed.version}"
            listed = _listed(sibling, edge.requirement)
            if isinstance(listed, tuple) and _accepts(edge.requirement, listed):
                older = max(one for one in listed if edge.requirement.specifier.contains(one, prereleases=True))
                yield Note(message=f"{start}: it uses {older}, which {found.index} has", remedy=change)
            else:
                yield Finding(message=start, remedy=f"set a version of {needed.name} that is {wanted}, or {change}")
        case "released" | "unchanged" | "not-selected":
            listed = _listed(sibling, edge.requirement)
            if isinstance(listed, Unknown):
                yield Unknown(reason=f"{start}: {listed.reason}", remedy=listed.remedy, cause=listed.cause)
            elif listed is not None and not _accepts(edge.requirement, listed):
                has = f"has {max(listed)}" if listed else f"has no {needed.name}"
                # the source has a version that is not released now
                here = sibling.state != "released" and _accepts(edge.requirement, _versions_to_come(needed.version))
                both = ("--only", *dict.fromkeys((needed.name, *_releasing(found))))
                yield Finding(
                    message=f"{start}, but {found.index} {has}, and this set does not release {needed.name}",
                    remedy=f"release them together: {' '.join(both)}"
                    if here
                    else f"set a version of {needed.name} that is {wanted}, or {change}",
                    option=both if here else (),
                )


def _accepts(requirement: Requirement, versions: Collection[Version]) -> bool:
    """Whether one of the versions meets the requirement; pre-releases count, as a set pins them."""
    return any(requirement.specifier.contains(one, prereleases=True) for one in versions)


def _versions_to_come(version: str) -> tuple[Version, ...]:
    """The version; where it has a local part, also the release that it leads to: it is not released as it is."""
    parsed = parse_version(version)
    if isinstance(parsed, str):
        return ()
    after = release_after(version) if parsed.local else None
    return (parsed, Version(after)) if after else (parsed,)


def _listed(one: MemberFacts, requirement: Requirement) -> tuple[Version, ...] | Unknown | None:
    """The versions that the indexes have, without yanked ones unless they are pinned; None where none was asked."""
    if not one.listings:
        return None
    unknown = next((listing for listing in one.listings.values() if isinstance(listing, Unknown)), None)
    pinned = any(part.operator in {"==", "==="} and "*" not in part.version for part in requirement.specifier)
    versions = {
        version
        for listing in one.listings.values()
        if not isinstance(listing, Unknown)
        for version, files in files_by_release(listing).items()
        if pinned or any(file.yanked is None for file in files)
    }
    return unknown if unknown and not _accepts(requirement, versions) else tuple(versions)


@CHECKS.check()
def members_with_versions_of_their_own_have_tags_of_their_own(found: ReleaseSet) -> Iterator[Observation]:
    """Members with versions of their own have tags of their own.

    The tag v1.1 of one member is taken for that of another one that reaches version 1.1 later.
    """
    if found.settings.lockstep:
        yield NotApplicable(reason="lockstep is set in [tool.release.set]: one tag is for all members")
        return
    shared: dict[str, list[MemberFacts]] = {}
    for one in found.members:
        if one.tag_format and not one.problem:
            shared.setdefault(one.tag_format, []).append(one)
    for tag_format, members in shared.items():
        if len({parse_version(one.member.version) for one in members}) > 1:
            names = [one.member.name for one in members]
            yield warn(
                f"the tags of {quote_some(names)} are alike ({tag_format}), but their versions are not",
                'set tag-format = "{name}-v{version}" in [tool.release] of each, or lockstep = true in '
                "[tool.release.set]",
            )


@CHECKS.check()
def a_released_member_is_whole(found: ReleaseSet) -> Iterator[Observation]:
    """The index has all files of each released member.

    As far as it shows: a release without a wheel, or without an sdist, although the one before it has both. An upload
    that was stopped on another machine leaves one.
    """
    for one in found.members:
        listing, version = one.listings.get(found.index), parse_version(one.member.version)
        if one.state != "released" or one.member.files or not isinstance(listing, ProjectListing):
            continue
        releases = files_by_release(listing)
        before = max((v for v in releases if isinstance(version, Version) and v < version), default=None)
        if before is None or isinstance(version, str):
            continue
        if missing := _kinds(releases[before]) - _kinds(releases.get(version, ())):
            name = one.member.name
            yield warn(
                f"{found.index} has no {' and no '.join(sorted(missing))} of {name} {version}, but of {before}",
                "complete the release from the commit of its tag: pypi-preflight release --directory "
                f"{one.member.directory}",
                where=one.member.directory,
            )


def _kinds(files: Iterable[IndexFile]) -> set[str]:
    """The kinds of files that a build makes."""
    return {"wheel" if one.filename.endswith(".whl") else "sdist" for one in files}


@CHECKS.check()
def the_members_have_one_version(found: ReleaseSet) -> Iterator[Observation]:
    """All members have the same version, where `lockstep` asks for it.

    Private members may have another one: no index gets them.
    """
    if not found.settings.lockstep:
        yield NotApplicable(reason="lockstep is not set in [tool.release.set]")
        return
    versions: dict[Version | str, list[str]] = {}
    for one in found.members:
        if one.member.version and one.state != "private":
            versions.setdefault(parse_version(one.member.version), []).append(one.member.name)
    if len(versions) < 2:  # noqa: PLR2004 - to differ
        return
    newest = max((one for one in versions if isinstance(one, Version)), default=None)
    shown = "; ".join(f"{version}: {', '.join(names)}" for version, names in versions.items())
    others = [name for version, names in versions.items() if version != newest for name in names]
    yield Finding(
        message=f"the members have {len(versions)} versions: {shown}",
        remedy=f"set the version of {', '.join(others)} to {newest}, or remove lockstep from [tool.release.set]",
    )


@CHECKS.check()
def the_new_projects_are_within_the_quota(found: ReleaseSet) -> Iterator[Observation]:
    """The index accepts as many new projects in a day as the set creates.

    Projects that a pending publisher creates count, too. The limit is what PyPI's responses stated through 2026
    (pypi/support#11827), of one account in a moving window of a day; projects that were created before the run are not
    known, and an administrator of the index can raise it. What the index itself states in this run
    precedes it; of other indexes, only that counts. An account has at most three pending publishers at a time.
    """
    for index in found.indexes:
        stated = found.new_projects_left.get(index.name)
        if stated is None and well_known(index.upload_url) is None:
            continue
        left = PER_ACCOUNT.limit if stated is None else stated
        new = [
            one.member.name
            for one in found.members
            if one.state == "release" and one.listings.get(index.name, NotImplemented) is None
        ]
        if index.kind == "warehouse" and len(new) > left:
            days = ceil((len(new) - left) / PER_ACCOUNT.limit) + 1
            first = _first_new(found, index.name, left)
            names = f"; the first ones: --only {' '.join(first)}" if first else ""
            accepts = f"{left} new ones a day from one account" if stated is None else f"only {left} more now"
            yield Finding(
                message=f"the set creates {len(new)} projects on {index.name}, which accepts {accepts}: "
                f"{quote_some(new)}",
                remedy=f"release the new projects on {days} days{names}",
                where=index.name,
                option=("--only", *first) if first else (),
            )


def _first_new(found: ReleaseSet, index: str, limit: int) -> list[str]:
    """The members to release first: up to `limit` new projects, and the others as far as they do not need more."""
    facts = {str(normalize_name(one.member.name)): one for one in found.members}
    needs = needed_members(one.member for one in found.members)
    releasing = {name for level in found.levels for name in level}
    taken: dict[str, None] = {}
    new = 0
    for name in (name for level in found.levels for name in level):
        is_new = facts[name].listings.get(index) is None
        if needs[name] & releasing <= taken.keys() and not (is_new and new == limit):
            taken[name] = None
            new += is_new
    return [facts[name].member.name for name in taken]


def _releasing(found: ReleaseSet) -> list[str]:
    return [one.member.name for one in found.members if one.state == "release"]


def _others(found: ReleaseSet, names: Sequence[str]) -> str:
    """The other members that are to be released, for `--only`."""
    return " ".join(one for one in _releasing(found) if one not in names)


#: the checks whose failure makes no rehearsal fail: they are about indexes that keep what is uploaded
ONLY_FOR_RELEASES = frozenset({
    a_changed_member_has_a_new_version.name, the_members_have_one_version.name,
    the_new_projects_are_within_the_quota.name,
})  # fmt: skip
