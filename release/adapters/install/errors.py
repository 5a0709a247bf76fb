"""Why a released file did not install, in the words of pip or uv, and what to do about it.

Observed: pip 23.2 and uv 0.13, 2026-11.
"""

from __future__ import annotations

import re

from release.adapters.system import output_excerpt
from release.core.models.finding import Finding, Unknown

_OTHER_BYTES = r"Hash mismatch for|DO NOT MATCH THE HASHES"
_GOT = r"(?:Got|Computed:\s+sha256:)\s*([0-9a-f]{64})"
_GONE = r"404 (?:Client Error|(?:File )?(?i:not found))"
_FULL = r"No space left on device|not enough space"
_PYTHON = (
    r"Package '(?P<who>[^']+)' requires a different Python: (?P<have>\S+) not in '(?P<want>[^']+)'"
    r"|current Python version \((?P<have2>[^)]+)\) does not satisfy Python(?P<want2>\S+) and (?P<who2>[^\s=]+)\S* dep"
)
_ABSENT = (
    r"No matching distribution found for (?P<a>[^\n]+)|Because (?P<b>\S+) was not found"
    r"|there (?:is|are) no versions? of (?P<c>\S+)|only (?P<d>\S+) is available"
)
_UNBUILT = r"Failed to build:? `?(?P<a>[\w.-]+)|Failed building wheel for (?P<b>[\w.-]+)|subprocess-exited-with-error"
_PLATFORM = r"is not a supported wheel on this platform|has no wheels with a matching|not compatible with"


def install_problem(output: str, *, name: str, url: str) -> Finding | Unknown:
    """What a failed install means; `output` is all that the installer wrote."""
    for answer in (_bytes, _python, _network, _dependency, _build):
        if found := answer(output, name, url):
            return found
    return Finding(
        message=f"{name} does not install: {output_excerpt.cause_line(output)!r}",
        remedy=f"install {url} into a fresh environment by hand, and mend what that reports",
    )


def _bytes(output: str, name: str, url: str) -> Finding | None:
    if re.search(_OTHER_BYTES, output):
        got = re.search(_GOT, output)
        return Finding(
            message=f"{name}: the index serves other bytes than were released{f', sha256 {got[1]}' if got else ''}",
            remedy=f"do not announce the release; fetch {url} and compare it with the file that was built",
        )
    if re.search(_GONE, output) and url in output:
        return Finding(message=f"the index does not serve {url!r} (404)", remedy="run the same command again later")
    return None


def _python(output: str, name: str, url: str) -> Finding | None:  # noqa: ARG001 - one form for all of them
    found = re.search(_PYTHON, output)
    if found:
        who, have, want = (found[key] or found[f"{key}2"] for key in ("who", "have", "want"))
        return Finding(
            message=f"{who} does not install on Python {have}: it asks for '{want}'",
            remedy="run with a Python that it allows, or widen requires-python and release again",
        )
    if re.search(_PLATFORM, output):
        return Finding(
            message=f"{name} has no wheel for this Python on this machine",
            remedy="run on a machine that the wheels are for, or release an sdist too",
        )
    return None


def _network(output: str, name: str, url: str) -> Finding | Unknown | None:  # noqa: ARG001 - as above
    if re.search(_FULL, output):
        return Unknown(reason="the disk is full", remedy="free some space, and run the same command again")
    if re.search(output_excerpt.OFFLINE_PATTERN, output):
        return Unknown(
            reason=f"the clean install could not reach an index: {output_excerpt.cause_line(output)!r}",
            remedy="connect to the network, or set the index that pip and uv are to use, and run it again",
        )
    return None


def _dependency(output: str, name: str, url: str) -> Finding | None:  # noqa: ARG001 - as above
    found = re.search(_ABSENT, output)
    if not found:
        return None
    absent = next(text for text in found.groups() if text).strip().rstrip(",")
    return Finding(
        message=f"{name} does not install: no index offers its dependency {absent!r}",
        remedy="correct that entry of the project's dependencies, or set the index that pip and uv are to use",
    )


def _build(output: str, name: str, url: str) -> Finding | None:  # noqa: ARG001 - as above
    found = re.search(_UNBUILT, output)
    if not found:
        return None
    what = found["a"] or found["b"] or name
    if what == name:
        remedy = "build a wheel from the sdist alone, `python -m build --wheel FILE.tar.gz`, and mend what it reports"
    else:
        remedy = f"install what the build of {what} needs, or depend on a version of it that has wheels"
    return Finding(
        message=f"{what} does not build from its sdist: {output_excerpt.cause_line(output)!r}", remedy=remedy
    )
