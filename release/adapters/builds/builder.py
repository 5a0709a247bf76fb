"""Build the project with its own backend, in an isolated environment without credentials."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from release.adapters.builds import early_child, frontend, held_requirements
from release.adapters.git import repository
from release.adapters.install import installer
from release.adapters.system.system import System, explain_os_errors
from release.adapters.system.temporary_directory import temporary_directory, temporary_directory_in
from release.core.errors import ConfigError, ToolError, lower_first
from release.core.foreign_json import OWN_VALUES, ForeignJsonError, parse_foreign_json
from release.core.models.build_requirement import BuildEnvironments
from release.core.models.distribution import Distribution
from release.core.quoting import quote_path
from release.core.toml_text import TomlError, parse_toml

#: the default build backend of a project that has only a setup.cfg (PEP 518)
_LEGACY = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'


class ReadySource(Struct, frozen=True, kw_only=True):
    """A complete source tree, for one build."""

    directory: Path
    #: seconds since 1970, which becomes SOURCE_DATE_EPOCH; None: it is not set
    epoch: int | None
    #: added to the environment of the backend
    variables: Mapping[str, str] = {}


def build_distributions(  # noqa: PLR0913 - what, from where, to where, and how
    system: System,
    source: Path,
    into: Path,
    *,
    epoch: int | None,
    on_line: Callable[[str], None] | None = None,
    only_wheel: bool = False,
    variables: Mapping[str, str] | None = None,
    copy_of: Path | None = None,
    ready: Callable[[], ReadySource] | None = None,
    installed: Callable[[BuildEnvironments], object] | None = None,
) -> tuple[Distribution, ...]:
    """Build an sdist and, from it, a wheel; both are moved to `into` once both are built.

    `only_wheel`: a wheel from the source directory itself, and no sdist. `epoch` becomes SOURCE_DATE_EPOCH, in
    seconds since 1970; `variables` are added to the environment. The backend may leave files in the source directory:
    pass a copy (`copy_project`, `repository.clone_commit`), and with `copy_of` the directory that it is a copy of.
    With `ready`, the environment of the backend is made for the project in `source` as it is, while `ready`, called in
    another thread, still makes a copy of it: that is built, and its epoch and variables count.
    `installed` is called with what the build has installed, if it recorded that.
    Raises `ToolError` with the backend's message, or `ConfigError` without a project.
    """
    _require_project(source)
    source, into = source.resolve(), into.resolve()
    with explain_os_errors("the build directory"):
        into.mkdir(parents=True, exist_ok=True)
    with temporary_directory_in(into.parent, "the build directory", prefix=".build-") as work:
        report, out = work / "report.json", work / "out"
        options = ["--report", str(report), "--outdir", str(out), *(["--wheel"] if only_wheel else [])]
        given = ReadySource(directory=source, epoch=epoch, variables=variables or {})

        def buildable() -> ReadySource:
            found = ready() if ready else given
            return replace(found, directory=_buildable(system, found.directory, work / "source"))

        _run_build(
            system, source, *options, origin=copy_of or source, ready=buildable, early=not only_wheel,
            on_line=on_line, installed=installed,
        )  # fmt: skip
        with explain_os_errors("the built files"):
            built = list(_built_files(report, out))
            return tuple(replace(file, path=file.path.replace(into / file.filename)) for file in built)


def build_metadata(system: System, source: Path) -> dict[str, Any]:
    """The core metadata that a wheel would have, in the JSON form of PEP 566. Leaves the source untouched."""
    _require_project(source)
    with temporary_directory() as work:
        copy = _buildable(system, copy_project(system, source, work / "source"), work / "legacy")
        ready = ReadySource(directory=copy, epoch=None)
        output = _run_build(system, copy, "--metadata", "--quiet", origin=source, ready=lambda: ready, apart=True)
    try:
        found = parse_foreign_json(output)
    except ForeignJsonError:
        found = None
    if not isinstance(found, dict) or not found.get("name") or not found.get("version"):
        raise ToolError(
            "the build backend returns no metadata", remedy="run `python -m build --metadata` in the project"
        )
    return found


def declared_name_and_version(source: Path) -> tuple[str, str] | None:
    """Name and version where pyproject.toml has both; None where only the backend knows them.

    Raises `ConfigError` where there is no project or its pyproject.toml is broken.
    """
    _require_project(source)
    table = load_pyproject(source).get("project", {})
    if isinstance(table, dict) and isinstance(table.get("name"), str) and isinstance(table.get("version"), str):
        return table["name"], table["version"]
    return None


def build_requirements(source: Path) -> tuple[str, ...]:
    """`requires` of the [build-system] table; empty where it is missing or cannot be read."""
    try:
        table = load_pyproject(source).get("build-system")
    except ConfigError:
        return ()
    found = table.get("requires") if isinstance(table, dict) else None
    return tuple(map(str, found)) if isinstance(found, list) else ()


def name_and_version(system: System, source: Path) -> tuple[str, str]:
    """The project's name and version as spelled there; runs the backend only where pyproject.toml lacks one.

    Raises `ConfigError` where there is no project or its pyproject.toml is broken, `ToolError` where the
    backend fails.
    """
    known = declared_name_and_version(source)
    if known:
        return known
    found = build_metadata(system, source)
    if found["name"] == "UNKNOWN":  # from setuptools
        raise ConfigError("the project has no name", remedy='add [project] with name = "…" to its pyproject.toml')
    return found["name"], found["version"]


def load_pyproject(source: Path) -> dict[str, Any]:
    """The content of pyproject.toml; empty where there is none. Raises `ConfigError` where it is broken."""
    path = source / "pyproject.toml"
    if not path.exists():
        return {}
    try:
        return parse_toml(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read {quote_path(path)}: {error.strerror}", remedy="make it readable") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{quote_path(path)} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}",
            remedy="save it as UTF-8, the only encoding of TOML",
        ) from error
    except TomlError as error:
        raise ConfigError(
            f"{quote_path(path)} is not valid TOML: {lower_first(str(error))}", remedy="correct that line"
        ) from error


def load_distribution(path: Path) -> Distribution:
    """A file as a `Distribution`, with its size and hash. Raises `OSError`."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Distribution(path=path, sha256=digest, size=path.stat().st_size)


