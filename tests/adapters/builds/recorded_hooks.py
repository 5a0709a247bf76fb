"""A project whose backend, from a directory, writes down what each of its hooks sees."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from release.adapters.builds import builder
from release.adapters.system.system import System
from tests.pinned_backend import offline_system
from tests.sample_distributions import wheel

PYPROJECT = """
[build-system]
requires = ["acme-backend"]
build-backend = "acme_backend"
[project]
name = "acme"
version = "1.0"
"""
#: writes down what it sees; HOOK is code that runs in each hook
BACKEND = """
import importlib.util, io, json, os, pathlib, sys, tarfile, time, zipfile
COMPILED = os.path.exists(importlib.util.cache_from_source(importlib.util.find_spec("acme_library").origin))
import acme_library
METADATA = "Metadata-Version: 2.1\\nName: acme\\nVersion: 1.0\\n"
def hook(name):
    here = pathlib.Path(sys.prefix)
    exec(os.environ.get("HOOK", ""), {"name": name, "here": here})
    extra = importlib.util.find_spec("acme_extra") is not None
    one = {"hook": name, "environment": here.name, "compiled": COMPILED, "extra": extra, "variables": dict(os.environ)}
    with open(os.environ["SEEN"], "a") as file:
        file.write(json.dumps(one) + "\\n")
def get_requires_for_build_sdist(settings=None):
    hook("requires sdist")
    return []
def get_requires_for_build_wheel(settings=None):
    hook("requires wheel")
    return []
def build_sdist(directory, settings=None):
    hook("sdist")
    text = open("pyproject.toml").read()
    text = text.replace('"acme-backend"', os.environ.get("REQUIRES", '"acme-backend"'))
    with tarfile.open(os.path.join(directory, "acme-1.0.tar.gz"), "w:gz") as archive:
        for name, data in (("PKG-INFO", METADATA.encode()), ("pyproject.toml", text.encode())):
            member = tarfile.TarInfo("acme-1.0/" + name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return "acme-1.0.tar.gz"
def build_wheel(directory, settings=None, metadata=None):
    hook("wheel")
    info = "acme-1.0.dist-info/"
    text = "Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    with zipfile.ZipFile(os.path.join(directory, "acme-1.0-py3-none-any.whl"), "w") as archive:
        for name, content in (("acme.py", ""), ("METADATA", METADATA), ("WHEEL", text), ("RECORD", "")):
            archive.writestr(name if name == "acme.py" else info + name, content)
    return "acme-1.0-py3-none-any.whl"
"""
#: seconds, which are far more than it takes
LIMIT = 120


class Project:
    """A project, and the machine that builds it."""

    def __init__(self, where: Path, installer: str = "uv") -> None:
        self.source, self.out, self._seen = where / "project", where / "out", where / "seen"
        self.source.mkdir()
        (self.source / "pyproject.toml").write_text(PYPROJECT)
        links = where / "links"
        links.mkdir()
        for name, files, needs in (
            ("acme-backend", {"acme_backend.py": BACKEND}, "Requires-Dist: acme-library\n"),
            ("acme-library", {"acme_library.py": "ONE = 1\n"}, ""),
            ("acme-extra", {"acme_extra.py": ""}, ""),
        ):
            content = wheel(name, files=files, metadata_extra=needs)
            (links / f"{name.replace('-', '_')}-1.0-py3-none-any.whl").write_bytes(content)
        env = {"SEEN": str(self._seen), "PYTHONDONTWRITEBYTECODE": ""}
        self.system: System = offline_system(links, where, installer, **env)

    def build(self, **options: Any) -> list[dict[str, Any]]:
        """Build it, and return what each hook has seen."""
        env = {name: options.pop(name) for name in ("HOOK", "REQUIRES") if name in options}
        system = replace(self.system, env={**self.system.env, **env})
        built = builder.build_distributions(system, self.source, self.out, epoch=None, **options)
        assert [one.filename for one in built] == ["acme-1.0.tar.gz", "acme-1.0-py3-none-any.whl"]
        return [json.loads(line) for line in self._seen.read_text().splitlines()]


def wait_for(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)
