"""All sources together: twine's order, and no token for a host that it was not made for."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest

from release.core.models.credential import Credential, Resolution
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.secret_location import location_to_text
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.core.tokens.token import location_matches
from release.credentials import sources
from release.credentials.sources.base import SourceQuery

ACME = Index(name="acme", upload_url="https://acme.test/legacy/", simple_url="https://acme.test/simple/", kind="other")
LOCAL = Index(name="pypi", upload_url="http://127.0.0.1:9/legacy/", simple_url="http://127.0.0.1:9/simple/")
#: no keyring at all: what these tests are about lies before it
ENV = {
    **{key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ},
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}


def resolve(index: Index, env: dict[str, str], home: Path, *, every_source: bool = False) -> Resolution:
    return sources.resolve(SourceQuery(index=index, env=env, home=home, every_source=every_source))


def token(location: str = "pypi.org") -> str:
    return macaroon.to_text(macaroon.create_macaroon(location, str(uuid.uuid4()).encode(), os.urandom(32)))


def pypirc(home: Path, text: str) -> None:
    (home / ".pypirc").write_text(text, encoding="utf-8")
    (home / ".pypirc").chmod(0o600)


def used(result: Resolution) -> Credential:
    assert isinstance(result.credential, Credential)
    return result.credential


def causes(result: Resolution) -> list[tuple[str | None, str]]:
    return [(one.cause, one.severity) for one in result.remarks if one.cause != "keyring.no-backend"]


def test_nothing_anywhere_is_none(tmp_path: Path) -> None:
    result = resolve(PYPI, ENV, tmp_path)
    assert (result.credential, causes(result), result.candidates) == (None, [], ())


def test_a_variable_wins_over_the_file_and_the_file_is_told_to_be_shadowed(tmp_path: Path) -> None:
    first, second = token(), token()
    pypirc(tmp_path, f"[pypi]\npassword = {second}\n")
    result = resolve(PYPI, ENV | {"TWINE_PASSWORD": first}, tmp_path)
    assert used(result).password == Secret(first)
    assert location_to_text(used(result).origin) == "$TWINE_PASSWORD"
    assert [one.status for one in result.candidates] == ["used", "shadowed"]
    assert causes(result) == [("src.env-shadows", "warn")]
    assert causes(resolve(PYPI, ENV | {"TWINE_PASSWORD": second}, tmp_path)) == []


def test_an_empty_variable_counts_as_set(tmp_path: Path) -> None:
    """Observed: twine 7.0.0 sends the empty password."""
    pypirc(tmp_path, f"[pypi]\npassword = {token()}\n")
    result = resolve(PYPI, ENV | {"TWINE_PASSWORD": ""}, tmp_path)
    assert used(result).password == Secret("")


@pytest.mark.parametrize(
    ("index", "username", "expected", "origin"),
    [
        (PYPI, None, "__token__", "default"),
        (PYPI, "", "__token__", "environment"),
        (PYPI, "bob", "bob", "environment"),
        (PYPI, "__token__\n", "__token__\n", "environment"),
        (ACME, None, "alice", "pypirc"),
        (ACME, "", "", "environment"),
        (ACME, "bob", "bob", "environment"),
        (LOCAL, None, "__token__", "default"),
    ],
)
def test_the_username_comes_from_where_twine_takes_it(
    tmp_path: Path, index: Index, username: str | None, expected: str, origin: str
) -> None:
    pypirc(
        tmp_path,
        "[distutils]\nindex-servers = pypi acme\n[pypi]\nusername = alice\n"
        "[acme]\nrepository = https://acme.test/legacy/\nusername = alice\n",
    )
    env = ENV | {"TWINE_PASSWORD": "x"} | ({} if username is None else {"TWINE_USERNAME": username})
    credential = used(resolve(index, env, tmp_path))
    assert (credential.username, credential.username_origin.kind) == (expected, origin)


def test_a_token_of_another_index_is_passed_over_and_the_next_source_asked(tmp_path: Path) -> None:
    mine, theirs = token("test.pypi.org"), token("pypi.org")
    pypirc(tmp_path, f"[testpypi]\npassword = {mine}\n")
    env = ENV | {"TWINE_PASSWORD": theirs}
    assert used(resolve(PYPI, env, tmp_path)).password == Secret(theirs)
    result = resolve(TESTPYPI, env, tmp_path)
    assert used(result).password == Secret(mine)
    assert [one.status for one in result.candidates] == ["other-index", "used"]
    # Two indexes and a token for each are no mistake here, but twine alone would send the wrong one.
    assert causes(result) == [("cred.wrong-index", "warn")]
    assert "twine alone would send it" in result.remarks[0].message
    assert result.remarks[0].remedy == "unset TWINE_PASSWORD"
    assert causes(resolve(PYPI, env, tmp_path)) == []


@pytest.mark.parametrize("spoil", [lambda t: t, lambda t: t[:80], lambda t: f'"{t}"', lambda t: f"TWINE_PASSWORD={t}"])
@pytest.mark.parametrize("index", [TESTPYPI, ACME, LOCAL], ids=["testpypi", "acme", "local"])
def test_no_token_of_pypi_goes_anywhere_else_broken_or_not(tmp_path: Path, index: Index, spoil: object) -> None:
    value = spoil(token("pypi.org"))  # type: ignore[operator] # a lambda of the public_claims
    result = resolve(index, ENV | {"TWINE_PASSWORD": value}, tmp_path)
    assert result.credential is None
    assert causes(result) == [("cred.wrong-index", "block")]
    assert "'pypi.org'" in result.remarks[0].message
    assert value not in repr(result)


def test_a_wrong_token_in_a_place_of_this_index_alone_is_told_even_where_another_is_used(tmp_path: Path) -> None:
    pypirc(tmp_path, f"[pypi]\npassword = {token('test.pypi.org')}\n")
    result = resolve(PYPI, ENV | {"TWINE_PASSWORD": token()}, tmp_path)
    assert isinstance(result.credential, Credential)
    assert causes(result) == [("pypirc.testpypi-under-pypi", "warn")]


def test_this_machine_has_several_names() -> None:
    assert all(location_matches(name, LOCAL) for name in ("127.0.0.1", "localhost", "::1"))
    assert not location_matches("pypi.org", LOCAL)
    assert location_matches("pypi.org", PYPI)
    assert not location_matches("test.pypi.org", PYPI)
    assert not location_matches("127.0.0.1", PYPI)


@pytest.mark.parametrize(
    "name",
    [
        "UV_PUBLISH_TOKEN",
        "FLIT_PASSWORD",
        "HATCH_INDEX_AUTH",
        "POETRY_PYPI_TOKEN_PYPI",
        "PDM_PUBLISH_PASSWORD",
        "PYPI_TOKEN",
        "PYPI_API_TOKEN",
        "MATURIN_PYPI_TOKEN",
    ],
)
def test_a_password_under_another_tools_name_is_the_reason_where_nothing_else_is_there(
    tmp_path: Path, name: str
) -> None:
    result = resolve(PYPI, ENV | {name: token()}, tmp_path)
    assert result.credential is None
    assert causes(result) == [("src.wrong-env-name", "block")]
    assert f'TWINE_PASSWORD="${name}"' in result.remarks[0].remedy
    beside = resolve(PYPI, ENV | {name: token(), "TWINE_PASSWORD": token()}, tmp_path)
    assert causes(beside) == [], "another tool's credential beside ours is no mistake"
    assert [one.status for one in beside.candidates] == ["used", "other-tool"]


def test_a_broken_file_is_the_reason_only_where_nothing_else_is_there(tmp_path: Path) -> None:
    pypirc(tmp_path, "oops\n")
    assert causes(resolve(PYPI, ENV, tmp_path)) == [("pypirc.malformed", "block")]
    result = resolve(PYPI, ENV | {"TWINE_PASSWORD": token()}, tmp_path)
    assert isinstance(result.credential, Credential)
    assert causes(result) == [("pypirc.malformed", "warn")]


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"TWINE_REPOSITORY_URL": "https://test.pypi.org/legacy/"}, ["pypirc.bypassed-by-url"]),
        ({"TWINE_REPOSITORY_URL": "https://bob:hunter2@acme.test/"}, ["pypirc.bypassed-by-url"]),
        ({"TWINE_REPOSITORY": "testpypi"}, ["pypirc.bypassed-by-url"]),
        ({"TWINE_REPOSITORY_URL": PYPI.upload_url}, []),
        ({"TWINE_REPOSITORY": "pypi"}, []),
        ({"TWINE_CONFIG_FILE": "x"}, ["src.wrong-env-name"]),
    ],
)
def test_a_variable_that_points_elsewhere_is_told(tmp_path: Path, env: dict[str, str], expected: list[str]) -> None:
    result = resolve(PYPI, ENV | env | {"TWINE_PASSWORD": token()}, tmp_path)
    assert causes(result) == [(cause, "warn") for cause in expected]
    assert "hunter2" not in repr(result)


@pytest.mark.parametrize("index", [PYPI, TESTPYPI, LOCAL, ACME], ids=lambda index: index.upload_url)
@pytest.mark.parametrize("place", ["environment", "pypirc"])
def test_a_healthy_place_gives_no_remark(tmp_path: Path, index: Index, place: str) -> None:
    value, env = token(index.token_location), dict(ENV)
    if place == "environment":
        env |= {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": value}
    else:
        pypirc(
            tmp_path,
            f"[distutils]\nindex-servers = {index.name}\n[{index.name}]\n"
            f"repository = {index.upload_url}\nusername = __token__\npassword = {value}\n",
        )
    result = resolve(index, env, tmp_path)
    assert (used(result).password, result.remarks) == (Secret(value), ())
    assert used(result).username == "__token__"
