"""How the release tags of a project spell its versions: `1.0`, `v1.0`, `acme-v1.0`, `v2026.06.04`, `1.0.0-rc.1`.

The form is configured, or learnt from the tags that are there; the newest one counts.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache, cached_property

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from release.core.lazy_pattern import lazy_pattern
from release.core.version_spelling import spell_like

#: the form of the first tag of a project
DEFAULT_FORMAT = "v{version}"
_SEPARATING = "-_./@:="
_SEPARATORS = rf"[{_SEPARATING}]*"
_WORDS = ("releases", "release", "rel", "versions", "version", "ver", "r")
_WORD = rf"(?:(?:{'|'.join(_WORDS)}){_SEPARATORS})?"
#: a package name, a separator, and a version of at least two numbers
_NAMED = lazy_pattern(r"(?P<name>[A-Za-z][\w.-]*?)[-_/@:=]+v?(?P<version>\d+\..*)")
_WORDS_ALONE = lazy_pattern(rf"{_WORD}v?", re.IGNORECASE)
#: What tools that take the version from git give to a checkout without tags: setuptools-scm, hatch-vcs, flit-scm and
#: pdm-backend 0.1.dev1, poetry-dynamic-versioning and dunamai 0.0.0.post1.dev0, pbr 0.0.1.dev1, versioneer 0+untagged.
#: Observed: the versions that `release.adapters.builds.version_source` names.
_TAGLESS = r"0(?:\.0)*|0(?:\.0)?\.1\.dev\d+|0(?:\.0)*\.(?:post\d+\.)?dev\d+"
#: from here on, the first number of a version is a year
_YEARS = 1900


class DatedTag(Struct, frozen=True, kw_only=True):
    """A tag of the repository."""

    name: str
    #: when it was made, or the commit's date where it is lightweight; seconds since 1970
    time: int


class TagForm(Struct, frozen=True, kw_only=True):
    """The form of a project's release tags."""

    #: what a tag in this form matches; the group `version` is the version as it is spelled
    pattern: re.Pattern[str]
    #: with `{version}`, and without `{name}`
    template: str
    #: the versions of the tags that it was learnt from, as they are spelled, the newest first
    spellings: tuple[str, ...] = ()
    #: the tag that it was learnt from; None if it is configured, or the repository has no such tag
    learnt_from: str | None = None
    #: what its tags start with: their text up to the version, or the name of the project, which a tag may also lack
    start: str = ""
    named: bool = True

    def version_of(self, tag: str) -> Version | None:
        """The version that a tag in this form is for; None for any other tag."""
        found = self.pattern.fullmatch(tag)
        return parse_tagged_version(found["version"]) if found else None

    def tag(self, version: str) -> str:
        """The tag for a version. An invalid version is inserted as it is spelled."""
        try:
            parsed = Version(version)
        except InvalidVersion:
            return self.template.replace("{version}", version)
        text = spell_like(parsed, self.spellings)
        return self.template.replace("{version}", text if parse_tagged_version(text) == parsed else str(parsed))

    def existing_tag(self, version: str, tags: Iterable[str]) -> str | None:
        """The tag for a version among `tags`, by PEP 440; of several, the one that is spelled most fully."""
        try:
            parsed = Version(version)
        except InvalidVersion:
            return None
        equal = [tag for tag in tags if self.version_of(tag) == parsed]
        canonical = self.tag(version)
        return canonical if canonical in equal else max(equal, key=len, default=None)


