"""Find the messages of the catalog in the output of servers and tools.

Tools wrap, indent, color and escape a server's message, and CI systems put a time before each line. All of that
is removed first; then each symptom is searched for, by its longest word before its pattern.
"""

from __future__ import annotations

import html
import itertools
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

from release.core.models.index import host_of, well_known
from release.core.redaction import redact
from release.diagnostics.catalog import CATALOG
from release.diagnostics.models import Diagnosis, Match, fill_placeholders

#: the remedy for a message that no record has
_UNKNOWN_REMEDY = "follow the server's message, then run it again; {site}/help/ explains it"
#: maximum number of characters of evidence
_SHOWN = 300

_CONTROL = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: what CI systems and rich put before a line: the name of a step, a time, a frame
_BEFORE = re.compile(r"^(?:(?:[^\t\n]{0,60}\t){0,2}\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*[ ])?[ \t│>]*", re.MULTILINE)
_AFTER = re.compile(r"[ \t│]+$", re.MULTILINE)
#: secrets other than whole tokens: tokens without prefix, identity tokens, passwords in URLs
_SECRETS = re.compile(r"(AgE)[\w-]{20,}|(eyJ)[\w-]{8,200}\.[\w.-]+|(://)[^/\s@]{1,300}@")

_STATUS = re.compile(r"(?P<status>[1-5]\d\d) (?P<words>.*)", re.DOTALL)
_TOKEN = re.compile(r" … |…|\{[a-z_]+\}|\s+|['\"]|[^\s'\"{…]+|.")
_TOOL = r"\s+(?:(?:Client|Server)\s+Error:\s+)?"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    """A symptom of a record that was found."""

    diagnosis: Diagnosis
    symptom: str
    #: whether it indicates this record first
    leads: bool
    match: re.Match[str]

    def within(self, other: _Hit) -> bool:
        """Whether `other` contains this match. The text that matches a gap (`…`) does not count."""
        (begin, end), (wider, last) = self.match.span(), other.match.span()
        return "…" not in other.symptom and wider <= begin and end <= last and (begin, end) != (wider, last)


def recognise(text: str, *, status: int | None = None) -> tuple[Match, ...]:
    """The known failures that `text` may show, the most likely root cause first; empty if there is none.

    `text` is a server's message (`status` is then its HTTP status), or the whole output of a tool or CI run that
    failed. Several causes often have the same message: only the state of the machine tells them apart.
    """
    plain = _plain(text if status is None else f"{status} {text}")
    hits = _hits(lambda symptom: _search(symptom, plain))
    if not hits and status is not None:
        hits = _hits(lambda symptom: re.match(r"\d+", plain) if _standard(symptom) == status else None)
    hits = [hit for hit in hits if not any(map(hit.within, hits))]
    if not hits:
        return ()
    shared = Counter(hit.symptom for hit in hits)
    hits.sort(key=lambda hit: (not hit.leads, shared[hit.symptom]))
    context = _context(plain)
    return tuple(
        Match(
            diagnosis=hit.diagnosis,
            evidence=_evidence(plain, hit.match),
            values=_values(hit.match, context),
            certain=hit.leads and shared[hit.symptom] == 1,
        )
        for hit in hits
    )


def remedy_for_answer(text: str, *, status: int | None = None, values: Mapping[str, str] | None = None) -> str:
    """What to do about a refusal with this message. `values` is what the caller knows: see `fill_placeholders`."""
    found = recognise(text, status=status)
    if not found:
        return fill_placeholders(_UNKNOWN_REMEDY, values)
    return found[0].diagnosis.remedy_for({**found[0].values, **(values or {})})


def status_without_message(text: str) -> int | None:
    """The HTTP status of a refusal of which a tool printed only the number; None if there is none.

    flit, hatch and pdm show only the reason phrase, which HTTP/2 does not have: `twine upload --verbose` shows the
    server's message.
    """
    match = _STATUS_ONLY.search(_plain(text))
    return int(match[1] or match[2]) if match else None


_PHRASE = r"(?:Bad\s+Request|Unauthorized|Forbidden)"
#: a status with its phrase, followed by the address instead of the server's message
_STATUS_ONLY = re.compile(
    rf"\b(4\d\d)\s+(?:Client\s+Error:\s+)?{_PHRASE}'?\s+for\s+url"
    rf"|HTTPError:\s+(4\d\d)\s+{_PHRASE}\s+from\s+\S+\s+{_PHRASE}?\s*(?:\Z|exit|Error:)"
)


