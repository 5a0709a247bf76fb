"""What repeats the version: the package's own files, and the files that a bump tool lists; and what cannot be told."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.project_version import find_version, write_version
from release.core.errors import ReleaseError
from release.core.models.preparation import DerivedFromTags
from tests.adapters.project_version.test_project_version import create, find, found
from tests.git_repositories import committed

STATIC = '[project]\nname = "acme"\nversion = "1.1.0"\n'
FIRST = "pyproject.toml:3 project.version"
DYNAMIC = '[project]\nname = "acme"\ndynamic = ["version"]\n'


def backend(name: str) -> str:
    return f'[build-system]\nbuild-backend = "{name}"\n'


def test_repetitions_in_the_package(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": STATIC,
        "acme/__init__.py": 'from acme._version import __version__\nversion = "1.1.0"\n',
        "acme/_version.py": '__version__ = "1.1.0"\n',
        "acme/version.py": 'VERSION = "1.1.0"\n',
        "acme/__about__.py": '__version__ = "1.1.0.1"\n',  # not equal
        "acme/api.py": '__version__ = "1.1.0"\n',  # stands for something else
        "other/__init__.py": '__version__ = "1.1.0"\n',  # not of the project's name
        "tests/__init__.py": '__version__ = "1.1.0"\n',
    }
    create(tmp_path, files)
    assert found(tmp_path) == (FIRST, "acme/_version.py:1 __version__", "acme/version.py:1 VERSION")


def test_the_numbers_as_a_tuple(tmp_path: Path) -> None:
    source = """version_info: tuple[int, ...] = (1, 1, 0)  # 1, 1, 0
VERSION = 1,1,0,0
__version_info__ = (1, 1, 0, "final", 0)  # not of numbers alone
VERSION_INFO = (1, 0, 0)  # another one
other = (1, 1, 0)
"""
    create(tmp_path, {"pyproject.toml": STATIC, "acme.py": source})
    assert found(tmp_path) == (FIRST, "acme.py:1 version_info", "acme.py:2 VERSION")
    places = find(tmp_path)
    assert isinstance(places, tuple)
    for version, numbers in (("1.2.0", "1, 2, 0"), ("2.0rc1", "2, 0, 0"), ("1.2.3.4", "1, 2, 3, 4")):
        edit = write_version(tmp_path, places, version)[1]
        four = ",".join([*numbers.split(", "), "0"][:4])
        assert edit.after == source.replace("(1, 1, 0)  # 1", f"({numbers})  # 1").replace("1,1,0,0", four).encode()


def test_another_version_elsewhere_is_none_of_the_project(tmp_path: Path) -> None:
    crate = '[package]\nname = "acme"\nversion = "0.3.0"\n'
    create(tmp_path, {"pyproject.toml": f"{backend('maturin')}{STATIC}", "Cargo.toml": crate})
    assert found(tmp_path) == ("pyproject.toml:5 project.version",)
    create(tmp_path, {"pyproject.toml": f"{backend('maturin')}{STATIC}", "Cargo.toml": "[workspace]\n"})
    assert found(tmp_path) == ("pyproject.toml:5 project.version",)


def test_a_repetition_that_git_ignores_is_made_by_a_build(tmp_path: Path) -> None:
    source = '__version__ = "1.1.0"\n'
    committed(tmp_path, {".gitignore": "_version.py\n", "pyproject.toml": STATIC, "acme/__init__.py": source})
    create(tmp_path, {"acme/_version.py": source})
    assert found(tmp_path) == (FIRST, "acme/__init__.py:1 __version__")


README = "Acme\n\n  pip install acme==1.1.0  # not 11.1.0, 1.1.0.1, 1.1.0rc1\n"
LISTED = [FIRST, "pyproject.toml:6 {}", "README.md:3 version"]


@pytest.mark.parametrize(
    ("table", "files", "places"),
    [
        ("bumpversion", 'current_version = "1.1.0"\n[[tool.bumpversion.files]]\nfilename = "README.md"\n', LISTED),
        ("bumpversion", """current_version = '1.1.0'\nfiles = [{glob="*.md", search="acme=={current_version}"}]\n""",
         LISTED),
        ("bumpversion", 'current_version = "1.0.0"\n[[tool.bumpversion.files]]\nfilename = "README.md"\n', [FIRST]),
        ("bumpver", 'current_version = "1.1.0"\n[tool.bumpver.file_patterns]\n"README.md" = ["acme=={version}"]\n',
         LISTED),
        ("bumpver", 'current_version = "1.1.0"\n[tool.bumpver.file_patterns]\n"README.md" = ["{pep440_version}"]\n',
         LISTED),
        ("commitizen", 'version = "1.1.0"\nversion_files = ["README.md:pip install"]\n', LISTED),
        ("commitizen", 'version_provider = "pep621"\nversion_files = ["README.md"]\n', [FIRST, LISTED[2]]),
        ("commitizen", 'version = "0.9"\nversion_files = ["README.md"]\n', [FIRST]),
        ("semantic_release",
         'version_variables = ["README.md:acme"]\nversion_toml = ["pyproject.toml:project.version"]\n',
         [FIRST, LISTED[2]]),
        ("tbump", """file = [{src = "README.md", search = "acme=={current_version}"}]\nversion.current = '1.1.0'\n""",
         [FIRST, "pyproject.toml:7 tool.tbump.version.current", LISTED[2]]),
    ],
)  # fmt: skip
def test_the_files_that_a_bump_tool_lists(tmp_path: Path, table: str, files: str, places: list[str]) -> None:
    create(tmp_path, {"pyproject.toml": f"{STATIC}\n[tool.{table}]\n{files}", "README.md": README})
    key = f"tool.{table}.{'version' if table == 'commitizen' else 'current_version'}"
    assert list(found(tmp_path)) == [place.format(key) for place in places]
    listed = find(tmp_path)
    assert isinstance(listed, tuple)
    edits = {edit.path: (edit.after or b"").decode() for edit in write_version(tmp_path, listed, "1.2.0")}
    assert edits.get("README.md", README.replace("==1.1.0", "==1.2.0")) == README.replace("==1.1.0", "==1.2.0")


def test_the_ini_files_of_bump2version(tmp_path: Path) -> None:
    text = "[bumpversion]\ncurrent_version = 1.1.0\n\n[bumpversion:file:README.md]\nsearch = acme=={current_version}\n"
    for name in (".bumpversion.cfg", "setup.cfg"):
        create(tmp_path, {"pyproject.toml": STATIC, name: text, "README.md": README})
        assert found(tmp_path) == (FIRST, f"{name}:2 bumpversion.current_version", "README.md:3 version")
        (tmp_path / name).unlink()


def test_the_spelling_of_a_bump_tool(tmp_path: Path) -> None:
    table = """[tool.bumpver]\ncurrent_version = "v1.1.0-rc.1"\n[tool.bumpver.file_patterns]
