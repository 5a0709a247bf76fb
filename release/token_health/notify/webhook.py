"""A message as a POST of JSON; and the ping of a dead man's switch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from release.adapters.http import http_client
from release.core.errors import ReleaseError, UnreachableError
from release.core.models.index import host_of
from release.core.secret import Secret

if TYPE_CHECKING:
    import requests

_FINE = range(200, 300)


def send(address: Secret, document: Mapping[str, Any]) -> None:
    """POST a document; its `id` goes along as Idempotency-Key, for a receiver that minds what comes twice.

    No redirect is followed: the document is for that address. Raises `ReleaseError`, which never holds the address.
    """
    url = _usable(address)
    with http_client.session(url) as session:
        headers = {"Idempotency-Key": str(document["id"])}
        _judge(url, session.post(url, json=document, headers=headers, allow_redirects=False))


def ping(address: Secret) -> None:
    """GET the address, a few times if need be. Raises `ReleaseError`, which never holds the address."""
    url = _usable(address)
    with http_client.session(url, retries=2) as session:
        _judge(url, session.get(url))


def _usable(address: Secret) -> str:
    url = address.reveal().strip()
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ReleaseError(
            f"what is there ({len(url)} characters) is no address that begins with https://",
            remedy="put the whole address there, and nothing else",
        )
    return url


def _judge(url: str, response: requests.Response) -> None:
    if response.status_code not in _FINE:
        reason = "".join(c if c.isprintable() else " " for c in response.reason or "")[:100]
        raise UnreachableError(
            f"{host_of(url)!r} answers {response.status_code} {reason}".strip(),
            remedy="check the address where its service shows it; it may have been revoked",
        )
