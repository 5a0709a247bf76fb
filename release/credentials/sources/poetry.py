"""Poetry's `auth.toml`: tokens and passwords by the name of a repository, whose URL is in `config.toml`.

Observed: poetry 2.5.1, 2026-11, on Linux: without a keyring, `poetry config pypi-token.NAME …` writes the token to
`[pypi-token]`, and `poetry config http-basic.NAME …` writes username and password to `[http-basic.NAME]`. Both files
are in POETRY_CONFIG_DIR, or else in the directory that platformdirs gives for "pypoetry". Only `pypi` has a URL of its
own; a token for `testpypi` without a URL is assumed to be TestPyPI's.
Source: poetry 2.5.1, `locations.py`, `utils/password_manager.py`, `publishing/publisher.py`; platformdirs 4.14.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from release.core.models.credential import CredentialCandidate, StoredSecret
from release.core.models.index import WELL_KNOWN
from release.core.models.secret_location import ConfigFileKey
from release.core.quoting import quote_path
from release.core.secret import Secret
from release.core.toml_text import parse_toml
from release.credentials.sources import base
from release.credentials.sources.base import SourceQuery, SourceResult, StorageQuery, is_same


def find(query: SourceQuery) -> SourceResult | None:
    """The tokens and passwords of the repositories that have the index's URL."""
    directory = config_directory(query.env, query.home)
    repositories = _table(_load(directory / "config.toml"), "repositories")
    candidates = tuple(
        CredentialCandidate(origin=location, password=secret, status="other-tool", tool="poetry")
        for repository, location, secret in _secrets(directory, query.home)
        if (url := _url(repositories, repository)) and is_same(url, query.index.upload_url)
    )
    return SourceResult(candidates=candidates) if candidates else None


def locate(query: StorageQuery) -> Iterator[StoredSecret]:
    """Every token and password in `auth.toml`; nothing where it cannot be parsed."""
    directory = config_directory(query.system.env, query.system.home)
    for _repository, location, secret in _secrets(directory, query.system.home):
        yield StoredSecret(
            source="poetry", location=location, secret=secret,
            manual_change=f"run the same command again, or change {location.key} in [{location.section}] of "
            f"{quote_path(location.path)}",
        )  # fmt: skip


def replace(stored: StoredSecret, new: Secret, query: StorageQuery) -> None:
    """Change one value; every other byte stays. Raises ReleaseError and `OSError`."""
    location = stored.location
    if isinstance(location, ConfigFileKey):
        base.replace_in_file(
            query.path(location.path), stored, new, current=lambda data: _value(_parse(data), location),
            edit=lambda data, old, new: _with_value(data, location, old, new),
        )  # fmt: skip


def config_directory(env: Mapping[str, str], home: Path) -> Path:
    """Where poetry's configuration is."""
    if env.get("POETRY_CONFIG_DIR"):
        return Path(env["POETRY_CONFIG_DIR"])
    if sys.platform == "win32":
        directory = env.get("APPDATA") or home / "AppData" / "Roaming"
    else:
        default = home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".config"
        directory = env.get("XDG_CONFIG_HOME") or default
    return Path(directory) / "pypoetry"


def _secrets(directory: Path, home: Path) -> Iterator[tuple[str, ConfigFileKey, Secret]]:
    """Repository, location and secret."""
    path = directory / "auth.toml"
    name = f"~/{path.relative_to(home).as_posix()}" if path.is_relative_to(home) else str(path)
    data = _load(path)
    values = [(repository, "pypi-token", repository, token) for repository, token in _table(data, "pypi-token").items()]
    for repository, login in _table(data, "http-basic").items():
        if isinstance(login, dict):
            values.append((repository, f"http-basic.{repository}", "password", login.get("password")))
    for repository, section, key, value in values:
        if isinstance(value, str) and value:
            yield repository, ConfigFileKey(kind="poetry", path=name, section=section, key=key), Secret(value)


def _url(repositories: Mapping[str, Any], name: str) -> str | None:
    url = _table(repositories, name).get("url")
    return url if isinstance(url, str) else WELL_KNOWN[name].upload_url if name in WELL_KNOWN else None


def _load(path: Path) -> dict[str, Any]:
    try:
        return _parse(base.read_bytes(path))
    except OSError:
        return {}


def _parse(data: bytes) -> dict[str, Any]:
    try:
        return parse_toml(data.decode())
    except ValueError:
        return {}


def _table(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = data.get(name)
    return table if isinstance(table, dict) else {}


def _entry(data: dict[str, Any], location: ConfigFileKey) -> dict[str, Any]:
    """The table that has the key."""
    section, _, repository = location.section.partition(".")
    return _table(_table(data, section), repository) if repository else _table(data, section)


def _value(data: dict[str, Any], location: ConfigFileKey) -> str | None:
    value = _entry(data, location).get(location.key)
    return value if isinstance(value, str) else None


def _with_value(data: bytes, location: ConfigFileKey, old: str, new: str) -> bytes | None:
    """The file with another value for a key; None where no replacement of the old text changes that key only."""
    wanted = _parse(data)
    _entry(wanted, location)[location.key] = new
    start = data.find(old.encode())
    while start >= 0:
        after = data[:start] + new.encode() + data[start + len(old.encode()) :]
        if _parse(after) == wanted:
            return after
        start = data.find(old.encode(), start + 1)
    return None
