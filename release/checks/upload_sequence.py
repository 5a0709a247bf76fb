"""The files of one upload, one after the other: what the index refuses because of a file that it has just accepted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from packaging.utils import NormalizedName, canonicalize_version

from release.acceptance.file_rules import the_file_is_new, the_release_has_no_sdist_yet
from release.acceptance.rule import FileUpload
from release.core.models.check_result import Finding
from release.core.models.index import IndexContents, StoredFile
from release.core.shell import quote_word

ONE_SDIST = "there-is-one-sdist-at-most"
OTHER_CONTENT = "no-two-files-have-the-same-name"
SAME_CONTENT = "no-two-files-have-the-same-bytes"
#: the places of the tags in a file name, from the end, and the options of `wheel tags` that add to them
_TAGS = ((-3, "--python-tag"), (-2, "--abi-tag"), (-1, "--platform-tag"))


class AcceptedFiles:
    """The files of one upload that the index has accepted so far, found by what a later one can clash with."""

    def __init__(self) -> None:
        self._files: list[StoredFile] = []
        #: file name or SHA-256 → places in the order of the upload
        self._places: dict[str, list[int]] = {}
        #: project and canonical version → the sdists of the release
        self._sdists: dict[tuple[NormalizedName, str], list[StoredFile]] = {}

    def add(self, upload: FileUpload, sha256: str) -> None:
        """Add a file as the index has it once it is accepted."""
        stored = StoredFile(
            filename=upload.filename, sha256=sha256, blake2_256=None, size=upload.file.size,
            version=upload.value("version"), filetype="sdist" if upload.is_sdist else "bdist_wheel",
        )  # fmt: skip
        for key in (stored.filename, sha256):
            self._places.setdefault(key, []).append(len(self._files))
        self._files.append(stored)
        if upload.is_sdist:
            self._sdists.setdefault(_release(upload), []).append(stored)

    def alike(self, filename: str, sha256: str) -> tuple[StoredFile, ...]:
        """Those with this name or these bytes, in the order of the upload."""
        places = {*self._places.get(filename, ()), *self._places.get(sha256, ())}
        return tuple(self._files[place] for place in sorted(places))

    def sdists(self, upload: FileUpload) -> tuple[StoredFile, ...]:
        """The sdists of the same release."""
        return tuple(self._sdists.get(_release(upload), ()))


def _release(upload: FileUpload) -> tuple[NormalizedName, str]:
    return upload.project, canonicalize_version(upload.value("version"))


def refusals_after(
    upload: FileUpload, sha256: str, accepted: AcceptedFiles, now: datetime
) -> Iterator[tuple[str, Finding]]:
    """The names of checks, and what they find of a file that is uploaded after others."""
    name = upload.filename
    alike = accepted.alike(name, sha256)
    refusal = the_file_is_new(upload, IndexContents(now=now, files=alike)) if alike else None
    if refusal is not None:
        first = alike[0].filename
        if first == name:
            message, remedy = f"another file is named {name!r}, and has other bytes", "upload only the one built last"
        else:
            message, remedy = f"the file has the same bytes as {first!r}", _one_for_both(first, name)
        yield (
            OTHER_CONTENT if first == name else SAME_CONTENT,
            Finding(
                message=f"{message}; the index accepts only the first of them",
                remedy=remedy,
                where=name,
                server_text=refusal.text,
                cause="file.exists-different",
            ),
        )
        return
    sdists = accepted.sdists(upload)
    refusal = the_release_has_no_sdist_yet(upload, IndexContents(now=now, files=sdists)) if sdists else None
    if refusal is not None:
        yield (
            ONE_SDIST,
            Finding(
                message=f"the release has another sdist, {sdists[0].filename!r}; the index accepts only the first",
                remedy="keep only the .tar.gz that was built last",
                where=name,
                server_text=refusal.text,
                cause="sdist.duplicate",
            ),
        )


def _one_for_both(first: str, second: str) -> str:
    """How to upload only one of two names, with the tags of both."""
    ours, theirs = (one.removesuffix(".whl").split("-") for one in (first, second))
    options = []
    for place, option in _TAGS if first.endswith(".whl") and second.endswith(".whl") else ():
        more = [tag for tag in theirs[place].split(".") if tag not in ours[place].split(".")]
        options += [f"{option} +{'.'.join(more)}"] if more else []
    if not options:
        return f"upload only {first}"
    return (
        f"upload one wheel with the tags of both: python -m wheel tags --remove {' '.join(options)} {quote_word(first)}"
    )
