"""Read a member of a set from its source: pyproject.toml where that says all, else from its build backend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement

from release.adapters.builds import builder
from release.adapters.system.system import System
from release.core.errors import ConfigError
from release.core.models.distribution import parse_version
from release.core.models.index import is_project_name
from release.core.models.release_set import Member
from release.core.quoting import quote_path

_PRIVATE = "Private ::"
_READ = frozenset({"version", "dependencies", "optional-dependencies", "classifiers"})


def read_member(system: System, root: Path, directory: str) -> Member:
    """The project in `root / directory`. Raises `ReleaseError` where its pyproject.toml or its build backend fails."""
    static = read_static_member(root, directory)
    if static is not None:
        return static
    found = builder.build_metadata(system, root / directory)
    if found["name"] == "UNKNOWN":  # from setuptools
        raise ConfigError("the project has no name", remedy='add [project] with name = "…" to its pyproject.toml')
    member = Member(name=found["name"], version=found["version"], directory=directory)
    # PEP 566 has "classifier"; build 1.6 writes the names of `packaging.metadata.RawMetadata`
    classifiers = found.get("classifiers") or found.get("classifier") or ()
    return _completed(member, root, found.get("requires_dist") or (), classifiers)


def read_static_member(root: Path, directory: str) -> Member | None:
    """The project, without its build backend; None where only that knows a part of it. Raises `ConfigError`."""
    place = root / directory
    declared = builder.declared_name_and_version(place)
    table = builder.load_pyproject(place).get("project")
    if declared is None or not isinstance(table, Mapping) or _READ & set(_texts(table, "dynamic")):
        return None
    extras = table.get("optional-dependencies")
    extras = extras if isinstance(extras, Mapping) else {}
    requires = [*_texts(table, "dependencies")]
    requires += [_with_extra(text, extra, directory) for extra in extras for text in _texts(extras, extra)]
    member = Member(name=declared[0], version=declared[1], directory=directory)
    return _completed(member, root, requires, _texts(table, "classifiers"))


def _completed(member: Member, root: Path, requires: Iterable[str], classifiers: Iterable[str]) -> Member:
    """With the rest; name and version become parts of commands, tags and workflows. Raises `ConfigError`."""
    if not is_project_name(member.name):
        raise ConfigError(
            f"the project in {quote_path(member.directory)} cannot be called {member.name!r}",
            remedy="use letters, digits, '.', '-' and '_' for its name, with a letter or digit at both ends",
        )
    if isinstance(parse_version(member.version), str):
        raise ConfigError(
            f"the version of {member.name} is {member.version!r}, which is not a version (PEP 440)",
            remedy='use numbers with dots, for example "1.0.0"',
        )
    place = root / member.directory
    private = next((f"classifier {one!r}" for one in classifiers if one.startswith(_PRIVATE)), "")
    tool = builder.load_pyproject(place).get("tool")
    uv = tool.get("uv") if isinstance(tool, Mapping) else None
    if not private and isinstance(uv, Mapping) and uv.get("package") is False:
        private = "package = false in [tool.uv]"
    return replace(
        member, requires=tuple(requires), build_requires=builder.build_requirements(place),
        private=bool(private), private_by=private,
    )  # fmt: skip


def _with_extra(text: str, extra: str, directory: str) -> str:
    """A requirement of an extra, as the metadata has it."""
    try:
        parsed = Requirement(text)
        marker = f"({parsed.marker}) and " if parsed.marker else ""
        parsed.marker = Marker(f'{marker}extra == "{extra}"')
    except InvalidRequirement as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"{text!r} in project.optional-dependencies of {quote_path(directory)} is not a requirement: {reason}",
            remedy="correct it in pyproject.toml",
        ) from None
    return str(parsed)


def _texts(table: Mapping[str, Any], key: str) -> Iterator[str]:
    found = table.get(key)
    yield from (one for one in (found if isinstance(found, list) else ()) if isinstance(one, str))
