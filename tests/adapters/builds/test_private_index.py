"""A build requirement comes from a private index, whose password the build backend does not see."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.builds import builder
from release.adapters.system.system import real_system
from tests.adapters.loopback_server import Handler, loopback_server
from tests.sample_distributions import wheel
from tests.stories import tiny_backend

PASSWORD = f"opensesame{secrets.token_hex(6)}"
WHEEL = "acme_backend-1.0-py3-none-any.whl"
RECORDING = """
import json
with open(os.environ["SEEN"], "a") as file:
    file.write(json.dumps(dict(os.environ)) + "\\n")
"""
PROJECT = (
    '[build-system]\nrequires = ["acme-backend"]\nbuild-backend = "acme_backend"\n'
    '[project]\nname = "acme"\nversion = "1.0"\n'
)
#: installer, and the variables that name the index and its password
WAYS = {
    "pip": ("pip", {"PIP_INDEX_URL": "http://me:{password}@{host}/simple/"}),
    "uv": ("uv", {"UV_DEFAULT_INDEX": "http://me:{password}@{host}/simple/"}),
    "uv with a named index": ("uv", {
        "UV_DEFAULT_INDEX": "private=http://{host}/simple/", "UV_INDEX_PRIVATE_USERNAME": "me",
        "UV_INDEX_PRIVATE_PASSWORD": "{password}",
    }),
}  # fmt: skip


def backend() -> bytes:
    text = Path(tiny_backend.__file__).read_text(encoding="utf-8") + RECORDING
    return wheel("acme-backend", files={"acme_backend.py": text})


def answer(handler: Handler) -> None:
    login = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    if handler.headers.get("Authorization") != f"Basic {login}":
        handler.reply(401, WWW_Authenticate="Basic")
    elif handler.path.endswith(".whl"):
        handler.reply(200, backend())
    elif handler.path == "/simple/acme-backend/":
        handler.reply(200, f'<a href="/{WHEEL}">{WHEEL}</a>', kind="text/html")
    else:
        handler.reply(404)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_installer_gets_the_password_and_the_backend_does_not(tmp_path: Path, way: str) -> None:
    installer, variables = WAYS[way]
    source, seen, real = tmp_path / "project", tmp_path / "seen", real_system()
    source.mkdir()
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "backend.py").write_text("")  # which the sdist has
    with loopback_server(answer) as server:
        host = server.url.removeprefix("http://").rstrip("/")
        env = {name: value for name, value in real.env.items() if not name.startswith(("PIP_", "UV_"))}
        env |= {name: value.format(password=PASSWORD, host=host) for name, value in variables.items()}
        env |= {"RELEASE_INSTALLER": installer, "SEEN": str(seen), "SSH_AUTH_SOCK": "/agent"}
        env |= {"UV_NO_CACHE": "1", "PIP_NO_CACHE_DIR": "1", "PIP_CONFIG_FILE": "/dev/null"}
        built = builder.build_distributions(replace(real, env=env), source, tmp_path / "out", epoch=None)
    assert [one.filename for one in built] == ["acme-1.0.tar.gz", "acme-1.0-py3-none-any.whl"]
    hooks = [json.loads(line) for line in seen.read_text().splitlines()]
    assert len(hooks) >= 2
    assert [name for hook in hooks for name, value in hook.items() if PASSWORD in value or value == "/agent"] == []
