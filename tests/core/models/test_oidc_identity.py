"""The identity of a CI job: what its claims say, and where its publisher is added."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from release.core.models.index import PYPI
from release.core.models.oidc_identity import (
    OidcIdentity,
    OidcProvider,
    claim_text,
    describe_job,
    parse_identity,
    parse_workflow_ref,
    pending_form_url,
    public_claims,
    publisher_fields,
    publisher_form_url,
    subject_reset,
    workflow_of,
)
from release.core.secret import Secret

WORKFLOW = "acme/widget/.github/workflows/release.yml@refs/tags/v1"
GITHUB = {"repository": "acme/widget", "job_workflow_ref": WORKFLOW, "environment": "pypi"}
GITLAB = {
    "project_path": "acme/team/widget",
    "ci_config_ref_uri": "gitlab.com/acme/team/widget//ci/release.yml@refs/heads/main",
}
GOOGLE = {"email": "robot@acme.example", "sub": "1234"}
ACTIVE = {"organization": "acme", "project": "widget", "actor": "ada", "sub": "org:acme"}
SITE = PYPI.site


def identity(provider: OidcProvider, claims: dict[str, Any]) -> OidcIdentity:
    return OidcIdentity(provider=provider, audience="pypi", token=Secret("x"), claims=claims)


def jwt(payload: object) -> str:
    return f"head.{base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip('=')}.signature"


@pytest.mark.parametrize(
    ("issuer", "provider"),
    [
        ("https://token.actions.githubusercontent.com", "GitHub"),
        ("https://agent.buildkite.com", "Buildkite"),
        ("https://gitlab.acme.example", "Semaphore"),
        (None, "Semaphore"),
    ],
)
def test_a_known_issuer_decides_the_provider(issuer: str | None, provider: str) -> None:
    claims = {"aud": "pypi", "text": "?>"} | ({"iss": issuer} if issuer else {})
    found = parse_identity(Secret(jwt(claims)), "Semaphore", "testpypi")
    assert (found.provider, found.audience, found.claims) == (provider, "testpypi", claims)
    assert found.token.reveal() == jwt(claims)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no-dots", "this is not a JWT"),
        ("a.b.c", "this is not a JWT"),
        ("a.é.c", "this is not a JWT"),
        (f"a.{base64.urlsafe_b64encode(b'words').decode()}.c", "this is not a JWT"),
        (jwt(["a list"]), "this is not a JWT: its payload is not an object"),
    ],
)
def test_another_text_is_no_identity(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"this is not a JWT") as caught:
        parse_identity(Secret(text), "GitHub", "pypi")
    assert str(caught.value) == message
    assert text.rpartition(".")[2] not in str(caught.value)


def test_claims_are_shown_in_order_and_cut() -> None:
    found = identity("GitHub", {"sha": "s" * 201, "aud": ["a"], "iss": "i" * 200, "jti": "secret"})
    assert list(public_claims(found)) == [("iss", "i" * 200), ("aud", "['a']"), ("sha", "s" * 200 + "…")]
    assert [claim_text(found, name) for name in ("aud", "none")] == ["['a']", ""]
    assert claim_text(identity("GitHub", {"a": 0, "b": None}), "a") == "0"
    assert claim_text(identity("GitHub", {"a": 0, "b": None}), "b") == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (WORKFLOW, ("acme/widget", "release.yml", "refs/tags/v1")),
        ("a/b/.github/workflows/x.yaml@main", ("a/b", "x.yaml", "main")),
        ("a/b/.github/workflows/x.json@main", ("", "", "")),
        ("a/b/.github/workflows/d/x.yml@main", ("", "", "")),
        ("", ("", "", "")),
    ],
)
def test_a_workflow(text: str, expected: tuple[str, str, str]) -> None:
    assert parse_workflow_ref(text) == expected
    assert workflow_of(identity("GitHub", {"job_workflow_ref": text})) == expected
    assert workflow_of(identity("GitHub", {"workflow_ref": text}), "workflow_ref") == expected


@pytest.mark.parametrize(
    ("provider", "claims", "fields", "job"),
    [
        ("GitHub", GITHUB,
         {"owner": "acme", "repository": "widget", "workflow_filename": "release.yml", "environment": "pypi"},
         "GitHub, repository acme/widget, workflow release.yml, environment pypi"),
        ("GitHub", {}, {}, "GitHub, no repository, no workflow, no environment"),
        ("GitLab", GITLAB,
         {"namespace": "acme/team", "project": "widget", "workflow_filepath": "ci/release.yml"},
         "GitLab, repository acme/team/widget, workflow ci/release.yml, no environment"),
        ("GitLab", {"project_path": "acme/widget", "environment": "e"},
         {"namespace": "acme", "project": "widget", "environment": "e"},
         "GitLab, repository acme/widget, no workflow, environment e"),
        ("Google Cloud", GOOGLE, GOOGLE, "Google Cloud, service account robot@acme.example"),
        ("Google Cloud", {"sub": "1"}, {"sub": "1"}, "Google Cloud, service account 1"),
        ("ActiveState", ACTIVE, {"organization": "acme", "project": "widget", "actor": "ada"},
         "ActiveState, org:acme"),
        ("CircleCI", {"sub": "org/1"}, {}, "CircleCI, org/1"),
        ("Buildkite", {}, {}, "Buildkite, no subject"),
    ],
)  # fmt: skip
def test_the_publisher_of_a_job(
    provider: OidcProvider, claims: dict[str, str], fields: dict[str, str], job: str
) -> None:
    found = identity(provider, claims)
    assert publisher_fields(found) == fields
    assert list(publisher_fields(found)) == list(fields)
    assert describe_job(found) == job


def test_the_pages_where_a_publisher_is_added() -> None:
    google, circle = identity("Google Cloud", {"sub": "a b"}), identity("CircleCI", {"sub": "1"})
    of_project = f"{SITE}/manage/project/my-acme/settings/publishing/"
    assert publisher_form_url(google, PYPI, "My_Acme", exists=True) == f"{of_project}?provider=google&sub=a+b"
    assert publisher_form_url(circle, PYPI, "My_Acme", exists=True) == of_project
    pending = f"{SITE}/manage/account/publishing/"
    assert publisher_form_url(google, PYPI, "My_Acme", exists=False) == pending
    assert pending_form_url(google, PYPI, "My_Acme") == f"{pending}?provider=google&sub=a+b&project_name=My_Acme"
    assert pending_form_url(circle, PYPI, "My_Acme") == pending
    github = publisher_form_url(identity("GitHub", GITHUB), PYPI, "acme", exists=True)
    assert github.endswith(
        "/acme/settings/publishing/?provider=github&owner=acme&repository=widget"
        "&workflow_filename=release.yml&environment=pypi"
    )


COMPONENTS = " ".join(f"-f ci_id_token_sub_claim_components[]={one}" for one in ("project_path", "ref_type", "ref"))


@pytest.mark.parametrize(
    ("provider", "claims", "command"),
    [
        ("GitHub", GITHUB, "gh api --method PUT repos/acme/widget/actions/oidc/customization/sub -F use_default=true"),
        ("GitHub", {}, "gh api --method PUT repos/OWNER/NAME/actions/oidc/customization/sub -F use_default=true"),
        ("GitLab", GITLAB, f"glab api --method PUT projects/acme%2Fteam%2Fwidget {COMPONENTS}"),
        ("GitLab", {}, f"glab api --method PUT projects/GROUP%2FNAME {COMPONENTS}"),
    ],
)
def test_the_usual_subject_is_restored(provider: OidcProvider, claims: dict[str, str], command: str) -> None:
    assert subject_reset(identity(provider, claims)) == command
