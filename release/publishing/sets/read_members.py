"""Read the members of a set from their directories; one that cannot be read keeps the reason."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from release.adapters import members as directories
from release.adapters import project_config
from release.adapters.builds import builder, member_reader, pinned_builds
from release.adapters.system.parallel import run_jobs
from release.checks.all_checks import check_names
from release.core.config import Config
from release.core.errors import ConfigError, ReleaseError
from release.core.models.check_result import Unknown
from release.core.models.index import WELL_KNOWN, is_project_name, normalize_name
from release.core.models.release_set import Member
from release.core.quoting import quote_path
from release.core.set_order import requirement_name

if TYPE_CHECKING:
    from release.adapters.system.system import System

#: builds of metadata at the same time: each starts an installer and a build backend
_BUILDS = 4
#: the table of a workspace whose members without a build system are not built
_UV = "tool.uv.workspace"


class FoundMember(Struct, frozen=True, kw_only=True):
    """A member and its configuration, or why it cannot be read."""

    member: Member
    config: Config
    problem: Unknown | None = None

    @property
    def name(self) -> str:
        """The canonical name."""
        return normalize_name(self.member.name)


def load_set_config(directory: Path, file: Path | None = None) -> Config:
    """`[tool.release]` of the root, which need not have a project. Raises `ConfigError`."""
    return project_config.load_config(directory, file, check_names=check_names, needs_project=False)


def load_member_config(root_config: Config, directory: Path, *, root: Path) -> Config:
    """`[tool.release]` of a member. Raises `ConfigError`.

    It also has the indexes that the root declares, and the root's constraints of builds unless it has its own.
    """
    own = project_config.load_config(directory, check_names=check_names)
    declared = {name: one for name, one in own.indexes.items() if WELL_KNOWN.get(name) != one}
    constraints, required = own.build_constraints, own.require_pinned_build
    if constraints is None and root_config.build_constraints is not None:
        constraints = os.path.relpath((root / root_config.build_constraints).resolve(), directory.resolve())
    return replace(
        own, indexes={**root_config.indexes, **declared}, build_constraints=constraints,
        require_pinned_build=root_config.require_pinned_build if required is None else required,
    )  # fmt: skip


def read_members(
    system: System, root: Path, config: Config, found: Sequence[str], *, table: str
) -> tuple[FoundMember, ...]:
    """The members in these directories, in their order; those that need their build backend in parallel.

    `config`: that of the root. `table`: the one that has the members.
    """
    read: dict[str, FoundMember] = {}
    for one in found:
        first = _guarded(root, one, partial(_read_static, root, config, one))
        if first is not None:
            read[one] = first
    asked = [one for one in found if one not in read]
    built = run_jobs(system, [partial(_read_built, root=root, config=config, directory=one) for one in asked],
                     workers=_BUILDS)  # fmt: skip
    read |= dict(zip(asked, built, strict=True))
    names = {read[one].name: read[one].member.name for one in found}
    members = [_with_build_remedy(root, read[one], names) for one in found]
    return tuple(_without_unbuilt(root, one) if table == _UV else one for one in members)


def _read_static(root: Path, config: Config, directory: str) -> FoundMember | None:
    """The member; None where only its build backend knows a part of it."""
    own = _member_config(root, config, directory)
    member = member_reader.read_static_member(root, directory)
    return FoundMember(member=member, config=own) if member else None


def _read_built(system: System, *, root: Path, config: Config, directory: str) -> FoundMember:
    def read() -> FoundMember:
        own = _member_config(root, config, directory)
        held = pinned_builds.pin_builds(replace(system, passed=own.pass_environment), root / directory, own)
        return FoundMember(member=member_reader.read_member(held, root, directory), config=own)

    found = _guarded(root, directory, read)
    assert found is not None
    return found


def _member_config(root: Path, config: Config, directory: str) -> Config:
    if directory == ".":
        return config
    own = load_member_config(config, root / directory, root=root)
    if own.release_set is not None:
        raise ConfigError(
            f"'{directory}/pyproject.toml' has a table [tool.release.set], but it is a member of the set in "
            f"{quote_path(root)}",
            remedy=f'remove that table, or exclude the member in the other one: exclude = ["{directory}"]',
        )
    return own


def _guarded(root: Path, directory: str, read: Callable[[], FoundMember | None]) -> FoundMember | None:
    """What `read` returns; where it fails, the member with the reason."""
    try:
        return read()
    except ReleaseError as error:
        name = None
        with suppress(ReleaseError):
            name = project_config.load_project_name(root / directory)
        unread = Member(name=name if name and is_project_name(name) else directory, version="", directory=directory)
        problem = Unknown(reason=error.message, remedy=error.remedy)
        return FoundMember(member=unread, config=Config(), problem=problem)


def _with_build_remedy(root: Path, one: FoundMember, names: Mapping[str, str]) -> FoundMember:
    """With the remedy for a build backend that needs another member which no index has yet.

    `names`: canonical name → name of each member.
    """
    if one.problem is None:
        return one
    needed = {requirement_name(text) for text in builder.build_requirements(root / one.member.directory)}
    for other in names.keys() & needed - {one.name}:
        if re.search(rf"(?<![\w-]){re.escape(other)}(?![\w-])", one.problem.reason, re.IGNORECASE):
            remedy = (
                f"declare version, dependencies and classifiers of {one.member.name} in [project], so that its build "
                f"backend is not needed to read them; or release {names[other]} first: --only {names[other]}"
            )
            return replace(one, problem=replace(one.problem, remedy=remedy))
    return one


def _without_unbuilt(root: Path, one: FoundMember) -> FoundMember:
    if one.problem or one.member.private or not directories.is_workspace_only(root, one.member.directory):
        return one
    reason = "no [build-system]: uv does not build it"
    return replace(one, member=replace(one.member, private=True, private_by=reason))
