"""The files compared with those of the previous release: what is missing, larger, or more demanding. Only warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from release.acceptance.wheel_rules import parse_entry_points
from release.checks.distribution_reader import inspect_built_files
from release.checks.distributions import supports
from release.checks.engine import Checklist, quote_some, warn
from release.core.facts import BuiltFiles, PreviousRelease
from release.core.models.check_result import NotApplicable, Observation
from release.core.models.distribution import InspectedFile, InspectionCache

#: bytes; smaller differences are ignored
_IGNORED = 1000
#: a file counts as shrunk below this fraction of its size; a release as unusual beyond this factor and these bytes
_SHRUNK, _FACTOR, _UNUSUAL = 0.5, 2.0, 100_000
_PYTHONS = [f"{major}.{minor}" for major, last in ((2, 7), (3, 20)) for minor in range(last + 1)]
_MENTION = "mention it in the changelog"


def _pairs(built: BuiltFiles) -> Iterator[tuple[InspectedFile, InspectedFile]]:
    """Each file with its counterpart in the previous release."""
    assert isinstance(built.previous, PreviousRelease)
    if built.cache.previous is None:
        built.cache.previous = inspect_built_files(replace(built, files=built.previous.files, cache=InspectionCache()))
    for one in inspect_built_files(built):
        yield from ((one, before) for before in built.cache.previous if _kind(before) == _kind(one))


def _kind(one: InspectedFile) -> str:
    """What makes two files counterparts: both are sdists, or wheels for the same platforms."""
    return one.filename.rpartition("-")[2] if one.is_wheel else "sdist"


CHECKS = Checklist[BuiltFiles]()


@CHECKS.check()
def the_last_release_can_be_compared(built: BuiltFiles) -> Iterator[Observation]:
    """The previous release can be compared."""
    if not isinstance(built.previous, PreviousRelease):
        yield NotApplicable(reason=built.previous.reason if built.previous else "no index was contacted")
    elif not any(_pairs(built)):
        yield NotApplicable(reason=f"{built.previous.version} has no files of these kinds")


@CHECKS.check(needs=(the_last_release_can_be_compared,))
def no_file_vanished_or_shrank(built: BuiltFiles) -> Iterator[Observation]:
    """No files of the previous release are missing or much smaller.

    Only users notice when a build no longer includes a data file.
    """
    for one, before in _pairs(built):
        now, then = dict(_files(one)), dict(_files(before))
        gone = [path for path, size in then.items() if path not in now]
        shrunk = [
            path
            for path in then.keys() & now.keys()
            if now[path] < then[path] * _SHRUNK and then[path] - now[path] > _IGNORED
        ]
        if gone:
            size = sum(then[path] for path in gone)
            message = f"missing since {before.version}: {quote_some(sorted(gone))} ({size:,} bytes)"
            yield warn(message, "include it again if it is needed", one.filename)
        if shrunk:
            sizes = ", ".join(f"{path!r} ({then[path]:,} → {now[path]:,} bytes)" for path in sorted(shrunk)[:3])
            message = f"much smaller than in {before.version}: {sizes}"
            yield warn(message, "compare the two, and rebuild from a clean checkout", one.filename)


def _files(one: InspectedFile) -> Iterator[tuple[str, int]]:
    """Path and bytes, without files that have the version in their path or differ in every release."""
    for path, size in one.members:
        inside = path if one.is_wheel else path.partition("/")[2]
        if not re.search(r"\.(?:dist|egg)-info(?:/|$)", inside):
            yield inside, size


@CHECKS.check(needs=(the_last_release_can_be_compared,))
def no_module_is_new_at_the_top(built: BuiltFiles) -> Iterator[Observation]:
    """No new top-level modules."""
    for one, before in _pairs(built):
        new = sorted(_top_level(one) - _top_level(before))
        if new and one.is_wheel:
            message = f"the wheel installs {quote_some(new)}, which {before.version} did not"
            yield warn(message, "exclude it if it is not part of the project", one.filename)


def _top_level(one: InspectedFile) -> set[str]:
    tops = {path.partition("/")[0] for path, _ in _files(one)}
    return {top.partition(".")[0] for top in tops if not top.endswith(".data")}


@CHECKS.check(needs=(the_last_release_can_be_compared,))
def the_dependencies_are_those_of_the_last_release(built: BuiltFiles) -> Iterator[Observation]:
    """No dependencies added or tightened."""
    for one, before in _pairs(built):
        now, then = _requirements(one), _requirements(before)
        added = [str(now[key]) for key in now.keys() - then.keys()]
        tightened = [
            f"{then[key]} → {now[key]}" for key in now.keys() & then.keys() if _is_tighter(then[key], now[key])
        ]
        for what, found in (("added", added), ("tightened", tightened)):
            if found:
                message = f"dependencies {what} since {before.version}: {quote_some(sorted(found))}"
                yield warn(message, _MENTION, one.filename)


def _requirements(one: InspectedFile) -> Mapping[tuple[str, str], Requirement]:
    """The dependencies by name and marker."""
    found: dict[tuple[str, str], Requirement] = {}
    for text in one.fields.get("requires_dist", ()):
        try:
            requirement = Requirement(str(text))
        except InvalidRequirement:
            continue
        found[canonicalize_name(requirement.name), str(requirement.marker or "")] = requirement
    return found


def _is_tighter(then: Requirement, now: Requirement) -> bool:
    """Whether a version that was accepted no longer is; tries those that either names, and their neighbors."""
    named = {one.version.removesuffix(".*") for both in (then, now) for one in both.specifier}
    candidates = [*named, *(f"{version}.1" for version in named), "0", "99999"]
    return any(_accepts(then.specifier, one) and not _accepts(now.specifier, one) for one in candidates)


def _accepts(specifier: SpecifierSet, version: str) -> bool:
    try:
        return specifier.contains(version, prereleases=True)
    except ValueError:  # `===` takes any text
        return False


@CHECKS.check(needs=(the_last_release_can_be_compared,))
def python_is_supported_as_before(built: BuiltFiles) -> Iterator[Observation]:
    """No Python versions dropped."""
    for one, before in _pairs(built):
        now, then = _requires_python(one), _requires_python(before)
        dropped = [python for python in _PYTHONS if supports(then, python) and not supports(now, python)]
        if dropped:
            message = (
                f"Requires-Python changed from {str(then)!r} in {before.version} to {str(now)!r}, which drops "
                f"Python {', '.join(dropped[-3:])}"
            )
            yield warn(message, f"{_MENTION}; users of an older Python stay on the previous release", one.filename)


def _requires_python(one: InspectedFile) -> SpecifierSet:
    try:
        return SpecifierSet(str(one.fields.get("requires_python", "")))
    except InvalidSpecifier:
        return SpecifierSet()


@CHECKS.check(needs=(the_last_release_can_be_compared,))
def no_entry_point_is_gone(built: BuiltFiles) -> Iterator[Observation]:
    """No entry points removed."""
    for one, before in _pairs(built):
        gone = sorted(_entry_points(before) - _entry_points(one))
        if gone:
            yield warn(f"entry points removed since {before.version}: {quote_some(gone)}", _MENTION, one.filename)


def _entry_points(one: InspectedFile) -> set[str]:
    groups = parse_entry_points(one.entry_points) or {}
    return {f"{name} ({group})" for group, names in groups.items() for name in names}


@CHECKS.check(needs=(the_last_release_can_be_compared,))
def the_size_is_in_line(built: BuiltFiles) -> Iterator[Observation]:
    """File sizes are similar to the previous release."""
    assert isinstance(built.previous, PreviousRelease)
    sizes = {file.filename: file.size for file in (*built.files, *built.previous.files)}
    for one, before in _pairs(built):
        now, then = sizes[one.filename], sizes[before.filename]
        if abs(now - then) > _UNUSUAL and not then / _FACTOR <= now <= then * _FACTOR:
            message = f"the file has {now:,} bytes, while that of {before.version} had {then:,}"
            yield warn(message, "inspect its contents: pypi-preflight inspect FILE", one.filename)
