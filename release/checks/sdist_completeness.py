"""The sdist compared with the files that git tracks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.checks.distribution_reader import inspect_built_files
from release.checks.engine import Check, check
from release.checks.wording import quote_some
from release.core.facts import BuiltFiles
from release.core.models.finding import Finding, NotApplicable, Observation
from release.core.models.inspected_file import InspectedFile

#: what build backends write into an sdist themselves
_GENERATED = re.compile(
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
    """The sdist contains the tracked files, and no others.

    Only directories of which the sdist contains something count, and only files that are not usually left out.
    """
    if built.tracked is None:
        yield NotApplicable(reason="there is no repository to compare with")
        return
    for one in inspect_built_files(built):
        if not one.is_wheel:
            yield from _compare(one, built.tracked)


def _compare(sdist: InspectedFile, tracked: frozenset[str]) -> Iterator[Observation]:
    contained = {path.partition("/")[2] for path, _ in sdist.members}
    directories = {path.rpartition("/")[0] for path in contained & tracked} - {""}
    missing = sorted(
        path for path in tracked - contained if path.rpartition("/")[0] in directories and not _LEFT_OUT.fullmatch(path)
    )
    stray = sorted(path for path in contained - tracked if not _GENERATED.fullmatch(path))
    for paths, message, remedy in (
        (missing, "tracked by git, but not in the sdist: {}", "include it in the build backend's configuration"),
        (stray, "in the sdist, but not tracked by git: {}", "add it to git, or exclude it from the sdist"),
    ):
        if paths:
            text = message.format(quote_some(paths))
            yield Finding(message=text, remedy=remedy, severity="warn", where=sdist.filename)


CHECKS: tuple[Check[BuiltFiles], ...] = (the_sdist_has_what_git_has,)
