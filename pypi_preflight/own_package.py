"""Imports the package `release` that is next to this one, also where a project has a module of that name.

It imports only what the interpreter has loaded before it: `python -m` looks in the current directory first.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "release")  # noqa: PTH118, PTH120 - pathlib may not be loaded
_FILE = os.path.join(_PACKAGE, "__init__.py")  # noqa: PTH118 - the same


def use_own_package() -> None:
    """Make `release` the package next to this one, from now on."""
    if _is_ours(sys.modules.get("release")):
        return
    _remove_release()
    spec = spec_from_file_location("release", _FILE, submodule_search_locations=[_PACKAGE])
    assert spec is not None
    assert spec.loader is not None
    package = module_from_spec(spec)
    sys.modules["release"] = package
    spec.loader.exec_module(package)


def import_own(name: str) -> ModuleType:
    """Import `release.NAME` of the package next to this one.

    Unless `release` is that package already, it is afterwards what it was before: the project's own code may import
    its own `release`.
    """
    if _is_ours(sys.modules.get("release")):
        return import_module(f"release.{name}")
    others = _remove_release()
    try:
        use_own_package()
        return import_module(f"release.{name}")
    finally:
        _remove_release()
        sys.modules.update(others)


def _is_ours(module: ModuleType | None) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and os.path.realpath(file) == _FILE


def _remove_release() -> dict[str, ModuleType]:
    """Remove `release` and its modules from `sys.modules`, and return them."""
    names = [name for name in sys.modules if name == "release" or name.startswith("release.")]
    return {name: sys.modules.pop(name) for name in names}
