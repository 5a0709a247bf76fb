"""The tools that people use, for real: twine uploads, pip and uv install."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.sandbox.real_clients import run_module
from tests.sandbox.sandbox_client import SandboxClient, sandbox_client


@pytest.fixture(name="pypi")
def _pypi() -> Iterator[SandboxClient]:
    with sandbox_client() as running:
        yield running


@pytest.fixture(name="dist")
def _dist(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / wheel_name()).write_bytes(wheel())
    (dist / sdist_name()).write_bytes(sdist())
    return dist


def twine(pypi: SandboxClient, dist: Path, token: str = "account", username: str = "__token__") -> tuple[int, str]:
    env = {"TWINE_PASSWORD": pypi.token(token), "TWINE_USERNAME": username, "COLUMNS": "500"}
    files = sorted(str(path) for path in dist.iterdir())
    words = ("twine", "--no-color", "upload", "--non-interactive", "--disable-progress-bar")
    return run_module(*words, "--repository-url", pypi.sandbox.upload_url, *files, env=env, home=dist.parent)


def test_twine_uploads_and_does_so_again(pypi: SandboxClient, dist: Path) -> None:
    for _ in range(2):
        status, told = twine(pypi, dist)
        assert status == 0, told
    assert pypi.files() == [wheel_name(), sdist_name()]
    assert {one.username for one in pypi.sandbox.log if one.method == "POST"} == {"alice"}


FAILURES = {
    ("revoked", "__token__"): "Invalid or non-existent authentication information. "
    "See {pypi}/help/#invalid-auth for more information.",
    ("expired", "__token__"): "Invalid API Token: token is expired, token is expired",
    ("forged", "__token__"): "Invalid API Token: signatures do not match",
    ("bob", "__token__"): "The user 'bob' isn't allowed to upload to project 'acme-widget'. "
    "See {pypi}/help/#project-name for more information.",
    ("account", "alice"): "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted "
    "Publishers instead. See {pypi}/help/#apitoken and {pypi}/help/#trusted-publishers",
}


@pytest.mark.parametrize(("token", "username"), FAILURES)
def test_twine_shows_the_indexs_words(pypi: SandboxClient, dist: Path, token: str, username: str) -> None:
    status, told = twine(pypi, dist, token, username)
    assert status == 1
    assert f"HTTPError: 403 Forbidden from {pypi.sandbox.upload_url}" in told
    assert FAILURES[token, username].format(pypi=pypi.site) in told
    assert pypi.token(token) not in told


def test_pip_downloads_and_installs(pypi: SandboxClient, tmp_path: Path) -> None:
    pypi.upload()
    pypi.upload(source=True)
    where = ("--index-url", pypi.sandbox.simple_url, "--no-deps", "--disable-pip-version-check", "--no-cache-dir")
    status, told = run_module(
        "pip", "--isolated", "download", *where, "-d", str(tmp_path / "got"), "acme-widget", home=tmp_path
    )
    assert status == 0, told
    assert (tmp_path / "got" / wheel_name()).read_bytes() == wheel()
    target = tmp_path / "target"
    status, told = run_module(
        "pip", "--isolated", "install", *where, "--target", str(target), "acme-widget==1.0", home=tmp_path
    )
    assert status == 0, told
    assert (target / "acme_widget.py").read_text(encoding="utf-8") == '__version__ = "1.0"\n'
    asked = [one.path for one in pypi.sandbox.log if one.method == "GET"]
    assert "/simple/acme-widget/" in asked


def test_uv_installs(pypi: SandboxClient, tmp_path: Path) -> None:
    pypi.upload(version="1.0")
    pypi.upload(version="1.1")
    target = tmp_path / "target"
    status, told = run_module(
        "uv", "pip", "install", "--no-config", "--cache-dir", str(tmp_path / "cache"), "--index-url",
        pypi.sandbox.simple_url, "--no-deps", "--python", sys.executable, "--target", str(target), "acme-widget",
        home=tmp_path,
    )  # fmt: skip
    assert status == 0, told
    assert (target / "acme_widget.py").read_text(encoding="utf-8") == '__version__ = "1.1"\n'
    asked = [one.path for one in pypi.sandbox.log]
    assert any(path.endswith(f"/{wheel_name(version='1.1')}") for path in asked)


def test_uv_publishes(pypi: SandboxClient, dist: Path) -> None:
    """Another uploader: it sends the same form in its own way."""
    env = {"UV_PUBLISH_TOKEN": pypi.token()}
    status, told = run_module(
        "uv", "publish", "--no-config", "--trusted-publishing", "never", "--publish-url", pypi.sandbox.upload_url,
        *sorted(str(path) for path in dist.iterdir()), env=env, home=dist.parent,
    )  # fmt: skip
    assert status == 0, told
    assert pypi.files() == [wheel_name(), sdist_name()]
