"""`.pypirc`, read as twine reads it, and its mistakes by line.

Observed: twine 7.0.0, 2026-11: `RawConfigParser`, so quotes and `; comments` belong to a value and section names
are case-sensitive; only sections listed in `index-servers` count; for PyPI and TestPyPI the user is `__token__`,
even if the section names another.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from release.adapters.system.shell_detection import detect_user_environment
from release.core import shell
from release.core.models.credential import StoredSecret
from release.core.models.index import WELL_KNOWN, Index, host_of, is_loopback, well_known
from release.core.models.secret_location import ConfigFileKey, location_to_text
from release.core.quoting import quote_path
from release.core.secret import Secret
from release.core.tokens.token import contains_token
from release.credentials.sources import base, pypirc_file, pypirc_lines
from release.credentials.sources.base import BrokenSourceError, SourceQuery, SourceResult, StorageQuery
from release.credentials.sources.pypirc_changes import LineChange
from release.credentials.sources.pypirc_file import PypircFile, load_pypirc

if TYPE_CHECKING:
    from release.core.models.check_result import Finding
    from release.core.shell import ShellName

_PATH = "~/.pypirc"
_MISTAKEN_NAMES = (".pypirc.txt", ".pypirc.ini", ".pypirc.cfg", "pypirc", "_pypirc", ".pypric", ".pyirc")


def find(query: SourceQuery) -> SourceResult | None:
    """What `~/.pypirc`, or the file that replaces it, has for an index. Raises `BrokenSourceError`."""
    name = _PATH if query.config_file is None else str(query.config_file)
    file = load_pypirc(query.config_file or query.home / ".pypirc", name)
    if file is not None:
        return _result(file, query.index)
    if query.config_file is not None:
        raise BrokenSourceError(
            f"there is no file {quote_path(name)}", remedy="correct the path", cause="pypirc.not-found", where=name
        )
    remarks = tuple(_misplaced_files(query))
    return SourceResult(remarks=remarks) if remarks else None


def locate(query: StorageQuery) -> Iterator[StoredSecret]:
    """Every password in `~/.pypirc`, in any section; nothing where the file cannot be parsed."""
    data = base.read_bytes(query.system.home / ".pypirc")
    for (section, key), value in (pypirc_file.values(data) or {}).items():
        if key == "password" and value:
            yield StoredSecret(
                source="pypirc", location=ConfigFileKey(path=_PATH, section=section, key=key), secret=Secret(value),
                manual_change=f"run the same command again, or change {key} in [{section}] of {_PATH!r}",
            )  # fmt: skip


def replace(stored: StoredSecret, new: Secret, query: StorageQuery) -> None:
    """Change one value; every other byte stays."""
    if isinstance(stored.location, ConfigFileKey):
        section, key = stored.location.section, stored.location.key
        base.replace_in_file(
            query.path(stored.location.path), stored, new,
            current=lambda data: (pypirc_file.values(data) or {}).get((section, key)),
            edit=lambda data, _old, new: pypirc_file.with_value(data, section, key, new),
        )  # fmt: skip


def misplaced_tokens(query: SourceQuery) -> Iterator[tuple[Finding, LineChange]]:
    """Why each token of the index in the file does not count, and the change with which it does.

    A section with a misspelled name is always among them.
    """
    path = query.config_file or query.home / ".pypirc"
    try:
        file = load_pypirc(path, _PATH if query.config_file is None else str(path))
    except BrokenSourceError:
        return
    if file is None:
        return
    index, read = query.index, {"server-login", *(name for name in _listed(file) if _is_meant(file, query.index, name))}
    if _section(file, index) is None:
        for name in _other_sections(file):
            for remark in _why_not(file, index, name):
                read.add(name)
                if remark.cause == "pypirc.section-misspelled" and (line := file.line(name)):
                    yield remark, LineChange(kind="heading", first=line, last=line, text=index.name)
    text = path.read_bytes().decode("utf-8-sig")
    others = {name for name in file.parser.sections() if _shares_host(file, index, name)} - read
    yield from pypirc_lines.misplaced_lines(text, file.name, index, read.__contains__, others.__contains__)


def username_without_password(query: SourceQuery) -> ConfigFileKey | None:
    """Where the file has a username for an index, but no password."""
    try:
        file = load_pypirc(query.config_file or query.home / ".pypirc", str(query.config_file or _PATH))
    except BrokenSourceError:
        return None
    section = _section(file, query.index) if file else None
    if file is None or section is None or _first(file, "password", section, "server-login")[1] is not None:
        return None
    username, origin = _first(file, "username", section)
    return None if contains_token(username or "") else origin


def unlisted_sections(file: PypircFile, index: Index) -> Iterator[str]:
    """Sections for an index that `index-servers` does not list, so that no tool reads them."""
    for name in _other_sections(file):
        if not _has_wrong_case(name, index) and name not in _listed(file) and _is_meant(file, index, name):
            yield name


def _has_wrong_case(section: str, index: Index) -> bool:
    return section != index.name and section.lower() == index.name.lower()


def is_similar_name(name: str) -> bool:
    """Whether a file of this name may be a copy of `.pypirc`, or was meant to be one."""
    return "pypirc" in name.lower() or name.lower() in _MISTAKEN_NAMES


def mistaken_paths(query: SourceQuery) -> list[Path]:
    """The files that `find` reports where there is no `.pypirc`, also empty ones."""
    paths = [query.home / name for name in _MISTAKEN_NAMES]
    return [*paths, query.directory / ".pypirc"] if query.directory else paths


def _misplaced_files(query: SourceQuery) -> Iterator[Finding]:
    home, name = query.home, detect_user_environment(query.env).shell_name
    for path in mistaken_paths(query):
        if path.is_file():
            yield base.warning(
                f"no tool reads {quote_path(path)}: the file must be {quote_path(home / '.pypirc')}",
                move_command(name, path, home), str(path), "pypirc.not-found",
            )  # fmt: skip


def move_command(name: ShellName, path: Path, home: Path) -> str:
    """Move a file to `~/.pypirc`; on POSIX also make it readable by its owner only."""
    if name != "posix":
        return shell.command_line(
            name, "Move-Item" if name == "powershell" else "move", str(path), str(home / ".pypirc")
        )
    # a shell expands `~` only outside of quotes
    old = str(path.relative_to(home)) if path.is_relative_to(home) else ""
    source = f"~/{shell.quote_argument(name, old)}" if old else shell.quote_argument(name, str(path))
    return shell.join_commands(name, f"mv {source} {_PATH}", f"chmod 600 {_PATH}")


def _section(file: PypircFile, index: Index) -> str | None:
    """The section that twine would use: the one of the index's name, else one with its URL."""
    listed = sorted(_listed(file), key=lambda name: name != index.name)
    return next((name for name in listed if file.parser.has_section(name) and _is_meant(file, index, name)), None)


