"""What the index asks of a wheel beyond its archive: name, tags, and the files of its `.dist-info`.

Source: warehouse, `forklift/legacy.py` and `utils/wheel.py`.
"""

from __future__ import annotations

import configparser
import re

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import Version

from release.acceptance.archive_limits import Broken
from release.acceptance.archive_rules import dist_info, refuse_broken, zip_of
from release.acceptance.form_fields import first, is_wheel, project, underscored, version
from release.acceptance.metadata_error import BROKEN
from release.acceptance.platform_tags import is_taken
from release.acceptance.rule import Refusal, Rule, Upload
from release.acceptance.sdist_rules import licences, no_licence
from release.acceptance.wheel_record import UndecodableError, recorded
from release.acceptance.zip_reader import ZipContents
from release.core.models.index_contents import OnIndex

# ruff: noqa: ARG001 - every rule takes the upload and the index, whatever it needs of them

_ENTRY_POINT = re.compile(r"[\w.-]+")
#: bytes of a file name on the server's disk, and what it appends to a wheel's
_FILE_NAME, _SUFFIX = 255, len(".metadata")


def _parse(upload: Upload) -> tuple[str, Version] | str:
    """Normalised name and version in the file name; the library's words where it can't be parsed."""
    filename = upload.filename
    try:
        name, found, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        if "invalid tag component" not in str(error):  # packaging 26.3 minds odd tags, the index's does not
            return str(error)
        parts = filename.split("-")
        return canonicalize_name(parts[0]), Version(parts[1])
    return name, found


