"""The wheel and the sdist against git: what is missing, what is left out on purpose, and what blocks."""

from __future__ import annotations

import io
from typing import Any

import pytest

from release.checks import source_comparison
from release.checks.engine import quote, run
from release.core.facts import BuiltFile, BuiltFiles
from release.core.models.check_result import CheckState, Finding
from release.core.models.source_tree import BackendSettings, SourceTree
from tests.acceptance.making import NOW, SDIST, WHEEL, metadata, sdist, tarred, zipped

INFO = "acme_widget-1.0.dist-info"
SUB_PACKAGE, IMPORTED = "the-wheel-has-every-sub-package", "the-wheel-has-what-it-imports"
IN_GIT, IN_SDIST = "the-wheel-has-what-git-has", "the-sdist-has-what-git-has"


def file(name: str, content: bytes) -> BuiltFile:
    return BuiltFile(filename=name, size=len(content), sha256=None, open=lambda: io.BytesIO(content))


def compared(
    members: dict[str, str],
    git: str,
    *,
    untracked: str = "",
    entry_points: str = "",
    requires: tuple[str, ...] = (),
    packed: bytes | None = None,
    **settings: Any,
) -> dict[str, list[Finding]]:
    """Check → findings, for a wheel with these members (path → code) and the paths of `git`, split at spaces."""
    wheel = {path: code.encode() for path, code in members.items()}
    wheel |= {
        f"{INFO}/METADATA": metadata(Requires_Dist=list(requires)),
        f"{INFO}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{INFO}/RECORD": b"",
    }
    if entry_points:
        wheel[f"{INFO}/entry_points.txt"] = entry_points.encode()
    tree = SourceTree(
        tracked=frozenset(git.split()),
        untracked=frozenset(untracked.split()),
        backend=BackendSettings(**{"name": "setuptools", **settings}),
    )
    facts = BuiltFiles(
        project=None, files=(file(SDIST, packed or sdist()), file(WHEEL, zipped(wheel))), now=NOW, source_tree=tree
    )
    outcomes = list(run(source_comparison.OF_GIT, facts))
    assert not any(one.state is CheckState.CRASHED for one in outcomes), outcomes
    return {one.check: list(one.findings) for one in outcomes if one.findings}


def names(*paths: str) -> dict[str, str]:
    return dict.fromkeys(paths, "")


PACKAGE = ("acme_widget/__init__.py", "acme_widget/core.py")
FILES = "files that git has are not in the wheel:"
UNTYPED = "does not: type checkers ignore the annotations of the package"
PACKAGE_DATA = "add it to [tool.setuptools.package-data] in pyproject.toml: acme_widget = "
GIT = "src/acme_widget/__init__.py src/acme_widget/core.py README.md pyproject.toml "


@pytest.mark.parametrize(
    ("members", "git", "missing"),
    [
        (PACKAGE, GIT + "src/acme_widget/sub/__init__.py src/acme_widget/sub/a.py", "src/acme_widget/sub"),
        (("a/__init__.py",), "a/__init__.py a/b/__init__.py a/b/c/__init__.py", "a/b"),
        (("n/p/__init__.py", "n/p/x.py"), "lib/n/p/__init__.py lib/n/p/x.py lib/n/p/q/__init__.py", "lib/n/p/q"),
        (
            ("acme/__init__.py", "acme/one.py", "acme/two.py"),
            "python/lib/__init__.py python/lib/one.py python/lib/two.py python/lib/sub/__init__.py",
            "python/lib/sub",
        ),
        (("a/__init__.py",), "a/__init__.py a/b/__init__.py a/b/setup.py", "a/b"),
        (("a/__init__.py", "b/__init__.py"), "src/a/__init__.py src/b/__init__.py src/b/c/__init__.py", "src/b/c"),
    ],
)  # fmt: skip
def test_a_missing_sub_package_is_refused(members: tuple[str, ...], git: str, missing: str) -> None:
    """In src, lib, a namespace, under another name, in the second of two packages; only the outermost is named."""
    found = compared(names(*members), git)
    assert list(found) == [SUB_PACKAGE]
    (finding,) = found[SUB_PACKAGE]
    assert finding.severity == "block"
    assert f"git has the sub-package {missing!r}" in finding.message


