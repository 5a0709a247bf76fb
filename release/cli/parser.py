"""The command line: options of every command, options of each, and what a wrong one is answered with."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence

from release.cli.command import add_global_options, set_global_defaults
from release.cli.commands import COMMANDS, GROUPS, load_command
from release.cli.output_streams import write_output
from release.cli.terminal_size import terminal_columns
from release.core.errors import UsageError

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from typing import Any, Never

PROGRAM = "pypi-preflight"
_DESCRIPTION = "Release Python packages: green means PyPI accepts the upload, red names the cause."
_EPILOG = (
    "exit status: 0 done · 1 refused, nothing uploaded · 2 usage or configuration error · "
    "3 upload failed, the index is unchanged · 4 some files are on the index, the release is incomplete"
)
#: the commands that handle a token: what is passed to them may be one
_TOKENS = frozenset({"store", "rotate"})
#: columns for the names of commands in the help
_NAMES = 13


class Formatter(argparse.HelpFormatter):
    """Formats help for the terminal: argparse imports `shutil` to ask for its width."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=terminal_columns() - 2)


class Parser(argparse.ArgumentParser):
    """Raises `UsageError` for a wrong command line, with the command that shows the right ones.

    Its help is plain on every Python: argparse colors it from 3.14 on, but not the list of commands, which is ours.
    """

    def __init__(self, **settings: Any) -> None:
        if sys.version_info >= (3, 14):
            settings["color"] = False
        super().__init__(formatter_class=Formatter, **settings)

    def error(self, message: str) -> Never:
        raise UsageError(message, remedy=f"see: {self.prog} --help")

    def print_help(self, file: object = None) -> None:
        assert file is None, "help is for standard output"
        write_output(self.format_help())

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Suggest the closest choice, which argparse does from Python 3.14 on."""
        if action.choices is None or value in action.choices:
            return
        from release.core.similar_words import did_you_mean

        choices = [str(choice) for choice in action.choices]
        hint = did_you_mean(str(value), choices) or f" (choose from {', '.join(choices)})"
        if not action.option_strings:
            raise self._no_argument(str(value), str(action.metavar or action.dest).lower(), hint)
        raise argparse.ArgumentError(action, f"invalid choice: {str(value)!r}{hint}")

    def _no_argument(self, value: str, kind: str, hint: str) -> UsageError:
        from release.cli.other_tools import answer_argument

        command = self.prog.removeprefix(f"{PROGRAM} ")
        message = f"{command!r} has no {kind} {value!r}{hint}"
        return answer_argument(command, value) or UsageError(message, remedy=f"see: {self.prog} --help")


class _SubParser(Parser):
    """A command of the full parser: without help, only its name, which is all that completes another command."""

    def __init__(self, *, prog: str, add_help: bool = True, **settings: Any) -> None:
        if add_help:
            super().__init__(prog=prog, **settings)
        else:
            self.prog, self.formatter_class, self.color = prog, Formatter, False
            self._actions = []

    def __repr__(self) -> str:
        return f"_SubParser({self.prog!r})"


class _RootParser(Parser):
    """The options before a command. Its help is the list of all commands, by purpose."""

    def format_help(self) -> str:
        lines = [f"usage: {PROGRAM} [OPTIONS] COMMAND ...", "", _DESCRIPTION]
        for group, names in GROUPS.items():
            lines += ["", f"{group}:", *(f"  {name:<{_NAMES}}{COMMANDS[name].text}" for name in names)]
        formatter = self._get_formatter()
        formatter.start_section("options, before or after the command")
        formatter.add_arguments(action for action in self._actions if action.option_strings)
        formatter.end_section()
        formatter.add_text(_EPILOG)
        formatter.add_text(f"options of a command: {PROGRAM} COMMAND --help")
        return "".join(f"{line}\n" for line in lines) + "\n" + formatter.format_help()


def parse_command_line(words: Sequence[str], options: argparse.Namespace) -> argparse.Namespace:
    """Parse the words into `options`. Raises `UsageError`; prints the help and exits where it is asked for.

    Without a command, and without `--version`, `command` is None.
    """
    root = root_parser()
    _, early = root.parse_known_args(words, options)
    set_global_defaults(options)
    if options.command == "help":
        options.command, *rest = options.words or [None]
        options.words = [*rest, "--help"]
    if options.command is None:
        if early:
            raise _unknown_option(root, early, None, early)
        return options
    if options.command not in COMMANDS:
        from release.cli.other_tools import unknown_command

        raise unknown_command(options.command, [*early, *options.words])
    parser = command_parser(options.command)
    if options.plan and "plan" not in load_command(options.command).options:
        raise _unknown_option(parser, ["--plan"], options.command)
    _, unknown = parser.parse_known_args([*early, *options.words], options)
    if unknown:
        raise _unknown_option(parser, unknown, options.command, [*early, *options.words])
    return options


def command_parser(name: str) -> Parser:
    """The options of one command."""
    parser = Parser(prog=f"{PROGRAM} {name}", description=_sentence(COMMANDS[name].text))
    _fill(parser, name)
    return parser


def full_parser(loaded: Iterable[str] = tuple(COMMANDS)) -> argparse.ArgumentParser:
    """One parser with all commands, for completion and documentation; the options of the commands in `loaded`."""
    root, loaded = root_parser(commands=False), set(loaded)
    commands = root.add_subparsers(dest="command", metavar="COMMAND", parser_class=_SubParser)
    for name, entry in COMMANDS.items():
        parser = commands.add_parser(name, help=entry.text, description=_sentence(entry.text), add_help=name in loaded)
        if name in loaded:
            _fill(parser, name)
    return root


def root_parser(*, commands: bool = True) -> Parser:
    """The options before a command; `commands`: with the command and the words after it, not parsed yet."""
    root = _RootParser(prog=PROGRAM, description=_DESCRIPTION, epilog=_EPILOG)
    text = "show the version; with -v: also the server that the rules follow, and the libraries"
    root.add_argument("-V", "--version", action="store_true", dest="show_version", help=text)
    add_global_options(root)
    if commands:
        root.add_argument("command", nargs="?", help=argparse.SUPPRESS)
        root.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return root


def _fill(parser: argparse.ArgumentParser, name: str) -> None:
    command = load_command(name)
    parser.epilog = command.epilog
    command.add_arguments(parser)
    add_global_options(parser, command.options)
    parser.set_defaults(run=command.run)


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _unknown_option(
    parser: argparse.ArgumentParser, unknown: Sequence[str], command: str | None, words: Sequence[str] = ()
) -> UsageError:
    """The error for words that a command does not have. Values are not repeated: one may be a password."""
    from release.cli.other_tools import answer_option, option_name
    from release.core.similar_words import closest_words

    options = [option_name(word) for word in unknown if word.startswith("-") and word != "-"]
    first = options[0] if options else unknown[0]
    if (answered := answer_option(command or "release", first, words)) is not None:
        return answered
    where = f"{command!r} has" if command else "there is"
    if not options and command in _TOKENS:
        remedy = f"omit it: the token is prompted for, or read from standard input; see: {parser.prog} --help"
        return UsageError(f"{command!r} takes no token as an argument, which every program can read", remedy=remedy)
    if not options:
        return UsageError(f"{where} no argument {first!r}", remedy=f"see: {parser.prog} --help")
    known = [flag for action in parser._actions for flag in action.option_strings]  # noqa: SLF001 - the only list of them
    names = [flag.removeprefix("--") for flag in known if flag.startswith("--")]  # with their dashes, all are alike
    near = closest_words(first.lstrip("-"), names)
    hint = f": did you mean '--{near[0]}'?" if near else ""
    return UsageError(f"{where} no option {first!r}{hint}", remedy=f"see: {parser.prog} --help")
