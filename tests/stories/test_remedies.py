"""Each command in a remedy of the catalog does what the remedy says: it is run, or there is a reason why not."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from release.cli.parser import parse_command_line
from release.diagnostics.catalog import CATALOG
from release.sandbox import server
from release.sandbox.seed import SeedData
from release.sandbox.server import Sandbox
from tests import sample_distributions
from tests.credentials.sources.test_keyring_writing import BACKENDS
from tests.sandbox.sandbox_client import SandboxClient as Asking

#: how a command begins
_HEAD = re.compile(
    r"\b(python -m \w+(?: (?:set|del|--list-backends|\w+(?= shows)))?|python -c|pip (?:install|download)|git [a-z]+"
    r"|pypi-preflight(?: \w+(?= shows))?|twine (?:upload|check)|export|unset|chmod|rm|curl|gh api|auditwheel repair"
    r"|strip)(?= )"
)
#: beginnings that are run nowhere here, each with the reason
NOT_RUN = {
    "gh api": "changes a repository on GitHub",
    "auditwheel repair": "takes a compiled wheel, and works on Linux alone",
    "strip": "takes a compiled library",
    "python -m pypi_attestations": "takes an identity of a CI system, and Sigstore",
    "python -m pip": "would upgrade the pip of the tests",
    "python -m build": "every story that releases a project runs it",
}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the remedies are written for a POSIX shell")


@dataclass(kw_only=True)
class Shell:
    """A user's shell in a directory with a repository, built files, a `.pypirc` and a keyring."""

    home: Path
    sandbox: Sandbox
    env: dict[str, str] = field(default_factory=dict)

    def run(self, command: str, *, stdin: str = "", fails: bool = False) -> str:
        tools = self.home / "bin"
        if not tools.exists():
            tools.mkdir()
            for name, words in {
                "python": "",
                "pip": "-m pip",
                "twine": "-m twine",
                "keyring": "-m keyring",
                "pypi-preflight": "-m release",
            }.items():
                (tools / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words} "$@"\n')
                (tools / name).chmod(0o755)
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=self.home, input=stdin, capture_output=True, text=True, check=False,
            env={"HOME": str(self.home), "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"} | self._own() | self.env,
        )  # fmt: skip
        assert bool(done.returncode) is fails, done.stdout + done.stderr
        return done.stdout

    def _own(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(BACKENDS),
            "PREFLIGHT_KEYRING_FILE": str(self.home / "keyring.json"),
            "PYTHON_KEYRING_BACKEND": "keeping_backends.KeepingKeyring",
            "PIP_INDEX_URL": self.sandbox.simple_url,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_TARGET": str(self.home / "installed"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            **{f"GIT_{who}_{what}": "a@b.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with server.start_sandbox(SeedData()) as running:
        assert Asking(sandbox=running).upload().status == 200
        yield running


@pytest.fixture
def shell(tmp_path: Path, sandbox: Sandbox) -> Shell:
    (tmp_path / "keyring.json").write_text("[]", encoding="utf-8")
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / sample_distributions.wheel_name()).write_bytes(sample_distributions.wheel())
    return Shell(home=tmp_path, sandbox=sandbox)


def keyring_told(shell: Shell) -> None:
    assert "(priority: " in shell.run("python -m keyring --list-backends")
    assert "(priority: " in shell.run("keyring --list-backends")


def exported(shell: Shell) -> None:
    for remedy in (one.remedy_for() for one in CATALOG.values()):
        for command in re.findall(r"export (?:[A-Z_]+=(?:\"[^\"]*\"|[^\s;,]+)\s?)+", remedy):
            name = command.removeprefix("export ").partition("=")[0]
            mounted = shell.home / "mounted"
            mounted.write_text("x", encoding="utf-8")
            command = command.replace("/run/secrets/pypi_token", str(mounted))  # noqa: PLW2901 - the file of the example
            assert shell.run(f'PYPI_TOKEN=x; TWINE_USERNAME=x; {command.strip()}; printf %s "${name}"')


def unset(shell: Shell) -> None:
    shell.env["TWINE_PASSWORD"] = "x"
    assert shell.run('unset TWINE_USERNAME TWINE_PASSWORD; printf "%s" "${TWINE_PASSWORD-gone}"') == "gone"


def protected(shell: Shell) -> None:
    (shell.home / ".pypirc").write_text("[pypi]\n", encoding="utf-8")
    (shell.home / ".pypirc").chmod(0o644)
    shell.run("chmod 600 ~/.pypirc")
    assert stat.S_IMODE((shell.home / ".pypirc").stat().st_mode) == 0o600


def python_tells(shell: Shell) -> None:
    told = shell.run("python -c \"import os; print(os.path.expanduser('~/.pypirc'))\"")
    assert told.strip() == str(shell.home / ".pypirc")
    site = shell.sandbox.simple_url
    assert shell.run(f"python -c \"import urllib.request as r; print(r.urlopen('{site}').status)\"") == "200\n"


