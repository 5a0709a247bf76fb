"""What no trusted publisher can match is named before anything is built; what only looks like it is not."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from msgspec.structs import replace

from release.adapters.oidc.job_variables import collect_job_variables
from release.checks import engine
from release.checks.credential_checks import CHECKS
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Finding, Outcome
from release.core.models.ci_job import JobVariables
from release.core.models.credential import Ambient
from release.core.models.index import PYPI, Ownership
from release.core.models.oidc_identity import OidcProvider, parse_identity
from release.core.models.secret_location import TrustedPublishing
from release.core.secret import Secret
from release.diagnostics.catalog import CATALOG
from tests.checks.test_trusted_publishing_checks import CLAIMS, FIT, REF

FILE = "acme/widget/.github/workflows/release.yml"
AT_FILE = FILE.replace("release", "a@b.release")
GITLAB: dict[str, Any] = {
    "iss": "https://gitlab.com", "aud": "pypi", "sub": "project_path:acme/lab:ref_type:tag:ref:v1", "jti": "j",
    "project_path": "acme/lab", "job_project_path": "acme/lab", "ref_path": "refs/tags/v1", "sha": "c0ffee",
    "ci_config_ref_uri": "gitlab.com/acme/lab//.gitlab-ci.yml@refs/tags/v1", "pipeline_source": "push",
}  # fmt: skip
GOOGLE: dict[str, Any] = {
    "iss": "https://accounts.google.com", "aud": "pypi", "sub": "4", "email": "a@acme.test", "email_verified": True,
}  # fmt: skip
ACTIVESTATE: dict[str, Any] = {
    "iss": "https://platform.activestate.com/api/v1/oauth/oidc", "aud": "pypi", "sub": "org:acme:project:state",
    "organization": "acme", "project": "state", "actor_id": "1", "builder": "pypi-publisher",
}  # fmt: skip
USUAL: dict[OidcProvider, dict[str, Any]] = {
    "GitHub": CLAIMS, "GitLab": GITLAB, "Google Cloud": GOOGLE, "ActiveState": ACTIVESTATE,
}  # fmt: skip
OWN_GITLAB = {
    "iss": "https://git.acme.test",
    "ci_config_ref_uri": "git.acme.test/acme/lab//.gitlab-ci.yml@refs/tags/v1",
}


def called(place: str, at: str = REF, **more: str) -> dict[str, str]:
    return {"job_workflow_ref": f"{place}@{at}", **more}


def outcomes(ambient: Ambient, ownership: Ownership | None = None) -> tuple[Outcome, ...]:
    access = Access(
        index=PYPI, project=ProjectMetadata(name="acme-widget", version="1.0"), credential=ambient,
        remarks=(), token=None, listing=None, now=datetime(2027, 1, 1, tzinfo=UTC), ownership=ownership,
    )  # fmt: skip
    return tuple(engine.run(CHECKS, access))


def outcome(ambient: Ambient, ownership: Ownership | None = None) -> Outcome:
    return next(one for one in outcomes(ambient, ownership) if one.check == FIT)


def judge_claims(service: OidcProvider, changes: dict[str, Any], ownership: Ownership | None = None) -> Outcome:
    """The outcome for an identity whose claims differ from usual ones; None: the claim is missing."""
    claims = {name: value for name, value in (USUAL.get(service, CLAIMS) | changes).items() if value is not None}
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    identity = parse_identity(Secret(f"e30.{payload}.x"), service, "pypi")
    return outcome(Ambient(provider=service, origin=TrustedPublishing(provider=service), identity=identity), ownership)


#: service, changed claims, cause, words of the remedy; a cause in parentheses is a warning
REFUSED: list[tuple[OidcProvider, dict[str, Any], str, str]] = [
    ("GitHub", {"event_name": "pull_request_target"}, "tp.event-unsupported", "push: tags"),
    ("GitHub", called("acme/shared/.github/workflows/call.yml"), "tp.reusable-workflow", "into release.yml"),
    (
        "GitHub", called(f"acme/shared/{FILE[12:]}", workflow_ref=f"acme/shared/{FILE[12:]}@{REF}"),
        "tp.reusable-workflow", "a workflow of acme/widget itself",
    ),
    ("GitHub", called(FILE.replace("release", "call"), "refs/heads/main"), "tp.reusable-workflow", "into release.yml"),
    ("GitHub", called(FILE.replace("release", "call")), "(tp.reusable-workflow)", "into release.yml"),
    ("GitHub", {"iss": "https://git.acme.test/_services/token"}, "tp.unknown-issuer", "TWINE_PASSWORD"),
    ("GitHub", {"iss": "https://token.actions.acme.ghe.com"}, "tp.unknown-issuer", "TWINE_PASSWORD"),
    ("GitHub", {"sha": None}, "tp.identity-refused", "TWINE_PASSWORD"),
    ("GitHub", {"ref": "", "sha": ""}, "tp.identity-refused", ""),
    ("GitHub", {"repository": "widget"}, "tp.reusable-workflow", ""),
    ("GitHub", {"job_workflow_ref": ""}, "tp.identity-refused", ""),
    ("GitLab", OWN_GITLAB, "tp.unknown-issuer", "TWINE_PASSWORD"),
    ("GitLab", {"iss": "https://git.acme.test/gitlab"}, "tp.unknown-issuer", "TWINE_PASSWORD"),
    ("GitLab", {"ci_config_ref_uri": None}, "tp.reusable-workflow", "ci_config_path=.gitlab-ci.yml"),
    (
        "GitLab", {"ci_config_ref_uri": "gitlab.com/acme/templates//release.yml@refs/tags/v1"},
        "tp.reusable-workflow", "glab api --method PUT projects/acme%2Flab",
    ),
    ("GitLab", {"project_path": "kim/lab"}, "tp.fork-pr", "$CI_COMMIT_TAG"),
    ("GitLab", {"sub": "ref:v1"}, "tp.custom-sub", "ci_id_token_sub_claim_components"),
    ("GitLab", {"ref_path": None}, "tp.identity-refused", ""),
    ("Google Cloud", {"email": None}, "tp.identity-refused", "--include-email"),
    ("Google Cloud", {"email_verified": False}, "tp.identity-refused", "--include-email"),
    ("ActiveState", {"builder": "other"}, "tp.identity-refused", ""),
    ("CircleCI", {"iss": "https://oidc.circleci.com/org/1"}, "tp.unknown-issuer", "API token"),
    ("Buildkite", {"iss": "https://agent.buildkite.com"}, "tp.unknown-issuer", "API token"),
    ("Semaphore", {"iss": "https://acme.semaphoreci.com"}, "tp.unknown-issuer", "API token"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "changes", "cause", "remedy"), REFUSED)
def test_claims_that_no_publisher_can_match_are_named(
    service: OidcProvider, changes: dict[str, Any], cause: str, remedy: str
) -> None:
    findings = judge_claims(service, changes).findings
    found = [str(one.cause) if one.severity == "block" else f"({one.cause})" for one in findings]
    assert found == cause.split()
    assert remedy in findings[0].remedy
    assert {one.cause for one in findings} <= set(CATALOG)


INNOCENT: list[tuple[OidcProvider, dict[str, Any]]] = [
    *((service, {}) for service in USUAL),
    ("GitHub", {"environment": None}),
    ("GitHub", called(FILE, "c0ffee")),
    ("GitHub", {"sub": "repo:Acme/Widget:x"}),
    ("GitHub", {"sub": "repository_id:1"}),  # ignored since January 2026
    ("GitHub", {"sub": None}),
    *(("GitHub", {"event_name": name}) for name in ("workflow_dispatch", "release", "merge_group", "pull_request")),
    *(
        ("GitHub", called(FILE, ref, ref=ref, workflow_ref=f"{FILE}@{ref}"))
        for ref in ("refs/tags/a@b/release.yml@c", "refs/tags/wídget-1.0", "refs/heads/gh-readonly-queue/main/pr-1-c0")
    ),
    (
        "GitHub",
        called(FILE.replace("acme/w", "Acme/W"), repository="Acme/Widget", repository_owner="Acme"),
    ),
    ("GitHub", called(AT_FILE, workflow_ref=f"{AT_FILE}@{REF}")),
    ("GitLab", {"environment": "Review/1.0"}),
    ("GitLab", {"job_project_path": None}),
    ("GitLab", {"pipeline_source": "merge_request_event"}),
    ("GitLab", {"ci_config_ref_uri": "gitlab.com/acme/lab//ci/a.yml@refs/tags/v1"}),
    ("Google Cloud", {"sub": None}),
    ("ActiveState", {"jti": None, "actor": "alice"}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "changes"), INNOCENT)
def test_what_only_looks_like_it_is_not_named(service: OidcProvider, changes: dict[str, Any]) -> None:
    assert judge_claims(service, changes).findings == ()


def test_a_project_of_an_organization_may_have_registered_its_gitlab() -> None:
    assert judge_claims("GitLab", OWN_GITLAB, Ownership(name="acme-widget")).state.blocks
    warned = judge_claims("GitLab", OWN_GITLAB, Ownership(name="acme-widget", organization="acme"))
    assert not warned.state.blocks
    assert [one.cause for one in warned.findings] == ["tp.unknown-issuer"]


ON_GITHUB = {
    "GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/widget", "GITHUB_EVENT_NAME": "push",
    "GITHUB_WORKFLOW_REF": f"{FILE}@{REF}",
}  # fmt: skip
ON_GITLAB = {
    "CI_SERVER_URL": "https://gitlab.com", "CI_PROJECT_PATH": "acme/lab", "CI_CONFIG_PATH": ".gitlab-ci.yml",
    "CI_PIPELINE_SOURCE": "push",
}  # fmt: skip
#: service, changed variables, cause; "" where the job may be a publisher
JOBS: list[tuple[OidcProvider, dict[str, str], str]] = [
    ("GitHub", {}, ""),
    ("GitHub", {"GITHUB_SERVER_URL": "https://GitHub.com/"}, ""),
    ("GitHub", {"GITHUB_SERVER_URL": ""}, ""),
    ("GitHub", {"GITHUB_SERVER_URL": "https://codeberg.org"}, "tp.unknown-issuer"),
    ("GitHub", {"GITHUB_SERVER_URL": "https://acme.ghe.com"}, "tp.unknown-issuer"),
    ("GitHub", {"GITHUB_EVENT_NAME": "pull_request_target"}, "tp.event-unsupported"),
    ("GitHub", {"GITHUB_EVENT_NAME": "workflow_dispatch"}, ""),
    ("GitHub", {"GITHUB_WORKFLOW_REF": f"acme/rules/{FILE[12:]}@refs/heads/main"}, "tp.reusable-workflow"),
    ("GitHub", {"GITHUB_REPOSITORY": "Acme/Widget"}, ""),
    ("GitHub", {"GITHUB_WORKFLOW_REF": ""}, ""),
    ("GitLab", {}, ""),
    ("GitLab", {"CI_SERVER_URL": "https://git.acme.test"}, "tp.unknown-issuer"),
    ("GitLab", {"CI_CONFIG_PATH": "release.yml@acme/templates:v1"}, "tp.reusable-workflow"),
    ("GitLab", {"CI_CONFIG_PATH": "https://git.acme.test/ci.yml"}, "tp.reusable-workflow"),
    ("GitLab", {"CI_CONFIG_PATH": "ci/release.yml@Acme/lab"}, ""),
    (
        "GitLab",
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "kim/lab", "CI_MERGE_REQUEST_PROJECT_PATH": "acme/lab"},
        "tp.fork-pr",
    ),
    (
        "GitLab",
        {"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "acme/lab", "CI_MERGE_REQUEST_PROJECT_PATH": "acme/lab"},
        "",
    ),
    ("Google Cloud", {"CI_SERVER_URL": "https://git.acme.test"}, ""),
]


@pytest.mark.parametrize(("service", "changes", "cause"), JOBS)
def test_the_variables_show_it_before_an_identity_is_requested(
    service: OidcProvider, changes: dict[str, str], cause: str
) -> None:
    env = {"GitHub": ON_GITHUB, "GitLab": ON_GITLAB}.get(service, {}) | changes
    ambient = Ambient(
        provider=service, origin=TrustedPublishing(provider=service), job=collect_job_variables(env, service)
    )
    assert [one.cause for one in outcome(ambient).findings] == cause.split()


def test_a_pull_request_of_a_fork_is_read_from_the_event(tmp_path: Path) -> None:
    def job(source: str) -> Ambient:
        event = {
            "pull_request": {"head": {"repo": {"full_name": source}}, "base": {"repo": {"full_name": "acme/widget"}}}
        }
        (tmp_path / "event.json").write_text(json.dumps(event))
        env = ON_GITHUB | {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
        ambient = Ambient(provider="GitHub", origin=TrustedPublishing(provider="GitHub"))
        return replace(ambient, job=collect_job_variables(env, "GitHub"))

    assert [one.cause for one in outcome(job("kim/widget")).findings] == ["tp.fork-pr"]
    assert outcome(job("acme/widget")).findings == ()


def test_a_permission_is_not_asked_for_where_it_does_not_help() -> None:
    missing = Finding(message="no", remedy="add a permission", cause="tp.id-token-permission")
    origin = TrustedPublishing(provider="GitLab")
    for server, expected in (("https://git.acme.test", "tp.unknown-issuer"), ("https://gitlab.com", missing.cause)):
        ambient = Ambient(
            provider="GitLab", origin=origin, identity=missing, job=JobVariables(server=server, repository="acme/lab")
        )
        assert [found.cause for one in outcomes(ambient) for found in one.findings] == [expected]


def test_every_service_has_an_answer() -> None:
    for service in get_args(OidcProvider):
        judge_claims(service, {"iss": None})
