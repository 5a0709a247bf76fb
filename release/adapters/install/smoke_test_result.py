"""What a trial that did not end well means. Pure."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from release.adapters.system import output_excerpt
from release.core.models.finding import Finding
from release.core.models.smoke_test import SmokeTest

#: modules that older Pythons had and this one may not. Source: PEP 594, PEP 632, "What's New In Python 3.12"
_REMOVED = re.compile(
    "aifc|asynchat|asyncore|audioop|cgi|cgitb|chunk|crypt|distutils|imghdr|imp|lib2to3|mailcap|msilib|nis|nntplib"
    "|ossaudiodev|pipes|smtpd|sndhdr|spwd|sunau|telnetlib|uu|xdrlib"
)
#: what the standard library itself asks for and does without, on other systems and other Pythons
_NEVER_THERE = sys.stdlib_module_names | {"org", "vms_lib", "_winreg"}
_USAGE = re.compile(r"(?im)^\s*usage\b|^\s*options:|--help\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOutcome:
    """How an attempt ended."""

    #: exit status, negative for a signal; None where it was still running at the limit
    status: int | None
    #: all that it wrote
    output: str
    #: what the child reported; empty where it could not
    report: dict[str, Any]
    #: seconds that it was given
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectUnderTest:
    """What belongs to the project that is tried."""

    #: as users install it
    name: str
    #: the modules that it is known by, dotted
    roots: tuple[str, ...]
    #: its "Requires-Dist" lines
    requires: tuple[str, ...]


def smoke_test_problem(attempt: SmokeTest, ending: AttemptOutcome, own: ProjectUnderTest) -> Finding | None:
    """None where it went well; a warning where the project is excused; a block otherwise."""
    if ending.status == 0:
        return None
    excuse = None if attempt.asked_for else _excuse(attempt, ending, own)
    return excuse or _blocked(attempt, ending)


def _excuse(attempt: SmokeTest, ending: AttemptOutcome, own: ProjectUnderTest) -> Finding | None:
    if absent := _absent_cause(ending, own):
        return _excused(attempt, absent, own)
    if attempt.kind == "script" and ending.status is None:
        return _odd(attempt, f"is still running after {ending.limit:g} s")
    if attempt.kind == "script" and _ended_itself(ending) and _USAGE.search(ending.output):
        return _odd(attempt, f"shows its usage and ends with status {ending.status}")
    if absent := _absent_before(ending, own):
        return _excused(attempt, absent, own)
    return None


def _ended_itself(ending: AttemptOutcome) -> bool:
    chain = ending.report.get("chain", [])
    return bool(chain and chain[0]["exit"])


def _absent_cause(ending: AttemptOutcome, own: ProjectUnderTest) -> str | None:
    """The other project's module whose absence is what ended it; None where there is more to it."""
    chain = ending.report.get("chain", [])
    missing = [link["module"] for link in _related(chain) if link["not_found"] and link["module"]]
    others = [name for name in missing if _is_foreign(name, own.roots)]
    return others[-1] if len(others) == len(missing) > 0 else None


def _related(chain: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The failure and what it came from: what it states as its cause, and all that is behind a failed import."""
    for link in chain:
        yield link
        if not (link["import_error"] or link["exit"] or link["explicit"]):
            return


def _absent_before(ending: AttemptOutcome, own: ProjectUnderTest) -> str | None:
    """The last module missed before an ImportError of the project's own making, or a script's farewell."""
    chain = ending.report.get("chain", [])
    farewell = chain and (chain[0]["exit"] or (chain[0]["import_error"] and chain[0]["module"] is None))
    if not farewell:
        return None
    missed = [name for name in ending.report["absent"] if "." not in name and name not in _NEVER_THERE]
    return next((name for name in reversed(missed) if _is_foreign(name, own.roots)), None)


def _is_foreign(name: str, roots: Iterable[str]) -> bool:
    """Whether a module belongs to another project: not to this one, and not to some Python's standard library."""
    ours = any(f"{name}.".startswith(f"{root}.") or f"{root}.".startswith(f"{name}.") for root in roots)
    return not ours and not _REMOVED.fullmatch(name.partition(".")[0])


def _excused(attempt: SmokeTest, absent: str, own: ProjectUnderTest) -> Finding:
    top = absent.partition(".")[0]
    extra = extra_of(top, own.requires)
    if top in sys.stdlib_module_names:
        remedy = f"nothing, if that is meant: this Python has no {top!r}; else list what to try in [tool.release.smoke]"
    elif extra:
        remedy = f"nothing, if {own.name}[{extra}] is how users get it; else move it to the project's dependencies"
    else:
        remedy = f"add the project that provides {top!r} to dependencies, or to an extra that the documentation names"
    return Finding(message=f"{attempt.title!r} fails where {absent!r} is not installed", remedy=remedy, severity="warn")


def extra_of(module: str, requires: Iterable[str]) -> str | None:
    """The extra that brings the project of a module's name; None where none is known to."""
    from packaging.utils import canonicalize_name

    for line in requires:
        found = re.match(r"\s*([\w.-]+).*;.*\bextra\s*==\s*[\"']([^\"']+)", line)
        if found and canonicalize_name(found[1]) in {canonicalize_name(module), f"python-{canonicalize_name(module)}"}:
            return found[2]
    return None


def _odd(attempt: SmokeTest, what: str) -> Finding:
    return Finding(
        message=f"{attempt.title!r} {what}",
        remedy="nothing, if that is meant; else mend it, or list what to try in [tool.release.smoke] commands",
        severity="warn",
    )


def _blocked(attempt: SmokeTest, ending: AttemptOutcome) -> Finding:
    if ending.status is None:
        what = f"is still running after {ending.limit:g} s"
    elif ending.status < 0:
        what = f"was ended by signal {-ending.status}"
    else:
        what = f"fails with status {ending.status}: {output_excerpt.cause_line(ending.output)!r}"
    return Finding(
        message=f"{attempt.title!r} {what}",
        remedy="install the wheel into a fresh environment, run it there, mend the project and build again",
    )
