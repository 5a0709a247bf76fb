"""What a check is, how a list of checks is run, and what the messages of several checks share.

A check is one function from one kind of facts to observations. Its name is its public name, the
first line of its docstring the statement that holds where it observes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from release.core.models.check_result import CheckState, Finding, NotApplicable, Note, Observation, Outcome, Unknown

Facts = TypeVar("Facts")
_CRASHED = "the check itself failed: {}"
_FACT_IS_MISSING = _CRASHED.format(AssertionError.__name__)
#: states of a check with which others that need it are run
_MET = (CheckState.PASSED, CheckState.WARNED, CheckState.WAIVED)


class Check(Struct, Generic[Facts], frozen=True, kw_only=True):
    """A rule of ours with a public name."""

    name: str
    #: the statement that must be true
    title: str
    #: why, and the source; lines but the first may be indented as in the docstring
    why: str
    observe: Callable[[Facts], Iterable[Observation]]
    #: checks that must pass for this one to be meaningful
    needs: tuple[Check[Facts], ...]


Observe = Callable[[Facts], Iterable[Observation]]


class Checklist(list[Check[Facts]]):
    """Checks of one kind of facts, in the order of their definition, in which they are run and shown."""

    def check(
        self, *, needs: tuple[Check[Any], ...] = (), name: str | None = None
    ) -> Callable[[Observe[Facts]], Check[Facts]]:
        """Make a check of a function from facts to observations, and add it to this list.

        Its public name is the function's with hyphens, unless `name` gives another: two checklists may ask the same
        question of different facts.
        """

        def add(observe: Observe[Facts]) -> Check[Facts]:
            # by hand: `inspect` takes 5 ms to load
            title, _, why = (observe.__doc__ or "").partition("\n")
            public = name or observe.__name__.replace("_", "-")
            self.append(Check(name=public, title=title.rstrip("."), why=why.strip(), observe=observe, needs=needs))
            return self[-1]

        return add


def run(
    checks: Iterable[Check[Facts]],
    facts: Facts,
    *,
    waive: Mapping[str, str] | None = None,
    block: frozenset[str] = frozenset(),
    subject: str = "",
) -> Iterator[Outcome]:
    """Yield the outcome of each check, in order, as soon as it is known.

    `waive` maps a check's name to the reason why its failure is accepted; `block` names checks
    whose warnings stop the run. A check is skipped, with a reason, if one that it needs did not pass.
    """
    known: dict[str, Outcome] = {}
    for item in checks:
        outcome = _unmet(item, known, subject)
        if outcome is None:
            outcome = _evaluate(item, facts, strict=item.name in block, subject=subject)
            if outcome.reason == _FACT_IS_MISSING:
                # it asserts that there is a fact; a waiver may accept that it is missing
                waived = [one.title for one in item.needs if known[one.name].state is CheckState.WAIVED]
                if waived:
                    outcome = replace(outcome, state=CheckState.SKIPPED, reason=f"needs: {waived[0]}", remedy="")
            if waive and item.name in waive and outcome.state.blocks:
                outcome = replace(outcome, state=CheckState.WAIVED, reason=waive[item.name])
        known[item.name] = outcome
        yield outcome


def _unmet(item: Check[Facts], known: Mapping[str, Outcome], subject: str) -> Outcome | None:
    """The outcome of a check whose need did not pass: not applicable if that was, otherwise skipped."""
    for need in item.needs:
        before, state = known.get(need.name), CheckState.SKIPPED
        if before is not None and before.state in _MET:
            continue
        reason = f"needs: {need.title}"
        if before is not None and before.state is CheckState.NOT_APPLICABLE:
            state, reason = CheckState.NOT_APPLICABLE, before.reason
        return Outcome(check=item.name, title=item.title, state=state, subject=subject, reason=reason)
    return None


def _evaluate(item: Check[Facts], facts: Facts, *, strict: bool, subject: str) -> Outcome:
    outcome = Outcome(check=item.name, title=item.title, state=CheckState.PASSED, subject=subject)
    try:
        observations = tuple(item.observe(facts))
    except Exception as error:  # noqa: BLE001 - a broken check must block, and must not hide the others
        reason = _CRASHED.format(type(error).__name__)
        remedy = (
            f'report it as a bug of pypi-preflight; until then, add to [tool.release.waive]: {item.name} = "crashes"'
        )
        return replace(outcome, state=CheckState.CRASHED, reason=reason, remedy=remedy)
    if not observations:
        return outcome
    findings = tuple(one for one in observations if isinstance(one, Finding))
    notes = tuple(one for one in observations if isinstance(one, Note))
    if strict:
        findings += tuple(warn(one.message, one.remedy) for one in notes)
        findings = tuple(replace(one, severity="block") for one in findings)
    outcome = replace(outcome, findings=findings)
    if any(one.severity == "block" for one in findings):
        return replace(outcome, state=CheckState.FAILED)
    for one in observations:
        if isinstance(one, Unknown):
            return replace(outcome, state=CheckState.UNKNOWN, reason=one.reason, remedy=one.remedy, cause=one.cause)
        if isinstance(one, NotApplicable):
            return replace(outcome, state=CheckState.NOT_APPLICABLE, reason=one.reason)
    outcome = replace(outcome, reason="; ".join(dict.fromkeys(one.message for one in notes)))
    return replace(outcome, state=CheckState.WARNED) if findings else outcome


def warn(
    message: str, remedy: str, where: str | None = None, *, source: str | None = None, cause: str | None = None
) -> Finding:
    """A finding that does not block."""
    return Finding(message=message, remedy=remedy, severity="warn", where=where, source=source, cause=cause)


def quote(names: Iterable[str]) -> str:
    """Names in quotes, separated by commas."""
    return ", ".join(map(repr, names))


def quote_some(names: Collection[str], listed: int = 3) -> str:
    """The first names in quotes, and how many more there are."""
    more = f" and {len(names) - listed} more" if len(names) > listed else ""
    return quote(islice(names, listed)) + more
