"""Which publisher the index finds for an identity: claim by claim, as the real server answers.

Rows marked "recorded" are answers of warehouse 6b62157, 2026-11; the others follow from its rules.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from release.acceptance.publisher_rules import (
    ClaimError,
    NoPublisherError,
    RegisteredPublisher,
    ReusedError,
    match_publisher,
)
from release.core.errors import ConfigError, UsageError
from release.sandbox import oidc_provider, server
from release.sandbox.publishers import CiJob
from release.sandbox.seed import SeedData
from tests.sandbox.sandbox_client import SandboxClient

OWN = "https://gitlab.acme.test"
PUBLISHERS: dict[str, tuple[dict[str, str], ...]] = {
    "github": (
        {"repository": "acme/widget", "workflow": "release.yml", "environment": "pypi", "owner_id": "1001"},
        {"repository": "acme/free", "workflow": "release.yml", "environment": "", "owner_id": "1001"},
    ),
    "gitlab": (
        {"repository": "acme/lab", "workflow": ".gitlab-ci.yml", "environment": "", "issuer_url": ""},
        {"repository": "acme/sub/lab", "workflow": "a.yml", "environment": "Prod", "issuer_url": ""},
        {"repository": "acme/own", "workflow": "ci.yml", "environment": "", "issuer_url": OWN},
    ),
    "google": ({"email": "acme@acme.test", "sub": ""}, {"email": "bound@acme.test", "sub": "77"}),
    "activestate": ({"organization": "acme", "project": "state", "actor_id": "1001"},),
}
#: provider → repository and workflow of the job that fits
JOBS = {
    "github": CiJob(),
    "gitlab": CiJob(provider="gitlab", repository="acme/lab", workflow=".gitlab-ci.yml", environment=None),
    "google": CiJob(provider="google"),
    "activestate": CiJob(provider="activestate", repository="acme/state"),
}
FITS, FAILS, USED = "fits", "500", "already used"
NOT_FOUND = "Publisher with matching claims was not found"
FILE = "acme/widget/.github/workflows/release.yml@refs/tags/v1.0"
NO_FILE = "Could not job extract workflow filename from OIDC claims"
NO_GITLAB_FILE = "Could not extract workflow filename from OIDC claims"


def judge(provider: str, changes: dict[str, Any], *, used: bool = False) -> str:
    """Exchange an identity whose claims differ from those that fit; None: the claim is missing."""
    usual = oidc_provider.usual_claims(JOBS[provider])
    usual |= {"iss": oidc_provider.issuer_of(JOBS[provider]), "jti": "j"}
    claims = {name: value for name, value in (usual | changes).items() if value is not None}
    candidates = [RegisteredPublisher(id=str(number), fields=one) for number, one in enumerate(PUBLISHERS[provider])]
    try:
        match_publisher(candidates, provider, claims, used=used)
    except NoPublisherError as error:
        return str(error)
    except ClaimError:
        return FAILS
    except ReusedError:
        return USED
    return FITS


GITHUB: list[tuple[dict[str, Any], str]] = [
    ({}, FITS),
    ({"environment": "PYPI"}, FITS),  # recorded
    ({"environment": "pypi "}, NOT_FOUND),
    ({"environment": ""}, NOT_FOUND),
    ({"environment": None}, NOT_FOUND),
    ({"environment": 1}, FAILS),
    ({"repository": "ACME/Widget"}, NOT_FOUND),  # recorded: the lookup compares the case, although the check does not
    ({"repository": "acme/Widget"}, NOT_FOUND),
    ({"repository": "acme"}, FAILS),  # recorded
    ({"repository": ""}, FAILS),
    ({"repository": "acme/"}, NOT_FOUND),
    ({"repository": "acme/widget/more"}, NOT_FOUND),
    ({"repository": 5}, FAILS),
    ({"repository": None}, "Missing claim 'repository'"),
    ({"repository": "acme", "sha": None}, "Missing claim 'sha'"),
    ({"repository_owner": "Acme"}, "Check failed for required claim 'repository_owner'"),
    ({"repository_owner": ""}, "Check failed for required claim 'repository_owner'"),
    ({"repository_owner": 5}, FAILS),
    ({"repository_owner_id": "9"}, NOT_FOUND),
    ({"repository_owner_id": 1001}, FAILS),
    ({"sub": ""}, FITS),  # recorded
    ({"sub": "repository_id:2002"}, FITS),
    ({"sub": None}, FITS),
    ({"job_workflow_ref": ""}, NO_FILE),  # recorded
    ({"job_workflow_ref": "acme/widget"}, NO_FILE),
    ({"job_workflow_ref": "acme/widget/.github/workflows/release.txt@refs/tags/v1.0"}, NO_FILE),
    ({"job_workflow_ref": FILE.replace("release.yml", "Release.yml")}, NOT_FOUND),  # recorded
    ({"job_workflow_ref": FILE.replace("release.yml", "release.yaml")}, NOT_FOUND),
    ({"job_workflow_ref": FILE, "ref": "refs/heads/x", "sha": "c0ffee"}, "The job_workflow_ref claim does not match,"),
    ({"job_workflow_ref": FILE, "ref": "refs/heads/x", "sha": "refs/tags/v1.0"}, FITS),
    ({"ref": "", "sha": ""}, "The ref and sha claims are empty"),
    ({"ref": None}, "Missing claim 'ref'"),
    ({"jti": ""}, FITS),  # recorded
    ({"jti": None}, "Missing claim 'jti'"),
    ({"event_name": "workflow_dispatch"}, FITS),  # recorded
    ({"event_name": "merge_group"}, FITS),
    ({"event_name": ""}, FITS),
    ({"event_name": None}, "Missing claim 'event_name'"),
    (
        {"event_name": "pull_request_target"},
        "Publishing from a workflow invoked via 'pull_request_target' is not supported.",
    ),
    ({"ref_type": "branch"}, FITS),  # recorded
    ({"workflow_ref": None, "repository_id": "9", "actor": "x"}, FITS),
    (
        {"repository": "acme/free", "job_workflow_ref": FILE.replace("widget", "free"), "environment": "any"},
        FITS,
    ),
    (
        {"repository": "acme/free", "job_workflow_ref": FILE.replace("widget", "free"), "environment": None},
        FITS,
    ),
]
SELF = {
    "iss": OWN, "project_path": "acme/own", "sub": "project_path:acme/own:ref_type:tag:ref:v1.0",
    "ci_config_ref_uri": "gitlab.acme.test/acme/own//ci.yml@refs/tags/v1.0",
}  # fmt: skip
GITLAB: list[tuple[dict[str, Any], str]] = [
    ({}, FITS),
    ({"environment": "x"}, FITS),  # recorded
    ({"project_path": "ACME/Lab"}, FITS),
    ({"project_path": "lab"}, FAILS),
    ({"project_path": ""}, FAILS),
    ({"project_path": "acme/other"}, NOT_FOUND),
    ({"ref_path": None}, "Missing claim 'ref_path'"),  # recorded
    ({"ref_path": ""}, "The ref_path and sha claims are empty"),
    ({"sub": ""}, "Check failed for required claim 'sub'"),
    ({"sub": "project_path:Acme/LAB"}, FITS),
    ({"sub": "repo:acme/lab:x"}, "Check failed for required claim 'sub'"),
    ({"ci_config_ref_uri": ""}, NO_GITLAB_FILE),
    ({"ci_config_ref_uri": "gitlab.com/acme/lab//.yml@refs/tags/v1.0"}, NO_GITLAB_FILE),
    ({"ci_config_ref_uri": "gitlab.com/acme/other//.gitlab-ci.yml@refs/tags/v1.0"}, "The ci_config_ref_uri claim does"),
    ({"ci_config_ref_uri": "gitlab.com/acme/lab//a.yml@refs/tags/v1.0"}, NOT_FOUND),
    ({"event_name": None, "pipeline_source": "merge_request_event"}, FITS),
    (SELF, FITS),
    (SELF | {"iss": "https://gitlab.com"}, NOT_FOUND),
    ({"iss": OWN}, NOT_FOUND),
    (SELF | {"ci_config_ref_uri": "gitlab.com/acme/own//ci.yml@refs/tags/v1.0"}, "The ci_config_ref_uri claim does"),
]
OTHERS: list[tuple[str, dict[str, Any], str]] = [
    ("google", {}, FITS),
    ("google", {"sub": None}, FITS),
    ("google", {"email": "x@y.z"}, NOT_FOUND),  # recorded
    ("google", {"email": "Acme@acme.test"}, NOT_FOUND),
    ("google", {"email": None}, "Missing claim 'email'"),
    ("google", {"email_verified": None}, "Missing claim 'email_verified'"),  # recorded
    ("google", {"email_verified": False}, "Check failed for required claim 'email_verified'"),
    ("google", {"email_verified": "true"}, "Check failed for required claim 'email_verified'"),
    ("google", {"email": "bound@acme.test", "sub": "77"}, FITS),
    ("google", {"email": "bound@acme.test", "sub": "78"}, NOT_FOUND),
    ("google", {"email": "bound@acme.test", "sub": None}, NOT_FOUND),
    ("activestate", {}, FITS),
    ("activestate", {"organization": "x"}, NOT_FOUND),  # recorded
    ("activestate", {"project": "State"}, NOT_FOUND),
    ("activestate", {"actor_id": None}, "Missing claim 'actor_id'"),
    ("activestate", {"sub": "bad"}, "Invalid 'subject' claim. Wrong format"),  # recorded
    ("activestate", {"sub": ""}, "Missing 'subject' claim"),
    ("activestate", {"sub": "org:acme:project:other"}, "Invalid 'subject' claim"),
    ("activestate", {"sub": "a:b:c:d"}, "Invalid 'subject' claim"),
    ("activestate", {"sub": "org:acme:project:state:more"}, FITS),
    ("activestate", {"builder": "other"}, "Check failed for required claim 'builder'"),
    ("activestate", {"actor": None, "jti": None}, FITS),
]
ROWS = [
    *(("github", *row) for row in GITHUB),
    *(("gitlab", *row) for row in GITLAB),
    *OTHERS,
]


@pytest.mark.parametrize(("provider", "changes", "expected"), ROWS)
def test_claims_are_compared_as_the_server_compares_them(provider: str, changes: dict[str, Any], expected: str) -> None:
    found = judge(provider, changes)
    assert found == expected or (expected.startswith("The ") and found.startswith(f"{expected} "))


@pytest.mark.parametrize("provider", PUBLISHERS)
def test_an_identity_counts_once_whoever_issued_it(provider: str) -> None:
    assert judge(provider, {}, used=True) == USED


WORLD: dict[str, Any] = {
    "users": [{"name": "alice"}],
    "projects": [{"name": "acme-widget", "owners": ["alice"]}],
    "publishers": [
        {"name": "any", "repository": "acme/widget", "workflow": "release.yml", "environment": None},
        {"name": "own", "provider": "gitlab", "repository": "acme/own", "workflow": "ci.yml", "issuer_url": OWN},
    ],
}
for _publisher in WORLD["publishers"]:
    _publisher["projects"] = ["acme-widget"]


def mint(**job: Any) -> tuple[int, str]:
    """Exchange the identity of a job in `WORLD`: status and the index's words."""
    with server.start_sandbox(SeedData.parse(json.dumps(WORLD | {"job": job}))) as running:
        token = running.identity_provider.token("pypi", server.utc_now())
        body = json.dumps({"token": token}).encode()
        reply = SandboxClient(sandbox=running).ask("POST", "/_/oidc/mint-token", body=body)
    if reply.status == 422:
        return 422, reply.json["errors"][0]["description"]
    return reply.status, reply.line


