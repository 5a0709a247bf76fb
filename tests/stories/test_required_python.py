"""A project whose requires-python shuts out the interpreter that runs the program."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import pytest

from release.adapters.install import interpreters
from release.adapters.system.system import real_system
from release.core.models.interpreter import Interpreter
from tests.stories.project import make

ABOVE = f">=3.{sys.version_info[1] + 1}"


@cache
def later_python() -> Interpreter | None:
    """Asked for where it is needed: the search runs every interpreter of this machine."""
    return interpreters.find_required_python(real_system(), ABOVE, "here").chosen


def test_without_such_an_interpreter_nothing_is_built(tmp_path: Path) -> None:
    project = make(tmp_path)
    text = (project.root / "pyproject.toml").read_text().replace(">=3.9", ">=3.99")
    project.write("pyproject.toml", text)
    project.commit()
    told = project.run("rehearse", "--json")
    assert told.status == 1
    assert told.data["message"].startswith("the project requires Python '>=3.99' (requires-python in pyproject.toml)")
    failed = [one["check"] for one in told.data["checks"] if one["state"] == "failed"]
    assert failed == ["a-required-python-is-installed"]
    assert not list((project.root / ".release").rglob("*.whl"))


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.skipif("later_python() is None", reason="no later Python is installed")
@pytest.mark.parametrize("dynamic", [False, True])
def test_another_interpreter_builds_and_installs_it(tmp_path: Path, *, dynamic: bool) -> None:
    """The code and the build need it; the version is known before the build, or only to the build backend."""
    other = later_python()
    assert other is not None
    project = make(tmp_path)
    minor = other.version[1]
    guard = f"import sys\n\nif sys.version_info < (3, {minor}):\n    raise RuntimeError\n"
    project.write("acme_widget/__init__.py", guard + 'def main() -> None:\n    print("usage: acme-widget")\n')
    project.write(
        "pyproject.toml", '[build-system]\nrequires = ["setuptools>=77"]\nbuild-backend = "setuptools.build_meta"\n'
    )
    requires = "python_requires='>=3.' + str(12 + 0 * len(sys.argv)), " if dynamic else f"python_requires='{ABOVE}', "
    setup = (
        "import sys\nfrom setuptools import setup\n"
        f"setup(name='acme-widget', version='1.0', {requires}packages=['acme_widget'],\n"
        "      long_description='It widgets.',\n"
        "      entry_points={'console_scripts': ['acme-widget = acme_widget:main']})\n"
    )
    project.write("setup.py", setup if dynamic else guard + setup)
    project.commit()
    own = Path(sys.executable).parent  # its uv is found as a module, also where the environment is not activated
    paths = os.environ["PATH"].split(os.pathsep)
    project.env["PATH"] = os.pathsep.join(path for path in paths if Path(path) != own)
    told = project.run("rehearse")
    assert told.status == 0, told.all
    assert f"using Python {other.release} from {other.origin}" in told.out
    assert told.out.count("using Python") == 1
