"""Find the messages of the catalog in the output of servers and tools.

Tools wrap, indent, color and escape a server's message, and CI systems put a time before each line. All of that
is removed first; then each symptom is searched for, by its longest word before its pattern.
"""

from __future__ import annotations

import itertools
import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from release.core.models.index import host_of, well_known
from release.diagnostics.catalog import CATALOG
from release.diagnostics.log_text import ci_service, plain_log, with_phrases, without_retries
from release.diagnostics.models import Match, fill_placeholders
from release.diagnostics.ranking import SymptomHit, rank_hits
from release.diagnostics.symptom_search import Found, JoinedText, find_symptom, standard_status

#: the remedy for a message that no record has
_UNKNOWN_REMEDY = "follow the server's message, then run it again; {site}/help/ explains it"
#: maximum number of characters of evidence
_SHOWN = 300
#: characters; in longer logs line breaks within words are ignored only if nothing was found
_LONG = 200_000


def recognise(text: str, *, status: int | None = None) -> tuple[Match, ...]:
    """The known failures that `text` may show, the most likely root cause first; empty if there is none.

    `text` is a server's message (`status` is then its HTTP status), or the whole output of a tool or CI run that
    failed. Several causes often have the same message: only the state of the machine tells them apart.
    """
    plain = plain_log(text if status is None else f"{status} {text}")
    plain = plain if status is not None else with_phrases(without_retries(plain))
    hits = _hits(plain, status=status)
    context = _context(plain)
    ranked = rank_hits(hits, plain, context, in_ci=status is None and ci_service(text) is not None)
    return tuple(
        Match(
            diagnosis=hit.diagnosis,
            evidence=_evidence(plain, hit),
            values=_values(hit.found.values, context),
            certain=certain,
        )
        for hit, certain in ranked
    )


def remedy_for_answer(text: str, *, status: int | None = None, values: Mapping[str, str] | None = None) -> str:
    """What to do about a refusal with this message. `values` is what the caller knows: see `fill_placeholders`."""
    found = recognise(text, status=status)
    if not found:
        return fill_placeholders(_UNKNOWN_REMEDY, values)
    known = {**found[0].values, **(values or {})}
    if found[0].cause == "cred.revoked" and "identifier" not in known:
        return verify_remedy(known, "run with the same variables")
    return found[0].diagnosis.remedy_for(known)


def verify_remedy(values: Mapping[str, str], where: str, *, in_ci: bool = False) -> str:
    """The command that tells a revoked token from a damaged one, and from one that was not given to a CI job."""
    index = "" if values.get("index") or not values.get("host") else " (INDEX: the name of {host} in the configuration)"
    given = ", or was not given to this job" if in_ci else ""
    return fill_placeholders(
        f"{where}: pypi-preflight verify --index {{index}}{index}; it reports whether the token was revoked or is "
        f"damaged{given}; replace a revoked token with a new one from {{site}}/manage/account/token/",
        values,
    )


def status_without_message(text: str) -> int | None:
    """The HTTP status of a refusal of which a tool printed only the number; None if there is none.

    flit, hatch and pdm show only the reason phrase, which HTTP/2 does not have: `twine upload --verbose` shows the
    server's message.
    """
    match = _STATUS_ONLY.search(plain_log(text))
    return int(next(filter(None, match.groups()))) if match else None


_PHRASE = r"(?:Bad\s+Request|Unauthorized|Forbidden|Conflict|Unprocessable\s+(?:Content|Entity))"
#: a status with its phrase, or without one, followed by the address instead of the server's message
_STATUS_ONLY = re.compile(
    rf"\b(4\d\d)\s+(?:Client\s+Error:\s+)?(?:{_PHRASE})?'?\s*for\s+url"
    rf"|HTTPError:\s+(4\d\d)\s+{_PHRASE}\s+from\s+\S+\s+{_PHRASE}?\s*(?:\Z|exit|Error:)"
    rf"|HTTP\s+Error\s+(4\d\d):\s+{_PHRASE}?\s*(?:\||\Z)"
    rf"|Upload\s+failed\s+\((4\d\d)\):\s+{_PHRASE}"
)


