"""The keyring's child, in this process: a tenth of a second less for each question, where the child is not tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from release.adapters.keyring import keyring_child, keyring_process
from release.adapters.system.process import Pipe
from tests.credentials.sources.backends.preflight_backends import FileKeyring


class AnsweringKeyring:
    """What `Pipe` is to the child, with `FileKeyring` as its backend."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.request: dict[str, Any] = {}

    def write(self, message: dict[str, Any]) -> None:
        self.request = message

    def read(self, timeout: float) -> dict[str, Any]:
        del timeout
        with pytest.MonkeyPatch.context() as patch:
            backend: Any = FileKeyring()  # type: ignore[no-untyped-call] # the library's own
            patch.setenv("PREFLIGHT_KEYRING_FILE", self.file)
            answer = keyring_child._try(lambda: keyring_child._read(backend, self.request))
        return {"is": "answer", "backend": "preflight_backends", **answer}

    def close(self) -> None:
        pass


@pytest.fixture
def answering_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """`FileKeyring` answers in this process; any other backend does so in a child."""
    start = keyring_process.start_keyring

    def start_here(env: Mapping[str, str]) -> Pipe | AnsweringKeyring | None:
        if env.get("PYTHON_KEYRING_BACKEND") == "preflight_backends.FileKeyring":
            return AnsweringKeyring(env["PREFLIGHT_KEYRING_FILE"])
        return start(env)

    monkeypatch.setattr(keyring_process, "start_keyring", start_here)
