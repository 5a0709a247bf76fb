"""How the release tags of a project spell its versions: `1.0`, `v1.0`, `acme-v1.0`, `v2026.06.04`, `1.0.0-rc.1`.

The form is configured, or learnt from the tags that are there; the newest one counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from release.core.version_spelling import spell_like

#: the form of the first tag of a project
DEFAULT_FORMAT = "v{version}"
_SEPARATORS = r"[-_./@:=]*"
_WORD = rf"(?:(?:releases?|rel|versions?|ver|r){_SEPARATORS})?"
#: a package name, a separator, and a version of at least two numbers
_NAMED = re.compile(r"(?P<name>[A-Za-z][\w.-]*?)[-_/@:=]+v?(?P<version>\d+\..*)")
_WORDS_ALONE = re.compile(rf"{_WORD}v?", re.IGNORECASE)
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
    return TagForm(pattern=re.compile(pattern, re.IGNORECASE), template=template)


def learn_form(
    name: str, version: str, tags: Iterable[DatedTag], *, only_named: bool = False, alone: bool = False
) -> TagForm:
    """The form of the newest tag that has a version of this project; `v{version}` where there is none.

    Tags with the names of other projects do not count; where there are some, a tag with this project's name precedes
    one without. `only_named`: tags without a name are those of another project. `alone`: the repository has no other
    project, so the one name that several tags have, or a tag of this version, is another name of this project.
    """
    tags, ours = tuple(tags), parse_tagged_version(version.lower().removeprefix("v"))
    named, unnamed = _pattern(name, named=True), _pattern(name, named=False)
    found = list(_teachers(tags, named, ours))
    if alone and not found and not any(_teachers(tags, unnamed, ours)) and (other := _only_name(tags, named, ours)):
        form = learn_form(other, version, tags)
        if form.learnt_from:
            return form
    if not found and not only_named:
        found = list(_teachers(tags, unnamed, ours))
    elif not only_named and not any(_is_of_other_project(tag.name, named) for tag in tags):
        found = sorted((*found, *_teachers(tags, unnamed, ours)), key=lambda pair: pair[0], reverse=True)
    if not found:
        default = declared_form(DEFAULT_FORMAT, name)
        return default if only_named else TagForm(pattern=_pattern(name), template=default.template)
    newest = found[0][1]
    only_named = newest.re is named and (only_named or any(_is_of_other_project(tag.name, named) for tag in tags))
    before = newest["before"]
    alike = (match["version"] for _, match in found if match["before"] == before)
    return TagForm(
        pattern=named if only_named else _pattern(name),
        template=f"{before}{{version}}",
        spellings=tuple(alike), learnt_from=newest[0],
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


def _is_of_other_project(tag: str, named: re.Pattern[str]) -> bool:
    found = _NAMED.fullmatch(tag)
    if found is None or named.fullmatch(tag) or _WORDS_ALONE.fullmatch(found["name"]):
        return False
    return parse_tagged_version(found["version"]) is not None


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
