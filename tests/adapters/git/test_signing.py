"""Whether git can sign a tag, tried with real keys of ssh and a program in the place of gpg."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from release.adapters.git import signing
from release.core.models.check_result import Finding, Unknown
from tests.adapters.git.test_repository import do, repository, system

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")


def signed_by(tmp_path: Path, **settings: str) -> Path:
    """A repository with settings, whose names have underscores for dots."""
    top = repository(tmp_path / "r")
    for name, value in settings.items():
        do(top, "config", name.replace("_", "."), value)
    return top


def gpg(tmp_path: Path, script: str) -> str:
    path = tmp_path / "gpg.sh"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("settings", [{}, {"tag_gpgSign": "false"}, {"commit_gpgSign": "true"}])
def test_what_signs_no_tag_is_not_tried(tmp_path: Path, settings: dict[str, str]) -> None:
    top = signed_by(tmp_path, gpg_program=gpg(tmp_path, f"touch {tmp_path}/ran; exit 1"), **settings)
    assert signing.signing_problem(system(), top) is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("setting", ["tag_gpgSign", "tag_forceSignAnnotated"])
def test_gpg_without_the_key(tmp_path: Path, setting: str) -> None:
    program = gpg(tmp_path, "echo 'gpg: signing failed: No secret key' >&2; exit 2")
    top = signed_by(tmp_path, gpg_program=program, user_signingKey="0xDEAD BEEF", **{setting: "true"})
    problem = signing.signing_problem(system(), top)
    assert isinstance(problem, Finding)
    name = setting.replace("_", ".")
    assert problem.message.startswith(f"{name} is set, but git cannot sign the release tag: ")
    assert problem.remedy.endswith(f"git config {name} false")
    if "gpg failed to sign the data" in problem.message:  # newer ones show the words of gpg
        assert "gpg --list-secret-keys '0xDEAD BEEF'; then run `git commit-tree -S" in problem.remedy


def test_a_program_that_is_not_installed(tmp_path: Path) -> None:
    top = signed_by(tmp_path, tag_gpgSign="true", gpg_program="no-such-gpg")
    problem = signing.signing_problem(system(), top)
    assert isinstance(problem, Finding)
    assert "no-such-gpg" in problem.message


def test_a_passphrase_that_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "_LIMIT", 0.2)
    top = signed_by(tmp_path, tag_gpgSign="true", gpg_program=gpg(tmp_path, "exec sleep 30"))
    problem = signing.signing_problem(system(), top)
    assert isinstance(problem, Unknown)
    assert "took more than 0.2 s" in problem.reason


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")
def test_a_key_of_ssh_and_its_absence(tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    top = signed_by(tmp_path, tag_gpgSign="true", gpg_format="ssh", user_signingKey=str(key))
    objects = sorted((top / ".git" / "objects").rglob("*"))
    assert signing.signing_problem(system(), top) is None
    assert sorted((top / ".git" / "objects").rglob("*")) == objects, "nothing is written to the repository"
    do(top, "config", "user.signingKey", str(tmp_path / "gone.pub"))
    problem = signing.signing_problem(system(), top)
    assert isinstance(problem, Finding)
    assert "gone.pub" in problem.message
    assert "gpg --list-secret-keys" not in problem.remedy
