"""`[notify]` of a fleet: who is told of their tokens, and where the addresses for it lie, since those are secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from release.core.errors import ConfigError
from release.core.models.secret_location import ConfiguredLocation
from release.core.toml_tables import known, path, subtable, text, wrong
from release.token_health.notify.channels import Apprise, Channel, Channels, Mail, Webhook

#: reads a place out of a table: its value, the name of its key
ReadPlace = Callable[[Any, str], ConfiguredLocation]

_KEYS = ("webhook", "mail", "apprise", "ping")
_MAIL_KEYS = ("host", "port", "tls", "from", "to", "user", "password")
#: how a connection is kept private → the port where that is usual. Source: RFC 8314, 3; RFC 6409, 3.1
_PORTS: Mapping[Any, int] = {"starttls": 587, "ssl": 465, "none": 25}
_PERSON = re.compile(r"[^@\s<>,;\"()]+@[^@\s<>,;\"()]+")
_HOST = re.compile(r"[A-Za-z0-9._:\-]+")
_LAST_PORT = 65_535


def parse(table: Mapping[str, Any], where: str, *, file: str, place: ReadPlace) -> Channels:
    """The channels of a table `[notify]`. Raises `ConfigError`, which names the key."""
    known(table, _KEYS, where)
    mail = subtable(table, "mail", where, file=file)
    found: list[Channel] = [Webhook(address=one) for one in _places(table, "webhook", where, place)]
    if mail:
        found.append(_mail(mail, path(where, "mail"), file=file, place=place))
    found += [Apprise(address=one) for one in _places(table, "apprise", where, place)]
    ping = place(table["ping"], path(where, "ping")) if "ping" in table else None
    return Channels(channels=tuple(dict.fromkeys(found)), ping=ping)


def _places(table: Mapping[str, Any], key: str, where: str, place: ReadPlace) -> Iterator[ConfiguredLocation]:
    """One place, or several in a list: each has one address."""
    given = table.get(key, [])
    for one in given if isinstance(given, list) else [given]:
        yield place(one, path(where, key))


def _mail(table: Mapping[str, Any], where: str, *, file: str, place: ReadPlace) -> Mail:
    known(table, _MAIL_KEYS, where)
    host = text(table, "host", where, file=file)
    if host is None or not _HOST.fullmatch(host):
        raise wrong(path(where, "host"), "the name of a mail server", host, file=file)
    tls = table.get("tls", "starttls")
    if tls not in _PORTS:
        raise wrong(path(where, "tls"), '"starttls", "ssl" or "none"', tls, file=file)
    port = table.get("port", _PORTS[tls])
    if isinstance(port, bool) or not isinstance(port, int) or not 0 < port <= _LAST_PORT:
        raise wrong(path(where, "port"), f"a number from 1 to {_LAST_PORT}", port, file=file)
    user, password = text(table, "user", where, file=file), table.get("password")
    if (user is None) != (password is None):
        raise ConfigError(
            f"{where} has {'a password and no user' if user is None else 'a user and no password'}",
            remedy=f"give both in {file}, or neither where the server asks for none",
        )
    return Mail(
        host=host, port=port, tls=tls, sender=_person(table.get("from"), path(where, "from"), file),
        to=_people(table.get("to"), path(where, "to"), file), user=user,
        password=place(password, path(where, "password")) if password is not None else None,
    )  # fmt: skip


def _people(given: Any, where: str, file: str) -> tuple[str, ...]:
    people = given if isinstance(given, list) and given else [given]
    return tuple(_person(one, where, file) for one in people)


def _person(given: Any, where: str, file: str) -> str:
    if not isinstance(given, str) or not _PERSON.fullmatch(given):
        raise wrong(where, "a mail address such as maintainers@packages.example", given, file=file)
    return given