def _hits(search: Callable[[str], re.Match[str] | None]) -> list[_Hit]:
    """For each record the first of its symptoms that is found, in the order of the catalog."""
    hits = []
    for diagnosis in CATALOG.values():
        symptoms = [(symptom, True) for symptom in diagnosis.symptoms] + [
            (symptom, False) for symptom in diagnosis.also
        ]
        found = ((symptom, leads, match) for symptom, leads in symptoms if (match := search(symptom)) is not None)
        hits += [
            _Hit(diagnosis=diagnosis, symptom=symptom, leads=leads, match=match)
            for symptom, leads, match in itertools.islice(found, 1)
        ]
    return hits


def _search(symptom: str, plain: str) -> re.Match[str] | None:
    return _compile(symptom).search(plain) if _rarest(symptom) in plain else None


@cache
def _standard(symptom: str) -> int | None:
    """The status of a symptom that consists of a status and its standard phrase."""
    match = _STATUS.fullmatch(symptom)
    if match is None or int(match["status"]) not in set(HTTPStatus):
        return None
    status = HTTPStatus(int(match["status"]))
    return int(status) if match["words"] in {status.phrase, "Request Entity Too Large"} else None


@cache
def _rarest(symptom: str) -> str:
    """The longest part of the symptom without blanks, quotes and gaps."""
    return max(re.split(r"\s|['\"…]|\{[a-z_]+\}", _words(symptom)), key=len)


def _words(symptom: str) -> str:
    match = _STATUS.fullmatch(symptom)
    return match["words"] if match else symptom


@cache
def _compile(symptom: str) -> re.Pattern[str]:
    """The pattern of a symptom. All repetitions are bounded, because logs may be large."""
    words = _words(symptom)
    pattern, quoted = "", False
    for piece in _TOKEN.findall(words):
        if piece == " … ":
            pattern += r"\s+(?:[\s\S]{0,4000}?\s)??"
        elif piece == "…":
            pattern += r"[\s\S]{0,4000}?"
        elif piece.startswith("{") and len(piece) > 1:
            pattern += f"(?P<{piece[1:-1]}>" + (r"[^'\"]{0,300}?)" if quoted else r"[^\s'\"`,]{1,300})")
        elif piece.isspace():
            pattern += r"\s+"
        elif piece in {"'", '"'}:
            pattern += r"(?:\\?['\"])"
        else:
            pattern += re.escape(piece)
        quoted = piece in {"'", '"'}
    if (status := _standard(symptom)) is not None:
        pattern = rf"\b{status}{_TOOL}{pattern}"
    return re.compile(pattern)


def _plain(text: str) -> str:
    """The text without colors, frames, times, entities and secrets, line by line."""
    text = _CONTROL.sub("", redact(text).replace("\r\n", "\n").replace("\r", "\n"))
    text = _AFTER.sub("", _BEFORE.sub("", text))
    if "&" in text:
        text = html.unescape(text)
    return _SECRETS.sub(lambda match: f"{match[1] or match[2] or match[3]}***", text)


def _evidence(plain: str, match: re.Match[str]) -> str:
    """The lines of the match, joined; each reason why a token is refused occurs once."""
    begin = plain.rfind("\n", 0, match.start()) + 1
    end = plain.find("\n", match.end())
    begin, end = max(begin, match.start() - _SHOWN), min(end if end >= 0 else len(plain), match.end() + _SHOWN)
    line = " ".join(plain[begin:end].split())
    head, colon, reasons = line.partition("Invalid API Token: ")
    if colon:
        line = head + colon + ", ".join(dict.fromkeys(reasons.split(", ")))
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN // 2]} … {line[-_SHOWN // 3 :]}"


def _values(match: re.Match[str], context: dict[str, str]) -> dict[str, str]:
    """The values in the match, and those that occur elsewhere in the output."""
    named = {name: " ".join(value.split()).rstrip(".") for name, value in match.groupdict().items() if value}
    name, equal, version = named.get("requirement", "").partition("==")
    pinned = {"project": name, "version": version} if equal else {}
    return context | _from_file(named.get("file", "")) | pinned | named


_URL = re.compile(
    r"(?:Uploading\s+distributions\s+to|Using\s+repository\s+at|Publishing\s+\d+\s+files?\s+to|uploading\s+to\s+repository:"
    r"|for\s+url:?|HTTPError:\s+\d+\s+[\w\s]{1,40}?\s+from|Response\s+from)\s+['`]?(?P<upload_url>https?://[^\s'`]{1,300})"
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
