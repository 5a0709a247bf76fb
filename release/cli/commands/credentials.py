"""Verbs about credentials: whether one works, and keeping one."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import ExitStack

from release.cli.output import Write, as_json, show
from release.core.errors import Exit

TEXTS = {
    "verify": "say whether an upload would be let in: where the credential is from, what it is, whether it works",
    "store": "take a token, try it, and keep it in the keyring where uploads look for it",
}


def arguments(made: Mapping[str, argparse.ArgumentParser]) -> None:
    """Declare the options of these verbs."""
    made["verify"].add_argument("--index", metavar="NAME", default="pypi", help="the index (default: pypi)")
    made["store"].add_argument("--index", metavar="NAME", required=True, help="the index that the token is for")
    made["store"].add_argument(
        "--insecure-backend", action="store_true", help="keep it even where the keyring is a readable file"
    )
    for verb in ("verify", "store"):
        about_a_project(made[verb])


def about_a_project(parser: argparse.ArgumentParser) -> None:
    """Declare whose credentials are meant, and whether an index may be asked."""
    parser.add_argument("--project", metavar="NAME", help="the project (default: the one of the directory)")
    parser.add_argument("--offline", action="store_true", help="ask no index")


def verify(options: argparse.Namespace, write: Write) -> int:
    """Whether an upload would be let in, tier by tier."""
    from release.adapters.keyring import keyring_process
    from release.adapters.system import system

    real = system.real_system()
    with ExitStack() as stack:
        keyring = keyring_process.start_keyring(real.env)  # it takes as long as all the imports below
        if keyring is not None:
            stack.callback(keyring.close)
        from release.credentials import verify as verification
        from release.reports import credential_text

        directory, file = options.directory.resolve(), options.config
        config, project = verification.subject(
            real, directory, file=file, name=options.project, offline=options.offline
        )
        found = verification.verify(
            real, config.index(options.index), project,
            offline=options.offline, directory=directory, waive=config.waive, keyring=keyring,
        )  # fmt: skip
    if options.json:
        write(as_json(credential_text.verification_to_json(found)))
    else:
        write("".join(f"{line.text}\n" for line in credential_text.verification_to_lines(found, quiet=options.quiet)))
    return Exit.DONE if found.verdict.passed else Exit.REFUSED


def store(options: argparse.Namespace, write: Write) -> int:
    """Take a token from the terminal or a pipe, try it, keep it in the keyring."""
    from release.cli.credential_prompts import Talk
    from release.credentials import store as storing

    talk = Talk.of(options, write)
    stored = talk.store(talk.config.index(options.index))
    show(options, write, storing.stored_to_json(stored), storing.stored_to_text(stored))
    return Exit.DONE


HANDLERS = {"verify": verify, "store": store}
