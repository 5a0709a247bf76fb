"""What the index asks of an sdist beyond its archive: the name of PEP 625, and the licence files.

Source: warehouse, `forklift/legacy.py`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename
from packaging.version import InvalidVersion, Version

from release.acceptance.archive_rules import tar_of, top
from release.acceptance.form_fields import first, is_sdist, project, read, underscored, version
from release.acceptance.rule import Refusal, Rule, Upload
from release.acceptance.tar_reader import TarContents
from release.core.models.index_contents import OnIndex

# ruff: noqa: ARG001 - every rule takes the upload and the index, whatever it needs of them


def the_sdist_name_parses(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file name is a name, a hyphen, and a version."""
    if not is_sdist(upload) or _name_in_file_name(upload) is not None:
        return None
    text = f"Invalid source distribution filename: {upload.filename}"
    return Refusal(rule="the-sdist-name-parses", status=400, text=text)


def _name_in_file_name(upload: Upload) -> str | None:
    try:
        name, _ = parse_sdist_filename(upload.filename)
    except InvalidSdistFilename:
        return None
    wanted = version(upload)
    if wanted is None or not wanted.is_postrelease or name == project(upload):
        return name
    return _name_before_post_release(upload.filename) or name


def _name_before_post_release(filename: str) -> str | None:
    """The name in front of a version that has a hyphen of its own, as in `acme-1.0-1.tar.gz`."""
    name, _, last = filename.rpartition("-")
    name, hyphen, first_part = name.rpartition("-")
    try:
        Version(f"{first_part}-{last}".removesuffix(".tar.gz"))
    except InvalidVersion:
        return None
    return name if hyphen else None


def the_sdist_name_is_of_the_project(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file name begins with the project's name."""
    name = _name_in_file_name(upload) if is_sdist(upload) else None
    if name is None or canonicalize_name(name) == project(upload):
        return None
    text = f"Start filename for {first(upload, 'name')!r} with {underscored(upload)!r}."
    return Refusal(rule="the-sdist-name-is-of-the-project", status=400, text=text)


def the_sdist_name_is_normalised(upload: Upload, index: OnIndex) -> Refusal | None:
    """The file name is exactly the one of PEP 625: `normalised_name-version.tar.gz`."""
    wanted = version(upload)
    name = _name_in_file_name(upload) if is_sdist(upload) else None
    if wanted is None or name is None or canonicalize_name(name) != project(upload):
        return None
    expected = f"{underscored(upload)}-{wanted}.tar.gz"
    if upload.filename == expected:
        return None
    text = f"Filename {upload.filename!r} is invalid, should be {expected!r}."
    return Refusal(rule="the-sdist-name-is-normalised", status=400, text=text)


def the_sdist_has_its_licence_files(upload: Upload, index: OnIndex) -> Refusal | None:
    """Each License-File of the metadata is in the sdist."""
    tar = tar_of(upload) if is_sdist(upload) and upload.filename.endswith(".tar.gz") else None
    if not isinstance(tar, TarContents):
        return None
    directory, names = top(tar.names) or "", frozenset(tar.names)
    for licence, path in licences(upload, directory):
        if path not in names:
            return no_licence(upload, "the-sdist-has-its-licence-files", licence, path)
    return None


def licences(upload: Upload, directory: str) -> Iterator[tuple[str, str]]:
    """Each License-File of the metadata, and its path in the archive."""
    for licence in filter(None, read(upload).get("license_file", ())):
        yield licence, posixpath.join(directory, licence)


def no_licence(upload: Upload, rule: str, licence: str, path: str) -> Refusal:
    text = f"License-File {licence} does not exist in distribution file {upload.filename} at {path}"
    return Refusal(rule=rule, status=400, text=text)


SDIST: tuple[Rule, ...] = (
    the_sdist_name_parses,
    the_sdist_name_is_of_the_project,
    the_sdist_name_is_normalised,
    the_sdist_has_its_licence_files,
)
