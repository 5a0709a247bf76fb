"""Whether the files of one release have the same metadata, field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from release.checks.engine import quote_some, warn
from release.core.models.check_result import Finding
from release.core.models.distribution import InspectedFile, parse_version
from release.core.models.index import name_from_filename

#: before this metadata version, nothing in an sdist had to be accurate. Source: PEP 643
_RELIABLE = Version("2.2")
_REMEDY = "yank the release, build the wheels from the sdist (python -m build), and release a new version"


class FieldDifference(Struct, frozen=True, kw_only=True):
    """A metadata field that differs between two files."""

    #: "Requires-Dist"
    header: str
    #: whether installers act on the field
    used_by_installers: bool
    #: values that only one of the two files has
    here: frozenset[str]
    there: frozenset[str]

    def to_text(self) -> str:
        sides = (("here", self.here), ("there", self.there))
        return "; ".join(f"only {side} {quote_some(sorted(values))}" for side, values in sides if values)


class FileComparison(Struct, frozen=True, kw_only=True):
    """A file compared with the first one whose metadata is reliable."""

    filename: str
    #: name of the other file
    reference: str
    #: whether the metadata of this file is reliable too
    reliable: bool
    differences: tuple[FieldDifference, ...]


def compare_files(files: Sequence[InspectedFile]) -> Iterator[FileComparison]:
    """Compare each file with the first one of its release that is reliable; fields declared dynamic are left out.

    The files may be of several projects, as those of a set are.
    """
    first: dict[tuple[str | None, Version | str], InspectedFile] = {}
    for one in filter(_is_reliable, files):
        if one.metadata:
            first.setdefault(_release(one), one)
    for one in files:
        reference = first.get(_release(one)) if one.metadata else None
        if reference is not None and one is not reference:
            yield FileComparison(
                filename=one.filename,
                reference=reference.filename,
                reliable=_is_reliable(one),
                differences=tuple(_differences(one, reference)),
            )


def inconsistencies(files: Sequence[InspectedFile]) -> Iterator[Finding]:
    """What differs in the metadata of published files.

    Blocks on fields that installers use; warns on those that only the project page shows, and on an old sdist.
    """
    for comparison in compare_files(files):
        minor = []
        for one in comparison.differences:
            if one.used_by_installers and comparison.reliable:
                message = f"{one.header} differs from {comparison.reference!r}: {one.to_text()}"
                yield Finding(message=message, remedy=_REMEDY, where=comparison.filename)
            else:
                minor.append(one.header)
        if minor:
            verb = "differ" if len(minor) > 1 else "differs"
            message = f"{', '.join(minor)} {verb} from {comparison.reference!r}"
            yield warn(message, _REMEDY, comparison.filename)


def _release(one: InspectedFile) -> tuple[str | None, Version | str]:
    """The project by the file's name, and the version by its metadata."""
    return name_from_filename(one.filename), parse_version(one.fields.get("version", ""))


def _is_reliable(one: InspectedFile) -> bool:
    version = parse_version(one.fields.get("metadata_version", "0"))
    return one.is_wheel or (isinstance(version, Version) and version >= _RELIABLE)


def _differences(one: InspectedFile, first: InspectedFile) -> Iterator[FieldDifference]:
    dynamic = {_key(header) for file in (one, first) for header in file.fields.get("dynamic", ())}
    for key in sorted((one.fields.keys() | first.fields.keys()) - _IGNORED - dynamic):
        here, there = _values(key, one.fields.get(key)), _values(key, first.fields.get(key))
        if here != there and (here or _is_reliable(one)):
            header = _HEADERS.get(key, key.replace("_", "-").title())
            used_by_installers = key in _INSTALLERS
            yield FieldDifference(
                header=header, used_by_installers=used_by_installers, here=here - there, there=there - here
            )


def _values(key: str, value: Any) -> frozenset[str]:
    """The values of a field, normalized and without order; empty where it is absent."""
    normalize = _INSTALLERS.get(key, str)
    match value:
        case None | "":
            return frozenset()
        case Mapping():
            return frozenset(f"{label}: {url}" for label, url in value.items())
        case str():
            return frozenset({normalize("\n".join(line.rstrip() for line in value.strip().splitlines()))})
        case _:
            return frozenset(normalize(str(one)) for one in value)


def _requirement(text: str) -> str:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return text
    requirement.name = canonicalize_name(requirement.name)
    return str(requirement)


def _specifier(text: str) -> str:
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return text


#: fields that installers use → how their values are normalized
_INSTALLERS: Mapping[str, Callable[[str], str]] = {
    "requires_dist": _requirement,
    "requires_python": _specifier,
    "provides_extra": canonicalize_name,
}
#: fields about the file itself; name and version have checks of their own
_IGNORED = {"metadata_version", "name", "version", "dynamic", "platforms", "supported_platforms"}
#: packaging's name of a field, where it is not that of its header
_HEADERS = {"classifiers": "Classifier", "project_urls": "Project-URL", "license_files": "License-File"}


def _key(header: str) -> str:
    keys = {name.lower(): key for key, name in _HEADERS.items()}
    return keys.get(header.lower(), header.lower().replace("-", "_"))
