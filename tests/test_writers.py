"""All output goes through one writer, which makes foreign text harmless: `release.cli.output_streams`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent
_STREAMS = frozenset({"stdout", "stderr", "__stdout__", "__stderr__"})
#: a file without any of these writes nothing; parsing takes most of the time
_WORDS = (
    "sys.std",
    "from sys",
    "__std",
    "print(",
    "input(",
    "Console(",
    "getpass(",
    "print_exc(",
    "basicConfig(",
    "echo(",
    "os.write(",
)
_CHILD = "a child of this program: what it writes is a protocol on a pipe"
#: file → why it uses a standard stream itself
_ALLOWED = {
    "release/cli/output_streams.py": "the writer",
    "release/cli/main.py": "names the stream for the writer",
    "release/cli/job_entry.py": "names the stream for the writer",
    "release/cli/commands/tokens.py": "names the stream for the writer",
    "release/cli/command.py": "asks whether it is a terminal; and writes secrets that the CI service is to mask",
    "release/cli/terminal_size.py": "asks for the width of the terminal",
    "release/cli/credential_prompts.py": "asks whether it is a terminal",
    "release/cli/commands/release_run.py": "asks whether it is a terminal",
    "release/cli/commands/rotate.py": "asks whether it is a terminal",
    "release/cli/commands/embedded_index.py": "one line of JSON in ASCII, with the sandbox's own tokens unredacted",
    "release/cli/terminal/live_display.py": "rich draws on the terminal; each text is made harmless before",
    "release/sandbox/sandbox_host.py": _CHILD,
    "release/adapters/oidc/child.py": _CHILD,
    "release/adapters/keyring/keyring_child.py": _CHILD,
    "release/adapters/twine/twine_reader_child.py": _CHILD,
    "release/adapters/twine/twine_worker.py": _CHILD,
    "release/publishing/own_process_child.py": _CHILD,
    "release/sessions.py": "runs in nox: the names of sessions and of a file",
    "release/tasks.py": "runs in Invoke: a question without foreign text",
    "pypi_preflight/command_line.py": "one word, where the program may not be loaded",
    "pypi_preflight/import_path.py": "runs before any import; escapes the names itself",
}


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for top in ("release", "pypi_preflight"):
        for path in sorted((_ROOT / top).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if any(word in text for word in _WORDS):
                yield path.relative_to(_ROOT).as_posix(), ast.parse(text)


def writes_past_the_writer(tree: ast.Module) -> Iterator[int]:
    """The lines that use a standard stream, print, or draw with rich."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name in _STREAMS:
                yield node.lineno
            case ast.Call(func=ast.Name(id="print" | "input" | "Console" | "getpass" | "print_exc")):
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr="print_exc" | "basicConfig" | "echo")):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="write"), args=[ast.Constant(), *_]):
                yield node.lineno
            case ast.ImportFrom(module="sys") if any(one.name in _STREAMS for one in node.names):
                yield node.lineno


def test_nothing_writes_past_the_writer() -> None:
    found = {path: lines for path, tree in _sources() if (lines := list(writes_past_the_writer(tree)))}
    others = {path: lines for path, lines in found.items() if path not in _ALLOWED}
    assert not others, "write with release.cli.output_streams.write_output"
    assert set(_ALLOWED) <= set(found), "no longer an exception: remove it from the list"


@pytest.mark.parametrize(
    ("source", "past"),
    [
        ("print('a')", True),
        ("import sys\nsys.stdout.write('a')", True),
        ("import sys\nwrite = sys.stderr.write", True),
        ("from sys import stderr as log", True),
        ("import os\nos.write(1, b'a')", True),
        ("stream.write('a')", False),
        ("import sys\nsys.exit()", False),
        ("console.print('a')", False),
    ],
)
def test_a_write_past_the_writer_is_recognised(source: str, past: bool) -> None:
    assert bool(list(writes_past_the_writer(ast.parse(source)))) is past
