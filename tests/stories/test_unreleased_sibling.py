"""A project that needs an unreleased one of its repository."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.stories import tiny_backend
from tests.stories.project import UserProject

MEMBER = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "acme-{name}-of-no-index"
version = "2.0"
dependencies = [{needs}]
"""


def test_a_rehearsal_names_what_is_to_be_released_first(tmp_path: Path) -> None:
    project = UserProject(root=tmp_path / "repository", home=tmp_path / "home", env={"RELEASE_INSTALLER": "uv"})
    project.home.mkdir()
    project.write("pyproject.toml", '[tool.release.set]\nmembers = ["packages/*"]\n')
    project.write("packages/a/pyproject.toml", MEMBER.format(name="a", needs=""))
    project.write("packages/b/pyproject.toml", MEMBER.format(name="b", needs='"acme-a-of-no-index>=2"'))
    project.write("packages/b/acme_b.py", "")
    shutil.copy(tiny_backend.__file__, project.root / "packages" / "b" / "backend.py")
    project.commit()
    told = project.run("rehearse", "--directory", "packages/b", "--json")
    (failed,) = (one for one in told.data["checks"] if one["check"] == "it-installs-into-a-clean-environment")
    assert failed["findings"][0]["message"] == (
        "acme-b-of-no-index does not install: no index has its dependency 'acme-a-of-no-index>=2'; "
        "the repository has acme-a-of-no-index 2.0 in 'packages/a'"
    )
    assert failed["findings"][0]["remedy"] == (
        "release 'acme-a-of-no-index' first, or as a set: pypi-preflight set rehearse"
    )
