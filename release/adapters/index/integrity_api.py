"""The attestations of a file: `GET /integrity/<project>/<version>/<file>/provenance`.

Source: PEP 740; warehouse, `api/integrity.py`: 200, 403 "Attestations temporarily disabled", 404 "No provenance
available for …", 406.
"""

from __future__ import annotations

import secrets
from urllib.parse import quote

from packaging.utils import canonicalize_name

from release.adapters.http import http_client
from release.core.models.attestation import Provenance, parse_provenance
from release.core.models.index import Index

_JSON = "application/vnd.pypi.integrity.v1+json"
_OK, _NOT_FOUND = 200, 404


def provenance_url(index: Index, project: str, version: str, filename: str) -> str:
    """The URL of a file's provenance."""
    root = index.simple_url.removesuffix("simple/") + "integrity/"
    return f"{root}{canonicalize_name(project)}/{quote(version)}/{quote(filename)}/provenance"


def fetch_provenance(
    index: Index, project: str, version: str, filename: str, *, retries: int = http_client.RETRIES
) -> Provenance | None:
    """The provenance of a file, bypassing caches; None where the index has none. Raises `UnreachableError`."""
    url = provenance_url(index, project, version, filename)
    headers = {"Accept": _JSON, "Cache-Control": "no-cache", "Pragma": "no-cache"}
    with http_client.session(url, retries=retries) as session:
        response = session.get(url, headers=headers, params={"fresh": secrets.token_hex(8)})
        if response.status_code == _NOT_FOUND:
            return None
        if response.status_code != _OK:
            raise http_client.unusable_response(url, f"answers {response.status_code} {response.reason or ''}".strip())
        try:
            return parse_provenance(response.json())
        except (ValueError, RecursionError) as error:
            raise http_client.unusable_response(url, f"returned no valid provenance: {error}") from error
