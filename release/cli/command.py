"""What a module in `release.cli.commands` provides, and what it prints and asks with."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from release.cli.terminal_size import terminal_columns
from release.core.errors import ReleaseError, UsageError
from release.core.harmless import harmless_json
from release.core.quoting import quote_path

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from release.cli.terminal.console import PlainConsole
    from release.cli.terminal.set_console import SetConsole
    from release.core.repeated_command import RepeatedCommand

Write = Callable[[str], None]


def no_arguments(_parser: argparse.ArgumentParser) -> None:
    """For a command that has only the global options."""


def to_path(text: str) -> Path:
    """An argument as a path: `pathlib` is imported where there is one."""
    from pathlib import Path

    return Path(text)


class _GlobalOption:
    """An option of several commands, which may also precede the command."""

    __slots__ = ("default", "flags", "settings")

    def __init__(self, flags: tuple[str, ...], settings: Mapping[str, Any], default: Any) -> None:
        self.flags, self.settings, self.default = flags, settings, default


_GLOBAL: Mapping[str, _GlobalOption] = {
    "directory": _GlobalOption(
        ("-C", "--directory"),
        {"type": to_path, "metavar": "DIR", "help": "the project's directory (default: .)"},
        ".",
    ),
    "config": _GlobalOption(
        ("--config",),
        {"type": to_path, "metavar": "FILE", "help": "read [tool.release] from FILE, not pyproject.toml"},
        None,
    ),
    "state_dir": _GlobalOption(
        ("--state-dir",),
        {"type": to_path, "metavar": "DIR", "help": "store files, journals and records in DIR, not in .release"},
        None,
    ),
    "plan": _GlobalOption(
        ("--plan", "--dry-run"), {"action": "store_true", "help": "show what would be done, and do nothing"}, False
    ),
    "json": _GlobalOption(
        ("--json",), {"action": "store_true", "help": "print one JSON document and nothing else"}, False
    ),
    "quiet": _GlobalOption(
        ("-q", "--quiet"), {"action": "store_true", "help": "print only problems and the result"}, False
    ),
    "verbose": _GlobalOption(("-v", "--verbose"), {"action": "count", "help": "also print what passed"}, 0),
    "color": _GlobalOption(
        ("--color",), {"choices": ("auto", "always", "never"), "help": "print in color (default: auto)"}, "auto"
    ),
    "debug": _GlobalOption(("--debug",), {"action": "store_true", "help": "write a log without secrets"}, False),
}
#: those of commands that read a project and its configuration
READS_PROJECT = frozenset({"directory", "config", "json"})
#: those of commands that do something
RUNS = READS_PROJECT | {"state_dir", "plan", "quiet", "verbose"}
#: what every command has, since each prints text
_ALWAYS = frozenset({"color", "debug"})


class Command:
    """One command of the program."""

    __slots__ = ("add_arguments", "epilog", "options", "run")

    def __init__(
        self,
        add_arguments: Callable[[argparse.ArgumentParser], None],
        run: Callable[[argparse.Namespace, Write], int],
        options: frozenset[str] = READS_PROJECT,
        epilog: str | None = None,
    ) -> None:
        #: declares the options
        self.add_arguments = add_arguments
        #: runs the command and returns the exit status. Raises ReleaseError
        self.run = run
        #: the options of several commands that mean something for this one
        self.options = options
        #: the text after the options
        self.epilog = epilog


def set_global_defaults(options: argparse.Namespace) -> None:
    """Set the options of several commands to their defaults, unless they are set already."""
    for name, option in _GLOBAL.items():
        if not hasattr(options, name):
            setattr(options, name, to_path(option.default) if name == "directory" else option.default)


def add_global_options(parser: argparse.ArgumentParser, shown: Collection[str] = tuple(_GLOBAL)) -> None:
    """Declare the options of several commands; those that mean nothing for this one do not appear in its help.

    They have no default here: one that is missing after the command must not reset the one before it. `--plan` is not
    declared where it means nothing: the command would do what the user wanted to see.
    """
    for name, option in _GLOBAL.items():
        if name == "plan" and name not in shown:
            continue
        hidden = {} if name in shown or name in _ALWAYS else {"help": argparse.SUPPRESS}
        settings = {**option.settings, "default": argparse.SUPPRESS, **hidden}
        parser.add_argument(*option.flags, dest=name, **settings)


def repeat_command(
    options: argparse.Namespace, *verb: str, arguments: Iterable[str] = (), keep: Iterable[str] = ()
) -> RepeatedCommand:
    """A command of this program for the same project, for the user's shell.

    `keep` are the names of further options of this run that it has too: a flag, one with a value, or one with several.
    """
    from pathlib import Path

    from release.adapters.system.shell_detection import detect_user_environment
    from release.adapters.system.system import real_system
    from release.core.repeated_command import RepeatedCommand

    repeated: list[tuple[str, tuple[str, ...]]] = []
    for name in ("directory", "config", "state_dir", *keep):
        value = getattr(options, name)
        if not value or value == Path():
            continue
        values = () if value is True else value if isinstance(value, list | tuple) else (value,)
        repeated.append((f"--{name.replace('_', '-')}", tuple(map(_to_word, values))))
    return RepeatedCommand(
        verb=verb, arguments=tuple(arguments), options=tuple(repeated),
        shell=detect_user_environment(real_system().env).shell_name,
    )  # fmt: skip


def _to_word(value: object) -> str:
    """The value of an option; a path that starts with a dash is no option."""
    from pathlib import Path

    return f"./{value}" if isinstance(value, Path) and str(value).startswith("-") else str(value)


def show(options: argparse.Namespace, write: Write, document: Any, lines: Iterable[str]) -> None:
    """Write the document with `--json`, else the lines."""
    write(harmless_json(document) if options.json else "".join(f"{line}\n" for line in lines))


def fit_lines(lines: Iterable[str]) -> Iterator[str]:
    """The lines without secrets, wrapped at words on a terminal that is narrower."""
    width = output_width()
    if width is None:
        yield from lines
        return
    from release.core.redaction import redact
    from release.reports.line_width import fit_line

    yield from (fit_line(redact(line), width) for line in lines)


def output_width() -> int | None:
    """The columns of the terminal; None where the output is no terminal."""
    return terminal_columns() if sys.stdout.isatty() else None


def expand_patterns(paths: Iterable[Path]) -> list[Path]:
    """The paths, and in place of `dist/*` what it matches: not every shell replaces it.

    Raises `UsageError` for a pattern that matches nothing.
    """
    from glob import glob, has_magic

    from release.core.shell import quote_argument

    expanded: list[Path] = []
    for path in paths:
        if path.exists() or not has_magic(str(path)):
            expanded.append(path)
            continue
        found = sorted(glob(str(path)))  # noqa: PTH207 - of absolute paths, too
        if not found:
            directory = quote_argument("posix", path.parent.as_posix())
            raise UsageError(
                f"no file matches {quote_path(path)}", remedy=f"build first: pypi-preflight build --output {directory}"
            )
        expanded += map(to_path, found)
    return expanded


def open_console(options: argparse.Namespace, write: Write) -> PlainConsole:
    """The console for this run: none for JSON, annotations in GitHub Actions, a live display on a terminal."""
    from release.cli.terminal import console

    actions = os.environ.get("GITHUB_ACTIONS") == "true"
    mask = _write_to_runner if actions else None
    if options.json:
        return console.PlainConsole(lambda _text: None, mask=mask, quiet=True)
    if actions:
        return console.ActionsConsole(write, mask=mask, quiet=options.quiet)
    forced = options.color == "auto" and os.environ.get("FORCE_COLOR") and not os.environ.get("NO_COLOR")
    if (forced or options.color == "always") and not sys.stdout.isatty():
        from release.cli.terminal.live_display import ColorConsole

        return ColorConsole(write, quiet=options.quiet, verbose=options.verbose > 0)
    if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and _encodes_display():
        from release.cli.terminal.live_display import TerminalConsole  # needs rich

        return TerminalConsole(
            write, quiet=options.quiet, verbose=options.verbose > 0, color=options.color
        )  # fmt: skip
    return console.PlainConsole(write, quiet=options.quiet, verbose=options.verbose > 0)


def _encodes_display() -> bool:
    """Whether the encoding of the terminal has the signs of a live display, which rich writes as they are."""
    try:
        "⠋━╸…→✓✕".encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def open_set_console(options: argparse.Namespace, write: Write) -> SetConsole:
    """The console for a run of a set: as for one run, with many members at work."""
    from release.cli.terminal.set_console import SetConsole

    return SetConsole(
        open_console(options, write), quiet=options.quiet or options.json,
        width=terminal_columns,
    )  # fmt: skip


def _write_to_runner(command: str) -> None:
    """Write a workflow command unredacted, so that the runner masks its secret; on stderr, since stdout may be JSON."""
    sys.stderr.write(command)
    sys.stderr.flush()


def require_prompt(options: argparse.Namespace) -> None:
    """Raise `ReleaseError` where the command has to ask before it changes anything, and cannot."""
    if not (options.plan or options.yes) and (options.json or not sys.stdin.isatty()):
        why = "--json prints no prompt" if options.json else "cannot prompt: standard input is not a terminal"
        raise ReleaseError(why, remedy="pass --yes to skip the prompt, or --plan to see what would be changed")


def ask_yes_no(write: Write, question: str) -> bool:
    """Ask on the terminal; anything but y or yes is a no."""
    write(f"{question} [y/N] ")
    return read_line().lower() in {"y", "yes"}


def read_line() -> str:
    """A line of standard input; empty if there is none."""
    try:
        return sys.stdin.readline().strip()
    except (OSError, ValueError):
        return ""
