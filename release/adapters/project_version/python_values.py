"""Where values stand in Python files. Nothing is imported or executed."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from release.adapters.project_version.base import ProjectFiles, place_at
from release.core.models.preparation import VersionPlace
from release.core.python_source import parse_source

#: imports that are followed from file to file
_LONGEST_CHAIN = 5


def parse_python(text: str) -> ast.Module | None:
    """The module; None if it is not valid Python, or has line ends that are not counted as such elsewhere (CR)."""
    try:
        return None if "\r" in text else parse_source(text.removeprefix("\ufeff"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def attribute_place(
    project: ProjectFiles, path: str, name: str, *, roots: tuple[str, ...] = ("", "src/"), depth: int = 0
) -> VersionPlace | None:
    """The string that a module assigns to a name, directly, by another name, or by an import from the project.

    `roots`: the directories, with a slash at their end, from which absolute imports are found. None where the value is
    computed, or the module has no such name.
    """
    text = project.text(path)
    module = parse_python(text) if text is not None else None
    if text is None or module is None or depth > _LONGEST_CHAIN:
        return None
    for node in _statements(module.body):
        if name in _targets(node) and isinstance(node, (ast.Assign, ast.AnnAssign)):
            if span := string_span(text, node.value):
                return place_at(path, text, span, name)
            if isinstance(node.value, ast.Name) and node.value.id != name:
                return attribute_place(project, path, node.value.id, roots=roots, depth=depth + 1)
        elif isinstance(node, ast.ImportFrom):
            original = next((one.name for one in node.names if (one.asname or one.name) == name), None)
            for file in _files_of(project, path, node, roots) if original else ():
                return attribute_place(project, file, original or "", roots=roots, depth=depth + 1)
    return None


def tuple_places(project: ProjectFiles, path: str, names: Collection[str]) -> Iterator[VersionPlace]:
    """The numbers that a module assigns to these names as a tuple: "1, 1, 0" of `version_info = (1, 1, 0)`."""
    text = project.text(path)
    module = parse_python(text) if text is not None else None
    for node in _statements(module.body) if module else ():
        name = next((one for one in _targets(node) if one in names), None)
        if text is None or name is None or not isinstance(node, (ast.Assign, ast.AnnAssign)):
            continue
        value = node.value
        if isinstance(value, ast.Tuple) and len(value.elts) > 1:
            first, last = value.elts[0], value.elts[-1]
            start = _offset(text, first.lineno, first.col_offset)
            end = _offset(text, last.end_lineno or 0, last.end_col_offset or 0)
            if re.fullmatch(r"\d+(?:, ?\d+)+", text[start:end]):
                yield place_at(path, text, (start, end), name)


def string_span(text: str, node: ast.expr | None) -> tuple[int, int] | None:
    """The span of the content of a string literal; None if it is none, or is spelled with escapes or in pieces."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not node.value:
        return None
    start = _offset(text, node.lineno, node.col_offset)
    end = _offset(text, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
    source = text[start:end]
    quotes = next((mark for mark in ('"""', "'''", '"', "'") if source.endswith(mark)), "")
    if not source.endswith(f"{quotes}{node.value}{quotes}"):
        return None
    return end - len(quotes) - len(node.value), end - len(quotes)


def module_files(dotted: str, roots: tuple[str, ...]) -> Iterator[str]:
    """The files that a module can be in."""
    for root in roots:
        base = f"{root}{dotted.replace('.', '/')}"
        yield from (f"{base}/__init__.py", f"{base}.py")


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements at the top of a module, and in its `if` and `try`."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _statements([*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            yield from _statements(
                [*node.body, *(one for handler in node.handlers for one in handler.body), *node.orelse]
            )


def _targets(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {one.id for one in targets if isinstance(one, ast.Name)}


def _files_of(project: ProjectFiles, path: str, node: ast.ImportFrom, roots: tuple[str, ...]) -> Iterator[str]:
    """The files of the project that `from … import` reads."""
    if node.level:
        package = PurePosixPath(path)
        for _ in range(node.level):
            package = package.parent
        base = (package / (node.module or "").replace(".", "/")).as_posix()
        candidates: Iterator[str] = iter((f"{base}/__init__.py", f"{base}.py"))
    else:
        candidates = module_files(node.module or "", roots)
    yield from (file for file in candidates if file != path and (project.directory / file).is_file())


def _offset(text: str, line: int, column: int) -> int:
    """The offset of a position of `ast`: lines from 1, columns in bytes of UTF-8."""
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    if line == 1 and text.startswith("\ufeff"):
        start = 1
    end = text.find("\n", start)
    return start + len(text[start : end if end >= 0 else None].encode()[:column].decode(errors="ignore"))
