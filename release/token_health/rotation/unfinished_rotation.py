"""Which rotations have begun and are not over: a small file each in the user's state directory, without any secret.

Where a token lies, the places tell; what the file adds is which of two tokens is the new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from release.adapters.system import atomic_write
from release.core.models.index import Index


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A rotation whose new token has been taken."""

    upload_url: str
    #: fingerprints, 8 hex digits
    old: str
    new: str
    #: of the old token, as the index shows it; empty for what is no token
    identifier: str
    #: whether others have seen the old one
    leaked: bool


def write(directory: Path, mark: Mark) -> None:
    """Remember it. Raises `OSError`."""
    atomic_write.write_atomically(_path(directory, mark), (json.dumps(asdict(mark), indent=2) + "\n").encode())


def forget(directory: Path, mark: Mark) -> None:
    """It is over. A file that can't be removed says nothing wrong: its old token lies nowhere any more."""
    with suppress(OSError):
        atomic_write.remove_file(_path(directory, mark))


def read(directory: Path, index: Index) -> Iterator[Mark]:
    """Those of an index; what is no such file is passed over."""
    for path in sorted(directory.glob("rotation-*.json")):
        with suppress(OSError, ValueError, TypeError):
            mark = Mark(**json.loads(path.read_text(encoding="utf-8")))
            if mark.upload_url == index.upload_url:
                yield mark


def _path(directory: Path, mark: Mark) -> Path:
    return directory / f"rotation-{mark.old}.json"
