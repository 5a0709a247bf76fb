"""Names the cause of a failed upload, or of the next one: what a run printed, joined with what lies here.

A server's words often fit a dozen causes. Which it is can be seen here: the token in the variable is
cut off, the file's section is not listed. Only a run on this machine can be explained that way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from release.adapters.system.log_reader import Log
from release.core.config import Config
from release.core.facts import Access
from release.core.models.check_result import CheckState
from release.core.models.finding import Finding
from release.core.models.index import Index, host_of
from release.core.models.verdict import Verdict
from release.credentials.verify import Verification
from release.diagnostics import CATALOG, Match, index_at, recognise, unsaid

#: what a CI system prints around the commands of a job
_CI = re.compile(
    r"^##\[(?:group|error|endgroup|section)\]|::(?:error|group|warning)\b|/home/runner/work/|/Users/runner/work/"
    r"|\bRunning with gitlab-runner\b|\bD:\\a\\|\bbuildkite-agent\b|^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ",
    re.MULTILINE,
)
#: a cause that words name → what can be behind it, and is only seen where the run was
_BEHIND = {
    "cred.missing": re.compile(r"pypirc\.|keyring\.|src\.|env\.|ci\.|cred\.(?:wrong-index|env-empty)|url\.no-trailing"),
    "keyring.no-backend": re.compile(r"keyring\.hang"),
    "account.no-role": re.compile(r"name\.|project\."),
    "name.taken": re.compile(r"account\.no-role|project\."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What was found on this machine, and on the index, for one index."""

    access: Access
    verdict: Verdict
    #: everything that the checks had to say
    findings: tuple[Finding, ...]

    @property
    def index(self) -> Index:
        return self.access.index


#: looks at an index for a project by its name; None: the one of the directory
Look = Callable[[Index, str | None], Looked]


