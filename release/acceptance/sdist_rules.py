"""Rules on an sdist beyond its archive: the file name of PEP 625, and the license files.

Source: warehouse, `forklift/legacy.py`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from release.acceptance import rule
from release.acceptance.archive_rules import common_directory
from release.acceptance.rule import FileUpload, Rules
from release.core.models.index_contents import IndexContents

# ruff: noqa: ARG001 - every rule takes the upload and the index, whichever it needs

_MISMATCH = "name.canonical-mismatch"

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
