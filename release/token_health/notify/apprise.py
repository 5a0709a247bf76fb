"""A message to one of the services that Apprise knows: the extra `notify`.

Observed: apprise 1.9 and 2.2, 2026-11 — an address that it can't use is told by `add` as False, a failed delivery by
`notify` as False, and why only by its log, which may hold the address.
"""

from __future__ import annotations

import logging

from release.core.errors import ReleaseError, ToolError
from release.core.secret import Secret

_BY_HAND = "try it by hand, with the same address: apprise --body test ADDRESS"


def send(address: Secret, *, title: str, text: str) -> None:
    """Deliver a text. Raises `ReleaseError`, which never holds the address."""
    try:
        import apprise
    except ImportError:
        raise ToolError(
            "Apprise is not installed", remedy="run: python -m pip install 'pypi-preflight[notify]'"
        ) from None
    log = logging.getLogger("apprise")
    log.propagate, log.disabled = False, True
    told = apprise.Apprise()
    if not told.add(address.reveal().strip()):
        raise ReleaseError(
            "what is there is no address that Apprise knows",
            remedy="see https://github.com/caronc/apprise/wiki for its form, such as slack://…",
        )
    try:
        taken = told.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # noqa: BLE001 - one of a hundred plug-ins, and its text may hold the address
        raise ToolError(f"Apprise failed with {type(error).__name__}", remedy=_BY_HAND) from None
    if not taken:
        raise ToolError("the service that Apprise was to tell did not take the message", remedy=_BY_HAND)
