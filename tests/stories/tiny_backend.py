"""A build backend that needs no requirement and builds the same bytes again, with what [project] states.

A project has it in its tree, as `backend.py` with `backend-path = ["."]`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import tarfile
import tomllib
import zipfile
from pathlib import Path


def _project() -> dict[str, object]:
    with open("pyproject.toml", "rb") as file:  # noqa: PTH123 - the current directory is the project
        found: dict[str, object] = tomllib.load(file)["project"]
        return found


def _stem(project: dict[str, object]) -> str:
    return f"{str(project['name']).replace('-', '_')}-{project['version']}"


def _metadata(project: dict[str, object]) -> str:
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    lines += [f"Summary: {project.get('description', 'A part.')}"]
    if "requires-python" in project:
        lines.append(f"Requires-Python: {project['requires-python']}")
    requires = project.get("dependencies", [])
    assert isinstance(requires, list)
    lines += [f"Requires-Dist: {one}" for one in requires]
    if "readme" not in project:
        return "\n".join([*lines, "", "A part of a set.", ""])
    readme = Path(str(project["readme"])).read_text(encoding="utf-8")
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", readme])


def _entry_points(project: dict[str, object]) -> str:
    scripts = project.get("scripts", {})
    assert isinstance(scripts, dict)
    return "".join(["[console_scripts]\n", *(f"{name} = {target}\n" for name, target in scripts.items())])


def _modules() -> list[Path]:
    return sorted(one for one in Path().rglob("*.py") if one.parts[0] != "backend.py")


def build_wheel(directory: str, _settings: object = None, _metadata_directory: object = None) -> str:
    project = _project()
    name, info = f"{_stem(project)}-py3-none-any.whl", f"{_stem(project)}.dist-info"
    members = {one.as_posix(): one.read_bytes() for one in _modules()}
    members[f"{info}/METADATA"] = _metadata(project).encode()
    members[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: tiny\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if "scripts" in project:
        members[f"{info}/entry_points.txt"] = _entry_points(project).encode()
    record = ""
    for path, data in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\n"
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    with zipfile.ZipFile(Path(directory, name), "w") as archive:
        for path, data in members.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    return name


def build_sdist(directory: str, _settings: object = None) -> str:
    project = _project()
    stem = _stem(project)
    readme = [Path(str(project["readme"]))] if "readme" in project else []
    sources = (Path("pyproject.toml"), Path("backend.py"), *readme, *_modules())
    members = {one.as_posix(): one.read_bytes() for one in sources}
    members["PKG-INFO"] = _metadata(project).encode()
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    with (
        gzip.GzipFile(Path(directory, f"{stem}.tar.gz"), "wb", mtime=epoch) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for path, data in members.items():
            entry = tarfile.TarInfo(f"{stem}/{path}")
            entry.size, entry.mtime = len(data), epoch
            archive.addfile(entry, io.BytesIO(data))
    return f"{stem}.tar.gz"
