"""How much a response may have, and how long it may take, by what is asked for: the only place of these numbers.

Each is far above what a correct server sends. A response that exceeds one is cut off, and is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from release.core.models.index import IndexFile

_KB, _MB = 1_000, 1_000_000
#: bytes of the status line, all header fields, and responses with a status of 1xx before
MAX_HEAD = 256 * _KB
#: seconds for any response, and 1 more for each `RATE` bytes that have come; a slow mobile network has twice as many
SECONDS = 15.0
RATE = 10 * _KB
#: seconds; the longest Retry-After that is followed before a GET is repeated
LONGEST_WAIT = 60.0
#: redirects that are followed; pip and requests follow 30
MAX_REDIRECTS = 10
#: bytes; no project of PyPI may have a larger file. Source: warehouse, `packaging/models.py`, its database constraint
_LARGEST_FILE = 1 << 30
#: bytes; also where an index states more. Source: warehouse, `constants.py`, the limit of a whole project
_LARGEST_STATED = 10 << 30


class ResponseLimits(NamedTuple):
    """The limits of one response. The time begins with its first byte: before, the time-out for silence applies.

    No `Struct`: the processes that upload do without msgspec.
    """

    #: "a project page": what the response is, for messages
    kind: str
    #: bytes on the wire, without the head
    wire: int
    #: bytes after decompression
    decoded: int
    #: seconds in any case
    total: float = 300


#: a short JSON document, of an identity provider, a webhook, the JSON API's provenance, …
ANSWER = ResponseLimits(kind="such a response", wire=4 * _MB, decoded=4 * _MB)
#: an entry of the transparency log, a certificate, or a list of trusted keys; also 62 kB compressed
SIGSTORE = ResponseLimits(kind="an answer of Sigstore", wire=4 * _MB, decoded=64 * _MB)
#: the answer to an upload, or to a probe
UPLOAD = ResponseLimits(kind="the answer to an upload", wire=_MB, decoded=_MB)
#: all files of a project: 32 MB are those of some 50,000
PAGE = ResponseLimits(kind="a page of a project", wire=32 * _MB, decoded=32 * _MB)
#: the names of all projects: 56 MB are those of more than a million
PROJECT_NAMES = ResponseLimits(kind="the list of all projects", wire=56 * _MB, decoded=56 * _MB)


def file_limits(file: IndexFile) -> ResponseLimits:
    """Not one byte more than the index states."""
    size = _LARGEST_FILE if file.size is None else min(file.size, _LARGEST_STATED)
    stated = "" if file.size is None else ", as its page states"
    kind = f"the file {file.filename!r}{stated}"
    return ResponseLimits(kind=kind, wire=size + _MB, decoded=size, total=60 + size / RATE)
