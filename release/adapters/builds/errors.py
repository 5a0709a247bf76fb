"""Why a project did not build, in the backend's own words, and what to do about it."""

from __future__ import annotations

import re

from release.adapters.system import output_excerpt
from release.core.errors import ToolError

#: Observed: build 1.6.1 with pip 23.2 and uv 0.13, 2026-11. The first that is found speaks; `{0}` is its first group.
_KNOWN: tuple[tuple[str, str], ...] = (
    (r"No module named build\b", "install the package 'build' beside this program"),
    (
        r"Failed to validate `build-system`|Failed to parse .*pyproject\.toml|is not a valid TOML",
        "mend pyproject.toml: [build-system] needs requires, a list of texts, and build-backend",
    ),
    (
        r"Cannot find module '[^']+' in \[.",
        "put the backend that stands in the project (backend-path) into the sdist: the wheel is built from that",
    ),
    (
        r"Backend '([^']+)' is not available|BackendUnavailable",
        "add the backend's project to [build-system] requires, and check how build-backend is spelt",
    ),
    (
        output_excerpt.OFFLINE_PATTERN,
        "connect to the network, or set the index that pip and uv are to use for build requirements",
    ),
    (
        r"No matching distribution found for (\S+)|Because (\S+) was not found|Because only (\S+) is available",
        "correct [build-system] requires: that requirement is on no index that pip and uv can reach",
    ),
    (
        r"ModuleNotFoundError: No module named '([\w.]+)'",
        "add the project that provides {0!r} to [build-system] requires: builds see nothing that is not listed there",
    ),
    (r"(?:Syntax|Indentation|Tab)Error: ", "mend the syntax error in the file named above"),
    (r"LookupError: setuptools-scm was unable|unable to detect version", "build from a git clone with its tags"),
)
_ELSE = "run `python -m build` in the project, and mend what it reports"


def build_error(output: str) -> ToolError:
    """The error for a failed build from all that it wrote."""
    if re.search(r"No space left on device|ENOSPC", output):
        return ToolError("no space left on the disk, found while building", remedy="make room, then run it again")
    telling = _quoted(output) or output
    return ToolError(
        f"the project does not build: {output_excerpt.cause_line(telling)!r}\n{output_excerpt.last_lines(telling)}",
        remedy=build_remedy(output),
    )


def _quoted(output: str) -> str:
    """What the program wrote that failed, without what build wrote around it.

    Observed: build 1.6.1, 2026-11: "> command", then its output in lines that begin with "< ".
    """
    _, _, last = output.rpartition("\n> ")
    return "\n".join(line[2:] for line in last.splitlines() if line.startswith("< "))


def build_remedy(output: str) -> str:
    """What to do about it."""
    for pattern, text in _KNOWN:
        if found := re.search(pattern, output):
            return text.format(*(group for group in found.groups() if group))
    return _ELSE
