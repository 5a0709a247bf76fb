"""Names the cause of a failed upload from the output of its run, and from the credentials on this machine.

The same server message often has a dozen causes. Which one it is shows on this machine: the token in the variable
is truncated, the section of the file is not listed. So only a run on this machine can be explained that way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from release.adapters.system.program_output import Log
from release.core.config import Config
from release.core.models.check_result import CheckState, Finding
from release.core.models.index import Index, host_of, well_known
from release.core.models.results import Verification
from release.diagnostics import shared_phrases
from release.diagnostics.catalog import CATALOG
from release.diagnostics.log_text import ci_service, plain_log, uploader_of
from release.diagnostics.matcher import recognise, status_without_message, verify_remedy
from release.diagnostics.models import Match, fill_placeholders

#: causes of which no credential is sent, so that they never explain the answer to an upload. poetry does upload
#: without one, but its log does not show that
_NOTHING_SENT = re.compile(
    r"cred\.missing|src\.(?:wrong-env-name|password-missing)|pypirc\.(?!testpypi-under-pypi|repository-mismatch)|keyring\.(?!stale)"
    r"|env\.not-forwarded|ci\.fork-pr|url\.|net\.|tp\.id-token"
)
#: the credential was sent, and the index does not know it
_UNKNOWN_CREDENTIAL = "cred.revoked"
#: a cause that a message names → causes that can be behind it, which only show where the run took place
_UNDERLYING = {
    "cred.missing": re.compile(
        r"pypirc\.|keyring\.|src\.|env\.|ci\.|cred\.(?:wrong-index|env-empty|swapped)|url\.(?:no-trailing|credentials)"
    ),
    "keyring.no-backend": re.compile(r"keyring\.hang"),
    "account.no-role": re.compile(r"name\.|project\."),
    "name.taken": re.compile(r"account\.no-role|project\."),
    _UNKNOWN_CREDENTIAL: re.compile(
        r"cred\.|pypirc\.|keyring\.stale|url\.credentials|account\.disabled|tp\.token-expired"
    ),
    "cred.username-not-token": re.compile(r"cred\.(?:username|account-password|swapped)"),
}
#: uploader → the variables that it reads. Observed: the versions in tests/diagnostics/uploaders.py, 2026-11
_VARIABLES = {
    "uv": "UV_PUBLISH_TOKEN",
    "hatch": "HATCH_INDEX_AUTH, with HATCH_INDEX_USER=__token__",
    "flit": "FLIT_PASSWORD, with FLIT_USERNAME=__token__",
    "poetry": "POETRY_PYPI_TOKEN_PYPI",
    "pdm": "PDM_PUBLISH_PASSWORD, with PDM_PUBLISH_USERNAME=__token__",
    "maturin": "MATURIN_PYPI_TOKEN",
}
#: of these, the uploaders that read .pypirc too
_READ_PYPIRC = {"hatch", "flit", "maturin"}
#: verifies the credential of an index for a project, given by name; None: the one of the directory
Verifier = Callable[[Index, str | None], Verification]


class Explanation(Struct, frozen=True, kw_only=True):
    """Why a run failed, as far as it is known."""

    #: id of the cause; None where nothing was recognised
    cause: str | None
    #: the cause in one line
    title: str
    #: the line of the log that shows it; empty where none does
    evidence: str = ""
    #: what shows it on this machine, and where: "$TWINE_PASSWORD: the token is truncated …"
    here: tuple[str, ...] = ()
    remedy: str = ""
    #: whether the log, or what was found on this machine, leaves no other cause
    certain: bool = False
    #: ids of other causes that fit the same message, the likeliest first
    others: tuple[str, ...] = ()
    index: str | None = None
    project: str | None = None
    #: what was examined, and what could not be
    examined: tuple[str, ...] = ()


def explain_failure(
    log: Log, config: Config, verify: Verifier, *, here: bool = False
) -> tuple[Explanation, Verification | None]:
    """The cause of the failure in a log, and the verification that explains it; None where none does.

    `verify` is only called where the run can have taken place on this machine: for the log of a CI run only if
    `here` says that it did.
    """
    matches = [replace(one, values=_with_index(one.values, config)) for one in recognise(log.text)]
    service = ci_service(log.text)
    skipped = f", of which {log.skipped} in the middle were skipped" * bool(log.skipped)
    source = f"{log.name}, {log.size} bytes{skipped}"
    uploader = uploader_of(plain_log(log.text))
    origin = _origin(log.text, uploader, service)
    if not matches:
        return _nothing_recognised(log, (source, *origin)), None
    project = matches[0].values.get("project")
    if service is not None and not here:
        note = f"not the credentials of this machine: the log is of a CI run ({service}); with --here they are compared"
        return _from_log(matches, (source, note, *origin), project, service, uploader), None
    verified = [verify(index, project) for index in _target_indexes(matches[0].values, config)]
    words = (f"credential for {one.access.index.name}: {_verdict_word(one)}" for one in verified)
    explained = _from_log(matches, (source, *origin, *words), project, service, uploader)
    for one in verified:
        # the index reports an owner, but shows no such project
        reserved = one.access.listing is None and any(match.cause == "name.reserved-empty" for match in matches)
        for cause in (*["name.reserved-empty"] * reserved, *_problems(one)):
            if _can_be_here(cause, matches[0], uploader) and (match := _explained_by(cause, matches)):
                return _from_both(matches, match, one, cause, explained), one
    return explained, None


def _origin(text: str, uploader: str | None, service: str | None) -> tuple[str, ...]:
    """Which uploader ran, where, and whether it can have sent no credential."""
    notes = []
    if uploader:
        notes.append(f"the output of {uploader}" + (f" in {service}" if service else ""))
    if "password: <hidden>" in text:
        notes.append("the log shows that a credential was sent: password: <hidden>")
    elif uploader == "poetry" and shared_phrases.INVALID_AUTH.partition(" ")[2] in text:
        notes.append("poetry uploads without a credential, too, if it has none")
    return tuple(notes)


def _can_be_here(cause: str, first: Match, uploader: str | None) -> bool:
    """Whether an uploader that found no credential reads the place of a cause; the places verified are twine's."""
    if first.cause != "cred.missing" or uploader not in _VARIABLES:
        return True
    return cause.startswith("pypirc.") and uploader in _READ_PYPIRC


