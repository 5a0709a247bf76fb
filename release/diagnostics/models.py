"""What a known failure is, as a record; and how a remedy gets the names and addresses of the case at hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from release.core.models.index import PYPI, WELL_KNOWN, well_known


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One cause for which releases fail.

    Words of servers and tools are written as they print them, with three liberties. `{name}` stands for
    a value and remembers it; a lone `…` for anything or nothing in between; and a leading status, as in
    `403 …`, says that they are a server's. Any white space matches any other, since tools wrap lines.
    """

    #: public name, "cred.missing": shown, kept in records, asked for
    id: str
    #: the cause in one line: lower case, no full stop
    title: str
    #: what it is and why it fails, one to three sentences
    explanation: str
    #: words that lead to this cause
    symptoms: tuple[str, ...] = ()
    #: words that fit this cause too, and lead to others first
    also: tuple[str, ...] = ()
    #: how it shows where no words name it
    shows: str = ""
    #: an order: exact commands and addresses, with `{index}`, `{project}`… left for `fill_placeholders`
    remedy: str
    #: what it takes to know: this machine; reading the network; asking with the credential; an upload
    detect: Literal["offline", "network", "probe", "after"]
    #: how often it is met, by judgement
    weight: Literal["high", "medium", "low"]
    #: documents and threads that it rests on; `owner/repository#number` is a GitHub thread
    sources: tuple[str, ...]

    def remedy_for(self, values: Mapping[str, str] | None = None) -> str:
        """The remedy with what is known of the case filled in; see `fill_placeholders`."""
        return fill_placeholders(self.remedy, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A known failure that some output may show."""

    diagnosis: Diagnosis
    #: the words it rests on, on one line, without secrets
    evidence: str
    #: what the words name: "project", "user", "file", "version", "upload_url", "index", "host", …
    values: Mapping[str, str] = field(default_factory=dict)
    #: the words lead here, and to no other record
    certain: bool = False

    @property
    def cause(self) -> str:
        return self.diagnosis.id

    @property
    def remedy(self) -> str:
        return self.diagnosis.remedy_for(self.values)


#: a value that may stand in a command which somebody will copy into a shell
_SAFE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,+:/@~%=-]*")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def fill_placeholders(text: str, values: Mapping[str, str] | None = None) -> str:
    """`text` with its `{names}` replaced.

    What is not known becomes its name in capitals, an index that is not known PyPI. So does a value
    that could change the meaning of a command (blanks, quotes, `$`): values come from foreign output.
    """
    known = {name: value for name, value in (values or {}).items() if _SAFE.fullmatch(value)}
    known |= _addresses(known)
    return _PLACEHOLDER.sub(lambda place: known.get(place[1], place[1].upper()), text)


def _addresses(known: Mapping[str, str]) -> dict[str, str]:
    """Name, upload address and site of the index that is meant, as far as they follow from each other."""
    url = known.get("upload_url", "")
    name = known.get("index") or ("" if url else PYPI.name)
    if index := well_known(url) or WELL_KNOWN.get(name):
        return {"index": index.name, "upload_url": index.upload_url, "site": index.site}
    origin = re.match(r"https?://[^/]+", url)
    return {"upload_url": url.rstrip("/") + "/", "site": origin[0]} if origin else {}
