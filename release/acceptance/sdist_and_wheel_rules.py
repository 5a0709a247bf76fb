"""Rules on an sdist or a wheel beyond its archive: file name, tags, license files, and the files in `.dist-info`.

Source: warehouse, `forklift/legacy.py` and `utils/wheel.py`; PEP 625; for platform tags PEP 513, 571, 599, 600, 656,
730, 738, 783.
"""

from __future__ import annotations

import configparser
import csv
import posixpath
import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from release.acceptance import rule
from release.acceptance.archive_limits import Unreadable
from release.acceptance.archive_reader import ZipContents
from release.acceptance.archive_rules import common_directory, unreadable
from release.acceptance.rule import FileUpload, Refusal, Rules, server_error
from release.core.models.index import IndexContents

# ruff: noqa: ARG001 - every rule takes the upload and the index, whichever it needs

_ENTRY_POINT = re.compile(r"[\w.-]+")
#: bytes of a file name on the server's disk, and of what it appends to a wheel's
_FILE_NAME, _SUFFIX = 255, len(".metadata")
_MISMATCH, _INVALID_WHEEL = "name.canonical-mismatch", "wheel.zip-invalid"

_PLATFORMS = frozenset(
    """
    any linux_armv6l linux_armv7l manylinux1_i686 manylinux1_x86_64 manylinux2010_i686 manylinux2010_x86_64
    manylinux2014_aarch64 manylinux2014_armv7l manylinux2014_i686 manylinux2014_ppc64 manylinux2014_ppc64le
    manylinux2014_s390x manylinux2014_x86_64 win32 win_amd64 win_arm64 win_ia64
    """.split()  # noqa: SIM905 - a list that people read
)
_MAC = frozenset(
    """
    arm64 fat fat3 fat64 i386 intel ppc ppc64 universal universal2 x86_64
    """.split()  # noqa: SIM905 - a list that people read
)
_LINUX = frozenset({"aarch64", "armv7l", "i686", "ppc64le", "riscv64", "s390x", "x86_64"})
#: pattern → the architectures that it may contain
_PATTERNS: tuple[tuple[re.Pattern[str], AbstractSet[str]], ...] = (
    (re.compile(r"macosx_10_\d+_(.*)"), _MAC),
    (re.compile(r"macosx_(?:11|12|13|14|15|26)_0_(.*)"), _MAC),
    (re.compile(r"manylinux_\d+_\d+_(.*)"), _LINUX | {"ppc64"}),
    (re.compile(r"musllinux_\d+_\d+_(.*)"), _LINUX),
    (re.compile(r"ios_\d+_\d+_(.*)_(?:iphoneos|iphonesimulator)"), frozenset({"arm64", "x86_64"})),
    (re.compile(r"android_\d+_(.*)"), frozenset({"arm64_v8a", "armeabi_v7a", "x86", "x86_64"})),
    (re.compile(r"pyemscripten_\d+_\d+_(.*)"), frozenset({"wasm32"})),
)

WHEEL = Rules()


class RecordError(Exception):
    """RECORD is not UTF-8, or not a CSV table."""


def parse_record(data: bytes) -> frozenset[str] | None:
    """The paths in a RECORD, with forward slashes; None where a line is blank, on which the server fails.

    Raises RecordError. Source: warehouse, `utils/wheel.py`.
    """
    try:
        rows = list(csv.reader(data.decode().splitlines()))
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordError(str(error)) from error
    return frozenset(row[0].replace("\\", "/") for row in rows) if all(rows) else None


def compare_record(listed: frozenset[str], names: Iterable[str], directory: str) -> tuple[list[str], list[str]]:
    """Members that RECORD does not list, and paths it lists that are not in the wheel.

    Signatures must not be listed, directories need not be.
    """
    signatures = {f"{directory}/RECORD.jws", f"{directory}/RECORD.p7s"}
    members = {name for name in names if not name.endswith(("/", "\\")) and name not in signatures}
    return sorted(members - listed), sorted(listed - members)


def _parse_file_name(upload: FileUpload) -> tuple[str, Version] | str:
    """Normalized name and version; the library's error message where the file name cannot be parsed."""
    filename = upload.filename
    try:
        name, found, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        if "invalid tag component" not in str(error):  # packaging 26.3 rejects odd tags, the index's version does not
            return str(error)
        parts = filename.split("-")
        return canonicalize_name(parts[0]), Version(parts[1])
    return name, found


