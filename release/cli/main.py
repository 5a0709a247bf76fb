"""The program: verbs, options, exit statuses. The only module that prints and exits."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from release.cli import commands
from release.cli.output import screen
from release.core.errors import Exit, ReleaseError, UsageError

if TYPE_CHECKING:
    from release.cli.terminal.console import Plain
    from release.core.models.run_result import RunResult
    from release.core.plan import Plan
    from release.reports.lines import Line

_STEPS = {
    "check": "run the checklist: the source, and the way to each index",
    "build": "build sdist and wheel from a clean clone of the commit, and check them",
    "rehearse": "a whole release on an embedded index: no credentials, no tag, no clean tree needed",
    "testpypi": "the dry run: the same files to TestPyPI, installed and tried from there",
    "publish": "upload to PyPI what was built, and confirm it from outside",
    "confirm": "look at a release from outside: hashes, clean install, smoke test",
    "release": "all of it: check, build, rehearse, TestPyPI, PyPI, confirm, tag",
}
_OTHERS = {**commands.TEXTS, "sandbox": "run the embedded index in the foreground"}


def parser() -> argparse.ArgumentParser:
    """The command line. Global options stand before or after the verb."""
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    common.add_argument("--directory", type=Path, metavar="DIR", help="the project's directory (default: here)")
    common.add_argument("--config", type=Path, metavar="FILE", help="read [tool.release] from FILE, not pyproject.toml")
    common.add_argument("--json", action="store_true", help="one JSON document on standard output, nothing else")
    common.add_argument("--quiet", action="store_true", help="say only what is wrong, and how it ended")
    common.add_argument("--plan", action="store_true", help="show what would be done, and do nothing")
    root = argparse.ArgumentParser(
        prog="python -m release",
        parents=[common],
        description="Release Python packages: green means PyPI accepts the upload, red names the cause.",
        epilog="exit status: 0 done · 1 refused, nothing uploaded · 2 usage or configuration · "
        "3 an upload failed, the index is unchanged · 4 something is on the index, the release is not complete",
    )
    subparsers = root.add_subparsers(dest="verb", metavar="VERB", required=True)
    made = {
        verb: subparsers.add_parser(verb, help=text, description=text, parents=[common])
        for verb, text in (_STEPS | _OTHERS).items()
    }
    for verb in ("check", "testpypi", "publish", "confirm", "release", "inspect"):
        made[verb].add_argument("--index", metavar="NAME", help="the index, by its name in the configuration")
    for verb in ("testpypi", "publish", "release"):
        made[verb].add_argument(
            "--yes", action="store_true", help="do not ask before the first step that can't be undone"
        )
    for verb in ("publish", "release"):
        made[verb].add_argument(
            "--dry-run-on", dest="proving", choices=("testpypi", "sandbox", "none"),
            help="where the same files must have passed before (default: testpypi)",
        )  # fmt: skip
        made[verb].add_argument(
            "--new-project", metavar="NAME", help="the name, where this release creates the project"
        )
    for verb in ("testpypi", "publish"):
        made[verb].add_argument(
            "--files", nargs="+", type=Path, metavar="PATH",
            help="release these files, or those in this directory, built elsewhere; no project is needed",
        )  # fmt: skip
    made["rehearse"].add_argument("--built", action="store_true", help="rehearse the files of the last build")
    commands.arguments(made)
    made["sandbox"].add_argument("--port", type=int, default=0, help="default: any free one")
    made["sandbox"].add_argument("--world", type=Path, metavar="FILE", help="users, projects and tokens, as JSON")
    made["sandbox"].add_argument("--state", type=Path, metavar="DIR", help="keep what is uploaded; default: forget it")
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program. Returns the exit status; argparse itself exits with 2."""
    options = parser().parse_args(argv)
    _defaults(options)
    try:
        with _ended_by_signals():
            return _verb(options)
    except ReleaseError as error:
        return _failed(error, options)
    except OSError as error:
        from release.core.errors import from_os_error

        return _failed(from_os_error(error), options)
    except KeyboardInterrupt:
        return _failed(ReleaseError("interrupted", remedy="run it again"), options)


def _defaults(options: argparse.Namespace) -> None:
    for name, value in {"directory": Path(), "config": None, "json": False, "quiet": False, "plan": False}.items():
        setattr(options, name, getattr(options, name, value))


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """A closed terminal or a polite kill ends a run as Ctrl-C does: cleanly, and told in the journal."""

    def stop(_number: int, _frame: object) -> Never:
        raise KeyboardInterrupt

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _failed(error: ReleaseError, options: argparse.Namespace) -> int:
    if options.json:
        _write(
            json.dumps(
                {
                    "schema": 1,
                    "exit": int(error.exit),
                    "message": error.message,
                    "remedy": error.remedy,
                    "cause": error.cause,
                }
            )
            + "\n"
        )
    else:
        _write(f"{error.message}\n" + (f"→ {error.remedy}\n" if error.remedy else ""), sys.stderr)
    return int(error.exit)


