"""Environment variables: twine's own, and those that other tools read.

Observed: twine 7.0.0, 2026-11: TWINE_USERNAME and TWINE_PASSWORD apply to whatever repository is
uploaded to, and an empty one counts as set. No variable names the `.pypirc` to read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from release.core.models.credential import Candidate, Origin
from release.core.models.finding import Finding
from release.core.models.index import Index
from release.core.secret import Secret
from release.credentials.sources.base import Found
from release.credentials.sources.upload_url import without_user

#: variables with a password that twine does not read → the tool that does.
#: Sources: the documentation of each tool; the last row is what CI settings commonly call it.
_OTHER_TOOLS = (
    (re.compile(r"UV_PUBLISH_(?:TOKEN|PASSWORD)"), "uv"),
    (re.compile(r"FLIT_PASSWORD"), "flit"),
    (re.compile(r"HATCH_INDEX_AUTH"), "hatch"),
    (re.compile(r"POETRY_PYPI_TOKEN_\w+|POETRY_HTTP_BASIC_\w+_PASSWORD"), "poetry"),
    (re.compile(r"PDM_PUBLISH_PASSWORD"), "pdm"),
    (re.compile(r"MATURIN_(?:PYPI_TOKEN|PASSWORD)"), "maturin"),
    (re.compile(r"(?:\w+_)?(?:TEST_?)?PYPI_(?:UPLOAD_)?(?:API_)?(?:TOKEN|PASSWORD|KEY|SECRET)"), "no tool"),
)


def find(index: Index, env: Mapping[str, str]) -> Found | None:
    """What twine's variables have. Never broken."""
    username, password = env.get("TWINE_USERNAME"), env.get("TWINE_PASSWORD")
    remarks = tuple(_remarks(index, env))
    if username is None and password is None and not remarks:
        return None
    return Found(
        username=username,
        username_origin=None if username is None else _origin("TWINE_USERNAME"),
        password=None if password is None else Secret(password),
        origin=None if password is None else _origin("TWINE_PASSWORD"),
        remarks=remarks,
    )


def of_other_tools(env: Mapping[str, str]) -> Iterator[Candidate]:
    """Passwords under names that twine does not read, in the order of the names."""
    for name in sorted(env):
        tool = next((tool for pattern, tool in _OTHER_TOOLS if pattern.fullmatch(name)), None)
        if tool and env[name].strip():
            yield Candidate(origin=_origin(name), password=Secret(env[name]), standing="other-tool", tool=tool)


def is_for(name: str, index: Index) -> bool:
    """Whether a secret of a CI, which is a variable there, is by its name a token of this index."""
    known = name == "TWINE_PASSWORD" or any(pattern.fullmatch(name) for pattern, _ in _OTHER_TOOLS)
    return known and ("TEST" in name) == ("test" in index.name.lower())


def _origin(name: str) -> Origin:
    return Origin(kind="environment", detail=f"${name}")


def _remarks(index: Index, env: Mapping[str, str]) -> Iterator[Finding]:
    url, name = env.get("TWINE_REPOSITORY_URL"), env.get("TWINE_REPOSITORY")
    if url and without_user(url).rstrip("/") != index.upload_url.rstrip("/"):
        yield _ignored("TWINE_REPOSITORY_URL", without_user(url), index)
    elif name and not url and name != index.name:
        yield _ignored("TWINE_REPOSITORY", name, index)
    if "TWINE_CONFIG_FILE" in env:
        yield Finding(
            message="$TWINE_CONFIG_FILE is set, which no twine reads",
            remedy="unset TWINE_CONFIG_FILE; for another file than ~/.pypirc, twine has the option --config-file",
            severity="warn",
            where="$TWINE_CONFIG_FILE",
            cause="src.wrong-env-name",
        )


def _ignored(variable: str, value: str, index: Index) -> Finding:
    return Finding(
        message=f"${variable} is {value!r}, and this upload goes to {index.upload_url!r} all the same",
        remedy=f"unset {variable}; indexes are named in [tool.release.indexes]",
        severity="warn",
        where=f"${variable}",
        cause="pypirc.bypassed-by-url",
    )
