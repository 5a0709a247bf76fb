"""Questions about credentials, asked with somebody there to answer: what to mend, which token to keep.

Nobody is asked where standard input or output is no terminal.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from release.adapters import collect
from release.adapters.system import system as systems
from release.adapters.system.system import System
from release.core.config import Config
from release.core.errors import ReleaseError, UsageError
from release.core.facts import Access, ProjectMetadata
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.verification import Verification
from release.core.secret import Secret
from release.core.tokens.defects import BLANKS
from release.credentials import log_diagnosis, repairs, verify
from release.credentials import store as storing
from release.credentials.repairs import Repair
from release.credentials.store import StoredToken

#: how often a token that is plainly broken is asked for again
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A question about this machine's credentials, and whoever asks it."""

    system: System
    directory: Path
    config: Config
    project: ProjectMetadata | Unknown
    #: whether no index is asked
    offline: bool
    #: whether a readable file will do as a keyring
    insecure: bool
    #: whether somebody can be asked
    terminal: bool
    write: Callable[[str], None]

    @classmethod
    def of(cls, options: argparse.Namespace, write: Callable[[str], None]) -> Talk:
        """For the project that `--project` or the directory names; there need be none. Raises ConfigError."""
        system, directory = systems.real_system(), options.directory.resolve()
        config, project = subject(system, directory, options)
        return cls(
            system=system, directory=directory, config=config, project=project, offline=options.offline,
            insecure=getattr(options, "insecure_backend", False), write=write,
            terminal=not (options.json or options.quiet) and sys.stdin.isatty() and sys.stdout.isatty(),
        )  # fmt: skip

    def look(self, index: Index, name: str | None = None, *, system: System | None = None) -> Verification:
        """What there is for an index and a project, which is the directory's unless it is named."""
        project = ProjectMetadata(name=name, version="") if name else self.project
        return verify.verify(
            system or self.system, index, project,
            offline=self.offline, directory=self.directory, waive=self.config.waive,
        )  # fmt: skip

    def walk(self) -> Sequence[Verification]:
        """Every configured index; all at the same time, since each may wait for a keyring."""
        jobs = [partial(_look, self, index) for index in self.config.indexes.values()]
        return systems.run_jobs(self.system, jobs, workers=len(jobs))

    def mend(self, walk: Sequence[Verification]) -> None:
        """Offer what can be mended, one thing at a time; then, for the worst that is left, a new token."""
        if not self.terminal:
            return
        mended = [one.access.index for one in walk if self._mended(one)]
        walk = [self.look(one.access.index) if one.access.index in mended else one for one in walk]
        now = [one for one in walk if one.access.index in mended]
        self.write("".join(f"{one.access.index.name} is now: {one.verdict.word}\n" for one in now))
        worst = log_diagnosis.worst_index(walk)
        if worst is None or worst.verdict.cause not in repairs.FIXED_BY_NEW_TOKEN:
            return
        index = worst.access.index
        if self._asked(f"\nStore a new token for {index.name} now?"):
            self.write("".join(f"{line}\n" for line in storing.stored_to_text(self.store(index))))

    def _mended(self, seen: Verification) -> bool:
        """Whether anything was mended for an index. After each change the rest is looked at anew."""
        asked: set[tuple[str, str]] = set()
        access, done = seen.access, False
        while one := self._next(access, seen, asked):
            asked.add((one.cause, one.title))
            if self._agreed(one):
                access, done = replace(self, offline=True).look(access.index).access, True
        return done

    def _next(self, access: Access, seen: Verification, asked: Collection[tuple[str, str]]) -> Repair | None:
        found = repairs.propose_repairs(self.system, access, seen.verdict.causes)
        return next((one for one in found if (one.cause, one.title) not in asked), None)

    def store(self, index: Index) -> StoredToken:
        """Take a token from the terminal or a pipe, try it, keep it. Raises ReleaseError."""
        return storing.store_token(
            self.system, index, self._token(index), self.project,
            offline=self.offline, insecure=self.insecure, directory=self.directory,
        )  # fmt: skip

    def _agreed(self, one: Repair) -> bool:
        """Show a change, ask, make it. Returns whether it was made."""
        self.write(f"\n{one.title} ({one.where})\n")
        self.write(f"  - {one.before}\n" * bool(one.before) + f"  + {one.after}\n" * bool(one.after))
        if not self._asked("Do it?"):
            return False
        try:
            one.apply()
        except (ReleaseError, OSError) as error:
            self.write(f"not done: {error}\n")
            return False
        self.write("done\n")
        return True

    def _asked(self, question: str) -> bool:
        self.write(f"{question} [y/N] ")
        return sys.stdin.readline().strip().lower() in {"y", "yes"}

    def _token(self, index: Index) -> Secret:
        """A token that looks whole. A broken one is asked for again, where somebody is there."""
        for attempt in range(_ATTEMPTS):
            secret = typed(index)
            broken = storing.token_defect(index, secret)
            if broken is None:
                return secret
            if not sys.stdin.isatty() or attempt == _ATTEMPTS - 1:
                raise ReleaseError(f"not stored: {broken.message}", remedy=broken.remedy, cause=broken.cause)
            self.write(f"{broken.message}\n→ {broken.remedy}\n")
        raise AssertionError("the last attempt returns or raises")


def subject(system: System, directory: Path, options: argparse.Namespace) -> tuple[Config, ProjectMetadata | Unknown]:
    name = options.project or collect.load_project_name(directory)
    if name is not None:
        return verify.subject(system, directory, file=options.config, name=name)
    config = collect.load_config(directory, options.config, needs_project=False)
    return config, Unknown(reason="the project's name is not known", remedy="name it: --project NAME")


def _look(talk: Talk, index: Index, system: System) -> Verification:
    return talk.look(index, system=system)


def typed(index: Index, verb: str = "store") -> Secret:
    """One line, from whoever is there: typed without echo, or out of a pipe. Raises UsageError where none comes."""
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        if not line:
            raise UsageError("no token on standard input", remedy=f'pass it: printf %s "$TOKEN" | … {verb} …')
        return Secret(line.strip(BLANKS))
    from getpass import getpass

    try:
        return Secret(getpass(f"API token for {index.name} (nothing is shown): ").strip(BLANKS))
    except EOFError:
        raise UsageError("no token was given", remedy="run it again, and paste the token") from None
