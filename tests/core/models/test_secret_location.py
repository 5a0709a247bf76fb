"""The text of each location, which histories and JSON documents store."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.core.models.secret_location import (
    CommandOutput,
    ConfigFileKey,
    EnvironmentVariable,
    KeyringEntry,
    NotStored,
    PrivateFile,
    SandboxToken,
    SecretLocation,
    TrustedPublishing,
    expand_home,
    location_to_json,
    project_of,
)
from tests.fake_tokens import token

ENTRY = KeyringEntry(service="https://acme.test/legacy/", username="__token__")


@pytest.mark.parametrize(
    ("location", "kind", "text"),
    [
        (EnvironmentVariable(name="TWINE_PASSWORD"), "environment", "$TWINE_PASSWORD"),
        (
            ConfigFileKey(path="~/.pypirc", section="pypi", key="password", line=7),
            "pypirc", "~/.pypirc, line 7, [pypi] password",
        ),
        (ConfigFileKey(path="~/.pypirc", section="pypi", key="password"), "pypirc", "~/.pypirc, [pypi] password"),
        (PrivateFile(path="~/a.token"), "file", "file ~/a.token"),
        (
            PrivateFile(path="a.token", unchecked=True),
            "file", "file a.token (who may read it was not judged: Windows)",
        ),
        (CommandOutput(argv=("pass", "show", "my token")), "command", "command pass show 'my token'"),
        (ENTRY, "keyring", "keyring, service 'https://acme.test/legacy/', user '__token__'"),
        (
            KeyringEntry(service=ENTRY.service, username=ENTRY.username, backend="SecretService"),
            "keyring", "keyring (SecretService), service 'https://acme.test/legacy/', user '__token__'",
        ),
        (TrustedPublishing(), "trusted-publishing", "trusted publishing, made for this upload"),
        (
            TrustedPublishing(provider="GitHub"),
            "trusted-publishing", "trusted publishing, by the identity that GitHub gives this job",
        ),
        (SandboxToken(), "sandbox", "made for this run"),
        (NotStored(description="the default for API tokens"), "default", "the default for API tokens"),
    ],
)  # fmt: skip
def test_each_location_has_its_kind_and_text(location: SecretLocation, kind: str, text: str) -> None:
    assert location_to_json(location) == {"kind": kind, "detail": text}


def test_two_descriptions_of_one_location_are_equal() -> None:
    """So that a rotation does not replace one secret twice."""
    assert {ENTRY, KeyringEntry(service=ENTRY.service, username=ENTRY.username, backend="kwallet")} == {ENTRY}
    with_line = ConfigFileKey(path="~/.pypirc", section="pypi", key="password", line=7)
    assert with_line == ConfigFileKey(path="~/.pypirc", section="pypi", key="password")


def test_a_token_in_a_command_is_not_shown() -> None:
    secret = token()
    assert secret not in location_to_json(CommandOutput(argv=("echo", secret)))["detail"]


@pytest.mark.parametrize(("path", "expected"), [("~/a", "/home/alice/a"), ("/a", "/a"), ("a", "a"), ("~a", "~a")])
def test_the_home_directory_is_expanded(path: str, expected: str) -> None:
    assert expand_home(path, Path("/home/alice")) == Path(expected)


@pytest.mark.parametrize(
    ("location", "project"),
    [
        (KeyringEntry(service="pypi", username="__token__:acme"), "acme"),
        (KeyringEntry(service="pypi", username="pypi_token:project:acme"), "acme"),
        (KeyringEntry(service="pypi", username="__token__"), None),
        (EnvironmentVariable(name="__token__:acme"), None),
        (None, None),
    ],
)
def test_the_project_of_an_entry(location: SecretLocation | None, project: str | None) -> None:
    assert project_of(location) == project


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("~/.pypirc", "/home/ann/.pypirc"), ("~\\.pypirc", "/home/ann/.pypirc"), ("~ann/x", "~ann/x"), ("a/~", "a/~"),
        ("~", "~"),
    ],
)  # fmt: skip
def test_the_home_directory_replaces_a_leading_tilde(path: str, expected: str) -> None:
    assert expand_home(path, Path("/home/ann")) == Path(expected)
