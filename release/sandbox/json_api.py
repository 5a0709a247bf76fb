"""The JSON API: `/pypi/<name>/json`, `/pypi/<name>/<version>/json`.

Observed: warehouse 6b62157, 2026-11, with `legacy/api/json.py`.
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

from release.sandbox.index_store import IndexProject, find_project
from release.sandbox.project_endpoints import NO_CACHE, core_metadata, file_url, stored_files, timestamp, with_etag
from release.sandbox.request_context import RequestContext

_TEXT_FIELDS = (
    *("author", "author_email", "description", "description_content_type", "download_url", "home_page", "keywords"),
    *("license", "license_expression", "maintainer", "maintainer_email", "requires_python", "summary"),
)
_LIST_FIELDS = ("classifiers", "dynamic", "license_file", "platform", "provides_extra", "requires_dist")


def project_json(context: RequestContext, name: str, version: str | None = None) -> Response:
    """Describe a project by the requested release, or by its newest one."""
    normalized = canonicalize_name(name)
    with context.reading() as db:
        project = find_project(db, normalized)
        release = _release(db, project, version) if project and project.status != "quarantined" else None
        if project is None or release is None:
            return Response('{"message": "Not Found"}', status=404, content_type="application/json")
        if name != normalized:
            tail = f"/{version}/json" if version else "/json"
            return redirect(f"{context.site}/pypi/{normalized}{tail}", 301)
        rows = stored_files(db, project.id)
        roles = db.execute(
            "SELECT role, name FROM roles JOIN users ON users.id = user WHERE project = ? ORDER BY role DESC, name",
            (project.id,),
        ).fetchall()
    context.log_fields.project = normalized
    data = {
        "info": _info(project, release),
        "last_serial": max((row["serial"] for row in rows), default=0),
        "ownership": {
            "organization": project.organization,
            "roles": [{"role": row["role"], "user": row["name"]} for row in roles],
        },
        "urls": [_json_file(context.site, row) for row in rows if row["release"] == release["id"]],
        "vulnerabilities": [],
    }
    if version is None:
        data["releases"] = {
            one: [_json_file(context.site, row) for row in rows if row["version"] == one]
            for one in dict.fromkeys(row["version"] for row in rows)
        }
    return with_etag(context, Response(json.dumps(data), content_type="application/json", headers=[NO_CACHE]))


def _release(db: sqlite3.Connection, project: IndexProject, version: str | None) -> sqlite3.Row | None:
    rows = db.execute("SELECT * FROM releases WHERE project = ?", (project.id,)).fetchall()
    if version is not None:
        return next((row for row in rows if row["canonical"] == canonicalize_version(version)), None)
    return max(rows, key=_rank, default=None)


def _rank(row: sqlite3.Row) -> tuple[bool, bool, Version]:
    """Sort key: releases that are neither yanked nor pre-releases are preferred, then newer versions."""
    version = Version(row["version"])
    return row["yanked"] is None, not version.is_prerelease, version


def _info(project: IndexProject, release: sqlite3.Row) -> dict[str, Any]:
    fields: Mapping[str, list[str]] = json.loads(release["fields"])
    urls = [url.partition(",") for url in fields.get("project_urls", [])]
    return {
        "name": project.name,
        "version": release["version"],
        "yanked": release["yanked"] is not None,
        "yanked_reason": release["yanked"] or None,
        "project_urls": {label.strip(): url.strip() for label, _, url in urls} or None,
        **{name: fields.get(name, [None])[0] for name in _TEXT_FIELDS},
        **{name: fields.get(name) for name in _LIST_FIELDS},
    }


def _json_file(site: str, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "core-metadata": core_metadata(row),
        "digests": {"blake2b_256": row["blake2_256"], "md5": row["md5"], "sha256": row["sha256"]},
        "filename": row["filename"],
        "packagetype": row["filetype"],
        "python_version": row["pyversion"],
        "requires_python": row["requires_python"],
        "size": row["size"],
        "upload_time": row["uploaded"][:19],
        "upload_time_iso_8601": timestamp(row),
        "url": file_url(site, row),
        "yanked": row["yanked"] is not None,
        "yanked_reason": row["yanked"] or None,
    }
