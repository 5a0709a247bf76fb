"""Twine's variables: what an upload uses of them, and what is said about the others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.system.system import real_system
from release.core.errors import ReleaseError
from release.core.models.check_result import Finding
from release.core.models.credential import Resolution
from release.core.models.index import PYPI, Index
from release.core.models.secret_location import ConfigFileKey, EnvironmentVariable, PrivateFile
from release.core.secret import Secret
from release.credentials.sources import environment, tool_variables
from release.credentials.sources.base import SourceQuery, SourceResult, StorageQuery
from tests.fake_tokens import token

TOKEN = token()
ON_POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the commands are of a POSIX shell")
SWAPPED = (
    "$TWINE_USERNAME has the token and $TWINE_PASSWORD its username: they are swapped; pypi-preflight uses neither, "
    "twine alone would send them so"
)
NO_SLASH = (
    f"{PYPI.upload_url.rstrip('/')!r} has no final slash: pypi-preflight uploads to {PYPI.upload_url!r}; twine alone "
    "would be redirected, and stop"
)
ALONE = f"uploads to {PYPI.upload_url!r} and does not read it; twine alone would upload there"


def find(**env: str) -> SourceResult:
    return environment.find(SourceQuery(index=PYPI, env=env, home=Path()))


def remark(result: SourceResult) -> Finding:
    (found,) = result.remarks
    assert found.severity == "warn"
    return found


def storage(env: dict[str, str], **rest: object) -> StorageQuery:
    system = replace(real_system(), env=env)
    return StorageQuery(
        system=system, index=PYPI, resolved=Resolution(credential=None), directory=Path(), **rest  # type: ignore[arg-type]
    )  # fmt: skip


def test_an_empty_variable_counts_as_set() -> None:
    none, empty = find(), find(TWINE_PASSWORD="", TWINE_USERNAME="")
    assert (none.username, none.password, none.remarks) == (None, None, ())
    assert (empty.username, empty.password, empty.remarks) == ("", Secret(""), ())
    assert empty.origin == EnvironmentVariable(name="TWINE_PASSWORD")
    assert empty.username_origin == EnvironmentVariable(name="TWINE_USERNAME")


@ON_POSIX
@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("__token__ ", SWAPPED),
        ("other", "$TWINE_USERNAME has the token, which must be in $TWINE_PASSWORD; pypi-preflight does not use it"),
        (None, "$TWINE_USERNAME has the token, which must be in $TWINE_PASSWORD; pypi-preflight does not use it"),
    ],
)  # fmt: skip
def test_a_token_in_place_of_the_username_is_not_used(password: str | None, message: str) -> None:
    env = {"TWINE_USERNAME": TOKEN} | ({} if password is None else {"TWINE_PASSWORD": password})
    found = find(**env)
    assert (found.username, found.password, found.origin) == (None, None, None)
    swapped = remark(found)
    assert (swapped.message, swapped.where, swapped.cause) == (message, "$TWINE_USERNAME", "cred.swapped")
    assert swapped.remedy == 'export TWINE_PASSWORD="$TWINE_USERNAME" && export TWINE_USERNAME=__token__'
    in_ci = remark(find(**env, GITHUB_ACTIONS="true"))
    assert in_ci.remedy == "pass the secret as TWINE_PASSWORD, and __token__ as TWINE_USERNAME, in the workflow"


@ON_POSIX
def test_a_token_in_both_variables_is_sent_as_the_password_alone() -> None:
    found = find(TWINE_USERNAME=TOKEN, TWINE_PASSWORD=TOKEN)
    assert (found.username, found.password) == (None, Secret(TOKEN))
    said = remark(found)
    assert said.message == (
        "$TWINE_USERNAME has a token: pypi-preflight sends '__token__' as the username, twine alone would send it"
    )
    assert (said.remedy, said.where, said.cause) == (
        "export TWINE_USERNAME=__token__", "$TWINE_USERNAME", "cred.username-not-token",
    )  # fmt: skip


@ON_POSIX
@pytest.mark.parametrize(
    ("env", "message", "remedy", "where", "cause"),
    [
        ({"TWINE_REPOSITORY_URL": "https://user:x@acme.test/legacy/"},
         f"$TWINE_REPOSITORY_URL is 'https://acme.test/legacy/': pypi-preflight {ALONE}",
         "unset TWINE_REPOSITORY_URL", "$TWINE_REPOSITORY_URL", "pypirc.bypassed-by-url"),
        ({"TWINE_REPOSITORY": "acme"}, f"$TWINE_REPOSITORY is 'acme': pypi-preflight {ALONE}",
         "unset TWINE_REPOSITORY", "$TWINE_REPOSITORY", "pypirc.bypassed-by-url"),
        ({"TWINE_REPOSITORY_URL": PYPI.upload_url.rstrip("/")},
         NO_SLASH,
         "unset TWINE_REPOSITORY_URL", "$TWINE_REPOSITORY_URL", "url.no-trailing-slash"),
        ({"TWINE_CONFIG_FILE": ""},
         "$TWINE_CONFIG_FILE is set, but neither pypi-preflight nor twine reads it: they read ~/.pypirc",
         "unset TWINE_CONFIG_FILE", "$TWINE_CONFIG_FILE", "src.wrong-env-name"),
    ],
)  # fmt: skip
def test_other_variables_of_twine(env: dict[str, str], message: str, remedy: str, where: str, cause: str) -> None:
    said = remark(find(**env))
    assert (said.message, said.remedy, said.where, said.cause) == (message, remedy, where, cause)


@pytest.mark.parametrize(
    "env",
    [
        {"TWINE_REPOSITORY_URL": PYPI.upload_url},
        {"TWINE_REPOSITORY_URL": PYPI.upload_url, "TWINE_REPOSITORY": "acme"},  # the address wins
        {"TWINE_REPOSITORY": "pypi"},
        {"TWINE_REPOSITORY": "", "TWINE_REPOSITORY_URL": ""},
    ],
)
def test_what_means_the_index_is_no_mistake(env: dict[str, str]) -> None:
    assert find(**env).remarks == ()


def test_twine_alone_would_pass_over_the_file() -> None:
    line = ConfigFileKey(path="~/.pypirc", section="pypi", key="password", line=2)
    query = SourceQuery(index=PYPI, env={"TWINE_REPOSITORY_URL": PYPI.upload_url}, home=Path())
    (found,) = environment.passed_over_by_twine(query, line)
    assert found.message == (
        "pypi-preflight uploads with ~/.pypirc, line 2, [pypi] password; twine alone would not read that file, "
        "because $TWINE_REPOSITORY_URL is set"
    )
    assert (found.remedy, found.where, found.cause) == (
        "unset TWINE_REPOSITORY_URL", "$TWINE_REPOSITORY_URL", "pypirc.bypassed-by-url",
    )  # fmt: skip
    variable = EnvironmentVariable(name="TWINE_PASSWORD")
    assert not list(environment.passed_over_by_twine(query, variable))
    for url in ("", "https://acme.test/"):
        other = replace(query, env={"TWINE_REPOSITORY_URL": url})
        assert not list(environment.passed_over_by_twine(other, line))


def test_variables_are_listed_once_with_their_projects() -> None:
    configured = {
        EnvironmentVariable(name="ACME"): ("acme",), EnvironmentVariable(name="ABSENT"): ("b",),
        EnvironmentVariable(name="TWINE_PASSWORD"): ("c",), PrivateFile(path="x"): ("d",),
    }  # fmt: skip
    found = list(environment.locate(storage({"TWINE_PASSWORD": "1", "ACME": "2", "X": "3"}, configured=configured)))
    assert [(one.location, one.secret, one.projects) for one in found] == [
        (EnvironmentVariable(name="TWINE_PASSWORD"), Secret("1"), ("c",)),
        (EnvironmentVariable(name="ACME"), Secret("2"), ("acme",)),
    ]
    assert not any(one.replaceable for one in found)
    assert {one.source for one in found} == {"environment"}
    (alone,) = environment.locate(storage({"TWINE_PASSWORD": "1"}))
    assert alone.projects == ()
    assert alone.manual_change == (
        "in this shell, run: read -rs TWINE_PASSWORD && export TWINE_PASSWORD, and paste the new token; "
        "then change it where it is set: shell profile, .env file, settings of the CI service"
    )
    with pytest.raises(ReleaseError, match=r"^\$TWINE_PASSWORD cannot be changed from here$") as refused:
        environment.replace(alone, Secret("new"), storage({}))
    assert refused.value.remedy == alone.manual_change


def test_the_variables_of_other_tools() -> None:
    env = {"UV_PUBLISH_TOKEN": "1", "ACME_PYPI_TOKEN": "2", "FLIT_PASSWORD": " ", "HOME": "/", "TWINE_PASSWORD": "3"}
    found = tool_variables.find(SourceQuery(index=PYPI, env=env, home=Path()))
    assert found is not None
    assert [(one.origin, one.tool, one.status, one.password) for one in found.candidates] == [
        (EnvironmentVariable(name="ACME_PYPI_TOKEN"), "no tool", "other-tool", Secret("2")),
        (EnvironmentVariable(name="UV_PUBLISH_TOKEN"), "uv", "other-tool", Secret("1")),
    ]
    assert (found.password, found.username) == (None, None)
    assert tool_variables.find(SourceQuery(index=PYPI, env={"FLIT_PASSWORD": "", "HOME": "/"}, home=Path())) is None
    located = list(tool_variables.locate(storage(env)))
    assert [(one.source, one.location) for one in located] == [
        ("tool variables", EnvironmentVariable(name=name)) for name in ("ACME_PYPI_TOKEN", "UV_PUBLISH_TOKEN")
    ]


@pytest.mark.parametrize(
    ("name", "index", "expected"),
    [
        ("TWINE_PASSWORD", "pypi", True),
        ("TWINE_PASSWORD", "testpypi", False),
        ("TEST_PYPI_TOKEN", "pypi", False),
        ("TEST_PYPI_TOKEN", "TestPyPI", True),
        ("TESTPYPI_API_TOKEN", "testpypi", True),
        ("HOME", "pypi", False),
        ("TEST_HOME", "testpypi", False),
    ],
)
def test_a_secret_of_a_ci_service_is_for_an_index_by_its_name(name: str, index: str, expected: bool) -> None:
    assert tool_variables.is_for(name, Index(name=index, upload_url="", simple_url="")) is expected
