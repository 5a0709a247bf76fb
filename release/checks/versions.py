"""Warnings about versions: of the release, of Python, of a checkout without tags."""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from release.checks.distribution_reader import inspect_built_files
from release.checks.engine import Check, check, warn
from release.core.facts import BuiltFiles, Source
from release.core.models.check_result import NotApplicable, Observation, Unknown

_PYTHON = re.compile(r"Programming Language :: Python :: (\d+\.\d+)")
#: what tools that take the version from git give to a checkout without tags
_TAGLESS = re.compile(r"0(?:\.0)*|0(?:\.0)?\.1\.dev\d+|0(?:\.0)*\.(?:post\d+\.)?dev\d+")


def supports(specifier: SpecifierSet, python: str) -> bool:
    """Whether Requires-Python allows any release of a Python version such as "3.11"."""
    return any(map(specifier.contains, (f"{python}.0", f"{python}.99")))


@check()
def the_version_is_of_a_tag(built: BuiltFiles) -> Iterator[Observation]:
    """The version comes from a tag, not from a fallback.

    A shallow clone, or a commit without a tag, gives `0.0.0`, `0.1.dev1` or `1.0+g1234567`.
    """
    for one in inspect_built_files(built):
        public, _, local = one.version.partition("+")
        if _TAGLESS.fullmatch(public) or re.match(r"g[0-9a-f]{7}", local):
            yield warn(
                f"{one.version!r} looks like the version of a checkout without tags",
                "fetch tags and history: git fetch --tags --unshallow; tag the commit and rebuild",
                one.filename,
                cause="version.local" if local else None,
            )


@check()
def the_classifiers_fit_requires_python(built: BuiltFiles) -> Iterator[Observation]:
    """Python classifiers match Requires-Python."""
    for one in inspect_built_files(built):
        try:
            specifier = SpecifierSet(one.fields.get("requires_python", ""))
        except InvalidSpecifier:
            continue
        named = [found[1] for text in one.fields.get("classifiers", ()) if (found := _PYTHON.fullmatch(text))]
        excluded = [python for python in named if not supports(specifier, python)]
        if excluded:
            yield warn(
                f"classifiers name Python {', '.join(excluded)}, which Requires-Python excludes: {str(specifier)!r}",
                "remove those classifiers, or widen requires-python",
                one.filename,
            )


@check()
def the_tags_here_are_of_this_version(source: Source) -> Iterator[Observation]:
    """No tag for another version on this commit.

    Tools that take the version from git take it from any of the tags: two packages tagged on one commit get each
    other's versions. A tag whose version is not in canonical form gets a second tag next to it.
    """
    if isinstance(source.git, Unknown) or source.git is None:
        yield NotApplicable(reason="the project is not in a repository")
    elif isinstance(source.project, Unknown):
        yield NotApplicable(reason="name and version are known only to the build")
    elif not source.git.tags:
        yield NotApplicable(reason="the commit has no tag")
    else:
        yield from _tag_findings(source.git.tags, source.project.version, source.tag)


def _tag_findings(tags: tuple[str, ...], version: str, ours: str | None) -> Iterator[Observation]:
    for tag in tags:
        found = re.search(r"(\d[\w.+!-]*)$", tag)
        text = found[1] if found else ""
        try:
            tagged, expected = Version(text), Version(version)
        except InvalidVersion:
            continue
        if tagged != expected:
            yield warn(
                f"the commit is also tagged {tag!r}, but the version is {version}",
                f"tag each package on a commit of its own, or delete the tag: git tag -d {tag}",
                tag,
                cause="version.mismatch-tag",
            )
        elif tag != ours and str(tagged) != text:
            yield warn(
                f"the tag {tag!r} spells version {tagged} differently from the file names",
                f"tag the commit as {ours}",
                tag,
            )


OF_A_FILE: tuple[Check[BuiltFiles], ...] = (the_version_is_of_a_tag, the_classifiers_fit_requires_python)
OF_THE_SOURCE: tuple[Check[Source], ...] = (the_tags_here_are_of_this_version,)
