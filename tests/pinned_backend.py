"""A build backend, its requirement, and an sdist-only requirement, as files that `--find-links` serves; no network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from release.adapters.system.system import System, real_system
from tests.sample_distributions import sdist, wheel

#: writes a file `ran` next to the project when it is imported; asks for $DYNAMIC
BACKEND = """
import io, os, pathlib, tarfile, tomllib, zipfile
pathlib.Path(os.environ["RAN"]).touch()
NAME = tomllib.loads(open("pyproject.toml").read())["project"]["name"].replace("-", "_")
METADATA = f"Metadata-Version: 2.1\\nName: {NAME}\\nVersion: 1.0\\n"
def get_requires_for_build_wheel(settings=None):
    return os.environ.get("DYNAMIC", "").split()
def build_wheel(directory, settings=None, metadata=None):
    info = NAME + "-1.0.dist-info/"
    members = {NAME + ".py": "", info + "METADATA": METADATA, info + "RECORD": "",
               info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"}
    with zipfile.ZipFile(os.path.join(directory, NAME + "-1.0-py3-none-any.whl"), "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), text)
    return NAME + "-1.0-py3-none-any.whl"
def build_sdist(directory, settings=None):
    with tarfile.open(os.path.join(directory, "acme-1.0.tar.gz"), "w:gz") as archive:
        for name, data in (("PKG-INFO", METADATA.encode()), ("pyproject.toml", open("pyproject.toml", "rb").read())):
            member = tarfile.TarInfo("acme-1.0/" + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return "acme-1.0.tar.gz"
"""
PYPROJECT = """
[build-system]
requires = ["acme-backend>=1"]
build-backend = "acme_backend"
[project]
name = "acme"
version = "1.0"
"""


def serve(directory: Path) -> Mapping[str, str]:
    """Write the files into a new directory; file name → SHA-256."""
    directory.mkdir()
    needs = "Requires-Dist: acme-helper>=1\n"
    for version in ("1.0", "2.0"):
        files = {"acme_backend.py": BACKEND}
        content = wheel("acme-backend", version, files=files, metadata_extra=needs)
        (directory / f"acme_backend-{version}-py3-none-any.whl").write_bytes(content)
        (directory / f"acme_helper-{version}-py3-none-any.whl").write_bytes(wheel("acme-helper", version))
    (directory / "acme_extra-1.0-py3-none-any.whl").write_bytes(wheel("acme-extra", "1.0"))
    build = '[build-system]\nrequires = ["acme-backend", "acme-extra"]\nbuild-backend = "acme_backend"\n'
    only = sdist(
        "acme-source", "1.0", files={"pyproject.toml": build + '[project]\nname = "acme-source"\nversion = "1.0"\n'}
    )
    (directory / "acme_source-1.0.tar.gz").write_bytes(only)
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in directory.iterdir()}


def tamper(directory: Path, filename: str) -> None:
    """Replace a wheel by one with other code, of the same name and version."""
    name, version, *_ = filename.split("-")
    evil = f"{BACKEND}\nEVIL = True\n"
    content = wheel(name.replace("_", "-"), version, files={f"{name}.py": evil})
    (directory / filename).write_bytes(content)


def pins(hashes: Mapping[str, str], *wanted: str) -> str:
    """The text of constraints for these: "acme-backend==1.0"."""
    lines = []
    for one in wanted:
        stem = one.replace("==", "-").replace("acme-", "acme_", 1)
        (found,) = (value for name, value in hashes.items() if name.startswith(stem))
        lines.append(f"{one} \\\n    --hash=sha256:{found}\n")
    return "".join(lines)


def offline_system(links: Path, scratch: Path, installer: str, **more: str) -> System:
    """This machine, whose pip and uv have nothing but the files in `links`."""
    here = real_system()
    env = {name: value for name, value in here.env.items() if not name.startswith(("PIP_", "UV_"))}
    env |= {
        "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(links), "PIP_NO_CACHE_DIR": "1",
        "UV_NO_CONFIG": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(links), "UV_CACHE_DIR": str(scratch / "uv-cache"),
        "RELEASE_INSTALLER": installer, "RAN": str(scratch / "ran"),
    }  # fmt: skip
    return replace(here, env={**env, **more})