def _result(file: PypircFile, index: Index) -> SourceResult | None:
    section = _section(file, index)
    remarks = [*_section_remarks(file, index, section)]
    default = "server-login" if section is not None or index.name in WELL_KNOWN else None
    password, origin = _first(file, "password", section, default)
    username, username_origin = _first(file, "username", section, default)
    if username is not None and contains_token(username) and not contains_token(password or ""):
        password, origin = None, None  # swapped, which `misplaced_tokens` reports
    if base.is_known_to_twine(index) or contains_token(username or ""):
        username, username_origin = None, None
    if password is not None:
        remarks += _password_remarks(file, index, section)
    if password is None and username is None and not remarks:
        return None
    return SourceResult(
        username=username, username_origin=username_origin, password=None if password is None else Secret(password),
        origin=origin, remarks=tuple(remarks),
    )  # fmt: skip


def _listed(file: PypircFile) -> list[str]:
    return file.parser.get("distutils", "index-servers", fallback="pypi testpypi").split()


def _repository(file: PypircFile, section: str) -> str | None:
    default = WELL_KNOWN[section].upload_url if section in WELL_KNOWN else None
    return file.parser.get(section, "repository", fallback=default)


def _is_meant(file: PypircFile, index: Index, section: str) -> bool:
    """Whether a section is for an index: by its URL, or by its name where it has none."""
    url = _repository(file, section)
    return base.is_same(url, index.upload_url) if url else section == index.name


