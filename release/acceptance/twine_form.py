"""The upload form that twine sends for a file, and what twine refuses to send.

Observed: twine 7.0.0, 2026-11 — `package.PackageFile`, `wheel.Wheel`, `sdist.SDist` and
`repository.Repository`; a test compares the two on a table of files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from release.acceptance.archive_limits import Unreadable
from release.acceptance.archive_rules import common_directory
from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.specification_rules import specification_errors
from release.acceptance.tar_reader import TarContents
from release.acceptance.zip_reader import ZipContents
from release.core.lazy_pattern import lazy_pattern

#: the version of twine whose code the form and its objections follow; of others, and where it objects, twine is asked
TWINE_VERSION = "7.0.0"
#: fields of `packaging.metadata.RawMetadata`, in the order of the form
_FIELDS = """
    metadata_version name version platforms summary description keywords home_page author author_email license
    supported_platforms download_url classifiers requires provides obsoletes maintainer maintainer_email requires_dist
    provides_dist obsoletes_dist requires_python requires_external project_urls description_content_type
    provides_extra dynamic license_expression license_files
""".split()  # noqa: SIM905 - a list that people read
#: those that have another name in twine's form
_FORM_NAMES = {"platforms": "platform", "supported_platforms": "supported_platform", "license_files": "license_file"}
#: name, version, build number, then the Python tag: the shortest match of each, as twine reads a file name
_WHEEL_NAME = lazy_pattern(r"^.+?(?:-\d.+?)?(?:-\d.*?)?-(?P<python>.+?)-.+?-.+?(?:\.whl)$")
_MARK = b"Metadata-Version"


class TwineObjection(Struct, frozen=True, kw_only=True):
    """Why twine would not send a file."""

    #: twine's message
    text: str
    #: whether a field of the metadata is unrecognized, malformed or repeated
    odd_field: bool = False
    #: whether twine's `packaging` does not know the version of the metadata
    unknown_version: bool = False
    #: whether the message is about metadata versions at all
    about_version: bool = False
    #: the metadata fields that twine's `packaging` refuses, and why
    fields: frozenset[str] = frozenset()
    errors: str = ""
    #: whether the server's `packaging`, of another version, accepts them
    server_accepts: bool = False


class TwineForm(Struct, frozen=True, kw_only=True):
    """What twine makes of a file."""

    #: the form's fields except `content` and `:action`, as far as they can be known. Twine's order varies
    fields: tuple[tuple[str, str], ...]
    #: None where twine would send the file
    objection: TwineObjection | None = None
    #: the core metadata as it is in the archive; empty where there is none
    metadata: bytes = b""
    #: the values of License-File in the metadata, sent or not
    license_files: tuple[str, ...] = ()


def twine_form(file: OpenDistribution, *, sha256: str, blake2_256: str, own: bool = False) -> TwineForm:
    """The form for a file whose digests are known.

    `own`: with the metadata in the `.dist-info` directory that the file name implies, where twine may read another's.
    """
    archive = file.open_zip if own else None
    found = archive.read(f"{file.dist_info}/METADATA") if archive is not None else None
    data = found if isinstance(found, bytes) else _metadata(file)
    if isinstance(data, str):
        return TwineForm(fields=(), objection=TwineObjection(text=data))
    try:
        raw, license_files, objection = _parse(data)
    except Exception as error:  # noqa: BLE001 - twine catches nothing that the e-mail parser raises, and crashes
        text = f"{type(error).__name__}: {error}"
        return TwineForm(fields=(), objection=TwineObjection(text=text), metadata=data)
    is_wheel = file.filename.endswith(".whl")
    parts = _WHEEL_NAME.match(file.filename) if is_wheel else None
    python_tag = parts["python"] if parts else "any"
    fields = [
        *_fields(raw),
        ("pyversion", python_tag if is_wheel else "source"),
        ("filetype", "bdist_wheel" if is_wheel else "sdist"),
        ("sha256_digest", sha256),
        ("blake2_256_digest", blake2_256),
    ]
    return TwineForm(fields=tuple(fields), objection=objection, metadata=data, license_files=license_files)


def _metadata(file: OpenDistribution) -> bytes | str:
    """The bytes of METADATA or PKG-INFO, or twine's message where there are none."""
    if not file.has_zip_name and not file.has_tar_name:
        return f"Unknown distribution format: '{file.filename}'"
    archive = file.zip if file.has_zip_name else file.tar
    if isinstance(archive, ZipContents) and file.filename.endswith(".whl"):
        return _from_wheel(archive)
    if isinstance(archive, (ZipContents, TarContents)):
        return _from_sdist(archive)
    reason = archive.reason if isinstance(archive, Unreadable) else "File is not a zip file"
    return f"Invalid distribution file: '{file.filename}' ({reason})"


