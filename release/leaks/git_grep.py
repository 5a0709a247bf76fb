"""Lets git find the files of a repository that are worth a look: it reads a tree with all cores, in machine code."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from release.adapters.git import repository
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.leaks import prefilter

#: files from which on a second git is worth its start
_MANY = 1000
#: directories of one share at most; and the part of the tree by which the halves may differ
_FEW, _NEAR = 12, 10


@dataclass(frozen=True, slots=True, kw_only=True)
class GrepResult:
    """The files of a directory in a repository, all but what git ignores."""

    #: paths relative to the directory, with forward slashes
    names: tuple[str, ...]
    #: those of them that a search must read; the others hold nothing
    suspects: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingGrep:
    """A question that git is at work on."""

    names: tuple[str, ...]
    #: those of them that git does not search, since they are not in its index
    new: tuple[str, ...]
    #: each searches a part of the tree
    searching: tuple[subprocess.Popen[bytes], ...]

    def answer(self) -> GrepResult:
        """Wait for git. Where it knows no such patterns (it is built without PCRE), all files are suspect."""
        try:
            hits = [one.communicate()[0] for one in self.searching]
        except BaseException:
            for one in self.searching:
                one.kill()
            raise
        # 0: some files match; 1: none does; more: git could not search.
        if any(one.returncode not in {0, 1} for one in self.searching):
            return GrepResult(names=self.names, suspects=self.names)
        return GrepResult(names=self.names, suspects=tuple(dict.fromkeys([*_parts(b"".join(hits)), *self.new])))


def start_grep(system: System, directory: Path) -> PendingGrep:
    """Let git list the files of a directory, and find those that the sieve stops at.

    Raises `ToolError` where it can't list them.
    """
    entries = _listed(system, directory)
    names = tuple(dict.fromkeys(entry[2:] for entry in entries))
    # What is not in the index is marked by "?".
    new = tuple(entry[2:] for entry in entries if entry.startswith("? "))
    words = ["--perl-regexp", "--files-with-matches", "--null", "--text", "--no-color", "--no-full-name"]
    words += [word for pattern in (*prefilter.LINES, prefilter.ARCHIVES) for word in ("-e", pattern)]
    return PendingGrep(
        names=names,
        new=new,
        searching=tuple(
            _started(system, directory, *options, "grep", *words, "--", *where) for options, where in _shares(names)
        ),
    )


def _listed(system: System, directory: Path) -> list[str]:
    listing = _started(system, directory, "ls-files", "-t", "-z", "--cached", "--others", "--exclude-standard")
    listed, errors = listing.communicate()
    if listing.returncode:
        raise ToolError(
            f"git ls-files failed in {str(directory)!r}: {errors.decode('utf-8', 'replace').strip()!r}",
            remedy="run `git status` there, and mend what it reports",
        )
    return _parts(listed)


def _shares(names: Sequence[str]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """For each search of a part of the tree, options and pathspecs.

    The threads of one git wait for each other most of the time: two gits of half as many read a tree in
    little more than half the time. Observed: git 2.39.5, 2026-11.
    """
    half = _half(names) if len(names) >= _MANY else ()
    if not half:
        yield (), ()
        return
    options = ("-c", f"grep.threads={max(1, (os.cpu_count() or 1) // 2)}")
    yield options, tuple(f":(literal){path}" for path in half)
    yield options, (".", *(f":(exclude,literal){path}" for path in half))


def _half(names: Sequence[str]) -> tuple[str, ...]:
    """Directories that together hold about half of the files: the largest that fit, and parts of one that does not."""
    wanted, chosen, inside = len(names) // 2, list[str](), ""
    while True:
        counts = Counter(name[: name.index("/", len(inside))] for name in names if _is_below(name, inside))
        too_large = ""
        for path, count in counts.most_common(_FEW):
            if count <= wanted:
                chosen.append(path)
                wanted -= count
            else:
                too_large = too_large or f"{path}/"
        if not too_large or len(chosen) >= _FEW or wanted * _NEAR <= len(names):
            return tuple(chosen)
        inside = too_large


def _is_below(name: str, directory: str) -> bool:
    """Whether a path lies in a directory of `directory`, which ends with a slash or is empty."""
    return name.startswith(directory) and "/" in name[len(directory) :]


def _parts(output: bytes) -> list[str]:
    return [os.fsdecode(part) for part in output.split(b"\0") if part]


def _started(system: System, directory: Path, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ["git", *words],
        cwd=directory,
        env=repository.git_environment(system),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