@WHEEL.rule(check=rule.FILE_NAMES, remedy=rule.NORMALIZE, source=rule.WHEELS)
def the_wheel_name_parses(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name has the parts of a wheel's: name, version, optional build number, tags."""
    parsed = _parse_file_name(upload) if upload.is_wheel else None
    return parsed if isinstance(parsed, str) else None


@WHEEL.rule(
    check=rule.FILE_NAMES,
    remedy="build with cibuildwheel, or repair the wheel: auditwheel repair FILE, delocate-wheel FILE",
    cause="wheel.platform-tag",
    source=f"{rule.SPECIFICATIONS}/platform-compatibility-tags/",
)
def the_platforms_are_taken(upload: FileUpload, index: IndexContents) -> str | None:
    """Every platform tag is specific enough: `manylinux…`, not `linux_x86_64`."""
    if not upload.is_wheel or isinstance(_parse_file_name(upload), str):
        return None
    tags = upload.filename.removesuffix(".whl").rpartition("-")[2].lower().split(".")
    odd = next((tag for tag in tags if not _is_accepted(tag)), None)
    return f"Binary wheel '{upload.filename}' has an unsupported platform tag '{odd}'." if odd is not None else None


def _is_accepted(tag: str) -> bool:
    """Whether the index accepts wheels with this platform tag, given in lower case."""
    if tag in _PLATFORMS:
        return True
    return any((found := pattern.match(tag)) and found[1] in machines for pattern, machines in _PATTERNS)


@WHEEL.rule(check=rule.FILE_NAMES, remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.WHEELS)
def the_wheel_name_is_of_the_project(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name starts with the project's name."""
    parsed = _parse_file_name(upload) if upload.is_wheel else ""
    if isinstance(parsed, str) or parsed[0] == upload.project:
        return None
    return f"Start filename for {upload.value('name')!r} with {upload.file_name_stem!r}."


@WHEEL.rule(check=rule.FILE_NAMES, remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.WHEELS)
def the_wheel_name_is_normalised(upload: FileUpload, index: IndexContents) -> str | None:
    """The project's name is in lower case and with underscores in the file name."""
    name, expected = upload.filename.split("-", 1)[0], upload.file_name_stem
    if not upload.is_wheel or name == expected or canonicalize_name(name) != upload.project:
        return None
    return f"Filename {upload.filename!r} should contain the normalized project name {expected!r}, not {name!r}."


@WHEEL.rule(
    check=rule.FILE_NAMES, remedy="empty dist/ and rebuild: python -m build", cause="dist.stale", source=rule.WHEELS
)
def the_wheel_name_has_the_version(upload: FileUpload, index: IndexContents) -> str | None:
    """The version in the file name is that of the metadata."""
    parsed, expected = _parse_file_name(upload) if upload.is_wheel else "", upload.version
    if isinstance(parsed, str) or expected is None or parsed[1] == expected:
        return None
    return f"Version in filename should be {str(expected)!r} not {str(parsed[1])!r}."


@WHEEL.rule(
    check=rule.ARCHIVE_CHECK,
    remedy=rule.LICENSE_FILE,
    cause="meta.license-file-missing",
    source=f"{rule.CORE_METADATA}#license-file",
)
def the_wheel_has_its_licence_files(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """Each License-File of the metadata is in `.dist-info/licenses`, and can be read."""
    archive, directory = _archive(upload)
    if archive is None:
        return None
    for license_file, path in license_files(upload, f"{directory}/licenses"):
        data = archive.read(path)
        if data is None:
            return missing_license(upload, license_file, path)
        if isinstance(data, Unreadable):
            return unreadable(data, caught=False)
    return None


@WHEEL.rule(
    check=rule.ARCHIVE_CHECK,
    remedy="rewrite RECORD: python -m wheel unpack FILE, then python -m wheel pack DIRECTORY",
    cause=_INVALID_WHEEL,
    source=f"{rule.SPECIFICATIONS}/recording-installed-packages/#the-record-file",
)
def the_wheel_has_its_record(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """RECORD is present, and is a table in UTF-8."""
    archive, directory = _archive(upload)
    if archive is None:
        return None
    data = archive.read(f"{directory}/RECORD")
    if isinstance(data, Unreadable):
        return unreadable(data, caught=False)
    try:
        if data is not None and parse_record(data) is not None:
            return None
    except RecordError:
        data = None
    if data is not None:
        return server_error("the index's server fails on the blank line in RECORD")
    return _lacks(upload, "RECORD", directory)


def _lacks(upload: FileUpload, what: str, directory: str) -> str:
    return f"Wheel '{upload.filename}' does not contain the required {what} file: {directory}/{what}"


@WHEEL.rule(
    check=rule.ARCHIVE_CHECK,
    remedy="name scripts with letters, digits, '.', '_' and '-' in project.scripts and rebuild",
    cause=_INVALID_WHEEL,
    source=f"{rule.SPECIFICATIONS}/entry-points/",
)
def the_entry_points_are_valid(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """`entry_points.txt` is UTF-8 and well-formed, and its script names contain no blanks or slashes."""
    archive, directory = _archive(upload)
    data = archive.read(f"{directory}/entry_points.txt") if archive is not None else None
    if isinstance(data, Unreadable):
        return unreadable(data, caught=False)
    if data is None or _entry_points_are_valid(data):
        return None
    return f"Wheel '{upload.filename}' has invalid entry points defined in the entry_points.txt file"


def _entry_points_are_valid(data: bytes) -> bool:
    groups = parse_entry_points(data)
    if groups is None:
        return False
    return all(
        _ENTRY_POINT.fullmatch(name) for group in ("console_scripts", "gui_scripts") for name in groups.get(group, ())
    )


def parse_entry_points(data: bytes) -> dict[str, tuple[str, ...]] | None:
    """The names of an `entry_points.txt` by group; None where it is not valid."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # the documented way to keep upper case
    try:
        parser.read_string(data.decode())
    except (UnicodeDecodeError, configparser.Error):
        return None
    return {group: tuple(parser[group]) for group in parser.sections()}


@WHEEL.rule(check=rule.ARCHIVE_CHECK, remedy=rule.REBUILD, cause=_INVALID_WHEEL, source=rule.WHEELS)
def the_wheel_has_its_metadata(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """METADATA is present."""
    archive, directory = _archive(upload)
    if archive is None:
        return None
    data = archive.read(f"{directory}/METADATA")
    if isinstance(data, Unreadable):
        return unreadable(data, caught=False)
    return _lacks(upload, "METADATA", directory) if data is None else None


def _archive(upload: FileUpload) -> tuple[ZipContents | None, str]:
    """The open wheel and its `.dist-info` directory; None where earlier rules have reported the file."""
    archive, directory = upload.file.open_zip if upload.is_wheel else None, upload.file.dist_info
    return (archive, directory) if archive is not None and directory is not None else (None, "")


@WHEEL.rule(check=rule.FILE_NAMES, remedy="shorten the project's name or the wheel's tags")
def the_wheel_name_is_not_too_long(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name is short enough for the `.metadata` that the index appends."""
    too_long = upload.is_wheel and len(upload.filename.encode()) > _FILE_NAME - _SUFFIX
    return f"Filename is too long: '{upload.filename}'" if too_long else None


SDIST = Rules()


@SDIST.rule(check=rule.FILE_NAMES, remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.SDISTS)
def the_sdist_name_parses(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name is a name, a hyphen, and a version."""
    if not upload.is_sdist or _name_in_file_name(upload) is not None:
        return None
    return f"Invalid source distribution filename: {upload.filename}"


def _name_in_file_name(upload: FileUpload) -> str | None:
    try:
        name, _ = parse_sdist_filename(upload.filename)
    except InvalidSdistFilename:
        return None
    if upload.version is None or not upload.version.is_postrelease or name == upload.project:
        return name
    return _name_before_post_release(upload.filename) or name


def _name_before_post_release(filename: str) -> str | None:
    """The name before a version that contains a hyphen itself, as in `acme-1.0-1.tar.gz`."""
    name, _, last = filename.rpartition("-")
    name, hyphen, first_part = name.rpartition("-")
    try:
        Version(f"{first_part}-{last}".removesuffix(".tar.gz"))
    except InvalidVersion:
        return None
    return name if hyphen else None


@SDIST.rule(check=rule.FILE_NAMES, remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.SDISTS)
def the_sdist_name_is_of_the_project(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name starts with the project's name."""
    name = _name_in_file_name(upload) if upload.is_sdist else None
    if name is None or canonicalize_name(name) == upload.project:
        return None
    return f"Start filename for {upload.value('name')!r} with {upload.file_name_stem!r}."


@SDIST.rule(check=rule.FILE_NAMES, remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.SDISTS)
def the_sdist_name_is_normalised(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name is exactly that of PEP 625: `normalized_name-version.tar.gz`."""
    name = _name_in_file_name(upload) if upload.is_sdist else None
    if upload.version is None or name is None or canonicalize_name(name) != upload.project:
        return None
    expected = f"{upload.file_name_stem}-{upload.version}.tar.gz"
    return None if upload.filename == expected else f"Filename {upload.filename!r} is invalid, should be {expected!r}."


@SDIST.rule(
    check=rule.ARCHIVE_CHECK,
    remedy=rule.LICENSE_FILE,
    cause="meta.license-file-missing",
    source=f"{rule.CORE_METADATA}#license-file",
)
def the_sdist_has_its_licence_files(upload: FileUpload, index: IndexContents) -> str | None:
    """Each License-File of the metadata is in the sdist."""
    tar = upload.file.open_tar if upload.is_sdist else None
    if tar is None:
        return None
    directory, names = common_directory(tar.names) or "", frozenset(tar.names)
    missing = ((one, path) for one, path in license_files(upload, directory) if path not in names)
    return next((missing_license(upload, one, path) for one, path in missing), None)


def license_files(upload: FileUpload, directory: str) -> Iterator[tuple[str, str]]:
    """Each License-File of the metadata, and its path in the archive."""
    for license_file in filter(None, upload.cleaned.get("license_file", ())):
        yield license_file, posixpath.join(directory, license_file)


def missing_license(upload: FileUpload, license_file: str, path: str) -> str:
    """The server's message."""
    return f"License-File {license_file} does not exist in distribution file {upload.filename} at {path}"
