"""Rules on an sdist beyond its archive: file name and license files.

Source: warehouse, `forklift/legacy.py`; PEP 625.
"""

from __future__ import annotations

from packaging.utils import canonicalize_name

from release.acceptance import rule
from release.acceptance.archive_rules import common_directory, license_refusal
from release.acceptance.file_names import parse_sdist_name
from release.acceptance.rule import FileUpload, Refusal, Rules
from release.acceptance.version_specifiers import is_version
from release.core.models.index import IndexContents

# ruff: noqa: ARG001 - every rule takes the upload and the index, whichever it needs

_MISMATCH = "name.canonical-mismatch"

SDIST = Rules(rule.FILE_NAMES)


@SDIST.rule(remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.SDISTS)
def the_sdist_name_parses(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name is a name, a hyphen, and a version."""
    if not upload.is_sdist or _name_in_file_name(upload) is not None:
        return None
    return f"Invalid source distribution filename: {upload.filename}"


def _name_in_file_name(upload: FileUpload) -> str | None:
    name = parse_sdist_name(upload.filename)
    if name is None:
        return None
    if upload.version is None or not upload.version.is_postrelease or name == upload.project:
        return name
    # a version may contain a hyphen itself, as in `acme-1.0-1.tar.gz`
    before, _, last = upload.filename.rpartition("-")
    before, _, first = before.rpartition("-")
    return (before or name) if is_version(f"{first}-{last}".removesuffix(".tar.gz")) else name


@SDIST.rule(remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.SDISTS)
def the_sdist_name_is_of_the_project(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name starts with the project's name."""
    name = _name_in_file_name(upload) if upload.is_sdist else None
    if name is None or canonicalize_name(name) == upload.project:
        return None
    return f"Start filename for {upload.value('name')!r} with {upload.file_name_stem!r}."


@SDIST.rule(remedy=rule.NORMALIZE, cause=_MISMATCH, source=rule.SDISTS)
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
def the_sdist_has_its_licence_files(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """Each License-File of the metadata is in the sdist."""
    tar = upload.file.open_tar if upload.is_sdist else None
    if tar is None:
        return None
    return license_refusal(upload, common_directory(tar.names) or "", dict.fromkeys(tar.names, b"").get)
