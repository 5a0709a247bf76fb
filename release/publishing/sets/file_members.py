"""The members of a set that is known from its built files only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from release.adapters import collect
from release.core.errors import UsageError
from release.core.models.distribution import Distribution, parse_version
from release.core.models.index import is_project_name, normalize_name
from release.core.models.release_set import Member
from release.core.shell import quote_word

if TYPE_CHECKING:
    from packaging.metadata import RawMetadata


def members_of_files(files: Iterable[Distribution]) -> tuple[Member, ...]:
    """The projects of wheels and sdists, sorted by name, with the requirements that their metadata has.

    Raises `UsageError` where a project has files of two versions, or a file has no valid name and version.
    """
    files = tuple(files)
    grouped: dict[str, list[tuple[Distribution, RawMetadata]]] = {}
    for file, raw in zip(files, collect.read_metadata(files), strict=True):
        if not is_project_name(raw.get("name", "")) or isinstance(parse_version(raw.get("version", "")), str):
            raise UsageError(
                f"the metadata of {file.filename!r} has no valid name and version",
                remedy=f"build it again; for details: pypi-preflight inspect {quote_word(str(file.path))}",
            )
        grouped.setdefault(normalize_name(raw["name"]), []).append((file, raw))
    return tuple(_member_of(grouped[name]) for name in sorted(grouped))


def _member_of(found: list[tuple[Distribution, RawMetadata]]) -> Member:
    # an sdist may leave out what a wheel has (PEP 643, "Dynamic")
    found = sorted(found, key=lambda pair: (not pair[0].filename.endswith(".whl"), pair[0].filename))
    first, raw = found[0]
    for file, other in found:
        if parse_version(other["version"]) != parse_version(raw["version"]):
            raise UsageError(
                f"the files of {raw['name']!r} have several versions: {first.filename!r}, {file.filename!r}",
                remedy="pass the files of one version",
            )
    requires = dict.fromkeys(text for _, one in found for text in one.get("requires_dist", ()))
    private = next((one for _, raw in found for one in raw.get("classifiers", ()) if one.startswith("Private ::")), "")
    return Member(
        name=raw["name"], version=raw["version"], requires=tuple(requires), private=bool(private),
        private_by=f"classifier {private!r}" if private else "",
        files=tuple(sorted((file for file, _ in found), key=lambda file: file.filename)),
    )  # fmt: skip
