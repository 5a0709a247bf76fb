"""The keyring, the real library in its own process, with backends of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from release.adapters.keyring import keyring_process
from release.adapters.system.process import Pipe
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.secret_location import KeyringEntry, location_to_text
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.credentials.sources import keyring as source
from release.credentials.sources.base import SourceQuery, SourceResult
from release.credentials.sources.keyring import near_misses
from tests.credentials.sources.test_resolve import resolve

BACKENDS = Path(__file__).parent / "backends"
OTHER = Index(name="acme", upload_url="https://acme.test/legacy/", simple_url="https://acme.test/simple/", kind="other")


def find(
    index: Index, env: dict[str, str], username: str | None, child: Pipe | None = None
) -> SourceResult | Unknown | None:
    home = Path(env["HOME"])
    return source.find(SourceQuery(index=index, env=env, home=home, username=username, keyring_child=child))


def token(location: str = "pypi.org") -> str:
    return macaroon.to_text(macaroon.create_macaroon(location, str(uuid.uuid4()).encode(), os.urandom(32)))


def keyring(tmp_path: Path, *entries: tuple[str, str, str], backend: str = "FileKeyring") -> dict[str, str]:
    """An environment whose keyring has these entries: service, user, password."""
    file = tmp_path / "keyring.json"
    file.write_text(json.dumps(entries), encoding="utf-8")
    name = backend if "." in backend else f"preflight_backends.{backend}"
    return {
        **{key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ},
        "HOME": str(tmp_path),
        "PYTHONPATH": str(BACKENDS),
        "PREFLIGHT_KEYRING_FILE": str(file),
        "PYTHON_KEYRING_BACKEND": name,
    }


def test_an_entry_under_the_exact_upload_url_is_found_and_its_place_told(tmp_path: Path) -> None:
    value = token()
    found = find(PYPI, keyring(tmp_path, (PYPI.upload_url, "__token__", value)), "__token__")
    assert isinstance(found, SourceResult)
    assert found.password == Secret(value)
    assert found.origin is not None
    assert found.origin.kind == "keyring"
    for part in ("preflight_backends", repr(PYPI.upload_url), "'__token__'"):
        assert part in location_to_text(found.origin)


def test_an_index_that_is_not_pypi_gets_the_user_that_the_keyring_names(tmp_path: Path) -> None:
    found = find(OTHER, keyring(tmp_path, (OTHER.upload_url, "alice", "hunter2")), None)
    assert isinstance(found, SourceResult)
    assert (found.username, found.password) == ("alice", Secret("hunter2"))
    assert find(OTHER, keyring(tmp_path), None) is None


def test_no_entry_is_none(tmp_path: Path) -> None:
    assert find(PYPI, keyring(tmp_path, (TESTPYPI.upload_url, "__token__", token())), "__token__") is None


@pytest.mark.parametrize("index", [PYPI, TESTPYPI], ids=["pypi", "testpypi"])
def test_an_entry_under_a_name_beside_is_noticed_and_never_used(tmp_path: Path, index: Index) -> None:
    for service in list(near_misses(index))[:3]:
        found = find(index, keyring(tmp_path, (service, "__token__", token(index.token_location))), "__token__")
        assert isinstance(found, SourceResult)
        assert found.password is None
        assert [one.cause for one in found.remarks] == ["keyring.service-mismatch"]
        assert found.remarks[0].remedy == f"pypi-preflight store --index {index.name}"


def test_an_entry_of_another_user_is_noticed(tmp_path: Path) -> None:
    found = find(PYPI, keyring(tmp_path, (PYPI.upload_url, "alice", "hunter2")), "__token__")
    assert isinstance(found, SourceResult)
    assert [one.cause for one in found.remarks] == ["keyring.username-mismatch"]


def test_a_keyring_that_never_answers_costs_its_limit_and_leaves_nothing_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("release.credentials.sources.keyring.TIMEOUT", 1)
    found = resolve(PYPI, keyring(tmp_path, backend="Silent"), tmp_path).credential
    assert isinstance(found, Unknown)
    assert found.cause == "keyring.hang"
    assert "1 s" in found.reason
    if sys.platform != "win32":
        running = subprocess.run(["ps", "-eo", "ppid,args"], capture_output=True, text=True, check=False).stdout
        assert not [
            line for line in running.splitlines() if "keyring_child" in line and line.split()[0] == str(os.getpid())
        ]


@pytest.mark.parametrize(
    ("backend", "cause"),
    [
        ("Locked", "keyring.hang"),
        ("Broken", "keyring.no-backend"),
        ("no.such.module.Keyring", "keyring.no-backend"),
    ],
)
def test_a_keyring_that_fails_is_unknown_not_empty(tmp_path: Path, backend: str, cause: str) -> None:
    found = find(PYPI, keyring(tmp_path, backend=backend), "__token__")
    assert isinstance(found, Unknown)
    assert found.cause == cause


@pytest.mark.parametrize("backend", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring"])
def test_a_backend_that_keeps_nothing_is_no_keyring_and_is_not_started(tmp_path: Path, backend: str) -> None:
    """The library's own answer is the same, and takes a tenth of a second."""
    env = keyring(tmp_path, backend=backend)
    with closing(keyring_process.start_child(env)) as child:
        found = [find(PYPI, env, "__token__"), find(PYPI, env, "__token__", child)]
    assert found[0] == found[1]
    assert isinstance(found[0], SourceResult)
    assert (found[0].password, [one.cause for one in found[0].remarks]) == (None, ["keyring.no-backend"])
    assert keyring_process.start_keyring(env) is None


