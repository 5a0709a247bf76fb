"""Puts a new secret where an old one lies: a line of `.pypirc`, a file, an entry of the keyring.

Each is changed in one step, a file only while it still has the old one; then it is read back.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping
from pathlib import Path

from release.adapters.system import private_rewrite
from release.core.errors import ReleaseError
from release.core.models.secret_location import KeyringEntry, PrivateFile
from release.core.secret import Secret
from release.credentials.sources import ini_editor, keyring_writer
from release.token_health.rotation.rotation_plan import Holding, PypircLine


def of_pypirc(path: Path, shown: str) -> Iterator[Holding]:
    """Every password in a `.pypirc`, in whatever section; none where it can't be read."""
    for (section, key), value in (ini_editor.values(_read(path)) or {}).items():
        if key == "password" and value:
            spot = PypircLine(path=str(path), section=section, key=key)
            yield Holding(spot=spot, where=f"{shown}, [{section}] {key}", secret=Secret(value))


def replace(holding: Holding, new: Secret, env: Mapping[str, str], *, insecure: bool = False) -> None:
    """Put `new` in the place of what the holding has. Raises ReleaseError and `OSError`; the place is as it was then.

    `insecure` lets the keyring be a readable file.
    """
    match holding.spot:
        case KeyringEntry() as entry:
            keyring_writer.put(entry, new, env, insecure=insecure)
        case PypircLine(path=path, section=section, key=key):
            data = _read(Path(path))
            has = (ini_editor.values(data) or {}).get((section, key))
            _still(has, holding)
            _rewrite(Path(path), data, ini_editor.with_value(data, section, key, new.reveal()), holding)
        case PrivateFile(path=path):
            data = _read(Path(path))
            _still(_text(data), holding)
            old = holding.secret.reveal().encode("utf-8", "surrogateescape")
            _rewrite(Path(path), data, data.replace(old, new.reveal().encode(), 1), holding)
        case _:
            raise AssertionError(f"not to be changed from here: {holding.where}")


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


def _text(data: bytes) -> str:
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape").strip("\r\n")


def _still(has: str | None, holding: Holding) -> None:
    if has is None or Secret(has) != holding.secret:
        raise ReleaseError(f"{holding.where} was changed meanwhile", remedy="run the same command again")


def _rewrite(path: Path, before: bytes, after: bytes | None, holding: Holding) -> None:
    if after is None:
        raise ReleaseError(f"{holding.where} can't be changed without changing more", remedy="change it in an editor")
    private_rewrite.replace_private_file(path, before, after, keep_mode=True)
    if path.read_bytes() != after:
        raise ReleaseError(f"{holding.where} does not have what was written", remedy="run the same command again")
