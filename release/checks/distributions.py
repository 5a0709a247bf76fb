"""The third checklist: the files of a release, before any upload."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from release.acceptance import rule
from release.checks import (
    archive_warnings,
    description_checks,
    distribution_reader,
    file_set,
    lfs_pointers,
    metadata_consistency,
    upload_sequence,
    wheel_contents,
)
from release.checks.distribution_reader import inspect_built_files
from release.checks.engine import Check, Checklist, quote, warn
from release.checks.exclusion_remedies import how_to_exclude
from release.checks.server_versions import NEWER_SERVERS
from release.core.facts import BuiltFiles
from release.core.lazy_pattern import lazy_pattern
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.distribution import InspectedFile, parse_version
from release.core.tag_form import is_made_up

_REBUILD_CLEAN = "empty dist/ and rebuild: python -m build"
#: the first metadata version in which an sdist must be accurate. Source: PEP 643
_RELIABLE = "2.2"
_PYTHON = lazy_pattern(r"Programming Language :: Python :: (\d+\.\d+)")

CHECKS = Checklist[BuiltFiles]()
#: about each file on its own
OF_A_FILE = Checklist[BuiltFiles]()
#: about the files together
OF_THE_SET = Checklist[BuiltFiles]()


@CHECKS.check()
def there_is_something_to_upload(built: BuiltFiles) -> Iterator[Observation]:
    """There are files to upload."""
    if not built.files:
        yield Finding(message="no sdist and no wheel was built", remedy="run: python -m build", where="dist")


def _reported(built: BuiltFiles, name: str) -> Iterator[Finding]:
    """What the inspection of the files reported under a check's name."""
    for one in inspect_built_files(built):
        yield from (finding for check_name, finding in one.findings if check_name == name)


def _of_inspection(name: str, title: str, why: str = "") -> Check[BuiltFiles]:
    """A check of what the inspection of each file reports under its name."""

    def observe(built: BuiltFiles) -> Iterator[Observation]:
        return _reported(built, name)

    return Check(name=name, title=title, why=why, observe=observe, needs=(there_is_something_to_upload,))


OF_A_FILE += [
    _of_inspection(distribution_reader.SAME_BYTES, "The files have not changed since they were built"),
    # the rules of the index, grouped by what they are about
    _of_inspection(
        rule.FILE_NAMES,
        "The file names are valid and match the metadata",
        "Source: PEP 625 and PEP 427; the index compares file names with the metadata and checks each platform tag.",
    ),
    _of_inspection(rule.ARCHIVE_CHECK, "The archives are complete, unambiguous, and contain the required files"),
    _of_inspection(
        rule.METADATA,
        "The metadata is valid",
        "Source: core metadata specification; the index also checks local versions, direct dependencies, URLs,\n"
        "classifiers and lengths.",
    ),
    _of_inspection(
        NEWER_SERVERS,
        "A newer server accepts the metadata as well",
        "Versions of the server's libraries differ; the installed ones show how a newer server may judge.",
    ),
    _of_inspection(
        rule.NEW_NAMES,
        "The index accepts the project name",
        "Only a project that is not on the index yet can be refused because of its name.",
    ),
    _of_inspection(
        rule.DESCRIPTIONS,
        "The description renders on the project page",
        "The index refuses reStructuredText at the first warning.",
    ),
    _of_inspection(rule.SIZES, "The files are within the index's size limits"),
]


@OF_A_FILE.check(needs=(there_is_something_to_upload,))
def the_files_are_new_to_the_index(built: BuiltFiles) -> Iterator[Observation]:
    """The files are new to the index, and the release still accepts files."""
    if built.on_index is None:
        yield NotApplicable(reason="the index was not contacted")
        return
    yield from _reported(built, rule.NEW_FILES)
    names = {canonicalize_name(one.name) for one in inspect_built_files(built)}
    yield from (known for name, known in built.on_index.items() if name in names and isinstance(known, Unknown))


OF_A_FILE.append(_of_inspection(distribution_reader.TWINE, "Twine accepts the files"))


@OF_A_FILE.check(needs=(there_is_something_to_upload,))
def the_uploader_knows_the_metadata_version(built: BuiltFiles) -> Iterator[Observation]:
    """The uploader supports the metadata version.

    A run uploads with the twine of this environment.
    """
    yield from _reported(built, distribution_reader.UPLOADER)


@OF_A_FILE.check(needs=(there_is_something_to_upload,), name=distribution_reader.LICENSE_FIELD)
def the_license_files_fit_the_metadata_version(built: BuiltFiles) -> Iterator[Observation]:
    """License-File is only in metadata that defines it.

    The index refuses it in metadata before 2.4. uv sends it; twine, with which a run uploads, does not.
    """
    if built.project is None:
        yield from _reported(built, distribution_reader.LICENSE_FIELD)


def _stray_files(built: BuiltFiles) -> Iterator[Finding]:
    """What is shipped by accident, with the setting of the build backend that excludes it from the sdist."""
    for one in inspect_built_files(built):
        for name, finding in one.findings:
            if name == archive_warnings.nothing_is_shipped_by_accident.name:
                yield replace(finding, remedy=_exclusion(built, one) or finding.remedy)


def _exclusion(built: BuiltFiles, one: InspectedFile) -> str | None:
    if built.source_tree is None or one.is_wheel:
        return None
    own = canonicalize_name(one.name).replace("-", "_")
    strays = archive_warnings.find_leftovers(one.filename, (path for path, _ in one.members), own=own)
    inside = [(unit.partition("/")[2], unit != path) for path, unit in strays.items()]
    return how_to_exclude(built.source_tree.backend, inside)