def _hits(plain: str, *, status: int | None) -> list[SymptomHit]:
    """For each record the first of its symptoms that is found, in the order of the catalog."""
    hits = _hits_by(lambda symptom: find_symptom(symptom, plain))
    if status is not None:
        return hits or _hits_by(lambda symptom: Found(0, 3, 0, {}) if standard_status(symptom) == status else None)
    if hits and len(plain) > _LONG:
        return hits
    joined = JoinedText(plain)
    more = _hits_by(lambda symptom: joined.find(symptom, complete=bool(hits)), joined=True)
    best = {hit.cause: hit for hit in sorted((*more, *hits), key=lambda hit: hit.rank, reverse=True)}
    return [best[cause] for cause in CATALOG if cause in best]


def _hits_by(find: Callable[[str], Found | None], *, joined: bool = False) -> list[SymptomHit]:
    hits = []
    for diagnosis in CATALOG.values():
        symptoms = [(symptom, True) for symptom in diagnosis.symptoms] + [
            (symptom, False) for symptom in diagnosis.also
        ]
        found = ((symptom, leads, one) for symptom, leads in symptoms if (one := find(symptom)) is not None)
        hits += [
            SymptomHit(diagnosis=diagnosis, symptom=symptom, leads=leads, found=one, joined=joined)
            for symptom, leads, one in itertools.islice(found, 1)
        ]
    return hits


def _evidence(plain: str, hit: SymptomHit) -> str:
    """The lines of the match, joined; each reason why a token is refused occurs once."""
    begin = plain.rfind("\n", 0, hit.found.begin) + 1
    end = plain.find("\n", hit.found.end)
    begin, end = max(begin, hit.found.begin - _SHOWN), min(end if end >= 0 else len(plain), hit.found.end + _SHOWN)
    line = " ".join(plain[begin:end].split())
    head, colon, reasons = line.partition("Invalid API Token: ")
    if colon:
        line = head + colon + ", ".join(dict.fromkeys(reasons.split(", ")))
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN // 2]} … {line[-_SHOWN // 3 :]}"


def _values(found: Mapping[str, str | None], context: dict[str, str]) -> dict[str, str]:
    """The values in the match, and those that occur elsewhere in the output."""
    named = {name: " ".join(value.split()).rstrip(".") for name, value in found.items() if value}
    name, equal, version = named.get("requirement", "").partition("==")
    pinned = {"project": name, "version": version} if equal else {}
    return context | _from_file(named.get("file", "")) | pinned | named


_URL = re.compile(
    r"(?:Uploading\s+distributions\s+to|Using\s+repository\s+at|Publishing\s+\d+\s+files?\s+to|uploading\s+to\s+repository:"
    r"|Failed\s+to\s+publish\s+`[^`]{1,300}`\s+to|for\s+url:?|HTTPError:\s+\d+\s+[\w\s]{1,40}?\s+from|Response\s+from)\s+['`(]?(?P<upload_url>https?://[^\s'`)]{1,300})"
)
_PROJECT = re.compile(r"Publishing\s+(?P<project>[\w.-]{1,100})\s+\((?P<version>[^()\s]{1,60})\)\s+to\s+(?P<where>\S+)")
_FILE = re.compile(r"Uploading\s+(?:\S{0,200}[/\\])?(?P<file>[\w.+!-]{1,200}\.(?:whl|tar\.gz|zip))")
_NAME = re.compile(r"(?P<project>[\w.-]+?)-(?P<version>\d[\w.+!]*)(?:-.*\.whl|\.tar\.gz|\.zip)")


def _context(plain: str) -> dict[str, str]:
    """The index, project and file that the output names."""
    values: dict[str, str] = {}
    for match in _named(_FILE, plain):
        values |= _from_file(match["file"]) | {"file": match["file"]}
    for match in _named(_PROJECT, plain):
        values |= {"project": match["project"], "version": match["version"]}
        values |= {"index": match["where"].lower()} if match["where"].lower() in {"pypi", "testpypi"} else {}
    for match in _named(_URL, plain):
        url = match["upload_url"].rstrip(":.")
        index = well_known(url)
        values |= {"upload_url": url, "host": host_of(url)} | ({"index": index.name} if index else {})
    return values


def _named(pattern: re.Pattern[str], plain: str) -> Iterable[re.Match[str]]:
    """The last match, which belongs to what failed."""
    return deque(pattern.finditer(plain), maxlen=1)


def _from_file(filename: str) -> dict[str, str]:
    match = _NAME.fullmatch(filename)
    return {"project": match["project"].replace("_", "-"), "version": match["version"]} if match else {}
