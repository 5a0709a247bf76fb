"""Where people are told of their tokens: names for addresses, never the addresses themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from release.core.models.secret_location import ConfiguredLocation, location_to_text

#: how a connection to a mail server is kept private: from a command on, from the start, or not at all
Tls = Literal["starttls", "ssl", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that takes a POST of JSON."""

    address: ConfiguredLocation


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail server that takes messages."""

    host: str
    port: int
    tls: Tls
    sender: str
    to: tuple[str, ...]
    #: None: it asks for no name
    user: str | None = None
    password: ConfiguredLocation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Apprise:
    """One address of those that Apprise knows."""

    address: ConfiguredLocation


Channel = Webhook | Mail | Apprise


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Everybody who is to be told."""

    channels: tuple[Channel, ...] = ()
    #: a dead man's switch: asked at the end of a run that went well, it raises the alarm where it was not
    ping: ConfiguredLocation | None = None


def name(channel: Channel) -> str:
    """The channel for a reader, and its name in the outbox: what waits for one is for no other."""
    match channel:
        case Webhook(address=address):
            return f"webhook {location_to_text(address)}"
        case Apprise(address=address):
            return f"apprise {location_to_text(address)}"
        case Mail(host=host, port=port, to=to):
            return f"mail {host}:{port} to {', '.join(to)}"
