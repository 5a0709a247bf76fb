"""The files compared with those of the previous release: what is missing is a warning, what has grown is noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release.acceptance.wheel_rules import parse_entry_points
from release.checks.distribution_reader import inspect_built_files
from release.checks.distributions import supports
from release.checks.engine import Checklist, quote_some, warn
from release.checks.release_contents import ReleaseContents, release_contents
from release.checks.source_comparison import reported_as_missing
from release.core.facts import BuiltFiles, PreviousRelease
from release.core.models.check_result import NotApplicable, Note, Observation
from release.core.models.distribution import InspectedFile, InspectionCache
from release.core.wheel_tags import platform_family

#: bytes; smaller differences are ignored
_IGNORED = 1000
#: a file counts as shrunk below this fraction of its size; a release as unusual beyond this factor and these bytes
_SHRUNK, _FACTOR, _UNUSUAL = 0.5, 2.0, 100_000
_PYTHONS = [f"{major}.{minor}" for major, last in ((2, 7), (3, 20)) for minor in range(last + 1)]
_MENTION = "mention it in the changelog"
_REMEDY_OF_MISSING = "include it again in the build backend's configuration; if it was removed on purpose, " + _MENTION
#: a major version from here on is a year or a date
_FIRST_YEAR = 15


def _pairs(built: BuiltFiles) -> Iterator[tuple[InspectedFile, InspectedFile]]:
    """Each file with its counterpart in the previous release: wheels, or sdists where either has no wheel."""
    assert isinstance(built.previous, PreviousRelease)
    if built.cache.previous is None:
        built.cache.previous = inspect_built_files(replace(built, files=built.previous.files, cache=InspectionCache()))
    now, then = inspect_built_files(built), built.cache.previous
    for is_wheel in (True, False):
        ours = [one for one in now if one.is_wheel is is_wheel]
        theirs = [one for one in then if one.is_wheel is is_wheel]
        if ours and theirs:
            yield from ((one, _counterpart(one, theirs)) for one in ours[:1])
            return


def _counterpart(one: InspectedFile, theirs: list[InspectedFile]) -> InspectedFile:
    """Of several wheels, the one for the same platform, or one that is as pure."""
    family = platform_family(one.filename)

    def distance(other: InspectedFile) -> tuple[bool, bool]:
        found = platform_family(other.filename)
        return found != family, (found is None) != (family is None)

    return min(theirs, key=distance)


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
    """No modules or data files of the previous release are missing or much smaller.

    Only users notice when a build no longer includes a module, a data file or `py.typed`. What was removed from git too
    is meant to be gone; a public module of which is named where the version promises that it stays.
    """
    for one, before in _pairs(built):
        now, then = release_contents(one), release_contents(before)
        found = _missing_modules(built, before, now, then) + _missing_data(built, now, then)
        gone = [path for path in found if path not in reported_as_missing(built)]  # the cause is named there
        if gone:
            message = f"missing since {before.version}: {quote_some(gone)}"
            yield warn(message, _REMEDY_OF_MISSING, one.filename)
        shrunk = [
            path
            for path in then.data.keys() & now.data.keys()
            if now.data[path] < then.data[path] * _SHRUNK and then.data[path] - now.data[path] > _IGNORED
            if _in_git(built, path) is not True
        ]
        if shrunk:
            sizes = ", ".join(
                f"{path!r} ({then.data[path]:,} → {now.data[path]:,} bytes)" for path in sorted(shrunk)[:3]
            )
            message = f"much smaller than in {before.version}: {sizes}"
            yield warn(message, "compare the two, and rebuild from a clean checkout", one.filename)


def _missing_modules(
    built: BuiltFiles, before: InspectedFile, now: ReleaseContents, then: ReleaseContents
) -> list[str]:
    """The public modules that are gone, of a whole package only the package, by their paths."""
    breaking = _may_break(before.version, built)
    lost = {
        name: path
        for name, path in then.modules.items()
        if name not in now.modules and not (breaking and _in_git(built, path) is False)
    }
    return sorted(path for name, path in lost.items() if name.rpartition(".")[0] not in lost)


def _missing_data(built: BuiltFiles, now: ReleaseContents, then: ReleaseContents) -> list[str]:
    """The data files that are gone. One that git has not, but the last sdist had, was removed on purpose."""
    assert isinstance(built.previous, PreviousRelease)
    sources = {
        path.partition("/")[2] for one in built.cache.previous or () if not one.is_wheel for path, _ in one.members
    }
    found = []
    for path in sorted(then.data.keys() - now.paths):
        if path.rpartition("/")[2] in now.basenames - {"py.typed"}:  # moved
            continue
        if path.endswith(("py.typed", ".pyi")) or _in_git(built, path) is not False:
            found.append(path)
        elif not any(source == path or source.endswith(f"/{path}") for source in sources):
            found.append(path)  # made by the build
    return found


def _in_git(built: BuiltFiles, path: str) -> bool | None:
    """Whether git tracks the source of an installed file; None without a repository."""
    if built.source_tree is None:
        return None
    return any(one == path or one.endswith(f"/{path}") for one in built.source_tree.tracked)


def _may_break(before: str, built: BuiltFiles) -> bool:
    """Whether the version allows removals: a new major version, a new minor one of 0.x, and every calendar version."""
    try:
        then, now = Version(before), Version(built.project.version if built.project else "")
    except InvalidVersion:
        return False
    return now.major != then.major or now.major >= _FIRST_YEAR or (now.major == 0 and now.minor != then.minor)


@CHECKS.check(needs=(the_last_release_can_be_compared,))
def no_module_is_new_at_the_top(built: BuiltFiles) -> Iterator[Observation]:
    """No new top-level modules."""
    for one, before in _pairs(built):
        new = sorted(_top_level(one) - _top_level(before))
        if new and one.is_wheel:
            message = f"the wheel installs {quote_some(new)}, which {before.version} did not"
            yield warn(message, "exclude it if it is not part of the project", one.filename)


def _top_level(one: InspectedFile) -> set[str]:
    paths = release_contents(one).paths
    tops = {path.partition("/")[0] for path in paths if "__mypyc" not in path}
    return {top.partition(".")[0] for top in tops if not top.endswith((".data", ".libs"))}


@CHECKS.check(needs=(the_last_release_can_be_compared,))
def the_dependencies_are_those_of_the_last_release(built: BuiltFiles) -> Iterator[Observation]:
    """Dependencies that the previous release did not have, or not as tight, are listed.

    They are part of most releases, so that they are no warning. Extras are passed over, and so are the versions of
    packages that are released together.
    """
    for one, before in _pairs(built):
        now, then = _requirements(one), _requirements(before)
        added = [str(now[key]) for key in now.keys() - then.keys()]
        tightened = [
            f"{then[key]} → {now[key]}"
            for key in now.keys() & then.keys()
            if _is_tighter(then[key], now[key]) and not _is_lockstep(then[key], now[key])
        ]
        for what, found in (("added", added), ("tightened", tightened)):
            if found:
                yield Note(message=f"{what} since {before.version}: {quote_some(sorted(found))}", remedy=_MENTION)


def _requirements(one: InspectedFile) -> Mapping[tuple[str, str], Requirement]:
    """The dependencies by name and marker."""
    found: dict[tuple[str, str], Requirement] = {}
    for text in one.fields.get("requires_dist", ()):
        try:
            requirement = Requirement(str(text))
        except InvalidRequirement:
            continue
        if "extra" not in str(requirement.marker or ""):
            found[canonicalize_name(requirement.name), str(requirement.marker or "")] = requirement
    return found


def _is_lockstep(then: Requirement, now: Requirement) -> bool:
    """Whether both pin one version (`==`): of a package that is released together with this one."""
    return all(len(one.specifier) == 1 and next(iter(one.specifier)).operator == "==" for one in (then, now))


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
    """Python versions that are no longer supported are listed."""
    for one, before in _pairs(built):
        now, then = _requires_python(one), _requires_python(before)
        dropped = [python for python in _PYTHONS if supports(then, python) and not supports(now, python)]
        if dropped:
            text = f"{str(then)!r} in {before.version}, {str(now)!r} now, without Python {', '.join(dropped[-3:])}"
            yield Note(message=text, remedy=f"{_MENTION}; users of an older Python stay on the previous release")


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


@CHECKS.check(needs=(the_last_release_can_be_compared,))
def no_platform_is_gone(built: BuiltFiles) -> Iterator[Observation]:
    """The wheels cover the platforms of the previous release."""
    assert isinstance(built.previous, PreviousRelease)
    if not built.previous.filenames:
        yield NotApplicable(reason="wheels for other platforms are built elsewhere")
        return
    now = {platform_family(file.filename) for file in built.files}
    gone = {platform_family(name) for name in built.previous.filenames} - now - {None}
    if gone and any(file.filename.endswith(".whl") for file in built.files):
        message = f"{built.previous.version} has wheels for {quote_some(sorted(map(str, gone)))}, this release has none"
        yield warn(message, "add the wheels that these platforms need, before the release is 14 days old")