class RepositoryTags(tuple[DatedTag, ...]):  # noqa: SLOT001 - what it is asked for is computed once
    """The tags of a repository, found by what they start with: its projects may have many, of thousands in all."""

    def of_form(self, form: TagForm) -> tuple[DatedTag, ...]:
        """The tags that may be in a form, in their order: all that are, and maybe others."""
        places = self._starting_with(form.start)
        return self._at(places if form.named else {*places, *self._unnamed})

    def of_project(self, name: str) -> tuple[DatedTag, ...]:
        """The tags that may start with the name of a project, after a word like "release"."""
        return self._at(self._starting_with(name))

    @cached_property
    def unnamed(self) -> tuple[DatedTag, ...]:
        """The tags without a name, as a project has them that is alone."""
        return self._at(self._unnamed)

    @cached_property
    def of_any_project(self) -> frozenset[str]:
        """The tags that are a name and a version of at least two numbers."""
        return frozenset(tag.name for tag in self if _name_in(tag.name) is not None)

    def _at(self, places: Iterable[int]) -> tuple[DatedTag, ...]:
        return tuple(self[place] for place in sorted(places))

    @cached_property
    def _unnamed(self) -> tuple[int, ...]:
        pattern = _unnamed_pattern()
        return tuple(place for place, tag in enumerate(self) if pattern.fullmatch(tag.name))

    @cached_property
    def _starts(self) -> tuple[list[str], list[int]]:
        """What each tag starts with, sorted, and its place."""
        found = sorted((start, place) for place, tag in enumerate(self) for start in _starts_of(tag.name))
        return [start for start, _ in found], [place for _, place in found]

    @cached_property
    def _not_ascii(self) -> tuple[int, ...]:
        """Tags with letters that more than one upper-case letter, or a letter of ASCII, may match."""
        return tuple(place for place, tag in enumerate(self) if not tag.name.isascii())

    def _starting_with(self, text: str) -> set[int]:
        if not text.isascii():
            return set(range(len(self)))
        start, (starts, places) = _normal(text), self._starts
        first = bisect_left(starts, start)
        last = bisect_left(starts, f"{start}\x7f", first)  # after all that continue it with a character of ASCII
        return {*places[first:last], *self._not_ascii}


def _normal(text: str) -> str:
    """The text in the one spelling that any spelling of a project's name has."""
    return re.sub(r"[-_.]+", "-", text.lower())


def _starts_of(tag: str) -> Iterator[str]:
    """The normal form of a tag, and of what follows a word at its start."""
    yield _normal(tag)
    for word in _WORDS:
        if tag.lower().startswith(word):
            yield _normal(tag[len(word) :].lstrip(_SEPARATING))


def parse_tagged_version(text: str) -> Version | None:
    """The version in a tag, which may have underscores for dots; None if it is none."""
    for candidate in (text, text.replace("_", ".")):
        try:
            return Version(candidate) if candidate[:1].isdigit() else None
        except InvalidVersion:
            continue
    return None


def version_of_any_tag(tag: str) -> Version | None:
    """The version at the end of a tag of any form, as tools read it that take the version from git."""
    for found in re.finditer(r"(?<![0-9])(?=\d)", tag):
        version = parse_tagged_version(tag[found.start() :])
        if version is not None:
            return version
    return None


def declared_form(tag_format: str, name: str) -> TagForm:
    """The form that the configuration gives. The name may be spelled in any way that normalizes to the same."""
    before, _, after = tag_format.format(name="\0", version="\1").partition("\1")
    spelled = [_any_spelling(name).join(map(re.escape, part.split("\0"))) for part in (before, after)]
    pattern = rf"{spelled[0]}(?P<version>\d.*?){spelled[1]}"
    template = tag_format.format(name=name, version="{version}")
    return TagForm(
        pattern=re.compile(pattern, re.IGNORECASE), template=template, start=template.partition("{version}")[0]
    )  # fmt: skip


def learn_form(
    name: str, version: str, tags: Iterable[DatedTag], *, only_named: bool = False, alone: bool = False
) -> TagForm:
    """The form of the newest tag that has a version of this project; `v{version}` where there is none.

    Tags with the names of other projects do not count; where there are some, a tag with this project's name precedes
    one without. `only_named`: tags without a name are those of another project. `alone`: the repository has no other
    project, so the one name that several tags have, or a tag of this version, is another name of this project.
    """
    tags = tags if isinstance(tags, RepositoryTags) else RepositoryTags(tags)
    ours = parse_tagged_version(version.lower().removeprefix("v"))
    named, unnamed = _pattern(name, named=True), _unnamed_pattern()
    found = list(_teachers(tags.of_project(name), named, ours))
    alone = alone and not found and not any(_teachers(tags.unnamed, unnamed, ours))
    if alone and (other := _only_name(tags, named, ours)):
        form = learn_form(other, version, tags)
        if form.learnt_from:
            return form
    if not found and not only_named:
        found = list(_teachers(tags.unnamed, unnamed, ours))
    elif not only_named and not _has_other_projects(tags, name, named):
        found = sorted((*found, *_teachers(tags.unnamed, unnamed, ours)), key=lambda pair: pair[0], reverse=True)
    if not found:
        default = declared_form(DEFAULT_FORMAT, name)
        either = TagForm(pattern=_pattern(name), template=default.template, start=name, named=False)
        return default if only_named else either
    newest = found[0][1]
    only_named = newest.re is named and (only_named or _has_other_projects(tags, name, named))
    before = newest["before"]
    alike = (match["version"] for _, match in found if match["before"] == before)
    return TagForm(
        pattern=named if only_named else _pattern(name),
        template=f"{before}{{version}}",
        spellings=tuple(alike), learnt_from=newest[0], start=name, named=only_named,
    )  # fmt: skip


