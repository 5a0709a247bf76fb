"""The chain as its users run it: `nox -s publish`, `invoke release`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from release.adapters.builds.external_checkers import CHECKERS
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.stories.project import UserProject, files_on, indexes, make, posts, release_table

ROOT = Path(__file__).parents[2]
NOX, INVOKE = (sys.executable, "-P", "-m", "nox"), (sys.executable, "-P", "-m", "invoke")
#: modules of the project that a session must not import, with the token in the environment
OWN = (
    "release.py",
    "logging.py",
    "requests.py",
    "rich/__init__.py",
    "packaging.py",
    "pip.py",
    "virtualenv.py",
    "uv.py",
)


def with_two_files(project: UserProject) -> UserProject:
    project.write("noxfile.py", "from pypi_preflight import sessions\nsessions.register()\n")
    project.write("tasks.py", "from pypi_preflight import tasks\nnamespace = tasks.collection()\n")
    project.write(".gitignore", ".nox/\n__pycache__/\n")
    project.env["PYTHONPATH"] = ""
    return project


@pytest.mark.timeout(600)
def test_the_chain_releases_and_invoke_finds_nothing_left(tmp_path: Path) -> None:
    with indexes() as on:
        project = with_two_files(make(tmp_path, more=release_table(on)))
        for name in OWN:
            project.write(name, f"open({str(tmp_path / 'canary')!r}, 'a').write(__name__ + chr(10))\n")
        project.credentials(on)
        project.commit()
        told = project.command(*NOX, "-s", "publish", "--", "--yes", timeout=500)
        assert told.status == 0, told.all[-4000:]
        assert set(files_on(on.pypi)) == set(files_on(on.testpypi)) != set()
        order = [line.split()[-1] for line in told.err.splitlines() if "Running session" in line]
        assert order == ["check", "build", "rehearse", "testpypi", "publish"]

        sent = len(posts(on.pypi)), len(posts(on.testpypi))
        again = project.command(*INVOKE, "release", "--yes", timeout=500)
        assert again.status == 0, again.all[-4000:]
        assert "nothing to do" in again.out
        assert "Running session release" in again.err
        assert sorted(path.name for path in (project.root / ".nox").glob("*/pyvenv.cfg")) == ["pyvenv.cfg"] * 2
        assert not (tmp_path / "canary").exists()
        assert (len(posts(on.pypi)), len(posts(on.testpypi))) == sent

        # one failing check, in the environments that are warm now: nothing is built, nothing is asked for
        project.write("stray.txt", "")
        (project.root / "pyproject.toml").write_text(
            (project.root / "pyproject.toml").read_text().replace('version = "1.0"', 'version = "1.1"')
        )
        stopped = project.command(*NOX, "-s", "publish", "--", "--yes", timeout=500)
        assert stopped.status == 1
        assert "  FAIL   " in stopped.all
        assert not list(project.root.glob(".release/1.1/*/dist"))
        assert (len(posts(on.pypi)), len(posts(on.testpypi))) == sent

        silent = project.command(*INVOKE, "release")
        assert silent.status == 1
        assert "--yes" in silent.err


def test_the_lists_read_well(tmp_path: Path) -> None:
    project = with_two_files(make(tmp_path))
    listed = project.command(*INVOKE, "--list")
    assert listed.status == 0, listed.all
    for name in ("check", "build", "verify", "rehearse", "testpypi", "publish", "confirm", "status", "release"):
        line = next(row for row in listed.out.splitlines() if row.split()[:1] == [name])
        assert len(line.split()) > 4
    sessions = project.command(*NOX, "-l")
    assert sessions.status == 0, sessions.all
    for name in ("check", "build", "rehearse", "testpypi", "publish", "release", "tokens"):
        assert any(row.split()[:3] == ["-", name, "->"] for row in sessions.out.splitlines()), sessions.out


def test_a_prefix_keeps_the_sessions_apart(tmp_path: Path) -> None:
    project = with_two_files(make(tmp_path))
    project.write("noxfile.py", 'from release.sessions import register\nregister(prefix="release-")\n')
    assert "- release-publish ->" in project.command(*NOX, "-l").out


def test_without_a_noxfile_invoke_says_what_to_do(tmp_path: Path) -> None:
    project = with_two_files(make(tmp_path))
    (project.root / "noxfile.py").unlink()
    told = project.command(*INVOKE, "release", "--yes")
    assert told.status == 2
    assert "from pypi_preflight import sessions" in told.err


@pytest.mark.parametrize("verb", ["testpypi", "upload"])
def test_files_from_elsewhere_are_passed_on_all_of_them(tmp_path: Path, verb: str) -> None:
    project = with_two_files(make(tmp_path))
    project.write("dist/acme_widget-1.0-py3-none-any.whl", "")
    told = project.command(*INVOKE, verb, "--files", "dist", "--files", "missing.whl")
    assert told.status == 2
    assert "'missing.whl' does not exist" in told.err


def test_this_project_uses_them_as_a_user_would() -> None:
    assert "register()" in (ROOT / "noxfile.py").read_text()
    assert "tasks.collection()" in (ROOT / "tasks.py").read_text()


ODD = {"tests/__init__.py": "", "acme_widget/a file.txt": "x"}


@pytest.mark.network
@pytest.mark.timeout(600)
def test_other_checkers_look_on_in_an_environment_of_their_own(tmp_path: Path) -> None:
    """Each says what it minds; where they are not installed, each is shown as not run. They decide nothing."""
    project = with_two_files(make(tmp_path, more="\n[project.frobnicate]\n"))
    for name, content in ((wheel_name(), wheel(files=ODD)), (sdist_name(), sdist(files=ODD))):
        path = project.root / "dist" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    told = project.command(*NOX, "-s", "inspect", timeout=500)
    assert told.status == 0, told.all[-4000:]
    for words in (
        "warn  pyproject.toml: validate-pyproject: `project` must not contain {'frobnicate'} properties",
        f"warn  {wheel_name()}: check-wheel-contents: W",
        f"warn  {wheel_name()}: pydistcheck: [path-contains-spaces]",
        f"warn  {sdist_name()}: pydistcheck: [path-contains-spaces]",
    ):
        assert words in told.out
    assert "not run" not in told.out
    assert "accept" in told.out

    project.env["PATH"] = str(project.root)
    here = project.run("inspect", "--others", "--json", f"dist/{wheel_name()}")
    assert here.status == 0, here.all
    said = [(one["check"], one["severity"], one["message"]) for one in here.data["release"]]
    assert said == [(one.name, "warn", f"not run: {one.name} is not installed") for one in CHECKERS]
