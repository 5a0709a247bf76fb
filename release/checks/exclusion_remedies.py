"""How to keep files out of the sdist, in the settings of each build backend."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from release.core.models.source_tree import BackendSettings

#: paths written out before those of one name become a pattern
_LISTED = 4
Exclusion = tuple[str, bool]


def how_to_exclude(settings: BackendSettings, paths: Sequence[Exclusion]) -> str | None:
    """The setting that leaves paths out of the sdist; None for an unknown backend.

    `paths`: each relative to the project, and whether it is a directory.
    """
    write = _SETTINGS.get(settings.name)
    if settings.name == "hatchling" and settings.excluded_from_sdist:  # then hatchling ignores [tool.hatch.build]
        write = _toml("tool.hatch.build.targets.sdist", "exclude")
    return write(sorted(set(paths))) if write else None


def _patterns(paths: Sequence[Exclusion], *, inside: str = "") -> list[str]:
    """Patterns of paths; of more than a few, one for each name. `inside` is appended to directories."""
    if len(paths) > _LISTED:
        paths = sorted({(f"**/{path.rpartition('/')[2]}", directory) for path, directory in paths})
    return [path + inside * directory for path, directory in paths]


def _toml(table: str, key: str, *, inside: str = "") -> Callable[[Sequence[Exclusion]], str]:
    def write(paths: Sequence[Exclusion]) -> str:
        patterns = json.dumps(_patterns(paths, inside=inside), ensure_ascii=False)
        return f"add it to [{table}] in pyproject.toml: {key} = {patterns}"

    return write


def _manifest(paths: Sequence[Exclusion]) -> str:
    if len(paths) > _LISTED:  # "prune" knows no directory of a name at any depth
        names = {(path.rpartition("/")[2], directory) for path, directory in paths}
        lines = [f"recursive-exclude * {name}" for name, directory in sorted(names) if not directory]
        lines += [f"prune {path}" for path, directory in paths if directory]
    else:
        lines = [f"{'prune' if directory else 'exclude'} {path}" for path, directory in paths]
    return f"add it to MANIFEST.in: {'; '.join(lines)}"


def _attributes(paths: Sequence[Exclusion]) -> str:
    lines = "; ".join(f"{pattern} export-ignore" for pattern in _patterns(paths))
    return f"add it to .gitattributes: {lines}"


#: meson-python has the files of `git archive`
_SETTINGS: Mapping[str, Callable[[Sequence[Exclusion]], str]] = {
    "setuptools": _manifest,
    "hatchling": _toml("tool.hatch.build", "exclude"),
    "poetry-core": _toml("tool.poetry", "exclude", inside="/**/*"),
    "pdm-backend": _toml("tool.pdm.build", "excludes", inside="/**/*"),
    "uv_build": _toml("tool.uv.build-backend", "source-exclude"),
    "flit_core": _toml("tool.flit.sdist", "exclude"),
    "scikit-build-core": _toml("tool.scikit-build.sdist", "exclude"),
    "meson-python": _attributes,
    "maturin": _toml("tool.maturin", "exclude", inside="/**/*"),
}
