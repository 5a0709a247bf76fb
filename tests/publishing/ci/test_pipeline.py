"""Whether wheels depend on the machine is read from what a project says of its build."""

from __future__ import annotations

import tomllib

import pytest

from release.publishing.ci.pipeline import detect_binary

BUILD = '[build-system]\nrequires = [{requires}]\nbuild-backend = "{backend}"\n'


@pytest.mark.parametrize(
    ("backend", "requires", "more", "setup_py", "because"),
    [
        ("maturin", '"maturin>=1"', "", "", "maturin"),
        ("scikit_build_core.build", '"scikit-build-core"', "", "", "scikit_build_core.build"),
        ("mesonpy", '"meson-python"', "", "", "mesonpy"),
        ("setuptools.build_meta", '"setuptools", "Cython>=3"', "", "", "cython"),
        ("setuptools.build_meta", '"setuptools", "setuptools_rust"', "", "", "setuptools-rust"),
        ("setuptools.build_meta", '"setuptools"', "", "setup(ext_modules=[x])", "ext_modules"),
        ("setuptools.build_meta", '"setuptools"', "", "Extension('a', ['a.c'])", "Extension"),
        ("setuptools.build_meta", '"setuptools"', '[[tool.setuptools.ext-modules]]\nname = "a"\n', "", "ext-modules"),
        ("hatchling.build", '"hatchling", "hatch-mypyc"', "", "", "hatch-mypyc"),
        ("hatchling.build", '"hatchling"', '[tool.cibuildwheel]\nskip = "pp*"\n', "", "tool.cibuildwheel"),
    ],
)
def test_what_compiles_is_binary(backend: str, requires: str, more: str, setup_py: str, because: str) -> None:
    found, reason = detect_binary(tomllib.loads(BUILD.format(backend=backend, requires=requires) + more), setup_py)
    assert found
    assert because in reason


@pytest.mark.parametrize("backend", ["hatchling.build", "flit_core.buildapi", "setuptools.build_meta", "uv_build"])
def test_what_does_not_compile_is_pure(backend: str) -> None:
    data = tomllib.loads(BUILD.format(backend=backend, requires='"x"'))
    assert detect_binary(data, "from setuptools import setup")[0] is False


@pytest.mark.parametrize("data", [{}, {"build-system": 3}, {"build-system": {"requires": [3, ""]}}, {"tool": []}])
def test_a_table_that_makes_no_sense_is_no_reason(data: dict[str, object]) -> None:
    assert detect_binary(data)[0] is False
