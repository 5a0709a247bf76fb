"""The simple API: PEP 503 pages, PEP 691 JSON, with PEP 592, 658, 700 and 792.

Observed: warehouse 6b62157, 2026-11; api-version 1.4. Two things differ on purpose: nothing may be cached (another
sandbox will have this port tomorrow), and there is no CDN that lags.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from html import escape
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from release.sandbox import attestations, file_downloads, projects
from release.sandbox.request_context import RequestContext

JSON = "application/vnd.pypi.simple.v1+json"
_HTML = "application/vnd.pypi.simple.v1+html"
_VERSION = "1.4"


def simple_index(call: RequestContext) -> Response:
    """Every project but those in quarantine."""
    with call.reading() as db:
        names = [
            row["name"]
            for row in db.execute("SELECT name FROM projects WHERE status != 'quarantined' ORDER BY normalized")
        ]
        serial = _serial(db)
    data = {"meta": _meta(serial), "projects": [{"name": name, "_last-serial": serial} for name in names]}
    links = [f'<a href="/simple/{canonicalize_name(name)}/">{escape(name)}</a><br/>' for name in names]
    return _respond(call, data, "Simple index", links, serial)


def simple_project(call: RequestContext, name: str, slash: str) -> Response:
    """One project: 200 as soon as it exists, even without files."""
    normalized = canonicalize_name(name)
    with call.reading() as db:
        found = projects.find_project(db, normalized)
        if found is None:
            return Response("404 Not Found", status=404, content_type="text/plain; charset=UTF-8")
        if name != normalized or not slash:
            return redirect(f"{call.site}/simple/{normalized}/", 301)
        rows = [] if found.status == "quarantined" else listed(db, found.id)
        serial = _serial(db, found.id)
    call.notes.project = normalized
    data = {
        "meta": _meta(serial),
        "name": normalized,
        "project-status": {"status": "archived" if found.status.startswith("archived") else found.status},
        "versions": sorted({row["version"] for row in rows}, key=Version),
        "files": [_entry(call.site, normalized, row) for row in rows],
    }
    links = [_link(call.site, normalized, row) for row in rows]
    return _respond(call, data, f"Links for {normalized}", links, serial)


def listed(db: sqlite3.Connection, project_id: str) -> list[sqlite3.Row]:
    """The files of a project, each with its release's `version` and `yanked`; oldest release first."""
    rows = db.execute(
        "SELECT files.*, version, yanked FROM files JOIN releases ON releases.id = release WHERE project = ?",
        (project_id,),
    ).fetchall()
    return sorted(rows, key=lambda row: (Version(row["version"]), row["filename"]))


def timestamp(moment: str) -> str:
    """ISO 8601 with `Z`, as PEP 700 wants it."""
    return moment.replace("+00:00", "Z")


def _entry(site: str, project: str, row: sqlite3.Row) -> dict[str, Any]:
    metadata = {"sha256": row["metadata_sha256"]} if row["metadata_sha256"] else False
    return {
        "core-metadata": metadata,
        "data-dist-info-metadata": metadata,
        "filename": row["filename"],
        "hashes": {"sha256": row["sha256"]},
        "provenance": attestations.provenance_url(site, project, row),
        "requires-python": row["requires_python"],
        "size": row["size"],
        "upload-time": timestamp(row["uploaded"]),
        "url": file_downloads.file_url(site, row),
        "yanked": False if row["yanked"] is None else row["yanked"] or True,
    }


def _link(site: str, project: str, row: sqlite3.Row) -> str:
    more = ""
    if row["requires_python"]:
        more += f' data-requires-python="{escape(row["requires_python"])}"'
    if row["metadata_sha256"]:
        more += "".join(
            f' {name}="sha256={row["metadata_sha256"]}"' for name in ("data-dist-info-metadata", "data-core-metadata")
        )
    if (provenance := attestations.provenance_url(site, project, row)) is not None:
        more += f' data-provenance="{escape(provenance)}"'
    if row["yanked"] is not None:
        more += f' data-yanked="{escape(row["yanked"])}"'
    url = file_downloads.file_url(site, row)
    return f'<a href="{url}#sha256={row["sha256"]}"{more}>{escape(row["filename"])}</a><br/>'


def _respond(call: RequestContext, data: dict[str, Any], title: str, links: Iterable[str], serial: int) -> Response:
    kind = call.request.accept_mimetypes.best_match(["text/html", _HTML, JSON], default="text/html")
    if kind == JSON:
        body, content_type = json.dumps(data), JSON
    else:
        content_type = f"{kind}; charset=UTF-8"
        body = (
            f'<!DOCTYPE html>\n<html>\n  <head>\n    <meta name="pypi:repository-version" content="{_VERSION}">\n'
            f"    <title>{title}</title>\n  </head>\n  <body>\n    <h1>{title}</h1>\n    "
            + "\n    ".join(links)
            + "\n  </body>\n</html>\n"
        )
    headers = [("X-PyPI-Last-Serial", str(serial)), ("Cache-Control", "no-cache"), ("Vary", "Accept")]
    response = Response(body, headers=headers, content_type=content_type)
    response.add_etag()
    return response.make_conditional(call.request)


def _meta(serial: int) -> dict[str, Any]:
    return {"_last-serial": serial, "api-version": _VERSION}


def _serial(db: sqlite3.Connection, project_id: str | None = None) -> int:
    """Number of the last change: here, of the last upload."""
    query = "SELECT max(serial) FROM files"
    if project_id is not None:
        query += " JOIN releases ON releases.id = release WHERE project = ?"
    return db.execute(query, () if project_id is None else (project_id,)).fetchone()[0] or 0
