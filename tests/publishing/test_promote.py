"""Which index a run would create the project on."""

from __future__ import annotations

from release.core import plan
from release.core.config import Config
from release.core.facts import ProjectMetadata, Source
from release.core.models.index import ProjectListing
from release.publishing import promote


def test_only_a_new_project_on_a_lasting_index_is_named() -> None:
    """A dry run may create projects; with trusted publishing, the user has entered the name already."""
    source = Source(config=Config(), project=ProjectMetadata(name="a", version="1"), git=None, tag=None, changelog=None)
    release = plan.make_plan("release", Config(), source)
    new: dict[str, ProjectListing | None] = {"testpypi": None, "pypi": None}
    assert promote.new_project_index(release, new, ()) == "pypi"
    assert promote.new_project_index(release, new, {"pypi"}) is None
    assert promote.new_project_index(release, new | {"pypi": ProjectListing(name="a", files=())}, ()) is None
    assert promote.new_project_index(release, {}, ()) is None
