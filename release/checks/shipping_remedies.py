"""How to get a file into the wheel, in the settings of each build backend."""

from __future__ import annotations

import json
import posixpath
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from release.checks.source_layout import MissingFile
from release.core.models.source_tree import BackendSettings

#: patterns written out before files of one directory are combined
_LISTED = 4


def how_to_ship_data(settings: BackendSettings, files: Sequence[MissingFile]) -> str:
    """The setting that adds files below shipped packages to the wheel."""
    return _DATA.get(settings.name, _unknown)(settings, files)


def how_to_ship_module(settings: BackendSettings, installed: str, source: str) -> str:
    """The setting that adds a module or package to the wheel: `installed` is its path there, without "/__init__.py"."""
    return _MODULE.get(settings.name, _unknown_module)(settings, installed, source)


def _patterns(paths: Sequence[str]) -> list[str]:
    """The paths themselves; of many, one pattern for each directory and kind."""
    if len(paths) <= _LISTED:
        return sorted(paths)
    found = set()
    for path in paths:
        directory, _, name = path.rpartition("/")
        stem, dot, suffix = name.rpartition(".")
        pattern = f"*.{suffix}" if dot and stem else name
        found.add(f"{directory}/{pattern}" if directory else pattern)
    return sorted(found)


def _quoted(values: Sequence[str]) -> str:
    return f"[{', '.join(json.dumps(one, ensure_ascii=False) for one in values)}]"


def _toml_key(name: str) -> str:
    return f'"{name}"' if "." in name else name


def _sources(files: Sequence[MissingFile]) -> str:
    return _quoted(_patterns([one.source for one in files]))


def _setuptools(settings: BackendSettings, files: Sequence[MissingFile]) -> str:
    by_package = defaultdict(list)
    for one in files:
        by_package[one.package.replace("/", ".")].append(one.inside)
    tables = {package: _patterns(paths) for package, paths in by_package.items()}
    if settings.file == "setup.py":
        return f"pass it to setup() in setup.py: package_data={json.dumps(tables, ensure_ascii=False)}"
    if settings.file == "setup.cfg":
        lines = "; ".join(f"{package} = {', '.join(patterns)}" for package, patterns in tables.items())
        return f"add it to [options.package_data] in setup.cfg: {lines}"
    lines = "; ".join(f"{_toml_key(package)} = {_quoted(patterns)}" for package, patterns in tables.items())
    return f"add it to [tool.setuptools.package-data] in pyproject.toml: {lines}"


def _hatchling(_: BackendSettings, files: Sequence[MissingFile]) -> str:
    return f"add it to [tool.hatch.build] in pyproject.toml: artifacts = {_sources(files)}"


def _poetry(_: BackendSettings, files: Sequence[MissingFile]) -> str:
    found = []
    for start in sorted({one.source[: -len(one.installed)] for one in files if one.source.endswith(one.installed)}):
        inside = _patterns([one.installed for one in files if one.source == start + one.installed])
        base = f', from = "{start.rstrip("/")}"' if start else ""
        found += [f'{{ include = "{pattern}"{base} }}' for pattern in inside]
    return f"add it to packages of [tool.poetry] in pyproject.toml: {', '.join(found)}"


def _pdm(_: BackendSettings, files: Sequence[MissingFile]) -> str:
    return f"add it to includes of [tool.pdm.build] in pyproject.toml: {_sources(files)}"


def _uv(_: BackendSettings, __: Sequence[MissingFile]) -> str:
    return "remove what matches it from source-exclude and wheel-exclude of [tool.uv.build-backend] in pyproject.toml"


def _flit(_: BackendSettings, __: Sequence[MissingFile]) -> str:
    return "remove what matches it from exclude of [tool.flit.sdist] in pyproject.toml"


def _scikit_build(_: BackendSettings, files: Sequence[MissingFile]) -> str:
    return f"add it to [tool.scikit-build] in pyproject.toml: sdist.include = {_sources(files)}"


def _meson(_: BackendSettings, files: Sequence[MissingFile]) -> str:
    first = files[0]
    directory, name = posixpath.split(first.source)
    to = first.installed.rpartition("/")[0]
    return f"install it in {directory or '.'}/meson.build: py.install_sources('{name}', subdir: '{to}')"


