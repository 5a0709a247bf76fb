"""What the build backend reported itself about files that it did not find."""

from __future__ import annotations

import re
from collections.abc import Iterator

from release.checks.distribution_reader import inspect_built_files
from release.checks.engine import Checklist, quote_some, warn
from release.checks.source_layout import find_layout
from release.checks.unshipped_files import is_development_file
from release.core.facts import BuiltFiles
from release.core.models.check_result import Finding
from release.core.models.source_tree import DeclaredFile
from release.core.shell import quote_word

CHECKS = Checklist[BuiltFiles]()
_NO_FILES = re.compile(r"no (?:files|directories) found matching '([^']*)'(?: under directory '([^']*)')?")
_ABSENT = re.compile(r"package '([^']+)' is absent", re.IGNORECASE)


@CHECKS.check()
def every_declared_file_is_found(built: BuiltFiles) -> Iterator[Finding]:
    """The build finds the files that the configuration declares.

    A release is built from a clone: a file that git ignores is not there, even if it exists on this machine. Lines of
    MANIFEST.in that match nothing count only below a package that is shipped.
    """
    tree = built.source_tree
    if not built.backend_warnings and (tree is None or not tree.declared):
        return
    contained = {path for one in inspect_built_files(built) for path, _ in one.members}
    names = {path.partition("/")[2] for path in contained}
    ignored = [one for one in (tree.declared if tree else ()) if one.path not in names | contained]
    packages = _package_directories(built)
    ignored = [one for one in ignored if _is_below(one.path, packages) and not _is_shipped(one.path, contained)]
    if ignored:
        yield _ignored(ignored)
    for text in built.backend_warnings:
        if (found := _NO_FILES.match(text)) is not None:
            pattern, directory = found.groups()
            whole = f"{directory}/{pattern}" if directory else pattern
            # one of several patterns for a directory, of which the others match
            leftover = directory and any(name.startswith(f"{directory}/") for name in names)
            if not (ignored or leftover) and _is_below(whole, packages) and not is_development_file(whole):
                yield _unmatched(text)
        elif (absent := _ABSENT.match(text)) is not None:
            # setuptools ships the files of most such directories as data
            path = absent[1].replace(".", "/")
            if not any(one.startswith(f"{path}/") for one in contained) and not is_development_file(f"{path}/x"):
                remedy = f'add "{absent[1]}" to packages of setuptools, or exclude it in packages.find'
                yield warn(f"the build backend reports: {text}", remedy)
        else:
            yield warn(f"the build backend reports: {text}", "add the file to git, or remove it from the configuration")


def _ignored(files: list[DeclaredFile]) -> Finding:
    settings = " and ".join(sorted({one.setting for one in files}))
    paths = [one.path for one in files]
    return warn(
        f"declared by {settings}, but not tracked by git, so the release is built without it: {quote_some(paths)}",
        f"add it to git: git add --force {' '.join(map(quote_word, paths[:3]))}; or remove it from {settings}",
    )


def _unmatched(text: str) -> Finding:
    return warn(
        f"the build backend reports: {text}; a line of MANIFEST.in declares files that the source does not have",
        "add the files to git, or remove the line from MANIFEST.in",
    )


def _package_directories(built: BuiltFiles) -> tuple[str, ...]:
    """The directories of the shipped packages, in the project and in the wheel."""
    tree = built.source_tree
    found: set[str] = set()
    for one in inspect_built_files(built):
        if one.is_wheel:
            layout = find_layout((path for path, _ in one.members), tree.tracked if tree else frozenset())
            found |= {source for source in layout.packages.values() if source}
    return tuple(found)


def _is_below(path: str, packages: tuple[str, ...]) -> bool:
    return any(path.startswith(f"{one}/") for one in packages)


def _is_shipped(path: str, contained: set[str]) -> bool:
    return any(path.endswith(f"/{one}") for one in contained)
