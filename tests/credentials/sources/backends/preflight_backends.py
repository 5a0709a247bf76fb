"""Keyring backends for tests, named by PYTHON_KEYRING_BACKEND: one keeps its entries in a file, others misbehave."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.credentials import SimpleCredential
from keyring.errors import KeyringLocked


class FileKeyring(KeyringBackend):
    """Entries are [service, username, password] in the JSON file that PREFLIGHT_KEYRING_FILE names."""

    priority = 1.0

    def _entries(self) -> list[list[str]]:
        print("a backend that talks")  # noqa: T201 - some do, and it must not spoil the answer
        entries: list[list[str]] = json.loads(Path(os.environ["PREFLIGHT_KEYRING_FILE"]).read_text(encoding="utf-8"))
        return entries

    def get_password(self, service: str, username: str) -> str | None:
        return next((one[2] for one in self._entries() if one[:2] == [service, username]), None)

    def get_credential(self, service: str, username: str | None) -> SimpleCredential | None:
        for name, user, password in self._entries():
            if name == service and username in {None, user}:
                return SimpleCredential(user, password)
        return None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError


class Silent(FileKeyring):
    """Waits for somebody to unlock it, for ever."""

    def _entries(self) -> list[list[str]]:
        time.sleep(600)
        return []


class Locked(FileKeyring):
    def _entries(self) -> list[list[str]]:
        raise KeyringLocked


class Broken(FileKeyring):
    def _entries(self) -> list[list[str]]:
        raise RuntimeError
