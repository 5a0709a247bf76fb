"""Hold what `build` installs to the constraints, and write it down.

Observed: build 1.6.1, pip 26.3, uv 0.13.9, 2026-11:

- pip reports the SHA-256 of each file, which it computes where the index states none.
- `--require-hashes` of uv takes the hashes from a constraint, but the `==` only from the requirement itself. It is not
  applied to the builds of requirements that have only an sdist; there is no variable for `--no-build` in `uv pip`.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

#: (normalized name, version) → SHA-256 of the file, where it is known
Installed = dict[tuple[str, str], str | None]


class Installs:
    """Holds each install to the settings, and writes down what it has installed."""

    def __init__(self, settings: dict[str, Any], target: Path) -> None:
        self._settings, self._target = settings, target
        self._found: Installed = {}
        self._lock = threading.Lock()

    def run(
        self, install: Callable[..., None], environment: Any, requirements: Collection[str], *arguments: Any,
        **options: Any,
    ) -> Installed:  # fmt: skip
        """Call a method `install` of an environment, and return what it has added."""
        uv = environment.installer == "uv"
        before = set(_installed(environment.python_executable))
        with self._lock, tempfile.TemporaryDirectory(prefix="release-report-", ignore_cleanup_errors=True) as work:
            report, variables = Path(work, "report.json"), dict(os.environ)
            os.environ |= _variables(self._settings, uv=uv) | {"PIP_REPORT": str(report)}
            try:
                install(_held(requirements, self._settings, uv=uv), *arguments, **options)
            finally:  # the backend gets none of them
                os.environ.clear()
                os.environ |= variables
            hashes = {} if uv else _hashes(report)
        return {one: hashes.get(one) for one in set(_installed(environment.python_executable)) - before}

    def record(self, found: Installed) -> None:
        """Write down what an environment has got that is used."""
        self._found |= {one: digest or self._found.get(one) for one, digest in found.items()}
        listed = [
            {"name": name, "version": version, "sha256": self._found[name, version]}
            for name, version in sorted(self._found)
        ]
        self._target.write_text(json.dumps(listed), encoding="utf-8")


def watch_installs(installs: Installs) -> None:
    """Let each environment of `build` install that way."""
    from build import env

    original = env.DefaultIsolatedEnv.install

    def install(self: Any, requirements: Collection[str], *arguments: Any, **options: Any) -> None:
        installs.record(installs.run(original.__get__(self), self, requirements, *arguments, **options))

    env.DefaultIsolatedEnv.install = install  # type: ignore[method-assign] # the CLI has no hook for it


def _variables(settings: dict[str, Any], *, uv: bool) -> dict[str, str]:
    if uv:
        return {"UV_REQUIRE_HASHES": "1"} if settings["required"] else {}
    strict = {"PIP_REQUIRE_HASHES": "1"} if settings["required"] else {}
    return strict | ({"PIP_ONLY_BINARY": ":all:"} if settings["only_wheels"] else {})


def _held(requirements: Collection[str], settings: dict[str, Any], *, uv: bool) -> list[str]:
    """What is passed to the installer instead of the requirements."""
    if not uv or not requirements:
        return list(requirements)
    held = [_pinned(one, settings["pins"]) if settings["required"] else one for one in requirements]
    return [*held, "--no-build"] if settings["required"] or settings["only_wheels"] else held


def _pinned(text: str, pins: dict[str, list[str]]) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement:  # which the installer reports
        return text
    for line in pins.get(_normalized(requirement.name), ()):
        pin = Requirement(line)
        if requirement.url is None and (pin.marker is None or pin.marker.evaluate()):
            requirement.specifier &= pin.specifier
            break
    # uv accepts a single specifier only
    exact = [one for one in requirement.specifier if one.operator in {"==", "==="} and not one.version.endswith(".*")]
    if exact and requirement.specifier.contains(exact[0].version, prereleases=True):
        requirement.specifier = type(requirement.specifier)(str(exact[0]))
    return str(requirement)


def _installed(python: str) -> Iterator[tuple[str, str]]:
    """Normalized name and version of each distribution in an environment."""
    root = Path(python).parent.parent
    for place in (*root.glob("lib*/*/site-packages"), root / "Lib" / "site-packages"):
        for one in importlib.metadata.distributions(path=[str(place)]):
            if one.name:
                yield _normalized(one.name), one.version


def _hashes(report: Path) -> dict[tuple[str, str], str]:
    try:
        document = json.loads(report.read_bytes())
        items = [(one["metadata"], one["download_info"].get("archive_info", {})) for one in document["install"]]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    found = {(_normalized(one["name"]), one["version"]): info.get("hashes", {}).get("sha256") for one, info in items}
    return {key: value for key, value in found.items() if value}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
