"""Members are read from their directories; one that cannot be read keeps the reason and hides no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.core.config import Config
from release.core.errors import ConfigError
from release.core.models.index import WELL_KNOWN
from release.publishing.sets import read_members
from tests.fake_system import LASTING, fake_system

PROJECT = '[project]\nname = "{}"\nversion = "1.0"\n'
STATIC = f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n{PROJECT}'


def member(root: Path, name: str, extra: str = "", *, text: str = STATIC) -> str:
    directory = root / "packages" / name
    directory.mkdir(parents=True)
    (directory / "pyproject.toml").write_text(text.format(name) + extra)
    return f"packages/{name}"


def read(
    root: Path, *found: str, table: str = "tool.release.set", config: Config | None = None
) -> list[read_members.FoundMember]:
    return list(read_members.read_members(fake_system(), root, config or Config(), found, table=table))


def test_members_come_in_the_order_of_their_directories(tmp_path: Path) -> None:
    found = read(tmp_path, member(tmp_path, "beta"), member(tmp_path, "Alpha.One"))
    assert [(one.name, one.member.version, one.member.directory) for one in found] == [
        ("beta", "1.0", "packages/beta"),
        ("alpha-one", "1.0", "packages/Alpha.One"),
    ]
    assert [one.problem for one in found] == [None, None]


def test_a_member_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    broken = member(tmp_path, "broken", "[tool.release]\nno-such-key = 1\n")
    found = read(tmp_path, broken, member(tmp_path, "good"))
    assert found[0].problem is not None
    assert "no-such-key" in found[0].problem.reason
    assert (found[0].name, found[0].member.version, found[1].problem) == ("broken", "", None)
    (torn,) = read(tmp_path, member(tmp_path, "torn", text="["))
    assert torn.problem is not None
    assert torn.member.name == "packages/torn", "its directory, where not even its name is known"


def test_a_set_inside_of_a_set_is_refused(tmp_path: Path) -> None:
    inner = member(tmp_path, "inner", '[tool.release.set]\nmembers = ["x"]\n')
    (found,) = read(tmp_path, inner)
    assert found.problem is not None
    assert "has a table [tool.release.set], but it is a member of the set" in found.problem.reason
    assert f'exclude = ["{inner}"]' in found.problem.remedy


def test_a_member_has_the_indexes_of_the_root_and_its_own(tmp_path: Path) -> None:
    index = '[tool.release.indexes.{0}]\nupload-url = "https://{1}.example/legacy/"\nsimple-url = "https://{1}.example/simple/"\n'
    (tmp_path / "pyproject.toml").write_text(index.format("ours", "root") + index.format("shared", "root"))
    root = read_members.load_set_config(tmp_path)
    directory = tmp_path / member(tmp_path, "beta", index.format("shared", "beta") + "[tool.release]\nbranch = 'b'\n")
    config = read_members.load_member_config(root, directory, root=tmp_path)
    assert config.branch == "b"
    hosts = {name: one.upload_url.split("/")[2] for name, one in config.indexes.items()}
    assert (hosts["ours"], hosts["shared"]) == ("root.example", "beta.example")
    changed = member(tmp_path, "gamma")
    assert read_members.load_member_config(root, tmp_path / changed, root=tmp_path).indexes == root.indexes
    moved = Config(indexes={**WELL_KNOWN, "testpypi": LASTING})
    found = read_members.load_member_config(moved, tmp_path / changed, root=tmp_path)
    assert found.indexes["testpypi"] == LASTING, "a default of the member does not replace what the root declares"


def test_a_root_needs_no_project_but_a_valid_table(tmp_path: Path) -> None:
    assert read_members.load_set_config(tmp_path) == Config()
    (tmp_path / "pyproject.toml").write_text("[tool.release]\nno-such-key = 1\n")
    with pytest.raises(ConfigError):
        read_members.load_set_config(tmp_path)


def test_a_member_of_a_workspace_that_uv_does_not_build_is_private(tmp_path: Path) -> None:
    bare = member(tmp_path, "bare", text=PROJECT)
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    for table, private in (("tool.uv.workspace", True), ("tool.release.set", False)):
        found, built = read(tmp_path, bare, member(tmp_path, f"good-{private}".lower()), table=table)
        assert (found.problem, found.member.private, built.member.private) == (None, private, False)
