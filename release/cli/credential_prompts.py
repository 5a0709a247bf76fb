"""Prompts about credentials: which repairs to make, and which token to store.

There are no prompts unless standard input and output are a terminal.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from release.adapters import project_config
from release.adapters.system import parallel
from release.adapters.system import system as systems
from release.adapters.system.shell_detection import detect_user_environment
from release.adapters.system.system import System
from release.checks import credential_remedies
from release.checks.all_checks import check_names
from release.cli.command import Write, ask_yes_no
from release.core import shell
from release.core.config import Config
from release.core.errors import ReleaseError, UsageError
from release.core.facts import Access, ProjectMetadata
from release.core.harmless import harmless_lines
from release.core.models.check_result import BlockingProblem, Unknown
from release.core.models.credential import Credential, StoredSecret
from release.core.models.index import Index
from release.core.models.results import Verification
from release.core.models.secret_location import DEFAULT_USERNAME, NotStored, SecretLocation, location_to_text
from release.core.secret import Secret
from release.core.tokens.defects import BLANKS
from release.credentials import log_diagnosis, repairs, verify
from release.credentials import store as storing
from release.credentials.repairs import Repair
from release.credentials.store import StoredToken

#: how often to prompt for a token that has a visible defect
_ATTEMPTS = 3


class CredentialSession(Struct, frozen=True, kw_only=True):
    """Verifies, repairs and stores the credentials of one project."""

    system: System
    directory: Path
    config: Config
    project: ProjectMetadata | Unknown
    #: whether to contact no index
    offline: bool
    #: whether to accept a keyring that is a readable file
    insecure: bool
    #: whether prompts are possible
    terminal: bool
    write: Write

    @classmethod
    def from_options(cls, options: argparse.Namespace, write: Write) -> CredentialSession:
        """For the project of `--project` or of the directory, if there is one. Raises ConfigError."""
        system, directory = systems.real_system(), options.directory.resolve()
        config, project = load_project(system, directory, options)
        return cls(
            system=system, directory=directory, config=config, project=project, offline=options.offline,
            insecure=getattr(options, "insecure_backend", False), write=write,
            terminal=not (options.json or options.quiet) and sys.stdin.isatty() and sys.stdout.isatty(),
        )  # fmt: skip

    def verify(self, index: Index, name: str | None = None, system: System | None = None) -> Verification:
        """Verify the credential for an index and a project, by default this session's."""
        project = ProjectMetadata(name=name, version="") if name else self.project
        return verify.verify_credential(
            system or self.system, index, project,
            offline=self.offline, directory=self.directory, waive=self.config.waive,
            warn_before=self.config.warn_before,
        )  # fmt: skip

    def verify_all(self) -> Sequence[Verification]:
        """Verify the credentials for all configured indexes, in parallel, since each may wait for a keyring."""
        jobs = [partial(self.verify, index, None) for index in self.config.indexes.values()]
        return parallel.run_jobs(self.system, jobs, workers=len(jobs))

    def offer_repairs(self, found: Sequence[Verification]) -> None:
        """Offer the repairs one by one; then a new token, where the worst remaining problem needs one."""
        if not self.terminal:
            return
        repaired = {one.access.index.name: self.verify(one.access.index) for one in found if self._repair(one)}
        self.write("".join(f"{name} is now: {one.verdict_text}\n" for name, one in repaired.items()))
        for one in self._without_token([repaired.get(one.access.index.name, one) for one in found]):
            index, line = one.access.index, repairs.line_to_replace(one.access)
            own = line is None and storing.belongs_to_project(one.access, one.verdict.cause)
            place = f" in place of {location_to_text(line.location)}" if line else ""
            if ask_yes_no(self.write, f"\nStore a new token for {index.name}{place} now?"):
                stored = self.store(index, own=own, line=line)
                self.write("".join(f"{text}\n" for text in storing.stored_to_text(stored)))

    def _without_token(self, found: Sequence[Verification]) -> Sequence[Verification]:
        """The indexes that need a new token: those with a wrong one, or else the worst if it has none."""
        needed = [one for one in found if credential_remedies.is_fixed_by_new_token(one.verdict.cause)]
        possible = [one for one in needed if one.access.user.can_store or repairs.line_to_replace(one.access)]
        wrong = [one for one in possible if one.verdict.cause != "cred.missing"]
        return wrong or [one for one in possible if one is log_diagnosis.worst_index(found)]

    def _repair(self, found: Verification) -> bool:
        """Whether a repair was made for an index. After each one the credential is verified again."""
        offered: set[tuple[str, str]] = set()
        access, repaired = found.access, False
        while one := self._next_repair(access, found, offered):
            offered.add((one.cause, one.title))
            if self._apply(one):
                access, repaired = replace(self, offline=True).verify(access.index).access, True
        return repaired

    def _next_repair(self, access: Access, found: Verification, offered: Collection[tuple[str, str]]) -> Repair | None:
        proposals = repairs.propose_repairs(self.system, access, found.verdict.causes)
        return next((one for one in proposals if (one.cause, one.title) not in offered), None)

    def store(self, index: Index, *, own: bool = False, line: StoredSecret | None = None) -> StoredToken:
        """Read a token from the terminal or a pipe, verify it and store it. Raises ReleaseError.

        In the keyring, `own`: for this session's project only; or in the `line` of `.pypirc` that has the old one.
        """
        return storing.store_token(
            self.system, index, self._read_token(index, own=own), self.project,
            own=own, offline=self.offline, insecure=self.insecure, directory=self.directory, line=line,
        )  # fmt: skip

    def renew(self, access: Access, problem: BlockingProblem) -> Credential | None:
        """Offer to store a new token in place of one that stops a run; None: the user declines, or it does not work.

        Where it cannot be stored, it is used for this run only.
        """
        index, line = access.index, repairs.line_to_replace(access)
        kept = line is not None or access.user.can_store
        verb = "Store a new token" if kept else "Use a new token for this run"
        self.write(f"{index.name}: {problem.message}\n")
        if not ask_yes_no(self.write, f"{verb} and continue?"):
            return None
        origin: SecretLocation = NotStored(description="your input")
        try:
            if kept:
                own = line is None and storing.belongs_to_project(access, problem.cause)
                stored = self.store(index, own=own, line=line)
                self.write("".join(f"  {text}\n" for text in storing.stored_to_text(stored)))
                secret, origin = stored.secret, stored.location
            else:
                secret = self._read_token(index, own=False)
        except ReleaseError as error:
            self.write(f"{error.message}\n→ {error.remedy}\n")
            return None
        return Credential(username="__token__", username_origin=DEFAULT_USERNAME, password=secret, origin=origin)

    def _apply(self, one: Repair) -> bool:
        """Show a repair, ask, and make it. Returns whether it was made."""
        self.write(f"\n{one.title} ({one.where})\n")
        self.write(f"  - {one.before}\n" * bool(one.before) + f"  + {one.after}\n" * bool(one.after))
        if not ask_yes_no(self.write, "Make this change?"):
            return False
        try:
            one.apply()
        except (ReleaseError, OSError) as error:
            self.write(f"not changed: {error}\n")
            return False
        self.write("changed\n")
        return True

    def _read_token(self, index: Index, *, own: bool) -> Secret:
        """Read a token without visible defects; on a terminal, prompt again after a defective one."""
        if self.terminal and index.kind == "warehouse":
            self.write(f"create a token at {credential_remedies.token_page(index)}\n")
        name = self.project.name if own and isinstance(self.project, ProjectMetadata) else None
        for attempt in range(_ATTEMPTS):
            secret = read_token(index, project=name)
            defect = storing.token_defect(index, secret)
            if defect is None:
                return secret
            if not sys.stdin.isatty() or attempt == _ATTEMPTS - 1:
                raise ReleaseError(f"not stored: {defect.message}", remedy=defect.remedy, cause=defect.cause)
            self.write(f"{defect.message}\n→ {defect.remedy}\n")
        raise AssertionError("the last attempt returns or raises")


