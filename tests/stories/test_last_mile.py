"""From a dry run to a release: the very files that passed it, the tag behind them, and nothing rolled back."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from release.sandbox.faults import CannedResponse, Fault, RequestFilter, Stale
from release.sandbox.seed import seed_for_project
from tests.adapters.github_api import running
from tests.stories.project import Indexes, UserProject, files_on, indexes, make, posts, release_table
from tests.stories.terminal import talk

WHEEL, SDIST = "acme_widget-1.0-py3-none-any.whl", "acme_widget-1.0.tar.gz"
REFUSAL = "this branch is closed"
#: where the dry run is not what a test is about
STRAIGHT = 'dry-run-on = "none"'


def ready(tmp_path: Path, on: Indexes, more: str = "") -> UserProject:
    project = make(tmp_path, more=f"[tool.release]\n{more}\n" + release_table(on), tiny=True)
    project.credentials(on)
    project.commit()
    return project


def with_remote(project: UserProject, *, refuses: bool = False) -> Path:
    """A bare repository as "origin", with a hook that refuses tags."""
    bare = project.root.parent / "origin.git"
    project.git("init", "-q", "--bare", str(bare))
    project.git("remote", "add", "origin", str(bare))
    project.git("push", "-q", "--set-upstream", "origin", "main")
    if refuses:
        hook = bare / "hooks" / "pre-receive"
        hook.write_text(f"#!/bin/sh\necho '{REFUSAL}' >&2\nexit 1\n")
        hook.chmod(0o755)
    return bare


def remote_tag(project: UserProject) -> str:
    listed = project.git("ls-remote", "--tags", "origin")
    return listed.split()[0] if listed else ""


def test_the_tag_is_pushed_once_the_release_is_live_and_holds_the_hashes(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        with_remote(project)
        told = project.run("release", "--yes")
        assert told.status == 0, told.all
        assert told.out.index("upload to pypi") < told.out.index("push the tag v1.0 to origin")
        assert remote_tag(project) == project.git("rev-parse", "v1.0")
        body = project.git("tag", "-l", "--format=%(contents)", "v1.0")
        for name, sha256 in files_on(on.pypi).items():
            assert f"{sha256}  {name}" in body
        assert "nothing to do" in project.run("release", "--yes").out


def test_a_tag_that_the_remote_refuses_leaves_the_release_and_says_what_goes_on(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on, STRAIGHT)
        bare = with_remote(project, refuses=True)
        told = project.run("publish", "--yes")
        assert told.status == 4, told.all
        assert REFUSAL in told.out
        assert f"on pypi: {WHEEL}, {SDIST}" in told.out
        assert "not done: push the tag v1.0 to origin" in told.out
        assert "next: pypi-preflight publish" in told.out
        assert set(files_on(on.pypi)) == {WHEEL, SDIST}
        assert project.git("tag") == "v1.0"

        again = project.run("publish", "--yes")
        assert again.status == 4, again.all

        (bare / "hooks" / "pre-receive").unlink()
        sent = len(posts(on.pypi))
        done = project.run("publish", "--yes")
        assert done.status == 0, done.all
        assert remote_tag(project) == project.git("rev-parse", "v1.0")
        assert len(posts(on.pypi)) == sent


def test_another_tag_of_that_name_is_never_overwritten(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on, STRAIGHT)
        with_remote(project)
        project.git("tag", "-a", "-m", "theirs", "v1.0")
        project.git("push", "-q", "origin", "v1.0")
        theirs = project.git("rev-parse", "v1.0")
        project.git("tag", "-d", "v1.0")
        told = project.run("publish", "--yes")
        assert told.status == 1, told.all
        assert "→ git fetch origin tag v1.0" in told.out
        assert posts(on.pypi) == []
        waived = '\n[tool.release.waive]\nthe-tags-of-the-remote-are-here = "they will be"\n'
        project.write("pyproject.toml", (project.root / "pyproject.toml").read_text() + waived)
        project.commit()
        told = project.run("publish", "--yes")
        assert told.status == 4, told.all
        assert "has another tag 'v1.0'" in told.out
        assert remote_tag(project) == theirs


def test_no_tag_is_pushed_where_nobody_wants_it(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on, f"{STRAIGHT}\npush-tag = false")
        with_remote(project)
        told = project.run("publish", "--yes")
        assert told.status == 0, told.all
        assert remote_tag(project) == ""
        assert "next: git push origin v1.0" in told.out


def burnt(tmp_path: Path, on: Indexes) -> UserProject:
    """A project of which TestPyPI has an earlier build."""
    project = ready(tmp_path, on)
    assert project.run("testpypi").status == 0
    project.write("acme_widget/__init__.py", 'def main() -> None:\n    print("other")\n')
    project.commit()
    return project


def test_a_version_that_is_burnt_on_testpypi_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with indexes() as on:
        project = burnt(tmp_path, on)
        sent = len(posts(on.testpypi))
        told = project.run("release", "--yes", "--json")
        assert told.status == 1, told.all
        (failed,) = [one for one in told.data["checks"] if one["state"] == "failed"]
        assert failed["check"] == "no-index-has-other-bytes"
        messages = {one["where"]: one for one in failed["findings"]}
        assert set(messages) == {WHEEL, SDIST}
        assert "different contents" in messages[WHEEL]["message"]
        assert "content of 'acme_widget/__init__.py'" in messages[WHEEL]["message"]
        for way in ("bump the version", "make the build reproducible", "--dry-run-on sandbox"):
            assert way in messages[WHEEL]["remedy"]
        assert (len(posts(on.testpypi)), posts(on.pypi)) == (sent, [])
        assert told.data["uploads"] == {}


def test_the_sandbox_stands_in_for_a_burnt_testpypi_and_the_journal_says_so(tmp_path: Path) -> None:
    with indexes() as on:
        project = burnt(tmp_path, on)
        seen = len(on.testpypi.log)
        told = project.run("release", "--yes", "--dry-run-on", "sandbox")
        assert told.status == 0, told.all
        assert "compare with the dry run on sandbox" in told.out
        assert len(on.testpypi.log) == seen
        assert set(files_on(on.pypi)) == {WHEEL, SDIST}
        (journal,) = project.root.glob(f".release/1.0/{project.git('rev-parse', 'HEAD')[:12]}/journal.jsonl")
        events = [json.loads(line) for line in journal.read_text().splitlines()]
        assert [one["index"] for one in events if one["event"] == "verified"] == ["sandbox", "pypi"]


def test_a_version_that_is_burnt_on_pypi_reaches_no_index(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        assert project.run("release", "--yes").status == 0
        project.git("tag", "-d", "v1.0")
        project.write("acme_widget/__init__.py", 'def main() -> None:\n    print("other")\n')
        project.commit()
        sent = len(posts(on.testpypi)), len(posts(on.pypi))
        told = project.run("publish", "--yes", "--dry-run-on", "none")
        assert told.status == 1, told.all
        assert "pypi has 'acme_widget-1.0" in told.out
        assert "cannot be used again on pypi" in told.out
        assert (len(posts(on.testpypi)), len(posts(on.pypi))) == sent


def test_pypi_gets_nothing_that_has_not_passed_a_dry_run(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        told = project.run("publish", "--yes")
        assert told.status == 1, told.all
        assert "these files have not passed a dry run" in told.out
        assert "pypi-preflight testpypi" in told.out
        assert posts(on.pypi) == []
        assert project.git("tag") == ""


def test_a_file_that_is_replaced_after_the_dry_run_is_never_sent(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        assert project.run("testpypi").status == 0
        (wheel,) = project.root.glob(".release/*/*/dist/*.whl")
        wheel.write_bytes(wheel.read_bytes() + b"\0")
        told = project.run("publish", "--yes")
        assert told.status == 1, told.all
        assert "has changed since it was built" in told.out
        assert list(on.pypi.log) == []


def test_files_from_elsewhere_are_held_to_what_the_dry_runs_index_has(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        assert project.run("testpypi").status == 0
        dist = tmp_path / "dist"
        dist.mkdir()
        for path in project.root.glob(".release/*/*/dist/*"):
            (dist / path.name).write_bytes(path.read_bytes())
        elsewhere = project.root.parent / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "pyproject.toml").write_text(release_table(on))
        words = ("publish", "--yes", "--files", str(dist), "--dry-run-on", "testpypi")
        other = make_other(tmp_path, dist / WHEEL)
        refused = project.command(sys.executable, "-m", "release", *words, cwd=elsewhere)
        assert refused.status == 1, refused.all
        assert "is not the file that passed on testpypi" in refused.out
        assert posts(on.pypi) == []
        (dist / WHEEL).write_bytes(other)
        done = project.command(sys.executable, "-m", "release", *words, cwd=elsewhere)
        assert done.status == 0, done.all
        assert files_on(on.pypi) == files_on(on.testpypi)


def make_other(tmp_path: Path, wheel: Path) -> bytes:
    """Replace a wheel by one with another file in it; returns what it was."""
    import zipfile

    before = wheel.read_bytes()
    changed = tmp_path / "changed.whl"
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            extra = b"\n# more\n" if info.filename.endswith("__init__.py") else b""
            new.writestr(info.filename, old.read(info) + extra)
    wheel.write_bytes(changed.read_bytes())
    return before


@pytest.mark.parametrize("index", ["testpypi", "pypi"])
def test_what_is_interrupted_after_one_file_is_completed_by_the_next_run(tmp_path: Path, index: str) -> None:
    with indexes() as on:
        project = ready(tmp_path, on, "upload = { attempts = 1, deadline = 0 }")
        broken = getattr(on, index)
        broken.inject(Fault(when=RequestFilter(method="POST", filename=f"*{SDIST}"), what=CannedResponse(status=500)))
        told = project.run("release", "--yes")
        assert told.status == 4, told.all
        assert f"on {index}: {WHEEL}; not known to be on {index}: {SDIST}" in told.out
        assert "next: pypi-preflight release" in told.out
        broken.clear_faults()
        done = project.run("release", "--yes")
        assert done.status == 0, done.all
        assert files_on(on.testpypi) == files_on(on.pypi)
        assert set(files_on(on.pypi)) == {WHEEL, SDIST}
        assert [one.filename for one in posts(broken) if one.status == 200].count(WHEEL) == 1


def new_project(tmp_path: Path, on: Indexes) -> UserProject:
    project = ready(tmp_path, on)
    assert project.run("testpypi").status == 0
    return project


def test_a_new_project_is_not_created_without_its_name(tmp_path: Path) -> None:
    with indexes(real=seed_for_project("acme-widget")) as on:
        project = new_project(tmp_path, on)
        for words, said in ((("--yes",), "its name was not confirmed"),
                            (("--yes", "--new-project", "acme_widget"), "'acme_widget' is not its name")):  # fmt: skip
            told = project.run("publish", *words)
            assert told.status == 1, told.all
            assert "would create the project 'acme-widget' on pypi" in told.out
            assert said in told.out
            assert told.out.endswith("\nnext: pypi-preflight publish --new-project acme-widget\n")
            assert posts(on.pypi) == []
        done = project.run("publish", "--yes", "--new-project", "acme-widget")
        assert done.status == 0, done.all
        assert set(files_on(on.pypi)) == {WHEEL, SDIST}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("typed", "status"), [("acme-widgte", 1), ("acme-widget", 0)])
def test_a_new_projects_name_is_typed_at_the_terminal(tmp_path: Path, typed: str, status: int) -> None:
    with indexes(real=seed_for_project("acme-widget")) as on:
        project = new_project(tmp_path, on)
        screen = talk(
            project, "publish", answers=[("cannot be undone. [y/N]", "y"), ("Type its name", typed)], timeout=280
        )
        assert screen.status == status, screen.text
        assert bool(posts(on.pypi)) == (status == 0)


def test_a_file_that_is_late_on_the_page_is_told_from_one_that_is_missing(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on, 'upload = { visible-within = 0 }\ndry-run-on = "none"')
        on.pypi.inject(Fault(what=Stale(seconds=600)))
        told = project.run("publish", "--yes")
        assert told.status == 4, told.all
        assert f"pypi accepted '{WHEEL}', but does not list it yet" in told.out
        assert "confirm again later: pypi-preflight confirm acme-widget==1.0 --index pypi\n" in told.out


def test_a_release_on_github_comes_last_and_has_the_very_files(tmp_path: Path) -> None:
    with indexes() as on, running() as hub:
        project = ready(tmp_path, on, f"{STRAIGHT}\ngithub-release = true")
        with_remote(project)
        project.env |= {"GITHUB_REPOSITORY": "acme/widget", "GITHUB_API_URL": hub.url, "GH_TOKEN": hub.token}
        hub.broken.add(SDIST)
        told = project.run("publish", "--yes")
        assert told.status == 4, told.all
        assert "not done: create the GitHub release v1.0" in told.out
        assert [one["draft"] for one in hub.releases] == [True]
        hub.broken.clear()
        done = project.run("publish", "--yes")
        assert done.status == 0, done.all
        (made,) = hub.releases
        assert {one["name"]: one["digest"] for one in made["assets"]} == {
            name: f"sha256:{sha256}" for name, sha256 in files_on(on.pypi).items()
        }
        assert hub.token not in told.all + done.all