def test_an_environment_of_null_in_a_world_is_none_at_all() -> None:
    assert mint(environment="anything") == (200, "200 OK")
    assert mint(environment=None) == (200, "200 OK")
    assert mint(environment="") == (200, "200 OK")


def test_the_server_fails_at_a_repository_without_an_owner() -> None:
    assert mint(claims={"repository": "acme"}) == (500, "500 Internal Server Error")


def test_a_self_managed_gitlab_is_known_once_a_publisher_names_it() -> None:
    job = {"provider": "gitlab", "repository": "acme/own", "workflow": "ci.yml", "environment": None}
    assert mint(**job, issuer_url=OWN) == (200, "200 OK")
    assert mint(**job)[1].endswith(f"({NOT_FOUND})")
    unknown = (422, "unknown trusted publishing issuer")
    assert mint(**job, issuer_url="https://gitlab.other.test") == unknown
    assert mint(**job, issuer_url=f"{OWN}/") == unknown
    for provider in ("circleci", "buildkite", "semaphore"):
        assert mint(provider=provider) == unknown


def test_a_publisher_lacks_nothing_that_its_form_requires() -> None:
    for changes, error in (({"repository": None}, ConfigError), ({"issuer_url": OWN}, UsageError)):
        world = WORLD | {"publishers": [WORLD["publishers"][0] | changes]}
        with pytest.raises(error):
            SeedData.parse(json.dumps(world))
