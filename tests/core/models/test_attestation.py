"""Whose word an attestation is, read from identity tokens and from what an index shows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from release.core.models.attestation import (
    PUBLISH,
    AttestationPublisher,
    parse_provenance,
    predicate_of,
    publisher_from_claims,
)

GITHUB = {
    "iss": "https://token.actions.githubusercontent.com",
    "repository": "octo/widget",
    "workflow_ref": "octo/widget/.github/workflows/release.yml@refs/tags/v1",
    "job_workflow_ref": "octo/widget/.github/workflows/release.yml@refs/tags/v1",
}
GITLAB = {
    "iss": "https://gitlab.com",
    "project_path": "octo/group/widget",
    "ci_config_ref_uri": "gitlab.com/octo/group/widget//ci/release.yml@refs/tags/v1",
    "environment": "pypi",
}
GOOGLE = {"iss": "https://accounts.google.com", "email": "robot@acme.test", "sub": "4004"}
SHARED = "octo/shared/.github/workflows/publish.yml@main"


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        (GITHUB, "GitHub, octo/widget, release.yml"),
        (GITHUB | {"environment": "pypi"}, "GitHub, octo/widget, release.yml, pypi"),
        (GITHUB | {"job_workflow_ref": SHARED}, "GitHub, octo/widget, publish.yml"),
        (GITLAB, "GitLab, octo/group/widget, ci/release.yml, pypi"),
        (GOOGLE, "Google, robot@acme.test"),
        ({"iss": "https://platform.activestate.com/api/v1/oauth/oidc"}, "ActiveState"),
        ({"iss": "https://gitlab.example.org", "project_path": "a/b"}, None),
        (GITHUB | {"repository": ""}, None),
        (GOOGLE | {"email": None}, None),
        ({}, None),
    ],
)
def test_the_publisher_is_read_from_the_identity(claims: dict[str, Any], told: str | None) -> None:
    found = publisher_from_claims(claims)
    assert (str(found) if found else None) == told


def test_a_provenance_names_each_publisher_with_its_attestations() -> None:
    bundle = {"publisher": {"kind": "GitHub", "repository": "octo/widget", "environment": None}, "attestations": [{}]}
    found = parse_provenance({"version": 1, "attestation_bundles": [bundle]})
    assert found.bundles == ((AttestationPublisher(kind="GitHub", details=(("repository", "octo/widget"),)), ("{}",)),)


@pytest.mark.parametrize(
    "data",
    [None, [], {}, {"version": 2}, {"version": 1}, {"version": 1, "attestation_bundles": [{}]}]
    + [{"version": 1, "attestation_bundles": [{"publisher": who, "attestations": []}]} for who in ({}, {"kind": 1}, 3)],
)
def test_what_is_no_provenance_is_an_error(data: Any) -> None:
    with pytest.raises(ValueError, match=r"provenance|publisher"):
        parse_provenance(data)


def statement(name: str = "acme-1.0.tar.gz", **digest: str) -> bytes:
    subject = [{"name": name, "digest": digest or {"sha256": "a" * 64}}]
    return json.dumps({"subject": subject, "predicateType": PUBLISH}).encode()


def test_a_statement_is_about_a_file_however_its_name_is_spelled() -> None:
    assert predicate_of(statement("Acme-1.0.0.tar.gz"), "acme-1.0.tar.gz", "a" * 64) == PUBLISH


@pytest.mark.parametrize(
    "signed", [statement(sha512="a" * 64), statement("acme"), b"x", b"[]", b'{"subject": [3], "predicateType": ""}']
)
def test_a_statement_about_anything_else_is_not_believed(signed: bytes) -> None:
    with pytest.raises(ValueError, match=r"subject|statement"):
        predicate_of(signed, "acme-1.0.tar.gz", "a" * 64)


@pytest.mark.parametrize(
    ("subject", "filename", "same"),
    [
        ("acme_widget-1.0-py3-none-any.whl", "acme_widget-1.0-py3-none-any.whl", True),
        ("Acme.Widget-1.0-py3-none-any.whl", "acme_widget-1.0-py3-none-any.whl", True),
        ("acme_widget-1.1-py3-none-any.whl", "acme_widget-1.0-py3-none-any.whl", False),
        ("acme_widget-1.0-py2-none-any.whl", "acme_widget-1.0-py3-none-any.whl", False),
        ("Acme-Widget-1.0.tar.gz", "acme_widget-1.0.tar.gz", True),
        ("acme_widget-1.1.tar.gz", "acme_widget-1.0.tar.gz", False),
    ],
)
def test_a_statement_names_the_file_in_any_spelling(subject: str, filename: str, *, same: bool) -> None:
    digest = "a" * 64
    statement = {"subject": [{"name": subject, "digest": {"sha256": digest}}], "predicateType": PUBLISH}
    data = json.dumps(statement).encode()
    if same:
        assert predicate_of(data, filename, digest) == PUBLISH
        return
    with pytest.raises(ValueError, match=r"^subject does not match distribution name: "):
        predicate_of(data, filename, digest)
