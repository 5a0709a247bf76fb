"""`.pypirc`: the sections of one INI file, read as twine reads it, and what is wrong with it by line.

Observed: twine 7.0.0, 2026-11: `RawConfigParser`, so quotes and `; comments` belong to a value and
section names are case-sensitive; only sections listed in `index-servers` count; for PyPI and
TestPyPI the user is `__token__` whatever the section says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from release.core.models.credential import Origin
from release.core.models.finding import Finding
from release.core.models.index import WELL_KNOWN, Index, well_known
from release.core.secret import Secret
from release.credentials.sources.base import BrokenSourceError, Found
from release.credentials.sources.pypirc_file import PypircFile, read
from release.credentials.sources.upload_url import is_same, remarks_on, without_user

_MISTAKEN_NAMES = (".pypirc.txt", ".pypirc.ini", ".pypirc.cfg", "pypirc", "_pypirc", ".pypric", ".pyirc")


def find(index: Index, home: Path, *, config_file: Path | None = None, directory: Path | None = None) -> Found | None:
    """What `~/.pypirc`, or `config_file`, has for an index.

    `directory` is the project's, where a `.pypirc` is not read. Raises `BrokenSourceError`.
    """
    path = config_file or home / ".pypirc"
    shown = "~/.pypirc" if config_file is None else str(config_file)
    file = read(path, shown)
    if file is not None:
        return _of(file, index)
    if config_file is not None:
        raise BrokenSourceError(
            f"there is no file {shown!r}", remedy="correct the path", cause="pypirc.not-found", where=shown
        )
    remarks = tuple(_elsewhere(home, directory))
    return Found(remarks=remarks) if remarks else None


def _elsewhere(home: Path, directory: Path | None) -> Iterator[Finding]:
    places = [home / name for name in _MISTAKEN_NAMES] + ([directory / ".pypirc"] if directory else [])
    for place in places:
        if place.is_file():
            yield Finding(
                message=f"{str(place)!r} is read by nobody: the file must be {str(home / '.pypirc')!r}",
                remedy=f"move it: mv '{place}' '{home / '.pypirc'}'",
                severity="warn",
                where=str(place),
                cause="pypirc.not-found",
            )


def _of(file: PypircFile, index: Index) -> Found | None:
    section = _section(file, index)
    remarks = [*_file_remarks(file), *_section_remarks(file, index, section)]
    default = "server-login" if section is not None or index.name in WELL_KNOWN else None
    password = _first(file, "password", section, default)
    username = None if _twine_knows(index) else _first(file, "username", section, default)
    if password is not None:
        remarks += [*_permissions(file), *_username_remarks(file, index, section)]
    if password is None and username is None and not remarks:
        return None
    return Found(
        username=username[0] if username else None,
        username_origin=username[1] if username else None,
        password=Secret(password[0]) if password else None,
        origin=password[1] if password else None,
        remarks=tuple(remarks),
    )


def _twine_knows(index: Index) -> bool:
    return any(index.upload_url == one.upload_url for one in WELL_KNOWN.values())


def _listed(file: PypircFile) -> list[str]:
    return file.parser.get("distutils", "index-servers", fallback="pypi testpypi").split()


def _repository(file: PypircFile, section: str) -> str | None:
    default = WELL_KNOWN[section].upload_url if section in WELL_KNOWN else None
    return file.parser.get(section, "repository", fallback=default)


def _section(file: PypircFile, index: Index) -> str | None:
    """The section that counts for an index: the one of its name, else one with its URL."""
    listed = [name for name in _listed(file) if file.parser.has_section(name)]
    for name in sorted(listed, key=lambda name: name != index.name):
        url = _repository(file, name)
        if is_same(url, index.upload_url) if url else name == index.name:
            return name
    return None


def _first(file: PypircFile, key: str, *sections: str | None) -> tuple[str, Origin] | None:
    for section in sections:
        if section is not None and file.parser.has_option(section, key):
            where = f"{file.where(section, key)}, [{section}] {key}"
            return file.parser.get(section, key), Origin(kind="pypirc", detail=where)
    return None


def _file_remarks(file: PypircFile) -> Iterator[Finding]:
    if file.bom:
        yield _warning(
            f"{file.shown} begins with a byte order mark, at which twine stops",
            f"save {file.shown} as UTF-8 without BOM",
            f"{file.shown}, line 1",
            "pypirc.malformed",
        )


def _section_remarks(file: PypircFile, index: Index, section: str | None) -> Iterator[Finding]:
    if section is not None:
        url = file.parser.get(section, "repository", fallback=None)
        if url is not None:
            yield from remarks_on(url, index.upload_url, file.where(section, "repository"))
        elif section not in WELL_KNOWN:
            yield _warning(
                f"[{section}] has no repository, at which twine fails",
                f"add to it: repository = {index.upload_url}",
                file.where(section),
                "pypirc.missing-repo",
            )
        return
    for name in file.parser.sections():
        yield from _why_not(file, index, name)


def _why_not(file: PypircFile, index: Index, name: str) -> Iterator[Finding]:
    """Why a section that looks as if it were meant is not the one."""
    if not file.parser.has_option(name, "password") or name in {"distutils", "server-login"}:
        return
    url = _repository(file, name)
    meant = is_same(url, index.upload_url) if url else name == index.name
    if name.lower() == index.name.lower() and name != index.name:
        message = f"section [{name}] is not [{index.name}]: the case of its letters counts"
        yield _warning(message, f"write it as [{index.name}]", file.where(name), "pypirc.section-unlisted")
    elif meant and name not in _listed(file):
        yield _warning(
            f"section [{name}] is not listed in index-servers, so nobody reads it",
            f"add {name} to index-servers in [distutils]",
            file.where(name),
            "pypirc.section-unlisted",
        )
    elif name == index.name and url:
        yield _warning(
            f"section [{name}] is for {without_user(url)!r}, and this upload goes to {index.upload_url!r}",
            f"correct it: repository = {index.upload_url}",
            file.where(name, "repository"),
            "pypirc.repository-mismatch",
        )


def _username_remarks(file: PypircFile, index: Index, section: str | None) -> Iterator[Finding]:
    username = _first(file, "username", section, "server-login")
    if well_known(index.upload_url) and username is not None and username[0] != "__token__":
        yield _warning(
            f"the username is {username[0]!r}; twine sends '__token__' in its place, other tools fail with it",
            "write: username = __token__",
            username[1].detail,
            "cred.username-not-token",
        )


def _permissions(file: PypircFile) -> Iterator[Finding]:
    if os.name == "posix" and file.mode & 0o077:
        yield _warning(
            f"{file.shown} can be read by other users of this machine (mode {file.mode & 0o777:o})",
            f"run: chmod 600 {file.shown}",
            file.shown,
            "pypirc.perms",
        )


def _warning(message: str, remedy: str, where: str, cause: str) -> Finding:
    return Finding(message=message, remedy=remedy, severity="warn", where=where, cause=cause)
