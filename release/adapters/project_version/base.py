"""What finds the version of a project: one module per kind, and the positions of values in files."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from packaging.version import InvalidVersion, Version

from release.core.errors import ReleaseError, from_os_error
from release.core.models.preparation import VersionPlace

#: stands for a value while its position is searched: no file has it
_MARK = "\ue000\ue001version\ue001\ue000"


class VersionKind(Protocol):
    """A way in which projects state their version."""

    def find_places(self, project: ProjectFiles) -> tuple[VersionPlace, ...]:
        """Where the project states its version in this way; empty where it does not.

        Raises `ReleaseError` where the configuration names a place that states no version as text.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFiles:
    """The files of a project, and its pyproject.toml as a mapping."""

    directory: Path
    pyproject: Mapping[str, Any]

    def text(self, path: str) -> str | None:
        """The text of a file, by which its bytes can be restored; None if there is none."""
        data = load_project_file(self.directory / path)
        return None if data is None else decode_source(data)[0]

    def table(self, *keys: str) -> Mapping[str, Any]:
        """A table of pyproject.toml; empty where there is none."""
        found: Any = self.pyproject
        for key in keys:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def backend(self) -> str:
        """The build backend; setuptools' where none is declared (PEP 517)."""
        return str(self.table("build-system").get("build-backend", "setuptools.build_meta:__legacy__"))

    @property
    def is_dynamic(self) -> bool:
        """Whether `[project]` leaves the version to the backend, or there is no `[project]`."""
        project = self.table("project")
        return not project or "version" not in project


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
    """The place of a part of a file's text."""
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


def toml_places(project: ProjectFiles, path: str, *keys: str) -> tuple[VersionPlace, ...]:
    """The place of a string in a TOML file; empty where the file has none under these keys."""
    text = project.text(path)
    if text is None:
        return ()
    span = _toml_span(text, keys)
    return () if span is None else (place_at(path, text, span, ".".join(keys)),)


def _toml_span(text: str, keys: Sequence[str]) -> tuple[int, int] | None:
    """The span of a string's content: what differs when tomlkit writes another value there."""
    import tomlkit
    from tomlkit.exceptions import ParseError
    from tomlkit.items import String

    start = len(text) - len(text.removeprefix("\ufeff"))
    try:
        document = tomlkit.parse(text[start:])
    except ParseError:
        return None
    table: Any = document
    for key in keys[:-1]:
        table = table.get(key) if isinstance(table, MutableMapping) else None
    value = table.get(keys[-1]) if isinstance(table, MutableMapping) else None
    if not isinstance(value, String):
        return None
    table[keys[-1]] = _like(value)
    before, mark, after = tomlkit.dumps(document).partition(_MARK)
    end = len(text) - len(after)
    same = mark and text[start:].startswith(before) and text.endswith(after)
    span = (start + len(before), end)
    return span if same and text[slice(*span)] == str(value) else None


def _like(value: Any) -> Any:
    """The mark, in the quotes of a string."""
    import tomlkit

    quotes = value.as_string()
    return tomlkit.string(_MARK, literal=quotes.startswith("'"), multiline=quotes[:3] in {"'''", '"""'})


def python_spans(text: str, is_named: Callable[[str], bool]) -> Iterator[tuple[str, tuple[int, int]]]:
    """The strings that are assigned to names of a module, as name and span of the content; what is computed is none.

    A source that is not valid Python has none.
    """
    try:
        tree = ast.parse(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        names = [one.id for one in targets if isinstance(one, ast.Name) and is_named(one.id)]
        if names and isinstance(node, (ast.Assign, ast.AnnAssign)) and (span := string_span(text, node.value)):
            yield names[0], span


def string_span(text: str, node: ast.expr | None) -> tuple[int, int] | None:
    """The span of the content of a string literal; None if it is none, or is spelled with escapes or in pieces."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not node.value:
        return None
    start, end = (
        _offset(text, node.lineno, node.col_offset),
        _offset(text, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset),
    )
    source = text[start:end]
    quotes = next((mark for mark in ('"""', "'''", '"', "'") if source.endswith(mark)), "")
    inner = source.removesuffix(quotes)
    return (end - len(quotes) - len(node.value), end - len(quotes)) if inner.endswith(quotes + node.value) else None


def _offset(text: str, line: int, column: int) -> int:
    """The offset of a position of `ast`: lines from 1, columns in bytes of UTF-8."""
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    if line == 1 and text.startswith("\ufeff"):
        start = 1
    end = text.find("\n", start)
    return start + len(text[start : end if end >= 0 else None].encode()[:column].decode(errors="ignore"))


def is_pep440_version(text: str) -> bool:
    try:
        Version(text)
    except InvalidVersion:
        return False
    return True


def unknown_place(message: str, *, edit: str) -> ReleaseError:
    """The error where the version is not stated as text; `edit`: the file that the user has to edit."""
    return ReleaseError(
        message, remedy=f"write the new version into {edit} yourself, commit it, then run `pypi-preflight release`"
    )
