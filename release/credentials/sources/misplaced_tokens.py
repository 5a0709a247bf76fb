"""Tokens of an index that an upload does not find: the place of each, and the one change that makes it count.

Searched only where there is no credential: every variable of the environment, every line of `.pypirc` and of its
backups, and the configuration of other upload tools. The keyring's entries are searched by `keyring`, with the same
request that reads the right one.

Sources of the files: the documentation of uv ("Configuration files", "Credentials"), hatch ("Configuration"), pdm
("Configure the project") and poetry ("Configuration"); platformdirs 4.14.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from release.adapters.system.shell_detection import detect_user_environment
from release.checks import credential_remedies
from release.core import shell
from release.core.lazy_pattern import lazy_pattern
from release.core.models.credential import CredentialCandidate
from release.core.models.secret_location import EnvironmentVariable, location_to_text
from release.core.quoting import quote_path
from release.core.secret import Secret
from release.core.tokens.token import contains_token
from release.credentials.sources import base, pypirc, tool_variables

if TYPE_CHECKING:
    from release.core.models.check_result import Finding
    from release.core.shell import ShellName
    from release.credentials.sources.base import SourceQuery

#: read by `environment`
_TWINE_VARIABLES = ("TWINE_USERNAME", "TWINE_PASSWORD")
#: in a directory of user configuration or data → the tool that reads it. Observed on Linux with uv 0.13.9
#: (`uv auth dir`), poetry 2.5.1, hatch 1.18.2 (`hatch config find`) and pdm 2.29.4 (`pdm config`), 2026-11
_TOOL_FILES = {
    "uv/uv.toml": "uv",
    "uv/credentials/credentials.toml": "uv",
    "uv/data/credentials/credentials.toml": "uv",
    "pypoetry/auth.toml": "poetry",
    "pypoetry/config.toml": "poetry",
    "hatch/config.toml": "hatch",
    "pdm/config.toml": "pdm",
    "pdm/pdm/config.toml": "pdm",
}
#: variables that name a configuration file
_FILE_VARIABLES = {"UV_CONFIG_FILE": "uv", "HATCH_CONFIG": "hatch", "PDM_CONFIG_FILE": "pdm"}
_PROJECT_FILES = {
    "uv.toml": "uv", "hatch.toml": "hatch", "pdm.toml": "pdm", ".pdm.toml": "pdm", "poetry.toml": "poetry",
    "pyproject.toml": "", "setup.cfg": "", "tox.ini": "",
}  # fmt: skip
#: files with variables, which a shell or another tool must load
_VARIABLE_FILES = (".env", ".env.local", ".envrc")
#: variables that name a file with a secret
_SECRET_FILE_VARIABLE = lazy_pattern(r".*(?:TOKEN|PASS|SECRET|PYPI|TWINE|CREDENTIAL).*_(?:FILE|PATH)", re.IGNORECASE)
#: bytes; longer files are no configuration
_MAX_SIZE = 262_144


def find_misplaced_tokens(query: SourceQuery, reported: Collection[str] = ()) -> Iterator[Finding]:
    """A warning for each token of the index in a place that an upload does not read.

    `reported`: files that a source has reported already, as their locations name them.
    """
    yield from _variables(query)
    yield from (finding for finding, _change in pypirc.misplaced_tokens(query))
    yield from _copies_of_pypirc(query)
    yield from _configuration(query, reported)


def find_misplaced_variables(query: SourceQuery) -> Iterator[CredentialCandidate]:
    """Variables that are a token of the index, and nothing else, under a name that no upload reads."""
    for name, value in _unread_variables(query):
        if re.fullmatch(r"\s*\S+\s*", value) and re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and "@" not in value:
            tool = "the publishing action" if name == "INPUT_PASSWORD" else "no tool"
            yield CredentialCandidate(
                origin=EnvironmentVariable(name=name), password=Secret(value), status="other-tool", tool=tool
            )


def _unread_variables(query: SourceQuery) -> Iterator[tuple[str, str]]:
    for name, value in sorted(query.env.items()):
        known = name in _TWINE_VARIABLES or tool_variables.tool_of(name) is not None
        if not known and contains_token(value, query.index):
            yield name, value


def _variables(query: SourceQuery) -> Iterator[Finding]:
    """Variables with a token in a longer text."""
    whole = {one.origin for one in find_misplaced_variables(query)}
    for name, value in _unread_variables(query):
        if EnvironmentVariable(name=name) not in whole:
            yield _in_longer_text(name, value, query)
    for name, value in sorted(query.env.items()):
        if _SECRET_FILE_VARIABLE.fullmatch(name) and _line_with_token(Path(value), query):
            yield _in_named_file(name, value, query)


def _in_longer_text(name: str, value: str, query: SourceQuery) -> Finding:
    where, user = f"${name}", detect_user_environment(query.env)
    store = credential_remedies.store_command(user, query.index)
    if name == "TWINE_REPOSITORY_URL":
        message = f"{where} has a token in its address: twine alone would use it, pypi-preflight does not read it"
        unset = shell.unset_variables(user.shell_name, name)
        return base.warning(message, shell.join_commands(user.shell_name, unset, store), where, "url.credentials")
    if re.search(r"://[^/\s]*@", value):
        return base.warning(
            f"{where} has a token in an address, where no upload reads it", store, where, "url.credentials"
        )
    message = (
        f"{where} contains a token of {query.index.name}, which no upload tool reads; uploads read $TWINE_PASSWORD"
    )
    return base.warning(message, store, where, "src.wrong-env-name")


def _in_named_file(name: str, value: str, query: SourceQuery) -> Finding:
    user, where = detect_user_environment(query.env), f"${name}"
    remedy = credential_remedies.store_command(user, query.index)
    if user.shell_name == "posix" and user.ci is None:
        remedy = f'export TWINE_USERNAME=__token__ TWINE_PASSWORD="$(cat {shell.quote_word(value)})"'
    return base.warning(
        f"{where} names the file {value!r} with a token, which no upload tool reads: twine reads $TWINE_PASSWORD",
        remedy, where, "src.wrong-env-name",
    )  # fmt: skip


def _copies_of_pypirc(query: SourceQuery) -> Iterator[Finding]:
    """Backups of `.pypirc` and files of a similar name, in the home directory and the project's."""
    right = query.home / ".pypirc"
    seen = {right, *(() if right.exists() else pypirc.mistaken_paths(query))}
    for directory in filter(None, (query.home, query.home / ".config", query.directory)):
        try:
            paths = sorted(path for path in directory.iterdir() if pypirc.is_similar_name(path.name))
        except OSError:
            continue
        for path in paths:
            if path not in seen:
                seen.add(path)
                yield from _in_copy(path, right, query)


