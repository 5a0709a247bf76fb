"""What an index says of a file's attestations: its integrity API.

Sources: PEP 740; PyPI documentation, "Integrity API".
"""

from __future__ import annotations

from typing import Any

from release.adapters import http
from release.errors import UnreachableError
from release.model.provenance import Provenance, Publisher

_ACCEPT = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"


def provenance(url: str, *, retries: int = http.RETRIES) -> Provenance:
    """The provenance object at the address that the simple API names for a file.

    Raises `UnreachableError` where none came, whatever came instead.
    """
    with http.session(url, retries=retries) as session:
        response = session.get(url, headers={"Accept": _ACCEPT})
        if response.status_code != 200:  # noqa: PLR2004 - OK
            status = f"{response.status_code} {response.reason or ''}".strip()
            raise http.unusable(url, f"does not give the provenance that its page names: {status}")
        try:
            return _read(response.json()["attestation_bundles"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _garbage(url) from error


def _garbage(url: str) -> UnreachableError:
    return http.unusable(url, "answers something that is no provenance of a file")


def _read(bundles: Any) -> Provenance:
    publishers = tuple(_publisher(one["publisher"]) for one in bundles)
    return Provenance(
        publishers=tuple(dict.fromkeys(publishers)), attestations=sum(len(one["attestations"]) for one in bundles)
    )


def _publisher(told: Any) -> Publisher:
    """GitLab's workflow is `workflow_filepath`; others than these two name neither repository nor workflow."""
    return Publisher(
        kind=str(told["kind"]),
        repository=str(told.get("repository") or ""),
        workflow=str(told.get("workflow") or told.get("workflow_filepath") or ""),
        environment=str(told.get("environment") or ""),
    )
