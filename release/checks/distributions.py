"""The third checklist: the files of a release, before any upload."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release.checks import acceptance_remedies, archive_hygiene, archive_warnings, distribution_reader, versions
from release.checks.distribution_reader import examined, needs
from release.checks.engine import Check, check
from release.core.facts import BuiltFiles
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown


def _said(built: BuiltFiles, name: str) -> Iterator[Finding]:
    """What the reading of the files has put under a check's name."""
    for one in examined(built):
        yield from (finding for check_name, finding in one.findings if check_name == name)


@check()
def there_is_something_to_upload(built: BuiltFiles) -> Iterator[Observation]:
    """There is something to upload."""
    if not built.files:
        yield Finding(message="no sdist and no wheel was built", remedy="run: python -m build", where="dist")


@check(needs=(there_is_something_to_upload,))
def the_files_are_as_they_were_built(built: BuiltFiles) -> Iterator[Observation]:
    """The files have the bytes that they were built with."""
    yield from _said(built, distribution_reader.SAME_BYTES)


@check(needs=(there_is_something_to_upload,))
def the_file_names_are_right(built: BuiltFiles) -> Iterator[Observation]:
    """The file names are exactly those that the index expects.

    Source: PEP 625 and PEP 427; the index compares them with the metadata and looks at each platform tag.
    """
    yield from _said(built, acceptance_remedies.FILE_NAMES)


@check(needs=(there_is_something_to_upload,))
def the_archives_are_sound(built: BuiltFiles) -> Iterator[Observation]:
    """The archives are whole, read in one way only, and have the files that they must have."""
    yield from _said(built, acceptance_remedies.ARCHIVE)


@check(needs=(there_is_something_to_upload,))
def the_index_takes_the_metadata(built: BuiltFiles) -> Iterator[Observation]:
    """The metadata holds to its specification and to the index's own rules.

    Source: core metadata specification; the index adds local versions, direct dependencies, addresses,
    classifiers and lengths.
    """
    yield from _said(built, acceptance_remedies.METADATA)


@check(needs=(there_is_something_to_upload,))
def the_index_takes_the_name(built: BuiltFiles) -> Iterator[Observation]:
    """The index takes the project's name.

    Only a project that the index does not have yet can be refused for it.
    """
    yield from _said(built, acceptance_remedies.NEW_NAMES)


@check(needs=(there_is_something_to_upload,))
def the_description_renders(built: BuiltFiles) -> Iterator[Observation]:
    """The description renders on the project's page.

    The index refuses reStructuredText at the first warning.
    """
    yield from _said(built, acceptance_remedies.DESCRIPTION)


@check(needs=(there_is_something_to_upload,))
def the_index_has_room(built: BuiltFiles) -> Iterator[Observation]:
    """The files are within the index's limits of size."""
    yield from _said(built, acceptance_remedies.ROOM)


@check(needs=(there_is_something_to_upload,))
def the_files_are_new_to_the_index(built: BuiltFiles) -> Iterator[Observation]:
    """The index has no other file of that name or content, and the release still takes files."""
    if built.on_index is None:
        yield NotApplicable(reason="the index was not asked")
        return
    yield from _said(built, acceptance_remedies.NEW_FILES)
    names = {canonicalize_name(one.name) for one in examined(built)}
    yield from (known for name, known in built.on_index.items() if name in names and isinstance(known, Unknown))


@check(needs=(there_is_something_to_upload,))
def twine_takes_the_files(built: BuiltFiles) -> Iterator[Observation]:
    """Twine, which uploads the files, understands them."""
    yield from _said(built, distribution_reader.TWINE)


@check(needs=(there_is_something_to_upload,))
def the_uploader_knows_the_metadata_version(built: BuiltFiles) -> Iterator[Observation]:
    """The metadata is of no newer version than the uploader knows.

    Red where the twine of this environment would refuse it; a warning where an older one, elsewhere, would, and
    nobody knows who will upload the files: in a run it is the twine of this environment.
    """
    said = _said(built, distribution_reader.UPLOADER)
    yield from (one for one in said if built.project is None or one.severity == "block")


@check(needs=(there_is_something_to_upload,))
def record_lists_what_is_in_the_wheel(built: BuiltFiles) -> Iterator[Observation]:
    """RECORD lists what is in the wheel."""
    yield from _said(built, archive_warnings.RECORD)


@check(needs=(there_is_something_to_upload,))
def every_member_can_be_read(built: BuiltFiles) -> Iterator[Observation]:
    """Every member of a wheel can be unpacked."""
    yield from _said(built, archive_warnings.READABLE)


@check(needs=(there_is_something_to_upload,))
def every_path_stays_inside(built: BuiltFiles) -> Iterator[Observation]:
    """No path in an archive leads out of it."""
    yield from _said(built, archive_hygiene.PATHS)


