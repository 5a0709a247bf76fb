"""A child program in the clean environment: imports a module or runs a script, and reports what failed.

    python -I smoke_test_child.py REPORT import MODULE
    python -I smoke_test_child.py REPORT script FILE MODULE:ATTRIBUTE [ARGUMENT…]

The report is JSON: `chain`, the exception that ended it, followed by its causes; and `absent`, the modules that
were imported but not found. It imports only the standard library, and is never imported itself.
"""

from __future__ import annotations

import importlib
import json
import runpy
import sys

#: the most links of a chain; a chain can be a loop
_MOST = 50


class MissingModules:
    """The last finder of `sys.meta_path`: it is asked for what no other finder has found."""

    def __init__(self) -> None:
        self.absent: list[str] = []

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002 - the protocol
        """Record the name, and find nothing."""
        if name not in self.absent:
            self.absent.append(name)


def chain(error: BaseException | None) -> list[dict[str, object]]:
    """The exception and its causes."""
    links: list[dict[str, object]] = []
    while error is not None and len(links) < _MOST:
        explicit = error.__cause__ is not None
        link: dict[str, object] = {
            "import_error": isinstance(error, ImportError),
            "exit": isinstance(error, SystemExit),
            #: the module, where Python itself raised an ImportError
            "module": error.name if isinstance(error, ImportError) else None,
            #: whether that module is missing, rather than broken
            "not_found": isinstance(error, ModuleNotFoundError),
            #: whether the next link is its cause (`raise … from`), rather than its context
            "explicit": explicit,
        }
        links.append(link)
        error = error.__cause__ if explicit or error.__suppress_context__ else error.__context__
    return links


def run_script(file: str, target: str, arguments: list[str]) -> None:
    """Run a console script as a user would; of a Windows launcher, its entry point."""
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
    raise SystemExit(call())  # type: ignore[operator] # an entry point may be any object


def main() -> None:
    """Do what the command line says, and always write the report."""
    report, kind, what, *rest = sys.argv[1:]
    missing = MissingModules()
    sys.meta_path.append(missing)
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
            json.dump({"chain": links, "absent": missing.absent}, stream)


if __name__ == "__main__":
    main()
