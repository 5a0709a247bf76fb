"""The verification of a credential as text: the cause first, and each failure once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from release.checks import engine
from release.checks.credential_checks import CHECKS
from release.core.facts import Access
from release.core.models.check_result import Finding, Unknown, derive_verdict
from release.core.models.index import TESTPYPI
from release.core.models.results import Verification
from release.credentials.log_diagnosis import indexes_to_json, indexes_to_text
from release.reports.credential_text import verification_to_json, verification_to_text
from release.reports.line_width import fit_line
from tests.checks.test_credential_checks import FIRST, NO_ROLE, first, known, permission
from tests.checks.test_token_checks import ACCOUNT, OTHER, access, listing, token

NAMELESS = Unknown(reason="no name", remedy="name it")
ODD = Finding(message="~/.pypirc is odd", remedy="chmod 600 ~/.pypirc", severity="warn", cause="pypirc.perms")
STATES: dict[str, Callable[[], Access]] = {
    "healthy": access,
    "nothing": lambda: access(credential=None, token=None),
    "empty": lambda: access(""),
    "truncated": lambda: access(token(ACCOUNT)[:-9]),
    "password": lambda: access("hunter2"),
    "placeholder": lambda: access("$PYPI_TOKEN"),
    "username": lambda: access(username="alice"),
    "username and a remark": lambda: access(username="alice", remarks=(ODD,)),
    "remark alone": lambda: access(remarks=(ODD,)),
    "two remarks": lambda: access(remarks=(ODD, replace(ODD, message="~/.pypirc is strange", cause="url.http"))),
    "blanks": lambda: access(f" {token(ACCOUNT)}\n"),
    "other index": lambda: access(token(ACCOUNT, location="test.pypi.org")),
    "other project": lambda: access(token(b'[1,["other"]]')),
    "new project": lambda: access(token(b'[1,["acme-widget"]]'), listing=None),
    "expired": lambda: access(token(ACCOUNT, b"[0,1795000000,0]")),
    "not yet valid": lambda: access(token(ACCOUNT, b"[0,1999999999,1999999990]")),
    "archived": lambda: access(listing=listing(status="archived")),
    "version there": lambda: access(listing=listing("acme_widget-1.1.tar.gz")),
    "keyring": lambda: access(credential=Unknown(reason="the keyring is locked", remedy="", cause="keyring.hang")),
    "testpypi": lambda: access(index=TESTPYPI),
    "no network": lambda: access(listing=Unknown(reason="no network", remedy="connect", cause="net.dns-offline")),
}


def verification(facts: Access) -> Verification:
    outcomes = tuple(engine.run(CHECKS, facts))
    return Verification(access=facts, outcomes=outcomes, verdict=derive_verdict(outcomes))


@pytest.mark.parametrize("name", STATES)
def test_each_failure_is_shown_once_and_the_cause_first(name: str) -> None:
    found = verification(STATES[name]())
    lines = list(verification_to_text(found))
    text = "\n".join(lines)
    at = next(number for number, line in enumerate(lines) if line.startswith("verdict: "))
    first = next((number for number, line in enumerate(lines) if line.startswith("also: ")), at)
    last = [*lines[at:], *lines[first:at]]
    assert last[0].startswith(f"verdict: {found.verdict_text}")
    for outcome in found.outcomes:
        for one in outcome.findings:
            assert text.count(one.message) == 1
            assert any(one.message in line for line in last)
            assert f"  → {one.remedy}" in last
    if found.verdict.message:
        assert text.count(found.verdict.message) == 1
        assert found.verdict.message in last[2 if found.verdict.cause else 1]
        assert next(line for line in last if line.startswith("  → ")) == f"  → {found.verdict.remedy}"


@pytest.mark.parametrize(
    ("facts", "offline", "confirmed", "verdict", "last"),
    [
        (access(), True, False, "no problem found offline; not confirmed by the index", ""),
        (access(), False, False, "no problem found; not confirmed by the index", ""),
        (known(), False, True, "healthy", ""),
        (first(*FIRST), False, False, "no problem found; not confirmed by the index", ""),
        (known(permission=None), False, False, "no problem found; not confirmed by the index", ""),
        (
            known(permission=None, project=NAMELESS, listing=NAMELESS),
            False,
            False,
            "no problem found; not confirmed by the index",
            "",
        ),
        (
            access("hunter2", username="alice", index=OTHER),
            False,
            False,
            "no problem found; not confirmed by the index",
            "",
        ),
        (known(f" {token(ACCOUNT)}"), False, True, "warning, cred.token-whitespace", ""),
        (
            access(f" {token(ACCOUNT)}"),
            True,
            False,
            "warning, cred.token-whitespace",
            "offline: not confirmed by the index",
        ),
        (access(f" {token(ACCOUNT)}"), False, False, "warning, cred.token-whitespace", "not confirmed by the index"),
        (access("hunter2"), True, False, "broken, cred.account-password", ""),
        (permission(*NO_ROLE), False, False, "broken, account.no-role", ""),
    ],
)
def test_only_what_the_index_has_confirmed_is_called_healthy(
    facts: Access, offline: bool, confirmed: bool, verdict: str, last: str
) -> None:
    found = replace(verification(facts), offline=offline)
    lines = list(verification_to_text(found))
    assert f"verdict: {verdict}" in lines
    assert ("not confirmed" in lines[-1] and lines[-1].strip() == last) is bool(last)
    assert (found.confirmed, verification_to_json(found)["confirmed"]) == (confirmed, confirmed)
    assert indexes_to_json([found])["indexes"][0]["confirmed"] is confirmed
    told = list(indexes_to_text([found]))
    assert told[0].startswith(f"pypi: {found.verdict_text}" if facts.index.name == "pypi" else "acme: ")
    assert ("→ no problems found; next: pypi-preflight check" in told) is (
        confirmed and found.verdict.word == "healthy"
    )


@pytest.mark.parametrize("name", STATES)
def test_quiet_shows_the_verdict_alone(name: str) -> None:
    found = verification(STATES[name]())
    lines = list(verification_to_text(found, quiet=True))
    assert lines[0].startswith(f"verdict: {found.verdict_text}")
    assert "where from" not in lines
    assert [line for line in lines if line not in list(verification_to_text(found))] == []
    assert not any(line.startswith("also: ") for line in lines)


@pytest.mark.parametrize("name", STATES)
def test_in_eighty_columns_no_word_is_torn_and_a_command_stays_whole(name: str) -> None:
    for line in verification_to_text(verification(STATES[name]())):
        fitted = fit_line(line, 80)
        assert fitted.split() == line.split()
        longest = max(fitted.splitlines(), key=len)
        assert len(longest) <= 80 or "→ " in longest


@pytest.mark.parametrize(
    ("name", "helps"),
    [("truncated", True), ("password", True), ("expired", True), ("other project", True), ("username", False)],
)
def test_the_page_of_new_tokens_is_named_where_a_new_token_helps(name: str, helps: bool) -> None:
    lines = list(verification_to_text(verification(STATES[name]())))
    page = "  new tokens: https://pypi.org/manage/account/token/"
    assert (page in lines) is helps
    assert page not in list(verification_to_text(verification(access())))


@pytest.mark.parametrize("name", STATES)
def test_it_fits_a_screen_and_ends_with_cause_and_remedy(name: str) -> None:
    """80 columns and 24 rows. What the index would say is shown between the two."""
    found = verification(STATES[name]())
    rows = [row for line in verification_to_text(found) for row in fit_line(line, 80).splitlines()]
    assert len(rows) <= 24
    if not found.verdict.passed:
        told = " ".join(" ".join(row.split()) for row in rows[-6:])
        assert found.verdict.message in told
        assert f"→ {found.verdict.remedy}" in told


def test_checks_are_counted_and_shown_on_request() -> None:
    found = verification(access("hunter2"))
    brief, full = list(verification_to_text(found)), list(verification_to_text(found, verbose=True))
    assert not [line for line in brief if line.startswith("  ok ")]
    (title,) = [line for line in brief if line.startswith("where from: ")]
    counted = title.removeprefix("where from: ")
    assert counted == f"{len([line for line in full[: full.index('what it is')] if line.startswith('  ok ')])} passed"
    assert any(line.startswith("  FAIL   ") and line.endswith("]") for line in full)
