"""The state of a token, and the exit status of a report about many."""

from __future__ import annotations

import itertools

import pytest

from release.core.errors import Exit
from release.core.models.check_result import VerdictWord
from release.core.models.token_health import HealthReport, TokenReport, TokenState, TokenStatus, token_state


def row(word: VerdictWord, project: str | None = None) -> TokenReport:
    seen = TokenStatus(
        index="pypi", upload_url="", project=project, place="", fingerprint="", identifier="", scope="", expires=None,
        word=word, state=word, cause="", message="", remedy="",
    )  # fmt: skip
    return TokenReport(seen=seen, outcomes=(), age=None, left=None)


@pytest.mark.parametrize(
    ("word", "cause", "expected"),
    [
        ("healthy", "", "healthy"),
        ("healthy", "cred.expires-soon", "healthy"),
        ("warning", "cred.expires-soon", "expiring"),
        ("warning", "the-token-lasts", "expiring"),
        ("warning", "cred.expired", "warning"),
        ("warning", "other", "warning"),
        ("broken", "cred.expired", "expired"),
        ("broken", "tp.token-expired", "expired"),
        ("broken", "cred.revoked", "revoked"),
        ("broken", "cred.expires-soon", "broken"),
        ("broken", "cred.quotes", "broken"),
        ("unknown", "cred.expires-soon", "unknown"),
        ("unknown", "cred.expired", "unknown"),
    ],
)
def test_a_cause_names_the_state_where_it_fits_the_verdict(word: VerdictWord, cause: str, expected: TokenState) -> None:
    assert token_state(word, cause) == expected


WORDS: tuple[VerdictWord, ...] = ("healthy", "warning", "unknown", "broken")
#: the worst word of a report → its exit status, and that with --strict
STATUSES = {
    "healthy": (Exit.DONE, Exit.DONE),
    "warning": (Exit.WARNED, Exit.REFUSED),
    "unknown": (Exit.UNKNOWN, Exit.UNKNOWN),
    "broken": (Exit.REFUSED, Exit.REFUSED),
}


def test_the_worst_one_decides_the_exit_status() -> None:
    for words in itertools.chain.from_iterable(itertools.permutations(WORDS, count) for count in (1, 2, 3, 4)):
        usual, strict = STATUSES[max(words, key=WORDS.index)]
        report = HealthReport(rows=tuple(map(row, words)))
        assert report.status(strict=False) == usual
        assert report.status(strict=True) == (Exit.REFUSED if "warning" in words else strict)
    assert HealthReport(rows=()).status(strict=False) == Exit.UNKNOWN


def test_a_credential_is_named_by_index_and_project() -> None:
    assert row("healthy", "acme").seen.about == "pypi, acme"
    assert row("healthy").seen.about == "pypi, the account"
