"""Rules on the file: its name, size and digests, and what the index has already.

Source: warehouse, `forklift/legacy.py`.
"""

from __future__ import annotations

import re

from packaging.utils import canonicalize_version

from release.acceptance import rule
from release.acceptance.archive_rules import ARCHIVE
from release.acceptance.rule import FileUpload, Refusal, Rules, server_error
from release.acceptance.sdist_rules import SDIST
from release.acceptance.wheel_rules import WHEEL
from release.core.lazy_pattern import lazy_pattern
from release.core.models.index import UPLOAD_WINDOW, UPLOAD_WINDOW_CLOSED, USER_DOCS, IndexContents, StoredFile

# ruff: noqa: ARG001 - every rule takes the upload and the index, whichever it needs

_EXTENSION = lazy_pattern(r".+?(\.(?:tar\.gz|zip|whl))$", re.IGNORECASE)
_EXTENSIONS = {"sdist": {".zip", ".tar.gz"}, "bdist_wheel": {".whl"}}
#: bytes of a file name on the server's disk
_FILE_NAME = 255
_LIMITS = f"{USER_DOCS}/project-management/storage-limits#requesting-a"
_BUMP = "bump the version: an index never accepts different content under a file name that was used before"

#: what can be checked without opening the file. An identical file (see `is_identical`) passes the rules about
#: what the index has; the caller responds with 200.
OUTSIDE = Rules(rule.FILE_NAMES)


