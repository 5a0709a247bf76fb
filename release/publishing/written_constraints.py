"""Write the constraints of a build: what it installs, pinned with the hashes of all files of each version."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from release.adapters.builds import builder
from release.adapters.index import simple_api
from release.adapters.install import installer
from release.adapters.system import program_output, safe_write
from release.adapters.system.system import System, explain_os_errors
from release.adapters.system.temporary_directory import temporary_directory
from release.core.build_constraints import (
    GENERATED,
    constraints_to_text,
    is_generated,
    parse_constraints,
    write_command,
)
from release.core.errors import RefusedError, ReleaseError, ToolError, UsageError
from release.core.models.build_requirement import (
    BuildEnvironments,
    InstalledRequirement,
    PinnedBuild,
    WrittenConstraints,
)
from release.core.models.index import PYPI, Index, version_of
from release.core.quoting import quote_path

#: seconds
_LIMIT = 300


def write_constraints(
    system: System, directory: Path, path: Path, *, on_line: Callable[[str], None] | None = None
) -> WrittenConstraints:
    """Build the project in its current state, and pin what that has installed.

    Nothing is written unless all of it is known. Raises `UsageError` for a file that this program has not generated,
    `RefusedError` where hashes cannot be read, and what a build raises.
    """
    before = _load_generated(path)
    found: list[BuildEnvironments] = []
    system = replace(system, pinned_build=PinnedBuild(path=None, only_wheels=True))
    with temporary_directory() as work:
        source = builder.copy_project(system, directory, work / "source")
        builder.build_distributions(
            system, source, work / "dist", epoch=None, on_line=on_line, copy_of=directory, installed=found.append
        )
        if not found:
            raise ToolError("the build did not record what it installs", remedy="report it as a bug of pypi-preflight")
        requirements = found[0].requirements
        _require_one_version_each(requirements)
        hashes = _find_hashes(system, requirements, work)
    missing = [f"{one.name}=={one.version}" for one in requirements if not _is_known(one, hashes)]
    if missing:
        raise RefusedError(
            f"no index states the hash of the installed file of {', '.join(missing[:4])}; nothing was written",
            remedy=f"check the index in the configuration of pip and uv, then run: {write_command(str(path))}",
        )
    text = constraints_to_text(hashes, f"{GENERATED} {path.name}")
    if text != before:
        with explain_os_errors("the constraints"):
            safe_write.write_atomically(path, text.encode())
    place = Path(os.path.relpath(path, directory)).as_posix()
    return WrittenConstraints(path=path, place=place, hashes=hashes, unchanged=text == before)


def _load_generated(path: Path) -> str | None:
    """The text of the file; None where there is none, or it is empty."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        reason = (getattr(error, "strerror", None) or "it is not UTF-8").lower()
        raise UsageError(f"cannot read {quote_path(path)}: {reason}", remedy="pass another file") from None
    if not path.parent.is_dir():
        raise UsageError(f"no directory {quote_path(path.parent)}", remedy="create it, or pass another file")
    if text.strip() and not is_generated(text):
        raise UsageError(
            f"{quote_path(path)} was not written by `build --write-constraints`, so it is not replaced",
            remedy=f"rename it, or pass another file: {write_command('build-constraints.txt')}",
        )
    return text or None


def _require_one_version_each(requirements: Sequence[InstalledRequirement]) -> None:
    versions: dict[str, set[str]] = {}
    for one in requirements:
        versions.setdefault(one.name, set()).add(one.version)
    several = {name: sorted(found) for name, found in versions.items() if len(found) > 1}
    for name, found in several.items():
        raise RefusedError(
            f"the builds of the sdist and the wheel install {name} in the versions {' and '.join(found)}, which one "
            "file cannot pin",
            remedy=f'require one of them in [build-system] requires: "{name}=={found[-1]}"',
        )


def _is_known(one: InstalledRequirement, hashes: Mapping[tuple[str, str], Sequence[str]]) -> bool:
    values = hashes.get((one.name, one.version), ())
    return one.sha256 in values if one.sha256 is not None else bool(values)


def _find_hashes(
    system: System, requirements: Sequence[InstalledRequirement], work: Path
) -> dict[tuple[str, str], tuple[str, ...]]:
    """The hashes of all files of each version, as the user's indexes state them."""
    if not requirements:
        return {}
    uv = installer.find_uv(system)
    found = _hashes_by_uv(system, uv, requirements, work) if uv is not None else {}
    return {
        key: found.get(key) or _hashes_by_pages(system, one)
        for one in requirements
        for key in [(one.name, one.version)]
    }


def _hashes_by_uv(
    system: System, uv: Path, requirements: Sequence[InstalledRequirement], work: Path
) -> dict[tuple[str, str], tuple[str, ...]]:
    """Observed: uv 0.13.9, 2026-11: it lists the files for all platforms, and none for those of a directory."""
    with explain_os_errors("the list of build requirements"):
        (work / "exact.in").write_text(
            "".join(f"{one.name}=={one.version}\n" for one in requirements), encoding="utf-8"
        )
    options = ["--generate-hashes", "--no-deps", "--no-annotate", "--no-header", "--quiet", "--no-progress"]
    done = system.run(
        [str(uv), "pip", "compile", *options, str(work / "exact.in")],
        cwd=work, env=installer.installer_environment(system), timeout=_LIMIT, apart=True,
    )  # fmt: skip
    if done.status:
        raise ToolError(
            f"uv cannot read the hashes of the build requirements: {program_output.cause_line(done.errors)!r}",
            remedy="check the index in the configuration of uv, then run the same command again",
        )
    pins = parse_constraints(done.output).pins
    return {(one.name, one.version or ""): tuple(sorted(set(one.hashes))) for one in pins}


def _hashes_by_pages(system: System, one: InstalledRequirement) -> tuple[str, ...]:
    """The hashes from each index of pip that has the installed file, and from each such directory of pip and uv."""
    settings = installer.pip_settings(system)
    urls = [settings.get("index-url") or PYPI.simple_url, *settings.get("extra-index-url", "").split()]
    if one.sha256 is None or settings.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        urls = []  # uv has asked its indexes
    places = [*settings.get("find-links", "").split(), *system.env.get("UV_FIND_LINKS", "").split(",")]
    found: set[str] = set()
    for values in (*(_page(url, one) for url in urls), *(_links(place, one) for place in filter(None, places))):
        if one.sha256 is None or one.sha256 in values:
            found |= values
    return tuple(sorted(found))


def _page(url: str, one: InstalledRequirement) -> set[str]:
    if urlsplit(url).scheme not in {"http", "https"}:
        return set()
    index = Index(name="", upload_url="", simple_url=f"{url.rstrip('/')}/", kind="other")
    try:
        listing = simple_api.fetch_listing(index, one.name)
    except ReleaseError:
        return set()
    files = listing.files if listing else ()
    return {file.sha256 for file in files if file.sha256 and _is_of(file.filename, one)}


def _links(place: str, one: InstalledRequirement) -> set[str]:
    """Those of the files in a directory."""
    path = Path(url2pathname(urlsplit(place).path)) if place.startswith("file:") else Path(place)
    if not path.is_dir():
        return set()
    with explain_os_errors("the directory of find-links"):
        return {builder.load_distribution(file).sha256 for file in path.iterdir() if _is_of(file.name, one)}


def _is_of(filename: str, one: InstalledRequirement) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return version_of(filename, one.name) == Version(one.version)
    except InvalidVersion:
        return False
