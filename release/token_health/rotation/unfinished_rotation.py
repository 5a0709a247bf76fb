"""Rotations that were started and not finished: a small file for each in the user's state directory, without secrets.

Where a token is stored shows from the locations; the file only adds which of two tokens is the new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from release.adapters.system import safe_write
from release.core.models.index import Index


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedRotation:
    """A rotation whose new token has been read."""

    upload_url: str
    #: fingerprints, 8 hex digits
    old: str
    new: str
    #: of the old token, as the index shows it; empty for a value that is no token
    identifier: str
    #: whether the old one has leaked
    leaked: bool


def save_unfinished(directory: Path, rotation: UnfinishedRotation) -> None:
    """Write the file. Raises `OSError`."""
    safe_write.write_atomically(_path(directory, rotation), (json.dumps(asdict(rotation), indent=2) + "\n").encode())


def delete_unfinished(directory: Path, rotation: UnfinishedRotation) -> None:
    """Delete the file. One that cannot be deleted does no harm: its old token is no longer stored anywhere."""
    with suppress(OSError):
        safe_write.remove_file(_path(directory, rotation))


def load_unfinished(directory: Path, index: Index) -> Iterator[UnfinishedRotation]:
    """Those of an index; files that cannot be read are skipped."""
    for path in sorted(directory.glob("rotation-*.json")):
        with suppress(OSError, ValueError, TypeError):
            rotation = UnfinishedRotation(**json.loads(path.read_text(encoding="utf-8")))
            if rotation.upload_url == index.upload_url:
                yield rotation


def _path(directory: Path, rotation: UnfinishedRotation) -> Path:
    return directory / f"rotation-{rotation.old}.json"
