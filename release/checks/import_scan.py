"""Which modules shipped code imports, at import time or in a function."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import BinaryIO

from release.acceptance.zip_reader import ZipContents, open_zip
from release.checks.unshipped_files import is_development_file
from release.core.python_source import parse_source

#: bytes; a larger module is not parsed
_LARGEST = 2 * 1024 * 1024
_ALL_ERRORS = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def find_importers(wheel: BinaryIO, wanted: AbstractSet[str]) -> Mapping[str, str]:
    """Dotted name of a wanted module → the first file of the wheel that imports it.

    What is tried (`except ImportError`) or under a condition does not count, nor do imports by tests. A wheel or module
    that cannot be read imports nothing.
    """
    last = {name.rpartition(".")[2] for name in wanted}
    mentioned = re.compile(rb"\b(?:" + b"|".join(re.escape(name.encode()) for name in sorted(last)) + rb")\b")
    found: dict[str, str] = {}
    archive = open_zip(wheel)
    if not isinstance(archive, ZipContents):
        return found
    for member in archive.members:
        path = member.filename
        if not path.endswith(".py") or member.unpacked > _LARGEST or is_development_file(path):
            continue
        code = archive.read(path)
        if isinstance(code, bytes) and mentioned.search(code):
            for name in wanted & _imports(code, path):
                found.setdefault(name, path)
    return found


def _imports(code: bytes, path: str) -> set[str]:
    try:
        tree = parse_source(code)
        module = path.removesuffix(".py").split("/")
        return {name for node in _unconditional_imports(tree.body) for name in _names(node, module)}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()


def _unconditional_imports(body: list[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    for node in body:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield node
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from _unconditional_imports(node.body)
            case ast.With() if not any("suppress" in ast.unparse(item.context_expr) for item in node.items):
                yield from _unconditional_imports(node.body)
            case ast.Try() if not any(map(_catches_imports, node.handlers)):
                yield from _unconditional_imports([*node.body, *node.orelse, *node.finalbody])
            case _:
                pass


def _catches_imports(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(one).rpartition(".")[2] in _ALL_ERRORS for one in caught)


def _names(node: ast.Import | ast.ImportFrom, module: list[str]) -> Iterator[str]:
    """Every module that the statement imports, with its parents; an attribute that it names looks like a module."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield from _parents(alias.name)
        return
    # a package's __init__ stands for the package: both count one level as its own directory
    base = module[: len(module) - node.level] if node.level else []
    if node.level and not base:
        return
    origin = ".".join([*base, *([node.module] if node.module else [])])
    yield from _parents(origin)
    yield from (f"{origin}.{alias.name}" for alias in node.names if alias.name != "*" and origin)


def _parents(dotted: str) -> Iterator[str]:
    while dotted:
        yield dotted
        dotted = dotted.rpartition(".")[0]