def _maturin(_: BackendSettings, files: Sequence[MissingFile]) -> str:
    entries = ", ".join(
        f'{{ path = "{one}", format = ["sdist", "wheel"] }}' for one in _patterns([file.source for file in files])
    )
    return f"add it to [tool.maturin] in pyproject.toml: include = [{entries}]"


def _unknown(_: BackendSettings, __: Sequence[MissingFile]) -> str:
    return "include it in the configuration of the build backend"


def _setuptools_module(settings: BackendSettings, installed: str, source: str) -> str:
    name = installed.removesuffix(".py").replace("/", ".")
    is_module = installed.endswith(".py")
    if is_module and "/" in installed:  # a module in a directory that is no package for setuptools
        return f"add an __init__.py to {source.rpartition('/')[0]!r}, or list its package in packages"
    kind = "py_modules" if is_module else "packages"
    if settings.file == "setup.py":
        search = "" if is_module or settings.lists_packages else ", or find it with find_packages()"
        return f'add "{name}" to {kind} of setup() in setup.py{search}'
    if settings.file == "setup.cfg":
        return f"add {name} to {kind} of [options] in setup.cfg"
    if is_module or settings.lists_packages:
        return f'add "{name}" to {kind.replace("_", "-")} of [tool.setuptools] in pyproject.toml'
    return f'add "{name}*" to include of [tool.setuptools.packages.find] in pyproject.toml'


def _hatchling_module(_: BackendSettings, installed: str, source: str) -> str:
    line = f'"{source}" = "{installed}"'
    return f"add it to [tool.hatch.build.targets.wheel.force-include] in pyproject.toml: {line}"


def _poetry_module(_: BackendSettings, installed: str, source: str) -> str:
    start = source[: -len(installed)].rstrip("/") if source.endswith(installed) else ""
    base = f', from = "{start}"' if start else ""
    return f'add it to packages of [tool.poetry] in pyproject.toml: {{ include = "{installed}"{base} }}'


def _pdm_module(_: BackendSettings, __: str, source: str) -> str:
    return f'add "{source}" to includes of [tool.pdm.build] in pyproject.toml'


def _uv_module(settings: BackendSettings, installed: str, _: str) -> str:
    if "/" in installed:
        return _uv(settings, ())
    name = installed.removesuffix(".py")
    return f'move it into the package; or, for a package, add "{name}" to module-name of [tool.uv.build-backend]'


def _flit_module(settings: BackendSettings, installed: str, source: str) -> str:
    if "/" in installed:
        return _flit(settings, ())
    return f"move {source!r} into the package: flit ships one package or module"


def _scikit_build_module(_: BackendSettings, __: str, source: str) -> str:
    return f'add "{source}" to wheel.packages of [tool.scikit-build] in pyproject.toml'


def _meson_module(_: BackendSettings, installed: str, source: str) -> str:
    to = installed.rpartition("/")[0]
    if installed.endswith(".py"):
        name = source.rpartition("/")[2]
        return f"install it in meson.build: py.install_sources('{name}', subdir: '{to}')"
    return f"install it in meson.build: install_subdir('{source}', install_dir: py.get_install_dir() / '{to}')"


def _maturin_module(_: BackendSettings, installed: str, source: str) -> str:
    if "/" in installed:
        entry = f'{{ path = "{source}/**/*", format = ["sdist", "wheel"] }}'
        return f"add it to [tool.maturin] in pyproject.toml: include = [{entry}]"
    return f'add "{installed.removesuffix(".py")}" to python-packages of [tool.maturin] in pyproject.toml'


def _unknown_module(settings: BackendSettings, _: str, __: str) -> str:
    return _unknown(settings, ())


_DATA: Mapping[str, Callable[[BackendSettings, Sequence[MissingFile]], str]] = {
    "setuptools": _setuptools,
    "hatchling": _hatchling,
    "poetry-core": _poetry,
    "pdm-backend": _pdm,
    "uv_build": _uv,
    "flit_core": _flit,
    "scikit-build-core": _scikit_build,
    "meson-python": _meson,
    "maturin": _maturin,
}
_MODULE: Mapping[str, Callable[[BackendSettings, str, str], str]] = {
    "setuptools": _setuptools_module,
    "hatchling": _hatchling_module,
    "poetry-core": _poetry_module,
    "pdm-backend": _pdm_module,
    "uv_build": _uv_module,
    "flit_core": _flit_module,
    "scikit-build-core": _scikit_build_module,
    "meson-python": _meson_module,
    "maturin": _maturin_module,
}
