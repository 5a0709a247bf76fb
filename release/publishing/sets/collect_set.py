"""Collect the facts about a set: its members, what their repositories and the indexes say, and their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec.structs import replace

from release.adapters import collect, project_config
from release.adapters import members as directories
from release.adapters.system.system import System
from release.core import set_order
from release.core.config import Config
from release.core.errors import ConfigError, UsageError
from release.core.models.distribution import Distribution
from release.core.models.index import PYPI, TESTPYPI, Index, normalize_name
from release.core.models.release_set import ReleaseSet, SetSettings
from release.core.similar_words import did_you_mean
from release.publishing.sets.file_members import members_of_files
from release.publishing.sets.member_state import (
    Listing,
    SetContext,
    describe_member,
    find_repositories,
    load_root_projects,
)
from release.publishing.sets.read_members import FoundMember, load_set_config, read_members

#: requests, or runs of git, at the same time; the HTTP client limits those to one host
_WORKERS = 8


def load_set(  # noqa: PLR0913 - what is released, and where
    system: System,
    directory: Path,
    *,
    config_file: Path | None = None,
    only: Sequence[str] = (),
    index: str | None = None,
    dry_run_on: str | None = None,
    offline: bool = False,
    files: tuple[Distribution, ...] = (),
) -> ReleaseSet:
    """The set at `directory`, or that of built `files`, which needs no source.

    `only`: names of the members to release; none: all. `index`: the name of the index that the set is released to,
    "pypi" by default. `offline`: no index is asked, and each member counts as not released yet. Members that cannot be
    read are in state "unknown" with the reason, and do not hide the others.

    Raises `ConfigError` where there is no set, where two directories have one project, and where members need each
    other; `UsageError` for a name in `only` that no member has.
    """
    directory = directory.resolve()
    config = load_set_config(directory, config_file)
    settings, notes, found = _find(system, directory, config, files)
    _require_unique(found)
    indexes = set_indexes(config, index, dry_run_on)
    places = tuple(sorted(one.member.directory for one in found if one.member.directory))
    repositories = find_repositories(system, directory, places)
    context = SetContext(
        system=system, root=directory, settings=settings, target=indexes[-1], selected=_selected(found, only),
        directories=places, repositories=repositories, root_projects=load_root_projects(repositories.values()),
        offline=offline, named=frozenset(map(normalize_name, only)),
    )  # fmt: skip
    others = _ordinary_indexes(config, indexes[-1])
    with ThreadPoolExecutor(_WORKERS) as pool:
        listings = {} if offline else _fetch_listings(pool, found, context.selected, indexes, others)
        facts = tuple(pool.map(lambda one: describe_member(one, listings.get(one.name, {}), context), found))
    releasing = [normalize_name(one.member.name) for one in facts if one.state == "release"]
    members = [one.member for one in facts]
    return ReleaseSet(
        settings=settings, members=facts, levels=set_order.order_levels(members, releasing), index=indexes[-1].name,
        indexes=indexes, notes=(*notes, *set_order.order_notes(members, releasing)),
    )  # fmt: skip


def set_indexes(config: Config, index: str | None = None, dry_run_on: str | None = None) -> tuple[Index, ...]:
    """The indexes that a set is uploaded to, in order: that of the dry run, unless it is the sandbox, and `index`.

    Raises `ConfigError` for an unknown name.
    """
    target = index or "pypi"
    dry_run = dry_run_on or config.dry_run_on or ("testpypi" if target == "pypi" else "none")
    names = dict.fromkeys([*([dry_run] if dry_run not in {"sandbox", "none"} else []), target])
    return tuple(config.index(name) for name in names)


def _find(
    system: System, root: Path, config: Config, files: tuple[Distribution, ...]
) -> tuple[SetSettings, tuple[str, ...], tuple[FoundMember, ...]]:
    """The settings, what the reader should know of them, and the members."""
    if files:
        configured = find_configurations(root, config)
        found = tuple(
            FoundMember(member=replace(one, configured_in=configured.get(normalize_name(one.name), "")), config=config)
            for one in members_of_files(files)
        )
        return config.release_set or SetSettings(), (), found
    settings, table = directories.resolve_settings(root, config)
    places = directories.find_members(root, settings, table=table)
    notes = () if table == directories.SET_TABLE else (f"the members are those of [{table}]",)
    return settings, notes, read_members(system, root, config, places, table=table)


def find_configurations(root: Path, config: Config) -> Mapping[str, str]:
    """Canonical name → directory, of the members that are declared here and whose pyproject.toml has their name.

    Empty where no set is declared: files need no source.
    """
    try:
        settings, table = directories.resolve_settings(root, config)
        places = directories.find_members(root, settings, table=table)
    except ConfigError:
        return {}
    names = ((project_config.load_project_name(root / place), place) for place in places)
    return {normalize_name(name): place for name, place in names if name is not None}


def _require_unique(found: Sequence[FoundMember]) -> None:
    """Raise `ConfigError` where two directories have one project."""
    seen: dict[str, str] = {}
    for one in found:
        place = one.member.directory
        if not place or one.problem:
            continue
        other = seen.setdefault(one.name, place)
        if other != place:
            raise ConfigError(
                f"{other!r} and {place!r} have the same project, {one.name!r}",
                remedy=f'rename one of them, or exclude it in [tool.release.set]: exclude = ["{place}"]',
            )


def _selected(found: Sequence[FoundMember], only: Sequence[str]) -> frozenset[str]:
    """The canonical names of the members that may be released."""
    names = {one.name: one for one in found}
    for name in only:
        one = names.get(normalize_name(name))
        if one is None:
            raise UsageError(
                f"no member is called {name!r}{did_you_mean(normalize_name(name), names)}",
                remedy=f"use one of {', '.join(sorted(names))}",
            )
        if one.member.private:
            raise UsageError(
                f"{name!r} cannot be released: it is private ({one.member.private_by})",
                remedy=f"leave it out of --only; to release {name!r}, remove that first",
            )
    return frozenset(map(normalize_name, only)) if only else frozenset(names)


def _ordinary_indexes(config: Config, target: Index) -> tuple[Index, ...]:
    """Where installers find members that this set does not release: on its index; for TestPyPI, on PyPI too."""
    pypi = config.index(PYPI.name)
    also_on_pypi = target.name == TESTPYPI.name and pypi.loopback == target.loopback
    return (target, pypi) if also_on_pypi else (target,)


def _fetch_listings(
    pool: ThreadPoolExecutor,
    found: Sequence[FoundMember],
    selected: frozenset[str],
    indexes: Sequence[Index],
    others: Sequence[Index],
) -> dict[str, dict[str, Listing]]:
    """Canonical name → name of an index → its listing.

    `others`: the indexes that are asked for members that are not selected, since others may need them.
    """
    asked = [
        (one, index)
        for one in found
        if not one.member.private and not one.problem
        for index in (indexes if one.name in selected else others)
    ]
    listed = pool.map(lambda pair: collect.collect_listing(pair[1], pair[0].member.name), asked)
    answers: dict[str, dict[str, Listing]] = {}
    for (one, index), listing in zip(asked, listed, strict=True):
        answers.setdefault(one.name, {})[index.name] = listing
    return answers
