"""The files beside those of the last release: what vanished, grew, or asks for more. Warnings all."""

from __future__ import annotations

import configparser
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from release.checks.archive_warnings import some
from release.checks.distribution_reader import Examined, examined
from release.checks.engine import Check, check
from release.core.facts import BuiltFiles, PreviousRelease
from release.core.models.finding import Finding, NotApplicable, Observation

#: bytes; smaller differences are not worth a word
_LITTLE = 1000
#: a file counts as shrunk below this part of its size, a release as out of line beyond this many times it, and bytes
_SHRUNK, _TIMES, _MUCH = 0.5, 2.0, 100_000
_PYTHONS = [f"{major}.{minor}" for major, last in ((2, 7), (3, 20)) for minor in range(last + 1)]


def _pairs(built: BuiltFiles) -> Iterator[tuple[Examined, Examined]]:
    """Each file with its counterpart in the last release."""
    assert isinstance(built.earlier, PreviousRelease)
    if "earlier" not in built.memo:
        built.memo["earlier"] = examined(replace(built, files=built.earlier.files, memo={}))
    for one in examined(built):
        yield from ((one, before) for before in built.memo["earlier"] if _kind(before) == _kind(one))


def _kind(one: Examined) -> str:
    """What makes two files counterparts: an sdist each, or wheels for the same platforms."""
    return one.filename.rpartition("-")[2] if one.filename.endswith(".whl") else "sdist"


def _warn(one: Examined, message: str, remedy: str) -> Finding:
    return Finding(message=message, remedy=remedy, severity="warn", where=one.filename)


@check()
def the_last_release_can_be_compared(built: BuiltFiles) -> Iterator[Observation]:
    """The last release on the index has files like these."""
    if not isinstance(built.earlier, PreviousRelease):
        reason = built.earlier.reason if built.earlier else "no index was asked"
        yield NotApplicable(reason=reason)
    elif not any(_pairs(built)):
        yield NotApplicable(reason=f"{built.earlier.version} has no file of these kinds")


@check(needs=(the_last_release_can_be_compared,))
def no_file_vanished_or_shrank(built: BuiltFiles) -> Iterator[Observation]:
    """Every file of the last release is still there, and not much smaller.

    Data that a build no longer packs is noticed by nobody but users.
    """
    for one, before in _pairs(built):
        now, then = dict(_files(one)), dict(_files(before))
        gone = [path for path, size in then.items() if path not in now and size]
        shrunk = [path for path in then.keys() & now.keys() if _shrank(then[path], now[path])]
        release = f"{before.version} had"
        if gone:
            size = sum(then[path] for path in gone)
            yield _warn(
                one, f"{some(sorted(gone))} is gone, {size:,} bytes that {release}", "pack it again, if it is missed"
            )
        if shrunk:
            sizes = ", ".join(f"{path!r} ({then[path]:,} → {now[path]:,} bytes)" for path in sorted(shrunk)[:3])
            yield _warn(one, f"{sizes} shrank since {before.version}", "compare the two, and rebuild from a clean tree")


def _shrank(then: int, now: int) -> bool:
    return now < then * _SHRUNK and then - now > _LITTLE


def _files(one: Examined) -> Iterator[tuple[str, int]]:
    """Path and bytes, without what has the version in its name, or differs in every release."""
    for path, size in one.members:
        inside = path if one.filename.endswith(".whl") else path.partition("/")[2]
        if not re.search(r"\.(?:dist|egg)-info(?:/|$)", inside):
            yield inside, size


@check(needs=(the_last_release_can_be_compared,))
def no_module_is_new_at_the_top(built: BuiltFiles) -> Iterator[Observation]:
    """The wheel installs no module or package that the last release did not."""
    for one, before in _pairs(built):
        new = sorted(_tops(one) - _tops(before))
        if new and one.filename.endswith(".whl"):
            yield _warn(one, f"it installs {some(new)}, which {before.version} did not", "exclude it, if it is no part")


def _tops(one: Examined) -> set[str]:
    tops = {path.partition("/")[0] for path, _ in _files(one)}
    return {top.partition(".")[0] for top in tops if not top.endswith(".data")}


