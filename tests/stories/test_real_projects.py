"""Real projects, taken as sdists from the package registry, are rehearsed; what is found in each is listed."""

from __future__ import annotations

import json
import re
import shutil
import tarfile
import tomllib
from pathlib import Path
from typing import Any

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
#: `project`, `kind`, `tag` in its own form, `exit`, and `findings`: check and part of the message, of each finding
TABLE = json.loads(Path(__file__).with_name("real_projects.json").read_text(encoding="utf-8"))


def unpack(requirement: str, into: Path) -> Path:
    """The unpacked sdist of "name==version"."""
    name, version = requirement.split("==")
    listing = simple_api.fetch_listing(PYPI, name)
    assert listing is not None
    (file,) = [f for f in listing.files if f.filename.endswith(f"-{version}.tar.gz")]
    archive = simple_api.download_file(file, into).path
    with tarfile.open(archive) as tar:
        tar.extractall(into, filter="data")
    (root,) = [path.parent for path in into.glob("*/PKG-INFO")]
    return root


def as_checkout(project: UserProject, tag: str) -> None:
    """Make a repository of an unpacked sdist, without what its backend has added, and tag it as upstream does."""
    root = project.root
    (root / "PKG-INFO").unlink()
    for path in [*root.rglob("*.egg-info"), *root.rglob("*.dist-info")]:
        shutil.rmtree(path)
    setup_cfg = root / "setup.cfg"
    if setup_cfg.is_file():
        text = re.sub(r"\n*\[egg_info\]\s*tag_build =\s*tag_date = 0\s*", "\n", f"\n{setup_cfg.read_text()}").strip()
        setup_cfg.write_text(f"{text}\n")
    pyproject = root / "pyproject.toml"
    if (original := root / "pyproject.toml.orig").is_file():
        original.replace(pyproject)
    for name in generated_files(tomllib.loads(pyproject.read_text()) if pyproject.is_file() else {}):
        (root / name).unlink(missing_ok=True)
    project.commit()
    project.git("tag", tag)


def generated_files(pyproject: dict[str, Any]) -> list[str]:
    """The files that setuptools-scm, hatch-vcs and pdm-backend write, which a checkout does not have."""
    tool = pyproject.get("tool", {})
    scm, pdm = tool.get("setuptools_scm", {}), tool.get("pdm", {}).get("version", {})
    hatch = tool.get("hatch", {}).get("build", {}).get("hooks", {}).get("vcs", {})
    found = (scm.get("write_to"), scm.get("version_file"), hatch.get("version-file"), pdm.get("write_to"))
    return [path for path in found if path]


def findings(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Check and message of whatever is not in order."""
    found = []
    for outcome in document["checks"]:
        if outcome["state"] not in {"passed", "not applicable", "skipped"}:
            messages = [one["message"] for one in outcome["findings"]] or [outcome["reason"]]
            found += [(outcome["check"], message) for message in messages]
    return found


@pytest.mark.network
@pytest.mark.timeout(400)
@pytest.mark.parametrize("requirement", PROJECTS.values(), ids=PROJECTS.keys())
def test_rehearsed_unmodified(tmp_path: Path, requirement: str) -> None:
    root = unpack(requirement, tmp_path)
    home = tmp_path / "home"
    home.mkdir()
    before = {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    told = UserProject(root=root, home=home).run("rehearse", timeout=380)
    assert told.status == 0, told.all[-5000:]
    assert f"{requirement.replace('==', ' ')} was rehearsed" in told.out
    shutil.rmtree(root / ".release")
    after = {p.relative_to(root): p.read_bytes() for p in root.rglob("*") if p.is_file()}
    assert {path: data for path, data in before.items() if after.get(path) != data} == {}


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(700)
@pytest.mark.parametrize("row", TABLE, ids=[row["project"] for row in TABLE])
def test_what_is_found_is_what_is_listed(tmp_path: Path, row: dict[str, Any]) -> None:
    """A finding that is not listed is a false one, or a true one that belongs into the table."""
    project = UserProject(root=unpack(row["project"], tmp_path), home=tmp_path / "home")
    project.home.mkdir()
    as_checkout(project, row["tag"])
    told = project.run("rehearse", "--json", timeout=600)
    document = told.data
    assert document["version"] == row["project"].partition("==")[2], document["message"]
    found, expected = findings(document), [tuple(one) for one in row["findings"]]
    unlisted = [one for one in found if not any(one[0] == check and part in one[1] for check, part in expected)]
    assert unlisted == []
    missing = [one for one in expected if not any(one[0] == check and one[1] in message for check, message in found)]
    assert missing == []
    assert told.status == row["exit"], document["message"]


def test_the_table_has_projects_of_each_kind() -> None:
    kinds = " ".join(row["kind"] for row in TABLE).split()
    wanted = {"namespace": 3, "extra": 3, "plug-in": 3, "data": 2, "calver": 2, "compiled": 2}
    backends = ["setup.py", "setuptools", "setuptools-scm", "hatchling", "flit-core", "poetry-core", "pdm-backend"]
    backends += ["uv_build", "scikit-build-core", "meson-python"]
    assert {kind: kinds.count(kind) for kind in wanted if kinds.count(kind) < wanted[kind]} == {}
    assert [backend for backend in backends if backend not in kinds] == []
    assert len(TABLE) >= 30
