"""The keyring's child, in this process: a tenth of a second less for each question, where the child is not tested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from keyring.backend import KeyringBackend

from release.adapters.keyring import keyring_child, keyring_process
from release.adapters.system.process import Pipe
from tests.credentials.sources.backends.keeping_backends import KeepingKeyring
from tests.credentials.sources.backends.preflight_backends import FileKeyring

#: those that behave, by the name with which a child finds them
_BACKENDS = {f"{one.__module__.rpartition('.')[2]}.{one.__name__}": one for one in (FileKeyring, KeepingKeyring)}


class AnsweringKeyring:
    """What `Pipe` is to the child, with a backend whose entries lie in a file."""

    def __init__(self, backend: type[KeyringBackend], file: str) -> None:
        self.backend = backend
        self.file = file
        self.request: dict[str, Any] = {}

    def write(self, message: dict[str, Any]) -> None:
        self.request = message

    def read(self, timeout: float) -> dict[str, Any]:
        del timeout
        act = keyring_child._write if "do" in self.request else keyring_child._read
        with pytest.MonkeyPatch.context() as patch:
            backend: Any = self.backend()
            patch.setenv("PREFLIGHT_KEYRING_FILE", self.file)
            answer = keyring_child._try(lambda: act(backend, self.request))
        return {"is": "answer", "backend": self.backend.__module__.rpartition(".")[2], **answer}

    def close(self) -> None:
        pass


@pytest.fixture
def answering_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backends that behave answer in this process; any other does so in a child."""

    def here(start: Callable[[Mapping[str, str]], Pipe | None], env: Mapping[str, str]) -> Any:
        backend = _BACKENDS.get(env.get("PYTHON_KEYRING_BACKEND", ""))
        return start(env) if backend is None else AnsweringKeyring(backend, env["PREFLIGHT_KEYRING_FILE"])

    for name in ("start_keyring", "start_child"):
        monkeypatch.setattr(keyring_process, name, partial(here, getattr(keyring_process, name)))
