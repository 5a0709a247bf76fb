"""Rules on a wheel beyond its archive: file name, tags, and the files in `.dist-info`.

Source: warehouse, `forklift/legacy.py` and `utils/wheel.py`; for platform tags PEP 513, 571, 599, 600, 656, 730, 738,
783.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from msgspec.structs import replace
from packaging.utils import canonicalize_name
from packaging.version import Version

from release.acceptance import rule
from release.acceptance.archive_limits import Unreadable
from release.acceptance.archive_rules import license_refusal, unreadable
from release.acceptance.file_names import InvalidFileNameError, parse_wheel_name
from release.acceptance.platform_remedies import platform_remedy
from release.acceptance.rule import FileUpload, Refusal, Rules, server_error
from release.core.lazy_pattern import lazy_pattern
from release.core.models.index import IndexContents

# ruff: noqa: ARG001 - every rule takes the upload and the index, whichever it needs

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
#: pattern → the architectures that it may contain. A tag only has to begin with it, as on the server: what follows
#: `iphoneos` and `wasm32` is accepted, and where the architecture comes last it is all of the rest
_PATTERNS: tuple[tuple[re.Pattern[str], AbstractSet[str]], ...] = (
    (lazy_pattern(r"macosx_10_\d+_(.*)"), _MAC),
    (lazy_pattern(r"macosx_(?:11|12|13|14|15|26)_0_(.*)"), _MAC),
    (lazy_pattern(r"manylinux_\d+_\d+_(.*)"), _LINUX | {"ppc64"}),
    (lazy_pattern(r"musllinux_\d+_\d+_(.*)"), _LINUX),
    (lazy_pattern(r"ios_\d+_\d+_(.*)_(?:iphoneos|iphonesimulator)"), frozenset({"arm64", "x86_64"})),
    (lazy_pattern(r"android_\d+_(.*)"), frozenset({"arm64_v8a", "armeabi_v7a", "x86", "x86_64"})),
    (lazy_pattern(r"pyemscripten_\d+_\d+_(wasm32)"), frozenset({"wasm32"})),
)

WHEEL = Rules(rule.FILE_NAMES)


def parse_record(data: bytes) -> list[list[str]] | None:
    """The rows of a RECORD, of which blank ones are empty; None where it is not UTF-8, or not a CSV table."""
    try:
        return list(csv.reader(data.decode().splitlines()))
    except (UnicodeDecodeError, csv.Error):
        return None


def compare_record(rows: list[list[str]], names: Iterable[str], directory: str) -> tuple[list[str], list[str]]:
    """Members that RECORD does not list, and paths it lists that are not in the wheel. No row may be blank.

    Signatures must not be listed, directories need not be.
    """
    listed = {row[0].replace("\\", "/") for row in rows}
    signatures = {f"{directory}/RECORD.jws", f"{directory}/RECORD.p7s"}
    members = {name for name in names if not name.endswith(("/", "\\")) and name not in signatures}
    return sorted(members - listed), sorted(listed - members)


def _parse_file_name(upload: FileUpload) -> tuple[str, Version] | str:
    """Normalized name and version; the server's message where they cannot be parsed. Empty for an sdist."""
    if not upload.is_wheel:
        return ""
    try:
        return parse_wheel_name(upload.filename)
    except InvalidFileNameError as error:
        return str(error)


