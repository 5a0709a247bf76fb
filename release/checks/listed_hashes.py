"""The bytes of a download against the hashes that an index lists for them."""

from __future__ import annotations

from collections.abc import Sequence

from release.core.facts import BuiltFile
from release.core.models.check_result import Unknown
from release.core.models.file_hashes import hash_name, wrong_hashes
from release.core.models.index import IndexFile


def hashes_that_differ(listed: IndexFile, file: BuiltFile) -> list[str]:
    """The hashes that are listed and are not those of the download, as phrases."""
    if listed.sha256 == file.sha256 and not listed.other_hashes:
        return []
    with file.open() as content:
        return list(wrong_hashes(listed.hashes, content))


def of_unproven_bytes(index: str, listed: IndexFile, file: BuiltFile, wrong: Sequence[str]) -> Unknown:
    """What is unknown of a file without a strong hash; `wrong`: the weak ones that differ."""
    weak = [hash_name(name) for name, _ in listed.other_hashes]
    lists = f"only {' and '.join(weak)}" if weak else "no hash"
    differs = f", and another one was downloaded: {'; '.join(wrong)}" if wrong else ""
    return Unknown(
        reason=f"{index} lists {lists} for {listed.filename!r}, which proves nothing about its bytes{differs}",
        remedy=f"compare the file with the one that was built, whose SHA-256 must be {file.sha256}; an index that "
        "lists SHA-256 lets pip do it (PEP 691)",
        cause="post.no-strong-hash",
    )
