"""The bytes: a file's address tells its content, so that one address never means two things."""

from __future__ import annotations

import hashlib
import sqlite3
import zipfile
from typing import BinaryIO
from urllib.parse import quote

from werkzeug.utils import send_file
from werkzeug.wrappers import Response

from release.sandbox.index_store import Store
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import not_found

_METADATA = ".metadata"
#: seconds; as PyPI's file host has it
_FOR_EVER = 365_000_000


def file_url(site: str, row: sqlite3.Row) -> str:
    """Where a file lies: the parts of its BLAKE2b-256, then its name, as on PyPI."""
    digest = row["blake2_256"]
    return f"{site}/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{quote(row['filename'])}"


def download_file(call: RequestContext, digest: str, filename: str) -> Response:
    """A file, or with `.metadata` behind its name the METADATA of a wheel (PEP 658)."""
    digest, name = digest.replace("/", ""), filename.removesuffix(_METADATA)
    with call.store.reading() as db:
        row = db.execute("SELECT * FROM files WHERE blake2_256 = ? AND filename = ?", (digest, name)).fetchone()
    if row is None or (name != filename and row["metadata_sha256"] is None):
        return not_found(call.request)
    path, etag = call.store.files / row["sha256"], row["sha256"]
    if name != filename:
        path, etag = path.with_suffix(_METADATA), row["metadata_sha256"]
    return send_file(
        path, call.request.environ, mimetype="application/octet-stream", etag=etag, max_age=_FOR_EVER, conditional=True
    )


def store_metadata(store: Store, filename: str, content: BinaryIO, sha256: str) -> str | None:
    """Put a wheel's METADATA beside the wheel; its SHA-256, or None for any other file."""
    if not filename.endswith(".whl"):
        return None
    name, version = filename.split("-")[:2]
    content.seek(0)
    with zipfile.ZipFile(content) as wheel:
        metadata = wheel.read(f"{name}-{version}.dist-info/METADATA")
    (store.files / sha256).with_suffix(_METADATA).write_bytes(metadata)
    return hashlib.sha256(metadata).hexdigest()
