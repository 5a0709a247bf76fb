"""What an index tells of a project beside its files: its spelling, and who owns it.

Source: PyPI documentation, "JSON API" (`ownership`, since February 2026).
"""

from __future__ import annotations

from typing import Any

from packaging.utils import canonicalize_name

from release.adapters import http
from release.model.index import Index
from release.model.ownership import Ownership


def ownership(index: Index, project: str, *, retries: int = http.RETRIES) -> Ownership | None:
    """Who owns a project; None where the index does not tell, as for one without releases.

    Raises `UnreachableError` where no answer came.
    """
    if index.kind != "warehouse":
        return None
    url = f"{index.json_url}{canonicalize_name(project)}/json"
    with http.session(url, retries=retries) as session:
        response = session.get(url, headers={"Accept": "application/json"})
        try:
            answer = response.json() if response.status_code == 200 else {}  # noqa: PLR2004 - OK
        except ValueError:
            answer = {}
    return _read(answer)


def _read(answer: Any) -> Ownership | None:
    match answer:
        case {"info": {"name": str(name)}}:
            owners = answer.get("ownership")
        case _:
            return None
    match owners:
        case {"roles": [*roles], **rest}:
            told = tuple((str(one.get("role")), str(one.get("user"))) for one in roles if isinstance(one, dict))
            organization = rest.get("organization")
            return Ownership(name=name, roles=told, organization=str(organization) if organization else None)
        case _:
            return Ownership(name=name)
