"""What a run finds out about an index before it builds, and when a new credential would help."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from release.core.config import Config
from release.core.errors import UnreachableError
from release.core.facts import Access, GitState, Source
from release.core.models.check_result import CheckState, Finding, NotApplicable, Outcome, Unknown
from release.core.models.index import PYPI
from release.core.plan import Build, CheckCredentials, CheckSource, Confirm, Plan, Upload
from release.credentials import verify
from release.publishing import access, attest
from tests.fake_system import LASTING, NOON, PROJECT, fake_system

CONFIG = Config(indexes={"pypi": PYPI, "acme": LASTING}, maintenance_branches=("1.x",), exchange="never")
GIT = GitState(commit="c" * 40, branch="1.x", changes=(), upstream=None, behind=0, tagged_commit=None, shallow=False)
SOURCE = Source(config=CONFIG, project=PROJECT, git=GIT, tag="v1.0", changelog=None)


def plan(*steps: Any, strict: bool = True) -> Plan:
    return Plan(verb="publish", project="acme-widget", version="1.0", commit=None, strict=strict, steps=steps)


def outcome(state: CheckState, cause: str | None = None) -> Outcome:
    findings = (Finding(message="wrong", remedy="store another token", cause=cause),) if cause else ()
    return Outcome(check="a-check", title="A check", state=state, findings=findings)


UPLOADS = plan(CheckCredentials(index="pypi"), Upload(index="pypi"))
REVOKED = outcome(CheckState.FAILED, "cred.revoked")


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ((UPLOADS, [], [REVOKED]), True),
        ((UPLOADS, [outcome(CheckState.PASSED)], [outcome(CheckState.WARNED), REVOKED]), True),
        ((UPLOADS, [outcome(CheckState.FAILED, "git.dirty")], [REVOKED]), False),
        ((UPLOADS, [], [REVOKED, outcome(CheckState.FAILED, "file.exists-different")]), False),
        ((UPLOADS, [], [REVOKED, outcome(CheckState.UNKNOWN)]), False),
        ((UPLOADS, [], [outcome(CheckState.PASSED)]), False),
        ((plan(CheckCredentials(index="pypi")), [], [REVOKED]), False),
        ((plan(Upload(index="sandbox")), [], [REVOKED]), False),
        ((replace(UPLOADS, strict=False), [], [REVOKED]), False),
    ],
)
def test_a_new_token_is_asked_for_only_where_it_removes_all_that_stops_the_upload(what: Any, expected: bool) -> None:
    """Nobody is asked for a token for a run that something else stops, or that uploads nothing."""
    assert access.may_renew(*what) is expected


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    def collect(_system: object, index: object, project: Any, **options: Any) -> Access:
        calls.append({"index": index, **options})
        return Access(
            index=LASTING, project=project, credential=Unknown(reason="the keyring is locked", remedy="unlock it"),
            remarks=(), token=None, listing=NotApplicable(reason="offline"), now=NOON,
        )  # fmt: skip

    monkeypatch.setattr(verify, "collect_access", collect)
    return calls


def check(source: Source = SOURCE, of: Plan = UPLOADS, **options: Any) -> tuple[Access, tuple[Outcome, ...]]:
    given: dict[str, Any] = {"ours": frozenset({"a" * 64}), "directory": None, "credential": None, "offline": True}
    return access.check_access(
        fake_system(), CONFIG, "acme", source, plan=of, notify=lambda _: None, **given | options
    )  # fmt: skip


def test_the_index_the_branch_and_the_outcomes_of_an_access(asked: list[dict[str, Any]]) -> None:
    facts, outcomes = check(of=plan(CheckSource(), Build(origin="commit"), Upload(index="acme"), Confirm(index="acme")))
    assert (facts.branch, facts.maintenance_branches) == ("1.x", ("1.x",))
    assert (asked[0]["index"], asked[0]["keep"], asked[0]["ours"]) == (LASTING, True, {"a" * 64})
    assert asked[0]["exchange"] is False, "exchange = never"
    assert {one.subject for one in outcomes} == {"acme"}
    assert any(one.state is CheckState.UNKNOWN and "locked" in one.reason for one in outcomes)


def test_a_token_is_kept_only_for_a_run_that_uploads_there(asked: list[dict[str, Any]]) -> None:
    check(of=plan(CheckCredentials(index="acme"), Upload(index="pypi")))
    check(of=plan(CheckCredentials(index="acme")))
    assert [one["keep"] for one in asked] == [False, False]


def test_outside_of_a_repository_the_branch_is_unknown(asked: list[dict[str, Any]]) -> None:
    for git in (None, Unknown(reason="no git", remedy="install git")):
        assert check(replace(SOURCE, git=git))[0].branch is None


def test_nothing_is_predicted_about_signing_where_no_index_may_be_asked(
    asked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(_system: object, config: Config, facts: Access) -> Access:
        assert (config, facts.index) == (CONFIG, LASTING)
        raise UnreachableError("asked", remedy="")

    monkeypatch.setattr(attest, "predict_signing", predict)
    check(offline=True)
    with pytest.raises(UnreachableError):
        check(offline=False)
