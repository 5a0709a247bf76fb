"""Trusted publishing in the checklist: what no publisher could be is told before anything is built."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from release.checks import engine
from release.checks.credential_checks import CHECKS
from release.core.facts import Access, ProjectMetadata
from release.core.models import check_result
from release.core.models.check_result import CheckState, Finding, Outcome, Unknown
from release.core.models.credential import Ambient
from release.core.models.index import PYPI, TESTPYPI
from release.core.models.oidc_identity import (
    OidcIdentity,
    describe_job,
    parse_identity,
    public_claims,
    publisher_fields,
    publisher_form_url,
)
from release.core.models.secret_location import TrustedPublishing
from release.core.secret import Secret

REF = "refs/tags/v1.0"
CLAIMS: dict[str, Any] = {
    "iss": "https://token.actions.githubusercontent.com", "aud": "pypi", "sub": "repo:acme/widget:environment:pypi",
    "repository": "acme/widget", "repository_owner": "acme", "repository_owner_id": "1001", "environment": "pypi",
    "ref": REF, "sha": "c0ffee", "jti": "j",
    "workflow_ref": f"acme/widget/.github/workflows/release.yml@{REF}", "event_name": "push",
    "job_workflow_ref": f"acme/widget/.github/workflows/release.yml@{REF}",
}  # fmt: skip


def identity(**changes: Any) -> OidcIdentity:
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return parse_identity(Secret(f"e30.{payload}.x"), "GitHub", "pypi")


def outcomes(said: OidcIdentity | Finding | Unknown | None) -> dict[str, Outcome]:
    ambient = Ambient(provider="GitHub", origin=TrustedPublishing(provider="GitHub"), identity=said)
    access = Access(
        index=PYPI, project=ProjectMetadata(name="acme-widget", version="1.0"), credential=ambient,
        remarks=(), token=None, listing=None, now=datetime(2027, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    return {one.check: one for one in engine.run(CHECKS, access)}


FIT = "the-job-can-be-a-publisher"


def test_an_identity_is_a_credential_and_the_questions_about_tokens_are_not_asked() -> None:
    told = outcomes(identity())
    assert told["a-credential-is-found"].state is CheckState.PASSED
    assert told["the-service-vouches-for-this-job"].state is CheckState.PASSED
    assert {one.state for name, one in told.items() if "token" in name} == {CheckState.NOT_APPLICABLE}


def test_no_identity_is_the_root_of_all() -> None:
    why = Finding(message="no", remedy="yes", cause="tp.id-token-permission")
    told = outcomes(why)
    assert check_result.derive_verdict(told.values()).cause == "tp.id-token-permission"
    assert told[FIT].state is CheckState.NOT_APPLICABLE
    assert (
        outcomes(Unknown(reason="silent", remedy="wait"))["the-service-vouches-for-this-job"].state
        is CheckState.UNKNOWN
    )


def test_a_service_that_was_not_asked_stands_in_no_way() -> None:
    told = outcomes(None)
    assert told["the-service-vouches-for-this-job"].state is CheckState.NOT_APPLICABLE
    assert not told["the-service-vouches-for-this-job"].state.blocks


def test_a_job_is_described_in_one_line_and_in_a_table() -> None:
    assert describe_job(identity()) == "GitHub, repository acme/widget, workflow release.yml, environment pypi"
    assert describe_job(identity(environment=None)).endswith("workflow release.yml, no environment")
    gitlab = identity(
        iss="https://gitlab.com", project_path="acme/sub/widget", repository=None,
        ci_config_ref_uri="gitlab.com/acme/sub/widget//ci/release.yml@refs/tags/v1",
    )  # fmt: skip
    assert describe_job(gitlab) == "GitLab, repository acme/sub/widget, workflow ci/release.yml, environment pypi"
    assert publisher_fields(gitlab) == {
        "namespace": "acme/sub", "project": "widget", "workflow_filepath": "ci/release.yml", "environment": "pypi",
    }  # fmt: skip
    google = identity(iss="https://accounts.google.com", email="a@acme.test")
    assert describe_job(google) == "Google Cloud, service account a@acme.test"
    assert dict(public_claims(identity()))["job_workflow_ref"] == CLAIMS["job_workflow_ref"]
    assert "jti" not in dict(public_claims(identity()))


def test_the_page_that_mends_it_comes_filled_in_where_the_project_exists() -> None:
    assert publisher_form_url(identity(environment="a b"), TESTPYPI, "Acme.Widget", exists=True) == (
        f"{TESTPYPI.site}/manage/project/acme-widget/settings/publishing/?provider=github&owner=acme"
        "&repository=widget&workflow_filename=release.yml&environment=a+b"
    )
    assert publisher_form_url(identity(), PYPI, "acme", exists=False) == f"{PYPI.site}/manage/account/publishing/"
    circle = identity(iss="https://oidc.circleci.com")
    assert (
        publisher_form_url(circle, PYPI, "acme", exists=True) == f"{PYPI.site}/manage/project/acme/settings/publishing/"
    )


@pytest.mark.parametrize("text", ["", "a", "a.b", "a.b.c", "e30.W10.x", "e30.%%%.x", "e30.bnVsbA.x"])
def test_what_is_no_jwt_is_said_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="this is not a JWT") as caught:
        parse_identity(Secret(text), "GitHub", "pypi")
    assert len(str(caught.value)) < 50
