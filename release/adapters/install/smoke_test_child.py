"""A child program in the clean environment: imports modules or runs a script, and reports what failed.

    python -I smoke_test_child.py REPORT import MODULE…
    python -I smoke_test_child.py REPORT script FILE MODULE:ATTRIBUTE [ARGUMENT…]

The report is JSON: `chain`, the exception that ended it, followed by its causes; and `absent`, the modules that
were imported but not found. It imports only the standard library, and is never imported itself. What only a failure
needs, it imports then: a module that the project's code forgot to import must not be there by chance.
"""

from __future__ import annotations

import importlib
import os
import sys

#: the most links of a chain, which can be a loop, and the most places of a link
_MOST = 50


class MissingModules:
    """The last finder of `sys.meta_path`: it is asked for what no other finder has found."""

    def __init__(self) -> None:
        self.absent: list[str] = []

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:  # noqa: ARG002 - the protocol
        """Record the name, and find nothing."""
        if name not in self.absent:
            self.absent.append(name)


#: site-packages first, then the environment; empty until `bases` is called
_BASES: list[str] = []


def bases() -> list[str]:
    """The directories that paths are relative to."""
    if not _BASES:
        import sysconfig

        _BASES.extend(map(os.path.realpath, (*map(sysconfig.get_path, ("purelib", "platlib")), sys.prefix)))
    return _BASES


def relative(path: object) -> str:
    """A path relative to site-packages, or else to the environment; empty where it is in neither."""
    # of a path that does not exist, too; not of the directory that the environment's interpreter is in
    if not isinstance(path, str) or not path:
        return ""
    full = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH118, PTH119, PTH120
    for base in bases():
        if full.startswith(base + os.sep):
            return full[len(base) + 1 :].replace(os.sep, "/")
    return ""


def places(error: BaseException) -> list[str]:
    """The places of the installed files, the innermost one last: "acme/cli.py, line 3"."""
    import traceback

    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        frames.append((error.filename or "", error.lineno or 0))
    return [f"{relative(path)}, line {line}" for path, line in frames if relative(path)][-_MOST:]


def by_statement(error: BaseException) -> bool:
    """Whether the innermost line is an import statement, not a call that imports what its caller names."""
    import linecache
    import re
    import traceback

    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    inner = next((linecache.getline(path, line) for path, line in reversed(frames) if relative(path)), "")
    return re.search(r"(?:^|[\s:;])(?:import|from)\s", inner) is not None


def final_line(error: BaseException) -> str:
    """The last line of the exception's traceback; of a message of several lines, the first and the last."""
    try:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    except Exception:  # noqa: BLE001 - the text comes from the project's code
        lines = []
    return ": ".join([type_name(error), " … ".join(dict.fromkeys(lines[:1] + lines[-1:]))]).removesuffix(": ")


def type_name(error: BaseException) -> str:
    """The exception's class, with its module."""
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.").removeprefix("__main__.")


def chain(error: BaseException | None) -> list[dict[str, object]]:
    """The exception and its causes."""
    links: list[dict[str, object]] = []
    while error is not None and len(links) < _MOST:
        explicit = error.__cause__ is not None
        link: dict[str, object] = {
            "type": type_name(error),
            "line": final_line(error),
            "places": places(error),
            "file": relative(error.filename) if isinstance(error, FileNotFoundError) else "",
            "import_error": isinstance(error, ImportError),
            "exit": isinstance(error, SystemExit),
            #: the module, where Python itself raised an ImportError
            "module": error.name if isinstance(error, ImportError) else None,
            "by_statement": by_statement(error),
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
        import runpy

        runpy.run_path(file, run_name="__main__")
        return
    module, _, attribute = target.partition(":")
    call: object = importlib.import_module(module)
    for name in attribute.split("."):
        call = getattr(call, name)
    raise SystemExit(call())  # type: ignore[operator] # an entry point may be any object


def main() -> None:
    """Do what the command line says, and always write the report."""
    report, kind, *rest = sys.argv[1:]
    missing = MissingModules()
    sys.meta_path.append(missing)
    links: list[dict[str, object]] = []
    try:
        if kind == "import":
            for name in rest:
                importlib.import_module(name)
        else:
            run_script(rest[0], rest[1], rest[2:])
    except BaseException as error:
        links = chain(error)
        raise
    finally:
        import json

        with open(report, "w", encoding="utf-8") as stream:  # noqa: PTH123 - as above
            json.dump({"chain": links, "absent": missing.absent}, stream)


if __name__ == "__main__":
    main()
