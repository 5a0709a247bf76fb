"""What finds the version of a project: one module per kind, and the files that they read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from release.core.errors import ReleaseError, from_os_error
from release.core.models.preparation import VersionPlace
from release.core.module_names import NOT_API

#: the files of a package that state its version, by custom
VERSION_FILES = ("__init__.py", "_version.py", "__about__.py", "version.py", "__version__.py", "about.py")
#: backends that a backend in the project's own tree imports, which it then requires: distribution → module
_WRAPPED = {
    "setuptools": "setuptools.build_meta", "hatchling": "hatchling.build", "flit-core": "flit_core.buildapi",
    "poetry-core": "poetry.core.masonry.api", "pdm-backend": "pdm.backend", "maturin": "maturin",
    "meson-python": "mesonpy", "scikit-build-core": "scikit_build_core.build",
}  # fmt: skip
#: directories that have packages: at the top, and in a src layout
_ROOTS = ("", "src/")


class VersionKind(Protocol):
    """A way in which projects state their version."""

    def find_places(self, project: ProjectFiles) -> tuple[VersionPlace, ...]:
        """Where the project states its version in this way; empty where it does not.

        Raises `ReleaseError` where the project states it in this way, but not as text.
        """


class ProjectFiles(Struct, frozen=True, kw_only=True):
    """The files of a project, and its pyproject.toml as a mapping."""

    directory: Path
    pyproject: Mapping[str, Any]

    def text(self, path: str) -> str | None:
        """The text of a file, with LF as line ends; None if there is none."""
        data = load_project_file(self.directory / path)
        return None if data is None else decode_source(data)[0].replace("\r\n", "\n")

    def table(self, *keys: str) -> Mapping[str, Any]:
        """A table of pyproject.toml; empty where there is none."""
        return table_of(self.pyproject, *keys)

    @property
    def backend(self) -> str:
        """The build backend, or the one that a backend in the project's tree wraps; setuptools by default (PEP 517)."""
        build = self.table("build-system")
        declared = str(build.get("build-backend", "setuptools.build_meta:__legacy__"))
        if "backend-path" in build or declared.startswith("jupyter_packaging."):
            required = {canonicalize_name(re.split(r"[^\w.-]", str(one))[0]) for one in build.get("requires", ())}
            return next((module for name, module in _WRAPPED.items() if name in required), declared)
        return declared

    def package_files(self) -> Iterator[str]:
        """The files that state a version by custom: those of the packages at the top, and single modules."""
        name = canonicalize_name(str(self.table("project").get("name", ""))).replace("-", "_")
        for root in _ROOTS:
            base = self.directory / root
            packages = sorted(
                path.parent.name for path in base.glob("*/__init__.py") if path.parent.name not in NOT_API
            )
            own = [one for one in packages if one.lower() == name] or packages
            for package in own:
                yield from (f"{root}{package}/{file}" for file in VERSION_FILES if (base / package / file).is_file())
            if name and (base / f"{name}.py").is_file():
                yield f"{root}{name}.py"


def table_of(data: Any, *keys: str) -> Mapping[str, Any]:
    """A table below a mapping; empty where there is none."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def load_project_file(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none. Raises `ReleaseError` if it can't be read."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        raise from_os_error(error) from error


def decode_source(data: bytes) -> tuple[str, str]:
    """The text of a file, and the encoding that gives its bytes back. Line ends and a byte order mark are kept."""
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"


def place_at(path: str, text: str, span: tuple[int, int], setting: str) -> VersionPlace:
    """The place of a part of a file's text. CRLF may stand as LF in it."""
    start, end = span
    line_start = text.rfind("\n", 0, start) + 1
    return VersionPlace(
        path=path, line=text.count("\n", 0, start) + 1, column=start - line_start,
        setting=setting, text=text[start:end],
    )  # fmt: skip


def offset_of(text: str, place: VersionPlace) -> int | None:
    """Where a place begins in the text of its file; None if the text has something else there."""
    start = 0
    for _ in range(place.line - 1):
        start = text.find("\n", start) + 1
        if not start:
            return None
    start += place.column
    return start if text.startswith(place.text, start) else None


def is_same_version(text: str, other: str) -> bool:
    """Whether two spellings are the same version: "1.2.0-rc.1" and "1.2.0rc1"."""
    try:
        return Version(text) == Version(other)
    except InvalidVersion:
        return text == other


def not_stated(message: str, *, edit: str) -> ReleaseError:
    """The error where the version is not stated as text; `edit`: what the user has to edit."""
    return ReleaseError(
        message, remedy=f"write the new version into {edit}, commit it, then run `pypi-preflight release`"
    )