def looked(found: Verification) -> Looked:
    """What a verification comes to, for a diagnosis."""
    findings = [finding for outcome in found.outcomes for finding in outcome.findings]
    findings += [
        Finding(message=one.reason, remedy=one.remedy, cause=one.cause)
        for one in found.outcomes
        if one.state is CheckState.UNKNOWN
    ]
    return Looked(access=found.access, verdict=found.verdict, findings=tuple(findings))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Why a run failed, as far as it can be told."""

    #: id of the cause; None where nothing was recognised
    cause: str | None
    #: the cause in one line
    title: str
    #: the line of the log that shows it; empty where none does
    evidence: str = ""
    #: what was found here that makes it this cause, and where: "$TWINE_PASSWORD: the token is cut off …"
    here: tuple[str, ...] = ()
    remedy: str = ""
    #: whether the log's words, or what was found here, leave no other cause
    certain: bool = False
    #: ids of other causes that the words fit, the likeliest first
    others: tuple[str, ...] = ()
    index: str | None = None
    project: str | None = None
    #: what was looked at, and what could not be
    looked: tuple[str, ...] = ()


def diagnose(log: Log, config: Config, look: Look, *, in_ci: bool = False) -> tuple[Answer, Looked | None]:
    """The cause of the failure in a log, and the index whose state here explains it; None where none does.

    `look` tells what there is for an index and a project; it is asked only where the run was on this
    machine. `in_ci` tells that this machine is one of a CI system.
    """
    matches = recognise(log.text)
    read = f"{log.name}, {log.size} bytes" + (
        f", of which {log.skipped} in the middle were skipped" * bool(log.skipped)
    )
    if not matches:
        return _nothing(log, read), None
    first = matches[0]
    project = first.values.get("project")
    elsewhere = not in_ci and _CI.search(log.text) is not None
    if elsewhere:
        passed = "not the credentials of this machine: the log is of a CI run, which has its own"
        return _told(matches, first, looked=(read, passed), project=project), None
    seen = [look(index, project) for index in _meant(first.values, config)]
    told = (read, *(f"the way to {one.index.name}: {_said(one.verdict)}" for one in seen))
    for one in seen:
        for cause in (*_after(matches, one), *one.verdict.causes):
            if match := _explained(cause, matches):
                return _joined(matches, match, one, cause, told, project), one
    return _told(matches, first, looked=told, project=project), None


def _meant(values: Mapping[str, str], config: Config) -> Sequence[Index]:
    """The index that the run was for; all that are configured where the log does not say."""
    url, name = values.get("upload_url", "").rstrip("/") + "/", values.get("index")
    known = index_at(url) or name
    for one in config.indexes.values():
        if url == one.upload_url or (known and known == one.name):
            return [one]
    if host_of(url):
        return [Index(name=host_of(url), upload_url=url, simple_url=url.replace("/legacy/", "/simple/"), kind="other")]
    return list(config.indexes.values())


def _after(matches: Sequence[Match], seen: Looked) -> Iterator[str]:
    """What a refusal and the state of the index tell together, and neither does alone."""
    if seen.access.listing is None and any(one.cause == "name.reserved-empty" for one in matches):
        yield "name.reserved-empty"  # the index knows whose it is, and shows no such project


def _explained(cause: str, matches: Iterable[Match]) -> Match | None:
    """What in the log a cause found here explains."""
    for match in matches:
        if match.cause == cause or ((behind := _BEHIND.get(match.cause)) and behind.match(cause)):
            return match
    return None


def _joined(  # noqa: PLR0913, PLR0917 - both sides of the join
    matches: Sequence[Match], match: Match, seen: Looked, cause: str, told: tuple[str, ...], project: str | None
) -> Answer:
    findings = [one for one in seen.findings if one.cause == cause]
    fitting = _own(matches)
    return Answer(
        cause=cause,
        title=CATALOG[cause].title,
        evidence=match.evidence,
        here=tuple(dict.fromkeys(one.message for one in findings)),
        remedy=findings[0].remedy if findings else CATALOG[cause].remedy_for(match.values),
        certain=True,
        others=tuple(one for one in fitting if one != cause),
        index=seen.index.name,
        project=project,
        looked=told,
    )


def _told(matches: Sequence[Match], first: Match, *, looked: tuple[str, ...], project: str | None) -> Answer:
    """What the log alone tells."""
    return Answer(
        cause=first.cause,
        title=first.diagnosis.title,
        evidence=first.evidence,
        remedy=first.remedy,
        certain=first.certain,
        others=tuple(one for one in _own(matches) if one != first.cause),
        index=first.values.get("index") or index_at(first.values.get("upload_url", "")),
        project=project,
        looked=looked,
    )


def _own(matches: Sequence[Match]) -> tuple[str, ...]:
    """The ids of those that rest on the same words as the first."""
    return tuple(one.cause for one in matches if one.evidence == matches[0].evidence)


def _nothing(log: Log, read: str) -> Answer:
    status = unsaid(log.text)
    if status is None:
        return Answer(
            cause=None,
            title="nothing in this log is a failure that the catalog knows",
            remedy="give the whole output, best with --verbose; python -m release explain --all shows what is known",
            looked=(read, f"{len(CATALOG)} known failures"),
        )
    return Answer(
        cause=None,
        title=f"the index answered {status}, and the tool does not show the index's words",
        remedy="upload once more with: twine upload --verbose dist/*, and give that output",
        looked=(read, f"{len(CATALOG)} known failures"),
    )


def _said(verdict: Verdict) -> str:
    return verdict.word + (f" ({verdict.cause})" if verdict.cause else "")


def as_data(answer: Answer) -> dict[str, Any]:
    """The answer as JSON data, schema 1."""
    return {
        "schema": 1,
        "cause": answer.cause,
        "title": answer.title,
        "evidence": {"log": answer.evidence, "here": list(answer.here)},
        "remedy": answer.remedy,
        "certain": answer.certain,
        "others": list(answer.others),
        "index": answer.index,
        "project": answer.project,
        "looked": list(answer.looked),
    }


def lines(answer: Answer) -> Iterator[str]:
    """The answer for a person."""
    yield f"{answer.cause}: {answer.title}" if answer.cause else answer.title
    if answer.evidence:
        yield f"  the log says: {answer.evidence}"
    yield from (f"  found here: {one}" for one in answer.here)
    if answer.cause and not answer.certain and answer.others:
        others = ", ".join(answer.others[:5]) + (", …" if len(answer.others) > 5 else "")  # noqa: PLR2004 - a line's worth
        yield f"  the same words can mean: {others}"
    yield from (f"  looked at: {one}" for one in answer.looked)
    if answer.remedy:
        yield f"→ {answer.remedy}"
    if answer.cause:
        yield f"  more: python -m release explain {answer.cause}"


#: the gravest first
_WORDS = ("broken", "unknown", "warning", "healthy")


def first_step(walk: Sequence[Looked]) -> Looked | None:
    """The index whose trouble is worth mending first; None where all is well."""
    worst = min(walk, key=lambda one: _WORDS.index(one.verdict.word), default=None)
    return None if worst is None or worst.verdict.word == "healthy" else worst


def walk_lines(walk: Sequence[Looked]) -> Iterator[str]:
    """The verdict on each index, then the one next step, for a person."""
    for one in walk:
        yield f"{one.index.name}: {_said(one.verdict)}"
        if one.verdict.message:
            yield f"  {one.verdict.message}"
    first = first_step(walk)
    if first is None:
        yield "→ nothing stands in the way: python -m release check"
    else:
        yield f"next, for {first.index.name}: {first.verdict.message}"
        yield f"→ {first.verdict.remedy}"
        if first.verdict.cause:
            yield f"  more: python -m release explain {first.verdict.cause}"


def walk_data(walk: Sequence[Looked]) -> dict[str, Any]:
    """The same as JSON data, schema 1."""
    first = first_step(walk)
    return {
        "schema": 1,
        "indexes": [{"index": one.index.name, **_verdict(one.verdict)} for one in walk],
        "next": {"index": first.index.name, **_verdict(first.verdict)} if first else None,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.word,
        "cause": verdict.cause,
        "causes": list(verdict.causes),
        "message": verdict.message,
        "remedy": verdict.remedy,
    }
