"""How a smoke test ended: what counts as passed, and how a failure counts."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from release.core.models.check_result import Finding
from release.core.models.smoke_test import ExceptionLink, ExtraAttempt, SmokeTest, SmokeTestAttempt, SmokeTestResult

Kind = Literal["import", "script", "gui script", "command"]
USAGE = (ExceptionLink(type="SystemExit", line="SystemExit: 2", exit=True),)
ERROR = (ExceptionLink(type="ValueError", line="ValueError: no"),)


def attempt(kind: Kind, status: int | None, **rest: Any) -> SmokeTestAttempt:
    return SmokeTestAttempt(test=SmokeTest(kind=kind, words=("acme",)), status=status, **rest)


@pytest.mark.parametrize(
    ("status", "rest", "passed"),
    [
        (0, {}, {"import", "script", "gui script", "command"}),
        (0, {"chain": USAGE}, {"script", "gui script", "command"}),
        (0, {"chain": None}, {"script", "gui script", "command"}),
        (None, {}, {"gui script"}),
        (1, {"chain": ERROR}, set()),
        (2, {"chain": USAGE, "output": "usage: acme FILE"}, {"script", "gui script"}),
        (64, {"chain": USAGE, "output": "try acme --help"}, {"script", "gui script"}),
        (1, {"chain": USAGE, "output": "\n  Options:\n"}, {"script", "gui script"}),
        (1, {"chain": USAGE, "output": "acme.py: usage of acme"}, {"script", "gui script"}),
        (3, {"chain": USAGE, "output": "usage: acme FILE"}, set()),
        (2, {"chain": USAGE, "output": "wrong"}, set()),
        (2, {"chain": ERROR, "output": "usage: acme FILE"}, set()),
        (2, {"chain": (), "output": "usage: acme FILE"}, set()),
        (2, {"chain": None, "output": "usage: acme FILE"}, set()),
        (2, {"chain": (*USAGE, ExceptionLink(import_error=True)), "output": "usage: acme"}, set()),
        (1, {"chain": (ExceptionLink(line="TclError: no display name and no $DISPLAY"),)}, {"gui script"}),
        (1, {"chain": USAGE, "output": "cannot open display: :0"}, {"gui script"}),
        (1, {"chain": None, "output": "Could not connect to any X display"}, {"gui script"}),
        (1, {"chain": ERROR, "output": "cannot open display: :0"}, set()),
    ],
)
def test_what_passes(status: int | None, rest: dict[str, Any], passed: set[str]) -> None:
    kinds: tuple[Kind, ...] = ("import", "script", "gui script", "command")
    assert {kind for kind in kinds if attempt(kind, status, **rest).passed} == passed


def test_a_screen_is_missing_only_where_it_failed() -> None:
    chain = (ExceptionLink(line="cannot open display"),)
    assert attempt("gui script", 1, chain=chain).needs_screen
    assert not attempt("gui script", 0, chain=chain).needs_screen
    assert not attempt("gui script", None, chain=chain).needs_screen


def test_titles_and_places() -> None:
    assert SmokeTest(kind="import", words=("acme", "acme.cli")).title == "import acme, acme.cli"
    assert SmokeTest(kind="script", words=("acme", "--help")).title == "acme --help"
    assert ExceptionLink(places=("a.py, line 1", "b.py, line 2")).place == "b.py, line 2"
    assert ExceptionLink().place == ""


FAILED, PASSED = attempt("script", 1, chain=ERROR), attempt("script", 0)
ENDLESS = attempt("script", None)
NOT_RUN = Finding(message="no", remedy="")


@pytest.mark.parametrize(
    ("attempts", "rest", "severity"),
    [
        ((FAILED,), {}, "block"),
        ((FAILED, PASSED), {}, None),
        ((ENDLESS,), {}, "warn"),
        ((ENDLESS,), {"not_run": NOT_RUN}, "block"),
        ((), {"not_run": NOT_RUN}, "block"),
        ((attempt("command", None),), {}, "block"),
        ((FAILED,), {"extras": (ExtraAttempt(extras=("cli",)),)}, None),
        ((FAILED,), {"extras": (ExtraAttempt(extras=("cli",), problem="no"),)}, "block"),
    ],
)
def test_how_a_failure_counts(attempts: tuple[SmokeTestAttempt, ...], rest: dict[str, Any], severity: str) -> None:
    test = attempts[0].test if attempts else FAILED.test
    found = SmokeTestResult(test=test, attempts=attempts, **rest)
    assert found.severity == severity
    assert found.passed is (PASSED in attempts)


def test_the_first_extras_that_helped_are_needed() -> None:
    failed, passed = ExtraAttempt(extras=("a",), problem="cannot be installed"), ExtraAttempt(extras=("b",))
    tried = (failed, passed, ExtraAttempt(extras=("c",)))
    assert SmokeTestResult(test=FAILED.test, attempts=(FAILED,), extras=tried).needed_extras == ("b",)
    assert SmokeTestResult(test=FAILED.test, attempts=(FAILED,), extras=tried[:1]).needed_extras == ()
