"""The JSON and integrity APIs of an index: the owners and files of a project, and the attestations of a file.

Sources: PyPI documentation, "JSON API" (`ownership`, since February 2026); PEP 740 and warehouse, `api/integrity.py`:
`GET /integrity/<project>/<version>/<file>/provenance` answers 200, 403 "Attestations temporarily disabled", 404 "No
provenance available for …" or 406.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name

from release.adapters.http import errors as http_errors
from release.adapters.http import http_client, response_limits
from release.adapters.http.response_body import response_json
from release.core.foreign_json import ForeignJsonError
from release.core.models.attestation import Provenance, parse_provenance
from release.core.models.file_hashes import parse_hashes
from release.core.models.index import Index, IndexFile, Ownership

_OK, _NOT_FOUND = 200, 404


def fetch_ownership(index: Index, project: str) -> Ownership | None:
    """The owners of a project; None where the index does not list them, as for a project without releases.

    Raises `UnreachableError`.
    """
    if index.kind != "warehouse":
        return None
    match _fetch_json(f"{index.json_url}{canonicalize_name(project)}/json"):
        case {"info": {"name": str(name)}, "ownership": {"roles": [*roles], **rest}}:
            pairs = tuple((str(one.get("role")), str(one.get("user"))) for one in roles if isinstance(one, dict))
            organization = rest.get("organization")
            return Ownership(name=name, roles=pairs, organization=str(organization) if organization else None)
        case {"info": {"name": str(name)}}:
            return Ownership(name=name)
        case _:
            return None


def fetch_release_files(index: Index, project: str, version: str) -> tuple[IndexFile, ...] | None:
    """The files of a release, bypassing caches; None where the JSON API has no such release.

    None proves nothing, because "not found" is cached nevertheless. Raises `UnreachableError`.
    """
    if index.kind != "warehouse":
        return None
    url = f"{index.json_url}{canonicalize_name(project)}/{quote(version)}/json"
    match _fetch_json(url, params={"fresh": secrets.token_hex(8)}):
        case {"urls": [*files]}:
            return tuple(one for one in map(_file, files) if one is not None)
        case _:
            return None


def _fetch_json(url: str, *, params: dict[str, str] | None = None) -> Any:
    """The JSON document; an empty object where the status is not 200."""
    with http_client.session(url, limits=response_limits.PAGE) as session:
        response = session.get(url, headers={"Accept": "application/json"}, params=params)
        try:
            return response_json(response) if response.status_code == _OK else {}
        except ForeignJsonError as error:
            raise http_errors.unusable_response(url, f"returned no valid JSON: {error}") from error


def _file(entry: Any) -> IndexFile | None:
    match entry:
        case {"filename": str(name), "url": str(url), "digests": {"sha256": str(), **digests}, **rest}:
            hashes = parse_hashes([("sha256", entry["digests"]["sha256"]), *digests.items()])
            size = rest.get("size")
            reason = str(rest.get("yanked_reason") or "") if rest.get("yanked") else None
            return IndexFile(
                filename=name, url=url, sha256=hashes.sha256, other_hashes=hashes.others,
                size=size if isinstance(size, int) else None, yanked=reason,
            )  # fmt: skip
        case _:
            return None


def provenance_url(index: Index, project: str, version: str, filename: str) -> str:
    """The URL of a file's provenance."""
    root = index.simple_url.removesuffix("simple/") + "integrity/"
    return f"{root}{canonicalize_name(project)}/{quote(version)}/{quote(filename)}/provenance"


def fetch_provenance(index: Index, project: str, version: str, filename: str) -> Provenance | None:
    """The provenance of a file, bypassing caches; None where the index has none. Raises `UnreachableError`."""
    url = provenance_url(index, project, version, filename)
    headers = {"Accept": "application/vnd.pypi.integrity.v1+json", "Cache-Control": "no-cache", "Pragma": "no-cache"}
    with http_client.session(url) as session:
        response = session.get(url, headers=headers, params={"fresh": secrets.token_hex(8)})
        if response.status_code == _NOT_FOUND:
            return None
        if response.status_code != _OK:
            raise http_errors.unusable_response(url, f"answers {response.status_code} {response.reason or ''}".strip())
        try:
            return parse_provenance(response_json(response))
        except ValueError as error:
            raise http_errors.unusable_response(url, f"returned no valid provenance: {error}") from error
