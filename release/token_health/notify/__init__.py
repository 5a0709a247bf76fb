"""Notification channels, and the table `[notify]` of a fleet that configures them.

To add a channel, write a module that matches `ChannelModule`, and add it to `CHANNELS`. Addresses and passwords are
secrets, so the configuration contains only the locations where they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from release.core.models.secret_location import ConfiguredLocation
from release.core.secret import Secret
from release.core.tables import KeyPath, read_table
from release.token_health.location_reader import secret_location
from release.token_health.notify import apprise, mail, webhook

#: returns the secret in a location; raises `ReleaseError` if there is none
ReadSecret = Callable[[ConfiguredLocation], Secret]


class Channel(Protocol):
    """A configured channel; hashable."""

    @property
    def name(self) -> str:
        """The channel for people, and its key in the outbox: no other channel takes its messages."""

    @property
    def locations(self) -> tuple[ConfiguredLocation, ...]:
        """Where its secrets are stored."""

    def send(self, message: Mapping[str, Any], read_secret: ReadSecret) -> tuple[str, ...]:
        """Deliver a message of the form that docs/notifications.md describes.

        Returns the recipients that were refused while others were accepted.
        Raises `ReleaseError`, which never contains a secret.
        """


class ChannelModule(Protocol):
    """What a module of a channel provides."""

    def read_channels(self, value: Any, at: KeyPath) -> tuple[Channel, ...]:
        """Read the value of its key in `[notify]`. Raises `ConfigError`, which names the key."""


#: key in `[notify]` → its module
CHANNELS: Mapping[str, ChannelModule] = {"webhook": webhook, "mail": mail, "apprise": apprise}


class NotifySettings(Struct, frozen=True, kw_only=True):
    """The table `[notify]`."""

    channels: tuple[Channel, ...] = ()
    #: the URL of a heartbeat monitor, requested at the end of each complete run; the monitor alerts if it is not
    ping: ConfiguredLocation | None = None

    @property
    def locations(self) -> tuple[ConfiguredLocation, ...]:
        """Where all secrets are stored."""
        return (*(location for one in self.channels for location in one.locations), *([self.ping] if self.ping else []))


def read_settings(value: Any, at: KeyPath) -> NotifySettings:
    """Read the table `[notify]`. Raises `ConfigError`, which names the key."""
    readers = {key: module.read_channels for key, module in CHANNELS.items()}
    read = read_table(value, at, {**readers, "ping": secret_location})
    channels = (channel for key in CHANNELS for channel in read.get(key, ()))
    return NotifySettings(channels=tuple(dict.fromkeys(channels)), ping=read.get("ping"))
