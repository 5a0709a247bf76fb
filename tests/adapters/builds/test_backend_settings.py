"""The settings of each backend: what it is, what it leaves out and what it declares."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.builds.backend_settings import find_declared_files, load_backend_settings

BUILD = '[build-system]\nrequires = ["x"]\nbuild-backend = "{}"\n'
SETUPTOOLS = BUILD.format("setuptools.build_meta")


def written(tmp_path: Path, **files: str) -> Path:
    """A project; the names of its files with "__" for a dot."""
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("pyproject", "name"),
    [
        ("", "setuptools"),
        (SETUPTOOLS, "setuptools"),
        (BUILD.format("setuptools.build_meta:__legacy__"), "setuptools"),
        (BUILD.format("hatchling.build"), "hatchling"),
        (BUILD.format("flit_core.buildapi"), "flit_core"),
        (BUILD.format("poetry.core.masonry.api"), "poetry-core"),
        (BUILD.format("poetry_dynamic_versioning.backend"), "poetry-core"),
        (BUILD.format("pdm.backend"), "pdm-backend"),
        (BUILD.format("uv_build"), "uv_build"),
        (BUILD.format("scikit_build_core.build"), "scikit-build-core"),
        (BUILD.format("mesonpy"), "meson-python"),
        (BUILD.format("maturin"), "maturin"),
        ('[build-system]\nrequires = ["hatchling>=1"]\nbuild-backend = "own"\nbackend-path = ["."]\n', "hatchling"),
        (BUILD.format("own"), ""),
        ("broken = [", "setuptools"),
    ],
)
def test_the_backend_is_recognized(tmp_path: Path, pyproject: str, name: str) -> None:
    assert load_backend_settings(written(tmp_path, pyproject__toml=pyproject)).name == name


@pytest.mark.parametrize(
    ("files", "excluded"),
    [
        ({"pyproject__toml": f'{SETUPTOOLS}[tool.setuptools.packages.find]\nexclude = ["a.b*"]\n'}, ("package:a.b*",)),
        ({"pyproject__toml": f'{SETUPTOOLS}[tool.setuptools.exclude-package-data]\n"*" = ["*.c"]\n'}, ("*.c",)),
        ({"setup__cfg": "[options.packages.find]\nexclude =\n  a.b\n  c\n"}, ("package:a.b", "package:c")),
        ({"setup__py": 'setup(packages=find_packages("src", exclude=["a.b"]))\n'}, ("package:a.b",)),
        ({"setup__py": 'setup(exclude_package_data={"": ["x.txt"]}, packages=listed)\n'}, ("x.txt",)),
        ({"MANIFEST__in": "prune a\nexclude b c # d\nglobal-exclude *.x\n"}, ("a", "b", "c", "*.x")),
        ({"MANIFEST__in": "recursive-exclude a *.x\nrecursive-exclude b *\nrecursive-exclude * *.y\n"},
         ("a/*.x", "a/*/*.x", "b", "*.y")),
        ({"pyproject__toml": BUILD.format("hatchling.build") + '[tool.hatch.build]\nexclude = ["/a"]\n'}, ("/a",)),
        ({"pyproject__toml": BUILD.format("poetry.core") + '[tool.poetry]\nexclude = ["a", { path = "b" }]\n'},
         ("a", "b")),
        ({"pyproject__toml": BUILD.format("uv_build") + '[tool.uv.build-backend]\nwheel-exclude = ["a"]\n'}, ("a",)),
        ({"pyproject__toml": BUILD.format("pdm.backend") + '[tool.pdm.build]\nexcludes = ["a"]\n'}, ("a",)),
        ({"pyproject__toml": BUILD.format("mesonpy"), ".gitattributes": "/a export-ignore\n*.py text\n"}, ("/a",)),
    ],
)  # fmt: skip
def test_explicit_exclusions_are_read(tmp_path: Path, files: dict[str, str], excluded: tuple[str, ...]) -> None:
    assert load_backend_settings(written(tmp_path, **files)).excluded == excluded


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"pyproject__toml": f'{SETUPTOOLS}[tool.setuptools]\npackages = ["a"]\n'}, ("pyproject.toml", True)),
        ({"pyproject__toml": f"{SETUPTOOLS}[tool.setuptools.packages.find]\n"}, ("pyproject.toml", False)),
        ({"setup__cfg": "[options]\npackages = find:\n"}, ("setup.cfg", False)),
        ({"setup__cfg": "[options]\npackages = a\n"}, ("setup.cfg", True)),
        ({"setup__py": 'setup(name="a", packages=["a"])\n'}, ("setup.py", True)),
        ({"setup__py": 'setup(name="a", packages=find_packages())\n'}, ("setup.py", False)),
        ({"setup__py": "setup(\n"}, ("pyproject.toml", False)),
    ],
)
def test_the_file_with_the_packages_is_found(tmp_path: Path, files: dict[str, str], place: tuple[str, bool]) -> None:
    found = load_backend_settings(written(tmp_path, **files))
    assert (found.file, found.lists_packages) == place


@pytest.mark.parametrize(
    "files",
    [
        {"MANIFEST__in": "include src/acme/data/*.dat\n"},
        {"MANIFEST__in": "recursive-include src/acme *.dat\n"},
        {"pyproject__toml": f'{SETUPTOOLS}[tool.setuptools.package-data]\nacme = ["data/*.dat"]\n'},
        {"pyproject__toml": f'{SETUPTOOLS}[tool.setuptools.package-data]\n"*" = ["data/*.dat"]\n'},
        {"setup__cfg": "[options.package_data]\nacme = data/*.dat\n"},
        {"setup__py": 'setup(name="acme", package_data={"acme": ["data/*.dat"]})\n'},
    ],
)
def test_declared_files_that_git_does_not_track_are_found(tmp_path: Path, files: dict[str, str]) -> None:
    """Not those that are tracked, nor what a build leaves behind."""
    project = written(tmp_path, **files)
    (project / "src/acme/data").mkdir(parents=True)
    for name in ("table.dat", "tracked.dat", "a.so"):
        (project / "src/acme/data" / name).write_text("x", encoding="utf-8")
    tracked = frozenset({"src/acme/__init__.py", "src/acme/data/tracked.dat"})
    found = find_declared_files(project, load_backend_settings(project), tracked)
    assert [one.path for one in found] == ["src/acme/data/table.dat"]
