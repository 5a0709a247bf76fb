"""Environment variables that other upload tools read, and the names that secrets of CI services commonly have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from release.core.lazy_pattern import lazy_pattern
from release.core.models.credential import CredentialCandidate, StoredSecret
from release.core.models.secret_location import EnvironmentVariable
from release.core.secret import Secret
from release.credentials.sources.base import SourceQuery, SourceResult, StorageQuery
from release.credentials.sources.environment import replace, stored_variable

if TYPE_CHECKING:
    from release.core.models.index import Index

__all__ = ["find", "is_for", "locate", "replace"]

#: variables with a password that twine does not read → the tool that does.
#: Sources: the documentation of each tool; the last row is what secrets of CI services are commonly called.
_TOOLS = (
    (lazy_pattern(r"UV_PUBLISH_(?:TOKEN|PASSWORD)"), "uv"),
    (lazy_pattern(r"FLIT_PASSWORD"), "flit"),
    (lazy_pattern(r"HATCH_INDEX_AUTH"), "hatch"),
    (lazy_pattern(r"POETRY_PYPI_TOKEN_\w+|POETRY_HTTP_BASIC_\w+_PASSWORD"), "poetry"),
    (lazy_pattern(r"PDM_PUBLISH_PASSWORD"), "pdm"),
    (lazy_pattern(r"MATURIN_(?:PYPI_TOKEN|PASSWORD)"), "maturin"),
    (lazy_pattern(r"(?:\w+_)?(?:TEST_?)?PYPI_(?:UPLOAD_)?(?:API_)?(?:TOKEN|PASSWORD|KEY|SECRET)"), "no tool"),
)


def find(query: SourceQuery) -> SourceResult | None:
    """The variables of other tools, sorted by name."""
    candidates = tuple(
        CredentialCandidate(
            origin=EnvironmentVariable(name=name), password=Secret(value), status="other-tool", tool=tool_of(name) or ""
        )
        for name, value in _variables(query.env)
    )
    return SourceResult(candidates=candidates) if candidates else None


def locate(query: StorageQuery) -> Iterator[StoredSecret]:
    """The variables of other tools."""
    yield from (stored_variable("tool variables", name, value) for name, value in _variables(query.system.env))


def is_for(name: str, index: Index) -> bool:
    """Whether a CI secret of this name, which a job sees as a variable, is meant for an index."""
    known = name == "TWINE_PASSWORD" or tool_of(name) is not None
    return known and ("TEST" in name) == ("test" in index.name.lower())


def _variables(env: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield from ((name, env[name]) for name in sorted(env) if tool_of(name) and env[name].strip())


def tool_of(name: str) -> str | None:
    """The tool that reads a password from a variable of this name; "no tool" if that is only a usual name for one."""
    return next((tool for pattern, tool in _TOOLS if pattern.fullmatch(name)), None)
