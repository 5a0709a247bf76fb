"""A rehearsal asks for nothing: no credentials, no tag, no clean tree, no git, no configuration."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from release.publishing.journal import lock_project
from tests import sample_distributions
from tests.sandbox.sandbox_client import SandboxClient
from tests.stories.project import UserProject, indexes, make, release_table

LEGACY_SETUP = """\
from setuptools import setup
setup(name="old-widget", version="0.3", description="old", py_modules=["old_widget"],
      entry_points={"console_scripts": ["old-widget = old_widget:main"]})
"""
CFG = """\
[metadata]
name = old-widget
version = 0.3
description = old
[options]
py_modules = old_widget
"""


def test_a_tree_without_git_goes_the_whole_road(tmp_path: Path) -> None:
    project = make(tmp_path)
    told = project.run("rehearse")
    assert told.status == 0, told.all
    assert "acme-widget 1.0 was rehearsed" in told.out
    assert "later  the project is not in a git repository, so there is no commit to release [" in told.out
    assert "; before a release: the project is not in a git repository" in told.out
    assert "next: pypi-preflight check" in told.out
    assert project.run("status").out.startswith("rehearsal of 1.0")


def test_a_dirty_tree_is_shown_and_rehearsed_as_it_stands(tmp_path: Path) -> None:
    project = make(tmp_path, tiny=True)
    project.commit()
    project.write("acme_widget/new.py", "NEW = 1\n")
    before = sorted(path.relative_to(project.root) for path in project.root.rglob("*"))
    told = project.run("rehearse", "--json", "--state-dir", str(tmp_path / "state"))
    assert told.status == 0, told.all
    assert [c["check"] for c in told.data["checks"] if c["state"] == "failed"] == ["the-tree-is-clean"]
    assert project.git("status", "--porcelain") == "?? acme_widget/new.py"
    assert sorted(path.relative_to(project.root) for path in project.root.rglob("*")) == before, "also where ignored"
    project.env["PREFLIGHT_STATE"] = str(tmp_path / "state")
    assert project.run("status").out.startswith("rehearsal of 1.0")


def test_a_rehearsal_that_cannot_begin_leaves_nothing_of_its_build(tmp_path: Path) -> None:
    """The build starts before the run; it ends silently where that does not start."""
    project = make(tmp_path)
    with lock_project(project.root):
        told = project.run("rehearse")
    assert told.status == 1
    assert told.all.startswith("another run is in progress in "), told.all
    assert list((project.root / ".release" / "rehearsal").iterdir()) == []


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": LEGACY_SETUP},
        {"setup.cfg": CFG, "setup.py": "import setuptools; setuptools.setup()"},
        {"setup.cfg": CFG},
    ],
)
def test_a_project_of_the_old_kind(tmp_path: Path, files: dict[str, str]) -> None:
    project = UserProject(root=tmp_path / "old", home=tmp_path / "home")
    project.root.mkdir()
    project.home.mkdir()
    for name, text in files.items():
        project.write(name, text)
    project.write("old_widget.py", "def main(): print('usage: old-widget')\n")
    told = project.run("rehearse")
    assert told.status == 0, told.all
    assert "old-widget 0.3 was rehearsed" in told.out


def test_what_is_missing_from_the_wheel_is_found_outside_the_checkout(tmp_path: Path) -> None:
    project = make(tmp_path, more='[tool.hatch.build.targets.wheel]\nexclude = ["data.txt"]\n')
    project.write("acme_widget/data.txt", "here")
    project.write(
        "acme_widget/__init__.py",
        'from pathlib import Path\nDATA = (Path(__file__).parent / "data.txt").read_text()\ndef main(): print(DATA)\n',
    )
    told = project.run("rehearse")
    assert told.status == 1, told.all
    assert "data.txt" in told.out
    assert "import acme_widget" in told.out


def test_the_lines_of_a_refusal_accept_it_when_they_are_pasted(tmp_path: Path) -> None:
    project = make(tmp_path, more='gui-scripts = { acme-window = "acme_widget:main" }\n')
    project.write("acme_plugin.py", "import a_module_of_nobody\n")
    text = (project.root / "pyproject.toml").read_text()
    both = '[tool.hatch.build.targets.wheel]\ninclude = ["acme_widget", "acme_plugin.py"]\n'
    project.write("pyproject.toml", text + both)
    told = project.run("rehearse", "--json")
    assert told.status == 1, told.all
    assert "'import acme_plugin' fails with status 1" in told.data["message"]
    assert "(in acme_plugin.py, line 1)" in told.data["message"]
    remedy, _, lines = told.data["remedy"].partition("\n")
    assert remedy.startswith("add the project that provides 'a_module_of_nobody' to dependencies")
    assert lines == '[tool.release.smoke]\nimports = ["acme_widget"]\ncommands = ["acme-widget --help"]'
    project.write("pyproject.toml", text + both + lines)
    told = project.run("rehearse")
    assert told.status == 0, told.all


def test_the_smoke_list_of_the_configuration_is_run_as_it_is(tmp_path: Path) -> None:
    smoke = '[tool.release.smoke]\nimports = ["acme_widget"]\n'
    smoke += 'commands = ["acme-widget --help", "python -c \'raise SystemExit(3)\'"]\n'
    project = make(tmp_path, more=smoke, tiny=True)
    told = project.run("rehearse")
    assert told.status == 1
    assert "raise SystemExit(3)" in told.out


def test_metadata_that_the_index_refuses_stops_before_the_upload(tmp_path: Path) -> None:
    project = make(tmp_path)
    text = (project.root / "pyproject.toml").read_text()
    project.write("pyproject.toml", text.replace("readme =", 'classifiers = ["Private :: Do Not Upload"]\nreadme ='))
    told = project.run("rehearse")
    assert told.status == 1
    assert "'Private :: Do Not Upload' is not a valid classifier" in told.out
    assert "upload to sandbox" not in told.out


def test_it_is_compared_with_the_last_release_and_needs_no_index_for_that(tmp_path: Path) -> None:
    files = {"acme_widget.py": None, "acme_widget/__init__.py": "", "acme_widget/py.typed": ""}
    with indexes() as on:
        last = SandboxClient(sandbox=on.pypi).upload(content=sample_distributions.wheel(files=files))
        assert last.line == "200 OK"
        project = make(tmp_path, version="1.1", more=release_table(on), tiny=True)
        told = project.run("rehearse")
        assert told.status == 0, told.all
        assert "missing since 1.0: 'acme_widget/py.typed'" in told.out
        assert "missing since" not in project.run("rehearse", "--offline").out
    told = project.run("rehearse", "-v")
    assert told.status == 0, told.all
    assert "are missing or much smaller (pypi was not reached: " in told.out


def test_one_json_document_and_nothing_else(tmp_path: Path) -> None:
    told = make(tmp_path, tiny=True).run("rehearse", "--json")
    data = told.data
    assert (data["schema"], data["exit"], data["verb"], told.err) == (1, 0, "rehearse", "")
    assert {f["file"] for f in data["files"]} == {"acme_widget-1.0-py3-none-any.whl", "acme_widget-1.0.tar.gz"}
    assert {a["answer"] for a in data["uploads"]["sandbox"]} == {"receipt"}


@pytest.mark.skipif(sys.platform != "linux", reason="a wheel that is built and installed on Linux")
def test_a_wheel_that_no_index_takes_is_shown_and_the_rehearsal_goes_on_with_the_sdist(tmp_path: Path) -> None:
    project = make(tmp_path, more='[tool.hatch.build.targets.wheel.hooks.custom]\npath = "binary.py"\n')
    project.write(
        "binary.py",
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class Binary(BuildHookInterface):\n    def initialize(self, version, build_data):\n"
        '        build_data["tag"] = "py3-none-linux_x86_64"\n',
    )
    told = project.run("rehearse")
    assert told.status == 1, told.all
    assert "has an unsupported platform tag 'linux_x86_64'" in told.out
    *_, _record, end, remedy, _next = told.out.splitlines()
    assert end.endswith("; this would block a release of acme-widget 1.0")
    assert remedy.endswith("; to accept it in a rehearsal only: pypi-preflight rehearse --allow")
    assert "continuing with the files the index would accept: acme_widget-1.0.tar.gz" in told.out
    assert project.run("rehearse", "--allow").status == 0
    project.commit()
    assert project.run("build").status == 1
