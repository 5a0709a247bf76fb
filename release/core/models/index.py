"""Package indexes in general, and PyPI and TestPyPI.

This is the only module with the addresses of PyPI and TestPyPI.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A package index as an uploader and an installer see it."""

    #: the name in the configuration, in `.pypirc` and in `--index`
    name: str
    #: the address for uploads; ends with a slash
    upload_url: str
    #: root of the simple API (PEP 503, PEP 691); ends with a slash
    simple_url: str
    #: "warehouse" runs PyPI's own code (or our sandbox); "other" is any other server
    kind: Literal["warehouse", "other"] = "warehouse"
    #: created for this run only, so that uploads to it are not releases
    ephemeral: bool = False

    @property
    def json_url(self) -> str:
        """Root of the JSON API, `…/pypi/`; only an index of kind "warehouse" has one."""
        return self.simple_url.removesuffix("simple/") + "pypi/"

    @property
    def site(self) -> str:
        """Scheme and host of the index's pages, without a trailing slash."""
        return self.simple_url.removesuffix("/").removesuffix("/simple")

    @property
    def trusted_publishing(self) -> bool:
        """Whether the index may exchange an identity for a token: only PyPI's own code supports this."""
        return self.kind == "warehouse"

    @property
    def token_location(self) -> str:
        """The location that this index writes into its tokens: the host name of its site.

        Source: warehouse, `macaroons/services.py` (the location is the request's domain).
        """
        return host_of(self.upload_url if self.upload_url != PYPI.upload_url else PYPI.simple_url)

    @property
    def loopback(self) -> bool:
        return is_loopback(host_of(self.upload_url))


def host_of(url: str) -> str:
    """The host name of a URL, lower case, without port; empty if there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


PYPI = Index(name="pypi", upload_url="https://upload.pypi.org/legacy/", simple_url="https://pypi.org/simple/")
TESTPYPI = Index(
    name="testpypi", upload_url="https://test.pypi.org/legacy/", simple_url="https://test.pypi.org/simple/"
)

#: user documentation that responses of indexes of kind "warehouse" refer to
USER_DOCS = "https://docs.pypi.org"

#: the indexes that need no configuration
WELL_KNOWN = {index.name: index for index in (PYPI, TESTPYPI)}

#: former host names of the two, which no longer accept uploads
RETIRED_HOSTS = {"pypi.python.org": PYPI, "testpypi.python.org": TESTPYPI, "upload.pypi.io": PYPI}


def well_known(url: str) -> Index | None:
    """PyPI or TestPyPI, if the host of a URL is one of theirs; the rest of the URL may be wrong."""
    host = host_of(url)
    for index in WELL_KNOWN.values():
        if host in {host_of(index.upload_url), host_of(index.simple_url)}:
            return index
    return RETIRED_HOSTS.get(host)
