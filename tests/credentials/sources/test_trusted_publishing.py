"""The last source: a service that vouches for the job, where no password is anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.oidc import provider as oidc
from release.core.models.check_result import Finding
from release.core.models.credential import Ambient, Credential
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.oidc_identity import OidcProvider
from release.core.models.secret_location import EnvironmentVariable, TrustedPublishing, location_to_text
from release.credentials.sources import trusted_publishing
from release.credentials.sources.base import SourceQuery
from tests.credentials.sources.test_resolve import ACME, ENV, LOCAL, causes, pypirc, resolve, token, used

GITHUB = {"GITHUB_ACTIONS": "true"}
ALLOWED = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "t", "ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/"}

SIGNS: dict[str, tuple[dict[str, str], OidcProvider | None]] = {
    "nothing": ({}, None),
    "GitHub": (GITHUB, "GitHub"),
    "GitLab": ({"GITLAB_CI": "true"}, "GitLab"),
    "CircleCI": ({"CIRCLECI": "true"}, "CircleCI"),
    "Buildkite": ({"BUILDKITE": "true"}, "Buildkite"),
    "a Google account": ({"GOOGLE_SERVICE_ACCOUNT_NAME": "a@acme.test"}, "Google Cloud"),
    "some CI": ({"CI": "true"}, None),
    "empty": ({"GITHUB_ACTIONS": "", "GITLAB_CI": ""}, None),
    "two, in the order of id": ({"GITLAB_CI": "true"} | GITHUB, "GitHub"),
}


def find(env: dict[str, str]) -> Ambient | None:
    result = trusted_publishing.find(SourceQuery(index=PYPI, env=env, home=Path()))
    return result.ambient if result else None


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not in Google's cloud, wherever the tests run."""
    monkeypatch.setattr(oidc, "_MACHINE", tmp_path / "product_name")


@pytest.mark.parametrize("row", SIGNS)
def test_the_service_is_told_by_its_variables(row: str) -> None:
    env, provider = SIGNS[row]
    assert oidc.detect_provider(env) == provider
    found = find(env)
    assert (found.provider if found else None) == provider


def test_a_machine_in_googles_cloud_says_so_itself(tmp_path: Path) -> None:
    (tmp_path / "product_name").write_text("Google Compute Engine\n")
    assert oidc.detect_provider({}) == "Google Cloud"
    (tmp_path / "product_name").write_text("ThinkPad\n")
    assert oidc.detect_provider({}) is None


def test_the_origin_is_named_and_nothing_is_asked() -> None:
    found = find(GITHUB | ALLOWED)
    assert found == Ambient(
        provider="GitHub",
        origin=TrustedPublishing(provider="GitHub"),
    )


@pytest.mark.parametrize("missing", sorted(ALLOWED))
def test_a_job_without_the_permission_is_told_what_it_lacks(missing: str) -> None:
    found = find({**GITHUB, **ALLOWED, missing: ""})
    assert found is not None
    assert isinstance(found.identity, Finding)
    assert found.identity.cause == "tp.id-token-permission"
    assert "permissions: id-token: write" in found.identity.remedy


@pytest.mark.parametrize(("index", "uses"), [(PYPI, True), (TESTPYPI, True), (LOCAL, True), (ACME, False)])
def test_indexes_of_pypis_kind_take_identities_and_no_others(index: Index, uses: bool, tmp_path: Path) -> None:
    found = resolve(index, ENV | GITHUB | ALLOWED, tmp_path).credential
    assert isinstance(found, Ambient) == uses


def test_any_password_goes_before_an_identity_and_that_is_said(tmp_path: Path) -> None:
    env = ENV | GITHUB | ALLOWED
    assert isinstance(resolve(PYPI, env, tmp_path).credential, Ambient)
    given = resolve(PYPI, env | {"TWINE_PASSWORD": token()}, tmp_path)
    assert location_to_text(used(given).origin) == "$TWINE_PASSWORD"
    assert causes(given) == [("tp.mixed-credentials", "warn")]
    pypirc(tmp_path, f"[pypi]\npassword = {token()}\n")
    assert isinstance(resolve(PYPI, env, tmp_path).credential, Credential)


def test_a_password_without_leave_to_ask_for_an_identity_is_nothing_to_speak_of(tmp_path: Path) -> None:
    assert causes(resolve(PYPI, ENV | GITHUB | {"TWINE_PASSWORD": token()}, tmp_path)) == []


def test_an_empty_password_counts_as_one(tmp_path: Path) -> None:
    """As twine counts it, which then sends the empty one."""
    found = resolve(PYPI, ENV | GITHUB | ALLOWED | {"TWINE_PASSWORD": ""}, tmp_path)
    assert len(used(found).password) == 0


def test_a_token_of_another_index_is_no_password_for_this_one(tmp_path: Path) -> None:
    env = ENV | GITHUB | ALLOWED | {"TWINE_PASSWORD": token(TESTPYPI.token_location)}
    assert isinstance(resolve(PYPI, env, tmp_path).credential, Ambient)
    assert isinstance(resolve(TESTPYPI, env, tmp_path).credential, Credential)


def test_a_secret_of_the_job_that_is_used_instead_is_named_with_its_page() -> None:
    variable = EnvironmentVariable(name="TWINE_PASSWORD")
    for more, page in (({}, ""), ({"GITHUB_REPOSITORY": "a/b"}, ": https://github.com/a/b/settings/secrets/actions")):
        query = SourceQuery(index=PYPI, env=GITHUB | ALLOWED | more, home=Path(), used=variable)
        found = trusted_publishing.find(query)
        assert found is not None
        (remark,) = found.remarks
        assert remark.message == ("$TWINE_PASSWORD is used instead of the identity that GitHub issues for this job")
        assert remark.remedy == (
            f"to use trusted publishing, remove $TWINE_PASSWORD from the job and delete the secret{page}"
        )
        assert (remark.where, remark.cause, found.ambient) == ("$TWINE_PASSWORD", "tp.mixed-credentials", None)
