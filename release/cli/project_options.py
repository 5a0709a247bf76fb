"""Commands of this program in remedies get the options that name the project, where this command line has them.

A remedy is written where the command line is not known. Pasted without `--directory` it would do its work elsewhere.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from release.cli.commands import COMMANDS

if TYPE_CHECKING:
    from release.core.events import Event
    from release.core.models.check_result import Outcome

#: commands that ask no project, or that name another one
_OTHERS = frozenset({"explain", "completion", "sandbox", "schedule", "tokens"})
#: commands that store or read files of a run
_WITH_STATE = frozenset({"check", "build", "rehearse", "testpypi", "publish", "release", "prepare", "status", "report"})
#: commands of a project that may be a member of a set
_OF_ONE_PROJECT = frozenset({"check", "build", "rehearse", "testpypi", "publish", "release", "confirm"})
_VERBS = "|".join(name for name in COMMANDS if name not in _OTHERS | {"set"})
#: a command to its end: words of a sentence follow a semicolon or a backtick
_COMMAND = re.compile(
    rf"(pypi-preflight (?:(?P<set>set) )?(?P<verb>(?(set)[a-z]+|(?:{_VERBS})))(?![\w-])(?:(?<= ci) \w+)?)"
    r"(?P<rest>[^;`\n]*)"
)
_OPTIONS = ("directory", "config", "state_dir")
_NAMED = re.compile(r"(?:^| )(?:--directory|--files|-C)\b|\.whl\b|==")


def complete_commands(text: str, options: argparse.Namespace) -> str:
    """The text with `--directory`, `--config` and `--state-dir` of this command line in commands that lack them."""
    if "pypi-preflight " not in text or not _given(options):
        return text
    from release.cli.command import repeat_command

    def complete(found: re.Match[str]) -> str:
        # a member's command line names the member, not the root of the set
        of_a_member = found["set"] is not None and options.command in _OF_ONE_PROJECT
        if of_a_member or _NAMED.search(found["rest"]):
            return found[0]
        state = found["set"] is not None or found["verb"] in _WITH_STATE
        named = {name: getattr(options, name, None) for name in _OPTIONS}
        given = argparse.Namespace(**named | ({} if state else {"state_dir": None}))
        words = str(repeat_command(given)).removeprefix("pypi-preflight")
        return f"{found[1]}{words}{found['rest']}"

    return _COMMAND.sub(complete, text)


def complete_outcome(outcome: Outcome, options: argparse.Namespace) -> Outcome:
    """The outcome with complete commands in its remedies."""
    from msgspec.structs import replace

    findings = (replace(one, remedy=complete_commands(one.remedy, options)) for one in outcome.findings)
    return replace(outcome, findings=tuple(findings), remedy=complete_commands(outcome.remedy, options))


def complete_event(event: Event, options: argparse.Namespace) -> Event:
    """The event with complete commands in the remedies of a check."""
    from msgspec.structs import replace

    from release.core.events import CheckFinished

    if isinstance(event, CheckFinished) and _given(options):
        return replace(event, outcome=complete_outcome(event.outcome, options))
    return event


def _given(options: argparse.Namespace) -> bool:
    return any((value := getattr(options, name, None)) is not None and value != Path() for name in _OPTIONS)
