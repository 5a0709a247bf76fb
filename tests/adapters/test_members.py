"""The directories of the members of a set, and what is offered where none is declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters import members, project_config
from release.checks.all_checks import check_names
from release.core.config import Config
from release.core.errors import ConfigError
from release.core.models.release_set import SetSettings

PROJECT = '[project]\nname = "{}"\nversion = "1.0"\n'
SETUP = "from setuptools import setup\nsetup()\n"


def tree(root: Path, *projects: str, **files: str) -> Path:
    for one in projects:
        (root / one).mkdir(parents=True, exist_ok=True)
        (root / one / "pyproject.toml").write_text(PROJECT.format(one.rpartition("/")[2] or "top"))
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.fixture
def monorepo(tmp_path: Path) -> Path:
    tree(tmp_path, "packages/a", "packages/b", "libs/x", "libs/deep/y", "packages/b/tests/sample", "libs/.venv/z")
    return tree(tmp_path, **{
        "packages/docs/index.md": "", "packages/old/setup.py": SETUP, "packages/tools/pyproject.toml": "[tool.ruff]\n",
        "packages/cfg/setup.cfg": "[metadata]\nname = cfg\n", "packages/flake/setup.cfg": "[flake8]\n",
        "packages/po/pyproject.toml": '[tool.poetry]\nname = "po"\n', "packages/broken/pyproject.toml": "[project\n",
    })  # fmt: skip


def found(root: Path, *patterns: str, exclude: tuple[str, ...] = ()) -> list[str]:
    return list(members.find_members(root, SetSettings(members=patterns, exclude=exclude)))


def test_patterns_match_the_directories_that_have_a_project(monorepo: Path) -> None:
    packages = ["packages/a", "packages/b", "packages/broken", "packages/cfg", "packages/old", "packages/po"]
    assert found(monorepo, "packages/*") == packages
    assert found(monorepo, "libs/**") == ["libs/deep/y", "libs/x"]
    assert found(monorepo, "packages/[ab]", "libs/x", "libs/?") == ["libs/x", "packages/a", "packages/b"]
    assert found(monorepo, "packages/*", exclude=("packages/o*", "packages/[bcp]*")) == ["packages/a"]
    assert found(monorepo, "**", exclude=("packages",)) == ["libs/deep/y", "libs/x"]
    assert found(monorepo, "packages/b/tests/*") == ["packages/b/tests/sample"]
    tree(monorepo, ".")
    assert found(monorepo, ".", "libs/x") == [".", "libs/x"]


@pytest.mark.parametrize(
    ("patterns", "exclude", "words"),
    [
        (("package/*",), (), "tool.release.set.members: 'package/*' matches no project: did you mean 'packages/*'?"),
        (("packages/docs",), (), "'packages/docs' matches no project"),
        (("zzz",), (), "matches no project; there are libs/deep/y, libs/x, packages/a, packages/b,"),
        (("packages/*",), ("packages/intrnal",), "tool.release.set.exclude: 'packages/intrnal' matches no directory"),
        (("packages/a",), ("packages/*",), "has no members: tool.release.set.exclude excludes each of packages/a"),
    ],
)  # fmt: skip
def test_a_pattern_that_matches_nothing_is_an_error(
    monorepo: Path, patterns: tuple[str, ...], exclude: tuple[str, ...], words: str
) -> None:
    with pytest.raises(ConfigError) as error:
        found(monorepo, *patterns, exclude=exclude)
    assert words in error.value.message


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ('[tool.uv.workspace]\nmembers = ["packages/*"]\nexclude = ["packages/b"]\n', "tool.uv.workspace"),
        ('[tool.pdm.workspace]\nmembers = ["packages/a", "gone/*"]\n', "tool.pdm.workspace"),
        ('[tool.hatch.envs.default]\nworkspace.members = [{path = "packages/a"}, "../other"]\n',
         "tool.hatch.envs.default.workspace"),
    ],
)  # fmt: skip
def test_the_members_of_a_workspace_are_used(tmp_path: Path, table: str, name: str) -> None:
    tree(tmp_path, "packages/a", "packages/b", **{"pyproject.toml": table})
    settings, used = members.resolve_settings(tmp_path, Config())
    assert used == name
    assert members.find_members(tmp_path, settings, table=used) == ("packages/a",)
    only_changed = Config(release_set=SetSettings(only_changed=True))
    assert members.resolve_settings(tmp_path, only_changed)[0].only_changed


def test_the_root_of_a_uv_workspace_is_a_member_if_it_has_a_project(tmp_path: Path) -> None:
    table = PROJECT.format("top") + '[tool.uv.workspace]\nmembers = ["packages/*"]\n'
    tree(tmp_path, "packages/a", **{"pyproject.toml": table})
    settings, used = members.resolve_settings(tmp_path, Config())
    assert members.find_members(tmp_path, settings, table=used) == (".", "packages/a")


def test_without_a_set_the_lines_to_add_are_named_and_work(tmp_path: Path) -> None:
    tree(tmp_path, "packages/a", "packages/b", "tool", "examples/demo")
    with pytest.raises(ConfigError) as error:
        members.resolve_settings(tmp_path, Config())
    assert error.value.message.endswith("its projects are in packages/a, packages/b, tool")
    head, _, lines = error.value.remedy.partition("\n")
    assert head == f"create {str(tmp_path / 'pyproject.toml')!r}:"
    (tmp_path / "pyproject.toml").write_text(lines)
    config = project_config.load_config(tmp_path, check_names=check_names, needs_project=False)
    settings, table = members.resolve_settings(tmp_path, config)
    assert members.find_members(tmp_path, settings, table=table) == ("packages/a", "packages/b", "tool")


def test_an_empty_directory_has_neither_a_set_nor_a_project(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no Python project in it"):
        members.resolve_settings(tmp_path, Config())
    tree(tmp_path, ".")
    with pytest.raises(ConfigError, match="it has one project, and none below"):
        members.resolve_settings(tmp_path, Config())


@pytest.mark.parametrize("root", [None, "[tool.ruff]\n", '[tool.uv.workspace]\nmembers = ["packages/*"]\n'])
def test_a_root_without_a_project_names_those_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str | None
) -> None:
    tree(tmp_path, "packages/a", "packages/b", **({"pyproject.toml": root} if root else {}))
    with pytest.raises(ConfigError) as error:
        project_config.load_config(tmp_path, check_names=check_names)
    assert "no Python project in" in error.value.message
    assert "packages/a, packages/b" in error.value.message
    there = f"--directory {tmp_path / 'packages/a'}; or release them as a set: "
    assert error.value.remedy == f"pass one of them: {there}pypi-preflight set list --directory {tmp_path}"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as error:
        project_config.load_config(tmp_path, check_names=check_names)
    here = "--directory packages/a; or release them as a set: pypi-preflight set list"
    assert error.value.remedy == f"pass one of them: {here}"
    project_config.load_config(tmp_path, check_names=check_names, needs_project=False)
    tree(tmp_path, **{"setup.py": SETUP})
    project_config.load_config(tmp_path, check_names=check_names)
