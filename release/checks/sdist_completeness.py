"""The sdist beside what git has: what is missing, what is there by accident."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.checks.archive_warnings import some
from release.checks.distribution_reader import Examined, examined
from release.checks.engine import Check, check
from release.core.facts import BuiltFiles
from release.core.models.finding import Finding, NotApplicable, Observation

#: what backends write into an sdist, whatever git has
_WRITTEN = re.compile(
    r"PKG-INFO|setup\.(?:py|cfg)|pyproject\.toml|(?:.*/)?[^/]+\.egg-info/.*|(?:.*/)?_?version\.(?:py|pyi|txt|h)|"
    r"(?:.*/)?__version__\.py|(?:.*/)?_version_?\w*\.py|(?:.*/)?(?:AUTHORS|ChangeLog|Cargo\.lock|Cargo\.toml)|\.gitignore"
)
#: what is left out of an sdist on purpose, and by most backends by default
_LEFT_OUT = re.compile(
    r"(?:.*/)?(?:\.[^/]+|tests?|testing|docs?|examples?|benchmarks?|scripts|tools|ci|conda|recipes?)(?:/.*)?|"
    r"(?:.*/)?(?:test_[^/]*|[^/]*_test\.py|conftest\.py)",
    re.IGNORECASE,
)


@check()
def the_sdist_has_what_git_has(built: BuiltFiles) -> Iterator[Observation]:
    """The sdist has every file that git has beside those that it ships, and no other.

    Only directories that are shipped count, and files that are not of the usual kinds that are left out.
    """
    if built.tracked is None:
        yield NotApplicable(reason="there is no repository to compare with")
        return
    for one in examined(built):
        if not one.filename.endswith(".whl"):
            yield from _compare(one, built.tracked)


def _compare(sdist: Examined, tracked: frozenset[str]) -> Iterator[Observation]:
    shipped = {path.partition("/")[2] for path, _ in sdist.members}
    places = {path.rpartition("/")[0] for path in shipped & tracked} - {""}
    missing = sorted(
        path for path in tracked - shipped if path.rpartition("/")[0] in places and not _LEFT_OUT.fullmatch(path)
    )
    stray = sorted(path for path in shipped - tracked if not _WRITTEN.fullmatch(path))
    if missing:
        yield _warn(sdist, f"it lacks {some(missing)}, which git has", "include it by the backend's configuration")
    if stray:
        yield _warn(sdist, f"it has {some(stray)}, which git has not", "add it to git, or exclude it from the sdist")


def _warn(sdist: Examined, message: str, remedy: str) -> Finding:
    return Finding(message=message, remedy=remedy, severity="warn", where=sdist.filename)


CHECKS: tuple[Check[BuiltFiles], ...] = (the_sdist_has_what_git_has,)