def the_wheel_name_parses(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file name has the parts of a wheel's: name, version, perhaps a build number, tags."""
    parsed = _parse(upload) if is_wheel(upload) else ("", None)
    return Refusal(rule="the-wheel-name-parses", status=400, text=parsed) if isinstance(parsed, str) else None


def the_platforms_are_taken(upload: Upload, index: OnIndex) -> Refusal | None:
    """Every platform tag is one that says enough of a platform: `manylinux…`, not `linux_x86_64`."""
    if not is_wheel(upload) or isinstance(_parse(upload), str):
        return None
    tags = upload.filename.removesuffix(".whl").rpartition("-")[2].lower().split(".")
    for tag in tags:
        if not is_taken(tag):
            text = f"Binary wheel '{upload.filename}' has an unsupported platform tag '{tag}'."
            return Refusal(rule="the-platforms-are-taken", status=400, text=text)
    return None


def the_wheel_name_is_of_the_project(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file name begins with the project's name."""
    parsed = _parse(upload) if is_wheel(upload) else ""
    if isinstance(parsed, str) or parsed[0] == project(upload):
        return None
    text = f"Start filename for {first(upload, 'name')!r} with {underscored(upload)!r}."
    return Refusal(rule="the-wheel-name-is-of-the-project", status=400, text=text)


def the_wheel_name_is_normalised(upload: Upload, index: OnIndex) -> Refusal | None:
    """The project's name stands in the file name in lower case, with underscores."""
    got, expected = upload.filename.split("-", 1)[0], underscored(upload)
    if not is_wheel(upload) or got == expected or canonicalize_name(got) != project(upload):
        return None
    text = f"Filename {upload.filename!r} should contain the normalized project name {expected!r}, not {got!r}."
    return Refusal(rule="the-wheel-name-is-normalised", status=400, text=text)


def the_wheel_name_has_the_version(upload: Upload, index: OnIndex) -> Refusal | None:
    """The version in the file name is that of the metadata."""
    parsed, wanted = _parse(upload) if is_wheel(upload) else "", version(upload)
    if isinstance(parsed, str) or wanted is None or parsed[1] == wanted:
        return None
    text = f"Version in filename should be {str(wanted)!r} not {str(parsed[1])!r}."
    return Refusal(rule="the-wheel-name-has-the-version", status=400, text=text)


def the_wheel_has_its_licence_files(upload: Upload, index: OnIndex) -> Refusal | None:
    """Each License-File of the metadata is in `.dist-info/licenses`, and can be read."""
    rule, (archive, directory) = "the-wheel-has-its-licence-files", _archive(upload)
    if archive is None:
        return None
    for licence, path in licences(upload, f"{directory}/licenses"):
        got = archive.read(path)
        if got is None:
            return no_licence(upload, rule, licence, path)
        if isinstance(got, Broken):
            return refuse_broken(rule, got, caught=False)
    return None


def the_wheel_has_its_record(upload: Upload, index: OnIndex) -> Refusal | None:
    """RECORD is there, and is a table in UTF-8."""
    rule, (archive, directory) = "the-wheel-has-its-record", _archive(upload)
    if archive is None:
        return None
    got = archive.read(f"{directory}/RECORD")
    if isinstance(got, Broken):
        return refuse_broken(rule, got, caught=False)
    try:
        if got is not None and recorded(got) is not None:
            return None
    except UndecodableError:
        got = None
    if got is not None:  # a blank line: the server breaks over it
        return Refusal(rule=rule, status=500, text=BROKEN)
    return _lacks(upload, rule, "RECORD", directory)


def _lacks(upload: Upload, rule: str, what: str, directory: str) -> Refusal:
    text = f"Wheel '{upload.filename}' does not contain the required {what} file: {directory}/{what}"
    return Refusal(rule=rule, status=400, text=text)


def the_entry_points_are_valid(upload: Upload, index: OnIndex) -> Refusal | None:
    """`entry_points.txt` is UTF-8 and well-formed, and its scripts have names without blanks or slashes."""
    rule, (archive, directory) = "the-entry-points-are-valid", _archive(upload)
    if archive is None:
        return None
    got = archive.read(f"{directory}/entry_points.txt")
    if isinstance(got, Broken):
        return refuse_broken(rule, got, caught=False)
    if got is None or _entry_points_are_valid(got):
        return None
    text = f"Wheel '{upload.filename}' has invalid entry points defined in the entry_points.txt file"
    return Refusal(rule=rule, status=400, text=text)


def _entry_points_are_valid(data: bytes) -> bool:
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # the documented way to keep upper case
    try:
        parser.read_string(data.decode())
    except (UnicodeDecodeError, configparser.Error):
        return False
    scripts = [name for section in ("console_scripts", "gui_scripts") if section in parser for name in parser[section]]
    return all(_ENTRY_POINT.fullmatch(name) for name in scripts)


def the_wheel_has_its_metadata(upload: Upload, index: OnIndex) -> Refusal | None:
    """METADATA is there."""
    rule, (archive, directory) = "the-wheel-has-its-metadata", _archive(upload)
    if archive is None:
        return None
    got = archive.read(f"{directory}/METADATA")
    if isinstance(got, Broken):
        return refuse_broken(rule, got, caught=False)
    return _lacks(upload, rule, "METADATA", directory) if got is None else None


def _archive(upload: Upload) -> tuple[ZipContents | None, str]:
    """The open wheel and its `.dist-info` directory; None where there is nothing more to say about it."""
    archive, directory = zip_of(upload) if is_wheel(upload) else None, dist_info(upload.filename)
    if not isinstance(archive, ZipContents) or directory is None:
        return None, ""
    return archive, directory


def the_wheel_name_is_not_too_long(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file name leaves room for the `.metadata` that the index appends."""
    if not is_wheel(upload) or len(upload.filename.encode()) <= _FILE_NAME - _SUFFIX:
        return None
    text = f"Filename is too long: '{upload.filename}'"
    return Refusal(rule="the-wheel-name-is-not-too-long", status=400, text=text)


WHEEL: tuple[Rule, ...] = (
    the_wheel_name_parses,
    the_platforms_are_taken,
    the_wheel_name_is_of_the_project,
    the_wheel_name_is_normalised,
    the_wheel_name_has_the_version,
    the_wheel_has_its_licence_files,
    the_wheel_has_its_record,
    the_entry_points_are_valid,
    the_wheel_has_its_metadata,
    the_wheel_name_is_not_too_long,
)