@pytest.mark.parametrize(
    ("git", "settings"),
    [
        ("src/acme_widget/tests/__init__.py src/acme_widget/tests/test_a.py src/acme_widget/conftest.py", {}),
        ("src/acme_widget/sub/tests/data/a.json src/acme_widget/testing/__init__.py", {}),
        ("src/acme_widget/docs/conf.py src/acme_widget/examples/__init__.py src/acme_widget/benchmarks/a.py", {}),
        ("src/acme_widget/_speed.pyx src/acme_widget/_speed.pxd src/acme_widget/a.c src/acme_widget/include/a.hpp", {}),
        ("src/acme_widget/meson.build src/acme_widget/CMakeLists.txt src/acme_widget/lib.rs", {}),
        ("src/acme_widget/.gitignore src/acme_widget/data/.gitkeep src/acme_widget/README.md", {}),
        ("src/acme_widget/version.py.in src/acme_widget/NOTES.txt src/acme_widget/LICENSE", {}),
        ("src/acme_widget/js/package.json src/acme_widget/js/src/a.html src/acme_widget/js/x.json", {}),
        ("src/acme_widget/core.pyi", {}),
        ("src/acme_widget/plugin/pyproject.toml src/acme_widget/plugin/x/__init__.py", {}),
        ("src/acme_widget/sub/__init__.py", {"excluded": ("package:acme_widget.sub*",)}),
        ("src/acme_widget/sub/__init__.py", {"excluded": ("package:*.sub",)}),
        ("src/acme_widget/sub/a.json", {"excluded": ("src/acme_widget/sub",)}),
        ("src/acme_widget/sub/a.json", {"excluded": ("*.json",), "name": "poetry-core"}),
        ("src/acme_widget/sub/a.json", {"excluded": ("/src/**/sub/**",), "name": "hatchling"}),
        ("src/other/a.json tests/a.json acme_widget/x.json", {}),
        ("src/acme_widget/fast.py", {}),
    ],
)
def test_what_is_left_out_on_purpose_is_silent(git: str, settings: dict[str, Any]) -> None:
    members = names(*PACKAGE, "acme_widget/fast.cpython-311-x86_64-linux-gnu.so")
    assert compared(members, GIT + git, **settings) == {}


@pytest.mark.parametrize(
    ("member", "git"),
    [
        ("acme_widget/locale/de.mo", "src/acme_widget/locale/de.po src/acme_widget/locale/acme.pot"),
        ("acme_widget-1.0.data/data/share/acme/a.json", "src/acme_widget/conf/a.json"),
        ("acme_widget-1.0.data/purelib/acme_widget/a.json", "src/acme_widget/a.json"),
    ],
)
def test_what_is_shipped_in_another_form_is_silent(member: str, git: str) -> None:
    """Compiled translations, data files, and modules below `.data`."""
    assert compared(names(*PACKAGE, member), GIT + git) == {}


@pytest.mark.parametrize(
    ("git", "message", "remedy"),
    [
        (
            "src/acme_widget/py.typed",
            f"git has 'src/acme_widget/py.typed', the wheel {UNTYPED}",
            f'{PACKAGE_DATA}["py.typed"]',
        ),
        (
            "src/acme_widget/data/a.json",
            f"{FILES} 'src/acme_widget/data/a.json'",
            f'if users need it, {PACKAGE_DATA}["data/a.json"]',
        ),
        (
            " ".join(f"src/acme_widget/data/{one}.json" for one in "abcde"),
            f"{FILES} {quote(f'src/acme_widget/data/{one}.json' for one in 'abc')} and 2 more",
            f'if users need it, {PACKAGE_DATA}["data/*.json"]',
        ),
        (
            "src/acme_widget/extra/a.py",
            "modules that git has are not in the wheel: 'src/acme_widget/extra/a.py'",
            "if users need it, add an __init__.py to 'src/acme_widget/extra', or list its package in packages",
        ),
    ],
)
def test_a_missing_file_is_a_warning(git: str, message: str, remedy: str) -> None:
    found = compared(names(*PACKAGE), GIT + git)
    assert list(found) == [IN_GIT]
    (finding,) = found[IN_GIT]
    assert (finding.message, finding.remedy, finding.severity) == (message, remedy, "warn")