@check(needs=(there_is_something_to_upload,))
def nothing_is_shipped_by_accident(built: BuiltFiles) -> Iterator[Observation]:
    """No cache, checkout, editor's file or leftover of a build is shipped."""
    yield from _said(built, archive_hygiene.RUBBISH)


@check(needs=(there_is_something_to_upload,))
def no_common_name_is_installed(built: BuiltFiles) -> Iterator[Observation]:
    """A wheel installs nothing under a name that any project could have: tests, docs, tools.

    Such a name lies beside the modules of all other projects, and the one that was installed last counts.
    """
    yield from _said(built, archive_hygiene.COMMON)


@check(needs=(there_is_something_to_upload,))
def every_title_is_a_title(built: BuiltFiles) -> Iterator[Observation]:
    """No title in the description is shown as text.

    One that is underlined in part counts as a title only from four characters on, and is refused then.
    """
    yield from _said(built, archive_warnings.TITLES)


@check(needs=(there_is_something_to_upload,))
def the_files_are_of_the_project(built: BuiltFiles) -> Iterator[Observation]:
    """The files are of the project, in the version that the source says.

    Stale files in the output directory are the usual cause.
    """
    if built.project is None:
        yield NotApplicable(reason="there is no project beside the files")
        return
    name, version = canonicalize_name(built.project.name), _version(built.project.version)
    for one in examined(built):
        if one.name and (canonicalize_name(one.name) != name or _version(one.version) != version):
            yield Finding(
                message=f"it is {one.name} {one.version}, not {built.project.name} {built.project.version}",
                remedy="empty dist/ and build again: python -m build",
                where=one.filename,
                cause="dist.stale",
            )


@check(needs=(there_is_something_to_upload,))
def the_files_are_of_one_release(built: BuiltFiles) -> Iterator[Observation]:
    """All files are of one project and one version.

    An index would take them all the same; without a project beside them it is only odd.
    """
    releases = {(canonicalize_name(one.name), str(_version(one.version))) for one in examined(built) if one.name}
    if len(releases) > 1:
        several = ", ".join(f"{name} {version}" for name, version in sorted(releases))
        yield Finding(
            message=f"the files are of {len(releases)} releases: {several}",
            remedy="empty dist/ and build again: python -m build",
            severity="warn" if built.project is None else "block",
            cause="dist.stale",
        )


@check(needs=(there_is_something_to_upload,))
def there_is_one_sdist_at_most(built: BuiltFiles) -> Iterator[Observation]:
    """Each release has one sdist at most."""
    releases: dict[tuple[str, str], list[str]] = {}
    for one in examined(built):
        if not one.filename.endswith(".whl"):
            key = (canonicalize_name(one.name), str(_version(one.version)))
            releases.setdefault(key, []).append(one.filename)
    for sdists in releases.values():
        if len(sdists) > 1:
            yield Finding(
                message=f"there are {len(sdists)} sdists of one release: {', '.join(sdists)}",
                remedy="keep the .tar.gz that was built last",
                server_text="Only one sdist may be uploaded per release.",
                cause="sdist.duplicate",
            )


@check(needs=(the_files_are_of_one_release,))
def wheels_and_sdist_say_the_same(built: BuiltFiles) -> Iterator[Observation]:
    """The wheels need and support what the sdist says.

    An index shows the metadata of the file that came first; installers read that of the file they take.
    """
    said = [(one.filename, needs(one.metadata)) for one in examined(built) if one.metadata]
    for filename, there in said[1:]:
        odd = sorted(name for name in there.keys() & said[0][1].keys() if there[name] != said[0][1][name])
        if odd:
            yield Finding(
                message=f"{', '.join(odd)} differs from that of {said[0][0]!r}",
                remedy="build the wheel from the sdist: python -m build",
                severity="warn",
                where=filename,
            )


def _version(text: str) -> Version | str:
    try:
        return Version(text)
    except InvalidVersion:
        return text


#: about each file alone
OF_A_FILE: tuple[Check[BuiltFiles], ...] = (
    the_files_are_as_they_were_built,
    the_file_names_are_right,
    the_archives_are_sound,
    the_index_takes_the_metadata,
    the_index_takes_the_name,
    the_description_renders,
    the_index_has_room,
    the_files_are_new_to_the_index,
    twine_takes_the_files,
    the_uploader_knows_the_metadata_version,
    record_lists_what_is_in_the_wheel,
    every_member_can_be_read,
    every_path_stays_inside,
    nothing_is_shipped_by_accident,
    no_common_name_is_installed,
    every_title_is_a_title,
    *versions.OF_A_FILE,
)
#: about the files together
OF_THE_SET: tuple[Check[BuiltFiles], ...] = (
    the_files_are_of_the_project,
    the_files_are_of_one_release,
    there_is_one_sdist_at_most,
    wheels_and_sdist_say_the_same,
)
CHECKS: tuple[Check[BuiltFiles], ...] = (there_is_something_to_upload, *OF_A_FILE, *OF_THE_SET)
