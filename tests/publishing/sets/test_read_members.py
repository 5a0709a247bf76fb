"""Members are read from their directories; one that cannot be read keeps the reason and hides no other."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from release.adapters.builds import member_reader
from release.adapters.system.system import System
from release.core.config import Config
from release.core.errors import ConfigError, ToolError
from release.core.models.index import WELL_KNOWN
from release.core.models.release_set import Member
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


def dynamic(root: Path, name: str, extra: str = "") -> str:
    text = f'[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n[project]\nname = "{name}"\n'
    return member(root, name, f'dynamic = ["version"]\n{extra}', text=text)


def test_members_that_need_their_backend_are_built_four_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = threading.Barrier(4, timeout=60)

    def build(_: System, _root: Path, directory: str) -> Member:
        together.wait()
        return Member(name=Path(directory).name, version="2.0", directory=directory)

    monkeypatch.setattr(member_reader, "read_member", build)
    found = read(tmp_path, *(dynamic(tmp_path, name) for name in "abc"), member(tmp_path, "s"), dynamic(tmp_path, "d"))
    assert [(one.name, one.member.version) for one in found] == [
        ("a", "2.0"), ("b", "2.0"), ("c", "2.0"), ("s", "1.0"), ("d", "2.0")
    ]  # fmt: skip


def test_a_build_of_metadata_has_the_constraints_and_variables_of_its_member(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    systems: dict[str, System] = {}

    def build(system: System, root: Path, directory: str) -> Member:
        assert root == tmp_path
        systems[directory] = system
        return Member(name=Path(directory).name, version="2.0", directory=directory)

    monkeypatch.setattr(member_reader, "read_member", build)
    pins = f"hatchling==1.27.0 --hash=sha256:{'0' * 64}\n"
    (tmp_path / "pins.txt").write_text(pins)
    own = dynamic(tmp_path, "own", '[tool.release]\nbuild-constraints = "own.txt"\npass-environment = ["ACME"]\n')
    (tmp_path / own / "own.txt").write_text(pins)
    other = dynamic(tmp_path, "other")
    found = read(tmp_path, own, other, config=Config(build_constraints="pins.txt"))
    assert [one.problem for one in found] == [None, None]
    held = {name: one.pinned_build and one.pinned_build.path for name, one in systems.items()}
    assert held == {own: tmp_path / own / "own.txt", other: tmp_path / "pins.txt"}
    assert ["ACME" in systems[name].passed for name in (own, other)] == [True, False]


@pytest.mark.parametrize(
    ("reason", "helped"),
    [
        ("no matching distribution for Acme-Core>=2", True),
        ("no matching distribution for acme-core-extra", False),
        ("the backend fails", False),
    ],
)
def test_a_backend_that_needs_a_member_which_no_index_has_gets_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str, helped: bool
) -> None:
    def build(*_: object) -> Member:
        raise ToolError(reason, remedy="as it was")

    monkeypatch.setattr(member_reader, "read_member", build)
    needy = dynamic(tmp_path, "needy")
    path = tmp_path / needy / "pyproject.toml"
    path.write_text(path.read_text().replace('["hatchling"]', '["hatchling", "acme-core>=2"]'))
    found, _ = read(tmp_path, needy, member(tmp_path, "Acme.Core"))
    assert found.problem is not None
    assert found.problem.reason == reason
    assert found.problem.remedy.endswith("release Acme.Core first: --only Acme.Core") is helped
    assert helped or found.problem.remedy == "as it was"
