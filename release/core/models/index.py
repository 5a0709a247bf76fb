"""Package indexes: the two that everybody means, and what can be said of any.

The only module of the product where the addresses of PyPI and TestPyPI stand.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A package index as an uploader and an installer see it."""

    #: how the user calls it: the name in the configuration, in `.pypirc` and in `--index`
    name: str
    #: where files are posted to; ends with a slash
    upload_url: str
    #: root of the simple API (PEP 503, PEP 691); ends with a slash
    simple_url: str
    #: "warehouse" runs PyPI's own code (or our sandbox); "other" is any other server
    kind: Literal["warehouse", "other"] = "warehouse"
    #: made for this run and gone with it: nothing that happens on it is a release
    ephemeral: bool = False

    @property
    def json_url(self) -> str:
        """Root of the JSON API, `…/pypi/`; only an index of kind "warehouse" has one."""
        return self.simple_url.removesuffix("simple/") + "pypi/"

    @property
    def site(self) -> str:
        """Scheme and host of the index's pages, without a slash at the end."""
        return self.simple_url.removesuffix("/").removesuffix("/simple")

    @property
    def trusted_publishing(self) -> bool:
        """Whether the index may exchange an identity for a token: PyPI's own code can, no other index does."""
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
    """The host name of a URL, lower case, without port; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
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

#: user documentation that the answers of every index of kind "warehouse" point to
USER_DOCS = "https://docs.pypi.org"

#: what a user gets without configuring anything
WELL_KNOWN = {index.name: index for index in (PYPI, TESTPYPI)}

#: host names under which the two were once known, and which take no uploads any more
RETIRED_HOSTS = {"pypi.python.org": PYPI, "testpypi.python.org": TESTPYPI, "upload.pypi.io": PYPI}


def well_known(url: str) -> Index | None:
    """Which of the two a URL means, by its host alone, however wrong the rest of it is."""
    host = host_of(url)
    for index in WELL_KNOWN.values():
        if host in {host_of(index.upload_url), host_of(index.simple_url)}:
            return index
    return RETIRED_HOSTS.get(host)
