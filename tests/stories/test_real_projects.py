"""Real projects, taken as sdists from the package registry, are rehearsed unmodified."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pytest

from release.adapters.index import simple_api
from release.core.models.index import PYPI
from tests.stories.project import UserProject

#: one for each build backend in wide use
PROJECTS = {
    "setuptools, setup.py only": "docopt==0.6.2",
    "setuptools with setuptools-scm": "pluggy==1.5.0",
    "hatchling": "iniconfig==2.0.0",
    "flit-core": "tomli==2.0.1",
    "poetry-core": "rich==13.9.4",
    "pdm-backend": "unearth==0.17.2",
}


@pytest.mark.network
@pytest.mark.timeout(400)
@pytest.mark.parametrize("requirement", PROJECTS.values(), ids=PROJECTS.keys())
def test_rehearsed_unmodified(tmp_path: Path, requirement: str) -> None:
    name, version = requirement.split("==")
    listing = simple_api.fetch_listing(PYPI, name)
    assert listing is not None
    (file,) = [f for f in listing.files if f.filename.endswith(f"-{version}.tar.gz")]
    archive = simple_api.download_file(file, tmp_path)
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (root,) = [path.parent for path in tmp_path.glob("*/PKG-INFO")]
    home = tmp_path / "home"
    home.mkdir()
    before = {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    told = UserProject(root=root, home=home).run("rehearse", timeout=380)
    assert told.status == 0, told.all[-5000:]
    assert f"{requirement.replace('==', ' ')} was rehearsed" in told.out
    shutil.rmtree(root / ".release")
    after = {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert {path: data for path, data in before.items() if after.get(path) != data} == {}
