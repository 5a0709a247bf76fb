"""Nothing secret goes out: not by a commit, not by a release; and nothing harmless is called a secret."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests import fake_tokens, sample_distributions
from tests.stories.project import UserProject, make

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path: Path) -> UserProject:
    return make(tmp_path)


def test_this_repository_has_no_secret_and_gives_no_false_alarm() -> None:
    """Sources, tests, documentation, and the recorded answers and outputs of real tools among them."""
    words = [sys.executable, "-m", "release", "leaks", "--json"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert '"findings": []' in done.stdout
    assert '"passed_over": []' in done.stdout
    assert done.returncode == 0


def test_a_clean_project_is_clean(project: UserProject) -> None:
    project.commit()
    told = project.run("leaks", "--history")
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith("no secret in ")


@pytest.mark.parametrize("committed", [False, True])
def test_a_token_in_the_tree_is_told_by_file_and_line_and_never_shown(project: UserProject, *, committed: bool) -> None:
    name = fake_tokens.identifier()
    token = fake_tokens.token(name)
    project.write("conf/deploy.ini", f"[x]\ntoken = {token}\n")
    if committed:
        project.commit()
    for told in (project.run("leaks"), project.run("leaks", "--json"), project.run("leaks", "conf/deploy.ini")):
        assert told.status == 1
        assert name in told.out
        assert "deploy.ini" in told.out
        assert "/manage/account/" in told.out
        assert token[5:] not in told.all
        assert not any(token[at : at + 24] in told.all for at in range(5, len(token) - 24))


def test_a_deleted_file_is_found_in_history_alone(project: UserProject) -> None:
    key = fake_tokens.private_key()
    project.write("deploy.pem", key)
    there = project.commit()
    (project.root / "deploy.pem").unlink()
    project.commit()
    assert project.run("leaks").status == 0
    told = project.run("leaks", "--history", "--json")
    assert told.status == 1
    (finding,) = told.data["findings"]
    assert (finding["kind"], finding["path"], finding["line"], finding["commit"]) == (
        "private-key",
        "deploy.pem",
        1,
        there,
    )
    assert finding["remedy"].index("create a new pair") < finding["remedy"].index("git filter-repo")
    assert not any(line in told.all for line in key.splitlines()[1:-1])


def test_a_token_in_an_archive_of_a_wheel_is_found(project: UserProject, tmp_path: Path) -> None:
    inner = sample_distributions.tarred(
        {"x.zip": sample_distributions.zipped({"notes.txt": f"\n{fake_tokens.token()}"})}
    )
    wheel = tmp_path / sample_distributions.wheel_name()
    wheel.write_bytes(sample_distributions.wheel(files={"acme_widget/data.tgz": inner}))
    told = project.run("leaks", "--json", str(wheel))
    assert told.status == 1
    (finding,) = told.data["findings"]
    assert finding["where"] == f"{wheel.name}!acme_widget/data.tgz!x.zip!notes.txt:2"
    assert finding["cause"] == "meta.secret-in-dist"


@pytest.mark.parametrize(
    "words",
    [("nowhere.txt",), ("--staged", "--history"), ("--staged", "."), ("--history", "--bogus")],
)
def test_what_makes_no_sense_is_usage(project: UserProject, words: tuple[str, ...]) -> None:
    project.commit()
    assert project.run("leaks", *words).status == 2


@pytest.mark.parametrize("words", [("--staged",), ("--history",)])
def test_without_a_repository_there_is_no_history_to_search(project: UserProject, words: tuple[str, ...]) -> None:
    told = project.run("leaks", *words)
    assert told.status == 2
    assert "not in a git repository" in told.err


def test_a_bomb_that_was_named_is_no_clean_file(project: UserProject) -> None:
    import gzip

    (project.root / "data.gz").write_bytes(gzip.compress(bytes(80 << 20), compresslevel=1))
    told = project.run("leaks", "data.gz")
    assert told.status == 1
    assert "unpacks" in told.out


def hook(project: UserProject) -> None:
    """Install the hook as git knows them."""
    project.commit()
    path = project.root / ".git" / "hooks" / "pre-commit"
    path.write_text(
        f'#!/bin/sh\nexec "{Path(sys.executable).as_posix()}" -m release leaks --staged\n', encoding="utf-8"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize("way", ["add", "all", "path"])
def test_as_a_hook_it_stops_the_commit_that_would_bring_a_secret_in(project: UserProject, way: str) -> None:
    hook(project)
    before = project.git("rev-parse", "HEAD")
    project.write("README.md", f"Publish with {fake_tokens.token()}\n")
    words = {"add": ("-m", "x"), "all": ("-a", "-m", "x"), "path": ("-m", "x", "README.md")}[way]
    if way == "add":
        project.git("add", "README.md")
        project.write("README.md", "clean again, but for the index\n")
    with pytest.raises(subprocess.CalledProcessError):
        project.git("commit", "-q", *words)
    assert project.git("rev-parse", "HEAD") == before
    project.write("README.md", "clean\n")
    project.git("add", "README.md")
    project.git("commit", "-q", "-m", "x")


def test_the_hook_for_pre_commit_is_a_command_of_this_program() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert "entry: pypi-preflight leaks --staged" in text
    assert 'pypi-preflight = "pypi_preflight.command_line:main"' in (ROOT / "pyproject.toml").read_text(
        encoding="utf-8"
    )


def test_a_release_stops_before_it_uploads_a_secret(project: UserProject) -> None:
    name = fake_tokens.identifier()
    project.write("acme_widget/_local.py", f'TOKEN = "{fake_tokens.token(name)}"\n')
    project.commit()
    told = project.run("rehearse", "--json", timeout=600)
    assert told.status == 1
    failed = [outcome for outcome in told.data["checks"] if outcome["state"] == "failed"]
    assert {outcome["check"] for outcome in failed} == {"no-token-of-an-index-leaks"}
    assert name in told.out


def test_invoke_has_the_verb(project: UserProject) -> None:
    project.write(
        "tasks.py",
        "from invoke import Collection\nfrom release import tasks; namespace = Collection.from_module(tasks)\n",
    )
    project.commit()
    told = project.command(sys.executable, "-m", "invoke", "leaks", "--history")
    assert told.status == 0, told.all
    assert "no secret" in told.out
