"""Versions that come from git, and the tags that a release finds and makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stories.project import UserProject, files_on, indexes, make, posts, release_table

pytestmark = pytest.mark.network
SCM = """\
[build-system]
requires = ["setuptools>=77", "setuptools-scm>=8"]
build-backend = "setuptools.build_meta"
[project]
name = "acme-widget"
dynamic = ["version"]
description = "A widget."
readme = "README.md"
[tool.setuptools]
packages = ["acme_widget"]
[tool.setuptools_scm]
"""


def test_a_tag_that_cannot_be_signed_stops_before_the_first_upload(tmp_path: Path) -> None:
    """The tag that is there already needs no signature, and no second one is planned."""
    with indexes() as on:
        project = make(tmp_path, more=release_table(on), tiny=True)
        project.credentials(on)
        project.commit()
        project.git("config", "tag.gpgSign", "true")
        project.git("config", "gpg.format", "ssh")
        project.git("config", "user.signingKey", str(tmp_path / "gone.pub"))
        told = project.run("release", "--yes")
        assert told.status == 1, told.all
        assert "tag.gpgSign is set, but git cannot sign the release tag" in told.out
        assert posts(on.testpypi) == posts(on.pypi) == []
        project.git("-c", "tag.gpgSign=false", "tag", "1.0")
        plan = project.run("release", "--plan", "--json").data
        assert "tag" not in [step["step"] for step in plan["steps"]]
        assert "cannot sign" not in project.run("check").out


@pytest.mark.slow
def test_a_version_from_git_on_a_tag_off_a_tag_and_in_a_shallow_clone(tmp_path: Path) -> None:
    with indexes() as on:
        project = make(tmp_path, tiny=True)
        project.write(".gitignore", ".release/\n*.egg-info/\nbuild/\n")
        project.write("pyproject.toml", SCM + release_table(on))
        project.credentials(on)
        project.commit()
        far = tmp_path / "far.git"
        project.git("clone", "--quiet", "--bare", str(project.root), str(far))
        project.git("remote", "add", "origin", far.as_uri())
        project.git("tag", "2026.06.04")
        project.git("push", "--quiet", "--tags", "--set-upstream", "origin", "main")
        told = project.run("release", "--yes")
        assert told.status == 0, told.all
        assert all("2026.6.4" in name for name in files_on(on.pypi))
        assert project.git("tag") == "2026.06.04", "the tag that was there is the tag of the version"

        project.write("acme_widget/more.py", "MORE = 1\n")
        project.commit()
        project.git("push", "--quiet")
        told = project.run("rehearse")
        assert told.status == 0, told.all
        assert "HEAD has no release tag (version 2026.6.5.dev1+g" in told.out
        assert "rehearsing as 2026.6.5" in told.out

        project.git("clone", "--quiet", "--depth=1", "--no-tags", far.as_uri(), str(tmp_path / "shallow"))
        shallow = UserProject(root=tmp_path / "shallow", home=project.home)
        shallow.write("README.md", "# Widget\n")
        sent = len(posts(on.testpypi)), len(posts(on.pypi))
        for scheme in ("", 'local_scheme = "no-local-version"\n'):
            shallow.write("pyproject.toml", SCM + scheme + release_table(on))
            shallow.commit()
            told = shallow.run("release", "--yes")
            assert told.status == 1, told.all
            assert "fetch the whole history and its tags: git fetch --unshallow --tags" in told.out
            assert (len(posts(on.testpypi)), len(posts(on.pypi))) == sent
        assert project.git("ls-remote", "--tags", "origin").split("refs/tags/")[1:] == ["2026.06.04"]
