"""Hold the requirements of a build to the project's constraints, and read what was really installed.

Observed with pip 22.3 to 26.3 and uv 0.13.9, 2026-11, for what `python -m build` installs:

- Hashes in constraints are enforced by both: before anything is installed, so that no code of another file runs.
- As soon as one constraint has a hash, pip refuses each requirement without one, also of the builds of requirements
  that have only an sdist. pip before 26.1 then refuses every requirement that is not itself pinned by `==`.
- uv refuses requirements without a hash by `--require-hashes` only: see `build_child.installs`.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from release.adapters.install.installer import constraint_variables
from release.adapters.system.system import System, explain_os_errors
from release.adapters.system.temporary_directory import temporary_directory
from release.core.errors import ConfigError, ToolError
from release.core.foreign_json import parse_foreign_json
from release.core.models.build_requirement import BuildEnvironments, InstalledRequirement, PinnedBuild
from release.core.models.index import normalize_name
from release.core.quoting import quote_path

if TYPE_CHECKING:  # it loads packaging, which most commands do not need
    from release.core.build_constraints import BuildConstraints, Pin

TAMPERED = "build.hash-mismatch"
UNPINNED = "build.unpinned"

#: pip, then uv
_MISMATCH = re.compile(
    r"DO NOT MATCH THE HASHES[^\n]*\n\W*(?P<pip>[\w.-]+\S*) from [^\n]*\n(?:[^\n]*\n)?[^\n]*Got +(?P<got>[0-9a-f]{64})"
    r"|Hash mismatch for `(?P<uv>[^`]+)`(?:[^`]*?Computed:\s+(?:<\s+)?sha256:(?P<got2>[0-9a-f]{64}))?"
)
_WITHOUT_HASH = re.compile(
    r"In --require-hashes mode, all requirements must have their versions pinned with ==[^\n]*\n\W*(?P<a>[\w.-]+)"
    r"|Hashes are required in --require-hashes mode[^\n]*\n\W*(?P<b>[\w.-]+)"
    r"|no trusted hash was provided for: `(?P<c>[\w.-]+)"
    r"|all requirements must have their versions pinned with `==`, but found: (?P<d>[\w.-]+)"
)
#: of uv, with `--no-build`
_NO_WHEEL = re.compile(r"`?(?P<name>[\w.-]+)(?:==\S+?)?`? has no usable wheels")


class HeldBuild(Struct, frozen=True, kw_only=True):
    """How one run of `build` is held to the constraints."""

    #: of `build_child`: the settings, and the file for what was installed
    arguments: tuple[str, ...]
    variables: Mapping[str, str]
    #: for the environments of the build; it does not exist yet, and is removed at the end
    environments_directory: Path
    _report: Path
    _pins: tuple[Pin, ...]

    def environments(self) -> BuildEnvironments | None:
        """What the run has installed; None where it recorded nothing, so that it is unknown."""
        from release.core.build_constraints import unpinned, with_allowed

        try:
            items = parse_foreign_json(self._report.read_bytes())
        except FileNotFoundError:
            return None
        found = with_allowed((InstalledRequirement(**one) for one in items), self._pins)
        return BuildEnvironments(requirements=found, unpinned=unpinned(found))


@contextlib.contextmanager
def hold_requirements(system: System) -> Iterator[HeldBuild]:
    """Arguments and variables for one run of `build`. Raises `ConfigError` where the constraints cannot be used."""
    pinned = system.pinned_build or PinnedBuild(path=None)
    pins = load_constraints(pinned.path, pinned.place).pins if pinned.path else ()
    lines: dict[str, list[str]] = {}
    for one in pins:
        lines.setdefault(one.name, []).append(str(one.requirement))
    with temporary_directory(wait=False) as work:  # environments have hundreds of files
        settings = {"pins": lines, "required": pinned.required, "only_wheels": pinned.only_wheels}
        with explain_os_errors("the settings of the build"):
            (work / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        yield HeldBuild(
            arguments=(str(work / "settings.json"), str(work / "installed.json")),
            variables=constraint_variables(system, pinned.path.as_uri()) if pinned.path else {},
            environments_directory=work / "environments",
            _report=work / "installed.json",
            _pins=pins,
        )


def load_constraints(path: Path, place: str = "") -> BuildConstraints:
    """The constraints of a build. Raises `ConfigError` where the file cannot be read, or a line is no requirement.

    `place`: as in `PinnedBuild`.
    """
    from release.core.build_constraints import parse_constraints, write_command

    again = write_command(place or str(path))
    try:
        found = parse_constraints(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = (getattr(error, "strerror", None) or "it is not UTF-8").lower()
        raise ConfigError(
            f"cannot read {quote_path(path)}, the build-constraints of the project: {reason}",
            remedy=again,
        ) from None
    if found.mistakes:
        raise ConfigError(
            f"{quote_path(path)}: {found.mistakes[0]}",
            remedy=f"correct that line; or write the file again: {again}",
        )
    return found


def explain_unheld(output: str, pinned: PinnedBuild | None) -> ToolError | None:
    """The error for a build that was refused because of the constraints; None where it failed for another reason."""
    from release.core.build_constraints import write_command

    if pinned is None:
        return None
    if pinned.path is None:
        found = _NO_WHEEL.search(output)
        return found and ToolError(
            f"the build requirement {found['name']!r} has no wheel for this machine, so what its own build installs is "
            "not known",
            remedy="write its constraints by hand, with those of its [build-system] requires",
        )
    quoted = "\n".join(line.removeprefix("< ") for line in output.splitlines()) + "\n"
    file, again = quote_path(pinned.path), write_command(pinned.place or str(pinned.path))
    if found := _MISMATCH.search(quoted):
        what, got = found["pip"] or found["uv"], found["got"] or found["got2"]
        return ToolError(
            f"the index serves another file for the build requirement {what!r} than {file} allows"
            + (f": its SHA-256 is {got}" if got else "")
            + "; nothing of it was installed",
            remedy="compare the file with that of the project that publishes it; only if it is genuine, "
            f"pin its hash: {again}",
            cause=TAMPERED,
        )
    if found := _WITHOUT_HASH.search(quoted):
        return _without_hash(pinned.path, again, found)
    if pinned.required and (found := _NO_WHEEL.search(quoted)):
        return ToolError(
            f"the build requirement {found['name']!r} has no wheel for this machine, and uv does not hold what its own "
            f"build installs to {file}",
            remedy="build with pip 26.1 or newer, which does: RELEASE_INSTALLER=pip",
            cause=UNPINNED,
        )
    return None


def _without_hash(path: Path, again: str, found: re.Match[str]) -> ToolError:
    """The error for a requirement for which the installer knows no hash; `again`: the command that writes the file."""
    name = next(text for text in found.groups() if text)
    file = quote_path(path)
    known = [one for one in load_constraints(path).pins if one.name == normalize_name(name)]
    if not any(one.version and one.hashes for one in known):
        message, remedy = f"the build requirement {name!r} is not pinned with a hash in {file}", f"add it: {again}"
    elif found["d"]:  # uv
        message = f"the build requirement {name!r} contradicts {file}, which pins {known[0].requirement}"
        remedy = f"write the constraints again: {again}"
    else:
        from release.adapters.install.unreleased import UPGRADE_PIP  # no build needs it that succeeds

        message, remedy = f"this pip does not hold build requirements to the hashes in {file}", UPGRADE_PIP
    return ToolError(message, remedy=remedy, cause=UNPINNED)
