"""Ask git once what several projects of one repository want to know."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from release.adapters.system.process import Completed
from release.adapters.system.system import System
from release.core.errors import ToolError

#: what changes neither a repository nor its remote
_READING = frozenset({
    "check-ignore", "config", "for-each-ref", "log", "ls-files", "ls-remote", "remote", "rev-list", "rev-parse", "show",
    "status", "symbolic-ref",
})  # fmt: skip


class GitAnswers(Struct, frozen=True, kw_only=True):
    """The answers of git so far, also those of remotes, by directory and command; for several threads.

    They are those of one moment: use them while nothing changes the repositories.
    """

    _known: dict[tuple[Path, tuple[str, ...]], Completed | ToolError] = field(default_factory=dict)
    _locks: defaultdict[tuple[Path, tuple[str, ...]], threading.Lock] = field(
        default_factory=lambda: defaultdict(threading.Lock)
    )

    def shared(self, system: System) -> System:
        """The same system, which runs each reading command of git once in a directory, failures included."""

        def run(argv: Sequence[str], *, cwd: Path | None = None, **options: Any) -> Completed:
            if cwd is None or not _only_reads(argv):
                return system.run(argv, cwd=cwd, **options)
            key = (cwd.resolve(), tuple(argv))
            with self._locks[key]:
                if key not in self._known:
                    try:
                        self._known[key] = system.run(argv, cwd=cwd, **options)
                    except ToolError as error:
                        self._known[key] = error
                found = self._known[key]
            if isinstance(found, ToolError):
                raise found
            return found

        return replace(system, run=run)


def _only_reads(argv: Sequence[str]) -> bool:
    """Whether a command is one of git that reads: its verb follows the options of git itself, `-c` with a value."""
    words = iter(argv[1:] if argv and argv[0] == "git" else ())
    for word in words:
        if word == "-c":
            next(words, None)
        elif not word.startswith("-"):
            return word in _READING
    return False
