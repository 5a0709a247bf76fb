"""The verbs that are no plan: they look, explain, mend, and release nothing.

Each module has the texts, options and handlers of a few. A handler gets the options and where to write;
`release.cli.main` prints, catches, and exits.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from release.cli.commands import automation, confirm, credentials, diagnose, inspect, report, rotate, tokens
from release.cli.output import Write

_MODULES = (inspect, diagnose, credentials, confirm, tokens, rotate, report, automation)

TEXTS: Mapping[str, str] = {verb: text for module in _MODULES for verb, text in module.TEXTS.items()}
Handler = Callable[[argparse.Namespace, Write], int]
HANDLERS: Mapping[str, Handler] = {verb: handler for module in _MODULES for verb, handler in module.HANDLERS.items()}


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of these verbs."""
    for module in _MODULES:
        module.arguments(made)


def handler(options: argparse.Namespace) -> Handler | None:
    """What does the verb; None where it is a plan, as `confirm` is while no release is named."""
    if options.verb == "confirm" and not confirm.names_a_release(options):
        return None
    return HANDLERS.get(options.verb)
