"""What an index has: the simple API, in its JSON and HTML forms, and the files themselves.

Sources: PEP 503 (HTML), PEP 691 (JSON), PEP 592 (yanked), PEP 700 (size, upload time), PEP 792 (status).
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from release.adapters.http import errors as http_errors
from release.adapters.http import http_client
from release.adapters.index import simple_parsing
from release.core.errors import UnreachableError
from release.core.models.index import Index, host_of
from release.core.models.project_listing import IndexFile, ProjectListing

if TYPE_CHECKING:
    import requests

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
#: bytes
_CHUNK = 1 << 16


def fetch_listing(
    index: Index, project: str, *, fresh: bool = False, retries: int = http_client.RETRIES
) -> ProjectListing | None:
    """What `index` has under a project's name, in any spelling; None where it knows no such project.

    `fresh` goes past caches: use it to look for what was uploaded a moment ago. Raises
    `UnreachableError` where no listing came, whatever came instead.
    """
    url = f"{index.simple_url}{canonicalize_name(project)}/"
    headers = {"Accept": _ACCEPT}
    params = {}
    if fresh:
        headers |= {"Cache-Control": "no-cache", "Pragma": "no-cache"}
        # A CDN ignores what a client says of caching. A query may be an error elsewhere, not on PyPI.
        params = {"fresh": secrets.token_hex(8)} if index.kind == "warehouse" else {}
    with http_client.session(url, retries=retries) as session:
        response = session.get(url, headers=headers, params=params)
        if response.status_code == 404:  # noqa: PLR2004 - the simple API's only way to say "no such project"
            return None
        _usable(url, response)
        return _read(index, project, url, response)


def fetch_project_names(index: Index, *, retries: int = http_client.RETRIES) -> tuple[str, ...]:
    """The names of all projects, as `index` spells them; those in quarantine are missing.

    Some ten megabytes from PyPI. Raises `UnreachableError` where no list came.
    """
    url = index.simple_url
    with http_client.session(url, retries=retries) as session:
        response = session.get(url, headers={"Accept": _JSON})
        _usable(url, response)
        try:
            return tuple(str(one["name"]) for one in response.json()["projects"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise http_client.unusable_response(url, "answers something that is no list of projects") from error


def _usable(url: str, response: requests.Response) -> None:
    status = f"{response.status_code} {response.reason or ''}".strip()
    if url.startswith("https:") and not response.url.startswith("https:"):
        raise http_client.unusable_response(
            url, "leads away from https, where anybody could answer", cause=http_errors.PROXY
        )
    match response.status_code:
        case 200:
            return
        case 407 | 511:
            raise http_errors.proxy_error(host_of(url))
        case 401 | 403:
            raise http_client.unusable_response(
                url, f"does not let us read: {status}", remedy=f"make {url} readable without a password"
            )
        case 429 | 500 | 502 | 503 | 504:
            raise http_client.unusable_response(
                url, f"answers {status}", remedy="wait some minutes, look at the index's status page"
            )
        case _:
            raise http_client.unusable_response(url, f"answers {status}")


def _read(index: Index, project: str, url: str, response: requests.Response) -> ProjectListing:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    try:
        if kind in {_JSON, "application/json"}:
            found = simple_parsing.parse_json_page(response.json(), response.url)
        elif index.kind == "other" and kind in {"text/html", "application/vnd.pypi.simple.v1+html"}:
            found = simple_parsing.parse_html_page(response.text, response.url, canonicalize_name(project))
        else:
            raise _no_listing(url, kind)
    except (ValueError, RecursionError) as error:  # requests' JSON error is a ValueError too
        raise http_client.unusable_response(
            url, f"answers something that is no listing of a project: {error}"
        ) from error
    if canonicalize_name(found.name) != canonicalize_name(project):
        raise http_client.unusable_response(url, f"answers for {found.name!r}, and {project!r} was asked for")
    return found


def _no_listing(url: str, kind: str) -> UnreachableError:
    if kind == "text/html":
        return http_client.unusable_response(
            url,
            "answers with a web page, not with a listing: a login page of the network or proxy, perhaps",
            remedy=f"open {url} in a browser: sign in to the network, or correct the index's simple-url or kind",
            cause=http_errors.PROXY,
        )
    return http_client.unusable_response(url, f"answers with {kind or 'no content type'!r}, not with a listing")


def download_file(file: IndexFile, into: Path, *, retries: int = http_client.RETRIES) -> Path:
    """The file, in the directory `into`, under its name; never half of it.

    Its SHA-256 is compared while it comes, where the index gives one. Raises `UnreachableError`
    where it does not come, or other bytes do; `OSError` where it can't be written.
    """
    part = into / f"{file.filename}.part"
    try:
        with http_client.session(file.url, retries=retries) as session, session.get(file.url, stream=True) as response:
            _usable(file.url, response)
            digest = _save(response, part)
        if file.sha256 is not None and digest != file.sha256:
            raise http_client.unusable_response(
                file.url, f"sends other bytes for {file.filename!r} than the index lists: SHA-256 {digest}",
                remedy="do not use it; tell the administrators of the index",
            )  # fmt: skip
        return part.replace(into / file.filename)
    finally:
        part.unlink(missing_ok=True)


def _save(response: requests.Response, path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("wb") as target:
        for chunk in response.iter_content(_CHUNK):
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()


def fetch_server_time(index: Index, *, retries: int = http_client.RETRIES) -> datetime | None:
    """What the index's clock says, to the second, aware; None where it does not say."""
    with http_client.session(index.simple_url, retries=retries) as session:
        answer: Any = session.head(index.simple_url, headers={"Cache-Control": "no-cache"}).headers
    try:
        told = parsedate_to_datetime(answer.get("Date", ""))
        # a cache hands on when its copy was made, and how long ago. Source: RFC 9111, 5.1
        return told + timedelta(seconds=int(answer.get("Age") or 0))
    except ValueError:
        return None
