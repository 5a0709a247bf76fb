"""What is said of a leak, and which of them block."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from release.checks.engine import run
from release.checks.leak_checks import CHECKS, OF_BUILT
from release.core.facts import BuiltFiles, LeakScan
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.models.leak import SECRET_KINDS, Leak, ScanResult, ScanScope, UnscannedFile
from tests.fake_tokens import HOST

TOKEN = Leak(kind="pypi-token", identity="1f0c", host=HOST, path="a/conf.py", line=7)
KEY = Leak(kind="private-key", identity="5d41402a", path="deploy.pem", line=1)
SERVICE = Leak(kind="slack-token", identity="5d41402a", path="a/chat.py", line=2)
FILE = Leak(kind="pypirc", identity="5d41402a", path=".pypirc", line=3)


def leaks(*found: Leak, scope: ScanScope = "tree", unread: tuple[UnscannedFile, ...] = ()) -> LeakScan:
    return LeakScan(scope=scope, searched=ScanResult(leaks=found, unread=unread, count=9))


def outcomes(facts: LeakScan) -> dict[str, Outcome]:
    return {outcome.check: outcome for outcome in run(CHECKS, facts)}


def only(facts: LeakScan) -> Finding:
    (finding,) = (one for outcome in run(CHECKS, facts) for one in outcome.findings)
    return finding


@pytest.mark.parametrize(
    ("leak", "check"),
    [
        (TOKEN, "no-token-of-an-index-leaks"),
        (SERVICE, "no-key-of-another-service-leaks"),
        (KEY, "no-private-key-leaks"),
        (FILE, "no-credential-file-leaks"),
    ],
)
def test_each_kind_blocks_in_one_check(leak: Leak, check: str) -> None:
    blocking = [name for name, outcome in outcomes(leaks(leak)).items() if outcome.state.blocks]
    assert blocking == [check]


def test_a_waiver_for_a_private_key_hides_no_token() -> None:
    """A key that a project publishes on purpose is waived by a name of its own."""
    told = run(CHECKS, leaks(KEY, SERVICE), waive={"no-private-key-leaks": "for a proxy of the tests"})
    assert [outcome.check for outcome in told if outcome.state.blocks] == ["no-key-of-another-service-leaks"]


@pytest.mark.parametrize("kind", SECRET_KINDS)
def test_every_kind_is_told_by_some_check(kind: str) -> None:
    assert only(leaks(Leak(kind=kind, identity="1", host=HOST, path="a", line=1))).severity == "block"


def test_nothing_found_passes() -> None:
    assert {outcome.state for outcome in outcomes(leaks()).values()} == {CheckState.PASSED}


def test_what_is_passed_over_passes() -> None:
    made_up = Leak(kind="private-key", identity="1", path="tests/key.pem", line=1)
    assert {outcome.state for outcome in outcomes(leaks(made_up)).values()} == {CheckState.PASSED}


def test_what_could_not_be_searched_blocks() -> None:
    outcome = outcomes(leaks(unread=(UnscannedFile(path="a.zip", reason="it unpacks to far more than its size"),)))
    assert outcome["everything-could-be-searched"].state == CheckState.UNKNOWN
    assert outcome["everything-could-be-searched"].reason == "a.zip: it unpacks to far more than its size"


def test_a_token_is_named_by_its_identifier_and_its_index() -> None:
    assert only(leaks(TOKEN)).message == f"an API token of {HOST} (identifier 1f0c) found in a/conf.py:7"


COMMIT = "0123456789abcdef0123456789abcdef01234567"
HISTORY = {
    "reachable": ("commit 0123456789ab", "filter-repo --invert-paths --path a/conf.py"),
    "unreachable": ("object 0123456789ab", "git gc --prune=now"),
    "message": ("message of commit 0123456789ab", "--replace-message"),
}


def historic(case: str) -> Leak:
    return Leak(
        kind="pypi-token",
        identity="1f0c",
        host=HOST,
        path="a/conf.py" if case == "reachable" else "",
        line=7,
        object=COMMIT,
        object_type="commit" if case == "message" else "blob",
        commit=COMMIT if case == "reachable" else None,
    )


@pytest.mark.parametrize(("case", "where", "way"), [(case, *said) for case, said in HISTORY.items()])
def test_in_history_it_is_revoked_first_and_then_rewritten(case: str, where: str, way: str) -> None:
    finding = only(leaks(historic(case), scope="history"))
    assert where in finding.message
    assert way in finding.remedy
    assert finding.remedy.startswith(f"first remove it on your account page: https://{HOST}/manage/account/")
    assert finding.cause == "cred.leaked-auto-revoked"


def test_in_a_distribution_it_is_told_for_the_file() -> None:
    leak = Leak(kind="private-key", identity="1", path="a-1.0.tar.gz!a-1.0/deploy.pem", line=1)
    finding = only(leaks(leak, scope="files"))
    assert (finding.where, finding.cause) == ("a-1.0.tar.gz", "meta.secret-in-dist")
    assert "a-1.0.tar.gz!a-1.0/deploy.pem:1" in finding.message


def test_what_is_staged_is_taken_back_from_the_index() -> None:
    assert "git restore --staged -- a/conf.py" in only(leaks(TOKEN, scope="staged")).remedy


def built(found: LeakScan | None) -> list[Outcome]:
    return list(run(OF_BUILT, BuiltFiles(project=None, files=(), now=datetime(2026, 1, 1, tzinfo=UTC), leaks=found)))


def test_the_files_of_a_release_are_judged_by_the_same_checks() -> None:
    assert [outcome.check for outcome in built(None)] == [check.name for check in CHECKS]
    assert {outcome.state for outcome in built(None)} == {CheckState.NOT_APPLICABLE}
    assert [outcome.state.blocks for outcome in built(leaks(TOKEN, scope="files"))] == [
        True,
        False,
        False,
        False,
        False,
    ]


def key(path: str, identity: str = "1") -> Leak:
    return Leak(kind="private-key", identity=identity, path=path, line=1)


def findings(facts: LeakScan) -> list[Finding]:
    return [one for outcome in run(CHECKS, facts) for one in outcome.findings]


def test_a_secret_at_several_places_is_one_finding() -> None:
    (finding,) = findings(leaks(key("a.pem"), key("b.pem"), key("c.pem")))
    assert finding.message == "a private key (fingerprint 1) found in a.pem:1 and in 2 more places"
    assert len(findings(leaks(key("a.pem"), key("b.pem", "2")))) == 2


def test_a_secret_in_several_files_of_a_release_is_one_finding_for_each() -> None:
    found = leaks(key("a.whl!a.pem"), key("a.whl!b.pem"), key("a.tar.gz!a.pem"), scope="files")
    assert [one.where for one in findings(found)] == ["a.whl", "a.tar.gz"]


def test_a_key_that_the_tests_have_too_is_theirs_but_a_token_is_not() -> None:
    assert findings(leaks(key("a.whl!a.pem"), key("a.tar.gz!tests/a.pem"), scope="files")) == []
    tokens = [Leak(kind="pypi-token", identity="1", host=HOST, path=path, line=1) for path in ("a.py", "tests/a.py")]
    assert len(findings(leaks(*tokens))) == 1


@pytest.mark.parametrize("scope", ["files", "tree"])
def test_a_token_of_an_hour_needs_no_visit_to_a_page(scope: ScanScope) -> None:
    leak = Leak(kind="github-installation-token", identity="1", path=".git/config", line=9)
    (finding,) = findings(leaks(leak, scope=scope))
    assert "expires within an hour" in finding.remedy
    assert "http" not in finding.remedy
    assert finding.severity == "block"


@pytest.mark.parametrize(
    ("path", "since", "severity"),
    [
        ("a.whl!moto/moto_proxy/ca.key", "2019-03-04", "warn"),
        ("a.whl!certs/server_key.pem", "2019-03-04", "warn"),
        ("a.whl!certs/server_key.pem", None, "block"),
        ("a.whl!deploy/id_rsa", "2019-03-04", "block"),
    ],
)
def test_a_key_of_a_local_server_that_git_has_for_long_blocks_nothing(
    path: str, since: str | None, severity: str
) -> None:
    (finding,) = findings(leaks(replace(key(path), held_since=since), scope="files"))
    assert finding.severity == severity
    assert ("since 2019-03-04" in finding.message) is (severity == "warn")