@OUTSIDE.rule(remedy=rule.REBUILD)
def the_file_name_is_printable(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name contains no control character."""
    if all(character >= " " and character != "\x7f" for character in upload.filename):
        return None
    return (
        "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character (ordinal 127) "
        "in the name."
    )


@OUTSIDE.rule(remedy=rule.REBUILD)
def the_file_name_has_no_slash(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name contains no slash and no backslash."""
    has_slash = "/" in upload.filename or "\\" in upload.filename
    return "Cannot upload a file with '/' or '\\' in the name." if has_slash else None


@OUTSIDE.rule(remedy="publish .tar.gz and .whl files only: python -m build", cause="file.type")
def the_extension_fits_the_file_type(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name ends with `.whl` for a wheel, `.tar.gz` (or `.zip`) for an sdist, in lower case."""
    filetype, found = upload.value("filetype"), _EXTENSION.match(upload.filename)
    if found is None:
        return (
            "Invalid file extension: Use .tar.gz, .whl or .zip extension. See https://www.python.org/dev/peps/pep-0527"
            " and https://peps.python.org/pep-0715/ for more information"
        )
    if found[1] in _EXTENSIONS.get(filetype, set()):
        return None
    return (
        f"Invalid file extension: Extension {found[1]} is invalid for filetype {filetype}. "
        "See https://www.python.org/dev/peps/pep-0527 for more information."
    )


@OUTSIDE.rule(remedy="send it as application/octet-stream")
def the_part_is_a_file(upload: FileUpload, index: IndexContents) -> str | None:
    """The content part has a content type other than an image's."""
    is_file = upload.content_type and not upload.content_type.startswith("image/")
    return None if is_file else "Invalid distribution file."


@OUTSIDE.rule(remedy="shorten the project's name or the wheel's tags")
def the_file_name_fits_a_disk(upload: FileUpload, index: IndexContents) -> Refusal | None:
    """The file name is no longer than a file system allows; the server fails on a longer one."""
    if len(upload.filename.encode(errors="replace")) <= _FILE_NAME:
        return None
    return server_error("the file name is longer than 255 bytes, and the index's server fails on it")


@OUTSIDE.rule(
    check=rule.SIZES, remedy="remove what users do not need, or ask the index for a higher limit", cause="size.file"
)
def the_file_is_small_enough(upload: FileUpload, index: IndexContents) -> str | None:
    """The file does not exceed the project's limit, which is 100 MiB by default."""
    if upload.file.size <= index.file_limit:
        return None
    return (
        f"File too large. Limit for project {upload.value('name')!r} is {index.file_limit // 1024**2} MB. "
        f"See {_LIMITS}-file-size-limit-increase for more information."
    )


@OUTSIDE.rule(check=rule.SIZES, remedy="delete old releases, or ask the index for a higher limit", cause="size.project")
def the_project_is_small_enough(upload: FileUpload, index: IndexContents) -> str | None:
    """All files of the project together do not exceed its limit, which is 10 GiB by default."""
    there = sum(stored.size for stored in index.files) if index.size is None else index.size
    if upload.file.size + there <= index.project_limit:
        return None
    return (
        f"Project size too large. Limit for project {upload.value('name')!r} total size is "
        f"{index.project_limit // 1024**3} GB. See {_LIMITS}-project-size-limit-increase"
    )


@OUTSIDE.rule(check=rule.ARCHIVE_CHECK, remedy=rule.REBUILD)
def the_digests_are_right(upload: FileUpload, index: IndexContents) -> str | None:
    """Every digest in the form matches the content."""
    given = {name: upload.value(f"{name}_digest").lower() for name in ("md5", "sha256", "blake2_256")}
    if upload.file.content is None or not any(given.values()):
        return None
    found = upload.file.digests(*(name for name, value in given.items() if value))
    if all(value in {"", found.get(name)} for name, value in given.items()):
        return None
    return "The digest supplied does not match a digest calculated from the uploaded file."


def is_identical(upload: FileUpload, index: IndexContents) -> bool:
    """Whether the index has this very file under this name: it then responds with 200 and stores nothing.

    The project does not count: the index has each file name once.
    """
    stored = next((one for one in (*index.files, *index.elsewhere) if one.filename == upload.filename), None)
    return stored is not None and _same(upload, stored)


def _same(upload: FileUpload, stored: StoredFile) -> bool:
    if stored.sha256 != upload.file.digests("sha256").get("sha256"):
        return False
    return stored.blake2_256 is None or stored.blake2_256 == upload.file.digests("blake2_256").get("blake2_256")


@OUTSIDE.rule(check=rule.NEW_FILES, remedy=_BUMP, cause="file.exists-different")
def the_file_is_new(upload: FileUpload, index: IndexContents) -> str | None:
    """The index has neither the file name nor the same content already."""
    named = any(one.filename == upload.filename for one in (*index.files, *index.elsewhere))
    if not named and not index.files and not index.names_by_blake2:
        return None
    blake2 = upload.file.digests("blake2_256").get("blake2_256", "")
    same_content = blake2 in index.names_by_blake2 or any(_same(upload, one) for one in index.files)
    if is_identical(upload, index) or not (named or same_content):
        return None
    return (
        f"File already exists ({upload.filename!r}, with blake2_256 hash {blake2!r}). "
        f"See {upload.help('file-name-reuse')} for more information."
    )


@OUTSIDE.rule(check=rule.NEW_FILES, remedy=_BUMP, cause="file.name-reuse-deleted")
def the_file_name_was_never_used(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name did not belong to a file that has been deleted."""
    if upload.filename not in index.used_filenames or is_identical(upload, index):
        return None
    return (
        "This filename was previously used by a file that has since been deleted. Use a different version. "
        f"See {upload.help('file-name-reuse')} for more information."
    )


@OUTSIDE.rule(check=rule.NEW_FILES, remedy="bump the version")
def the_release_is_open(upload: FileUpload, index: IndexContents) -> str | None:
    """The release is not older than 14 days."""
    created = index.releases.get(canonicalize_version(upload.value("version")))
    closed = created is not None and index.now - created > UPLOAD_WINDOW
    return UPLOAD_WINDOW_CLOSED if closed and not is_identical(upload, index) else None


@OUTSIDE.rule(check=rule.NEW_FILES, remedy="upload only the wheels, or bump the version", cause="sdist.duplicate")
def the_release_has_no_sdist_yet(upload: FileUpload, index: IndexContents) -> str | None:
    """A release has only one sdist."""
    release = canonicalize_version(upload.value("version"))
    has_one = any(one.filetype == "sdist" and canonicalize_version(one.version) == release for one in index.files)
    if not upload.is_sdist or not has_one or is_identical(upload, index):
        return None
    return "Only one sdist may be uploaded per release."


FILE = (*OUTSIDE, *ARCHIVE, *SDIST, *WHEEL)