def removed(shell: Shell) -> None:
    stale = shell.home / "dist" / f"{sample_distributions.wheel_name()}.publish.attestation"
    stale.write_text("{}", encoding="utf-8")
    shell.run("rm dist/*.publish.attestation")
    assert [path.name for path in (shell.home / "dist").iterdir()] == [sample_distributions.wheel_name()]
    shell.run("rm -rf dist")
    assert not (shell.home / "dist").exists()


def zip_tested(shell: Shell) -> None:
    assert "Done" in shell.run(f"python -m zipfile -t dist/{sample_distributions.wheel_name()}")
    (shell.home / "dist" / sample_distributions.wheel_name()).write_bytes(sample_distributions.wheel()[:100])
    shell.run(f"python -m zipfile -t dist/{sample_distributions.wheel_name()}", fails=True)


def downloaded(shell: Shell) -> None:
    shell.run("pip download --no-deps --no-cache-dir acme-widget==1.0")
    assert (shell.home / sample_distributions.wheel_name()).read_bytes() == sample_distributions.wheel()


def installed(shell: Shell) -> None:
    shell.run("pip install --no-cache-dir acme-widget==1.0")
    assert (shell.home / "installed" / "acme_widget.py").is_file()
    shutil.rmtree(shell.home / "installed")
    shell.run(f"pip install --no-deps --index-url {shell.sandbox.simple_url} acme-widget==1.0")
    assert (shell.home / "installed" / "acme_widget.py").is_file()


def curled(shell: Shell) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    kind = "Accept: application/vnd.pypi.simple.v1+json"
    assert json.loads(shell.run(f"curl -s -H '{kind}' {shell.sandbox.simple_url}acme-widget/"))["files"]


def twine_checked(shell: Shell) -> None:
    assert "PASSED" in shell.run("twine check dist/*")


def twine_uploaded(shell: Shell) -> None:
    """The options that remedies name, on a way that leads to this machine."""
    (shell.home / "other").write_text(
        f"[distutils]\nindex-servers = pypi\n[pypi]\nrepository = {shell.sandbox.upload_url}\n"
        f"username = __token__\npassword = {shell.sandbox.tokens['account'].reveal()}\n",
        encoding="utf-8",
    )
    shell.run("twine upload --config-file other --repository pypi --verbose --non-interactive dist/*")


def git_searched(shell: Shell) -> None:
    shell.run("git init -q -b main . && echo 'pypi-x' > leaked && git add leaked && git commit -q -m 'leaked it'")
    assert "leaked it" in shell.run("git log --all --oneline -S pypi-")


def git_tagged(shell: Shell) -> None:
    shell.run("git init -q -b main . && git commit -q --allow-empty -m one && git status --short && git tag v1")
    assert shell.run("git rev-parse v1") == shell.run("git rev-parse HEAD")
    shell.run("git commit -q --allow-empty -m two && git switch -q --detach v1")
    assert shell.run("git rev-parse v1") == shell.run("git rev-parse HEAD")


def our_own(shell: Shell) -> None:
    """Every verb and option that a remedy names, is one."""
    del shell
    found = 0
    for remedy in (one.remedy_for() for one in CATALOG.values()):
        for words in re.findall(r"pypi-preflight ((?:[a-z]+)(?: --[a-z-]+(?: [A-Za-z-]+)?| FILE)*)", remedy):
            known = words.split(" shows")[0].split()
            parse_command_line(known, argparse.Namespace())
            found += 1
    assert found >= 4


RUN: dict[str, Callable[[Shell], None]] = {
    "python -m keyring --list-backends": keyring_told,
    "pypi-preflight": our_own,
    "pypi-preflight status": our_own,
    "python -m zipfile": zip_tested,
    "python -c": python_tells,
    "export": exported,
    "unset": unset,
    "chmod": protected,
    "rm": removed,
    "pip download": downloaded,
    "pip install": installed,
    "curl": curled,
    "twine check": twine_checked,
    "twine upload": twine_uploaded,
    "git log": git_searched,
    "git switch": git_tagged,
    "git status": git_tagged,
    "git tag": git_tagged,
}


@pytest.mark.parametrize("head", RUN)
def test_a_command_does_what_the_remedy_says(shell: Shell, head: str) -> None:
    RUN[head](shell)


def test_every_command_of_the_catalog_is_run_or_has_its_reason() -> None:
    heads = {head for one in CATALOG.values() for head in _HEAD.findall(one.remedy_for())}
    assert heads - RUN.keys() - NOT_RUN.keys() == set()
    assert RUN.keys() - heads == set(), "a command that no remedy names any more"
    assert len(heads) > 15


def test_no_remedy_shows_a_secret() -> None:
    for one in CATALOG.values():
        text = " ".join([one.title, one.explanation, *one.symptoms, *one.also, one.shows, one.remedy_for()])
        assert not re.search(r"pypi-A\w|AgE[IN]\w|eyJ\w{8}|ghp_\w{10}|-p \S{8}", text)
