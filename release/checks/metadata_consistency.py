"""Whether the files of one release say the same of it: their metadata, field by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from packaging.metadata import parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release.checks.archive_warnings import some
from release.checks.distribution_reader import Examined
from release.core.models.finding import Finding

#: before this version of the metadata, nothing in an sdist had to be true. Source: PEP 643
_RELIABLE = Version("2.2")
_REMEDY = "yank the release, build the wheels from the sdist (python -m build), and release a new version"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What one file says."""

    filename: str
    #: field as packaging calls it → value
    fields: Mapping[str, Any]
    #: whether what it says must be true, and what it does not say must be absent
    reliable: bool


def differences(files: Sequence[Examined]) -> Iterator[Finding]:
    """What each file says otherwise than the first one that can be relied on.

    What installers go by blocks; what only the project's page shows, or an old sdist says, is a warning.
    """
    said = [_said(one) for one in files if one.metadata]
    first = next((one for one in said if one.reliable), None)
    for one in said:
        if first is not None and one is not first:
            yield from _between(one, first)


def _said(one: Examined) -> _Said:
    raw, _ = parse_email(one.metadata)
    fields: dict[str, Any] = dict(raw)
    wheel = one.filename.endswith(".whl")
    return _Said(filename=one.filename, fields=fields, reliable=wheel or _version(fields) >= _RELIABLE)


def _version(fields: Mapping[str, Any]) -> Version:
    try:
        return Version(fields.get("metadata_version", "0"))
    except InvalidVersion:
        return Version("0")


def _between(one: _Said, first: _Said) -> Iterator[Finding]:
    open_ = {_key(name) for said in (one, first) for name in said.fields.get("dynamic", ())}
    soft = []
    for key in sorted((one.fields.keys() | first.fields.keys()) - _APART - open_):
        here, there = _compared(key, one.fields.get(key)), _compared(key, first.fields.get(key))
        if here == there or (not one.reliable and not here):
            continue
        if key in _INSTALLERS and one.reliable:
            message = f"{_header(key)} differs from that of {first.filename!r}: {_shown(here, there)}"
            yield Finding(message=message, remedy=_REMEDY, where=one.filename)
        else:
            soft.append(_header(key))
    if soft:
        verb = "differ" if len(soft) > 1 else "differs"
        message = f"{', '.join(soft)} {verb} from {first.filename!r}"
        yield Finding(message=message, remedy=_REMEDY, severity="warn", where=one.filename)


def _shown(here: frozenset[str], there: frozenset[str]) -> str:
    parts = [
        f"only {where} {some(sorted(values))}"
        for where, values in (("here", here - there), ("there", there - here))
        if values
    ]
    return "; ".join(parts)


def _compared(key: str, value: Any) -> frozenset[str]:
    """The values of a field, in one spelling and without order: empty where it is not there."""
    spell = _INSTALLERS.get(key, str)
    match value:
        case None | "":
            return frozenset()
        case Mapping():
            return frozenset(f"{label}: {url}" for label, url in value.items())
        case str():
            return frozenset({spell("\n".join(line.rstrip() for line in value.strip().splitlines()))})
        case _:
            return frozenset(spell(str(one)) for one in value)


def _requirement(text: str) -> str:
    try:
        read = Requirement(text)
    except InvalidRequirement:
        return text
    read.name = canonicalize_name(read.name)
    return str(read)


def _python(text: str) -> str:
    try:
        return str(SpecifierSet(text))
    except InvalidSpecifier:
        return text


#: what installers go by, and how two spellings of it are made one
_INSTALLERS: Mapping[str, Callable[[str], str]] = {
    "requires_dist": _requirement,
    "requires_python": _python,
    "provides_extra": canonicalize_name,
}
#: fields about the file itself; name and version have a check of their own
_APART = {"metadata_version", "name", "version", "dynamic", "platforms", "supported_platforms"}
#: packaging's name of a field, where it is not that of its header
_SEVERAL = {"classifiers": "Classifier", "project_urls": "Project-URL", "license_files": "License-File"}


def _header(key: str) -> str:
    return _SEVERAL.get(key, key.replace("_", "-").title())


def _key(header: str) -> str:
    names = {name.lower(): key for key, name in _SEVERAL.items()}
    return names.get(header.lower(), header.lower().replace("-", "_"))
