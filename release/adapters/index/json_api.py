"""The JSON API of an index: the spelling of a project's name, its owners, and the files of a release.

Source: PyPI documentation, "JSON API" (`ownership`, since February 2026).
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

from release.adapters.http import http_client
from release.core.models.index import Index
from release.core.models.project_listing import IndexFile, Ownership


def fetch_ownership(index: Index, project: str, *, retries: int = http_client.RETRIES) -> Ownership | None:
    """The owners of a project; None where the index does not list them, as for a project without releases.

    Raises `UnreachableError`.
    """
    if index.kind != "warehouse":
        return None
    return _ownership(_fetch_json(f"{index.json_url}{canonicalize_name(project)}/json", retries=retries))


def fetch_release_files(
    index: Index, project: str, version: str, *, retries: int = http_client.RETRIES
) -> tuple[IndexFile, ...] | None:
    """The files of a release, bypassing caches; None where the JSON API has no such release.

    None proves nothing, because "not found" is cached nevertheless. Raises `UnreachableError`.
    """
    if index.kind != "warehouse":
        return None
    url = f"{index.json_url}{canonicalize_name(project)}/{quote(version)}/json"
    match _fetch_json(url, retries=retries, params={"fresh": secrets.token_hex(8)}):
        case {"urls": [*files]}:
            return tuple(one for one in map(_file, files) if one is not None)
        case _:
            return None


def _fetch_json(url: str, *, retries: int, params: dict[str, str] | None = None) -> Any:
    """The JSON document; an empty object where the response has none."""
    with http_client.session(url, retries=retries) as session:
        response = session.get(url, headers={"Accept": "application/json"}, params=params)
        try:
            return response.json() if response.status_code == 200 else {}  # noqa: PLR2004 - OK
        except ValueError:
            return {}


def _file(entry: Any) -> IndexFile | None:
    match entry:
        case {"filename": str(name), "url": str(url), "digests": {"sha256": str(digest)}, **rest}:
            size = rest.get("size")
            reason = str(rest.get("yanked_reason") or "") if rest.get("yanked") else None
            return IndexFile(
                filename=name, url=url, sha256=digest.lower(), size=size if isinstance(size, int) else None,
                yanked=reason,
            )  # fmt: skip
        case _:
            return None


def _ownership(answer: Any) -> Ownership | None:
    match answer:
        case {"info": {"name": str(name)}}:
            owners = answer.get("ownership")
        case _:
            return None
    match owners:
        case {"roles": [*roles], **rest}:
            pairs = tuple((str(one.get("role")), str(one.get("user"))) for one in roles if isinstance(one, dict))
            organization = rest.get("organization")
            return Ownership(name=name, roles=pairs, organization=str(organization) if organization else None)
        case _:
            return Ownership(name=name)
