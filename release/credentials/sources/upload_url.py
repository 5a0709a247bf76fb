"""Upload URLs as users write them: which index they mean, and their mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from release.core.models.finding import Finding
from release.core.models.index import RETIRED_HOSTS, host_of, is_loopback, well_known


def is_same(url: str, upload_url: str) -> bool:
    """Whether a URL means this upload URL, possibly with a mistake that `remarks_on` reports."""
    meant = well_known(url)
    if meant is not None:
        return meant.upload_url == upload_url
    return _bare(url) == _bare(upload_url)


def remarks_on(url: str, upload_url: str, where: str) -> Iterator[Finding]:
    """The worst mistake in a URL that means `upload_url`, if there is any."""
    shown = without_user(url)
    mistake = _mistake(url, shown, upload_url)
    if mistake is not None:
        message, cause = mistake
        yield Finding(
            message=message, remedy=f"write: repository = {upload_url}", severity="warn", where=where, cause=cause
        )


def _mistake(url: str, shown: str, upload_url: str) -> tuple[str, str] | None:
    if host_of(url) in RETIRED_HOSTS:
        return f"{shown!r} is a retired address that does not accept uploads", "url.legacy-domain"
    if url.lower().startswith("http:") and not is_loopback(host_of(url)):
        return f"{shown!r} is plain http, which would expose the token on the network", "url.http"
    if shown == upload_url.rstrip("/"):
        return f"{shown!r} has no final slash: uploads to it are redirected, and fail", "url.no-trailing-slash"
    if shown != upload_url and well_known(url):
        return f"{shown!r} does not accept uploads", "url.simple-or-root"
    return None


def without_user(url: str) -> str:
    """A URL without user name and password, for display."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…"
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _bare(url: str) -> str:
    return without_user(url).rstrip("/").lower().removeprefix("https://").removeprefix("http://")
