"""The facts about a set: from its directories, its repository, and what the indexes list."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from release.adapters import collect
from release.adapters.builds import builder
from release.core.errors import ConfigError, ReleaseError, UsageError
from release.core.models.check_result import Unknown
from release.core.models.index import Index, IndexFile, ProjectListing
from release.core.models.release_set import MemberFacts, ReleaseSet
from release.publishing.journal import Journal
from release.publishing.sets import collect_set, read_members
from release.publishing.sets.collect_set import load_set
from release.reports.set_list import set_to_json, set_to_lines
from tests.adapters.git.test_repository import commit, do, repository, system
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name

SET = '[tool.release.set]\nmembers = ["packages/*"]\n{}'


def project(name: str, version: str, *requires: str, build: str = "flit-core", more: str = "") -> str:
    return (
        f'[build-system]\nrequires = ["{build}"]\nbuild-backend = "x"\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = {list(requires)}\n{more}'
    )


def listing(name: str, *versions: str) -> ProjectListing:
    files = (wheel_name(name, version) for version in versions)
    return ProjectListing(
        name=name,
        files=tuple(IndexFile(filename=one, url=f"https://127.0.0.1/{one}", sha256="0" * 64) for one in files),
    )


@pytest.fixture
def on_index(monkeypatch: pytest.MonkeyPatch) -> dict[Any, Any]:
    """Project → its listing, on all indexes; (index, project) for one."""
    listings: dict[Any, Any] = {}

    def answer(index: Index, name: str, **_: object) -> ProjectListing | Unknown | None:
        return listings.get((index.name, name), listings.get(name))

    monkeypatch.setattr(collect, "collect_listing", answer)
    return listings


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """a 1.1, b 2.0 which needs a, and a private c."""
    return repository(tmp_path / "top", **{
        "pyproject.toml": SET.format(""),
        "packages/a/pyproject.toml": project("a", "1.1"),
        "packages/b/pyproject.toml": project("b", "2.0", "a>=1.1", build="a"),
        "packages/c/pyproject.toml": project("c", "0.1", more='classifiers = ["Private :: Do Not Upload"]\n'),
    })  # fmt: skip


def facts(found: ReleaseSet) -> dict[str, MemberFacts]:
    return {one.member.name: one for one in found.members}


def states(found: ReleaseSet) -> dict[str, str]:
    return {one.member.name: one.state for one in found.members}


def reasons(found: ReleaseSet) -> dict[str, str]:
    return {one.member.name: one.reason or (one.problem.reason if one.problem else "") for one in found.members}


def test_members_whose_version_the_index_lacks_are_released_in_order(top: Path, on_index: dict[Any, Any]) -> None:
    on_index |= {"a": listing("a", "0.9", "1.0"), "c": AssertionError}
    found = load_set(system(), top)
    assert states(found) == {"a": "release", "b": "release", "c": "private"}
    assert reasons(found) == {
        "a": "pypi has 1.0", "b": "new on pypi", "c": "classifier 'Private :: Do Not Upload'",
    }  # fmt: skip
    assert found.levels == (("a",), ("b",))
    assert facts(found)["b"].member.build_requires == ("a",)
    assert [one.name for one in found.indexes] == ["testpypi", "pypi"]
    assert facts(found)["a"].listings.keys() == {"testpypi", "pypi"}
    assert facts(found)["c"].listings == {}
    on_index["a"] = listing("a", "1.1")
    found = load_set(system(), top, index="testpypi")
    assert states(found) == {"a": "released", "b": "release", "c": "private"}
    assert (found.index, found.levels) == ("testpypi", (("b",),))


def test_an_index_that_does_not_answer_is_unknown_unless_it_is_not_asked(top: Path, on_index: dict[Any, Any]) -> None:
    on_index["a"] = Unknown(reason="no answer", remedy="try again")
    on_index["testpypi", "b"] = Unknown(reason="x", remedy="y")
    found = load_set(system(), top)
    assert states(found) == {"a": "unknown", "b": "release", "c": "private"}
    assert facts(found)["a"].problem == Unknown(reason="no answer", remedy="try again")
    offline = load_set(system(), top, offline=True)
    assert states(offline) == {"a": "release", "b": "release", "c": "private"}
    assert all(not one.listings for one in offline.members)


def test_only_limits_the_set_and_knows_its_names(top: Path, on_index: dict[Any, Any]) -> None:
    found = load_set(system(), top, only=["B"])
    assert states(found) == {"a": "not-selected", "b": "release", "c": "private"}
    assert found.levels == (("b",),)
    assert facts(found)["a"].listings.keys() == {"pypi"}
    with pytest.raises(UsageError, match="no member is called 'bb': did you mean 'b'"):
        load_set(system(), top, only=["bb"])
    with pytest.raises(UsageError, match="'c' cannot be released: it is private"):
        load_set(system(), top, only=["a", "c"])


def test_a_member_that_cannot_be_read_does_not_hide_the_others(
    top: Path, on_index: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Mapping[str, Any]:
        raise ReleaseError("the project does not build: 'no flux'", remedy="run `python -m build`")

    monkeypatch.setattr(builder, "build_metadata", fail)
    commit(top, **{
        "packages/a/pyproject.toml": "[project\n",
        "packages/d/pyproject.toml": '[project]\nname = "d"\ndynamic = ["version"]\n',
        "packages/e/pyproject.toml": project("e", "1", more='[tool.release]\nbranchh = "main"\n'),
        "packages/f/pyproject.toml": project("f", "1", more='[tool.release.set]\nmembers = ["x"]\n'),
        "packages/g/pyproject.toml": project("g", "1", more='[project.optional-dependencies]\nx = ["=="]\n'),
    })  # fmt: skip
    found = load_set(system(), top)
    assert {name for name, state in states(found).items() if state == "unknown"} == {"packages/a", "d", "e", "f", "g"}
    assert found.levels == (("b",),)
    told = reasons(found)
    assert "is not valid TOML" in told["packages/a"]
    assert told["d"] == "the project does not build: 'no flux'"
    assert told["e"].startswith("unknown key tool.release.branchh: did you mean 'branch'?")
    assert "has a table [tool.release.set], but it is a member" in told["f"]
    assert "'==' in project.optional-dependencies" in told["g"]
    text = "\n".join(line.text for line in set_to_lines(found))
    assert "→ run `python -m build`" in text
    assert states(load_set(system(), top, only=["b"]))["d"] == "not-selected"


def test_names_and_versions_are_valid_before_they_are_parts_of_commands(top: Path, on_index: dict[Any, Any]) -> None:
    names = {
        "1": "d; rm x",
        "2": "${{ secrets.X }}",
        "3": "e\\u001b[31m\\n::error::x",
        "4": "-f",
        "5": "Ok.g_h-1",
        "6": "h",
    }
    for directory, name in names.items():
        commit(top, **{f"packages/{directory}/pyproject.toml": project(name, "1")})
    commit(
        top,
        **{"packages/6/pyproject.toml": project("h", "1\\n$(id)"), "packages/7/pyproject.toml": project("i", "v1.0")},
    )
    found = load_set(system(), top)
    unknown = {name for name, state in states(found).items() if state == "unknown"}
    assert unknown == {*(f"packages/{number}" for number in range(1, 5)), "h"}
    assert all(text.isprintable() for line in set_to_lines(found) for text in line.text.split("\n"))
    assert "'1\\n$(id)', which is not a version" in reasons(found)["h"]
    assert {"ok-g-h-1", "i"} <= {name for level in found.levels for name in level}


def test_a_build_backend_that_needs_an_unreleased_member_is_explained(
    top: Path, on_index: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Mapping[str, Any]:
        raise ReleaseError("the project does not build: 'No matching distribution found for a'", remedy="x")

    monkeypatch.setattr(builder, "build_metadata", fail)
    text = '[build-system]\nrequires = ["{}"]\n[project]\nname = "{}"\ndynamic = ["version"]\n'
    for name, needs in {"d": "A>=1", "e": "hatchling", "f": "b"}.items():
        (top / "packages" / name).mkdir()
        (top / "packages" / name / "pyproject.toml").write_text(text.format(needs, name))
    found = facts(load_set(system(), top))
    remedies = {name: found[name].problem.remedy for name in "def"}  # type: ignore[union-attr] # none is None
    assert remedies["d"].endswith("or release a first: --only a")
    assert (remedies["e"], remedies["f"]) == ("x", "x")


def test_the_build_backend_is_asked_for_what_is_dynamic(
    top: Path, on_index: dict[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(_: object, source: Path) -> Mapping[str, Any]:
        asked.append(source.name)
        return {
            "name": source.name,
            "version": "3",
            "requires_dist": ["a; extra == 'x'"],
            "classifier": ["Private :: X"],
        }

    monkeypatch.setattr(builder, "build_metadata", answer)
    commit(top, **{
        "packages/d/setup.py": "",
        "packages/e/pyproject.toml": '[project]\nname = "e"\nversion = "1"\ndynamic = ["dependencies"]\n',
        "packages/f/pyproject.toml": project("f", "1", more='dynamic = ["readme"]\n'),
    })  # fmt: skip
    found = facts(load_set(system(), top))
    assert sorted(asked) == ["d", "e"]
    assert found["d"].member.requires == ("a; extra == 'x'",)
    assert (found["d"].member.version, found["d"].reason) == ("3", "classifier 'Private :: X'")
    assert (found["e"].state, found["f"].state) == ("private", "release")


def test_extras_are_requirements_with_their_marker(top: Path, on_index: dict[Any, Any]) -> None:
    more = "[project.optional-dependencies]\nfast = [\"b>=1; os_name == 'nt' or os_name == 'x'\", \"z\"]\n"
    commit(top, **{"packages/a/pyproject.toml": project("a", "1", more=more)})
    found = load_set(system(), top)
    assert facts(found)["a"].member.requires == (
        'b>=1; (os_name == "nt" or os_name == "x") and extra == "fast"', 'z; extra == "fast"',
    )  # fmt: skip
    assert found.levels == (("a",), ("b",))
    assert len(found.notes) == 1


def test_one_project_in_two_directories_and_a_circle_are_errors(top: Path, on_index: dict[Any, Any]) -> None:
    commit(top, **{"packages/z/pyproject.toml": project("B", "1")})
    with pytest.raises(ConfigError, match="'packages/b' and 'packages/z' have the same project, 'b'"):
        load_set(system(), top)
    (top / "packages/z/pyproject.toml").unlink()
    (top / "packages/a/pyproject.toml").write_text(project("a", "1.1", "b"))
    with pytest.raises(ConfigError, match="a → b → a"):
        load_set(system(), top)
    on_index["a"] = listing("a", "1.1")
    assert load_set(system(), top).levels == (("b",),)


# -- history -----------------------------------------------------------------------------------


def release(top: Path, on_index: dict[Any, Any], name: str, version: str) -> None:
    do(top, "tag", f"{name}-v{version}")
    on_index[name] = listing(name, version)


def test_commits_since_the_tag_of_the_released_version_are_counted(top: Path, on_index: dict[Any, Any]) -> None:
    release(top, on_index, "a", "1.1")
    release(top, on_index, "b", "2.0")
    commit(top, **{"packages/a/a.py": "1"})
    commit(top, **{"README.md": "1"})
    commit(top, **{"packages/a/a.py": "2", "packages/ab/x": "1"})
    found = facts(load_set(system(), top))
    assert (found["a"].state, found["a"].last_tag, found["a"].commits_since) == ("released", "a-v1.1", 2)
    assert (found["b"].state, found["b"].last_tag, found["b"].commits_since) == ("released", "b-v2.0", 0)
    commit(top, **{"packages/a/pyproject.toml": project("a", "1.2")})
    found = facts(load_set(system(), top))
    assert (found["a"].state, found["a"].last_tag, found["a"].commits_since) == ("release", "a-v1.1", 3)


def test_what_was_reverted_or_merged_counts_by_its_result(top: Path, on_index: dict[Any, Any]) -> None:
    release(top, on_index, "a", "1.1")
    release(top, on_index, "b", "2.0")
    commit(top, **{"packages/a/a.py": "1"})
    do(top, "revert", "--no-edit", "HEAD")
    do(top, "switch", "--quiet", "--create", "side", "HEAD~2")
    commit(top, **{"packages/b/b.py": "1"})
    do(top, "switch", "--quiet", "main")
    do(top, "merge", "--quiet", "--no-edit", "side")
    found = facts(load_set(system(), top))
    assert (found["a"].commits_since, found["b"].commits_since) == (0, 1)
    do(top, "mv", "packages/b", "packages/bb")
    commit(top)
    assert facts(load_set(system(), top))["b"].commits_since == 1  # of the new path


def test_a_member_released_by_hand_without_a_tag_is_released(top: Path, on_index: dict[Any, Any]) -> None:
    do(top, "tag", "a-v1.0")
    commit(top, **{"packages/a/a.py": "1"})
    on_index["a"] = listing("a", "1.0", "1.1")
    found = facts(load_set(system(), top))
    assert (found["a"].state, found["a"].last_tag, found["a"].commits_since) == ("released", None, 0)


def test_only_changed_leaves_out_members_without_a_commit_since_an_earlier_tag(
    top: Path, on_index: dict[Any, Any]
) -> None:
    commit(top, **{"pyproject.toml": SET.format("only-changed = true\n")})
    do(top, "tag", "a-v1.0")
    do(top, "tag", "v9.9")
    found = load_set(system(), top)
    assert states(found) == {"a": "unchanged", "b": "release", "c": "private"}  # b was never released
    assert reasons(found)["a"] == "no commit since a-v1.0"
    assert found.levels == (("b",),)
    do(top, "tag", "a-v1.1")  # the tag of this version, whose upload was stopped, or that starts it in CI
    do(top, "tag", "-d", "a-v1.0")
    assert states(load_set(system(), top))["a"] == "release"
    commit(top, **{"packages/a/a.py": "1"})
    do(top, "tag", "a-v1.0", "HEAD~1")
    assert states(load_set(system(), top))["a"] == "release"


def test_only_changed_needs_the_history(top: Path, on_index: dict[Any, Any], tmp_path: Path) -> None:
    commit(top, **{"pyproject.toml": SET.format("only-changed = true\n")})
    do(top, "tag", "a-v1.0")
    commit(top, **{"README.md": "1"})
    do(tmp_path, "clone", "--quiet", "--depth=1", f"file://{top}", str(tmp_path / "shallow"))
    found = load_set(system(), tmp_path / "shallow")
    assert states(found) == {"a": "unknown", "b": "unknown", "c": "private"}
    on_index["a"] = listing("a", "1.1")
    released = facts(load_set(system(), tmp_path / "shallow"))["a"]
    assert (released.state, released.last_tag, released.shallow) == ("released", None, True)
    del on_index["a"]
    assert facts(found)["a"].problem.remedy == "fetch the history: git fetch --unshallow --tags"  # type: ignore[union-attr]
    do(tmp_path / "shallow", "fetch", "--quiet", "--unshallow", "--tags")
    assert states(load_set(system(), tmp_path / "shallow"))["a"] == "unchanged"
    (top / ".git").rename(tmp_path / "gone")
    assert "there is no repository" in reasons(load_set(system(), top))["a"]


def test_the_root_is_a_member_without_the_directories_of_others(tmp_path: Path, on_index: dict[Any, Any]) -> None:
    table = '[tool.release]\ntag-format = "{name}-v{version}"\n[tool.release.set]\nmembers = [".", "sub"]\n'
    top = repository(tmp_path, **{
        "pyproject.toml": project("a", "1", more=table), "sub/pyproject.toml": project("b", "1")})  # fmt: skip
    release(top, on_index, "a", "1")
    commit(top, **{"sub/b.py": "1"})
    found = facts(load_set(system(), top))
    assert (found["a"].last_tag, found["a"].commits_since) == ("a-v1", 0)
    commit(top, **{"x.py": "1"})
    assert facts(load_set(system(), top))["a"].commits_since == 1


def test_a_member_in_a_submodule_has_the_history_of_that(tmp_path: Path, on_index: dict[Any, Any]) -> None:
    other = repository(tmp_path / "other", **{"pyproject.toml": project("a", "1")})
    do(other, "tag", "v1")
    commit(other, **{"a.py": "1"})
    top = repository(tmp_path / "top", **{
        "pyproject.toml": SET.format(""), "packages/b/pyproject.toml": project("b", "1")})  # fmt: skip
    do(top, "submodule", "--quiet", "add", str(other), "packages/a")
    commit(top)
    on_index["a"] = listing("a", "1")
    found = facts(load_set(system(), top))
    assert (found["a"].last_tag, found["a"].commits_since) == ("v1", 1)


def test_a_release_that_a_run_began_here_is_not_whole(top: Path, on_index: dict[Any, Any]) -> None:
    on_index["a"] = listing("a", "1.1")
    head = do(top, "rev-parse", "HEAD")
    journal = Journal(directory=top / "packages/a/.release/1.1" / head[:12], commit=head, version="1.1")
    files = [{"file": wheel_name("a", "1.1"), "sha256": "0" * 64, "size": 1}]
    journal.write("built", files=[*files, {"file": sdist_name("a", "1.1"), "sha256": "1" * 64, "size": 1}])
    assert states(load_set(system(), top))["a"] == "released"  # nothing of it was sent there
    journal.write("accepted", index="pypi", file=files[0]["file"], sha256="0" * 64)
    found = load_set(system(), top)
    assert (states(found)["a"], reasons(found)["a"]) == ("release", "pypi has 1 of 2 files")
    journal.write("built", files=files)
    assert reasons(load_set(system(), top))["a"] == "not confirmed on pypi"
    journal.write("verified", index="pypi")
    assert states(load_set(system(), top))["a"] == "released"
    journal.write("ended", verb="release", exit=4)  # as where the tag could not be pushed
    assert reasons(load_set(system(), top))["a"] == "its last run did not complete"
    commit(top, **{"other.txt": "1"})
    assert states(load_set(system(), top))["a"] == "released"
    journal.write("built", files=[*files, {"file": sdist_name("a", "1.1"), "sha256": "1" * 64, "size": 1}])
    found = load_set(system(), top)  # the files of that commit are still not all there
    assert (states(found)["a"], reasons(found)["a"]) == ("release", "pypi has 1 of 2 files")


# -- files, workspaces, indexes ----------------------------------------------------------------


def built(directory: Path, name: str, version: str, extra: str = "") -> tuple[Any, ...]:
    directory.mkdir(exist_ok=True)
    paths = (directory / wheel_name(name, version), directory / sdist_name(name, version))
    paths[0].write_bytes(wheel(name, version, metadata_extra=extra))
    paths[1].write_bytes(sdist(name, version))
    return tuple(builder.load_distribution(path) for path in paths)


def test_the_members_of_files_need_no_source(tmp_path: Path, on_index: dict[Any, Any]) -> None:
    files = built(tmp_path / "1", "Acme.Core", "1.0")
    files += built(tmp_path / "2", "acme-web", "2.0", "Requires-Dist: acme_core>=1\n")
    found = load_set(system(), tmp_path, files=files)
    assert states(found) == {"Acme.Core": "release", "acme-web": "release"}
    assert found.levels == (("acme-core",), ("acme-web",))
    assert [one.filename for one in facts(found)["acme-web"].member.files] == [
        wheel_name("acme-web", "2.0"), sdist_name("acme-web", "2.0"),
    ]  # fmt: skip
    one = files[0]
    on_index["Acme.Core"] = ProjectListing(
        name="Acme.Core", files=(IndexFile(filename=one.filename, url="https://127.0.0.1/x", sha256=one.sha256),)
    )
    assert reasons(load_set(system(), tmp_path, files=files))["Acme.Core"] == "pypi has 1 of 2 files"
    assert states(load_set(system(), tmp_path, files=(one,))) == {"Acme.Core": "released"}
    with pytest.raises(UsageError, match="'acme-web' have several versions"):
        load_set(system(), tmp_path, files=(*files, *built(tmp_path / "3", "acme-web", "2.1")))


def test_the_members_of_files_keep_the_configuration_of_their_directories(
    tmp_path: Path, on_index: dict[Any, Any]
) -> None:
    """A job that uploads has the files, and pyproject.toml of the root and of the members."""
    files = built(tmp_path / "1", "Acme.Core", "1.0") + built(tmp_path / "2", "acme-web", "2.0")
    for path, text in {
        "pyproject.toml": SET.format(""),
        "packages/core/pyproject.toml": project("acme-core", "0.9"),
        "packages/late/pyproject.toml": '[build-system]\nrequires = []\n[project]\ndynamic = ["name"]\n',
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    found = facts(load_set(system(), tmp_path, files=files))
    assert {name: one.member.configured_in for name, one in found.items()} == {
        "Acme.Core": "packages/core", "acme-web": "",
    }  # fmt: skip
    assert {one.member.directory for one in found.values()} == {""}
    (tmp_path / "pyproject.toml").write_text("[tool.release]\n")
    found = facts(load_set(system(), tmp_path, files=files))
    assert {one.member.configured_in for one in found.values()} == {""}


def test_a_uv_workspace_is_a_set_without_its_members_that_are_not_built(
    tmp_path: Path, on_index: dict[Any, Any]
) -> None:
    for name, text in {
        "pyproject.toml": '[tool.uv.workspace]\nmembers = ["packages/*"]\n',
        "packages/a/pyproject.toml": project("a", "1"),
        "packages/app/pyproject.toml": '[project]\nname = "app"\nversion = "1"\n',
        "packages/no/pyproject.toml": project("no", "1", more="[tool.uv]\npackage = false\n"),
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = load_set(system(), tmp_path)
    assert states(found) == {"a": "release", "app": "private", "no": "private"}
    assert found.notes == ("the members are those of [tool.uv.workspace]",)
    (tmp_path / "pyproject.toml").write_text('[tool.release.set]\nmembers = ["packages/app"]\n')
    assert states(load_set(system(), tmp_path)) == {"app": "release"}


def test_members_use_the_indexes_of_the_root_unless_they_declare_their_own(tmp_path: Path) -> None:
    table = (
        '[tool.release.indexes.{}]\nupload-url = "https://{}.example.org/u/"\nsimple-url = "https://{}.example.org/"\n'
    )
    (tmp_path / "pyproject.toml").write_text(table.format(*["corp"] * 3) + table.format("pypi", "mirror", "mirror"))
    (tmp_path / "a").mkdir()
    (tmp_path / "a/pyproject.toml").write_text(project("a", "1", more=table.format("corp", "own", "own")))
    root = read_members.load_set_config(tmp_path)
    own = read_members.load_member_config(root, tmp_path / "a", root=tmp_path)
    assert own.index("corp").simple_url == "https://own.example.org/"
    assert own.index("pypi").simple_url == "https://mirror.example.org/"
    assert [one.name for one in collect_set.set_indexes(root, "corp")] == ["corp"]
    assert [one.name for one in collect_set.set_indexes(root, None, "sandbox")] == ["pypi"]
    with pytest.raises(ConfigError, match="no index is called 'crop'"):
        collect_set.set_indexes(root, "crop")


def test_the_list_shows_levels_and_reasons_in_80_columns(top: Path, on_index: dict[Any, Any]) -> None:
    release(top, on_index, "a", "1.1")
    commit(top, **{"packages/a/x": "1"})
    name = "a-project-with-a-name-that-is-longer-than-most-names-of-projects"
    commit(top, **{f"packages/{name}/pyproject.toml": project(name, "2026.11.28.dev12345+g0123456789")})
    found = load_set(system(), top)
    lines = [line.text for line in set_to_lines(found)]
    assert lines[0] == "4 members: 2 to release to testpypi and pypi"
    assert lines[1] == "level 1"
    assert max(map(len, lines)) <= 80
    text = " ".join(" ".join(lines).split())
    assert "released: pypi has it, but 1 commit since a-v1.1" in text
    assert "private: classifier 'Private :: Do Not Upload'" in text
    document = set_to_json(found)
    assert document["levels"] == [[name, "b"]]
    assert document["members"][0]["state"] == "released"
    assert document["members"][0]["listed"] == {"testpypi": 1, "pypi": 1}


def test_a_member_is_held_to_the_constraints_of_the_root_unless_it_has_its_own(tmp_path: Path) -> None:
    pinned = "[tool.release]\nbuild-constraints = 'pins.txt'\nrequire-pinned-build = true\n"
    own = "[tool.release]\nbuild-constraints = 'own.txt'\nrequire-pinned-build = false\n"
    (tmp_path / "pyproject.toml").write_text(pinned)
    for name, more in (("a", ""), ("b", own)):
        (tmp_path / "libs" / name).mkdir(parents=True)
        (tmp_path / "libs" / name / "pyproject.toml").write_text(project(name, "1", more=more))
    root = read_members.load_set_config(tmp_path)
    found = [read_members.load_member_config(root, tmp_path / "libs" / one, root=tmp_path) for one in ("a", "b")]
    assert [one.pinned_build for one in found] == [(os.path.join("..", "..", "pins.txt"), True), ("own.txt", False)]  # noqa: PTH118
