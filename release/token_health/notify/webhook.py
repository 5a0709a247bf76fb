"""Webhooks: a message as a POST of JSON; and the ping of a heartbeat monitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from msgspec import Struct

from release.core.errors import ReleaseError, UnreachableError
from release.core.models.index import host_of
from release.core.models.secret_location import ConfiguredLocation, location_to_text
from release.core.secret import Secret
from release.core.tables import KeyPath
from release.token_health.location_reader import secret_locations

if TYPE_CHECKING:
    import requests


class Webhook(Struct, frozen=True, kw_only=True):
    """A URL that accepts a POST of JSON."""

    address: ConfiguredLocation

    @property
    def name(self) -> str:
        return f"webhook {location_to_text(self.address)}"

    @property
    def locations(self) -> tuple[ConfiguredLocation, ...]:
        return (self.address,)

    def send(self, message: Mapping[str, Any], read_secret: Callable[[ConfiguredLocation], Secret]) -> tuple[str, ...]:
        """POST the message, with its `id` as Idempotency-Key, so that a receiver can ignore duplicates.

        Redirects are not followed: the message is for that URL only.
        """
        from release.adapters.http import http_client

        url = _parse_url(read_secret(self.address))
        with http_client.session(url) as session:
            headers = {"Idempotency-Key": str(message["id"])}
            _require_success(url, session.post(url, json=message, headers=headers, allow_redirects=False))
        return ()


def read_channels(value: Any, at: KeyPath) -> tuple[Webhook, ...]:
    """Read one location of an address, or a list of them."""
    return tuple(Webhook(address=location) for location in secret_locations(value, at))


def ping(address: Secret) -> None:
    """GET a URL, with retries. Raises `ReleaseError`, which never contains the URL."""
    from release.adapters.http import http_client

    url = _parse_url(address)
    with http_client.session(url, retries=2) as session:
        _require_success(url, session.get(url))


def _parse_url(address: Secret) -> str:
    url = address.reveal().strip()
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ReleaseError(
            f"the stored value ({len(url)} characters) is not a URL that starts with https://",
            remedy="store the complete URL, and nothing else",
        )
    return url


def _require_success(url: str, response: requests.Response) -> None:
    if response.status_code not in range(200, 300):
        reason = "".join(c if c.isprintable() else " " for c in response.reason or "")[:100]
        raise UnreachableError(
            f"{host_of(url)!r} answers {response.status_code} {reason}".strip(),
            remedy="compare the URL with the one that its service shows; it may have been revoked",
        )
