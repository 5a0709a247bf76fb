"""What a project's configuration holds its builds to."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from release.adapters.builds import builder
from release.adapters.builds.held_requirements import load_constraints
from release.adapters.git import repository
from release.adapters.system.system import System
from release.core.build_constraints import DEFAULT_FILE, BuildPins, write_command
from release.core.config import Config
from release.core.errors import ConfigError, ReleaseError
from release.core.models.build_requirement import PinnedBuild


def pin_builds(system: System, directory: Path, config: Config) -> System:
    """The same system, whose builds are held to the project's constraints. Raises `ConfigError` as they do."""
    if config.build_constraints is None:
        if config.require_pinned_build:
            raise ConfigError(
                "require-pinned-build in [tool.release] is set, but build-constraints is not",
                remedy=f"run: {write_command(DEFAULT_FILE)}; then add to [tool.release]: "
                f'build-constraints = "{DEFAULT_FILE}"',
            )
        return system
    path = (directory / config.build_constraints).resolve()
    load_constraints(path, config.build_constraints)
    pinned = PinnedBuild(path=path, place=config.build_constraints, required=bool(config.require_pinned_build))
    return replace(system, pinned_build=pinned)


def collect_build_pins(system: System, directory: Path, config: Config) -> BuildPins | None:
    """What the project's constraints pin; None where it names none, or they cannot be read."""
    if config.build_constraints is None:
        return None
    path = (directory / config.build_constraints).resolve()
    try:
        root = repository.find_root(system, directory)
        listed = repository.run_git(system, path.parent, "ls-files", "--", path.name).output if root else None
        constraints = load_constraints(path)
    except ReleaseError:
        return None
    tracked = None if listed is None else bool(listed.strip())
    # Source: PEP 518, where there is no [build-system] table
    requires = builder.build_requirements(directory) or ("setuptools",)
    return BuildPins(constraints=constraints, requires=requires, tracked=tracked)
