"""A program: run `build`, make its environments before it asks for them, and write down what they install.

Its arguments: the directory of the copies of `build` and what it imports, or "" where they are installed; the names of
variables that its backends must not see, separated by commas; a JSON file with `pins` (normalized name → the
requirement line that pins it), `required` (whether other requirements are refused) and `only_wheels`; the JSON file
that it writes, a list of {name, version, sha256}; the installer; and the directory for the two environments of an sdist
and a wheel, which its parent removes, or "" where they are not made early.

What to build comes as one line of JSON on stdin, when the source is complete: `source`, a directory; `arguments` of
`build`; and `variables` for the backend. Without arguments, there is a line before it: `arguments`; `directory`, the
working directory; and `variables`, its environment. At the end of stdin, it ends.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from .early_environments import EarlyEnvironments
from .installs import Installs, watch_installs

#: what `build` and its environments import. Observed: build 1.6.1, 2026-11, with `-X importtime`
_IMPORTED = ("build.env", "argparse", "packaging.utils", "tarfile", "textwrap", "traceback", "venv", "zipfile")


def main() -> None:
    """Read the arguments, then what to build, and run `build` in this process."""
    orders = take_stdin()
    if not sys.argv[1:]:
        import_build()
        if not (line := orders.readline()):
            return
        start(json.loads(line))
    copies, hidden, settings, target, installer, place = sys.argv[1:]
    if copies:
        sys.path.insert(0, copies)
    names = tuple(filter(None, hidden.split(",")))
    installs = Installs(json.loads(Path(settings).read_text(encoding="utf-8")), Path(target))
    variables = {name: value for name, value in os.environ.items() if name not in names}
    known = place and importlib.util.find_spec("build._ctx")  # build's own, so another version may lack it
    early = EarlyEnvironments(Path(place), installer, installs) if known else None
    if early is None:
        hide_variables(names)
        watch_installs(installs)
    else:
        set_hook_variables(variables, early.hook_ended.set)
        early.start()
    try:
        if line := orders.readline():
            order = json.loads(line)
            os.chdir(order["source"])
            variables |= order["variables"]
            if early is None:
                os.environ |= order["variables"]
            else:
                early.source_complete.set()
            sys.argv[1:] = ["--installer", installer, *order["arguments"], order["source"]]
            runpy.run_module("build", run_name="__main__", alter_sys=True)
    finally:
        if early is not None:
            early.end()


def import_build() -> None:
    """Import what `build` will import; an error of that is one of `build`."""
    with suppress(ImportError):
        for name in _IMPORTED:
            importlib.import_module(name)


def start(order: Mapping[str, Any]) -> None:
    """Go on as if started with these arguments, in that directory and with that environment."""
    sys.argv[1:] = order["arguments"]
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["variables"])
    if sys.platform != "win32":
        os.umask(0o022)


def take_stdin() -> TextIO:
    """Stdin for this program only: it may stay open while others run."""
    stream = os.fdopen(os.dup(0), encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return stream


def hide_variables(names: Collection[str]) -> None:
    """Let backends run without these variables, which only the installer needs.

    Source: pyproject_hooks' documentation, "BuildBackendHookCaller".
    """
    import pyproject_hooks

    class Caller(pyproject_hooks.BuildBackendHookCaller):
        def __init__(
            self, source_dir: str, build_backend: str, backend_path: Any = None, runner: Any = None,
            python_executable: str | None = None,
        ) -> None:  # fmt: skip
            runner = runner or pyproject_hooks.default_subprocess_runner

            def run(*arguments: Any, **options: Any) -> None:
                hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
                try:
                    runner(*arguments, **options)
                finally:
                    os.environ.update(hidden)

            super().__init__(source_dir, build_backend, backend_path, run, python_executable)

    pyproject_hooks.BuildBackendHookCaller = Caller  # type: ignore[misc]


def set_hook_variables(variables: Mapping[str, str], ended: Callable[[], object]) -> None:
    """Let backends run with these variables only, and call `ended` after each hook.

    Unlike `hide_variables`, this leaves the environment of this process as it is: another thread may install.
    """
    import pyproject_hooks

    def run(command: Any, cwd: str | None = None, extra_environ: Mapping[str, str] | None = None) -> None:
        try:
            subprocess.check_call(command, cwd=cwd, env={**variables, **(extra_environ or {})})
        finally:
            ended()

    pyproject_hooks.default_subprocess_runner = run  # type: ignore[assignment] # build passes them by position