def test_a_keyring_module_in_the_current_directory_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project may have a file of that name."""
    (tmp_path / "keyring.py").write_text("raise SystemExit(3)", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    value = token()
    found = find(PYPI, keyring(tmp_path, (PYPI.upload_url, "__token__", value)), "__token__")
    assert isinstance(found, SourceResult)
    assert found.password == Secret(value)


def test_the_keyring_is_asked_only_where_nothing_else_has_a_password(tmp_path: Path) -> None:
    env = keyring(tmp_path, backend="Broken") | {"TWINE_PASSWORD": token()}
    found = resolve(PYPI, env, tmp_path)
    assert isinstance(found.credential, Credential)
    assert found.remarks == ()
    everything = resolve(PYPI, env, tmp_path, every_source=True)
    assert [one.cause for one in everything.remarks] == ["keyring.no-backend"]


def test_the_library_is_never_loaded_here(tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom release.credentials.sources import base, resolve\n"
        "from release.core.models.index import PYPI\n"
        "resolve(base.SourceQuery(index=PYPI, env=dict(os.environ), home=Path(sys.argv[1])))\n"
        "assert 'keyring' not in sys.modules\n"
    )
    env = keyring(tmp_path) | {"PYTHONPATH": os.pathsep.join([str(BACKENDS), str(Path(__file__).parents[3])])}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="where backends speak over the session bus")
def test_without_a_bus_the_answer_is_the_library_s_own_and_comes_without_it(tmp_path: Path) -> None:
    """The library would load every backend to say that none works."""
    env = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
    library = subprocess.run(
        [sys.executable, "-c", "import keyring; print(keyring.get_keyring().__module__)"],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert library.stdout.strip() == "keyring.backends.fail"
    assert keyring_process.start_keyring(env) is None
    found = find(PYPI, env, "__token__")
    assert isinstance(found, SourceResult)
    assert [one.message for one in found.remarks] == ["no keyring can be used: its backend is 'fail'"]


@pytest.mark.skipif(sys.platform != "linux", reason="where backends speak over the session bus")
@pytest.mark.parametrize(
    "more",
    [
        {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"},
        {"DISPLAY": ":0"},
        {"PYTHON_KEYRING_BACKEND": "keyring.backends.chainer.ChainerBackend"},
        {"XDG_RUNTIME_DIR": "here"},
        {"XDG_CONFIG_HOME": "here"},
        {"PYTHONPATH": "here"},
    ],
)
def test_whatever_may_lead_to_a_keyring_has_the_library_asked(tmp_path: Path, more: dict[str, str]) -> None:
    """A socket, a configuration, a backend that somebody installed."""
    here = tmp_path / "here"
    (here / "python_keyring").mkdir(parents=True)
    (here / "bus").touch()
    (here / "other-1.0.dist-info").mkdir()
    (here / "other-1.0.dist-info" / "entry_points.txt").write_text("[keyring.backends]\nx = x\n", encoding="utf-8")
    env = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": os.environ["PATH"]}
    child = keyring_process.start_keyring(
        env | {name: value.replace("here", str(here)) for name, value in more.items()}
    )
    assert child is not None
    child.close()


def test_where_the_keyring_cannot_be_started_each_entry_is_unknown(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    entries = [KeyringEntry(service=PYPI.upload_url, username=name) for name in ("__token__", "ann")]
    found = source.read_entries(entries, env)
    assert list(found) == entries
    assert all(isinstance(one, Unknown) and one.reason for one in found.values())
    assert source.read_entries([], env) == {}


@pytest.mark.parametrize(
    ("user", "env", "message", "cause"),
    [
        ("__token__", {"TWINE_USERNAME": "ann"},
         "the username is 'ann', but must be '__token__': the keyring has a token", "cred.username-not-token"),
        ("alice", {}, "the keyring has a password of user 'alice', but uploads need 'ann'",
         "keyring.username-mismatch"),
    ],
)  # fmt: skip
def test_an_entry_of_another_user_is_named(user: str, env: dict[str, str], message: str, cause: str) -> None:
    query = SourceQuery(index=PYPI, env=env, home=Path("/home/ann"), username="ann")
    found = source._of_another_user(query, user)
    assert (found.message, found.cause, found.where) == (message, cause, "keyring")


def test_a_token_as_the_name_of_a_user_is_not_shown() -> None:
    query = SourceQuery(index=PYPI, env={}, home=Path("/home/ann"), username="__token__")
    secret = token()
    found = source._of_another_user(query, secret)
    assert found.cause == "cred.swapped"
    assert secret not in found.message + found.remedy
    assert found.message.endswith("it must be the password")
