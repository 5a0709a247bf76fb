"""Small, valid wheels, sdists and upload forms. The same arguments give the same bytes on every machine."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping

from packaging.utils import canonicalize_name

#: what `form` takes for a field: one value, several, or None for no such field
Value = str | Iterable[str] | None


def metadata(name: str, version: str, extra: str = "") -> str:
    """METADATA or PKG-INFO. `extra`: further header lines."""
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: A widget.\n{extra}"


def stem(name: str) -> str:
    """The form of a name at the start of a file name."""
    return canonicalize_name(name).replace("-", "_")


def wheel_name(name: str = "acme-widget", version: str = "1.0", tag: str = "py3-none-any") -> str:
    return f"{stem(name)}-{version}-{tag}.whl"


def sdist_name(name: str = "acme-widget", version: str = "1.0") -> str:
    return f"{stem(name)}-{version}.tar.gz"


def wheel(
    name: str = "acme-widget",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes | str | None] | None = None,
    metadata_extra: str = "",
    tag: str = "py3-none-any",
) -> bytes:
    """A wheel with one module. `files` adds members, replaces them, or removes them with None."""
    info = f"{stem(name)}-{version}.dist-info"
    members: dict[str, bytes | str | None] = {
        f"{stem(name)}.py": f'__version__ = "{version}"\n',
        f"{info}/METADATA": metadata(name, version, metadata_extra),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: builders\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/RECORD": "",
        **(files or {}),
    }
    if members[f"{info}/RECORD"] == "":
        listed = [path for path, data in members.items() if data is not None]
        members[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in listed)
    return zipped({path: data for path, data in members.items() if data is not None})


def zipped(members: Mapping[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in members.items():
            member = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            member.external_attr, member.create_system = 0o644 << 16, 3
            archive.writestr(member, data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def sdist(
    name: str = "acme-widget",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes | str | None] | None = None,
    metadata_extra: str = "",
) -> bytes:
    """An sdist with one module, built by setuptools. `files` as in `wheel`, relative to its directory."""
    top = f"{stem(name)}-{version}"
    members: dict[str, bytes | str | None] = {
        "PKG-INFO": metadata(name, version, metadata_extra),
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\n\n[tool.setuptools]\npy-modules = ["{stem(name)}"]\n',
        f"{stem(name)}.py": f'__version__ = "{version}"\n',
        **(files or {}),
    }
    return tarred({f"{top}/{path}": data for path, data in members.items() if data is not None})


def tarred(members: Mapping[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in members.items():
            content = data.encode() if isinstance(data, str) else data
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


def fields(content: bytes, filename: str, **changes: Value) -> dict[str, Value]:
    """The fields that twine sends for a file of acme-widget 1.0; `changes` replaces, adds, or removes (None)."""
    is_wheel = filename.endswith(".whl")
    return {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": "acme-widget",
        "version": "1.0",
        "summary": "A widget.",
        "filetype": "bdist_wheel" if is_wheel else "sdist",
        "pyversion": "py3" if is_wheel else "source",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
        "blake2_256_digest": hashlib.blake2b(content, digest_size=32).hexdigest(),
        **changes,
    }


def form(
    values: Mapping[str, Value],
    *,
    filename: str | None = None,
    content: bytes = b"",
    content_type: str | None = "application/octet-stream",
    file_fields: Mapping[str, bytes] | None = None,
) -> tuple[bytes, str]:
    """A multipart body and its Content-Type; without `filename` it has no content part."""
    boundary = "boundary-of-the-form"
    parts: list[tuple[str, bytes]] = []
    for name, value in values.items():
        several = () if value is None else (value,) if isinstance(value, str) else value
        parts += [(f'form-data; name="{name}"', one.encode()) for one in several]
    parts += [(f'form-data; name="{name}"; filename="{name}"', data) for name, data in (file_fields or {}).items()]
    if filename is not None:
        kind = f"\r\nContent-Type: {content_type}" if content_type else ""
        parts.append((f'form-data; name="content"; filename="{filename}"{kind}', content))
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: {head}\r\n\r\n".encode() + data + b"\r\n" for head, data in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