def load_project(
    system: System, directory: Path, options: argparse.Namespace
) -> tuple[Config, ProjectMetadata | Unknown]:
    """The configuration, and the project that `--project` or the directory names. Raises ConfigError."""
    name = options.project or project_config.load_project_name(directory)
    if name is not None:
        return verify.load_config_and_project(system, directory, file=options.config, name=name)
    config = project_config.load_config(directory, options.config, check_names=check_names, needs_project=False)
    return config, Unknown(reason="the project's name is unknown", remedy="pass --project NAME")


def _pipe_command(index: Index, command: str, project: str | None) -> str:
    """The command with a token on its standard input."""
    user = detect_user_environment(systems.real_system().env)
    given = ("--project", project) if project else ()
    options = ("--index", index.name, *given, *(("--yes",) * (command == "rotate")))
    return shell.pipe_variable(user.shell_name, "TOKEN", credential_remedies.own_command(user, command, *options))


def read_token(index: Index, command: str = "store", project: str | None = None) -> Secret:
    """Read a token from a pipe, or from the terminal without echo. Raises UsageError if there is none.

    `project`: the one that the token is for; None: for every project.
    """
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        if not line:
            raise UsageError("no token on standard input", remedy=_pipe_command(index, command, project))
        return Secret(line.strip(BLANKS))
    from getpass import getpass

    try:
        purpose = f"{index.name}, project {project}" if project else index.name
        return Secret(getpass(harmless_lines(f"API token for {purpose} (input is hidden): ")).strip(BLANKS))
    except EOFError:
        raise UsageError("no token was entered", remedy="run the command again, and paste the token") from None
