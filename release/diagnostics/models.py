"""The record of a known failure, and how its remedy is filled in for a given case."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

from release.core.lazy_pattern import lazy_pattern
from release.core.models.index import PYPI, WELL_KNOWN, host_of, is_loopback, well_known


class Diagnosis(Struct, frozen=True, kw_only=True):
    """One cause of failed releases.

    Messages of servers and tools are quoted as they are printed, with three exceptions: `{name}` stands for a
    value, which is captured; `…` for any text, or none; and a leading status, as in `403 …`, marks the message of
    a server. Any white space matches any other, because tools wrap lines.
    """

    #: public name, such as "cred.missing"
    id: str
    #: the cause in one line: lower case, no full stop
    title: str
    #: what happens and why, one to three sentences
    explanation: str
    #: messages that indicate this cause
    symptoms: tuple[str, ...] = ()
    #: messages that fit this cause, but indicate others first
    also: tuple[str, ...] = ()
    #: how it shows if there is no message
    shows: str = ""
    #: in the imperative: exact commands and addresses, with `{index}`, `{project}`… for `fill_placeholders`
    remedy: str
    #: how it is detected: on this machine; by reading from the network; with the credential; by an upload
    detect: Literal["offline", "network", "probe", "after"] = "offline"
    #: how frequent it is, estimated
    weight: Literal["high", "medium", "low"] = "medium"
    #: documents and discussions; `owner/repository#number` is a GitHub issue
    sources: tuple[str, ...]

    def remedy_for(self, values: Mapping[str, str] | None = None) -> str:
        """The remedy with the known values filled in; see `fill_placeholders`."""
        return fill_placeholders(self.remedy, values)


class Match(Struct, frozen=True, kw_only=True):
    """A known failure that an output may show."""

    diagnosis: Diagnosis
    #: the message that matched, on one line, without secrets
    evidence: str
    #: the values in it: "project", "user", "file", "version", "upload_url", "index", "host", …
    values: Mapping[str, str] = field(default_factory=dict)
    #: whether the message indicates no other record
    certain: bool = False

    @property
    def cause(self) -> str:
        return self.diagnosis.id

    @property
    def remedy(self) -> str:
        return self.diagnosis.remedy_for(self.values)


#: a value that is safe in a command that is pasted into a shell
_SAFE = lazy_pattern(r"[A-Za-z0-9_][A-Za-z0-9_.,+:/@~%=-]*")
_PLACEHOLDER = lazy_pattern(r"\{([a-z_]+)\}")


def fill_placeholders(text: str, values: Mapping[str, str] | None = None) -> str:
    """`text` with its `{names}` replaced by values.

    An unknown value becomes its name in capitals, an unknown index PyPI. So does a value that could change the
    meaning of a command (blanks, quotes, `$`), because values come from the output of other programs.
    """
    known = {name: value for name, value in (values or {}).items() if _SAFE.fullmatch(value)}
    known |= _addresses(known)
    if (host := host_of(known.get("upload_url", ""))) and well_known(known["upload_url"]) is None:
        text = _for_other_index(text, host)
    return _PLACEHOLDER.sub(lambda place: known.get(place[1], place[1].upper()), text)


#: an address on the pages of PyPI's own code
_PAGE = lazy_pattern(r"\b(?P<before>at |from |see |)\{site\}/(?P<page>manage|account|help)/[\w/{}#.-]*[\w/}]")
#: without its upload path, or with that of the simple API
_NO_UPLOAD_PATH = lazy_pattern(r"(https?://[^/]+)(?:/simple|/pypi)?/?")


def _for_other_index(text: str, host: str) -> str:
    """The text for an index that need not have PyPI's pages; one on loopback has them."""
    if is_loopback(host):
        return text

    def place(match: re.Match[str]) -> str:
        if match["page"] == "help":
            return f"{match['before']}the documentation of {host}"
        return f"on {host}" if match["before"] == "at " else f"{match['before']}{host}"

    return _PAGE.sub(place, text)


def _addresses(known: Mapping[str, str]) -> dict[str, str]:
    """Name, upload address and site of the index, as far as they follow from the known values."""
    url = known.get("upload_url", "")
    name = known.get("index") or ("" if url else PYPI.name)
    if index := well_known(url) or WELL_KNOWN.get(name):
        return {"index": index.name, "upload_url": index.upload_url, "site": index.site}
    origin = re.match(r"https?://[^/]+", url)
    if origin is None:
        return {}
    bare = _NO_UPLOAD_PATH.fullmatch(url)
    return {"upload_url": f"{bare[1]}/legacy/" if bare else url.rstrip("/") + "/", "site": origin[0]}
