"""Lets git find the files of a repository that are worth a look: it reads a tree with all cores, in machine code."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from release.adapters import git
from release.adapters.system import System
from release.errors import ToolError
from release.model import leak_patterns


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The files of a directory in a repository, all but what git ignores."""

    #: paths relative to the directory, with forward slashes
    names: tuple[str, ...]
    #: those of them that a search must read; the others hold nothing
    suspects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that git is at work on."""

    directory: Path
    found: subprocess.Popen[bytes]
    listed: subprocess.Popen[bytes]

    def answer(self) -> Tree:
        """Wait for git.

        Where it knows no such patterns (it is built without PCRE), all files are suspect. Raises `ToolError`
        where it can't list them.
        """
        try:
            listed, errors = self.listed.communicate()
            hits, _ = self.found.communicate()
        except BaseException:
            self.found.kill()
            self.listed.kill()
            raise
        if self.listed.returncode:
            raise ToolError(
                f"git ls-files failed in {str(self.directory)!r}: {errors.decode('utf-8', 'replace').strip()!r}",
                remedy="run `git status` there, and mend what it reports",
            )
        entries = _parts(listed)
        names = tuple(dict.fromkeys(entry[2:] for entry in entries))
        # 0: some files match; 1: none does; more: git could not search.
        if self.found.returncode not in {0, 1}:
            return Tree(names=names, suspects=names)
        # What is not in the index, marked by "?", was not searched.
        new = (entry[2:] for entry in entries if entry.startswith("? "))
        return Tree(names=names, suspects=tuple(dict.fromkeys([*_parts(hits), *new])))


def ask(system: System, directory: Path) -> Asked:
    """Let git list the files of a directory, and find those that the sieve stops at."""
    words = ["grep", "--perl-regexp", "--files-with-matches", "--null", "--text", "--no-color", "--no-full-name"]
    words += [word for pattern in (*leak_patterns.LINES, leak_patterns.ARCHIVES) for word in ("-e", pattern)]
    return Asked(
        directory=directory,
        found=_started(system, directory, *words),
        listed=_started(system, directory, "ls-files", "-t", "-z", "--cached", "--others", "--exclude-standard"),
    )


def _parts(output: bytes) -> list[str]:
    return [os.fsdecode(part) for part in output.split(b"\0") if part]


def _started(system: System, directory: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["git", *words],
        cwd=directory,
        env=git.surroundings(system),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
