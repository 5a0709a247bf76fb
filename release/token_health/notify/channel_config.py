"""`[notify]` of a fleet: who is told of their tokens, and where the addresses for it lie, since those are secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from release.core.errors import ConfigError
from release.core.tables import KeyPath, Reader, number, one_of, read_table, string
from release.token_health.location_reader import secret_location
from release.token_health.notify.channels import Apprise, Channel, Channels, Mail, Webhook

#: how a connection is kept private → the port where that is usual. Source: RFC 8314, 3; RFC 6409, 3.1
_PORTS: Mapping[Any, int] = {"starttls": 587, "ssl": 465, "none": 25}
_PERSON = re.compile(r"[^@\s<>,;\"()]+@[^@\s<>,;\"()]+")
_HOST = re.compile(r"[A-Za-z0-9._:\-]+")


def read_channels(value: Any, at: KeyPath) -> Channels:
    """The channels of a table `[notify]`. Raises `ConfigError`, which names the key."""
    read = read_table(value, at, _CHANNELS)
    mail = [read["mail"]] if read.get("mail") else []
    channels: list[Channel] = [*read.get("webhook", ()), *mail, *read.get("apprise", ())]
    return Channels(channels=tuple(dict.fromkeys(channels)), ping=read.get("ping"))


def _each(make: Callable[..., Channel]) -> Reader:
    """A reader of one location, or of a list of them: each contains one address."""

    def read(value: Any, at: KeyPath) -> tuple[Channel, ...]:
        return tuple(make(address=secret_location(one, at)) for one in (value if isinstance(value, list) else [value]))

    return read


def _mail(value: Any, at: KeyPath) -> Mail | None:
    read = read_table(value, at, _MAIL)
    if not read:
        return None
    for key in ("host", "from", "to"):
        if key not in read:
            raise at.missing(key)
    if ("user" in read) != ("password" in read):
        raise ConfigError(
            f"{at} has {'a user and no password' if 'user' in read else 'a password and no user'}",
            remedy=f"give both in {at.file}, or neither if the server requires none",
        )
    tls = read.get("tls", "starttls")
    return Mail(**{"tls": tls, "port": _PORTS[tls], "user": None, "password": None, "sender": read.pop("from")} | read)


def _host(value: Any, at: KeyPath) -> str:
    if isinstance(value, str) and _HOST.fullmatch(value):
        return value
    raise at.wrong("the name of a mail server", value)


def _recipients(value: Any, at: KeyPath) -> tuple[str, ...]:
    return tuple(_person(one, at) for one in (value if isinstance(value, list) and value else [value]))


def _person(value: Any, at: KeyPath) -> str:
    if isinstance(value, str) and _PERSON.fullmatch(value):
        return value
    raise at.wrong("a mail address such as maintainers@packages.example", value)


_CHANNELS: Mapping[str, Reader] = {
    "webhook": _each(Webhook),
    "mail": _mail,
    "apprise": _each(Apprise),
    "ping": secret_location,
}
_MAIL: Mapping[str, Reader] = {
    "host": _host,
    "port": number(1, 65_535, whole=True),
    "tls": one_of(*_PORTS),
    "from": _person,
    "to": _recipients,
    "user": string,
    "password": secret_location,
}
