"""Objects of a git repository, read by `git cat-file`, and the words in which git fails."""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from release.core.errors import ToolError

#: bytes; a larger object is read piece by piece
PIECE = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GitObject:
    """What git says of an object before it is read."""

    #: 40 or 64 hex digits
    name: str
    #: "blob", "tree", "commit" or "tag"
    type: str
    #: bytes
    size: int


class ObjectReadError(Exception):
    """Git ended before it had given everything; passes through pickle, which an error with a remedy does not."""


def list_objects(root: Path, env: Mapping[str, str]) -> tuple[GitObject, ...]:
    """Every object that lies here, in the order of the packs."""
    form = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
    listed = git_bytes(root, env, "cat-file", form, "--batch-all-objects", "--unordered", "--buffer").decode("ascii")
    lines = (line.split(" ") for line in listed.splitlines())
    return tuple(GitObject(name=name, type=kind, size=int(size)) for name, kind, size in lines)


def read_objects(root: str, env: Mapping[str, str], names: Iterable[str]) -> Iterator[tuple[GitObject, IO[bytes]]]:
    """Each object, to be read before the next is asked for. Raises `BrokenError` where one does not come whole."""
    with tempfile.TemporaryFile() as wanted, tempfile.TemporaryFile() as errors:
        # Files, not pipes, so that neither side ever waits for the other.
        wanted.write("".join(f"{name}\n" for name in names).encode())
        wanted.seek(0)
        with subprocess.Popen(
            ["git", "cat-file", "--batch", "--buffer"],
            cwd=root, env=dict(env), stdin=wanted, stdout=subprocess.PIPE, stderr=errors, bufsize=1 << 20,
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
        one = GitObject(name=name, type=kind, size=int(size[0]))
        if one.size <= PIECE or kind == "tree":
            data = stream.read(one.size)
            yield one, io.BytesIO(data)
            whole = len(data) == one.size
        else:
            body = _Body(stream, one.size)
            yield one, body  # type: ignore[misc] # it has what readers of IO[bytes] use
            whole = body.skip()
        if not whole or stream.read(1) != b"\n":
            raise ObjectReadError(f"the object {name} is cut off")


class _Body(io.RawIOBase):
    """A large object in the output of git, read piece by piece."""

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
        """Read what is left; whether all of it came."""
        while self._left and self.read(PIECE):
            pass
        return not self._left


def git_bytes(root: Path, env: Mapping[str, str], *arguments: str) -> bytes:
    """What git writes. Raises `ToolError` where it fails."""
    done = subprocess.run(
        ["git", *arguments], cwd=root, env=dict(env), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        raise git_scan_error(
            next(one for one in arguments if one[0] != "-" and "=" not in one), done.stderr.decode("utf-8", "replace")
        )
    return done.stdout


def git_scan_error(verb: str, errors: str) -> ToolError:
    """The error for a git that failed with these words."""
    words = next((line for line in errors.splitlines() if line.startswith(("fatal: ", "error: "))), errors.strip())
    return ToolError(
        f"git {verb} failed, so that the search is not complete: {words!r}",
        remedy="run `git fsck`, mend what it reports, and search again",
    )
