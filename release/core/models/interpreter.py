"""A Python interpreter of this machine, and the versions that a project requires."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct


class Interpreter(Struct, frozen=True, kw_only=True):
    """A CPython with the GIL that runs on this machine."""

    path: Path
    #: major, minor and micro version
    version: tuple[int, int, int]
    #: what it was found by: "uv", "pyenv", "py", "PATH"; empty for the one that runs this program
    origin: str = ""

    @property
    def release(self) -> str:
        """Its version as text, "3.13.0"."""
        return version_to_text(self.version)


class RequiredPython(Struct, frozen=True, kw_only=True):
    """The Python versions that a project requires, and the interpreter that fits."""

    #: a version specifier, for example ">=3.13"
    specifier: str
    #: where it is stated: "requires-python in pyproject.toml"
    declared_in: str
    #: the interpreter that runs this program
    running: Interpreter
    #: the one for the clean install: the running one if it fits, else another one; None if none was found
    chosen: Interpreter | None
    #: the versions of those that were found and do not fit, sorted
    others: tuple[tuple[int, int, int], ...] = ()


def version_to_text(version: tuple[int, ...]) -> str:
    """A version of Python as text: (3, 13, 0) is "3.13.0"."""
    return ".".join(map(str, version))