def has_name(tag: str, name: str) -> bool:
    """Whether a tag has the name of a project, in any spelling."""
    return re.search(_any_spelling(name), tag, re.IGNORECASE) is not None


def is_comparable(tagged: Version, version: Version) -> bool:
    """Whether a tag can be for a version of the same series of versions.

    A lone number is a build, or a tag that moves with a series of releases (`release-883`, `v1`), unless the project
    counts its versions so; a date is none of a project that does not.
    """
    if len(tagged.release) == 1 and len(version.release) > 1:
        return False
    return (tagged.release[0] >= _YEARS) == (version.release[0] >= _YEARS)


def release_after(derived: str) -> str | None:
    """The release that a derived version leads to; None if the derived version can be released itself.

    `1.1.dev3+g1234567` leads to 1.1, `1.0.post3.dev0+1234567` to 1.0.post3. What has only a local part is after its
    version: `1.0+3.g1234567` leads to 1.0.post1.
    """
    try:
        version = Version(derived)
    except InvalidVersion:
        return None
    if version.local is None and not version.is_devrelease:
        return None
    public = version.public
    if version.is_devrelease:
        return public.rpartition(".dev")[0] or public
    return public if version.is_postrelease or version.is_prerelease else f"{public}.post1"


def _teachers(
    tags: Iterable[DatedTag], pattern: re.Pattern[str], ours: Version | None
) -> Iterator[tuple[tuple[int, Version], re.Match[str]]]:
    """The tags of a pattern with versions like `ours`, the newest first."""
    found = []
    for tag in tags:
        match = pattern.fullmatch(tag.name)
        version = parse_tagged_version(match["version"]) if match else None
        if match is None or version is None:
            continue
        if is_comparable(version, ours) if ours else len(version.release) > 1:
            found.append(((tag.time, version), match))
    yield from sorted(found, key=lambda pair: pair[0], reverse=True)


def _any_spelling(name: str) -> str:
    return "[-_.]+".join(map(re.escape, re.split(r"[-_.]+", name)))


def _pattern(name: str, *, named: bool | None = None) -> re.Pattern[str]:
    """The tags of a project: with its name, without, or (None) both."""
    of_name = f"{_any_spelling(name)}{_SEPARATORS}"
    start = f"(?:{of_name})?" if named is None else of_name if named else ""
    return re.compile(rf"(?P<before>{_WORD}{start}{_WORD}v?\.?)(?P<version>\d.*)", re.IGNORECASE)


@cache
def _unnamed_pattern() -> re.Pattern[str]:
    """The tags without the name of a project."""
    return _pattern("", named=False)


def _name_in(tag: str) -> str | None:
    """The name in a tag that is a name and a version of at least two numbers; None in any other tag."""
    found = _NAMED.fullmatch(tag)
    if found is None or _WORDS_ALONE.fullmatch(found["name"]) or parse_tagged_version(found["version"]) is None:
        return None
    return found["name"]


def _has_other_projects(tags: RepositoryTags, name: str, named: re.Pattern[str]) -> bool:
    """Whether a tag has the name of another project: whether more tags have any name than have this one."""
    ours = {tag.name for tag in tags.of_project(name) if named.fullmatch(tag.name)}
    return len(tags.of_any_project) > len(ours & tags.of_any_project)


def _is_of_other_project(tag: str, named: re.Pattern[str]) -> bool:
    return named.fullmatch(tag) is None and _name_in(tag) is not None


def _only_name(tags: Iterable[DatedTag], named: re.Pattern[str], ours: Version | None) -> str | None:
    """The one name in tags with versions; None if there are several, or a single tag of another version."""
    matches = [found for tag in tags if _is_of_other_project(tag.name, named) and (found := _NAMED.fullmatch(tag.name))]
    versions = [parse_tagged_version(found["version"]) for found in matches]
    if len({found["name"] for found in matches}) != 1 or (len(versions) == 1 and versions != [ours]):
        return None
    return matches[0]["name"]


def is_made_up(version: str) -> bool:
    """Whether this is the version of a checkout without tags."""
    public, _, local = version.partition("+")
    return bool(re.fullmatch(_TAGLESS, public) or re.match(r"g[0-9a-f]{7}", local))
