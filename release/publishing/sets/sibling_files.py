"""The files of siblings that were built before, for the build of a member that requires them."""

from __future__ import annotations

from pathlib import Path

from release.adapters import collect
from release.core.errors import UsageError
from release.core.models.release_set import Sibling
from release.core.quoting import quote_path
from release.publishing import build, prebuilt


def find_siblings(directory: Path, *, without: Path | None = None) -> tuple[Sibling, ...]:
    """The siblings whose files are in the subdirectories of `directory`, each with its directory as the page.

    `without`: the directory of the member that is built. Raises `UsageError` where there is none, and where a
    subdirectory has files of several releases.
    """
    own = without and without.resolve()
    places = sorted(one for one in directory.iterdir() if one.is_dir()) if directory.is_dir() else []
    found = [_sibling(one) for one in places if one.resolve() != own and build.has_distributions(one)]
    if not found:
        raise UsageError(
            f"{quote_path(directory)} has no directory with wheels or sdists",
            remedy="pass the directory that has one directory for each sibling, with its files: --siblings DIR",
        )
    return tuple(found)


def _sibling(directory: Path) -> Sibling:
    project = collect.project_of_files(prebuilt.find_release([directory]))
    return Sibling(name=project.name, version=project.version, page=directory.resolve().as_uri() + "/")