def _with_index(values: Mapping[str, str], config: Config) -> Mapping[str, str]:
    """The values, with the name under which the index of the log is configured."""
    url = values.get("upload_url", "").rstrip("/") + "/"
    name = next((one.name for one in config.indexes.values() if one.upload_url == url), None)
    return {**values, "index": name} if name else values


def _problems(verified: Verification) -> Iterator[str]:
    """The causes found on this machine, without those that are only warnings."""
    warnings = {one.cause for one in _findings(verified) if one.severity != "block"}
    blocking = {one.cause for one in _findings(verified) if one.severity == "block"}
    yield from (cause for cause in verified.verdict.causes if cause not in warnings - blocking)


def _target_indexes(values: Mapping[str, str], config: Config) -> Sequence[Index]:
    """The index of the run; all that are configured where the log does not name it."""
    url, name = values.get("upload_url", "").rstrip("/") + "/", values.get("index")
    found = well_known(url)
    known = found.name if found else name
    for one in config.indexes.values():
        if url == one.upload_url or (known and known == one.name):
            return [one]
    if host_of(url):
        return [Index(name=host_of(url), upload_url=url, simple_url=url.replace("/legacy/", "/simple/"), kind="other")]
    return list(config.indexes.values())


def _explained_by(cause: str, matches: Sequence[Match]) -> Match | None:
    """The message in the log that a cause found here explains."""
    answered = any(one.cause == _UNKNOWN_CREDENTIAL for one in matches)
    for match in matches:
        if answered and _NOTHING_SENT.match(cause):
            return None
        underlying = _UNDERLYING.get(match.cause)
        if match.cause == cause or (underlying and underlying.match(cause)):
            return match
    return None


def _from_both(
    matches: Sequence[Match], match: Match, verified: Verification, cause: str, from_log: Explanation
) -> Explanation:
    findings = [one for one in _findings(verified) if one.cause == cause]
    return replace(
        from_log,
        cause=cause,
        title=CATALOG[cause].title,
        evidence=match.evidence,
        here=tuple(dict.fromkeys(one.message for one in findings)),
        remedy=findings[0].remedy if findings else CATALOG[cause].remedy_for(match.values),
        certain=True,
        others=tuple(one for one in _same_message(matches) if one != cause),
        index=verified.access.index.name,
    )


def _findings(verified: Verification) -> Iterator[Finding]:
    for outcome in verified.outcomes:
        yield from outcome.findings
        if outcome.state is CheckState.UNKNOWN:
            yield Finding(message=outcome.reason, remedy=outcome.remedy, cause=outcome.cause)


def _from_log(
    matches: Sequence[Match], examined: tuple[str, ...], project: str | None, service: str | None, uploader: str | None
) -> Explanation:
    """What the log alone shows."""
    first = matches[0]
    return Explanation(
        cause=first.cause,
        title=first.diagnosis.title,
        evidence=first.evidence,
        remedy=_remedy(first, service, uploader),
        certain=first.certain,
        others=tuple(one for one in _same_message(matches) if one != first.cause),
        index=first.values.get("index") or first.values.get("host"),
        project=project,
        examined=examined,
    )


