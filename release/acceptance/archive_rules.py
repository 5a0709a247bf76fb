"""Rules on the archive itself, independent of its content.

Source: warehouse, `forklift/legacy.py`, its check of the distribution file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

from release.acceptance import rule
from release.acceptance.archive_limits import MIB, Unreadable
from release.acceptance.rule import FileUpload, Refusal, Rules, server_error
from release.acceptance.zip_framing import framing_fault
from release.acceptance.zip_methods import DEFLATED, STORED
from release.core.models.index import USER_DOCS, IndexContents

# ruff: noqa: ARG001 - every rule takes the upload and the index, whichever it needs

#: a zip that unpacks to more than this may not unpack to more than this many times its size
_RATIO_FROM, _RATIO = 64 * MIB, 50
_INVALID = "Invalid distribution file."
_REBUILD_SDIST = "build the sdist with a build backend: python -m build --sdist"

ARCHIVE = Rules(rule.ARCHIVE_CHECK)


def common_directory(names: Sequence[str]) -> str | None:
    """The directory that all members share, as the server finds it; None where that fails: for no members, too."""
    try:
        return posixpath.commonpath(names)
    except ValueError:
        return None


def unreadable(found: Unreadable, *, caught: bool = True) -> Refusal:
    """The server's response to an archive that it cannot read: almost nothing, or an internal error.

    `caught` is whether the server catches the library's own exceptions at this point.
    """
    reason = found.reason.rstrip(".")
    if found.kind == "caught" and caught:
        return Refusal(text=f"{_INVALID} None", message=f"cannot read the archive: {reason}")
    return server_error(f"the index's server fails on this file{': ' * bool(reason)}{reason}")


def license_refusal(
    upload: FileUpload, directory: str, read: Callable[[str], bytes | Unreadable | None]
) -> Refusal | str | None:
    """The response to the first License-File of the metadata that is not in the archive, or cannot be read."""
    for license_file in filter(None, upload.cleaned.get("license_file", ())):
        path = posixpath.join(directory, license_file)
        data = read(path)
        if isinstance(data, Unreadable):
            return unreadable(data, caught=False)
        if data is None:
            return f"License-File {license_file} does not exist in distribution file {upload.filename} at {path}"
    return None


@ARCHIVE.rule(remedy=rule.REBUILD, source=rule.ARCHIVES)
def the_file_is_one_archive(upload: FileUpload, index: IndexContents) -> str | None:
    """The file is not a zip and a tar at the same time."""
    both = upload.file.starts_as_zip and upload.file.starts_as_tar is True
    return f"{_INVALID} File is both a zip and a tar file" if both else None


@ARCHIVE.rule(remedy=rule.REBUILD, source=rule.ARCHIVES)
def the_file_is_what_its_name_says(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """A `.whl` or `.zip` is a zip, a `.tar.gz` is a tar."""
    if upload.file.has_zip_name:
        if upload.file.zip is None:
            return f"{_INVALID} File is not a zipfile"
        return unreadable(upload.file.zip) if isinstance(upload.file.zip, Unreadable) else None
    is_tar = upload.file.starts_as_tar
    if isinstance(is_tar, Unreadable):
        return unreadable(is_tar, caught=False)
    return f"{_INVALID} File is not a tarfile" if upload.file.has_tar_name and not is_tar else None


@ARCHIVE.rule(remedy="remove the members that unpack to so much", source=rule.ARCHIVES)
def the_file_is_no_bomb(upload: FileUpload, index: IndexContents) -> str | None:
    """A large zip does not unpack to more than fifty times its size."""
    archive = upload.file.open_zip
    unpacked = sum(member.unpacked for member in archive.members) if archive is not None else 0
    if unpacked <= max(_RATIO_FROM, _RATIO * upload.file.size):
        return None
    return f"{_INVALID} File exceeds compression ratio of {_RATIO}"


@ARCHIVE.rule(remedy="store or deflate every member", cause="wheel.zip-invalid", source=rule.ARCHIVES)
def the_compression_is_usual(upload: FileUpload, index: IndexContents) -> str | None:
    """Every member of a zip is stored or deflated."""
    members = upload.file.open_zip.members if upload.file.open_zip is not None else ()
    usual = all(member.method in {STORED, DEFLATED} for member in members)
    return None if usual else f"{_INVALID} File does not use a supported compression type"


@ARCHIVE.rule(remedy=rule.REBUILD)
def the_tar_can_be_read(upload: FileUpload, index: IndexContents) -> Refusal | None:
    """A tar can be read to its end in reasonable time."""
    is_tar = upload.file.has_tar_name and upload.file.starts_as_tar is True
    return unreadable(upload.file.tar) if is_tar and isinstance(upload.file.tar, Unreadable) else None


@ARCHIVE.rule(remedy="pack without --sparse", cause="sdist.structure", source=rule.ARCHIVES)
def the_tar_is_not_sparse(upload: FileUpload, index: IndexContents) -> str | None:
    """No member of a tar is sparse."""
    if upload.file.open_tar is None or not upload.file.open_tar.sparse:
        return None
    reason = "tar archive not accepted: Sparse members are not allowed."
    return f"{_INVALID} {reason} See {USER_DOCS}/archives for more information"


@ARCHIVE.rule(remedy=_REBUILD_SDIST, cause="sdist.structure")
def the_sdist_has_one_top_directory(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """All members of an sdist are in one directory."""
    names = _sdist_names(upload)
    if names is None:
        return None
    directory = common_directory(names)
    if directory is None:
        reason = "it mixes absolute and relative paths" if names else "it has no members"
        return server_error(f"the index's server fails on this file: {reason}")
    single = directory not in {"", ".", "/"}
    return None if single else f"{_INVALID} Incorrect number of top-level directories in sdist"


@ARCHIVE.rule(remedy=_REBUILD_SDIST, cause="sdist.structure", source=rule.SDISTS)
def the_sdist_has_its_metadata(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """PKG-INFO is in the top directory of an sdist."""
    names = _sdist_names(upload)
    directory = common_directory(names) if names else None
    if names is None or not directory:
        return None
    path, archive = posixpath.join(directory, "PKG-INFO"), upload.file.open_zip
    if path not in names:
        return f"{_INVALID} PKG-INFO not found at {path}"
    data = archive.read(path) if archive is not None else None
    return unreadable(data) if isinstance(data, Unreadable) else None


def _sdist_names(upload: FileUpload) -> Sequence[str] | None:
    archive = upload.file.open_zip if upload.filename.endswith(".zip") else upload.file.open_tar
    return archive.names if archive is not None else None


@ARCHIVE.rule(
    remedy="rebuild the wheel and do not rename it: python -m build --wheel",
    cause="wheel.zip-invalid",
    source=rule.WHEELS,
)
def the_wheel_has_its_wheel_file(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """WHEEL is in the `.dist-info` directory that the file name implies."""
    archive, directory = upload.file.open_zip, upload.file.dist_info
    if not upload.filename.endswith(".whl") or archive is None:
        return None
    if directory is None:
        return f"{_INVALID} Unable to parse name and version from wheel filename"
    data = archive.read(f"{directory}/WHEEL")
    if isinstance(data, Unreadable):
        return unreadable(data)
    return None if data is not None else f"{_INVALID} WHEEL not found at {directory}/WHEEL"


@ARCHIVE.rule(remedy="publish the code unencrypted; rebuild if a member is damaged")
def the_code_is_not_protected(upload: FileUpload, index: IndexContents) -> Refusal | str | None:
    """No `.py` or `.pye` member is encrypted by PyArmor or SourceDefender; all of them can be read."""
    found = upload.file.protector
    if isinstance(found, Unreadable):
        return unreadable(found)
    if found is None:
        return None
    policy = f"{upload.site}/policy/acceptable-use-policy/"
    return f"{_INVALID} {found}-encrypted content is not allowed. See {policy} for more information."


@ARCHIVE.rule(
    remedy="repack the file: python -m wheel unpack FILE, then python -m wheel pack DIRECTORY",
    cause="wheel.zip-invalid",
    source=rule.ARCHIVES,
)
def the_zip_reads_in_one_way(upload: FileUpload, index: IndexContents) -> str | None:
    """A zip shows the same files to a reader that streams it and to one that relies on its central directory."""
    archive = upload.file.open_zip
    if archive is None or upload.file.content is None:
        return None
    fault = framing_fault(upload.file.content, archive.members)
    if fault is None:
        return None
    return f"{_INVALID} ZIP archive not accepted: {fault}. See {USER_DOCS}/archives for more information"
