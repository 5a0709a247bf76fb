"""Two projects as they are found today, moved as the page docs/start/existing-project.md says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.docs.markdown_pages import blocks
from tests.publishing.ci.workflow_files import parsed
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.stories.project import files_on, indexes, make, release_table
from tests.stories.test_action import use
from tests.stories.test_trusted_publishing import WORLD

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "start" / "existing-project.md").read_text(encoding="utf-8")
SETUPTOOLS = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "acme-widget"
version = "1.0"
"""


def block(kind: str, number: int) -> str:
    return [text for found, text in blocks(PAGE) if found == kind][number]


@pytest.mark.network
def test_a_makefile_with_twine_goes_to_a_rehearsed_release_in_three_commands(tmp_path: Path) -> None:
    install, *commands = block("sh", 0).splitlines()
    assert install == "python -m pip install pypi-preflight"
    assert commands == ["pypi-preflight rehearse", "pypi-preflight release --plan"]
    project = make(tmp_path)
    project.write("pyproject.toml", SETUPTOOLS)
    project.write("Makefile", block("make", 0))
    project.commit()
    program = str(Path(sys.executable).with_name("pypi-preflight"))
    for command, words in zip(commands, ("was rehearsed", "upload to pypi"), strict=True):
        told = project.command(program, *command.split()[1:])
        assert told.status == 0, told.all
        assert words in told.out
    assert block("make", 1).split() == ["release:", "pypi-preflight", "release"]


def test_a_workflow_with_the_publishing_action_moves_by_one_line(tmp_path: Path) -> None:
    """The step in its new form, run here: the same job, the same identity, the same files."""
    before, (after,) = parsed(block("yaml", 0)), parsed(block("yaml", 1))
    steps = before["jobs"]["publish"]["steps"]
    assert steps[-1]["uses"].startswith("pypa/gh-action-pypi-publish@")
    assert after.keys() == {"uses"}
    assert after["uses"].startswith("pypi-preflight/pypi-preflight@")
    with indexes(real=WORLD) as on:
        project = make(tmp_path, more=release_table(on))
        project.env = dict(on.pypi.ambient)
        (project.root / "dist").mkdir()
        for name, content in ((wheel_name(), wheel()), (sdist_name(), sdist())):
            (project.root / "dist" / name).write_bytes(content)
        (tmp_path / "runner").mkdir()
        run = use(project)
        assert run.status == 0, run.log
        assert set(files_on(on.pypi)) == {wheel_name(), sdist_name()}
