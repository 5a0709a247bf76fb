"""What installers and other clients read: the simple API and the files themselves.

Simple API: PEP 503 pages and PEP 691 JSON, with PEP 592, 658, 700 and 792; api-version 1.4. Two differences from PyPI
are intended: nothing may be cached, because another sandbox may use this port tomorrow, and no CDN lags behind.
Observed: warehouse 6b62157, 2026-11.
"""

from __future__ import annotations

import json
import sqlite3
from html import escape
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name
from packaging.version import Version
from werkzeug.utils import redirect, send_file
from werkzeug.wrappers import Response

from release.sandbox import attestations
from release.sandbox.index_store import METADATA_SUFFIX, find_project
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import CORS_HEADERS, not_found

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
_SIMPLE_HTML = "application/vnd.pypi.simple.v1+html"
_VERSION = "1.4"
NO_CACHE = ("Cache-Control", "no-cache")
#: seconds; the value that PyPI's file host sends
_FILE_MAX_AGE = 365_000_000

# -- the simple API ---------------------------------------------------------------------------------


def simple_index(context: RequestContext) -> Response:
    """List every project except those in quarantine."""
    with context.reading() as db:
        projects = db.execute(
            "SELECT name, coalesce(max(serial), 0) AS serial FROM projects LEFT JOIN releases ON project = projects.id"
            " LEFT JOIN files ON release = releases.id WHERE status != 'quarantined'"
            " GROUP BY projects.id ORDER BY normalized"
        ).fetchall()
        serial = last_serial(db)
    data = {
        "meta": _meta(serial),
        "projects": [{"name": row["name"], "_last-serial": row["serial"]} for row in projects],
    }
    links = [f'    <a href="/simple/{canonicalize_name(name)}/">{escape(name)}</a>\n' for name, _ in projects]
    return _simple_response(context, data, _page("Simple index", "".join(links)), serial)


def simple_project(context: RequestContext, name: str, slash: str) -> Response:
    """List the files of one project. The status is 200 as soon as the project exists, even without files."""
    normalized = canonicalize_name(name)
    with context.reading() as db:
        project = find_project(db, normalized)
        if project is None:
            return Response("404 Not Found", status=404, content_type="text/plain; charset=UTF-8")
        if name != normalized or not slash:
            return redirect(f"{context.site}/simple/{normalized}/", 301)
        rows = [] if project.status == "quarantined" else stored_files(db, project.id)
        serial = last_serial(db, project.id)
    context.log_fields.project = normalized
    data: dict[str, Any] = {
        "meta": _meta(serial),
        "name": normalized,
        "project-status": {"status": "archived" if project.status.startswith("archived") else project.status},
        "versions": sorted({row["version"] for row in rows}, key=Version),
        "files": [_simple_file(context.site, normalized, row) for row in rows],
    }
    links = [_link(context.site, normalized, row) for row in rows]
    title, status = f"Links for {normalized}", data["project-status"]["status"]
    body = f"    <h1>{title}</h1>\n{''.join(links)}"
    meta = f'<meta name="pypi:project-status" content="{status}">'
    return _simple_response(context, data, f"{_page(title, body, meta)}\n<!--SERIAL {serial}-->", serial)


def _simple_file(site: str, project: str, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "core-metadata": core_metadata(row),
        "data-dist-info-metadata": core_metadata(row),
        "filename": row["filename"],
        "hashes": {"sha256": row["sha256"]},
        "provenance": attestations.local_provenance_url(site, project, row),
        "requires-python": row["requires_python"],
        "size": row["size"],
        "upload-time": timestamp(row),
        "url": file_url(site, row),
        "yanked": False if row["yanked"] is None else row["yanked"] or True,
    }


def _link(site: str, project: str, row: sqlite3.Row) -> str:
    metadata = f"sha256={row['metadata_sha256']}" if row["metadata_sha256"] else None
    attributes = {
        "data-requires-python": row["requires_python"] or None,
        "data-dist-info-metadata": metadata,
        "data-core-metadata": metadata,
        "data-provenance": attestations.local_provenance_url(site, project, row),
        "data-yanked": row["yanked"],
    }
    more = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items() if value is not None)
    return f'<a href="{file_url(site, row)}#sha256={row["sha256"]}"{more} >{escape(row["filename"])}</a><br />\n'


