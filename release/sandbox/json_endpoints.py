"""The JSON API: `/pypi/<name>/json`, `/pypi/<name>/<version>/json`.

Observed: warehouse 6b62157, 2026-11, `legacy/api/json.py`.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from release.sandbox import file_downloads, projects
from release.sandbox.projects import IndexProject
from release.sandbox.request_context import RequestContext
from release.sandbox.simple_endpoints import listed, timestamp

_TEXTS = (
    *("author", "author_email", "description", "description_content_type", "download_url", "home_page", "keywords"),
    *("license", "license_expression", "maintainer", "maintainer_email", "requires_python", "summary"),
)
_LISTS = ("classifiers", "dynamic", "license_file", "platform", "provides_extra", "requires_dist")


def project_json(call: RequestContext, name: str, version: str | None = None) -> Response:
    """What is known of a project, by its newest release or the one that is asked for."""
    normalized = canonicalize_name(name)
    with call.reading() as db:
        found = projects.find_project(db, normalized)
        release = _release(db, found, version) if found and found.status != "quarantined" else None
        if found is None or release is None:
            return Response('{"message": "Not Found"}', status=404, content_type="application/json")
        if name != normalized:
            tail = f"/{version}/json" if version else "/json"
            return redirect(f"{call.site}/pypi/{normalized}{tail}", 301)
        rows = listed(db, found.id)
        owners = _ownership(db, found)
    call.notes.project = normalized
    data = {
        "info": _info(found, release),
        "last_serial": max((row["serial"] for row in rows), default=0),
        "ownership": owners,
        "urls": [_file(call.site, row) for row in rows if row["release"] == release["id"]],
        "vulnerabilities": [],
    }
    if version is None:
        data["releases"] = {
            one: [_file(call.site, row) for row in rows if row["version"] == one]
            for one in dict.fromkeys(row["version"] for row in rows)
        }
    response = Response(json.dumps(data), content_type="application/json", headers=[("Cache-Control", "no-cache")])
    response.add_etag()
    return response.make_conditional(call.request)


def _release(db: sqlite3.Connection, found: IndexProject, version: str | None) -> sqlite3.Row | None:
    rows = db.execute("SELECT * FROM releases WHERE project = ?", (found.id,)).fetchall()
    if version is not None:
        return next((row for row in rows if row["canonical"] == canonicalize_version(version)), None)
    return max(rows, key=_rank, default=None)


def _rank(row: sqlite3.Row) -> tuple[bool, bool, Version]:
    """The newest that is neither yanked nor a pre-release, as long as there is one."""
    version = Version(row["version"])
    return row["yanked"] is None, not version.is_prerelease, version


def _info(found: IndexProject, release: sqlite3.Row) -> dict[str, Any]:
    fields: Mapping[str, list[str]] = json.loads(release["fields"])
    urls = [one.partition(",") for one in fields.get("project_urls", [])]
    return {
        "name": found.name,
        "version": release["version"],
        "yanked": release["yanked"] is not None,
        "yanked_reason": release["yanked"] or None,
        "project_urls": {label.strip(): url.strip() for label, _, url in urls} or None,
        **{name: fields.get(name, [None])[0] for name in _TEXTS},
        **{name: fields.get(name) for name in _LISTS},
    }


def _file(site: str, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "core-metadata": {"sha256": row["metadata_sha256"]} if row["metadata_sha256"] else False,
        "digests": {"blake2b_256": row["blake2_256"], "md5": row["md5"], "sha256": row["sha256"]},
        "filename": row["filename"],
        "packagetype": row["filetype"],
        "python_version": row["pyversion"],
        "requires_python": row["requires_python"],
        "size": row["size"],
        "upload_time": row["uploaded"][:19],
        "upload_time_iso_8601": timestamp(row["uploaded"]),
        "url": file_downloads.file_url(site, row),
        "yanked": row["yanked"] is not None,
        "yanked_reason": row["yanked"] or None,
    }


def _ownership(db: sqlite3.Connection, found: IndexProject) -> dict[str, Any]:
    roles = db.execute(
        "SELECT role, name FROM roles JOIN users ON users.id = user WHERE project = ? ORDER BY role DESC, name",
        (found.id,),
    )
    return {
        "organization": found.organization,
        "roles": [{"role": row["role"], "user": row["name"]} for row in roles],
    }
