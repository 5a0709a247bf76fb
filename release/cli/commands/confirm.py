"""`confirm` of a release that is named, by anybody, on any machine."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from release.cli.output import Write, as_json, screen, show
from release.core.errors import Exit

#: the verb itself is told of among the plans: without a release it is one
TEXTS: Mapping[str, str] = {}


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare which release is meant."""
    made["confirm"].add_argument(
        "release", nargs="?", metavar="NAME==VERSION",
        help="any release, anybody's; no project is needed (default: this project's, from its journal)",
    )  # fmt: skip
    made["confirm"].add_argument(
        "--record", type=Path, metavar="FILE", help="compare with this record of the release (record.json)"
    )


def names_a_release(options: argparse.Namespace) -> bool:
    return options.release is not None or options.record is not None


def confirm(options: argparse.Namespace, write: Write) -> int:
    """Everything that can be seen of a release from outside. Exit 0 only if all of it holds."""
    from release.adapters.system import system
    from release.publishing import confirmation, inspection
    from release.reports import published_text

    asked = confirmation.parse_request(options.release, options.record)
    directory = options.directory.resolve()
    index = inspection.find_index(options.index or "pypi", directory, options.config)
    if options.plan:
        release = {"project": asked.project.name, "version": asked.project.version, "index": index.name}
        steps = [{"step": step} for step in published_text.STEPS]
        numbered = [f"  {number}. {step}" for number, step in enumerate(published_text.STEPS, 1)]
        title = f"confirm: {asked.project.name} {asked.project.version} on {index.name}"
        show(options, write, {"schema": 1, "verb": "confirm", **release, "steps": steps}, [title, *numbered])
        return Exit.DONE
    with screen(options, write) as console:
        config = confirmation.load_config(directory, options.config, asked.project.name)
        found = confirmation.confirm_release(system.real_system(), index, asked, config=config, tell=console.tell)
        for line in published_text.confirmation_to_lines(found):
            console.show(line)
    if options.json:
        write(as_json(published_text.confirmation_to_json(found)))
    return found.exit


HANDLERS = {"confirm": confirm}
