"""Read the objects of a git repository with `git cat-file`."""

from __future__ import annotations

import io
import os
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from msgspec import Struct

from release.adapters.git.repository import failure_line
from release.adapters.system.program_path import with_program_path
from release.core.errors import ToolError

#: bytes; a larger object is read in pieces
PIECE = 8 << 20
#: for each format of objects, the length of a name in bytes
_WIDTHS = {b"sha1": 20, b"sha256": 32}


class GitObject(Struct, frozen=True, gc=False):
    """What git reports of an object before its content."""

    #: 40 or 64 hex digits
    name: str
    #: "blob", "tree", "commit" or "tag"; "missing" where git cannot read it
    type: str
    #: bytes
    size: int


class ObjectReadError(Exception):
    """Git ended before it had returned everything. It can be pickled, unlike an error with a remedy."""


@contextmanager
def listing_objects(root: Path, env: Mapping[str, str]) -> Iterator[Callable[[], tuple[GitObject, ...]]]:
    """Start to list every object that the repository stores; the function that is returned waits for the list.

    It has the objects in the order of their packs, also those that are damaged. Raises `ToolError`.
    """
    fields = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    words = ["git", "cat-file", fields, "--batch-all-objects", "--unordered", "--buffer"]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:

        def wait() -> tuple[GitObject, ...]:
            if process.wait():
                errors.seek(0)
                raise git_scan_error("cat-file", errors.read().decode("utf-8", "replace"))
            output.seek(0)
            lines = (line.split(" ") for line in output.read().decode("ascii").splitlines())
            return tuple([GitObject(name, kind, int(size[0]) if size else 0) for name, kind, *size in lines])

        # Files instead of pipes, so that git does not wait.
        with subprocess.Popen(
            with_program_path(words, env), cwd=root, env=dict(env), stdin=subprocess.DEVNULL, stdout=output,
            stderr=errors,
        ) as process:  # fmt: skip
            try:
                yield wait
            except BaseException:
                process.kill()
                raise


def list_packs(root: Path, env: Mapping[str, str]) -> tuple[list[Path], int]:
    """The indexes of the packs of the repository, and the length of an object's name in bytes.

    Without those of other repositories that it borrows objects from. Empty where git is older than 2.25.
    """
    words = ("rev-parse", "--show-object-format", "--git-path", "objects/pack")
    form, _, directory = git_bytes(root, env, *words, statuses=range(256)).partition(b"\n")
    width = _WIDTHS.get(form)
    if width is None:
        return [], 0
    found = sorted((root / os.fsdecode(directory.removesuffix(b"\n"))).glob("*.idx"))
    # Only files: a pipe would be waited for.
    return [path for path in found if path.is_file() and path.with_suffix(".pack").is_file()], width


def list_tips(root: Path, env: Mapping[str, str]) -> frozenset[str]:
    """The names of the objects that branches, tags and HEAD point to, whether they are stored or not."""
    listed = git_bytes(root, env, "for-each-ref", "--format=%(objectname)").split()
    head = git_bytes(root, env, "rev-parse", "--verify", "--quiet", "HEAD", statuses=(0, 1)).split()
    return frozenset(name.decode("ascii") for name in (*listed, *head))


def read_objects(root: str, env: Mapping[str, str], names: Iterable[str]) -> Iterator[tuple[GitObject, IO[bytes]]]:
    """Each object, to be read before the next is requested. Raises `ObjectReadError` where one is incomplete."""
    with tempfile.TemporaryFile() as requested, tempfile.TemporaryFile() as errors:
        # Files instead of pipes, so that neither side waits for the other.
        requested.write("".join(f"{name}\n" for name in names).encode())
        requested.seek(0)
        with subprocess.Popen(
            with_program_path(["git", "cat-file", "--batch", "--buffer"], env),
            cwd=root, env=dict(env), stdin=requested, stdout=subprocess.PIPE, stderr=errors, bufsize=1 << 20,
        ) as process:  # fmt: skip
            assert process.stdout is not None
            try:
                yield from _bodies(process.stdout)
            except BaseException:
                process.kill()
                raise
        errors.seek(0)
        if process.returncode:
            raise ObjectReadError(errors.read().decode("utf-8", "replace"))


def _bodies(stream: IO[bytes]) -> Iterator[tuple[GitObject, IO[bytes]]]:
    """Source: git-cat-file(1), "BATCH OUTPUT": a line of name, type and size; the bytes; an end of line."""
    while line := stream.readline().decode("ascii", "replace"):
        name, kind, *size = line.split()
        if not size:
            raise ObjectReadError(f"the object {name} is {kind}")
        one = GitObject(name, kind, int(size[0]))
        if one.size <= PIECE or kind == "tree":
            data = stream.read(one.size)
            yield one, io.BytesIO(data)
            complete = len(data) == one.size
        else:
            body = _Body(stream, one.size)
            yield one, body  # type: ignore[misc] # it has what readers of IO[bytes] use
            complete = body.skip()
        if not complete or stream.read(1) != b"\n":
            raise ObjectReadError(f"the object {name} is truncated")


class _Body(io.RawIOBase):
    """A large object in the output of git, read in pieces."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def skip(self) -> bool:
        """Read the rest; returns whether the object was complete."""
        while self._left and self.read(PIECE):
            pass
        return not self._left


def git_bytes(root: Path, env: Mapping[str, str], *arguments: str, statuses: Collection[int] = (0,)) -> bytes:
    """The output of git, undecoded. Raises `ToolError` where it ends with another status."""
    done = subprocess.run(
        with_program_path(["git", *arguments], env),
        cwd=root,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode not in statuses:
        verb = next(one for one in arguments if one[0] != "-" and "=" not in one)
        raise git_scan_error(verb, done.stderr.decode("utf-8", "replace"))
    return done.stdout


def git_scan_error(verb: str, errors: str) -> ToolError:
    """The error for a scan that git could not complete."""
    line = failure_line(errors)
    remedy = "run `git fsck`, fix what it reports, then scan again"
    if not line:  # it was killed, or its messages could not be written to a temporary file either
        remedy = "check that there is enough memory, and space for temporary files; then scan again"
    reason = f": {line!r}" if line else " without a message"
    return ToolError(f"the scan is incomplete, because git {verb} failed{reason}", remedy=remedy)