"./a.md" = ['{version}', '{pep440_version}']\n"./acme.py" = ['"{pep440_version}"']\n"""
    source = STATIC.replace("1.1.0", "1.1.0rc1") + table
    create(
        tmp_path, {"pyproject.toml": source, "a.md": "v1.1.0-rc.1\n1.1.0rc1\n", "acme.py": '__version__ = "1.1.0rc1"'}
    )
    places = find(tmp_path)
    assert isinstance(places, tuple)
    edits = {edit.path: (edit.after or b"").decode() for edit in write_version(tmp_path, places, "1.1.0rc2")}
    assert edits == {
        "pyproject.toml": source.replace("rc.1", "rc.2").replace("rc1", "rc2"),
        "a.md": "v1.1.0-rc.2\n1.1.0rc2\n",
        "acme.py": '__version__ = "1.1.0rc2"',
    }


def test_searches_of_several_lines(tmp_path: Path) -> None:
    text = """[bumpversion]
current_version = 1.1.0
[bumpversion:file(1):README.md]
search =
  Acme

    pip install acme=={current_version}
[bumpversion:glob:*.md]
search = Unreleased
[bumpversion:file:b.md (again)]
search = {current_version}
"""
    create(tmp_path, {"pyproject.toml": STATIC, ".bumpversion.cfg": text, "README.md": "v1.1.0", "b.md": "v1.1.0"})
    with pytest.raises(
        ReleaseError, match=r"\[bumpversion:file\(1\):README.md\] of \.bumpversion\.cfg lists 'README.md'"
    ):
        find(tmp_path)
    create(tmp_path, {".bumpversion.cfg": text.replace("\n  Acme\n\n   ", "")})
    create(
        tmp_path,
        {"README.md": "pip install acme==1.1.0", "b.md": "v1.1.0 11.1.0\nacme-1.1.0.tar.gz acme-1.1.0.post1.tar.gz"},
    )
    assert found(tmp_path)[2:] == ("README.md:1 version", "b.md:1 version", "b.md:2 version")


def test_a_listed_file_without_the_version(tmp_path: Path) -> None:
    table = '[tool.bumpversion]\ncurrent_version = "1.1.0"\n[[tool.bumpversion.files]]\nfilename = "a.md"\n'
    create(tmp_path, {"pyproject.toml": STATIC + table, "a.md": "1.1.01"})
    with pytest.raises(ReleaseError) as error:
        find(tmp_path)
    assert error.value.message == "tool.bumpversion of pyproject.toml lists 'a.md', which has no version 1.1.0"
    create(tmp_path, {"pyproject.toml": f"{STATIC}{table}ignore_missing_version = true\n"})
    assert found(tmp_path) == (FIRST, "pyproject.toml:5 tool.bumpversion.current_version")


@pytest.mark.parametrize(
    ("files", "message", "remedy"),
    [
        ({"pyproject.toml": backend("pdm.backend") + DYNAMIC + '[tool.pdm.version]\nsource = "call"\ngetter = "a:b"\n'},
         "tool.pdm.version calls 'a:b', so no file states the version as text", "the code that computes it"),
        ({"pyproject.toml": backend("hatchling.build") + DYNAMIC + '[tool.hatch.version]\nsource = "env"\n'
          'variable = "V"\n'}, "tool.hatch.version reads the version from the variable V, not from a file",
         "set V to the new version"),
        ({"pyproject.toml": backend("hatchling.build") + DYNAMIC + '[tool.hatch.version]\npath = "a.py"\n'},
         "tool.hatch.version names 'a.py', which does not exist", "correct tool.hatch.version.path"),
        ({"pyproject.toml": backend("hatchling.build") + DYNAMIC + '[tool.hatch.version]\npath = "a.py"\n',
          "a.py": "__version__ = compute()\n"},
         "a.py states no version that the pattern of tool.hatch.version matches", 'add `__version__ = "…"` to a.py'),
        ({"pyproject.toml": backend("flit_core.buildapi") + DYNAMIC, "acme.py": "__version__ = f()\n"},
         "flit reads the version from the module 'acme', which assigns no string to __version__", "acme.py"),
        ({"pyproject.toml": DYNAMIC + '[tool.setuptools.dynamic]\nversion = {attr = "acme.V"}\n',
          "acme.py": "V = '.'.join('110')\n"},
         "tool.setuptools.dynamic.version reads V of acme.py, which assigns no string to it", "acme.py"),
        ({"setup.py": "from setuptools import setup\nsetup(version=open('v').read())\n"},
         "setup.py computes the version", "the file that setup.py reads it from"),
        ({"pyproject.toml": backend("unknown") + DYNAMIC, "acme/__init__.py": ""},
         "cannot determine where 'unknown' reads the version of this project", "acme/__init__.py"),
        ({"pyproject.toml": backend("maturin") + DYNAMIC, "Cargo.toml": "[workspace]\n"},
         "maturin reads the version from 'Cargo.toml', which states none", "Cargo.toml"),
        ({"pyproject.toml": backend("mesonpy") + DYNAMIC, "meson.build": "project('a', version: run_command('v'))\n"},
         "meson-python reads the version from meson.build, which states none as text", "meson.build"),
    ],
)  # fmt: skip
def test_what_cannot_be_told(tmp_path: Path, files: dict[str, str], message: str, remedy: str) -> None:
    create(tmp_path, files)
    with pytest.raises(ReleaseError) as error:
        find(tmp_path)
    assert error.value.message == message
    assert remedy in error.value.remedy


@pytest.mark.parametrize(
    ("files", "tool"),
    [
        ({"pyproject.toml": DYNAMIC + "[tool.setuptools_scm]\n"}, "setuptools-scm"),
        ({"pyproject.toml": backend("hatchling.build") + DYNAMIC + '[tool.hatch.version]\nsource = "vcs"\n'},
         "hatch-vcs"),
        ({"pyproject.toml": backend("pdm.backend") + DYNAMIC + '[tool.pdm.version]\nsource = "scm"\n'}, "pdm-backend"),
        ({"setup.py": "import versioneer\nsetup(version=versioneer.get_version())\n"}, "versioneer"),
        ({"setup.py": "from _version import get_version_and_cmdclass\nsetup(version=v)\n"}, "miniver"),
    ],
)  # fmt: skip
def test_versions_of_tags(tmp_path: Path, files: dict[str, str], tool: str) -> None:
    create(tmp_path, files)
    assert find(tmp_path) == DerivedFromTags(tool=tool)


def test_a_backend_in_the_own_tree(tmp_path: Path) -> None:
    build = '[build-system]\nrequires = ["Setuptools>=70"]\nbuild-backend = "own"\nbackend-path = ["."]\n'
    attribute = '[tool.setuptools.dynamic]\nversion = {attr = "acme.V"}\n'
    create(tmp_path, {"pyproject.toml": build + DYNAMIC + attribute, "acme.py": "V = '1.1.0'\n"})
    assert found(tmp_path) == ("acme.py:1 V",)


def test_a_file_that_has_changed_is_not_edited(tmp_path: Path) -> None:
    create(tmp_path, {"pyproject.toml": STATIC})
    places = find_version(tmp_path, {"project": {"version": "1.1.0"}})
    create(tmp_path, {"pyproject.toml": STATIC.replace("1.1.0", "1.1.1")})
    assert isinstance(places, tuple)
    with pytest.raises(ReleaseError, match=r"pyproject\.toml:3 has changed"):
        write_version(tmp_path, places, "1.2.0")


def test_cargo_and_npm_have_semantic_versions(tmp_path: Path) -> None:
    cargo = '[package]\nname = "acme"\nversion = "1.1.0"\n'
    create(tmp_path, {"pyproject.toml": backend("maturin") + DYNAMIC, "Cargo.toml": cargo})
    places = find(tmp_path)
    assert isinstance(places, tuple)
    for version, text in [("1.2.0rc1", "1.2.0-rc.1"), ("1.2", "1.2.0"), ("1.2.0a1.dev2", "1.2.0-alpha.1.dev.2"),
                          ("2026.06.04", "2026.6.4")]:  # fmt: skip
        (edit,) = write_version(tmp_path, places, version)
        assert edit.after == cargo.replace("1.1.0", text).encode()
    with pytest.raises(ReleaseError, match=r"Cargo\.toml cannot state the version 1!1\.2\.0"):
        write_version(tmp_path, places, "1!1.2.0")
