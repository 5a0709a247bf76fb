"""Pages whose blocks are run as they stand there, one after another."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.adapters.loopback_server import closed_port
from tests.docs.markdown_pages import DOCS, blocks, read
from tests.stories.project import UserProject, make

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("bash"), reason="there is no bash")]
TINY_BACKEND = Path(__file__).parents[1] / "stories" / "tiny_backend.py"


def toy_project(tmp_path: Path) -> UserProject:
    """A project that builds in a moment, committed."""
    project = make(tmp_path)
    text = (project.root / "pyproject.toml").read_text(encoding="utf-8")
    system = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    project.write("pyproject.toml", system + text[text.index("\n[project]") :])
    project.write("backend.py", TINY_BACKEND.read_text(encoding="utf-8"))
    project.commit()
    return project


def test_two_sandboxes_take_a_release(tmp_path: Path) -> None:
    project = toy_project(tmp_path)
    script, ports = [], {"8001": str(closed_port()), "8002": str(closed_port())}
    for language, text in blocks(read(DOCS / "how-to" / "two-sandboxes.md")):
        here = re.sub("800[12]", lambda found: ports[found[0]], text)
        if language == "toml":
            (project.root / "sandboxes.toml").write_text(here, encoding="utf-8")
        else:
            script.append(here)
    project.write(".gitignore", "*.json\n*.toml\n")
    project.commit()
    bin_ = Path(sys.executable).parent
    project.env = {"PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}", "PYPI_PREFLIGHT_OFFLINE": ""}
    done = project.command("bash", "-m", "-e", "-c", "\n".join(script))
    assert done.status == 0, done.all[-3000:]
    assert "is on testpypi, confirmed" in done.out
    assert "is on pypi, confirmed" in done.out
