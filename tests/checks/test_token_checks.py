"""The second checklist: each way in which access fails has one finding, one cause, one remedy."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from release.checks import engine
from release.checks.credential_checks import CHECKS
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import CheckState, Finding, Outcome, Unknown
from release.core.models.credential import Credential
from release.core.models.index import PYPI, TESTPYPI, Index, IndexFile, ProjectListing
from release.core.models.secret_location import EnvironmentVariable
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.core.tokens.token import decode

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
UUID = b"00000000-0000-0000-0000-000000000000"
ACCOUNT, PUBLISHER, IDS = b'[3,"%s"]' % UUID, b'[4,"%s",null]' % UUID, b'[2,["%s"]]' % UUID
OTHER = Index(name="acme", upload_url="https://acme.test/legacy/", simple_url="https://acme.test/simple/", kind="other")
LOCAL = Index(name="pypi", upload_url="http://127.0.0.1:9/legacy/", simple_url="http://127.0.0.1:9/simple/")
VARIABLE = EnvironmentVariable(name="TWINE_PASSWORD")


def token(*caveats: bytes, location: str = "pypi.org") -> str:
    return macaroon.to_text(macaroon.create_macaroon(location, str(uuid.uuid4()).encode(), os.urandom(32), *caveats))


def listing(*filenames: str, status: str = "active") -> ProjectListing:
    files = tuple(
        IndexFile(filename=name, url=f"https://acme.test/{name}", sha256=f"{number:064}")
        for number, name in enumerate(filenames)
    )
    return ProjectListing(name="acme-widget", files=files, status=status)


def access(
    password: str | None = None, *, username: str = "__token__", index: Index = PYPI, **changes: object
) -> Access:
    """A healthy way to PyPI, changed where the case says so."""
    secret = Secret(token(ACCOUNT, location=index.token_location) if password is None else password)
    user = EnvironmentVariable(name="TWINE_USERNAME")
    healthy = Access(
        index=index,
        project=ProjectMetadata(name="Acme_Widget", version="1.1"),
        credential=Credential(username=username, username_origin=user, password=secret, origin=VARIABLE),
        remarks=(),
        token=decode(secret) if index.kind == "warehouse" else None,
        listing=listing("acme_widget-1.0-py3-none-any.whl"),
        now=NOW,
    )
    return replace(healthy, **changes)  # the names of fields


def run(facts: Access) -> list[Outcome]:
    return list(engine.run(CHECKS, facts))


def findings(facts: Access) -> Iterator[Finding]:
    for outcome in run(facts):
        assert outcome.state is not CheckState.CRASHED, outcome
        yield from outcome.findings


def summary(facts: Access) -> list[tuple[str | None, str]]:
    return [(one.cause, one.severity) for one in findings(facts)]


def blocked(facts: Access) -> list[str]:
    return [outcome.check for outcome in run(facts) if outcome.state.blocks]


@pytest.mark.parametrize(
    "facts",
    [
        access(),
        access(token(b'[1,["acme-widget"]]', IDS)),
        access(token(b'[1,["acme-widget","ACME.Widget","other"]]')),
        access(token(ACCOUNT, b'[1,["other","acme-widget"],"a field of the future"]')),
        access(token(ACCOUNT, ACCOUNT, b'[1, ["acme-widget"]]', b'[1,["acme-widget","other"]]')),
        access(
            token(b'{"version":1,"permissions":"user"}', b'{"version":1,"permissions":{"projects":["acme-widget"]}}')
        ),
        access(token(ACCOUNT, b'{"nbf":1600000000,"exp":1999999999}')),
        access(token(b'[1,["acme-widget"]]', IDS, IDS)),
        access(token()),
        access(
            token(PUBLISHER, IDS, b"[0,1795522500,1795521600]"),
            now=datetime.fromtimestamp(1795521600, UTC),
        ),
        access(index=TESTPYPI),
        access(index=LOCAL),
        access(token(ACCOUNT, location="localhost"), index=LOCAL),
        access("hunter2", username="alice", index=OTHER),
        access(listing=None),
        access(token(PUBLISHER, IDS), listing=None),
        access(listing=listing("acme_widget-1.1.tar.gz"), ours=frozenset({f"{0:064}"})),
    ],
)
def test_a_healthy_way_in_has_no_finding(facts: Access) -> None:
    assert summary(facts) == []
    assert blocked(facts) == []


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (access(credential=None, token=None), "cred.missing"),
        (access(credential=None, token=None, index=OTHER), "cred.missing"),
        (access(""), "cred.env-empty"),
        (access("", index=OTHER), "cred.env-empty"),
        (access(username="alice"), "cred.username-not-token"),
        (access(username="__token__\n"), "cred.username-whitespace"),
        (access(username="_token_"), "cred.username-typo"),
        (access(username="@token"), "cred.username-typo"),
        (access("hunter2"), "cred.account-password"),
        (access("hunter2", username="alice"), "cred.account-password"),
        (access(token(ACCOUNT)[:-9]), "cred.truncated"),
        (access("$PYPI_TOKEN"), "cred.placeholder"),
        (access(token(ACCOUNT, location="test.pypi.org")), "cred.wrong-index"),
        (access(token(ACCOUNT), index=LOCAL), "cred.wrong-index"),
        (access(token(ACCOUNT, b"[0,1795000000,0]")), "cred.expired"),
        (access(token(ACCOUNT, b"[0,1999999999,1999999990]")), "cred.not-yet-valid"),
        (access(token(ACCOUNT, b"[0,1999999999,0]", b"[0,1999999999,1999999990]")), "cred.not-yet-valid"),
        (access(token(PUBLISHER, b"[0,1999999999,1999999990]")), "cred.not-yet-valid"),
        (access(token(PUBLISHER, b"[0,1795000000,0]")), "tp.token-expired"),
        (access(token(PUBLISHER, IDS, b'[1,["other"]]')), "cred.project-scope-mismatch"),
        (access(token(ACCOUNT, b"[0,1795000000,0]", b"[0,1999999999,1795500000]")), "cred.expired"),
        (access(token(b'[1,["other"]]')), "cred.project-scope-mismatch"),
        (access(token(b'[1,["acme-widget"]]'), listing=None), "cred.project-scope-new-project"),
        (access(token(IDS), listing=None), "cred.project-scope-new-project"),
        (access(listing=listing(status="archived")), "project.archived"),
        (access(token(PUBLISHER), listing=listing(status="quarantined")), "project.quarantined"),
    ],
)
def test_each_failure_has_one_cause_and_its_consequences_are_silent(facts: Access, cause: str) -> None:
    assert summary(facts) == [(cause, "block")]
    assert len(blocked(facts)) == 1
    for one in findings(facts):
        assert one.remedy
        assert one.message[0].islower() or one.message[0] in "$'P~"
        assert not one.message.endswith(".")
        if isinstance(facts.credential, Credential) and len(facts.credential.password) > 10:
            shown = cause == "cred.placeholder"  # which is no secret
            assert (facts.credential.password.reveal() in f"{one}") == shown


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        (access(f" {token(ACCOUNT)}\n"), "cred.token-whitespace"),
        (access(token(ACCOUNT) + "Abcd"), "cred.trailing"),
        (access(token(ACCOUNT, IDS)), "cred.project-id-scope"),
        (access(token(IDS)), "cred.project-id-scope"),
        (access(token(b'{"project_ids":["%s"]}' % UUID)), "cred.project-id-scope"),
        (access(token(ACCOUNT, b"[0,1795600000,0]"), warn_before=timedelta(days=14)), "cred.expires-soon"),
        (access(listing=listing("acme_widget-1.1.tar.gz", "acme_widget-1.1-py3-none-any.whl")), "version.not-bumped"),
        (access(listing=listing("acme_widget-1.1.0.tar.gz")), "version.not-bumped"),
        (access(listing=listing(status="quarantined")), "project.quarantined"),
    ],
)
def test_what_the_index_would_take_all_the_same_is_a_warning(facts: Access, cause: str) -> None:
    assert summary(facts) == [(cause, "warn")]
    assert blocked(facts) == []


def test_the_reason_why_there_is_no_credential_stands_in_the_place_of_cred_missing() -> None:
    reason = Finding(message="m", remedy="r", cause="cred.wrong-index", where="$TWINE_PASSWORD")
    facts = access(credential=None, token=None, remarks=(reason,))
    assert summary(facts) == [("cred.wrong-index", "block")]
    hint = replace(reason, severity="warn", cause="keyring.no-backend")
    assert summary(replace(facts, remarks=(hint,))) == [("keyring.no-backend", "warn"), ("cred.missing", "block")]


def test_what_is_odd_about_the_sources_is_told_beside_a_credential() -> None:
    odd = Finding(message="m", remedy="r", cause="src.env-shadows", severity="warn")
    assert summary(access(remarks=(odd,))) == [("src.env-shadows", "warn")]


def test_a_source_that_did_not_answer_blocks() -> None:
    facts = access(credential=Unknown(reason="silent", remedy="unlock it", cause="keyring.hang"), token=None)
    assert blocked(facts) == ["a-credential-is-found"]
    assert run(facts)[0].reason == "silent"


def test_an_index_that_does_not_answer_blocks_once() -> None:
    facts = access(listing=Unknown(reason="no network", remedy="connect"))
    assert blocked(facts) == ["the-index-answers"]
    assert summary(facts) == []


def test_an_unknown_project_blocks_elsewhere_and_not_here() -> None:
    """The first checklist says it already."""
    unknown = Unknown(reason="no name", remedy="give one")
    facts = access(project=unknown, listing=unknown)
    assert blocked(facts) == []


def test_an_index_of_this_run_needs_no_credential_of_the_users() -> None:
    facts = access(credential=None, token=None, listing=None, index=replace(LOCAL, ephemeral=True))
    assert blocked(facts) == []
    assert run(facts)[0].state is CheckState.NOT_APPLICABLE


def test_a_waived_check_crashes_none_of_those_that_need_it() -> None:
    names = {check.name: "known" for check in CHECKS}
    for facts in (access("hunter2"), access(credential=None, token=None), access("")):
        outcomes = list(engine.run(CHECKS, facts, waive=names))
        assert not [one for one in outcomes if one.state.blocks]
        assert not [one for one in outcomes if one.reason == "known" and one.state is not CheckState.WAIVED]


@pytest.mark.parametrize("check", CHECKS, ids=[check.name for check in CHECKS])
def test_a_title_is_a_statement(check: engine.Check[Access]) -> None:
    assert check.title
    assert not check.title.endswith(".")
