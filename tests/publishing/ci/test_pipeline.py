"""Whether wheels depend on the machine is read from what a project says of its build."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from release.adapters.system.system import real_system
from release.core.errors import ReleaseError
from release.publishing.ci import pipeline
from release.publishing.ci.pipeline import detect_binary, detect_checkout

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


GITMODULES = '[submodule "lib"]\n\tpath = lib\n\turl = ../lib\n'


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({}, (False, False)),
        ({".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n"}, (True, False)),
        ({"a/b/.gitattributes": "* text\nx.npz -text filter=lfs\n"}, (True, False)),
        ({".gitattributes": '"a b" filter=lfs\n', ".gitmodules": GITMODULES}, (True, True)),
        ({".gitmodules": GITMODULES}, (False, True)),
        ({".gitmodules": ""}, (False, False)),
        ({".gitattributes": "# *.bin filter=lfs\n*.py filter=black\n*.x filter=lfs-not\n"}, (False, False)),
        ({"docs/gitattributes.txt": "*.bin filter=lfs\n"}, (False, False)),
    ],
)
def test_a_checkout_needs_what_the_repository_names(
    tmp_path: Path, files: dict[str, str], found: tuple[bool, bool]
) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    for words in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    assert detect_checkout(real_system(), tmp_path) == found


def test_a_workflow_with_other_contents_is_replaced_only_by_force(tmp_path: Path) -> None:
    path = tmp_path / "release.yml"
    assert pipeline.write_workflow(path, "on: push\n", force=False)
    assert not pipeline.write_workflow(path, "on: push\n", force=False)
    with pytest.raises(ReleaseError, match=r"release\.yml'? exists with other contents$") as wrong:
        pipeline.write_workflow(path, "on: tag\n", force=False)
    assert "--force" in wrong.value.remedy
    assert path.read_text() == "on: push\n"
    assert pipeline.write_workflow(path, "on: tag\n", force=True)
    assert path.read_text() == "on: tag\n"
    with pytest.raises(ReleaseError, match="the workflow"):
        pipeline.write_workflow(path / "below", "", force=True)
