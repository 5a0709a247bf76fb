"""Take the project's directories off the import path, however they came there.

`python -m` and PYTHONPATH put them before the libraries: a module of the project with the name of a library, or of this
program, would run in this process, which sees the credentials. Only `os` and `sys` are imported here, because the
interpreter has loaded both before it looks at any of these directories.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

_ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120 - pathlib may not be loaded
_INSTALLED = {"site-packages", "dist-packages"}


def ignore_project(arguments: Sequence[str]) -> tuple[str, ...]:
    """Remove the directories of the project from `sys.path`, and return them, absolute and resolved.

    They are the current directory if `python -m` put it there, and what PYTHONPATH names inside the repository or the
    project around the current directory, or around that of `--directory` in `arguments`. A directory that contains
    this package stays. Raises `SystemExit` with status 2 if a module of theirs was imported before, or if the current
    directory was removed.
    """
    _require_current_directory()
    ignored = tuple(dict.fromkeys(_of_project(arguments)))
    if ignored:  # else there is nothing to compare the path and the modules with, which takes 2 ms
        sys.path[:] = [entry for entry in sys.path if _resolved(entry) not in ignored]
        _require_none_imported(ignored, arguments)
    return ignored


def _require_current_directory() -> None:
    try:
        os.getcwd()  # noqa: PTH109 - pathlib may not be loaded
    except OSError:
        sys.stderr.write("the current directory was removed\n")
        sys.stderr.write(f"{_arrow()} change to one that exists: cd DIR\n")
        raise SystemExit(2) from None


def put_project_last() -> None:
    """Move what PYTHONPATH names to the end of `sys.path`: for tools that run the project's files, such as nox."""
    listed = {_resolved(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)} - {_ROOT}
    sys.path.sort(key=lambda entry: _resolved(entry) in listed)


def _of_project(arguments: Sequence[str]) -> Iterator[str]:
    here = _resolved("")
    if not sys.flags.safe_path and sys.path and _resolved(sys.path[0]) == here != _ROOT:
        yield here
    if sys.flags.ignore_environment or not os.environ.get("PYTHONPATH"):
        return
    roots = {_project_root(_resolved(directory)) for directory in ("", *_named_directories(arguments))}
    for entry in os.environ["PYTHONPATH"].split(os.pathsep):
        directory = _resolved(entry)
        inside = any(directory == root or directory.startswith(os.path.join(root, "")) for root in roots)  # noqa: PTH118
        if inside and directory != _ROOT and _INSTALLED.isdisjoint(directory.split(os.sep)):  # noqa: PTH206 - the same
            yield directory


def _resolved(entry: str) -> str:
    return os.path.realpath(entry or os.curdir)


def _named_directories(arguments: Sequence[str]) -> Iterator[str]:
    """The values of `--directory`, before the options are parsed."""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if name == "--directory":
            yield value if equals else following
        elif word.startswith("-C"):
            yield word[2:] or following


def _project_root(directory: str) -> str:
    """The repository around a directory, else the project around it, else itself."""
    for mark in (".git", "pyproject.toml"):
        above = directory
        while True:
            if os.path.lexists(os.path.join(above, mark)):  # noqa: PTH118 - pathlib may not be loaded
                return above
            parent = os.path.dirname(above)  # noqa: PTH120 - the same
            if parent == above:
                break
            above = parent
    return directory


def _require_none_imported(ignored: Sequence[str], arguments: Sequence[str]) -> None:
    """Raises `SystemExit` if a module was imported from one of these directories before this one ran."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or name.partition(".")[0] == "pypi_preflight":
            continue
        place, base = os.path.split(os.path.realpath(file))
        if base.startswith("__init__."):
            place = os.path.dirname(place)  # noqa: PTH120 - pathlib may not be loaded
        if place in ignored:
            _refuse(name, file, arguments)


def _refuse(name: str, file: str, arguments: Sequence[str]) -> None:
    variable = "env -u PYTHONPATH " if os.environ.get("PYTHONPATH") and os.name != "nt" else ""
    command = " ".join([f"{variable}pypi-preflight", *map(_quoted, arguments)])
    sys.stderr.write(
        f"the project's own module {name!r} ({_harmless(file)}) was imported before this program started\n"
        f"{_arrow()} run: {_harmless(command)}\n"
    )
    raise SystemExit(2)


def _arrow() -> str:
    return "→" if (sys.stderr.encoding or "").lower().startswith("utf") else "->"


def _harmless(text: str) -> str:
    """The text with what commands a terminal or a log escaped, as in `release.core.harmless`, which is not loaded."""
    shown = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
    return shown.replace("##", "#\\#")


def _quoted(word: str) -> str:
    """A word for a shell, without `shlex`: what that imports may be the project's."""
    if word and all(character.isalnum() or character in "-_=./:,@%+" for character in word):
        return word
    return '"' + word + '"' if os.name == "nt" else "'" + word.replace("'", "'\\''") + "'"
