"""The JSON API: `/pypi/<name>/json`, `/pypi/<name>/<version>/json`.

Every key that PyPI sends is there, with PyPI's value where the upload had none. Not as on PyPI: nothing may be cached,
and `vulnerabilities` and `docs_url` are always empty. Observed: warehouse 6b62157, 2026-11; source: its
`docs/user/api/json.md`, "Get a project".
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from release.sandbox.index_store import IndexProject, find_project
from release.sandbox.project_endpoints import (
    NO_CACHE,
    core_metadata,
    file_url,
    last_serial,
    stored_files,
    timestamp,
    with_etag,
)
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import CORS_HEADERS

#: null where the upload had none
_TEXT_FIELDS = (
    *("author", "author_email", "description_content_type", "download_url", "home_page", "keywords", "license"),
    *("license_expression", "maintainer", "maintainer_email", "platform", "requires_python", "summary"),
)
#: key → field of the form; null where the upload had none
_LIST_FIELDS = {
    "dynamic": "dynamic",
    "license_files": "license_file",
    "provides_extra": "provides_extra",
    "requires_dist": "requires_dist",
}
#: PyPI counts no downloads here, and says so
_DOWNLOADS = {"last_day": -1, "last_month": -1, "last_week": -1}


def project_json(context: RequestContext, name: str, version: str | None = None, slash: str = "") -> Response:
    """Describe a project by the requested release, or by its newest one."""
    normalized = canonicalize_name(name)
    with context.reading() as db:
        project = find_project(db, normalized)
        releases = load_releases(db, project) if project and project.status != "quarantined" else []
        release = choose_release(releases, version)
        if project is None or release is None:
            return Response(
                '{"message": "Not Found"}', status=404, content_type="application/json", headers=CORS_HEADERS
            )
        if name != normalized:
            tail = f"/{version}/json{slash}" if version else f"/json{slash}"
            moved = redirect(f"{context.site}/pypi/{quote(normalized)}{tail}", 301)
            moved.headers.extend(CORS_HEADERS)
            return moved
        rows, serial = stored_files(db, project.id), last_serial(db, project.id)
        ownership = _ownership(db, project)
    context.log_fields.project = normalized
    data = {
        "info": _info(context.site, project, release),
        "last_serial": serial,
        "ownership": ownership,
        "urls": _json_files(context.site, rows, release),
        "vulnerabilities": [],
    }
    if version is None:
        data["releases"] = {one["version"]: _json_files(context.site, rows, one) for one in releases}
    headers = [*CORS_HEADERS, NO_CACHE, ("X-PyPI-Last-Serial", str(serial))]
    return with_etag(context, Response(json.dumps(data), content_type="application/json", headers=headers))


def load_releases(db: sqlite3.Connection, project: IndexProject) -> list[sqlite3.Row]:
    """Return the releases of a project, the newest version first."""
    rows = db.execute("SELECT * FROM releases WHERE project = ?", (project.id,)).fetchall()
    return sorted(rows, key=lambda row: Version(row["version"]), reverse=True)


def choose_release(releases: list[sqlite3.Row], version: str | None) -> sqlite3.Row | None:
    """Return the release of that version; without one, the newest that is neither yanked nor a pre-release, if any."""
    if version is not None:
        return next((row for row in releases if row["canonical"] == canonicalize_version(version)), None)
    return max(releases, key=_rank, default=None)


def _rank(row: sqlite3.Row) -> tuple[bool, bool, Version]:
    version = Version(row["version"])
    return row["yanked"] is None, not version.is_prerelease, version


def _ownership(db: sqlite3.Connection, project: IndexProject) -> dict[str, Any]:
    roles = db.execute(
        "SELECT role, name FROM roles JOIN users ON users.id = user WHERE project = ? ORDER BY role DESC, name",
        (project.id,),
    )
    return {
        "organization": project.organization,
        "roles": [{"role": row["role"], "user": row["name"]} for row in roles],
    }


def _info(site: str, project: IndexProject, release: sqlite3.Row) -> dict[str, Any]:
    fields: Mapping[str, list[str]] = json.loads(release["fields"])
    urls = [url.partition(",") for url in fields.get("project_urls", [])]
    page = f"{site}/project/{quote(project.name)}/"
    return {
        "name": project.name,
        "version": release["version"],
        "yanked": release["yanked"] is not None,
        "yanked_reason": release["yanked"] or None,
        "project_urls": {label.strip(): url.strip() for label, _, url in urls} or None,
        "classifiers": sorted(fields.get("classifiers", [])),
        "description": fields.get("description", [""])[0],
        **{name: fields.get(name, [None])[0] for name in _TEXT_FIELDS},
        **{key: fields.get(name) or None for key, name in _LIST_FIELDS.items()},
        "package_url": page,
        "project_url": page,
        "release_url": f"{page}{quote(release['version'])}/",
        "bugtrack_url": None,
        "docs_url": None,
        "downloads": _DOWNLOADS,
    }


def _json_files(site: str, rows: list[sqlite3.Row], release: sqlite3.Row) -> list[dict[str, Any]]:
    return [_json_file(site, row) for row in rows if row["release"] == release["id"]]


def _json_file(site: str, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "comment_text": None,
        "core-metadata": core_metadata(row),
        "digests": {"blake2b_256": row["blake2_256"], "md5": row["md5"], "sha256": row["sha256"]},
        "downloads": -1,
        "filename": row["filename"],
        "has_sig": False,
        "md5_digest": row["md5"],
        "packagetype": row["filetype"],
        "python_version": row["pyversion"],
        "requires_python": row["requires_python"] or None,
        "size": row["size"],
        "upload_time": row["uploaded"][:19],
        "upload_time_iso_8601": timestamp(row),
        "url": file_url(site, row),
        "yanked": row["yanked"] is not None,
        "yanked_reason": row["yanked"] or None,
    }
