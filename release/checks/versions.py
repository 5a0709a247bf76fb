"""Warnings about versions: of the release, of Python, of a broken checkout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from release.checks.distribution_reader import Examined, examined
from release.checks.engine import Check, check
from release.core.facts import BuiltFiles, Source
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown

_PYTHON = re.compile(r"Programming Language :: Python :: (\d+\.\d+)")
#: what version-from-git tools give to a checkout that shows them no tag
_TAGLESS = re.compile(r"0(?:\.0)*|0(?:\.0)?\.1\.dev\d+|0(?:\.0)*\.(?:post\d+\.)?dev\d+")


def _metadata(one: Examined) -> dict[str, Any]:
    from packaging.metadata import parse_email

    raw, _ = parse_email(one.metadata)
    return {**raw}


@check()
def the_version_is_of_a_tag(built: BuiltFiles) -> Iterator[Observation]:
    """The version is none that tools make up where they see no tag.

    A shallow clone, or an untagged commit, gives `0.0.0`, `0.1.dev1` or `1.0+g1234567`.
    """
    for one in examined(built):
        public, _, local = one.version.partition("+")
        if _TAGLESS.fullmatch(public) or re.match(r"g[0-9a-f]{7}", local):
            yield Finding(
                message=f"{one.version!r} looks like the version of a checkout without its tags",
                remedy="fetch tags and history: git fetch --tags --unshallow; tag the commit, build again",
                severity="warn",
                where=one.filename,
                cause="version.local" if local else None,
            )


@check()
def the_classifiers_fit_requires_python(built: BuiltFiles) -> Iterator[Observation]:
    """No classifier names a Python that Requires-Python shuts out."""
    for one in examined(built):
        raw = _metadata(one)
        try:
            wanted = SpecifierSet(raw.get("requires_python", ""))
        except InvalidSpecifier:
            continue
        named = [found[1] for text in raw.get("classifiers", ()) if (found := _PYTHON.fullmatch(text))]
        shut_out = [version for version in named if not any(map(wanted.contains, (f"{version}.0", f"{version}.99")))]
        if shut_out:
            yield Finding(
                message=f"classifiers name Python {', '.join(shut_out)}, and Requires-Python is {str(wanted)!r}",
                remedy="drop those classifiers, or widen requires-python",
                severity="warn",
                where=one.filename,
            )


@check()
def the_tags_here_are_of_this_version(source: Source) -> Iterator[Observation]:
    """No tag on the commit speaks of another version.

    Tools that take the version from git take it from any of them: two packages tagged on one commit get
    each other's versions, and a tag that is no version in canonical form gets a tag of its own beside it.
    """
    if isinstance(source.git, Unknown) or source.git is None:
        yield NotApplicable(reason="the project is in no repository")
    elif isinstance(source.project, Unknown):
        yield NotApplicable(reason="name and version are known only to the build")
    elif not source.git.tags:
        yield NotApplicable(reason="no tag is on the commit")
    else:
        yield from _other_tags(source.git.tags, source.project.version, source.tag)


def _other_tags(tags: tuple[str, ...], version: str, ours: str | None) -> Iterator[Observation]:
    for tag in tags:
        found = re.search(r"(\d[\w.+!-]*)$", tag)
        try:
            there, here = Version(found[1] if found else ""), Version(version)
        except InvalidVersion:
            continue
        if there != here:
            yield Finding(
                message=f"the commit is also tagged {tag!r}, and the version is {version}",
                remedy=f"tag each package on a commit of its own, or drop it: git tag -d {tag}",
                severity="warn",
                where=tag,
                cause="version.mismatch-tag",
            )
        elif tag != ours and str(there) != (found[1] if found else ""):
            yield Finding(
                message=f"the tag {tag!r} spells the version {there} otherwise than the files will",
                remedy=f"tag it as {ours}",
                severity="warn",
                where=tag,
            )


OF_A_FILE: tuple[Check[BuiltFiles], ...] = (the_version_is_of_a_tag, the_classifiers_fit_requires_python)
OF_THE_SOURCE: tuple[Check[Source], ...] = (the_tags_here_are_of_this_version,)
