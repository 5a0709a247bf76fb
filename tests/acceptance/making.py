"""Tiny distributions and uploads, valid unless a test makes them otherwise."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.rule import FileUpload
from release.adapters.twine.twine_reader_child import objection, twine_reader
from release.core.models.distribution import TwineRefusal
from release.core.models.index import IndexContents

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SITE = "https://index.example"
NOTHING = IndexContents(now=NOW)


def metadata(name: str = "acme-widget", version: str = "1.0", body: str = "", **headers: object) -> bytes:
    """METADATA; a list makes a header several times, `None` leaves it out."""
    fields: dict[str, object] = {"Metadata-Version": "2.4", "Name": name, "Version": version}
    fields.update({key.replace("_", "-"): value for key, value in headers.items()})
    lines = [
        f"{key}: {one}"
        for key, value in fields.items()
        if value is not None
        for one in (value if isinstance(value, list) else [value])
    ]
    return ("\n".join(lines) + f"\n\n{body}").encode()


def ask_twine(filename: str, content: bytes) -> TwineRefusal | None:
    """The refusal of the installed twine, in this process; None where it would send the file."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, filename)
        path.write_bytes(content)
        message, crashed = objection(twine_reader(), str(path))
        return TwineRefusal(message=message, crashed=crashed) if message is not None else None


def wheel_members(data: bytes | None = None, directory: str = "acme_widget-1.0.dist-info") -> dict[str, bytes]:
    """The members of a wheel of one module, RECORD last."""
    members = {
        "acme_widget.py": b"answer = 42\n",
        f"{directory}/METADATA": metadata() if data is None else data,
        f"{directory}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    members[f"{directory}/RECORD"] = "".join(f"{name},,\n" for name in [*members, f"{directory}/RECORD"]).encode()
    return members


def zipped(members: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=compression)
    return buffer.getvalue()


def wheel(data: bytes | None = None) -> bytes:
    return zipped(wheel_members(data))


def tarred(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def sdist(data: bytes | None = None, directory: str = "acme_widget-1.0") -> bytes:
    return tarred(
        {
            f"{directory}/PKG-INFO": metadata() if data is None else data,
            f"{directory}/acme_widget.py": b"answer = 42\n",
        }
    )


WHEEL = "acme_widget-1.0-py3-none-any.whl"
SDIST = "acme_widget-1.0.tar.gz"


def upload(content: bytes | None, filename: str = WHEEL, **fields: Any) -> FileUpload:
    """An upload of a file with valid metadata; a field of `None` is left out, a tuple is sent as it stands."""
    form: dict[str, Any] = {
        "metadata_version": "2.4",
        "name": "acme-widget",
        "version": "1.0",
        "filetype": "bdist_wheel" if filename.endswith(".whl") else "sdist",
        "pyversion": "py3" if filename.endswith(".whl") else "source",
        "sha256_digest": hashlib.sha256(content or b"").hexdigest(),
        **fields,
    }
    return FileUpload(
        fields={
            name: value if isinstance(value, tuple) else (value,) for name, value in form.items() if value is not None
        },
        file=OpenDistribution(filename, None if content is None else io.BytesIO(content)),
        site=SITE,
    )