def copy_project(system: System, source: Path, into: Path, *, copy: Callable[..., object] = shutil.copy2) -> Path:
    """Copy the project in `source` to the new directory `into`; returns the path of the project in the copy.

    `copy` copies each file, as `shutil.copy2` does.

    In a repository, everything is copied but what git ignores, and the copy is a repository at the same commit
    with the same tags and uncommitted changes, since backends read the version from git.
    """
    root, ignored = repository.find_root(system, source), shutil.ignore_patterns(*repository.LITTER)
    if root is None:
        with explain_os_errors("the copy of the project"):
            shutil.copytree(source, into, symlinks=True, ignore=ignored, copy_function=copy)
        return into
    clone = into.with_name(f"{into.name}.clone")
    with explain_os_errors("the copy of the project"), ThreadPoolExecutor(1) as pool:
        cloned = pool.submit(repository.clone_without_files, system, root, clone)  # takes as long as the copy
        into.mkdir(parents=True)
        for path in repository.project_files(system, root):
            old, new = root / path, into / path
            new.parent.mkdir(parents=True, exist_ok=True)
            if old.is_symlink() or old.is_file():
                copy(old, new, follow_symlinks=False)
            elif old.is_dir():  # a submodule
                shutil.copytree(old, new, symlinks=True, ignore=ignored, dirs_exist_ok=True, copy_function=copy)
        cloned.result()
        (clone / ".git").replace(into / ".git")
        clone.rmdir()
        place = into / source.resolve().relative_to(root.resolve())
        place.mkdir(parents=True, exist_ok=True)
    return place