def _simple_response(context: RequestContext, data: dict[str, Any], page: str, serial: int) -> Response:
    kind = _negotiated(context)
    body, content_type = (json.dumps(data), kind) if kind == SIMPLE_JSON else (page, f"{kind}; charset=UTF-8")
    headers = [("X-PyPI-Last-Serial", str(serial)), NO_CACHE, ("Vary", "Accept"), *CORS_HEADERS]
    return with_etag(context, Response(body, headers=headers, content_type=content_type))


def _negotiated(context: RequestContext) -> str:
    """The form that the client prefers; of equal ones the first. PyPI sends HTML where none is acceptable, never 406.

    Observed: webob 1.8.10 (`acceptable_offers`), 2026-11.
    """
    accept = context.request.accept_mimetypes
    return max(("text/html", _SIMPLE_HTML, SIMPLE_JSON), key=accept.quality)


def _page(title: str, body: str, meta: str = "") -> str:
    """Make an HTML page, to the blank as PyPI's, which PEP 833 has frozen."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n  <head>\n'
        f'    <meta name="pypi:repository-version" content="{_VERSION}">\n{meta}    <title>{title}</title>\n'
        f"  </head>\n  <body>\n{body}</body>\n</html>"
    )


def _meta(serial: int) -> dict[str, Any]:
    return {"_last-serial": serial, "api-version": _VERSION}


def last_serial(db: sqlite3.Connection, project_id: str | None = None) -> int:
    """Return the number of the last change, which is here the number of the last upload."""
    query = "SELECT max(serial) FROM files"
    if project_id is not None:
        query += " JOIN releases ON releases.id = release WHERE project = ?"
    return db.execute(query, () if project_id is None else (project_id,)).fetchone()[0] or 0


# -- files ------------------------------------------------------------------------------------------


def file_response(context: RequestContext, digest: str, filename: str) -> Response:
    """Send a file; for a wheel's name followed by `.metadata`, its METADATA (PEP 658)."""
    digest, name = digest.replace("/", ""), filename.removesuffix(METADATA_SUFFIX)
    with context.store.reading() as db:
        row = db.execute("SELECT * FROM files WHERE blake2_256 = ? AND filename = ?", (digest, name)).fetchone()
    if row is None or (name != filename and row["metadata_sha256"] is None):
        return not_found(context.request)
    path, etag = context.store.files / row["sha256"], row["sha256"]
    if name != filename:
        path, etag = path.with_suffix(METADATA_SUFFIX), row["metadata_sha256"]
    environ, kind = context.request.environ, "application/octet-stream"
    return send_file(path, environ, mimetype=kind, etag=etag, max_age=_FILE_MAX_AGE, conditional=True)


def stored_files(db: sqlite3.Connection, project_id: str) -> list[sqlite3.Row]:
    """Return the files of a project, each with `version` and `yanked` of its release; the oldest release first."""
    rows = db.execute(
        "SELECT files.*, version, yanked FROM files JOIN releases ON releases.id = release WHERE project = ?",
        (project_id,),
    ).fetchall()
    return sorted(rows, key=lambda row: (Version(row["version"]), row["filename"]))


def file_url(site: str, row: sqlite3.Row) -> str:
    """Return the URL of a file, as on PyPI: parts of its BLAKE2b-256, then its name. One URL never gets new content."""
    digest = row["blake2_256"]
    return f"{site}/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{quote(row['filename'])}"


def core_metadata(row: sqlite3.Row) -> dict[str, str] | bool:
    return {"sha256": row["metadata_sha256"]} if row["metadata_sha256"] else False


def timestamp(row: sqlite3.Row) -> str:
    """Return the upload time in ISO 8601 with `Z`, as PEP 700 requires."""
    uploaded: str = row["uploaded"]
    return uploaded.replace("+00:00", "Z")


def with_etag(context: RequestContext, response: Response) -> Response:
    response.add_etag()
    return response.make_conditional(context.request)
