"""Whether a project's wheels depend on the machine that builds them, from what its files say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: build backends that compile. Source: the documentation of each
_BACKENDS = {
    "maturin", "scikit_build_core.build", "scikit_build_core.setuptools.build_meta", "mesonpy",
    "py_build_cmake.build", "enscons.api", "sipbuild.api", "pdm_build_zig",
}  # fmt: skip
#: what a build is given beside setuptools or hatchling in order to compile
_COMPILERS = {
    "cython", "pybind11", "nanobind", "setuptools-rust", "scikit-build", "mypy", "hatch-mypyc", "hatch-cython",
    "scikit-build-core", "cffi", "numpy", "extensionlib", "setuptools-golang", "setuptools-zig",
}  # fmt: skip
_IN_SETUP_PY = re.compile(r"\b(ext_modules|cffi_modules|rust_extensions|cythonize|Extension(?=\s*\())")


def binary(pyproject: Mapping[str, Any], setup_py: str = "") -> tuple[bool, str]:
    """Whether the wheels are binary, and what says so, to be read after "because".

    `pyproject` is the parsed pyproject.toml, empty where there is none; `setup_py` the text of setup.py.
    """
    tool, build = _table(pyproject, "tool"), _table(pyproject, "build-system")
    backend = str(build.get("build-backend", "setuptools"))
    if "cibuildwheel" in tool:
        return True, "pyproject.toml has [tool.cibuildwheel]"
    if backend.partition(":")[0] in _BACKENDS:
        return True, f"its build backend is {backend}"
    if _table(tool, "setuptools").get("ext-modules"):
        return True, "tool.setuptools.ext-modules names some"
    if found := _IN_SETUP_PY.search(setup_py):
        return True, f"setup.py mentions {found[1]}"
    if compilers := sorted(_COMPILERS & set(_names(build.get("requires")))):
        return True, f"its build requires {compilers[0]}"
    return False, "nothing in pyproject.toml or setup.py compiles"


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def _names(requirements: Any) -> list[str]:
    """The normalised names of requirements. Source: PEP 503, "Normalized Names"."""
    if not isinstance(requirements, list):
        return []
    starts = (re.match(r"\s*([A-Za-z0-9._-]+)", one) for one in requirements if isinstance(one, str))
    return [re.sub(r"[-_.]+", "-", start[1]).lower() for start in starts if start]
