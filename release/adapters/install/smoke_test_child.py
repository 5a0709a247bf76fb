"""Runs inside the clean environment: imports a module or runs a script, and tells what went wrong.

    python -I smoke_child.py REPORT import MODULE
    python -I smoke_child.py REPORT script FILE MODULE:ATTRIBUTE [ARGUMENT…]

The report is JSON: `chain`, the exceptions that ended it, outermost first, each with its cause
behind it; and `absent`, the modules that were asked for and that nothing could provide.
Imports nothing but the standard library, and nothing imports it.
"""

from __future__ import annotations

import importlib
import json
import runpy
import sys

#: links of a chain that are reported; a chain can be a loop
_MOST = 50


class Recorder:
    """The last finder: what gets here was found by no other."""

    def __init__(self) -> None:
        self.absent: list[str] = []

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002 - the protocol
        """Record, and find nothing."""
        if name not in self.absent:
            self.absent.append(name)


def chain(error: BaseException | None) -> list[dict[str, object]]:
    """The exception and those that it came from."""
    links: list[dict[str, object]] = []
    while error is not None and len(links) < _MOST:
        explicit = error.__cause__ is not None
        link: dict[str, object] = {
            "import_error": isinstance(error, ImportError),
            "exit": isinstance(error, SystemExit),
            #: the module, where an import failed and Python itself says so
            "module": error.name if isinstance(error, ImportError) else None,
            #: whether that module was not there at all, rather than broken
            "not_found": isinstance(error, ModuleNotFoundError),
            #: whether the next link is its stated cause, rather than what went on when it was raised
            "explicit": explicit,
        }
        links.append(link)
        error = error.__cause__ if explicit or error.__suppress_context__ else error.__context__
    return links


def run_script(file: str, target: str, arguments: list[str]) -> None:
    """Run a console script as its user would; where it is no Python file, what it would call."""
    sys.argv = [file, *arguments]
    with open(file, "rb") as stream:  # noqa: PTH123 - pathlib is not loaded for the project's code to find
        is_launcher = stream.read(2) == b"MZ"
    if not is_launcher:
        runpy.run_path(file, run_name="__main__")
        return
    module, _, attribute = target.partition(":")
    call: object = importlib.import_module(module)
    for name in attribute.split("."):
        call = getattr(call, name)
    raise SystemExit(call())  # type: ignore[operator] # an entry point is called, whatever it is


def main() -> None:
    """Do what the command line says, and leave the report behind, whatever happens."""
    report, kind, what, *rest = sys.argv[1:]
    recorder = Recorder()
    sys.meta_path.append(recorder)
    links: list[dict[str, object]] = []
    try:
        if kind == "import":
            importlib.import_module(what)
        else:
            run_script(what, rest[0], rest[1:])
    except BaseException as error:
        links = chain(error)
        raise
    finally:
        with open(report, "w", encoding="utf-8") as stream:  # noqa: PTH123 - as above
            json.dump({"chain": links, "absent": recorder.absent}, stream)


if __name__ == "__main__":
    main()