def _write(text: str, stream: Any = None) -> None:
    """Write to standard output, or not at all: a reader who has gone away does not stop a release."""
    stream = stream or sys.stdout
    try:
        stream.write(_redacted(text))
        stream.flush()
    except (BrokenPipeError, ValueError):
        _silence(stream)
    except UnicodeEncodeError:
        stream.write(text.encode("ascii", "replace").decode())


def _silence(stream: Any) -> None:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return


def _redacted(text: str) -> str:
    from release.core.redaction import redact

    return redact(text)


def _run(options: argparse.Namespace) -> int:
    """Every verb that is a plan."""
    from release.adapters import collect
    from release.adapters.system import system as systems
    from release.core import plan
    from release.publishing import prebuilt, runner
    from release.reports import run_text

    system = systems.real_system()
    directory = options.directory.resolve()
    files = prebuilt.find_distributions(getattr(options, "files", None) or ())
    config = collect.load_config(directory, options.config, needs_project=not files)
    config = replace(config, dry_run_on=getattr(options, "proving", None) or config.dry_run_on)
    if files:
        source = prebuilt.source_of(files, config)
    else:
        source = collect.collect_source(system, directory, config, ask_backend=options.verb != "rehearse")
    made = plan.make_plan(
        options.verb, config, source,
        index=getattr(options, "index", None), built=getattr(options, "built", False), prebuilt=bool(files),
    )  # fmt: skip
    if options.plan:
        return _show_plan(made, config.indexes, options)
    if made.needs_approval and not options.yes and not sys.stdin.isatty():
        raise ReleaseError(
            "nobody can be asked: standard input is no terminal", remedy="pass --yes to go without asking"
        )
    with screen(options, _write) as console:
        account = runner.run_plan(
            made, config=config, source=source, directory=directory, system=system, tell=console.tell,
            confirm=_question(console, options), command=_again(options), files=files,
        )  # fmt: skip
    _close(
        account, plan.plan_to_json(account.plan, dict(config.indexes)), console, run_text.run_to_lines(account), options
    )
    return int(account.exit)


def _show_plan(made: Plan, indexes: Any, options: argparse.Namespace) -> int:
    from release.core import plan
    from release.reports import run_text

    if options.json:
        _write(json.dumps(plan.plan_to_json(made, dict(indexes)), indent=2) + "\n")
    else:
        _write("".join(f"{line.text}\n" for line in run_text.plan_to_lines(made)))
    return Exit.DONE


def _question(console: Plain, options: argparse.Namespace) -> Callable[[Plan, str | None], bool]:
    from release.cli import release_prompt

    def ask(made: Plan, new_on: str | None) -> bool:
        if not made.needs_approval:
            return True
        with console.paused():
            return release_prompt.agreed(
                made, new_on, yes=options.yes, named=getattr(options, "new_project", None), show=console.show,
                write=_write,
            )  # fmt: skip

    return ask


def _again(options: argparse.Namespace) -> str:
    """What the user would type to run the same thing again."""
    words = ["python -m release", options.verb]
    if options.directory != Path():
        words.append(f"--directory {options.directory}")
    if options.config:
        words.append(f"--config {options.config}")
    words += [f"--index {options.index}"] if getattr(options, "index", None) else []
    words += [f"--dry-run-on {options.proving}"] if getattr(options, "proving", None) else []
    words += [f"--new-project {options.new_project}"] if getattr(options, "new_project", None) else []
    words += ["--built"] if getattr(options, "built", False) else []
    words += ["--files", *map(str, options.files)] if getattr(options, "files", None) else []
    return " ".join(words)


def _close(
    account: RunResult, made: dict[str, Any], console: Plain, ending: Iterator[Line], options: argparse.Namespace
) -> None:
    from release.reports import run_text

    if options.json:
        _write(json.dumps(run_text.run_to_json(account, made), indent=2) + "\n")
    for line in ending:
        console.show(line)


def _sandbox(options: argparse.Namespace) -> int:
    from release.sandbox import server
    from release.sandbox.seed_schema import SeedData

    world = None
    if options.world:
        try:
            world = SeedData.parse(options.world.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{str(options.world)!r} can't be read: {error}", remedy="check the path") from None
    server.serve_in_foreground(world, port=options.port, state=options.state, write=_announce)
    return Exit.DONE


def _announce(line: str) -> None:
    """The sandbox's own tokens are worth nothing elsewhere, and its user needs them: no redaction here."""
    sys.stdout.write(line if line.endswith("\n") else line + "\n")
    sys.stdout.flush()


def _verb(options: argparse.Namespace) -> int:
    if options.verb == "sandbox":
        return _sandbox(options)
    handler = commands.handler(options)
    return handler(options, _write) if handler else _run(options)
