"""Keyring backends for tests that can be written to; the entries lie in the file that PREFLIGHT_KEYRING_FILE names."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential
from keyring.errors import KeyringLocked, PasswordDeleteError


class KeepingKeyring(KeyringBackend):
    """A keyring that works."""

    priority = 1.0

    def _file(self) -> Path:
        return Path(os.environ["PREFLIGHT_KEYRING_FILE"])

    def _entries(self) -> list[list[str]]:
        entries: list[list[str]] = json.loads(self._file().read_text(encoding="utf-8"))
        return entries

    def _keep(self, entries: list[list[str]]) -> None:
        self._file().write_text(json.dumps(entries), encoding="utf-8")

    def get_password(self, service: str, username: str) -> str | None:
        return next((one[2] for one in self._entries() if one[:2] == [service, username]), None)

    def get_credential(self, service: str, username: str | None) -> SimpleCredential | None:
        found = [one for one in self._entries() if one[0] == service and username in {None, one[1]}]
        return SimpleCredential(found[0][1], found[0][2]) if found else None

    def set_password(self, service: str, username: str, password: str) -> None:
        others = [one for one in self._entries() if one[:2] != [service, username]]
        self._keep([*others, [service, username, password]])

    def delete_password(self, service: str, username: str) -> None:
        others = [one for one in self._entries() if one[:2] != [service, username]]
        if others == self._entries():
            raise PasswordDeleteError("no such entry")
        self._keep(others)


class PlaintextKeyring(KeepingKeyring):
    """Called as the one of keyrings.alt is, which anybody can read."""


class Chain(KeepingKeyring):
    """A chain of backends, with a readable one in it."""

    backends = (KeepingKeyring(), PlaintextKeyring())  # type: ignore[no-untyped-call] # the library's base has no types


class Forgetful(KeepingKeyring):
    """Takes everything and keeps nothing."""

    def _keep(self, entries: list[list[str]]) -> None:
        del entries


class Silent(KeepingKeyring):
    """Waits for somebody to unlock it, for ever."""

    def _keep(self, entries: list[list[str]]) -> None:
        del entries
        time.sleep(600)


class Locked(KeepingKeyring):
    def _keep(self, entries: list[list[str]]) -> None:
        raise KeyringLocked(len(entries))


class Broken(KeepingKeyring):
    def _keep(self, entries: list[list[str]]) -> None:
        raise RuntimeError("canary", entries)


class Mute(KeepingKeyring):
    """Waits for ever, also where it is only asked."""

    def _entries(self) -> list[list[str]]:
        with Path("~/asked").expanduser().open("a", encoding="utf-8") as file:
            file.write(f"{time.monotonic()}\n")
        time.sleep(600)
        return []


class LockedToRead(KeepingKeyring):
    """Locked, also where it is only asked."""

    def _entries(self) -> list[list[str]]:
        raise KeyringLocked
