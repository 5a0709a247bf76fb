"""Builds the project with its own backend, in an isolated environment without any credential."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from release.adapters.builds import source_copy
from release.adapters.builds.errors import build_error
from release.adapters.install import installer
from release.adapters.system import output_excerpt
from release.adapters.system.system import System, explain_os_errors
from release.core.errors import ConfigError, ToolError
from release.core.models.distribution import Distribution

#: what makes a directory with only a setup.cfg buildable, here and for whoever gets the sdist (PEP 518)
_LEGACY = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
#: the name that setuptools gives to what has none
_NAMELESS = "UNKNOWN"


def build_distributions(  # noqa: PLR0913 - what, from where, to where, and how
    system: System,
    source: Path,
    into: Path,
    *,
    epoch: int | None,
    on_line: Callable[[str], None] | None = None,
    only_wheel: bool = False,
) -> tuple[Distribution, ...]:
    """Build an sdist and, from it, a wheel; both are in `into` once both are done, and neither before.

    `only_wheel`: a wheel from the source directory itself, and no sdist.
    `epoch` becomes SOURCE_DATE_EPOCH, in seconds since 1970. The source directory itself may get
    what the backend leaves there: give it a copy (`tree.snapshot`, `git.clone`).
    Raises `ToolError` with the backend's own words, or `ConfigError` where there is no project.
    """
    _require_project(source)
    source, into = source.resolve(), into.resolve()
    with explain_os_errors("the build directory"):
        into.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".build-", dir=into.parent))
    try:
        with _buildable(system, source, work / "source") as ready:
            report, out = work / "report.json", work / "out"
            options = ["--report", str(report), "--outdir", str(out), *(["--wheel"] if only_wheel else [])]
            _run_build(system, ready, *options, epoch=epoch, on_line=on_line)
        with explain_os_errors("the built files"):
            return tuple(_take(file, into) for file in _built(report, out))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def build_metadata(system: System, source: Path) -> dict[str, Any]:
    """The core metadata that a wheel would have, in the JSON form of PEP 566. Leaves the source untouched."""
    _require_project(source)
    with _scratch() as work:
        copy = source_copy.copy_project(system, source, work / "source")
        with _buildable(system, copy, work / "legacy") as ready:
            printed = _run_build(system, ready, "--metadata", "--quiet", epoch=None, apart=True)
    try:
        found = json.loads(printed)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not found.get("name") or not found.get("version"):
        raise ToolError("the build backend gives no metadata", remedy="run `python -m build --metadata` in the project")
    return found


def declared_name_and_version(source: Path) -> tuple[str, str] | None:
    """Name and version where pyproject.toml has both; None where only the backend knows.

    Raises `ConfigError` where there is no project or its pyproject.toml is broken.
    """
    _require_project(source)
    table = _pyproject(source).get("project", {})
    if isinstance(table, dict) and isinstance(table.get("name"), str) and isinstance(table.get("version"), str):
        return table["name"], table["version"]
    return None


def build_requirements(source: Path) -> tuple[str, ...]:
    """What the project's build needs, as its [build-system] says; empty where it does not say, or can't be read."""
    try:
        table = _pyproject(source).get("build-system")
    except ConfigError:
        return ()
    found = table.get("requires") if isinstance(table, dict) else None
    return tuple(map(str, found)) if isinstance(found, list) else ()


def name_and_version(system: System, source: Path) -> tuple[str, str]:
    """The project's name and version, as it spells them; no program is run where pyproject.toml has both.

    Raises `ConfigError` where there is no project or its pyproject.toml is broken, `ToolError` where
    the backend can't tell.
    """
    known = declared_name_and_version(source)
    if known:
        return known
    found = build_metadata(system, source)
    if found["name"] == _NAMELESS:
        raise ConfigError("the project has no name", remedy='add [project] with name = "…" to its pyproject.toml')
    return found["name"], found["version"]


def _run_build(
    system: System,
    source: Path,
    *options: str,
    epoch: int | None,
    on_line: Callable[[str], None] | None = None,
    apart: bool = False,
) -> str:
    env = installer.installer_environment(system)
    if epoch is not None:
        env["SOURCE_DATE_EPOCH"] = str(epoch)
    chosen = installer.choose_installer(system)
    # -P: a directory `build/` in the project would be imported in place of the program. The project
    # is the working directory, as for whoever builds by hand, for the sake of its [tool.uv].
    done = system.run(
        [sys.executable, "-P", "-m", "build", "--installer", chosen, *options, str(source)],
        cwd=source, env=env, on_line=on_line, apart=apart, umask=0o022,
    )  # fmt: skip
    if done.status:
        raise build_error(done.output + done.errors)
    return done.output


def _built(report: Path, out: Path) -> Iterator[Distribution]:
    """What build reports, sdist first, with sizes and hashes of our own."""
    artifacts = json.loads(report.read_text(encoding="utf-8"))["artifacts"]
    for one in sorted(artifacts, key=lambda one: str(one["kind"] != "sdist")):
        file = load_distribution(out / one["name"])
        if file.sha256 != one["hashes"]["sha256"]:
            raise ToolError(f"{file.filename!r} was changed after it was built", remedy="build again, alone")
        yield file


def load_distribution(path: Path) -> Distribution:
    """A file on disk as a `Distribution`. Raises `OSError`."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Distribution(path=path, sha256=digest, size=path.stat().st_size)


def _take(file: Distribution, into: Path) -> Distribution:
    target = into / file.filename
    file.path.replace(target)
    return Distribution(path=target, sha256=file.sha256, size=file.size)


@contextmanager
def _scratch() -> Iterator[Path]:
    with explain_os_errors("the temporary directory"):
        work = Path(tempfile.mkdtemp(prefix="release-"))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _buildable(system: System, source: Path, copy: Path) -> Iterator[Path]:
    """The source itself; or, where there is only a setup.cfg, a copy with what is missing for a build."""
    if any((source / name).exists() for name in ("pyproject.toml", "setup.py")):
        yield source
        return
    place = source_copy.copy_project(system, source, copy)
    (place / "pyproject.toml").write_text(_LEGACY, encoding="utf-8")
    yield place


def _require_project(source: Path) -> None:
    if not source.is_dir():
        raise ConfigError(f"no directory {str(source)!r}", remedy="give the project's directory with --directory DIR")
    names = {name for name in ("pyproject.toml", "setup.py", "setup.cfg") if (source / name).is_file()}
    if not names:
        raise ConfigError(
            f"no project in {str(source)!r}: no pyproject.toml, setup.py or setup.cfg",
            remedy="run it in the project's directory, or give that with --directory DIR",
        )
    if names == {"pyproject.toml"} and not {"project", "build-system"} & _pyproject(source).keys():
        raise ConfigError(
            f"{str(source / 'pyproject.toml')!r} has neither a [build-system] nor a [project] table",
            remedy="add [build-system] with the requires and the build-backend of the backend that the project uses",
        )


def _pyproject(source: Path) -> dict[str, Any]:
    path = source / "pyproject.toml"
    if not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except OSError as error:
        raise ConfigError(f"can't read {str(path)!r}: {error.strerror}", remedy="make it readable") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{str(path)!r} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}",
            remedy="save it as UTF-8; TOML allows nothing else",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{str(path)!r} is not valid TOML: {output_excerpt.lower_first(error)}", remedy="mend that line"
        ) from error
