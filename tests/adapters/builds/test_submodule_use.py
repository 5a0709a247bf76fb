"""Which submodules a project's distributions need, and the error of a build that lacks one."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.builds import build_failure, builder, submodule_use
from release.adapters.git import repository
from release.adapters.system import system
from release.core.models.source_tree import Submodule
from tests.git_repositories import committed, git

REAL = system.real_system()


def superproject(tmp_path: Path, paths: list[str], files: dict[str, str]) -> Path:
    """A clone without the submodules at `paths`."""
    library = committed(tmp_path / "library", {"data.json": "{}"})
    top = committed(tmp_path / "top", files)
    for path in paths:
        git(top, "submodule", "add", "-q", str(library), path)
    git(top, "commit", "-q", "-m", "submodules")
    git(tmp_path, "clone", "-q", str(top), "clone")
    return tmp_path / "clone"


def used(found: tuple[Submodule, ...]) -> dict[str, str | None]:
    return {one.path: one.used_because for one in found}


INIT = {"acme/__init__.py": "", "acme/tests/__init__.py": "", "tests/__init__.py": "", "a/b.py": ""}
NAME = '[project]\nname = "Acme.Widget"\nversion = "1"\n'


@pytest.mark.parametrize(
    ("path", "toml", "manifest", "because"),
    [
        # in a package
        ("acme/vendor", "", "", "it is in the package 'acme'"),
        ("acme/x/y/z", "", "", "it is in the package 'acme'"),
        ("acme_widget", NAME, "", "it is in the package 'acme_widget'"),
        ("src/acme_widget/data", NAME, "", "it is in the package 'acme_widget'"),
        # named by the configuration of the backend
        (
            "extern/lib",
            '[tool.setuptools.package-dir]\n"acme.vendor" = "extern/lib/code"\n',
            "",
            "tool.setuptools.package-dir.acme.vendor names 'extern/lib/code'",
        ),
        (
            "extern/lib",
            '[tool.hatch.build.targets.wheel.force-include]\n"extern/lib/a.js" = "acme/a.js"\n',
            "",
            "tool.hatch.build.targets.wheel.force-include names 'extern/lib/a.js'",
        ),
        (
            "extern/lib",
            '[tool.poetry]\npackages = [{include = "code", from = "extern/lib"}]\n',
            "",
            "tool.poetry.packages.from names 'extern/lib'",
        ),
        (
            "extern/lib",
            '[tool.scikit-build]\ncmake.source-dir = "./extern/lib"\n',
            "",
            "tool.scikit-build.cmake.source-dir names './extern/lib'",
        ),
        ("extern/lib", "", "graft extern/lib\n", "MANIFEST.in names 'extern/lib'"),
        ("extern/lib", "", "recursive-include extern/lib/src *.c\n", "MANIFEST.in names 'extern/lib/src'"),
        # not for users, or not named
        ("docs/theme", "", "graft docs\n", None),
        ("docs/theme", "", "graft docs/theme\n", None),
        ("tests/data", "", "", None),
        ("acme/tests/data", "", "", None),
        ("extern/lib", "[tool.ruff]\nexclude = ['extern/lib']\n", "", None),
        ("extern/lib", "[tool.pytest.ini_options]\npythonpath = ['extern/lib']\n", "", None),
        ("extern/lib", '[tool.hatch.build]\nexclude = ["/extern/lib"]\n', "prune extern/lib\n", None),
        ("extern/lib", '[tool.hatch.build]\ninclude = ["extern/library"]\n', "", None),
        ("third_party/pybind11", "", "", None),
        ("acme/vendor", '[tool.hatch.build.targets.wheel]\nexclude = ["/acme/vendor"]\n', "", None),
        ("acme/vendor", '[tool.setuptools.packages.find]\nexclude = ["acme.vendor*"]\n', "", None),
        ("acme/vendor", "", "prune acme/vendor\n", None),
        ("a/vendor", "broken = [", "", None),
    ],
)
def test_a_missing_submodule_counts_where_the_release_takes_files(
    tmp_path: Path, path: str, toml: str, manifest: str, because: str | None
) -> None:
    for name, text in (INIT | {"pyproject.toml": toml, "MANIFEST.in": manifest}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert submodule_use.Project(tmp_path).use(path) == because


def test_what_is_missing_is_listed_with_what_is_inside_of_submodules(tmp_path: Path) -> None:
    inner = committed(tmp_path / "inner", {"deep.txt": "d"})
    library = committed(tmp_path / "lib", {"a.txt": ""})
    git(library, "submodule", "add", "-q", str(inner), "inner")
    git(library, "commit", "-q", "-m", "inner")
    top = committed(tmp_path / "top", {"part/acme/__init__.py": "", "other/acme/__init__.py": ""})
    git(top, "submodule", "add", "-q", str(library), "part/acme/lib")
    git(top, "commit", "-q", "-m", "lib")
    git(tmp_path, "clone", "-q", str(top), "clone")
    clone = tmp_path / "clone"
    part = clone / "part"
    assert used(submodule_use.collect_submodules(REAL, clone, part)) == {"part/acme/lib": "it is in the package 'acme'"}
    assert used(submodule_use.collect_submodules(REAL, clone, clone / "other")) == {"part/acme/lib": None}
    git(clone, "submodule", "update", "--init")
    found = submodule_use.collect_submodules(REAL, clone, part)
    assert [(one.path, one.checked_out) for one in found] == [("part/acme/lib", True), ("part/acme/lib/inner", False)]
    assert found[1].used_because == "it is in the package 'acme'"
    git(clone, "submodule", "update", "--init", "--recursive")
    found = submodule_use.collect_submodules(REAL, clone, part)
    assert all(one.checked_out and one.used_because is None for one in found)
    assert len(found) == 2


def test_a_repository_in_the_index_without_a_url_is_told_apart(tmp_path: Path) -> None:
    top = committed(tmp_path / "top", {"acme/__init__.py": ""})
    committed(top / "acme" / "other", {"a.txt": ""})
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "embedded")
    git(tmp_path, "clone", "-q", str(top), "clone")
    (found,) = submodule_use.collect_submodules(REAL, tmp_path / "clone", tmp_path / "clone")
    assert (found.path, found.checked_out, found.named) == ("acme/other", False, False)


def test_a_build_that_fails_at_a_missing_submodule_names_it(tmp_path: Path) -> None:
    clone = superproject(tmp_path, ["extern/lib", "docs/theme"], {"pyproject.toml": NAME})
    place = builder.copy_project(REAL, clone, tmp_path / "copy")
    # Observed: setuptools 80.9, 2026-11
    output = "error: package directory 'extern/lib/widgetlib' does not exist\n"
    submodule = submodule_use.missing_submodule(REAL, place, output)
    assert submodule == "extern/lib"
    error = build_failure.build_error(output, submodule=submodule)
    assert error.remedy == "git submodule update --init --recursive"
    assert error.message.startswith(
        "the project does not build, because its submodule 'extern/lib' is not checked out: "
        "\"package directory 'extern/lib/widgetlib' does not exist\""
    )
    cloned = tmp_path / "cloned"
    repository.clone_commit(REAL, clone, "HEAD", cloned)
    assert submodule_use.missing_submodule(REAL, cloned, output) == "extern/lib"
    for innocent in ("error: no file 'extern/library/x'\n", "SyntaxError: invalid syntax\n", ""):
        assert submodule_use.missing_submodule(REAL, place, innocent) is None
    git(clone, "submodule", "update", "--init")
    assert submodule_use.missing_submodule(REAL, clone, output) is None