@check(needs=(the_last_release_can_be_compared,))
def the_dependencies_are_those_of_the_last_release(built: BuiltFiles) -> Iterator[Observation]:
    """No dependency was added or tightened."""
    for one, before in _pairs(built):
        now, then = _requirements(one), _requirements(before)
        added = [str(now[key]) for key in now.keys() - then.keys()]
        tightened = [f"{then[key]} → {now[key]}" for key in now.keys() & then.keys() if _narrower(then[key], now[key])]
        for what, found in (("added", added), ("tightened", tightened)):
            if found:
                message = f"dependencies were {what} since {before.version}: {some(sorted(found))}"
                yield _warn(one, message, "say so in the changelog")


def _requirements(one: Examined) -> Mapping[tuple[str, str], Requirement]:
    """The dependencies by name and marker."""
    found: dict[tuple[str, str], Requirement] = {}
    for text in _raw(one).get("requires_dist", ()):
        try:
            requirement = Requirement(str(text))
        except InvalidRequirement:
            continue
        found[canonicalize_name(requirement.name), str(requirement.marker or "")] = requirement
    return found


def _narrower(then: Requirement, now: Requirement) -> bool:
    """Whether some version that was good enough is so no more: those that either names, and their neighbours."""
    named = {one.version.removesuffix(".*") for both in (then, now) for one in both.specifier}
    tried = [*named, *(f"{version}.1" for version in named), "0", "99999"]
    accepts = [(_accepts(then.specifier, version), _accepts(now.specifier, version)) for version in tried]
    return any(before and not after for before, after in accepts)


def _accepts(specifier: SpecifierSet, version: str) -> bool:
    try:
        return specifier.contains(version, prereleases=True)
    except ValueError:  # `===` takes any text
        return False


@check(needs=(the_last_release_can_be_compared,))
def python_is_supported_as_before(built: BuiltFiles) -> Iterator[Observation]:
    """Requires-Python shuts out no Python that the last release let in."""
    for one, before in _pairs(built):
        now, then = _python(one), _python(before)
        lost = [python for python in _PYTHONS if _lets_in(then, python) and not _lets_in(now, python)]
        if lost:
            yield _warn(
                one,
                f"Requires-Python was {str(then)!r} in {before.version} and is {str(now)!r}: "
                f"Python {', '.join(lost[-3:])} is shut out",
                "say so in the changelog; who has an older Python goes on with the last release",
            )


def _python(one: Examined) -> SpecifierSet:
    try:
        return SpecifierSet(str(_raw(one).get("requires_python", "")))
    except InvalidSpecifier:
        return SpecifierSet()


def _lets_in(wanted: SpecifierSet, python: str) -> bool:
    return any(map(wanted.contains, (f"{python}.0", f"{python}.99")))


@check(needs=(the_last_release_can_be_compared,))
def no_entry_point_is_gone(built: BuiltFiles) -> Iterator[Observation]:
    """Every script and plug-in of the last release is still there."""
    for one, before in _pairs(built):
        gone = sorted(_entry_points(before) - _entry_points(one))
        if gone:
            yield _warn(one, f"entry points of {before.version} are gone: {some(gone)}", "say so in the changelog")


def _entry_points(one: Examined) -> set[str]:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # the documented way to keep upper case
    try:
        parser.read_string(one.entry_points.decode())
    except (UnicodeDecodeError, configparser.Error):
        return set()
    return {f"{name} ({section})" for section in parser.sections() for name in parser[section]}


@check(needs=(the_last_release_can_be_compared,))
def the_size_is_in_line(built: BuiltFiles) -> Iterator[Observation]:
    """The files have about the size of those of the last release."""
    assert isinstance(built.earlier, PreviousRelease)
    sizes = {file.filename: file.size for file in (*built.files, *built.earlier.files)}
    for one, before in _pairs(built):
        now, then = sizes[one.filename], sizes[before.filename]
        if abs(now - then) > _MUCH and not then / _TIMES <= now <= then * _TIMES:
            message = f"it has {now:,} bytes, and that of {before.version} had {then:,}"
            yield _warn(one, message, "look what is in it: python -m release inspect FILE")


def _raw(one: Examined) -> Mapping[str, Iterable[str] | str]:
    from packaging.metadata import parse_email

    raw, _ = parse_email(one.metadata)
    return {**raw}  # type: ignore[dict-item] # a typed dictionary's values, without its keys


CHECKS: tuple[Check[BuiltFiles], ...] = (
    the_last_release_can_be_compared,
    no_file_vanished_or_shrank,
    no_module_is_new_at_the_top,
    the_dependencies_are_those_of_the_last_release,
    python_is_supported_as_before,
    no_entry_point_is_gone,
    the_size_is_in_line,
)
