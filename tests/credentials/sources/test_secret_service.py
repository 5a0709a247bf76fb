"""The real Secret Service of a Linux desktop, on a session bus of its own: nothing of the user's is touched."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from release.core.models.check_result import Unknown
from release.core.models.credential import Credential, used_by_twine
from release.core.models.index import PYPI
from release.core.models.secret_location import location_to_text
from release.core.secret import Secret
from release.credentials import sources
from release.credentials.sources import keyring
from release.credentials.sources.base import SourceQuery
from tests import sample_distributions
from tests.credentials.sources.test_resolve import resolve
from tests.stories.project import files_on, indexes, make, release_table

_NEEDED = ("dbus-daemon", "gnome-keyring-daemon")
_MISSING = [name for name in _NEEDED if shutil.which(name) is None]

pytestmark = pytest.mark.skipif(
    bool(_MISSING),
    reason=f"{', '.join(_MISSING)} not installed: apt-get install --no-install-recommends gnome-keyring dbus-daemon",
)


@contextmanager
def session(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A session bus with directories of its own; yields the environment of whoever lives in it."""
    env = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    env |= {"HOME": str(tmp_path / "home"), "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}
    for name in ("XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        env[name] = str(tmp_path / name)
        Path(env[name]).mkdir(mode=0o700, exist_ok=True)
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--print-address=1"],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with bus:
        try:
            assert bus.stdout is not None
            yield env | {"DBUS_SESSION_BUS_ADDRESS": bus.stdout.readline().strip()}
        finally:
            bus.terminate()


@contextmanager
def daemon(env: Mapping[str, str], *, unlocked: bool) -> Iterator[None]:
    """The keyring's daemon; its first unlocking makes the keyring."""
    argv = ["gnome-keyring-daemon", "--foreground", "--components=secrets", *(["--unlock"] if unlocked else [])]
    running = subprocess.Popen(
        argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    with running:
        try:
            assert running.stdin is not None
            running.stdin.write(b"ci-password" if unlocked else b"")
            running.stdin.close()
            _wait_for(env)
            yield
        finally:
            running.terminate()


def _wait_for(env: Mapping[str, str]) -> None:
    """Until somebody on the bus is the Secret Service."""
    code = (
        "import secretstorage, sys\nsys.exit(not secretstorage.check_service_availability(secretstorage.dbus_init()))"
    )
    for _ in range(300):
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=False)
        if done.returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail("the Secret Service did not come up")


def test_a_stored_token_is_found_by_verify_and_by_twine(tmp_path: Path) -> None:
    """From the pipe into the keyring, and from there to the index, with the token in no file of ours."""
    with session(tmp_path) as env, indexes() as on:
        project = make(tmp_path, more=release_table(on))
        project.env |= env
        with daemon(env, unlocked=True):
            token = on.pypi.tokens["account"].reveal()
            stored = project.run("store", "--index", "pypi", stdin=f"{token}\n")
            assert stored.status == 0, stored.all
            assert token not in stored.all
            verified = project.run("verify", "--index", "pypi", "--json")
            assert verified.status == 0, verified.all
            assert verified.data["credential"]["origin"]["kind"] == "keyring"
            wheel = tmp_path / sample_distributions.wheel_name()
            wheel.write_bytes(sample_distributions.wheel())
            uploaded = project.command(
                sys.executable, "-m", "twine", "upload", "--non-interactive",
                "--repository-url", on.pypi.upload_url, str(wheel),
            )  # fmt: skip
            assert uploaded.status == 0, uploaded.all
        assert files_on(on.pypi) == {wheel.name: hashlib.sha256(sample_distributions.wheel()).hexdigest()}
        kept = [path for path in tmp_path.rglob("*") if path.is_file() and token.encode() in path.read_bytes()]
        assert kept == []


def test_two_projects_have_entries_of_their_own_beside_the_one_of_twine(tmp_path: Path) -> None:
    """A colon in a user name is no problem for it, and an entry is found by its whole name only."""
    with session(tmp_path) as env, daemon(env, unlocked=True):
        entries = {one: Secret(f"pypi-{one}") for one in (None, "acme-widget", "acme-gadget")}
        for name, secret in entries.items():
            entry = keyring.project_entry(PYPI, name) if name else keyring.upload_entry(PYPI)
            keyring.write_entry(entry, secret, env)
        for project, owner in (
            (None, None),
            ("Acme_Widget", "acme-widget"),
            ("acme-gadget", "acme-gadget"),
            ("x", None),
        ):
            query = SourceQuery(index=PYPI, env=env, home=tmp_path, project=project, every_source=True)
            found = sources.resolve(query)
            assert isinstance(found.credential, Credential)
            assert (found.credential.username, found.credential.password) == ("__token__", entries[owner])
            twine = used_by_twine(found.candidates)
            assert twine is not None
            assert twine.password == entries[None]
            assert found.remarks == ()
        keyring.delete_entry(keyring.upload_entry(PYPI), env)
        found = sources.resolve(SourceQuery(index=PYPI, env=env, home=tmp_path, project="x"))
        assert [one.cause for one in found.remarks] == ["keyring.other-project"]
        said = subprocess.run(
            [sys.executable, "-m", "keyring", "get", PYPI.upload_url, "__token__:acme-gadget"],
            env=env, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        assert Secret(said.strip()) == entries["acme-gadget"]


def test_a_locked_keyring_that_nobody_opens_costs_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with session(tmp_path) as env:
        with daemon(env, unlocked=True):
            where = keyring.write_entry(keyring.upload_entry(PYPI), Secret("pypi-x"), env)
            found = resolve(PYPI, env, tmp_path).credential
            assert isinstance(found, Credential)
            assert found.origin == where
            assert "SecretService" in location_to_text(where)
        with daemon(env, unlocked=False):
            monkeypatch.setattr(keyring, "TIMEOUT", 2)
            locked = keyring.find(SourceQuery(index=PYPI, env=env, home=tmp_path, username="__token__"))
            assert isinstance(locked, Unknown), "locked, and yet it answers"
            assert locked.cause == "keyring.hang"
