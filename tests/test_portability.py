"""Faults that show only on another machine: the encoding of a file, the signals of a system, the separator of paths."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("release", "pypi_preflight")
#: functions that open a text; the positions of mode and encoding, None where there is none
OPENING = {
    "open": (1, 3), ".open": (0, 2), "io.open": (1, 3), "os.fdopen": (1, 3), "codecs.open": (1, 2),
    ".read_text": (None, 0), ".write_text": (None, 1), "io.TextIOWrapper": (None, 1),
}  # fmt: skip
#: what takes other arguments under the same name
OTHER = {
    "os.open", "file.open", "one.open", "other.open", "webbrowser.open", "tarfile.open", "gzip.open", "archive.open",
    "recorder.write_text",
}  # fmt: skip
_MAY_OPEN = re.compile(r"open\(|_text\(|TextIOWrapper\(|text=|universal_newlines=")
#: modules whose `str(…)` is a requirement, a version or a choice of an option
NO_PATHS = {
    "acceptance/wheel_rules.py", "checks/distributions.py", "checks/previous_release.py",
    "cli/parser.py", "core/next_version.py",
}  # fmt: skip


@cache
def _sources() -> dict[str, str]:
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def _calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield ast.unparse(node.func), node


def unencoded(source: str) -> list[str]:
    """Calls that read or write a text in the encoding of the machine."""
    calls = _calls(ast.parse(source)) if _MAY_OPEN.search(source) else ()
    return [f"line {call.lineno}: {name}" for name, call in calls if _is_unencoded(name, call)]


def _is_unencoded(name: str, call: ast.Call) -> bool:
    keywords = {one.arg for one in call.keywords}
    if name.startswith("subprocess.") and keywords & {"text", "universal_newlines"}:
        return "encoding" not in keywords
    known = name if name in OPENING else f".{name.rpartition('.')[2]}" if "." in name else ""
    if known not in OPENING or name in OTHER or "encoding" in keywords:
        return False
    mode, encoding = OPENING[known]
    if any(isinstance(one, ast.Starred) for one in call.args) or (encoding is not None and len(call.args) > encoding):
        return False
    if mode is None:
        return True
    modes = [one.value for one in call.keywords if one.arg == "mode"] + call.args[mode : mode + 1]
    return not any(isinstance(one, ast.Constant) and "b" in str(one.value) for one in modes)


def doubled(source: str) -> list[str]:
    """Paths in texts as `repr` writes them, which doubles the backslashes of Windows."""
    return re.findall(r"\{(?:str|os\.fspath)\([^{}]*\)!r\}|repr\(str\([^()]*\)\)", source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("path.read_text()", True), ("path.write_text(text)", True), ("open(path)", True), ("path.open('w')", True),
        ("open(path, mode='a')", True), ("os.fdopen(handle, 'w')", True), ("subprocess.run(argv, text=True)", True),
        ("path.read_text(encoding='utf-8')", False), ("path.read_text('utf-8')", False), ("open(path, 'rb')", False),
        ("path.open('ab+')", False), ("os.open(path, os.O_RDONLY)", False), ("found.open()", True),
        ("path.open(encoding='utf-8')", False), ("subprocess.run(argv)", False), ("webbrowser.open(url)", False),
        ("subprocess.run(argv, text=True, encoding='utf-8')", False),
    ],
)  # fmt: skip
def test_a_text_without_an_encoding_is_found(source: str, expected: bool) -> None:
    assert bool(unencoded(source)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f'no file {str(path)!r}'", True), ("repr(str(path))", True), ("f'in {str(self.root)!r}'", True),
        ("f'no index {name!r}'", False), ("f'no file {quote_path(path)}'", False), ("f'{str(path)}'", False),
    ],
)  # fmt: skip
def test_a_path_with_doubled_backslashes_is_found(source: str, expected: bool) -> None:
    assert bool(doubled(source)) == expected


def test_texts_are_opened_with_an_encoding() -> None:
    assert not {path: found for path, source in _sources().items() if (found := unencoded(source))}
