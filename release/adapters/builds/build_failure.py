"""The cause of a failed build and its remedy, from the output of `build`, the installer and the backend."""

from __future__ import annotations

import re
from pathlib import Path

from release.adapters.builds import held_requirements, submodule_use
from release.adapters.install import unreleased
from release.adapters.system import program_output
from release.adapters.system.system import System
from release.core.child_environment import how_to_pass
from release.core.errors import PROCESS_LIMIT, PROCESS_LIMIT_REMEDY, ToolError
from release.core.models.check_result import Finding
from release.core.models.source_tree import CHECK_OUT_SUBMODULES

_SUBDIRECTORY = (
    "build from a git clone with its tags; in a subdirectory of it, add the path to its top to [tool.setuptools_scm] "
    'in pyproject.toml, for example root = ".."'
)
_NO_LINK = "replace the link {0!r}, which leads out of the project, by the file itself"
#: Output of build and the installers → remedy; the first that matches wins, `{0}` is its first group.
#: Observed: build 1.6.1 with pip 23.2 and uv 0.13, 2026-11.
_REMEDIES: tuple[tuple[str, str], ...] = (
    (r"No module named '?build\b", "install build into the environment of this program: python -m pip install build"),
    (
        r"Failed to validate `build-system`|Failed to parse .*pyproject\.toml|is not a valid TOML",
        "correct pyproject.toml: [build-system] needs requires, a list of strings, and build-backend",
    ),
    (
        r"Cannot find module '[^']+' in \[.",
        "include the in-tree backend (backend-path) in the sdist, since the wheel is built from it",
    ),
    (
        r"(?s)Building wheel from sdist.*FileNotFoundError: \[Errno 2\] No such file or directory: '([^/'][^']*)'",
        "include {0!r} in the sdist, from which the wheel is built; for setuptools, in MANIFEST.in: include {0}",
    ),
    (
        r"Backend '([^']+)' is not available|BackendUnavailable",
        "add the backend's project to [build-system] requires, and check the spelling of build-backend",
    ),
    (program_output.OFFLINE_PATTERN, "connect to the network, or configure an index for build requirements"),
    (unreleased.OLD_PIP.pattern, unreleased.UPGRADE_PIP),
    (
        r"No matching distribution found for (\S+)|Because (\S+) was not found|Because only (\S+) is available",
        "correct [build-system] requires: no configured index has that requirement",
    ),
    (
        r"ModuleNotFoundError: No module named '([\w.]+)'",
        "add the project that provides {0!r} to [build-system] requires: builds are isolated",
    ),
    (r"(?:Syntax|Indentation|Tab)Error: ", "correct the syntax error in the file that the output names"),
    (r"LookupError: setuptools-scm was unable|unable to detect version", _SUBDIRECTORY),
    # backends put links as they are into the sdist, or refuse them. Observed: hatchling 1.33.0, pdm-backend 2.5.0,
    # flit_core 4.2.0, poetry-core 2.5.0, 2026-11
    (r"Link\w*Error: '[^'/]+/([^']+)' (?:would link|is a (?:sym)?link) to", _NO_LINK),
    (r"ConfigError: \w+ path \(([^)]+)\) points outside the project", _NO_LINK),
    (
        r"ValueError: '[^']+' is not in the subpath of",
        "replace links that lead out of the project by the files themselves",
    ),
)


def explain_failed_build(system: System, source: Path, output: str, *, origin: Path) -> ToolError:
    """The error for a failed build of a source directory, which is a copy of `origin`; `output` is all that it wrote.

    It asks git and the repository's other projects about what is missing.
    """
    if unheld := held_requirements.explain_unheld(output, system.pinned_build):
        return unheld
    missing = unreleased.missing_requirement(output)
    known = unreleased.explain_missing(system, origin, missing, noun="build requirement") if missing else None
    error = build_error(
        output, submodule=submodule_use.missing_submodule(system, source, output), unreleased_sibling=known
    )
    remedy = how_to_pass(system.env, output, passed=system.passed)
    return ToolError(error.message, remedy=remedy) if remedy else error


def build_error(output: str, *, submodule: str | None = None, unreleased_sibling: Finding | None = None) -> ToolError:
    """The error for a failed build; `output` is all that it wrote.

    `submodule`: the path in it that is a submodule which is not checked out; None without one. `unreleased_sibling`:
    what is known of a build requirement that no index has.
    """
    if re.search(r"No space left on device|ENOSPC", output):
        return ToolError("no space left on the disk during the build", remedy="free some space, then build again")
    if re.search(program_output.PROCESS_LIMIT_PATTERN, output):
        return ToolError(f"the project does not build: {PROCESS_LIMIT}", remedy=PROCESS_LIMIT_REMEDY)
    if not output.strip():  # it was killed
        return ToolError(
            "the project does not build: the build ended without a message",
            remedy="check that there is enough memory, then build again",
        )
    # Without what build wrote around it: "> command", then the command's output in lines that begin with "< ".
    # Observed: build 1.6.1, 2026-11
    last = output.rpartition("\n> ")[2].splitlines()
    quoted = "\n".join(line[2:] for line in last if line.startswith("< ")) or output
    if submodule is not None:
        return ToolError(
            f"the project does not build, because its submodule {submodule!r} is not checked out: "
            f"{program_output.cause_line(quoted)!r}\n{program_output.last_lines(quoted)}",
            remedy=CHECK_OUT_SUBMODULES,
        )
    if unreleased_sibling is not None:
        return ToolError(
            f"the project does not build: {unreleased_sibling.message}\n{program_output.last_lines(quoted)}",
            remedy=unreleased_sibling.remedy,
        )
    remedy = "run `python -m build` in the project, and fix what it reports"
    for pattern, text in _REMEDIES:
        if found := re.search(pattern, output):
            remedy = text.format(*filter(None, found.groups()))
            break
    return ToolError(
        f"the project does not build: {program_output.cause_line(quoted)!r}\n{program_output.last_lines(quoted)}",
        remedy=remedy,
    )