@pytest.mark.parametrize("path", ["authors.html", "spdx/license.py", "prompts/system.md", "a/install.json", "news.css"])
def test_a_name_like_that_of_a_note_is_no_note(path: str) -> None:
    assert list(compared(names(*PACKAGE), f"{GIT}src/acme_widget/{path}")) == [IN_GIT]


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"file": "setup.cfg"}, "[options.package_data] in setup.cfg: acme_widget = a.json"),
        ({"file": "setup.py"}, 'package_data={"acme_widget": ["a.json"]}'),
        ({"name": "hatchling"}, '[tool.hatch.build] in pyproject.toml: artifacts = ["src/acme_widget/a.json"]'),
        ({"name": "poetry-core"}, '{ include = "acme_widget/a.json", from = "src" }'),
        ({"name": "pdm-backend"}, 'includes of [tool.pdm.build] in pyproject.toml: ["src/acme_widget/a.json"]'),
        ({"name": "uv_build"}, "[tool.uv.build-backend]"),
        ({"name": "flit_core"}, "[tool.flit.sdist]"),
        ({"name": "scikit-build-core"}, 'sdist.include = ["src/acme_widget/a.json"]'),
        ({"name": "meson-python"}, "src/acme_widget/meson.build: py.install_sources('a.json', subdir: 'acme_widget')"),
        ({"name": "maturin"}, '{ path = "src/acme_widget/a.json", format = ["sdist", "wheel"] }'),
        ({"name": ""}, "include it in the configuration of the build backend"),
    ],
)
def test_the_remedy_is_the_setting_of_the_backend(settings: dict[str, Any], remedy: str) -> None:
    (finding,) = compared(names(*PACKAGE), GIT + "src/acme_widget/a.json", **settings)[IN_GIT]
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    ("code", "git", "missing"),
    [
        ("from . import extra\n", "src/acme_widget/extra.py", "src/acme_widget/extra.py"),
        ("import os\nfrom .extra import a\n", "src/acme_widget/extra.py", "src/acme_widget/extra.py"),
        ("from acme_widget.extra import a\n", "src/acme_widget/extra.py", "src/acme_widget/extra.py"),
        ("import helper\n", "src/helper.py", "src/helper.py"),
        ("def main():\n    import helper\n", "src/helper.py", "src/helper.py"),
        ("class A:\n    async def f(self):\n        from .extra import a\n", "src/acme_widget/extra.py", "extra.py"),
        ("import helper.a as b\n", "src/helper/__init__.py src/helper/a.py", "src/helper"),
        ("try:\n    from .extra import a\nexcept ValueError:\n    pass\n", "src/acme_widget/extra.py", "extra.py"),
        ("from .tools import a\n", "src/acme_widget/tools/__init__.py", "src/acme_widget/tools"),
    ],
)
def test_a_module_that_shipped_code_imports_is_refused(code: str, git: str, missing: str) -> None:
    found = compared(names(*PACKAGE) | {"acme_widget/core.py": code}, GIT + git)
    assert list(found) == [IMPORTED]
    assert found[IMPORTED][0].severity == "block"
    assert missing in found[IMPORTED][0].message
    assert "acme_widget/core.py" in found[IMPORTED][0].message