def _remedy(match: Match, service: str | None, uploader: str | None) -> str:
    """The remedy of the record, in the terms of the uploader and of the place of the run."""
    if match.cause == "cred.missing" and uploader in _VARIABLES:
        do = "pass the job" if service else "give it"
        text = f"{do} an API token from {{site}}/manage/account/token/ as {_VARIABLES[uploader]}"
        return fill_placeholders(text + "; or set up trusted publishing" * bool(service), match.values)
    if match.cause != _UNKNOWN_CREDENTIAL:
        return match.remedy
    where = "run in that job, with the same variables" if service else "run where the upload failed"
    return verify_remedy(match.values, where, in_ci=service is not None)


def _same_message(matches: Sequence[Match]) -> tuple[str, ...]:
    """The ids of the causes that rest on the same line as the first."""
    return tuple(one.cause for one in matches if one.evidence == matches[0].evidence)


def _nothing_recognised(log: Log, examined: tuple[str, ...]) -> Explanation:
    status = status_without_message(log.text)
    if status is None:
        title = "no known failure was found in this log"
        known = "pypi-preflight explain --all lists known failures"
        remedy = f"pass the whole output, preferably with --verbose; {known}"
    else:
        title = f"the index answered {status}, but the tool does not show the server's message"
        remedy = "upload again with: twine upload --verbose dist/*, and pass that output"
    return Explanation(cause=None, title=title, remedy=remedy, examined=(*examined, f"{len(CATALOG)} known failures"))


def _verdict_word(verified: Verification) -> str:
    return verified.verdict_text + (f" ({verified.verdict.cause})" if verified.verdict.cause else "")


def explanation_to_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as JSON data, schema 1."""
    return {
        "schema": 1,
        "cause": explanation.cause,
        "title": explanation.title,
        "evidence": {"log": explanation.evidence, "here": list(explanation.here)},
        "remedy": explanation.remedy,
        "certain": explanation.certain,
        "others": list(explanation.others),
        "index": explanation.index,
        "project": explanation.project,
        "looked": list(explanation.examined),
    }


def explanation_to_text(explanation: Explanation) -> Iterator[str]:
    """The explanation for a person, line by line."""
    yield f"{explanation.cause}: {explanation.title}" if explanation.cause else explanation.title
    if explanation.evidence:
        yield f"  in the log: {explanation.evidence}"
    yield from (f"  found here: {one}" for one in explanation.here)
    if explanation.cause and not explanation.certain and explanation.others:
        others = ", ".join(explanation.others[:5]) + ", …" * (len(explanation.others) > 5)  # noqa: PLR2004 - one line
        yield f"  the same message can mean: {others}"
    yield from (f"  examined: {one}" for one in explanation.examined)
    if explanation.remedy:
        yield f"→ {explanation.remedy}"
    if explanation.cause:
        yield f"  more: pypi-preflight explain {explanation.cause}"


# -- without a log: all indexes -------------------------------------------------------------------------

#: the worst first
_WORDS = ("broken", "unknown", "warning", "healthy")


def worst_index(verified: Sequence[Verification]) -> Verification | None:
    """The index to repair first; None where all are healthy."""
    worst = min(verified, key=lambda one: _WORDS.index(one.verdict.word), default=None)
    return None if worst is None or worst.verdict.word == "healthy" else worst


def indexes_to_text(verified: Sequence[Verification]) -> Iterator[str]:
    """The verdict on each index and the one next step, for a person, line by line."""
    for one in verified:
        yield f"{one.access.index.name}: {_verdict_word(one)}"
        if one.verdict.message:
            yield f"  {one.verdict.message}"
    worst = worst_index(verified)
    if worst is None:
        yield f"→ {_no_problem(verified)}; next: pypi-preflight check"
    else:
        yield f"next, for {worst.access.index.name}: {worst.verdict.message}"
        yield f"→ {worst.verdict.remedy}"
        if worst.verdict.cause:
            yield f"  more: pypi-preflight explain {worst.verdict.cause}"


def _no_problem(verified: Sequence[Verification]) -> str:
    unconfirmed = [one.access.index.name for one in verified if not one.confirmed]
    if not unconfirmed:
        return "no problems found"
    offline = " offline" if all(one.offline for one in verified) else ""
    return f"no problem found{offline}; not confirmed by {' and '.join(unconfirmed)}"


def indexes_to_json(verified: Sequence[Verification]) -> dict[str, Any]:
    """The same as JSON data, schema 1."""
    worst = worst_index(verified)
    return {
        "schema": 1,
        "indexes": [_verdict_to_json(one) for one in verified],
        "next": _verdict_to_json(worst) if worst else None,
    }


def _verdict_to_json(verified: Verification) -> dict[str, Any]:
    verdict = verified.verdict
    return {
        "index": verified.access.index.name,
        "verdict": verdict.word,
        "confirmed": verified.confirmed,
        "cause": verdict.cause,
        "causes": list(verdict.causes),
        "message": verdict.message,
        "remedy": verdict.remedy,
    }
