"""A secret in every kind of variable, and where each may be: in no argument, output or file, and in few children."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from release.core.child_environment import CHILDREN, Child
from tests.fake_tokens import token as fake_token

#: the words of git → the child that they are
_GIT: Mapping[str, Child] = {
    "ls-remote": "git at a remote", "push": "git at a remote", "cat-file": "git at a remote",
    "tag": "git that signs", "commit": "git that signs", "commit-tree": "git that signs",
}  # fmt: skip


class Canaries:
    """The variables of a user with many secrets; `token` is the one of an index."""

    def __init__(self, token: str) -> None:
        other, password = fake_token(), [f"canary{secrets.token_hex(12)}" for _ in range(12)]
        self.variables = {
            "UV_PUBLISH_PASSWORD": password[0], "PYPI_TOKEN": other, "INNOCENT": token.removeprefix("pypi-"),
            "ENCODED": base64.b64encode(f"__token__:{token}".encode()).decode(), "NPM_TOKEN": password[1],
            "CARGO_REGISTRY_TOKEN": password[2], "AWS_SECRET_ACCESS_KEY": password[3], "DOCKER_PASSWORD": password[4],
            "MY_SECRET": password[5], "DATABASE": f"postgres://me:{password[6]}@localhost/db",
            "COPY": f"x{password[5]}", "GH_TOKEN": password[7], "VAULT_TOKEN": password[8],
            "BUILD_MIRROR": f"http://me:{password[9]}@127.0.0.1:9/simple/", "SSH_AUTH_SOCK": f"/{password[10]}",
        }  # fmt: skip
        self._needles = [form for one in (token, other, *password) for form in _forms(one)]

    def in_text(self, text: str) -> bool:
        """Whether one of the secrets is in a text, whole, without its prefix or in base64."""
        return any(needle in text for needle in self._needles)

    def in_files(self, directory: Path) -> list[Path]:
        """The files below a directory that have one of the secrets."""
        needles = re.compile(b"|".join(re.escape(one.encode()) for one in self._needles))
        return [path for path in directory.rglob("*") if path.is_file() and needles.search(path.read_bytes())]

    def faults(self, argv: Sequence[str], env: Mapping[str, str], above: Child | None = None) -> Iterator[str]:
        """What a child has that `CHILDREN` does not list for it, or for the child `above` that has started it."""
        if self.in_text(" ".join(argv)):
            yield f"arguments of {argv[0]}"
        child = child_of(argv, above)
        listed = [re.escape(name).replace(r"\*", ".*") for name in CHILDREN[child].names] if child else []
        for name, value in env.items():
            if self.in_text(value) and not any(re.fullmatch(one, name) for one in listed):
                yield f"{name} of {' '.join(argv)[:200]}"


def _forms(secret: str) -> Iterator[str]:
    core = secret.removeprefix("pypi-")[-60:]
    yield core
    for before in range(3):
        encoded = base64.b64encode(b" " * before + core.encode()).decode()
        yield encoded[4 : len(encoded) - 4]


def child_of(argv: Sequence[str], above: Child | None) -> Child | None:
    """The entry of `CHILDREN` that a program is, or that has started it."""
    if any(one.endswith("_in_process.py") for one in argv):
        return None  # a build backend
    return _child(argv) or above


def _child(argv: Sequence[str]) -> Child | None:
    name, words = Path(argv[0]).name, argv[1:]
    if any(one.endswith("keyring_child.py") for one in words):
        return "keyring"
    if any(one.endswith(("oidc/child.py", "oidc\\child.py")) for one in words):
        return "identity"
    if name == "git":
        return next((_GIT[one] for one in words if one in _GIT), None)
    if name == "gh":
        return "gh"
    if name == "fleet-command":
        return "fleet command"
    installs = {"pip", "venv", "virtualenv"} & set(words) or re.search("build|get_interpreter_info", " ".join(words))
    return "installer" if installs or name in {"uv", "pip"} else None
