"""The text of a log without what tools and CI services print around messages, and where the log is from.

Observed: GitHub Actions (raw logs, `gh run view --log`, the web page), GitLab 18, Travis CI, rich 14, 2026-11.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus

from release.core.redaction import redact

_CONTROL = re.compile(r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b\x0c\x0e-\x1f]")
#: the same without the escape character, as web pages and editors leave them
_LOST_CONTROL = re.compile(r"(?:\^\[|\\x1b|\\u001b|\\033|\\e|\u241b)?\[(?:\d{1,3}(?:;\d{1,3}){0,5}m|\?25[lh]|[0-2]?K)")
#: commands to a CI service. GitHub reads `##[name]` anywhere in a line
_COMMAND = re.compile(r"##\[[a-z]+\]|::(?:error|warning|notice|debug|group)(?: [^:\n]*)?::|section_\w+:\d+:\w+\r?")
_STAMP = r"\ufeff?\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[^\s\]]*\]?(?:[ ]\d\d[OE](?=[+ ])\+?)?[ ]?"
#: an attempt of urllib3 that is followed by another: a warning of pip and twine
_RETRY = re.compile(
    r"WARNING:?\s+Retrying\s+\(Retry\(total=[\s\S]{0,300}?\)\)\s+after\s+connection\s+broken\s+by[\s\S]{0,900}?['\"]:\s+/\S*"
)
#: a status in the forms of requests and httpx, followed by no phrase; 400 and 403 need the server's message
_NO_PHRASE = re.compile(
    r"(?:\b(?=\d{3}\s(?:Client|Server)\s+Error:\s+for\s+url)|(?<=\berror\s')(?=\d{3}\s?'))(?P<status>404|405|413|429|5\d\d)"
    r"(?P<kind>\s(?:Client|Server)\s+Error:)?"
)
#: the failure of a server whose phrase is not the standard one, as those of nginx, Apache and Cloudflare
_OTHER_PHRASE = re.compile(
    r"(?P<before>HTTPError:\s+|HTTP\s+Error\s+|[Ss]erver\s+error\s+'|Upload\s+failed\s+\(|status\s+code\s+)"
    r"(?P<status>5\d\d)(?!\s*[:)]?\s+(?:Internal\s+Server|Bad\s+Gateway|Service\s+Unavailable|Gateway\s+Timeout)\b)"
)
#: lines; what fewer of them have in common can be their text
_FEW = 4
#: characters; shorter lines can lack a part of it
_SHORT = 20
#: what CI services, rich and quoted mail put before a line: the name of a step, a time, a frame
_BEFORE = re.compile(
    rf"^[ \t>]*(?:(?:[^\t\n]{{0,60}}\t){{0,2}}{_STAMP})?"
    rf"(?:\[?\d\d:\d\d:\d\d(?:[.,]\d{{1,6}})?\]?[ ]|#\d+ \d+\.\d+[ ])?[ \t│┃|>]*",
    re.MULTILINE,
)
#: the place in the code that rich's log handler prints at the right, and frames
_AFTER = re.compile(
    r"(?<![ ])[ ]{2,}[\w./-]{1,60}\.py:\d{1,6}[ \t│┃|]*$|(?<![ \t│┃|])[ \t│┃|]+$|^[ \t│┃|]+$", re.MULTILINE
)
#: secrets other than whole tokens: tokens without prefix, identity tokens, passwords in URLs
_SECRETS = re.compile(r"(AgE)[\w-]{20,}|(eyJ)[\w-]{8,200}\.[\w.-]+|(://)[^/\s@]{1,300}@")

#: CI service → what only its logs contain
_SERVICES: Mapping[str, re.Pattern[str]] = {
    "GitLab CI": re.compile(
        r"\bRunning with gitlab-runner\b|\bsection_(?:start|end):\d+:|^ERROR: Job failed: (?:exit|command)"
        r"|/builds/[\w.-]+/"
        r"|Cleaning up project directory and file based variables|^\d{4}-\d\d-\d\dT[\d:.]+Z \d\d[OE][ +]|\bCI_JOB_\w+",
        re.MULTILINE,
    ),
    "Travis CI": re.compile(
        r"\btravis_(?:fold|time):(?:start|end)|/home/travis/|^The command \".*\" exited with \d"
        r"|^PyPI upload failed\.|^failed to deploy$|Your build exited with \d",
        re.MULTILINE,
    ),
    "Azure Pipelines": re.compile(r"##\[section\]|/home/vsts/work/|\bD:\\a\\\d+\\|/Users/runner/work/\d+/"),
    "GitHub Actions": re.compile(
        r"##\[[a-z]+\]|^::(?:error|warning|notice|debug|group|endgroup|add-mask)\b"
        r"|\bProcess completed with exit code \d"
        r"|/(?:home|Users)/runner/|\bD:\\a\\|/__w/|/github/(?:workspace|home|workflow)\b|\bGITHUB_[A-Z]+\b"
        r"|^\S*\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z|^[^\t\n]{1,99}\t[^\t\n]{1,99}\t\ufeff?\d{4}-\d\d-\d\dT"
        r"|\bACTIONS_ID_TOKEN_REQUEST_|[Tt]rusted publishing exchange|^(?:Run|Post) [\w.-]+/[\w./-]+@"
        r"|\bPyPA publish to PyPI",
        re.MULTILINE,
    ),
    "another CI service": re.compile(
        r"\bbuildkite-agent\b|\b_bk;t=\d|/home/circleci/|\bExited with code exit status \d|^\[Pipeline\] |/var/jenkins"
        r"|^Finished: FAILURE|/opt/atlassian/pipelines/|/drone/src\b|\bAPPVEYOR\b|^Command exited with code \d",
        re.MULTILINE,
    ),
}
#: uploader → what only it prints. Observed: the versions named in tests/diagnostics/uploaders.py
_UPLOADERS: Mapping[str, re.Pattern[str]] = {
    "poetry": re.compile(
        r"^Publishing [\w.-]+ \([^()\n]+\) to |^HTTP Error \d{3}:|^Error connecting to repository", re.MULTILINE
    ),
    "uv": re.compile(
        r"^Publishing \d+ files? to |\berror: Failed to publish|\bServer returned status code \d", re.MULTILINE
    ),
    "hatch": re.compile(r"^Error uploading to repository: |^Missing required option: ", re.MULTILINE),
    "flit": re.compile(r"\b[IWE]-flit\.upload|/flit/upload\.py", re.MULTILINE),
    "pdm": re.compile(r"\[(?:PublishError|PdmUsageError)\]|\bpdm-publish-\w+\.log", re.MULTILINE),
    "maturin": re.compile(r"\bmaturin failed", re.MULTILINE),
    "twine": re.compile(
        r"^Uploading distributions to |\bHTTPError: \d{3} [\w -]*\s+from\s|/twine/|\btwine upload", re.MULTILINE
    ),
    "setuptools": re.compile(r"^(?:error: )?Upload failed \(\d{3}\)|^running upload$", re.MULTILINE),
}


@lru_cache(maxsize=1)
def plain_log(text: str) -> str:
    """The text without colors, frames, times, commands to CI services, entities and secrets, line by line."""
    text = _CONTROL.sub("", redact(text).replace("\r\n", "\n").replace("\r", "\n"))
    if "[" in text:
        text = _LOST_CONTROL.sub("", text)
    if "::" in text or "##[" in text or "section_" in text:
        text = _COMMAND.sub("", text).replace("%0A", "\n").replace("%0D", "").replace("%25", "%")
    text = _BEFORE.sub("", _without_common_start(_AFTER.sub("", _BEFORE.sub("", text))))
    if "&" in text:
        text = html.unescape(text)
    return _SECRETS.sub(lambda match: f"{match[1] or match[2] or match[3]}***", text)


def _without_common_start(text: str) -> str:
    """The text without the words that all its lines begin with: the name of a container, a comment sign."""
    lines = [line for line in text.split("\n") if len(line) > _SHORT]
    if len(lines) < _FEW:
        return text
    first, last = min(lines), max(lines)
    length = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), 0)
    start = first[: first.rfind(" ", 0, length) + 1]
    return "\n".join(line.removeprefix(start) for line in text.split("\n")) if start.strip() else text


def without_retries(plain: str) -> str:
    """The plain log without attempts that were followed by others, unless it ends with one."""
    kept = _RETRY.sub("", plain)
    *_, last = (0, *(match.end() for match in _RETRY.finditer(plain)))
    return plain if last and not plain[last:].strip() else kept


def with_phrases(plain: str) -> str:
    """The plain log with the standard phrase of each status whose phrase is missing, as HTTP/2 has none."""

    def phrase(match: re.Match[str]) -> str:
        status = int(match["status"])
        return match[0] + (f" {HTTPStatus(status).phrase} " if status in set(HTTPStatus) else "")

    return _OTHER_PHRASE.sub(_standard_phrase, _NO_PHRASE.sub(phrase, plain))


def _standard_phrase(match: re.Match[str]) -> str:
    status = int(match["status"])
    known = HTTPStatus(status if status in set(HTTPStatus) else 500)
    return f"{match['before']}{int(known)} {known.phrase} ({match[0][len(match['before']) :]})"


@lru_cache(maxsize=1)
def ci_service(text: str) -> str | None:
    """The CI service that a log is from; None where nothing shows one."""
    text = re.sub(r"^[ \t]*(?:>[ ]?)+", "", _CONTROL.sub("", text), flags=re.MULTILINE)
    return next((name for name, pattern in _SERVICES.items() if pattern.search(text)), None)


def uploader_of(plain: str) -> str | None:
    """The uploader whose output a plain log contains; None where nothing shows one."""
    return next((name for name, pattern in _UPLOADERS.items() if pattern.search(plain)), None)
