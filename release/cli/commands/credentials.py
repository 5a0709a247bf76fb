"""The commands that verify and store a credential."""

from __future__ import annotations

import argparse
from contextlib import ExitStack

from release.cli.command import READS_PROJECT, Command, Write, fit_lines, show
from release.core.errors import Exit, UsageError


def add_project_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", metavar="NAME", help="the project (default: the project in the directory)")
    parser.add_argument("--offline", action="store_true", help="contact no index")


def _add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", metavar="NAME", default="pypi", help="the index (default: pypi)")
    add_project_arguments(parser)
    parser.add_argument(
        "--exchange", action="store_true",
        help="in a CI job, prove its trusted publisher: exchange the identity for a token, and revoke it at once; this "
        "leaves two lines in the project's security history (token created, token revoked)",
    )  # fmt: skip


def _verify(options: argparse.Namespace, write: Write) -> int:
    from release.adapters.keyring import keyring_process
    from release.adapters.system import system

    if options.exchange and options.offline:
        raise UsageError("--exchange contacts the index, and --offline does not", remedy="omit one of the two")
    real = system.real_system()
    with ExitStack() as stack:
        keyring = keyring_process.start_keyring(real.env)  # it takes as long as all the imports below
        if keyring is not None:
            stack.callback(keyring.close)
        from release.credentials import verify as verification
        from release.reports import credential_text

        directory, file = options.directory.resolve(), options.config
        config, project = verification.load_config_and_project(
            real, directory, file=file, name=options.project, offline=options.offline
        )
        found = verification.verify_credential(
            real, config.index(options.index), project,
            offline=options.offline, directory=directory, waive=config.waive, keyring=keyring,
            without_keyring=keyring is None,
            warn_before=config.warn_before,
            exchange=options.exchange or (config.exchange == "always" and not options.offline),
        )  # fmt: skip
    lines = fit_lines(credential_text.verification_to_text(found, quiet=options.quiet, verbose=options.verbose > 0))
    show(options, write, credential_text.verification_to_json(found), lines)
    return Exit.DONE if found.verdict.passed else Exit.REFUSED


def _add_store_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--index", metavar="NAME", required=True, help="the index that the token is for")
    parser.add_argument("--insecure-backend", action="store_true", help="accept a keyring that is a readable file")
    parser.add_argument(
        "--project", metavar="NAME", help="store it as this project's own token (default: for every project)"
    )
    parser.add_argument("--offline", action="store_true", help="contact no index")


def _store(options: argparse.Namespace, write: Write) -> int:
    from release.cli.credential_prompts import CredentialSession
    from release.credentials import store as storing

    session = CredentialSession.from_options(options, write)
    stored = session.store(session.config.index(options.index), own=options.project is not None)
    show(options, write, storing.stored_to_json(stored), fit_lines(storing.stored_to_text(stored)))
    return Exit.DONE


COMMANDS = {
    "verify": Command(_add_verify_arguments, _verify, READS_PROJECT | {"quiet", "verbose"}),
    "store": Command(_add_store_arguments, _store),
}