@WHEEL.rule(remedy=rule.NORMALIZE, source=rule.WHEELS)
def the_wheel_name_parses(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name has the parts of a wheel's: name, version, optional build number, tags."""
    parsed = _parse_file_name(upload)
    return (parsed or None) if isinstance(parsed, str) else None


@WHEEL.rule(
    remedy="upload only the sdist for this platform; the index has no tag for it",
    cause="wheel.platform-tag",
    source=f"{rule.SPECIFICATIONS}/platform-compatibility-tags/",
)
def the_platforms_are_taken(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """Every platform tag is specific enough: `manylinux…`, not `linux_x86_64`."""
    if isinstance(_parse_file_name(upload), str):
        return None
    for tag in upload.filename.removesuffix(".whl").rpartition("-")[2].lower().split("."):
        matches = ((pattern.match(tag), machines) for pattern, machines in _PATTERNS)
        if tag not in _PLATFORMS and not any(found and found[1] in machines for found, machines in matches):
            text = f"Binary wheel '{upload.filename}' has an unsupported platform tag '{tag}'."
            remedy = platform_remedy(tag, upload.filename)
            return Refusal(text=text, advice=replace(the_platforms_are_taken.advice, remedy=remedy)) if remedy else text
    return None


@WHEEL.rule(remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.WHEELS)
def the_wheel_name_is_of_the_project(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name starts with the project's name."""
    parsed = _parse_file_name(upload)
    if isinstance(parsed, str) or parsed[0] == upload.project:
        return None
    return f"Start filename for {upload.value('name')!r} with {upload.file_name_stem!r}."


@WHEEL.rule(remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.WHEELS)
def the_wheel_name_is_normalised(upload: FileUpload, index: IndexContents) -> str | None:
    """The project's name is in lower case and with underscores in the file name."""
    name, expected = upload.filename.split("-", 1)[0], upload.file_name_stem
    if not upload.is_wheel or name == expected or canonicalize_name(name) != upload.project:
        return None
    return f"Filename {upload.filename!r} should contain the normalized project name {expected!r}, not {name!r}."


@WHEEL.rule(remedy="empty dist/ and rebuild: python -m build", cause="dist.stale", source=rule.WHEELS)
def the_wheel_name_has_the_version(upload: FileUpload, index: IndexContents) -> str | None:
    """The version in the file name is that of the metadata."""
    parsed, expected = _parse_file_name(upload), upload.version
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
    archive = upload.file.open_zip if upload.is_wheel and upload.file.dist_info else None
    return license_refusal(upload, f"{upload.file.dist_info}/licenses", archive.read) if archive else None


@WHEEL.rule(
    check=rule.ARCHIVE_CHECK,
    remedy="rewrite RECORD: python -m wheel unpack FILE, then python -m wheel pack DIRECTORY",
    cause=_INVALID_WHEEL,
    source=f"{rule.SPECIFICATIONS}/recording-installed-packages/#the-record-file",
)
def the_wheel_has_its_record(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """RECORD is present, and is a table in UTF-8."""
    data = _read(upload, "RECORD")
    if not isinstance(data, bytes):
        return data
    rows = parse_record(data)
    if rows is None:
        return _lacks(upload, "RECORD")
    return None if all(rows) else server_error("the index's server fails on the blank line in RECORD")


@WHEEL.rule(
    check=rule.ARCHIVE_CHECK,
    remedy="name scripts with letters, digits, '.', '_' and '-' in project.scripts and rebuild",
    cause=_INVALID_WHEEL,
    source=f"{rule.SPECIFICATIONS}/entry-points/",
)
def the_entry_points_are_valid(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """`entry_points.txt` is UTF-8 and well-formed, and its script names contain no blanks or slashes."""
    data = _read(upload, "entry_points.txt", required=False)
    if not isinstance(data, bytes):
        return data
    groups = parse_entry_points(data)
    if groups is not None:
        scripts = (*groups.get("console_scripts", ()), *groups.get("gui_scripts", ()))
        if all(re.fullmatch(r"[\w.-]+", name) for name in scripts):
            return None
    return f"Wheel '{upload.filename}' has invalid entry points defined in the entry_points.txt file"


def parse_entry_points(data: bytes) -> dict[str, tuple[str, ...]] | None:
    """The names of an `entry_points.txt` by group; None where it is not valid."""
    import configparser  # many wheels have no entry points

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
    data = _read(upload, "METADATA")
    return None if isinstance(data, bytes) else data


def _read(upload: FileUpload, name: str, *, required: bool = True) -> bytes | Refusal | str | None:
    """A file in `.dist-info`, or the response where it is missing or cannot be read.

    None where it may be missing, or where earlier rules have reported the wheel.
    """
    archive = upload.file.open_zip
    if not upload.is_wheel or archive is None or upload.file.dist_info is None:
        return None
    data = archive.read(f"{upload.file.dist_info}/{name}")
    if isinstance(data, Unreadable):
        return unreadable(data, caught=False)
    return _lacks(upload, name) if data is None and required else data


def _lacks(upload: FileUpload, name: str) -> str:
    path = f"{upload.file.dist_info}/{name}"
    return f"Wheel '{upload.filename}' does not contain the required {name} file: {path}"


@WHEEL.rule(remedy="shorten the project's name or the wheel's tags")
def the_wheel_name_is_not_too_long(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name is short enough for the `.metadata` that the index appends."""
    too_long = upload.is_wheel and len(upload.filename.encode()) > _FILE_NAME - _SUFFIX
    return f"Filename is too long: '{upload.filename}'" if too_long else None
