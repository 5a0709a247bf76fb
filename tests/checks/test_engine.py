"""How a list of checks is run: all of them, in order, failing closed."""

from __future__ import annotations

from collections.abc import Iterator

from release.checks.engine import Checklist, run
from release.core.models.check_result import CheckState, Finding, NotApplicable, Observation, Outcome, Unknown

Facts = dict[str, Observation]
CHECKS = Checklist[Facts]()


@CHECKS.check()
def the_first_holds(facts: Facts) -> Iterator[Observation]:
    """The first holds.

    Because the second rests on it.
    """
    if "first" in facts:
        yield facts["first"]


@CHECKS.check(needs=(the_first_holds,))
def the_second_holds(facts: Facts) -> Iterator[Observation]:
    """The second holds."""
    yield from (facts["second"] for _ in range("second" in facts))


@CHECKS.check()
def the_third_does_not_break(facts: Facts) -> Iterator[Observation]:
    """The third does not break."""
    if "third" in facts:
        raise KeyError("a secret in an exception")
    yield from ()


BLOCK = Finding(message="wrong", remedy="mend it")
WARN = Finding(message="odd", remedy="look at it", severity="warn")


def outcomes(facts: Facts, **options: object) -> dict[str, Outcome]:
    return {one.check: one for one in run(CHECKS, facts, **options)}  # type: ignore[arg-type] # options are the cases'


def states(facts: Facts, **options: object) -> list[CheckState]:
    return [one.state for one in outcomes(facts, **options).values()]


def test_nothing_observed_means_that_the_title_holds() -> None:
    assert states({}) == [CheckState.PASSED] * 3
    first = outcomes({})["the-first-holds"]
    assert (first.title, the_first_holds.why) == ("The first holds", "Because the second rests on it.")


def test_a_failed_need_skips_what_rests_on_it_and_nothing_else() -> None:
    assert states({"first": BLOCK, "second": BLOCK}) == [CheckState.FAILED, CheckState.SKIPPED, CheckState.PASSED]
    assert outcomes({"first": BLOCK})["the-second-holds"].reason == "needs: The first holds"


def test_a_warning_shows_and_lets_pass() -> None:
    assert states({"first": WARN}) == [CheckState.WARNED, CheckState.PASSED, CheckState.PASSED]


def test_a_warning_blocks_where_the_configuration_says_so() -> None:
    assert states({"first": WARN}, block=frozenset({"the-first-holds"})) == [
        CheckState.FAILED,
        CheckState.SKIPPED,
        CheckState.PASSED,
    ]


def test_what_is_unknown_blocks_and_what_does_not_apply_does_not() -> None:
    unknown = outcomes({"first": Unknown(reason="no network", remedy="connect")})["the-first-holds"]
    assert (unknown.state, unknown.state.blocks, unknown.remedy) == (CheckState.UNKNOWN, True, "connect")
    assert states({"first": NotApplicable(reason="nothing there")})[0] == CheckState.NOT_APPLICABLE


def test_a_check_that_breaks_blocks_without_its_words() -> None:
    broken = outcomes({"third": BLOCK})["the-third-does-not-break"]
    assert (broken.state, broken.state.blocks) == (CheckState.CRASHED, True)
    assert broken.reason == "the check itself failed: KeyError"
    assert 'to [tool.release.waive]: the-third-does-not-break = "' in broken.remedy


def test_a_check_that_breaks_can_be_waived() -> None:
    waived = outcomes({"third": BLOCK}, waive={"the-third-does-not-break": "a bug"})["the-third-does-not-break"]
    assert (waived.state, waived.reason) == (CheckState.WAIVED, "a bug")


def test_a_check_that_asserts_a_waived_fact_is_skipped_and_blocks_otherwise() -> None:
    checks = Checklist[Facts]()

    @checks.check()
    def the_fact_is_known(facts: Facts) -> Iterator[Observation]:
        """The fact is known."""
        yield from facts.values()

    @checks.check(needs=(the_fact_is_known,))
    def the_fact_is_right(facts: Facts) -> Iterator[Observation]:
        """The fact is right."""
        assert not facts
        yield from ()

    @checks.check(needs=(the_fact_is_known,))
    def the_other_is_right(facts: Facts) -> Iterator[Observation]:
        """The other fact is right."""
        yield facts["a bug"]

    facts: Facts = {"fact": Unknown(reason="no network", remedy="connect")}
    found = list(run(checks, facts, waive={"the-fact-is-known": "offline here"}))
    assert [one.state for one in found] == [CheckState.WAIVED, CheckState.SKIPPED, CheckState.CRASHED]
    assert found[1].reason == "needs: The fact is known"
    assert not found[1].remedy
    warned: Facts = {"fact": WARN}
    found = list(run(checks, warned))
    assert [one.state for one in found] == [CheckState.WARNED, CheckState.CRASHED, CheckState.CRASHED]


def test_a_waived_failure_shows_its_reason_and_lets_what_needs_it_run() -> None:
    waived = {"the-first-holds": "known, see the minutes"}
    assert states({"first": BLOCK}, waive=waived) == [CheckState.WAIVED, CheckState.PASSED, CheckState.PASSED]
    assert outcomes({"first": BLOCK}, waive=waived)["the-first-holds"].reason == "known, see the minutes"
