"""What nobody could use is not released; what is waived is, and the record says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.stories.project import Indexes, UserProject, files_on, indexes, make, posts, release_table

pytestmark = pytest.mark.network
POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'8e' * 32}\nsize 48605698\n"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A project that is broken for its users."""

    #: the checks that refuse it, before and after it is installed
    checks: tuple[str, ...]
    #: part of the message
    says: str
    #: files that differ from those of a project in order; `pyproject.toml` is appended to
    files: Mapping[str, str] = field(default_factory=dict)
    #: the directory of a submodule that is not checked out
    submodule: str = ""


FAULTS = {
    "a forgotten dependency": Fault(
        checks=("what-was-installed-works",),
        says="No module named 'idna'",
        files={"acme_widget/__init__.py": "import idna\ndef main(): print('usage: acme-widget')\n"},
    ),
    "an empty wheel": Fault(
        checks=("the-wheel-has-something-to-import",),
        says="has nothing to import or run; 'acme_widget/__init__.py' is not in it",
        files={"pyproject.toml": '[tool.hatch.build.targets.wheel]\nbypass-selection = true\nexclude = ["*"]\n'},
    ),
    "a pointer of Git LFS": Fault(
        checks=("no-git-lfs-pointer-is-shipped",),
        says="git lfs install && git lfs pull",
        files={"acme_widget/model.bin": POINTER},
    ),
    "a missing submodule": Fault(
        checks=("the-submodules-are-checked-out",),
        says="git submodule update --init --recursive",
        submodule="acme_widget/data",
    ),
    "a missing sub-package": Fault(
        checks=("the-wheel-has-every-sub-package",),
        says="git has the sub-package 'acme_widget/sub'",
        files={
            "pyproject.toml": '[tool.hatch.build.targets.wheel]\ninclude = ["acme_widget/*.py"]\n',
            "acme_widget/sub/__init__.py": "",
        },
    ),
    "a script whose module is not shipped": Fault(
        checks=("the-wheel-has-what-it-imports", "what-was-installed-works"),
        says="git has 'search_tool.py', which the script 'acme-widget' imports",
        files={
            "pyproject.toml": '[tool.hatch.build.targets.wheel]\npackages = ["acme_widget"]\n',
            "search_tool.py": "def main(): print('usage: acme-widget')\n",
        },
    ),
}


def broken(tmp_path: Path, fault: Fault, more: str) -> UserProject:
    project = make(tmp_path)
    text = (project.root / "pyproject.toml").read_text()
    if "search_tool.py" in fault.files:
        text = text.replace("acme_widget:main", "search_tool:main")
    if "exclude" in fault.files.get("pyproject.toml", ""):  # an entry point would be something to run
        text = text.replace('scripts = { acme-widget = "acme_widget:main" }', "")
    for name, content in fault.files.items():
        project.write(name, content)
    project.write("pyproject.toml", text + fault.files.get("pyproject.toml", "") + more)
    project.write(".gitignore", "dist/\n.release/\n")
    project.commit()
    if fault.submodule:
        library = UserProject(root=tmp_path / "library", home=project.home)
        library.write("data.json", "{}")
        library.commit()
        local = ("-c", "protocol.file.allow=always")
        project.git(*local, "submodule", "--quiet", "add", library.root.as_uri(), fault.submodule)
        project.git("commit", "--quiet", "--message=data")
        project.git("submodule", "--quiet", "deinit", fault.submodule)
    return project


def refused(tmp_path: Path, fault: Fault, on: Indexes) -> UserProject:
    """The broken project, whose release ends before anything is uploaded."""
    project = broken(tmp_path, fault, f"[tool.release]\npush-tag = false\n{release_table(on)}")
    project.credentials(on)
    told = project.run("release", "--yes")
    assert told.status == 1, told.all
    assert fault.says in told.out
    assert fault.checks[0] in told.out
    assert posts(on.testpypi) == posts(on.pypi) == []
    return project


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_broken_package_is_released_nowhere_unless_its_check_is_waived(tmp_path: Path, fault: Fault) -> None:
    with indexes() as on:
        project = refused(tmp_path, fault, on)
        assert project.run("rehearse").status == 1
        text = (project.root / "pyproject.toml").read_text()
        waived = "".join(f'{check} = "known"\n' for check in fault.checks)
        project.write("pyproject.toml", f"{text}[tool.release.waive]\n{waived}")
        project.commit()
        told = project.run("release", "--yes", "--json")
        assert told.status == 0, told.all
        assert files_on(on.testpypi) == files_on(on.pypi) != {}
        record = json.loads((project.root / ".release/1.0/record.json").read_text())
        used = [{"check": check, "reason": "known", "used": True} for check in sorted(fault.checks)]
        assert record["runs"][-1]["waivers"] == used
        report = project.run("report").out
        assert all(f"[{check}] (known)" in report for check in fault.checks), report


@pytest.mark.parametrize("fault", [FAULTS["a script whose module is not shipped"]])
def test_a_broken_package_stops_in_the_rehearsal_of_a_release(tmp_path: Path, fault: Fault) -> None:
    with indexes() as on:
        refused(tmp_path, fault, on)
