"""The form as the index reads it, and the few facts that many rules take from it."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from release.acceptance.rule import Upload

Fields = Mapping[str, tuple[str, ...]]

#: what distutils sent where nothing was known; the index drops such a field
_NOTHING_KNOWN = "UNKNOWN"


def read(upload: Upload) -> Fields:
    r"""The fields after the index's own cleaning.

    A field whose last value is `UNKNOWN` is gone, NUL is spelled `\x00`.
    Source: warehouse, `forklift/decorators.py`.
    """
    if "fields" not in upload.memo:
        upload.memo["fields"] = {
            name: tuple(value.replace("\0", "\\x00") for value in values)
            for name, values in upload.fields.items()
            if values and values[-1].strip() != _NOTHING_KNOWN
        }
    fields: Fields = upload.memo["fields"]
    return fields


def first(upload: Upload, name: str) -> str:
    """The first value of a cleaned field; empty where it is absent."""
    return read(upload).get(name, ("",))[0]


def project(upload: Upload) -> NormalizedName:
    """The normalised name of the project that the file is for."""
    return canonicalize_name(first(upload, "name"))


def underscored(upload: Upload) -> str:
    """The project's name as file names begin: normalised, with underscores."""
    return project(upload).replace("-", "_")


def version(upload: Upload) -> Version | None:
    """The version in the form; None where it is no version."""
    try:
        return Version(first(upload, "version"))
    except InvalidVersion:
        return None


def is_sdist(upload: Upload) -> bool:
    return first(upload, "filetype") == "sdist"


def is_wheel(upload: Upload) -> bool:
    return upload.filename.endswith(".whl") and not is_sdist(upload)
