"""A program: run `build`, and write down what it installs into its isolated environments.

It imports nothing of this package, so that any interpreter of Python 3.11 or newer can run it as a file. Its arguments:
the directory of the copies of `build` and what it imports, or "" where they are installed; the names of variables that
its backends must not see, separated by commas; a JSON file with `pins`
(normalized name → the requirement line that pins it), `required` (whether other requirements are refused) and
`only_wheels`; the JSON file that it writes, a list of {name, version, sha256}; then those of `build`.

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
import runpy
import sys
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any


def main() -> None:
    """Read the arguments, and run `build` in this process."""
    copies, hidden, settings, target, *arguments = sys.argv[1:]
    if copies:
        sys.path.insert(0, copies)
    hide_variables(tuple(filter(None, hidden.split(","))))
    watch_installs(json.loads(Path(settings).read_text(encoding="utf-8")), Path(target))
    sys.argv[1:] = arguments
    runpy.run_module("build", run_name="__main__", alter_sys=True)


def hide_variables(names: Collection[str]) -> None:
    """Let backends run without these variables, which only the installer needs.

    Source: pyproject_hooks' documentation, "BuildBackendHookCaller".
    """
    import pyproject_hooks

    class Caller(pyproject_hooks.BuildBackendHookCaller):
        def __init__(
            self, source_dir: str, build_backend: str, backend_path: Any = None, runner: Any = None,
            python_executable: str | None = None,
        ) -> None:  # fmt: skip
            runner = runner or pyproject_hooks.default_subprocess_runner

            def run(*arguments: Any, **options: Any) -> None:
                hidden = {name: os.environ.pop(name) for name in names if name in os.environ}
                try:
                    runner(*arguments, **options)
                finally:
                    os.environ.update(hidden)

            super().__init__(source_dir, build_backend, backend_path, run, python_executable)

    pyproject_hooks.BuildBackendHookCaller = Caller  # type: ignore[misc]


def watch_installs(settings: dict[str, Any], target: Path) -> None:
    """Let each environment of `build` obey the settings, and write to `target` what it has after an install."""
    from build import env

    original = env.DefaultIsolatedEnv.install
    found: dict[tuple[str, str], str | None] = {}

    def install(self: Any, requirements: Collection[str], *arguments: Any, **options: Any) -> None:
        uv = self.installer == "uv"
        before, variables = set(_installed(self.python_executable)), dict(os.environ)
        with tempfile.TemporaryDirectory(prefix="release-report-", ignore_cleanup_errors=True) as work:
            report = Path(work, "report.json")
            os.environ |= _variables(settings, uv=uv) | {"PIP_REPORT": str(report)}
            try:
                original(self, _held(requirements, settings, uv=uv), *arguments, **options)
            finally:  # the backend gets none of them
                os.environ.clear()
                os.environ |= variables
            hashes = {} if uv else _hashes(report)
        for one in sorted(set(_installed(self.python_executable)) - before):
            found[one] = hashes.get(one, found.get(one))
        listed = [{"name": name, "version": version, "sha256": found[name, version]} for name, version in sorted(found)]
        target.write_text(json.dumps(listed), encoding="utf-8")

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


if __name__ == "__main__":
    main()