def _in_copy(path: Path, right: Path, query: SourceQuery) -> Iterator[Finding]:
    if line := _line_with_token(path, query):
        remedy = pypirc.move_command(detect_user_environment(query.env).shell_name, path, query.home)
        if right.exists():
            remedy = (
                f"copy line {line} of {quote_path(path)} to the section [{query.index.name}] of {quote_path(right)}"
            )
        yield base.warning(
            f"line {line} of {quote_path(path)} has a token of {query.index.name}, but no tool reads this file: "
            f"it must be {quote_path(right)}", remedy, f"{path}, line {line}", "pypirc.not-found",
        )  # fmt: skip


def _configuration(query: SourceQuery, reported: Collection[str]) -> Iterator[Finding]:
    index = query.index
    user = detect_user_environment(query.env)
    store = credential_remedies.store_command(user, index)
    for path, tool in _configuration_files(query):
        known = path.as_posix().replace(query.home.as_posix(), "~", 1) in reported
        if not known and (line := _line_with_token(path, query)):
            reader = f"which only {tool} reads" if tool else "where uploads do not look for one"
            yield base.warning(
                f"line {line} of {quote_path(path)} has a token of {index.name}, {reader}", store,
                f"{path}, line {line}", "cred.missing",
            )  # fmt: skip
    for directory in filter(None, (query.directory, query.home)):
        for name in _VARIABLE_FILES:
            path = directory / name
            if line := _line_with_token(path, query):
                yield base.warning(
                    f"line {line} of {quote_path(path)} has a token of {index.name}, but its variables are not in the "
                    "environment", _load_command(user.shell_name, path) or store, f"{path}, line {line}",
                    "env.not-forwarded",
                )  # fmt: skip


def _load_command(name: ShellName, path: Path) -> str:
    return f"set -a && . {shell.quote_word(str(path))} && set +a" if name == "posix" else ""


def _configuration_files(query: SourceQuery) -> Iterator[tuple[Path, str]]:
    home, env = query.home, query.env
    roots = (
        Path(env.get("XDG_CONFIG_HOME") or home / ".config"), Path(env.get("XDG_DATA_HOME") or home / ".local/share"),
        home / "Library/Application Support", Path(env.get("APPDATA") or home / "AppData/Roaming"),
        Path(env.get("LOCALAPPDATA") or home / "AppData/Local"),
    )  # fmt: skip
    yield from ((root / name, tool) for root in roots for name, tool in _TOOL_FILES.items())
    for variable, tool in _FILE_VARIABLES.items():
        if env.get(variable):
            yield Path(env[variable]), tool
    yield from ((home / name, "") for name in (".netrc", "_netrc"))
    if query.directory is not None:
        yield from ((query.directory / name, tool) for name, tool in _PROJECT_FILES.items())


def _line_with_token(path: Path, query: SourceQuery) -> int | None:
    """The number of the first line with a token of the index; None where there is none, or no such file."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_SIZE:
            return None
        lines = path.read_bytes().decode("utf-8", "replace").splitlines()
    except OSError:
        return None
    return next((number for number, line in enumerate(lines, 1) if contains_token(line, query.index)), None)


def find_username_alone(query: SourceQuery) -> Iterator[Finding]:
    """A username that has no password anywhere."""
    variable = query.env.get("TWINE_USERNAME")
    location = EnvironmentVariable(name="TWINE_USERNAME") if variable else pypirc.username_without_password(query)
    if location is not None and not contains_token(variable or ""):
        where = location_to_text(location)
        yield base.warning(
            f"{where} is set, but no password is stored for {query.index.name}",
            credential_remedies.store_command(detect_user_environment(query.env), query.index), where,
            "src.password-missing",
        )  # fmt: skip
