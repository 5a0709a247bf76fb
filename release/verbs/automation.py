"""Verbs that write what other platforms run: workflows, and schedules."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from release.errors import Exit
from release.verbs.writing import Write, show

TEXTS = {"ci": "print a workflow that releases: build once, the same files to TestPyPI and to PyPI"}


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of these verbs."""
    own = made["ci"]
    own.add_argument("service", choices=("github", "gitlab"), help="whose workflow")
    wheels = own.add_mutually_exclusive_group()
    wheels.add_argument("--binary", action="store_true", default=None, help="wheels depend on the machine")
    wheels.add_argument("--pure", action="store_false", dest="binary", help="they do not (default: as it looks)")
    own.add_argument(
        "--requirements", metavar="FILE",
        help="the workflow installs its tools from this file of the project, with hashes (default: by version)",
    )  # fmt: skip
    own.add_argument("--output", type=Path, metavar="FILE", help="write it there, not to standard output")
    own.add_argument("--force", action="store_true", help="replace the file even where it says something else")


def ci(options: argparse.Namespace, write: Write) -> int:
    """A workflow, on standard output or in a file."""
    from release import workflows
    from release.adapters import system

    pipeline = workflows.pipeline(
        system.real(), options.directory.resolve(),
        file=options.config, wheels=options.binary, lock=options.requirements,
    )  # fmt: skip
    text = workflows.RELEASES[options.service](pipeline)
    deliver(options, write, {"schema": 1, "service": options.service, "binary": pipeline.binary}, text)
    return Exit.DONE


def deliver(options: argparse.Namespace, write: Write, document: dict[str, object], text: str) -> None:
    """Write a text to the file that is asked for, or else to the reader."""
    from release import workflows

    if options.output is None:
        show(options, write, document | {"text": text}, text.splitlines())
        return
    changed = workflows.keep(options.output, text, force=options.force)
    said = f"{'written' if changed else 'unchanged'}: {options.output}"
    show(options, write, document | {"file": str(options.output), "changed": changed}, [said])


HANDLERS = {"ci": ci}