def _run_build(  # noqa: PLR0913 - a program, its input and its environment
    system: System,
    source: Path,
    *options: str,
    origin: Path,
    ready: Callable[[], ReadySource],
    early: bool = False,
    on_line: Callable[[str], None] | None = None,
    apart: bool = False,
    installed: Callable[[BuildEnvironments], object] | None = None,
) -> str:
    """Run `build` in a directory, on what `ready` returns; `early`: its two environments are made before that."""
    env = installer.installer_environment(system)
    if system.python is not None and (uv := installer.find_uv(system)):
        # The uv of this environment is a module of it, which another interpreter does not find.
        env["PATH"] = os.pathsep.join(filter(None, (env.get("PATH", ""), str(uv.parent))))
    order = _Order(ready, options)
    # The project is the working directory, as in a build by hand, because of its [tool.uv].
    with frontend.build_command(system) as (program, start), held_requirements.hold_requirements(system) as held:
        arguments = [
            *start, *held.arguments, installer.choose_installer(system),
            str(held.environments_directory) if early else "",
        ]  # fmt: skip
        variables = {**env, **held.variables}
        started = early_child.take_early_build() if early and program == early_child.PROGRAM else None
        if started is not None:
            order.start = {"arguments": arguments, "directory": str(source), "variables": variables}
        done = system.run(
            [*program, *arguments], input=order.lines(), cwd=source, env=variables, on_line=on_line, apart=apart,
            umask=0o022, started=started,
        )  # fmt: skip
        if order.error:
            raise order.error
        if not done.status and installed is not None and (found := held.environments()) is not None:
            installed(found)
    if done.status:
        from release.adapters.builds.build_failure import explain_failed_build

        raise explain_failed_build(system, order.source or source, done.output + done.errors, origin=origin)
    return done.output


class _Order:
    """What `build_child` gets on stdin: the source, once it is complete."""

    def __init__(self, ready: Callable[[], ReadySource], options: Sequence[str]) -> None:
        self._ready, self._options = ready, options
        self.source: Path | None = None
        #: for a program that was started without it
        self.start: dict[str, Any] | None = None
        #: why there is no source
        self.error: BaseException | None = None

    def lines(self) -> Iterator[str]:
        """Its lines; waits for the source before the last one, which is left out where there is none."""
        if self.start is not None:
            yield json.dumps(self.start) + "\n"
        try:
            found = self._ready()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits for the program
            self.error = error
            return
        self.source, variables = found.directory, dict(found.variables)
        if found.epoch is not None:
            variables["SOURCE_DATE_EPOCH"] = str(found.epoch)
        order = {"source": str(found.directory), "arguments": self._options, "variables": variables}
        yield json.dumps(order) + "\n"


def _built_files(report: Path, out: Path) -> Iterator[Distribution]:
    """The files of the report, sdist first; their hashes are compared with those of the report."""
    artifacts = parse_foreign_json(report.read_bytes(), max_values=OWN_VALUES)["artifacts"]
    for one in sorted(artifacts, key=lambda one: str(one["kind"] != "sdist")):
        file = load_distribution(out / one["name"])
        if file.sha256 != one["hashes"]["sha256"]:
            raise ToolError(
                f"{file.filename!r} has changed since it was built",
                remedy="build again, with no other build in the same directory",
            )
        yield file


def _buildable(system: System, source: Path, copy: Path) -> Path:
    """The source itself; where it has only a setup.cfg, a copy with a pyproject.toml."""
    if any((source / name).exists() for name in ("pyproject.toml", "setup.py")):
        return source
    place = copy_project(system, source, copy)
    (place / "pyproject.toml").write_text(_LEGACY, encoding="utf-8")
    return place


def _require_project(source: Path) -> None:
    if not source.is_dir():
        raise ConfigError(f"no directory {quote_path(source)}", remedy="pass the project's directory: --directory DIR")
    names = {name for name in ("pyproject.toml", "setup.py", "setup.cfg") if (source / name).is_file()}
    if not names:
        raise ConfigError(
            f"no project in {quote_path(source)}: no pyproject.toml, setup.py or setup.cfg",
            remedy="change to the project's directory, or pass it: --directory DIR",
        )
    if names == {"pyproject.toml"} and not {"project", "build-system"} & load_pyproject(source).keys():
        raise ConfigError(
            f"{quote_path(source / 'pyproject.toml')} has neither a [build-system] nor a [project] table",
            remedy="add [build-system] with requires and build-backend of the project's build backend",
        )
