"""What the index asks of the file: its name, size, digests, and what the index has already.

Source: warehouse, `forklift/legacy.py`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, BinaryIO

from packaging.utils import canonicalize_version

from release.acceptance.archive_rules import ARCHIVE
from release.acceptance.form_fields import first, is_sdist
from release.acceptance.metadata_error import BROKEN
from release.acceptance.rule import Refusal, Rule, Upload
from release.acceptance.sdist_rules import SDIST
from release.acceptance.wheel_rules import WHEEL
from release.core.models.index import USER_DOCS
from release.core.models.index_contents import UPLOAD_WINDOW, UPLOAD_WINDOW_CLOSED, OnIndex, StoredFile

# ruff: noqa: ARG001 - every rule takes the upload and the index, whatever it needs of them

_EXTENSION = re.compile(r".+?(\.(?:tar\.gz|zip|whl))$", re.IGNORECASE)
_EXTENSIONS = {"sdist": {".zip", ".tar.gz"}, "bdist_wheel": {".whl"}}
_CHUNK = 1024 * 1024
#: bytes of a file name on the server's disk
_FILE_NAME = 255


def the_file_name_is_printable(upload: Upload, index: OnIndex) -> Refusal | None:
    """No control character is in the file name."""
    if all(character >= " " and character != "\x7f" for character in upload.filename):
        return None
    text = (
        "Cannot upload a file with non-printable characters (ordinals 0-31) or the DEL character (ordinal 127) "
        "in the name."
    )
    return Refusal(rule="the-file-name-is-printable", status=400, text=text)


def the_file_name_has_no_slash(upload: Upload, index: OnIndex) -> Refusal | None:
    """No slash and no backslash is in the file name."""
    if "/" not in upload.filename and "\\" not in upload.filename:
        return None
    text = "Cannot upload a file with '/' or '\\' in the name."
    return Refusal(rule="the-file-name-has-no-slash", status=400, text=text)


def the_extension_fits_the_file_type(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file name ends in `.whl` for a wheel, in `.tar.gz` (or `.zip`) for an sdist, in lower case."""
    rule, filetype = "the-extension-fits-the-file-type", first(upload, "filetype")
    found = _EXTENSION.match(upload.filename)
    if found is None:
        text = (
            "Invalid file extension: Use .tar.gz, .whl or .zip extension. See https://www.python.org/dev/peps/pep-0527"
            " and https://peps.python.org/pep-0715/ for more information"
        )
        return Refusal(rule=rule, status=400, text=text)
    if found[1] in _EXTENSIONS.get(filetype, set()):
        return None
    text = (
        f"Invalid file extension: Extension {found[1]} is invalid for filetype {filetype}. "
        "See https://www.python.org/dev/peps/pep-0527 for more information."
    )
    return Refusal(rule=rule, status=400, text=text)


def the_part_is_a_file(upload: Upload, index: OnIndex) -> Refusal | None:
    """The content part has a content type, and it is no image."""
    if upload.content_type and not upload.content_type.startswith("image/"):
        return None
    return Refusal(rule="the-part-is-a-file", status=400, text="Invalid distribution file.")


