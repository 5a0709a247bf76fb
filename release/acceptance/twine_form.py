"""The form that twine sends for a file, and what twine would not send.

Observed: twine 7.0.0, 2026-11 — `package.PackageFile`, `wheel.Wheel`, `sdist.SDist` and
`repository.Repository`; a test compares the two on a table of files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from release.acceptance.archive_limits import Broken
from release.acceptance.archive_rules import top
from release.acceptance.tar_reader import TarContents, read_tar
from release.acceptance.zip_reader import ZipContents, open_zip

#: fields of `packaging.metadata.RawMetadata` → names in twine's form
_FIELDS = {
    "metadata_version": "metadata_version",
    "name": "name",
    "version": "version",
    "platforms": "platform",
    "summary": "summary",
    "description": "description",
    "keywords": "keywords",
    "home_page": "home_page",
    "author": "author",
    "author_email": "author_email",
    "license": "license",
    "supported_platforms": "supported_platform",
    "download_url": "download_url",
    "classifiers": "classifiers",
    "requires": "requires",
    "provides": "provides",
    "obsoletes": "obsoletes",
    "maintainer": "maintainer",
    "maintainer_email": "maintainer_email",
    "requires_dist": "requires_dist",
    "provides_dist": "provides_dist",
    "obsoletes_dist": "obsoletes_dist",
    "requires_python": "requires_python",
    "requires_external": "requires_external",
    "project_urls": "project_urls",
    "description_content_type": "description_content_type",
    "provides_extra": "provides_extra",
    "dynamic": "dynamic",
    "license_expression": "license_expression",
    "license_files": "license_file",
}

#: name, version, build number, then the Python tag: the shortest match of each, as twine reads a file name
_WHEEL_NAME = re.compile(r"^.+?(?:-\d.+?)?(?:-\d.*?)?-(?P<python>.+?)-.+?-.+?(?:\.whl)$")
_MARK = b"Metadata-Version"
#: since this version of the metadata License-File means something
_LICENSE_FILES_SINCE = "2.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class TwineForm:
    """What twine makes of a file."""

    #: the form's fields, `content` and `:action` excepted; as far as they can be told. Twine's order varies
    fields: tuple[tuple[str, str], ...]
    #: why twine would not send the file, in its own words; empty where it would
    refusals: tuple[str, ...]
    #: the core metadata as it lies in the archive; empty where there is none
    metadata: bytes = b""


def twine_form(
    filename: str,
    content: BinaryIO,
    *,
    sha256: str,
    blake2_256: str,
    memo: dict[str, Any] | None = None,
) -> TwineForm:
    """The form for a file, its digests being known already.

    What was read of the archive is left in `memo`, under the keys that `Upload.memo` has.
    """
    data = _metadata(filename, content, {} if memo is None else memo)
    if isinstance(data, str):
        return TwineForm(fields=(), refusals=(data,))
    try:
        raw, refusals = _parse(data)
    except Exception as error:  # noqa: BLE001 - twine lets whatever the e-mail parser raises escape, and dies of it
        return TwineForm(fields=(), refusals=(f"{type(error).__name__}: {error}",), metadata=data)
    fields = [
        *_fields(raw),
        ("pyversion", _python(filename)),
        ("filetype", "bdist_wheel" if filename.endswith(".whl") else "sdist"),
        ("sha256_digest", sha256),
        ("blake2_256_digest", blake2_256),
    ]
    return TwineForm(fields=tuple(fields), refusals=refusals, metadata=data)


def _python(filename: str) -> str:
    if not filename.endswith(".whl"):
        return "source"
    found = _WHEEL_NAME.match(filename)
    return found["python"] if found else "any"


def _metadata(filename: str, content: BinaryIO, memo: dict[str, Any]) -> bytes | str:
    """The bytes of METADATA or PKG-INFO; or why there are none."""
    if filename.endswith((".whl", ".zip")):
        found = memo["zip"] if "zip" in memo else memo.setdefault("zip", open_zip(content))
        if isinstance(found, ZipContents):
            return _from_wheel(found) if filename.endswith(".whl") else _from_zip_sdist(found)
    elif filename.endswith(".tar.gz"):
        found = memo["tar"] if "tar" in memo else memo.setdefault("tar", read_tar(content))
        if isinstance(found, TarContents):
            return _from_tar(found)
    else:
        return f"Unknown distribution format: '{filename}'"
    why = found.why if isinstance(found, Broken) else "File is not a zip file"
    return f"Invalid distribution file: '{filename}' ({why})"


def _from_wheel(archive: ZipContents) -> bytes | str:
    """The shallowest member whose path speaks of METADATA and that has some."""
    paths = [name.split("/") for name in archive.names if "METADATA" in name]
    for _, path in sorted((len(path), path) for path in paths):
        data = archive.read("/".join(path))
        if isinstance(data, Broken):
            return f"{'/'.join(path)}: {data.why}"
        if data is not None and _MARK in data:
            return data
    return "No METADATA in archive or METADATA missing 'Metadata-Version'"


_NO_PKG_INFO = "No PKG-INFO in archive or PKG-INFO missing 'Metadata-Version'"
_MANY_TOPS = "Too many top-level members in sdist archive"


def _from_zip_sdist(archive: ZipContents) -> bytes | str:
    directory = top(archive.names)
    if directory in {None, "", ".", "/"}:
        return _MANY_TOPS
    data = archive.read(f"{str(directory).rstrip('/')}/PKG-INFO")
    if isinstance(data, Broken):
        return f"PKG-INFO: {data.why}"
    return data if data is not None and _MARK in data else _NO_PKG_INFO


def _from_tar(archive: TarContents) -> bytes | str:
    directory = top(archive.names)
    if directory in {None, "", ".", "/"}:
        return _MANY_TOPS
    data = archive.pkg_info.get(f"{str(directory).rstrip('/')}/PKG-INFO", b"")
    return data if _MARK in data else _NO_PKG_INFO


def _parse(data: bytes) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The fields of the metadata that twine would send, and its objections."""
    from packaging.metadata import Metadata, parse_email
    from packaging.version import Version

    raw, unparsed = parse_email(data)
    if Version(raw.get("metadata_version", "0")) < Version(_LICENSE_FILES_SINCE):
        raw.pop("license_files", None)
        unparsed.pop("license-file", None)
    if unparsed:
        odd = "; ".join(f"unrecognized or malformed field {name!r}" for name in unparsed)
        return raw, (f"Invalid distribution metadata: {odd}",)
    try:
        Metadata.from_raw(raw)
    except ExceptionGroup as group:
        odd = "; ".join(sorted(map(str, group.exceptions)))
        return raw, (f"Invalid distribution metadata: {odd}",)
    return raw, ()


def _fields(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The metadata as form fields."""
    sent: list[tuple[str, str]] = []
    for name, form_name in _FIELDS.items():
        value = raw.get(name)
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
