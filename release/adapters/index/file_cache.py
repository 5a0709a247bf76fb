"""Files of an index, kept by their hash in the user's cache, so that each is fetched once."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from release.adapters.index import simple_api
from release.core.errors import UnreachableError
from release.core.models.project_listing import IndexFile

#: bytes that the cache may have; the files used longest ago go first
_ROOM = 300 * 1024 * 1024


def cache_directory() -> Path:
    """Where the files are kept: `<cache>/pypi-preflight/files/<sha256>/<name>`."""
    from platformdirs import user_cache_path

    return user_cache_path("pypi-preflight", appauthor=False) / "files"


def fetch_file(file: IndexFile, *, place: Path | None = None) -> Path:
    """The file, fetched where it is not kept yet; its SHA-256 is compared either way.

    Raises `UnreachableError` where it does not come, or the index gives no hash; `OSError` where it can't be kept.
    """
    if file.sha256 is None:
        raise UnreachableError(
            f"the index gives no SHA-256 for {file.filename!r}", remedy="use an index that does (PEP 691)"
        )
    root = place or cache_directory()
    kept = root / file.sha256 / file.filename
    if _is_whole(kept, file.sha256):
        kept.touch()
        return kept
    root.mkdir(parents=True, exist_ok=True)
    _make_room(root, file.size or 0)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=root) as work:
        fetched = simple_api.download_file(file, Path(work))
        kept.parent.mkdir(exist_ok=True)
        return fetched.replace(kept)


def _is_whole(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _make_room(root: Path, wanted: int) -> None:
    used = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in root.glob("*/*"))
    left = _ROOM - wanted - sum(size for _, size, _ in used)
    for _, size, path in used:
        if left >= 0:
            return
        with suppress(OSError):  # another run may have taken it away already, or still have it open
            shutil.rmtree(path.parent)
        left += size