for _item in distribution_reader.OF_AN_ARCHIVE:
    _check = _of_inspection(_item.name, _item.title, _item.why)
    _is_of_strays = _item.name == archive_warnings.nothing_is_shipped_by_accident.name
    OF_A_FILE.append(replace(_check, observe=_stray_files) if _is_of_strays else _check)
OF_A_FILE += [_of_inspection(item.name, item.title, item.why) for item in lfs_pointers.CHECKS]


def supports(specifier: SpecifierSet, python: str) -> bool:
    """Whether Requires-Python allows any release of a Python version such as "3.11"."""
    return any(map(specifier.contains, (f"{python}.0", f"{python}.99")))


@OF_A_FILE.check()
def the_version_is_of_a_tag(built: BuiltFiles) -> Iterator[Observation]:
    """The version comes from a tag, not from a fallback.

    A shallow clone, or a commit without a tag, gives `0.0.0`, `0.1.dev1` or `1.0+g1234567`.
    """
    if built.source_checked:
        yield NotApplicable(reason="the source was checked, which declares the version or has the tags")
        return
    for one in inspect_built_files(built):
        if is_made_up(one.version):
            message = f"{one.version!r} looks like the version of a checkout without tags"
            remedy = "fetch the tags (git fetch --tags; in a shallow clone: git fetch --unshallow --tags), then rebuild"
            yield warn(message, remedy, one.filename, cause="version.local" if "+" in one.version else None)


@OF_A_FILE.check()
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


@OF_THE_SET.check(needs=(there_is_something_to_upload,))
def the_files_are_of_the_project(built: BuiltFiles) -> Iterator[Observation]:
    """The files belong to this project and version.

    Old files in the output directory are the usual cause.
    """
    if built.project is None or built.given:
        yield NotApplicable(reason="no project was given to compare the files with")
        return
    expected = (canonicalize_name(built.project.name), parse_version(built.project.version))
    for one in inspect_built_files(built):
        if one.name and _release(one) != expected:
            message = f"the file is {one.name} {one.version}, not {built.project.name} {built.project.version}"
            yield Finding(message=message, remedy=_REBUILD_CLEAN, where=one.filename, cause="dist.stale")


def _release(one: InspectedFile) -> tuple[str, Version | str]:
    """Normalized name, and version, of the release that a file belongs to."""
    return canonicalize_name(one.name), parse_version(one.version)


@OF_THE_SET.check(needs=(there_is_something_to_upload,))
def the_files_are_of_one_release(built: BuiltFiles) -> Iterator[Observation]:
    """All files belong to one release.

    An index would accept them anyway, so that without a project to compare with this is only a warning.
    """
    releases: dict[str, list[str]] = {}
    for one in inspect_built_files(built):
        name, version = _release(one)
        if name:
            releases.setdefault(f"{name} {version}", []).append(one.filename)
    if len(releases) > 1:
        names = sorted(releases)
        main = max(names, key=lambda release: len(releases[release]))
        named = [f"{one} ({quote(releases[one])})" if built.given and one != main else one for one in names]
        yield Finding(
            message=f"the files belong to {len(releases)} releases: {', '.join(named)}",
            remedy=f"pass only the files of {main}" if built.given else _REBUILD_CLEAN,
            severity="warn" if built.project is None else "block",
            cause="dist.stale",
        )


def _same_names(built: BuiltFiles) -> Iterator[Finding]:
    """Two files of one name, with their paths."""
    for finding in _reported(built, upload_sequence.OTHER_CONTENT):
        places = [one.place for one in built.files if one.filename == finding.where and one.place]
        message = f"{' and '.join(map(repr, places))} differ in their bytes; the index accepts only one file of a name"
        yield replace(finding, message=message) if len(places) > 1 else finding


OF_THE_SET += [
    _of_inspection(upload_sequence.ONE_SDIST, "At most one sdist per release"),
    _of_inspection(
        upload_sequence.SAME_CONTENT,
        "No two files have the same bytes",
        'The index accepts the first, and refuses the others: it has their content already ("File already exists").',
    ),
    replace(
        _of_inspection(
            upload_sequence.OTHER_CONTENT,
            "No two files have the same name",
            'The index replaces no file: it refuses the second one, unless it has the same bytes ("File already '
            'exists").',
        ),
        observe=_same_names,
    ),
    *file_set.CHECKS,
]


@OF_THE_SET.check(needs=(the_files_are_of_one_release,))
def wheels_and_sdist_say_the_same(built: BuiltFiles) -> Iterator[Observation]:
    """Wheels and sdist have the same requirements.

    An index shows the metadata of the first file uploaded; installers read the metadata of the file they install.
    """
    files = [one for one in inspect_built_files(built) if one.fields.get("metadata_version", "") >= _RELIABLE]
    for comparison in metadata_consistency.compare_files(files):
        fields = [one.header for one in comparison.differences if one.used_by_installers]
        if fields:
            message = f"metadata differs from {comparison.reference!r}: {', '.join(fields)}"
            yield warn(message, "build the wheel from the sdist: python -m build", comparison.filename)


OF_THE_SET += description_checks.CHECKS + wheel_contents.CHECKS
CHECKS += OF_A_FILE + OF_THE_SET
