"""Git LFS pointers in an archive: a few lines about a file, shipped instead of the file."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from release.acceptance.open_distribution import OpenDistribution
from release.checks.engine import Checklist, quote_some
from release.core.lazy_pattern import lazy_pattern
from release.core.models.check_result import Finding
from release.core.models.distribution import MemberVisitor

#: bytes; a pointer is smaller. Source: Git LFS specification, "The Pointer"
_LARGEST = 1024
#: the first line of a pointer, with the address of 2014 too. Source: as above
_VERSIONS = (b"version https://git-lfs.github.com/spec/v1", b"version https://hawser.github.com/spec/v1")
_KEYS = (lazy_pattern(rb"(?m)^oid \w+:\w+\r?$"), lazy_pattern(rb"(?m)^size \d+\r?$"))
#: directories that a user of an sdist does not install, unless they are in a package
_NOT_INSTALLED = frozenset(
    """
    artwork assets benchmark benchmarks ci demo demos doc docs example examples figures images img media notebooks
    paper screenshots site test testing tests website
    """.split()  # noqa: SIM905 - a list that people read
)
_SOURCE = "https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md"
_REMEDY = (
    "fetch the files, then rebuild: git lfs install && git lfs pull; in a GitHub workflow, pass lfs: true to "
    "actions/checkout"
)


class SearchedArchive(Struct, frozen=True, kw_only=True):
    """An archive that was searched for pointers."""

    filename: str
    #: every member
    paths: frozenset[str]
    #: the members that are pointers, in order
    pointers: tuple[str, ...]


CHECKS = Checklist[SearchedArchive]()


class PointerSearch:
    """A `MemberVisitor` that finds pointers, and forwards what it receives."""

    def __init__(self, visit: MemberVisitor | None) -> None:
        self._visit = visit
        self._inside = False
        self._found: list[str] = []

    def __call__(self, member: str, piece: bytes, more: bool) -> None:
        if piece.startswith(_VERSIONS) and not (more or self._inside) and is_pointer(piece):
            self._found.append(member)
        self._inside = more
        if self._visit is not None:
            self._visit(member, piece, more)

    @property
    def found(self) -> bool:
        return bool(self._found)

    def result(self, archive: OpenDistribution) -> SearchedArchive:
        """What was found in an archive that has been read with this visitor."""
        found = tuple(self._found)
        return SearchedArchive(
            filename=archive.filename, paths=frozenset(archive.paths) if found else frozenset(), pointers=found
        )


def is_pointer(content: bytes) -> bool:
    """Whether the content of a file is a Git LFS pointer."""
    first = content.partition(b"\n")[0].rstrip(b"\r")
    return first in _VERSIONS and len(content) < _LARGEST and all(key.search(content) for key in _KEYS)


@CHECKS.check()
def no_git_lfs_pointer_is_shipped(archive: SearchedArchive) -> Iterator[Finding]:
    """No Git LFS pointers instead of files.

    A checkout without Git LFS has a pointer of three lines in place of each large file. Whoever installs the release
    gets the pointer. In an sdist, pointers outside of packages, in tests, documentation or examples, are only a
    warning. Source: Git LFS specification, "The Pointer".
    """
    installed = tuple(path for path in archive.pointers if _is_installed(path, archive))
    names = installed or archive.pointers
    if names:
        what = "file is a Git LFS pointer" if len(names) == 1 else "files are Git LFS pointers"
        yield Finding(
            message=f"{len(names)} {what} without the content: {quote_some(names, listed=5)}",
            remedy=_REMEDY,
            severity="block" if installed else "warn",
            where=archive.filename,
            source=_SOURCE,
        )


def _is_installed(path: str, archive: SearchedArchive) -> bool:
    """Whether a user installs the file: from a wheel each, from an sdist not its own tests, docs and examples."""
    if archive.filename.endswith(".whl"):
        return True
    directories = path.split("/")[:-1]
    for depth, name in enumerate(directories):
        if depth and f"{'/'.join(directories[:depth])}/__init__.py" in archive.paths:
            return True
        if depth and name.lower() in _NOT_INSTALLED:
            return False
    return True