def _from_wheel(archive: ZipContents) -> bytes | str:
    """The member nearest to the top whose path contains METADATA and that has the expected content."""
    paths = [name.split("/") for name in archive.names if "METADATA" in name]
    for _, path in sorted((len(path), path) for path in paths):
        data = archive.read("/".join(path))
        if isinstance(data, Unreadable):
            return f"{'/'.join(path)}: {data.reason}"
        if data is not None and _MARK in data:
            return data
    return "No METADATA in archive or METADATA missing 'Metadata-Version'"


def _from_sdist(archive: ZipContents | TarContents) -> bytes | str:
    directory = common_directory(archive.names)
    if directory in {None, "", ".", "/"}:
        return "Too many top-level members in sdist archive"
    path = f"{str(directory).rstrip('/')}/PKG-INFO"
    data = archive.read(path) if isinstance(archive, ZipContents) else archive.pkg_info.get(path)
    if isinstance(data, Unreadable):
        return f"PKG-INFO: {data.reason}"
    if data is None or _MARK not in data:
        return "No PKG-INFO in archive or PKG-INFO missing 'Metadata-Version'"
    return data


def _parse(data: bytes) -> tuple[Mapping[str, Any], tuple[str, ...], TwineObjection | None]:
    """The metadata fields that twine would send, the values of License-File, and twine's objection."""
    from packaging.metadata import InvalidMetadata, Metadata, parse_email
    from packaging.version import Version

    raw, unparsed = parse_email(data)
    license_files = tuple(raw.get("license_files", ()))
    if Version(raw.get("metadata_version", "0")) < Version("2.4"):  # the first in which License-File has a meaning
        raw.pop("license_files", None)
        unparsed.pop("license-file", None)
    if unparsed:
        odd = "; ".join(f"unrecognized or malformed field {name!r}" for name in unparsed)
        return raw, license_files, TwineObjection(text=f"Invalid distribution metadata: {odd}", odd_field=True)
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        errors = "; ".join(sorted(map(str, group.exceptions)))
        fields = {error.field for error in group.exceptions if isinstance(error, InvalidMetadata)}
        return (
            raw,
            license_files,
            TwineObjection(
                text=f"Invalid distribution metadata: {errors}",
                unknown_version="metadata-version" in fields and "metadata_version" in raw,
                about_version="metadata version" in errors,  # `packaging` gives no code for a field that is too new
                fields=frozenset(fields),
                errors=errors,
                server_accepts=not any(specification_errors(raw)),
            ),
        )
    return raw, license_files, None


def _fields(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The metadata as form fields."""
    sent: list[tuple[str, str]] = []
    for name in _FIELDS:
        value, form_name = raw.get(name), _FORM_NAMES.get(name, name)
        if value is None:
            continue
        if name == "name":
            sent.append((form_name, re.sub(r"[^A-Za-z0-9.]+", "-", value)))
        elif name == "project_urls":
            sent += [(form_name, f"{label}, {url}") for label, url in value.items()]
        elif name == "keywords":
            sent.append((form_name, ", ".join(value)))
        else:
            sent += [(form_name, one) for one in ([value] if isinstance(value, str) else value)]
    return sent