@pytest.mark.parametrize(
    "code",
    [
        "try:\n    import helper\nexcept ImportError:\n    helper = None\n",
        "try:\n    import helper\nexcept (ValueError, ModuleNotFoundError):\n    pass\n",
        "try:\n    import helper\nexcept Exception:\n    pass\n",
        "import typing\nif typing.TYPE_CHECKING:\n    import helper\n",
        "def main():\n    if main:\n        import helper\n",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import helper\n",
        "from .helper import a\n",
        "import helper.\n",
        "# import helper\n",
    ],
)
def test_an_import_that_may_fail_is_silent(code: str) -> None:
    assert compared(names(*PACKAGE) | {"acme_widget/core.py": code}, GIT + "src/helper.py") == {}


def test_a_namesake_of_another_project_is_silent() -> None:
    """`import yaml` next to a directory of that name means the dependency; `import json` the standard library."""
    code = names(*PACKAGE) | {"acme_widget/core.py": "import yaml\nimport json\n"}
    assert compared(code, GIT + "src/yaml/__init__.py src/json.py", requires=("yaml>=1",)) == {}


@pytest.mark.parametrize(
    ("target", "git", "refused"),
    [
        ("search_tool:main", "src/search_tool.py", True),
        ("acme_widget.cli:main", "src/acme_widget/cli.py", True),
        ("acme_widget.core:main", "src/acme_widget/cli.py src/search_tool.py", False),
        ("elsewhere.cli:main", "src/search_tool.py", False),
    ],
)
def test_a_script_whose_module_is_not_shipped_is_refused(target: str, git: str, refused: bool) -> None:
    found = compared(names(*PACKAGE), GIT + git, entry_points=f"[console_scripts]\nacme = {target}\n")
    assert (IMPORTED in found) is refused
    if refused:
        assert "the script 'acme' imports" in found[IMPORTED][0].message


def packed(*paths: str) -> bytes:
    return tarred({f"acme_widget-1.0/{path}": b"" for path in paths} | {"acme_widget-1.0/PKG-INFO": metadata()})


@pytest.mark.parametrize(
    ("paths", "untracked", "message"),
    [
        (("notes.txt",), "notes.txt other.txt", "in the sdist, but not tracked by git: 'notes.txt'"),
        (("pyproject.toml.orig", "src/acme_widget/_version.py", "data/link/a.txt", "LICENSE"), "", None),
    ],
)
def test_a_stray_file_of_the_sdist_is_named(paths: tuple[str, ...], untracked: str, message: str | None) -> None:
    """What the build makes, what git ignores and what a link reaches is in no list of untracked files."""
    found = compared(names(*PACKAGE), GIT, untracked=untracked, packed=packed(*paths))
    assert [one.message for one in found.get(IN_SDIST, [])] == ([message] if message else [])


def test_a_file_excluded_from_the_sdist_only_is_named() -> None:
    """The wheel is built from the sdist."""
    found = compared(names(*PACKAGE), GIT + "src/acme_widget/a.json", excluded_from_sdist=("a.json",), name="hatchling")
    assert list(found) == [IN_SDIST]


def test_without_git_nothing_is_compared() -> None:
    facts = BuiltFiles(project=None, files=(file(SDIST, sdist()),), now=NOW)
    assert {one.state for one in run(source_comparison.OF_GIT, facts)} == {CheckState.NOT_APPLICABLE}


def test_a_build_tool_beside_sources_in_c_is_no_module_of_the_wheel() -> None:
    """CMake installs single modules of `src/` into the package; nanobind is built so."""
    members = names("acme/__init__.py", "acme/stubgen.py", "acme/__main__.py", "acme/src/common.cpp")
    git = "src/__init__.py src/stubgen.py src/__main__.py src/version.py src/common.cpp"
    assert compared(members, git, name="scikit-build-core") == {}
    assert compared(members, git.replace(".cpp", ".txt"), name="scikit-build-core").keys() == {IN_GIT}
