"""A project travels the whole road: checked, built, rehearsed, dry-run, released, confirmed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from release.sandbox.certificates import temporary_certificates
from release.sandbox.seed import SeedData
from tests.stories.project import UserProject, files_on, indexes, make, posts, release_table

WAIVED_SMOKE_TEST = """
[tool.release.smoke]
commands = ["python -c 'raise SystemExit(3)'"]
[tool.release.waive]
what-was-installed-works = "the program needs a screen"
"""
WHEEL, SDIST = "acme_widget-1.0-py3-none-any.whl", "acme_widget-1.0.tar.gz"


def ready(tmp_path: Path, on: object, **options: str) -> UserProject:
    project = make(tmp_path, more=release_table(on), **options, tiny=True)  # type: ignore[arg-type] # the indexes, by their attributes
    project.credentials(on)  # type: ignore[arg-type] # the same
    project.commit()
    return project


def test_a_release_goes_through_and_a_second_run_finds_nothing_to_do(tmp_path: Path) -> None:
    with indexes() as on:
        project = make(tmp_path, more=release_table(on) + WAIVED_SMOKE_TEST, tiny=True)
        project.credentials(on)
        project.commit()
        first = project.run("release", "--yes")
        assert first.status == 0, first.all
        waived = r"^  waived .*raise SystemExit\(3\).* \[what-was-installed-works.*\] \("
        assert len(re.findall(waived, first.out, re.MULTILINE)) == 3
        assert "acme-widget 1.0 is on testpypi and pypi, confirmed" in first.out
        assert "next:" not in first.out
        assert set(files_on(on.pypi)) == {WHEEL, SDIST}
        assert files_on(on.pypi) == files_on(on.testpypi)
        assert project.git("rev-parse", "v1.0^{commit}") == project.git("rev-parse", "HEAD")

        sent = len(posts(on.testpypi)), len(posts(on.pypi))
        second = project.run("release", "--yes")
        assert second.status == 0, second.all
        assert "nothing to do: acme-widget 1.0 is on testpypi and pypi, confirmed" in second.out
        assert len(re.findall(waived, second.out, re.MULTILINE)) == 3
        assert second.out.count("raise SystemExit(3)") == first.out.count("raise SystemExit(3)")
        assert "  | * " not in second.out  # nothing was built
        assert (len(posts(on.testpypi)), len(posts(on.pypi))) == sent

        status = project.run("status", "--json").data
        (release,) = [one for one in status["releases"] if not one["rehearsal"]]
        assert release["indexes"]["pypi"] == {"files": {WHEEL: "accepted", SDIST: "accepted"}, "verified": True}
        assert project.git("status", "--porcelain") == ""

        confirmed = project.run("confirm", "--json")
        assert (confirmed.status, confirmed.data["message"]) == (
            0, "acme-widget 1.0 is on pypi, confirmed; waived: what-was-installed-works"
        )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_release_to_indexes_that_speak_https(tmp_path: Path, installer: str) -> None:
    """With certificates that only the environment names."""
    with temporary_certificates() as certificates, indexes(tls=certificates) as on:
        project = ready(tmp_path, on)
        project.env |= dict(certificates.environment) | {"RELEASE_INSTALLER": installer}
        told = project.run("release", "--yes")
        assert told.status == 0, told.all
        assert "acme-widget 1.0 is on testpypi and pypi, confirmed" in told.out
        assert on.pypi.upload_url.startswith("https://")
        healthy = project.run("verify", "--index", "pypi", "--json")
        assert healthy.status == 0, healthy.all


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["hatchling.build", "setuptools.build_meta"])
def test_a_finished_release_without_its_journal_has_nothing_to_do(tmp_path: Path, backend: str) -> None:
    """hatchling builds the same files again; setuptools writes the time into the sdist."""
    with indexes() as on:
        project = make(tmp_path, more=release_table(on))
        text = (project.root / "pyproject.toml").read_text().replace("hatchling.build", backend)
        project.write("pyproject.toml", text.replace('["hatchling"]', f'["{backend.partition(".")[0]}"]'))
        project.credentials(on)
        project.commit()
        assert project.run("release", "--yes").status == 0
        shutil.rmtree(project.root / ".release")
        sent = len(posts(on.testpypi)), len(posts(on.pypi))
        again = project.run("release", "--yes")
        assert again.status == 0, again.all
        assert "nothing to do: acme-widget 1.0 is on testpypi and pypi, confirmed" in again.out
        assert (len(posts(on.testpypi)), len(posts(on.pypi))) == sent


def test_the_verbs_one_by_one_release_the_same_bytes(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        for words in (["check"], ["build"], ["rehearse", "--built"], ["testpypi"], ["publish", "--yes"]):
            told = project.run(*words)
            assert told.status == 0, (words, told.all)
        built = {f["file"]: f["sha256"] for f in project.run("build", "--json").data["files"]}
        assert built == files_on(on.testpypi) == files_on(on.pypi)


def test_stale_files_are_never_uploaded(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        project.write("dist/acme_widget-0.9.tar.gz", "stale")
        project.write(".gitignore", "dist/\n")
        project.commit()
        assert project.run("testpypi").status == 0
        assert set(files_on(on.testpypi)) == {WHEEL, SDIST}


def test_check_shows_everything_that_fails_in_one_run(tmp_path: Path) -> None:
    """Of the source and of both indexes; the headline counts them. Nothing is built."""
    with indexes() as on:
        project = ready(tmp_path, on)
        project.write("stray.txt", "not committed")
        (project.home / ".pypirc").unlink()
        told = project.run("check")
        assert told.status == 1
        assert told.out.count("FAIL") >= 3
        assert "check the credentials for testpypi" in told.out
        assert "check the credentials for pypi" in told.out
        *_, _record, headline, _remedy, _next = told.out.splitlines()
        assert headline == "1 file changed or untracked: 'stray.txt' (and 2 more failed checks)"
        released = project.run("release", "--yes", "--json")
        assert released.status == 1
        failed = [(c["check"], c["subject"]) for c in released.data["checks"] if c["state"] == "failed"]
        assert [subject for _, subject in failed] == ["", "testpypi", "pypi"]
        assert not list(project.root.glob(".release/*/*/dist/*"))


def test_with_one_check_failing_nothing_is_built(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        project.write("stray.txt", "not committed")
        told = project.run("release", "--yes", "--json")
        assert told.status == 1
        failed = [c for c in told.data["checks"] if c["state"] == "failed"]
        assert [c["check"] for c in failed] == ["the-tree-is-clean"]
        assert "stray.txt" in failed[0]["findings"][0]["message"]
        assert not list(project.root.glob(".release/*/*/dist/*"))
        assert posts(on.testpypi) == posts(on.pypi) == []


def test_where_testpypi_refuses_pypi_sees_no_request(tmp_path: Path) -> None:
    """A name that only the upload itself shows to be locked."""
    locked = SeedData.parse('{"prohibited": ["acme-widget"]}')
    with indexes(test=locked) as on:
        project = ready(tmp_path, on)
        told = project.run("release", "--yes")
        assert told.status == 3, told.all
        assert "The name 'acme-widget' isn't allowed" in told.out
        assert posts(on.pypi) == []
        assert files_on(on.testpypi) == {}


def test_an_account_without_a_role_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    theirs = SeedData.parse(
        '{"users": [{"name": "me"}, {"name": "they"}], "projects": [{"name": "acme-widget", "owners": ["they"]}],'
        ' "tokens": [{"name": "account", "user": "me", "scope": "account"}]}'
    )
    with indexes(test=theirs) as on:
        project = ready(tmp_path, on)
        told = project.run("release", "--yes")
        assert told.status == 1, told.all
        assert "The user 'me' isn't allowed to upload to project 'acme-widget'" in told.out
        assert not list(project.root.glob(".release/*/*/dist/*"))
        assert posts(on.testpypi) == posts(on.pypi) == []


def test_nobody_to_ask_is_a_clear_refusal(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        told = project.run("publish")
        assert told.status == 1
        assert "standard input is not a terminal" in told.err
        assert "--yes" in told.err
        assert posts(on.pypi) == []


def test_the_plan_is_shown_and_nothing_is_done(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        plan = project.run("release", "--plan", "--json").data
        assert [step["step"] for step in plan["steps"]] == [
            "inspect-source", "inspect-access", "inspect-access", "build", "inspect-built",
            "upload", "verify", "upload", "verify", "promote", "tag", "upload", "verify",
        ]  # fmt: skip
        assert [step["irreversible"] for step in plan["steps"] if step["step"] == "upload"] == [False, True, True]
        assert "cannot be undone" in project.run("release", "--plan").out
        assert posts(on.testpypi) == posts(on.pypi) == []
        assert not (project.root / ".release").exists()


def test_bytes_that_differ_from_the_journal_stop_the_run_before_any_request(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        assert project.run("build").status == 0
        (wheel,) = project.root.glob(".release/*/*/dist/*.whl")
        wheel.write_bytes(wheel.read_bytes() + b" ")
        told = project.run("testpypi")
        assert told.status == 1
        assert "has changed since it was built" in told.out
        assert posts(on.testpypi) == []


def test_a_version_that_others_burnt_is_refused_without_a_request(tmp_path: Path) -> None:
    with indexes() as on:
        project = ready(tmp_path, on)
        assert project.run("testpypi").status == 0
        project.write("acme_widget/__init__.py", "def main() -> None: ...\n")
        project.commit()
        sent = len(posts(on.testpypi))
        told = project.run("testpypi")
        assert told.status in {1, 4}, told.all
        assert "acme_widget-1.0" in told.out
        assert len(posts(on.testpypi)) == sent


def test_a_project_in_a_subdirectory_with_its_own_tags(tmp_path: Path) -> None:
    with indexes() as on:
        project = make(
            tmp_path, more='[tool.release]\ntag-format = "{name}-{version}"\n' + release_table(on), tiny=True
        )
        inner = project.root / "packages" / "widget"
        inner.parent.mkdir()
        moved = [path for path in project.root.iterdir() if path.name != "packages"]
        inner.mkdir()
        for path in moved:
            path.rename(inner / path.name)
        project.credentials(on)
        project.commit()
        told = project.run("release", "--yes", "--directory", "packages/widget")
        assert told.status == 0, told.all
        assert project.git("tag") == "acme-widget-1.0"
        assert set(files_on(on.pypi)) == {WHEEL, SDIST}