def the_file_name_fits_a_disk(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file name is not longer than a file system takes; the server breaks over a longer one."""
    if len(upload.filename.encode(errors="replace")) <= _FILE_NAME:
        return None
    return Refusal(rule="the-file-name-fits-a-disk", status=500, text=BROKEN)


def the_file_is_small_enough(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file does not exceed the project's limit, 100 MiB where none was granted."""
    if _size(upload) <= index.file_limit:
        return None
    text = (
        f"File too large. Limit for project {first(upload, 'name')!r} is {index.file_limit // 1024**2} MB. "
        f"See {USER_DOCS}/project-management/storage-limits#requesting-a-file-size-limit-increase for more information."
    )
    return Refusal(rule="the-file-is-small-enough", status=400, text=text)


def the_project_is_small_enough(upload: Upload, index: OnIndex) -> Refusal | None:
    """All files of the project together do not exceed its limit, 10 GiB where none was granted."""
    if _size(upload) + sum(stored.size for stored in index.files) <= index.project_limit:
        return None
    text = (
        f"Project size too large. Limit for project {first(upload, 'name')!r} total size is "
        f"{index.project_limit // 1024**3} GB. "
        f"See {USER_DOCS}/project-management/storage-limits#requesting-a-project-size-limit-increase"
    )
    return Refusal(rule="the-project-is-small-enough", status=400, text=text)


def _size(upload: Upload) -> int:
    return upload.content.seek(0, 2) if upload.content is not None else 0


#: name in the form → the digest
_HASHES: Mapping[str, Callable[[], Any]] = {
    "md5": partial(hashlib.md5, usedforsecurity=False),
    "sha256": hashlib.sha256,
    "blake2_256": partial(hashlib.blake2b, digest_size=32),
}


def digests(upload: Upload, *names: str) -> Mapping[str, str]:
    """Digests of the content, name in the form → lower-case hex: those in `names`, and others known already.

    The content is read only for those that are not known. Empty where there is no content.
    """
    known: dict[str, str] = upload.memo.setdefault("digests", {})
    missing = [name for name in names if name not in known]
    if missing and upload.content is not None:
        known |= hashed(upload.content, missing)
    return known


def hashed(content: BinaryIO, names: Iterable[str]) -> dict[str, str]:
    """Digests of a whole stream, in one reading; name in the form → lower-case hex."""
    hashes = {name: _HASHES[name]() for name in names}
    content.seek(0)
    while chunk := content.read(_CHUNK):
        for one in hashes.values():
            one.update(chunk)
    return {name: one.hexdigest() for name, one in hashes.items()}


def the_digests_are_right(upload: Upload, index: OnIndex) -> Refusal | None:
    """Every digest in the form is that of the content."""
    given = {name: first(upload, f"{name}_digest").lower() for name in ("md5", "sha256", "blake2_256")}
    if upload.content is None or not any(given.values()):
        return None
    found = digests(upload, *(name for name, value in given.items() if value))
    if all(value in {"", found.get(name)} for name, value in given.items()):
        return None
    text = "The digest supplied does not match a digest calculated from the uploaded file."
    return Refusal(rule="the-digests-are-right", status=400, text=text)


def is_identical(upload: Upload, index: OnIndex) -> bool:
    """Whether the index has this very file under this name: it then answers 200 and records nothing."""
    stored = next((one for one in index.files if one.filename == upload.filename), None)
    return stored is not None and _same(upload, stored)


def _same(upload: Upload, stored: StoredFile) -> bool:
    if stored.sha256 != digests(upload, "sha256").get("sha256"):
        return False
    return stored.blake2_256 is None or stored.blake2_256 == digests(upload, "blake2_256").get("blake2_256")


def the_file_is_new(upload: Upload, index: OnIndex) -> Refusal | None:
    """Neither the file name nor the same content is on the index already."""
    named = any(one.filename == upload.filename for one in index.files)
    if not named and not index.files and not index.contents:
        return None
    blake2 = digests(upload, "blake2_256").get("blake2_256", "")
    twin = blake2 in index.contents or any(_same(upload, one) for one in index.files)
    if is_identical(upload, index) or not (named or twin):
        return None
    text = (
        f"File already exists ({upload.filename!r}, with blake2_256 hash {blake2!r}). "
        f"See {upload.help('file-name-reuse')} for more information."
    )
    return Refusal(rule="the-file-is-new", status=400, text=text)


def the_file_name_was_never_used(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file name did not belong to a file that was deleted since."""
    if upload.filename not in index.burnt or is_identical(upload, index):
        return None
    text = (
        "This filename was previously used by a file that has since been deleted. Use a different version. "
        f"See {upload.help('file-name-reuse')} for more information."
    )
    return Refusal(rule="the-file-name-was-never-used", status=400, text=text)


def the_release_is_open(upload: Upload, index: OnIndex) -> Refusal | None:
    """The release is not older than fourteen days."""
    created = index.releases.get(canonicalize_version(first(upload, "version")))
    if created is None or index.now - created <= UPLOAD_WINDOW or is_identical(upload, index):
        return None
    return Refusal(rule="the-release-is-open", status=400, text=UPLOAD_WINDOW_CLOSED)


def the_release_has_no_sdist_yet(upload: Upload, index: OnIndex) -> Refusal | None:
    """A release has one sdist."""
    release = canonicalize_version(first(upload, "version"))
    there = any(one.filetype == "sdist" and canonicalize_version(one.version) == release for one in index.files)
    if not is_sdist(upload) or not there or is_identical(upload, index):
        return None
    text = "Only one sdist may be uploaded per release."
    return Refusal(rule="the-release-has-no-sdist-yet", status=400, text=text)


#: what can be said without opening the file. An identical file (see `is_identical`) passes the rules about
#: what the index has; the caller answers 200.
OUTSIDE: tuple[Rule, ...] = (
    the_file_name_is_printable,
    the_file_name_has_no_slash,
    the_extension_fits_the_file_type,
    the_part_is_a_file,
    the_file_name_fits_a_disk,
    the_file_is_small_enough,
    the_project_is_small_enough,
    the_digests_are_right,
    the_file_is_new,
    the_file_name_was_never_used,
    the_release_is_open,
    the_release_has_no_sdist_yet,
)

FILE: tuple[Rule, ...] = (*OUTSIDE, *ARCHIVE, *SDIST, *WHEEL)
