"""A token is kept in the keyring only where it comes back from there; the real library, in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from release.core.errors import ReleaseError
from release.core.models.check_result import Unknown
from release.core.models.credential import Credential
from release.core.models.index import PYPI, TESTPYPI
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.credentials.sources import keyring as source
from tests.credentials.sources.test_resolve import resolve

BACKENDS = Path(__file__).parent / "backends"


def token(location: str = "pypi.org") -> Secret:
    return Secret(macaroon.to_text(macaroon.create_macaroon(location, str(uuid.uuid4()).encode(), os.urandom(32))))


def keyring(tmp_path: Path, backend: str = "KeepingKeyring") -> dict[str, str]:
    """An environment with an empty keyring."""
    file = tmp_path / "keyring.json"
    file.write_text("[]", encoding="utf-8")
    return {
        **{key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ},
        "HOME": str(tmp_path),
        "PYTHONPATH": str(BACKENDS),
        "PREFLIGHT_KEYRING_FILE": str(file),
        "PYTHON_KEYRING_BACKEND": backend if "." in backend else f"keeping_backends.{backend}",
    }


def entries(tmp_path: Path) -> list[list[str]]:
    found: list[list[str]] = json.loads((tmp_path / "keyring.json").read_text(encoding="utf-8"))
    return found


def test_what_is_kept_is_what_an_upload_finds(tmp_path: Path) -> None:
    env, value = keyring(tmp_path), token()
    where = source.write_entry(source.upload_entry(PYPI), value, env)
    found = resolve(PYPI, env, tmp_path).credential
    assert isinstance(found, Credential)
    assert (found.username, found.password, found.origin) == ("__token__", value, where)
    assert [one[:2] for one in entries(tmp_path)] == [[PYPI.upload_url, "__token__"]]


def test_a_new_token_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    env, old, new = keyring(tmp_path), token(), token()
    source.write_entry(source.upload_entry(PYPI), old, env)
    source.write_entry(source.upload_entry(TESTPYPI), old, env)
    source.write_entry(source.upload_entry(PYPI), new, env)
    assert {one[0]: Secret(one[2]) for one in entries(tmp_path)} == {PYPI.upload_url: new, TESTPYPI.upload_url: old}


def test_one_entry_can_be_taken_away(tmp_path: Path) -> None:
    env = keyring(tmp_path)
    source.write_entry(source.upload_entry(PYPI), token(), env)
    source.delete_entry(source.upload_entry(PYPI), env)
    assert entries(tmp_path) == []
    with pytest.raises(ReleaseError, match="PasswordDeleteError"):
        source.delete_entry(source.upload_entry(PYPI), env)


@pytest.mark.parametrize(
    ("backend", "words", "cause"),
    [
        ("keyring.backends.null.Keyring", "its backend is 'null'", "keyring.no-backend"),
        ("keyring.backends.fail.Keyring", "its backend is 'fail'", "keyring.no-backend"),
        ("Forgetful", "does not return it", "keyring.no-backend"),
        ("Locked", "is locked", "keyring.hang"),
        ("Broken", "RuntimeError", "keyring.no-backend"),
        ("no.such.module.Keyring", "failed", "keyring.no-backend"),
        ("PlaintextKeyring", "readable file", None),
        ("Chain", "readable file", None),
    ],
)
def test_a_keyring_that_does_not_keep_it_safely_is_refused(
    tmp_path: Path, backend: str, words: str, cause: str | None
) -> None:
    with pytest.raises(ReleaseError, match=words) as caught:
        source.write_entry(source.upload_entry(PYPI), token(), keyring(tmp_path, backend))
    assert caught.value.cause == cause
    assert caught.value.remedy
    assert entries(tmp_path) == []
    assert "canary" not in f"{caught.value.message}{caught.value.remedy}"


@pytest.mark.parametrize("backend", ["PlaintextKeyring", "Chain"])
def test_a_readable_file_is_taken_where_it_is_asked_for(tmp_path: Path, backend: str) -> None:
    env, value = keyring(tmp_path, backend), token()
    source.write_entry(source.upload_entry(PYPI), value, env, insecure=True)
    assert [Secret(one[2]) for one in entries(tmp_path)] == [value]


def test_a_keyring_that_never_answers_costs_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "TIMEOUT", 1)
    with pytest.raises(ReleaseError, match="within 1 s") as caught:
        source.write_entry(source.upload_entry(PYPI), token(), keyring(tmp_path, "Silent"))
    assert caught.value.cause == "keyring.hang"


def test_a_keyring_that_does_not_answer_any_more_is_not_called_one_that_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = Unknown(reason="it did not answer within 1 s", remedy="unlock it", cause="keyring.hang")
    monkeypatch.setattr(source, "read_entries", lambda entries, _: dict.fromkeys(entries, unknown))
    with pytest.raises(ReleaseError, match="could not be read back: it did not answer within 1 s") as caught:
        source.write_entry(source.upload_entry(PYPI), token(), keyring(tmp_path))
    assert (caught.value.remedy, caught.value.cause) == ("unlock it", "keyring.hang")


def test_the_token_is_in_no_argument_and_no_variable_of_the_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    start = subprocess.Popen

    def spy(argv: list[str], **options: Any) -> object:
        seen.append(f"{argv} {options['env']}")
        return start(argv, **options)

    monkeypatch.setattr(subprocess, "Popen", spy)
    value = token()
    source.write_entry(source.upload_entry(PYPI), value, keyring(tmp_path))
    assert seen
    assert sys.executable in seen[0]
    assert value.reveal()[10:40] not in "".join(seen)
