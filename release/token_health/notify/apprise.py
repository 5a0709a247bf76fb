"""Services that Apprise supports; requires the extra `notify`.

Observed: apprise 1.9 and 2.2, 2026-11 — `add` returns False for an address that it cannot use, and `notify` returns
False for a failed delivery; the reason is only in its log, which may contain the address.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from release.core.errors import ReleaseError, ToolError
from release.core.models.secret_location import ConfiguredLocation, location_to_text
from release.core.secret import Secret
from release.core.tables import KeyPath
from release.token_health.location_reader import secret_locations

_TRY_MANUALLY = "try the same address by hand: apprise --body test ADDRESS"


class Apprise(Struct, frozen=True, kw_only=True):
    """One address in Apprise's form."""

    address: ConfiguredLocation

    @property
    def name(self) -> str:
        return f"apprise {location_to_text(self.address)}"

    @property
    def locations(self) -> tuple[ConfiguredLocation, ...]:
        return (self.address,)

    def send(self, message: Mapping[str, Any], read_secret: Callable[[ConfiguredLocation], Secret]) -> tuple[str, ...]:
        """Deliver the text of the message."""
        try:
            import apprise
        except ImportError:
            raise ToolError(
                "Apprise is not installed", remedy="run: python -m pip install 'pypi-preflight[notify]'"
            ) from None
        log = logging.getLogger("apprise")
        log.propagate, log.disabled = False, True
        client = apprise.Apprise()
        if not client.add(read_secret(self.address).reveal().strip()):
            raise ReleaseError(
                "the stored value is not an address that Apprise supports",
                remedy="see https://github.com/caronc/apprise/wiki for its form, such as slack://…",
            )
        try:
            delivered = client.notify(
                body=message["text"], title=message["title"], body_format=apprise.NotifyFormat.TEXT
            )
        except Exception as error:  # noqa: BLE001 - one of a hundred plug-ins, and its text may contain the address
            raise ToolError(f"Apprise failed with {type(error).__name__}", remedy=_TRY_MANUALLY) from None
        if not delivered:
            raise ToolError("Apprise could not deliver the message to the service", remedy=_TRY_MANUALLY)
        return ()


def read_channels(value: Any, at: KeyPath) -> tuple[Apprise, ...]:
    """Read one location of an address, or a list of them."""
    return tuple(Apprise(address=location) for location in secret_locations(value, at))
