"""Builds take siblings from the files that were built before them."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from release.adapters.install import siblings
from release.adapters.system.system import real_system
from release.core.errors import UsageError
from release.core.quoting import quote_path
from release.publishing.sets.sibling_files import find_siblings
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.stories.workspace import Project, workspace


def built(dist: Path, name: str, version: str) -> None:
    directory = dist / name
    directory.mkdir(parents=True, exist_ok=True)
    (directory / wheel_name(name, version)).write_bytes(wheel(name, version))
    (directory / sdist_name(name, version)).write_bytes(sdist(name, version))


def test_each_directory_with_files_is_a_sibling_and_the_wheel_is_taken(tmp_path: Path) -> None:
    dist = tmp_path / "a b"
    built(dist, "acme-a", "2.0rc1")
    built(dist, "acme-b", "1.0")
    (dist / "logs").mkdir()
    (dist / "logs" / "notes.txt").write_text("")
    found = find_siblings(dist, without=dist / "acme-b")
    assert [(one.name, one.version) for one in found] == [("acme-a", "2.0rc1")]
    system = siblings.with_siblings(real_system(), found, scratch=lambda name: tmp_path / name)
    path = dist / "acme-a" / wheel_name("acme-a", "2.0rc1")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (tmp_path / "siblings" / "constraints.txt").read_text() == f"acme-a @ {path.as_uri()}#sha256={digest}\n"
    assert system.env["PIP_CONSTRAINT"].endswith("/siblings/constraints.txt")


def test_a_directory_without_siblings_or_with_two_releases_of_one_is_refused(tmp_path: Path) -> None:
    built(tmp_path, "acme-b", "1.0")
    for directory, own in ((tmp_path, tmp_path / "acme-b"), (tmp_path / "none", None), (tmp_path / "acme-b", None)):
        with pytest.raises(UsageError) as refused:
            find_siblings(directory, without=own)
        assert refused.value.message == f"{quote_path(directory)} has no directory with wheels or sdists"
        assert "--siblings DIR" in refused.value.remedy
    built(tmp_path, "acme-b", "1.1")
    with pytest.raises(UsageError, match="the files belong to 2 releases"):
        find_siblings(tmp_path)


@pytest.mark.slow
def test_a_member_is_built_with_the_files_of_the_sibling_that_it_requires(tmp_path: Path) -> None:
    """Its backend imports the sibling, which no index has."""
    member = Project(name="acme-b", build_requires=["acme-a"], before_build="import acme_a\n", module="")
    project = workspace(tmp_path, [member], None)
    dist = tmp_path / "dist"
    built(dist, "acme-a", "2.0rc1")
    words = ["--directory", "packages/acme-b", "build", "--output", str(dist / "acme-b")]
    refused = project.run(*words)
    assert "acme-a" in refused.out
    assert refused.status == 1, refused.all
    told = project.run(*words, "--siblings", str(dist))
    assert told.status == 0, told.all
    (made,) = (dist / "acme-b").glob("*.whl")
    assert zipfile.is_zipfile(made)
