"""A distribution file that is open for reading. Each part is read once, when it is first needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, BinaryIO

from release.acceptance.archive_limits import MIB, Unreadable
from release.acceptance.tar_reader import TarContents, is_tar, read_tar
from release.acceptance.zip_reader import ZipContents, open_zip, starts_as_zip
from release.core.models.distribution import MemberVisitor
from release.core.models.second_process import PartReader

#: bytes of a file that is hashed in a thread of its own
_LARGE = 1_000_000
#: name in the upload form → the digest
_HASHES: Mapping[str, Callable[[], Any]] = {
    "md5": partial(hashlib.md5, usedforsecurity=False),
    "sha256": hashlib.sha256,
    "blake2_256": partial(hashlib.blake2b, digest_size=32),
}


def stream_digests(content: BinaryIO, names: Iterable[str]) -> dict[str, str]:
    """Digests of a whole stream, read once; name in the upload form → lower-case hex."""
    hashes = {name: _HASHES[name]() for name in names}
    content.seek(0)
    while chunk := content.read(MIB):
        for one in hashes.values():
            one.update(chunk)
    return {name: one.hexdigest() for name, one in hashes.items()}


@contextmanager
def sha256_in_parallel(opened: Callable[[], BinaryIO], size: int) -> Iterator[Callable[[], str]]:
    """The SHA-256 of a file of about `size` bytes, computed in parallel with the block; to be called after it.

    Twine also sends a BLAKE2 digest: the same bytes hashed again, which adds nothing and takes time.
    """
    with opened() as content:
        if size < _LARGE:  # hashing it takes less time than the start of a thread
            digest = stream_digests(content, ["sha256"])["sha256"]
            yield lambda: digest
            return
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1, thread_name_prefix="sha256") as pool:
            yield pool.submit(lambda: stream_digests(content, ["sha256"])["sha256"]).result


class OpenDistribution:
    """The name and the bytes of a file, and what is read of its archive."""

    def __init__(
        self,
        filename: str,
        content: BinaryIO | None,
        *,
        digests: Mapping[str, str] | None = None,
        visit: MemberVisitor | None = None,
    ) -> None:
        """Wrap a seekable stream, or None where there is no file.

        `digests` are those already known; `visit` receives the bytes of each member while the archive is read.
        """
        self.filename = filename
        self.content = content
        self._digests = dict(digests or {})
        self._visit = visit
        self._second: PartReader | None = None

    @property
    def has_zip_name(self) -> bool:
        return self.filename.endswith((".zip", ".whl"))

    @property
    def has_tar_name(self) -> bool:
        return self.filename.endswith(".tar.gz")

    @cached_property
    def size(self) -> int:
        """Bytes; 0 where there is no content."""
        return self.content.seek(0, 2) if self.content is not None else 0

    def digests(self, *names: str) -> Mapping[str, str]:
        """The digests in `names` and all others already known; empty where there is no content."""
        missing = [name for name in names if name not in self._digests]
        if missing and self.content is not None:
            self._digests |= stream_digests(self.content, missing)
        return self._digests

    def set_digest(self, name: str, digest: str) -> None:
        """Record a digest that was computed elsewhere."""
        self._digests[name] = digest

    @cached_property
    def zip(self) -> ZipContents | Unreadable | None:
        """None where the content is not a zip."""
        return open_zip(self.content) if self.content else None

    @cached_property
    def tar(self) -> TarContents | Unreadable:
        return read_tar(self.content, self._visit) if self.content else Unreadable(kind="caught", reason="empty")

    @property
    def open_zip(self) -> ZipContents | None:
        """The zip of a file named like one; None where it cannot be read."""
        return self.zip if self.has_zip_name and isinstance(self.zip, ZipContents) else None

    @property
    def open_tar(self) -> TarContents | None:
        """The tar of a file named like one; None where it cannot be read."""
        return self.tar if self.has_tar_name and isinstance(self.tar, TarContents) else None

    @cached_property
    def starts_as_zip(self) -> bool:
        return starts_as_zip(self.content) if self.content else False

    @cached_property
    def starts_as_tar(self) -> bool | Unreadable:
        return is_tar(self.content) if self.content else False

    @cached_property
    def protector(self) -> str | Unreadable | None:
        """The product that encrypted some code in the archive, or what failed during the search for one."""
        if self.open_zip is not None:
            return self.open_zip.protector(self._visit, self._second)
        return self.open_tar.protector if self.open_tar is not None else None

    @cached_property
    def damaged(self) -> tuple[tuple[str, str], ...]:
        """Path and error of each member of a zip, code excepted, that cannot be unpacked."""
        return tuple(self.open_zip.damaged(self._visit, self._second)) if self.open_zip is not None else ()

    def read_members(self, second: PartReader | None = None) -> None:
        """Read every member of the archive now, except those of a zip that `second` has read."""
        self._second = second
        _ = (self.protector, self.damaged)

    @property
    def members(self) -> Iterator[tuple[str, int]]:
        """Path and size in bytes of each file in the archive, in order."""
        archive = self._archive
        if isinstance(archive, ZipContents):
            yield from ((one.filename, one.unpacked) for one in archive.members if not one.is_directory)
        elif isinstance(archive, TarContents):
            found = zip(archive.names, archive.sizes, strict=True)
            yield from ((name, size) for name, size in found if size is not None)

    @property
    def paths(self) -> Sequence[str]:
        """The path of every member, directories and links included, in order."""
        archive = self._archive
        return archive.names if isinstance(archive, (ZipContents, TarContents)) else ()

    @property
    def _archive(self) -> ZipContents | TarContents | Unreadable | None:
        return self.tar if self.has_tar_name else self.zip

    @property
    def dist_info(self) -> str | None:
        """The `.dist-info` directory of a wheel, its name and version taken unchanged from the file name."""
        parts = self.filename.split("-", 2)
        return f"{parts[0]}-{parts[1]}.dist-info" if len(parts) == 3 else None  # noqa: PLR2004 - name, version, rest

    @property
    def entry_points(self) -> bytes:
        """The `entry_points.txt` of a wheel; empty where it has none that can be read."""
        archive = self.zip if not self.has_tar_name else None
        data = archive.read(f"{self.dist_info}/entry_points.txt") if isinstance(archive, ZipContents) else None
        return data if isinstance(data, bytes) else b""