def _shares_host(file: PypircFile, index: Index, section: str) -> bool:
    """Whether a section is for another index on the same host, whose tokens have the same location."""
    url = _repository(file, section)
    if url is None or _is_meant(file, index, section):
        return False
    return host_of(url) == host_of(index.upload_url) or (index.loopback and is_loopback(host_of(url)))


def _first(file: PypircFile, key: str, *sections: str | None) -> tuple[str | None, ConfigFileKey | None]:
    """The value of an option in the first section that has it, and where that is."""
    for section in sections:
        if section is not None and file.parser.has_option(section, key):
            location = ConfigFileKey(path=file.name, section=section, key=key, line=file.line(section, key))
            return file.parser.get(section, key), location
    return None, None


def _section_remarks(file: PypircFile, index: Index, section: str | None) -> Iterator[Finding]:
    if file.bom:
        yield base.warning(
            f"{file.name} starts with a byte order mark, which twine cannot read",
            "pypi-preflight diagnose", f"{file.name}, line 1", "pypirc.malformed",
        )  # fmt: skip
    if section is None:
        for name in _other_sections(file):
            yield from _why_not(file, index, name)
        return
    url = file.parser.get(section, "repository", fallback=None)
    if url is not None:
        where, url = file.where(section, "repository"), url.partition("\n")[0]  # indented lines: `misplaced_tokens`
        yield from base.remarks_on(url, index.upload_url, where, f"write in {where}: repository = {index.upload_url}")
    elif section not in WELL_KNOWN:
        yield base.warning(
            f"[{section}] has no repository, which twine needs",
            f"add to it: repository = {index.upload_url}", file.where(section), "pypirc.missing-repo",
        )  # fmt: skip


def _other_sections(file: PypircFile) -> Iterator[str]:
    for name in file.parser.sections():
        if file.parser.has_option(name, "password") and name not in {"distutils", "server-login"}:
            yield name


def _why_not(file: PypircFile, index: Index, name: str) -> Iterator[Finding]:
    """Why a section that looks right is not used."""
    if name != index.name and re.sub(r"[\s\"'`\[\]]", "", name) == index.name:
        yield base.warning(
            f"section [{name}] is not [{index.name}]: everything between the brackets belongs to the name",
            f"write [{index.name}] in line {file.line(name)} of {file.name}", file.where(name),
            "pypirc.section-misspelled",
        )  # fmt: skip
    elif _has_wrong_case(name, index):
        message = f"section [{name}] is not [{index.name}]: section names are case-sensitive"
        remedy = f"write [{index.name}] in line {file.line(name)} of {file.name}"
        yield base.warning(message, remedy, file.where(name), "pypirc.section-unlisted")
    elif _is_meant(file, index, name) and name not in _listed(file):
        yield base.warning(
            f"section [{name}] is not listed in index-servers, so no tool reads it",
            f"add {name} to index-servers in [distutils]", file.where(name), "pypirc.section-unlisted",
        )  # fmt: skip
    elif name == index.name and (url := _repository(file, name)):
        yield base.warning(
            f"section [{name}] is for {base.without_user(url)!r}, but this upload goes to {index.upload_url!r}",
            f"correct it: repository = {index.upload_url}",
            file.where(name, "repository"), "pypirc.repository-mismatch",
        )  # fmt: skip


def _quoted(name: str) -> str:
    """The path for a POSIX shell, which expands `~` only outside of quotes."""
    return name if name == _PATH else shell.quote_argument("posix", name)


def _password_remarks(file: PypircFile, index: Index, section: str | None) -> Iterator[Finding]:
    if os.name == "posix" and file.mode & 0o077:
        yield base.warning(
            f"{file.name} can be read by other users of this machine (mode {file.mode & 0o777:o})",
            f"chmod 600 {_quoted(file.name)}", file.name, "pypirc.perms",
        )  # fmt: skip
    username, origin = _first(file, "username", section, "server-login")
    if well_known(index.upload_url) and origin is not None and username != "__token__":
        name = "a token" if contains_token(username or "") else repr(username)
        yield base.warning(
            f"the username is {name}; twine sends '__token__' instead, but other tools fail with it",
            "write: username = __token__", location_to_text(origin), "cred.username-not-token",
        )  # fmt: skip
