"""The version that a rehearsal builds where HEAD has no release tag."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.builds import builder, rehearsed_version
from release.core.errors import ToolError
from tests.adapters.git.test_repository import commit, do, repository, system

DYNAMIC = '[project]\nname = "Acme.Widget"\ndynamic = ["version"]\n'
SCM = f"{DYNAMIC}[tool.setuptools_scm]\n"
HATCH = f'[build-system]\nbuild-backend = "hatchling.build"\n{DYNAMIC}[tool.hatch.version]\nsource = "vcs"\n'
FLIT = f'[build-system]\nbuild-backend = "flit_scm:buildapi"\n{DYNAMIC}'
PDM = f'{DYNAMIC}[tool.pdm.version]\nsource = "scm"\n'
POETRY = f"{DYNAMIC}[tool.poetry-dynamic-versioning]\nenable = true\n"
UV = HATCH.replace('"vcs"', '"uv-dynamic-versioning"')
VERSIONINGIT = f"{DYNAMIC}[tool.versioningit]\n"
SETUPTOOLS_GIT = f"{DYNAMIC}[tool.setuptools-git-versioning]\nenabled = true\n"


@pytest.fixture
def derived(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What the build backend answers."""
    answer = {"name": "Acme.Widget", "version": "1.1.dev1+g1234567"}

    def build_metadata(*_: object) -> dict[str, str]:
        if not answer["version"]:
            raise ToolError("no tag", remedy="tag the commit")
        return answer

    monkeypatch.setattr(builder, "build_metadata", build_metadata)
    return answer


def off_a_tag(tmp_path: Path, text: str, *tags: str) -> Path:
    """A repository with tags on the commit before the last one."""
    top = repository(tmp_path / "r", **{"pyproject.toml": text})
    for tag in tags:
        do(top, "tag", tag)
    return commit(top, **{"b.txt": "b"})


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        (SCM, "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_WIDGET"),
        (HATCH, "SETUPTOOLS_SCM_PRETEND_VERSION"),
        (FLIT, "SETUPTOOLS_SCM_PRETEND_VERSION"),
        (PDM, "PDM_BUILD_SCM_VERSION"),
        (POETRY, "POETRY_DYNAMIC_VERSIONING_BYPASS"),
        (UV, "UV_DYNAMIC_VERSIONING_BYPASS"),
    ],
)
@pytest.mark.usefixtures("derived")
def test_the_variable_of_the_tool_has_the_next_version(tmp_path: Path, text: str, variable: str) -> None:
    top = off_a_tag(tmp_path, text, "v1.0")
    found = rehearsed_version.prepare_next_version(system(), top)
    assert dict(found.variables) == {variable: "1.1"}
    assert found.text == "HEAD has no release tag (version 1.1.dev1+g1234567): rehearsing as 1.1"
    assert do(top, "tag") == "v1.0"
    assert rehearsed_version.prepare_next_version(system(**{variable: "3.0"}), top) == rehearsed_version.NextVersion()


@pytest.mark.parametrize("text", [VERSIONINGIT, SETUPTOOLS_GIT])
@pytest.mark.parametrize(
    ("tags", "made"),
    [(("v1.0",), "v1.0.post1"), (("rel-1.0",), "rel-1.0.post1"), ((), "v0.1.0")],
)
def test_without_a_variable_the_copy_is_tagged(
    tmp_path: Path, derived: dict[str, str], text: str, tags: tuple[str, ...], made: str
) -> None:
    """Without any tag, versioningit fails."""
    derived["version"] = "1.0.post1+g1234567" if tags else ""
    top = off_a_tag(tmp_path, text, *tags)
    found = rehearsed_version.prepare_next_version(system(), top)
    assert made.endswith(found.version)
    assert found.version
    assert not found.variables
    assert do(top, "tag", "--points-at", "HEAD") == made
    assert do(top, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (SCM, "1.1"),
        (SCM, "1.1.post1"),
        ('[project]\nname = "acme"\nversion = "1.1.dev1"\n', "1.1.dev1"),
        (f'{DYNAMIC}[tool.setuptools.dynamic]\nversion = {{attr = "acme.version"}}\n', "1.1.dev1"),
    ],
)
def test_what_can_be_released_or_is_written_by_hand_is_built_as_it_is(
    tmp_path: Path, derived: dict[str, str], text: str, version: str
) -> None:
    derived["version"] = version
    assert rehearsed_version.prepare_next_version(system(), off_a_tag(tmp_path, text, "v1.0")).text == ""


@pytest.mark.usefixtures("derived")
def test_on_a_tag_and_without_git_nothing_is_replaced(tmp_path: Path) -> None:
    top = off_a_tag(tmp_path, SCM)
    do(top, "tag", "v1.1")
    assert rehearsed_version.prepare_next_version(system(), top) == rehearsed_version.NextVersion()
    (top / "b.txt").write_text("changed")
    assert rehearsed_version.prepare_next_version(system(), top).version == "1.1"
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "pyproject.toml").write_text(SCM)
    outside = system(GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert rehearsed_version.prepare_next_version(outside, plain) == rehearsed_version.NextVersion()
