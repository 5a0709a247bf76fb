"""Where a run stores what it needs: in the project, or in one directory for everything."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.system.state_directory import releases_directory, state_directory, store_in
from release.core.errors import UsageError

ROOT, STATE = Path("/projects/acme").absolute(), Path("/cache").absolute()


def test_releases_are_in_the_project_unless_a_directory_is_chosen() -> None:
    with store_in(None, {}, ROOT):
        assert releases_directory(ROOT) == ROOT / ".release"
    with store_in(STATE, {"PREFLIGHT_STATE": "/other"}, ROOT):
        assert releases_directory(ROOT) == STATE
        assert state_directory({}) == STATE
    with store_in(None, {"PREFLIGHT_STATE": str(STATE)}, ROOT):
        assert releases_directory(ROOT) == STATE
    assert releases_directory(ROOT) == ROOT / ".release", "the choice ends with the run"


def test_members_of_a_set_have_directories_of_their_own() -> None:
    with store_in(STATE, {}, ROOT):
        places = {releases_directory(ROOT / name) for name in ("packages/a", "packages/b", ".")}
        assert places == {STATE / "members/packages/a", STATE / "members/packages/b", STATE}
        assert releases_directory(ROOT.parent / "sibling").is_relative_to(STATE / "members")
        assert releases_directory(STATE / "members" / "x") == STATE / "members" / "x" / ".release"


@pytest.mark.parametrize("chosen", [ROOT, ROOT.parent, ROOT / "packages" / ".."])
def test_a_directory_with_the_project_in_it_is_refused(chosen: Path) -> None:
    """The repository ignores what is in the directory: that would be the whole project."""
    with store_in(chosen, {}, ROOT):
        assert state_directory({}) == chosen, "what no release is stored in is no problem"
        for project in (ROOT, ROOT / "packages/a"):
            with pytest.raises(UsageError, match="contains the project"):
                releases_directory(project)
    with store_in(ROOT / ".state", {}, ROOT):
        assert releases_directory(ROOT) == ROOT / ".state"


def test_the_variables_of_the_users_directory() -> None:
    assert state_directory({"PREFLIGHT_STATE": "a"}) == Path("a")
    assert state_directory({"PREFLIGHT_STATE": "a", "PYPI_PREFLIGHT_STATE": "b"}) == Path("b")
    assert state_directory({"PREFLIGHT_STATE": "a"}, Path("c")) == Path("c")
