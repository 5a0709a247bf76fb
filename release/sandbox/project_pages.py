"""The pages of a project: `/project/<name>/`, `/project/<name>/<version>/`. PyPI's addresses, with plain pages.

Tools print these addresses after an upload, and the JSON API names them. Source: warehouse, `packaging/views.py`.
"""

from __future__ import annotations

import json
import sqlite3
from html import escape
from urllib.parse import quote

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from release.sandbox.index_store import IndexProject, find_project
from release.sandbox.json_endpoints import choose_release, load_releases
from release.sandbox.project_endpoints import NO_CACHE, file_url, stored_files, with_etag
from release.sandbox.request_context import RequestContext

_PAGE = """<!DOCTYPE html>
<html lang="en">
  <head><meta charset="utf-8"><title>{title}</title><style>pre {{ white-space: pre-wrap }}</style></head>
  <body>
{body}
  </body>
</html>
"""
_STATUS = {
    "archived": "This project has been archived: no new releases are accepted.",
    "archived-noindex": "This project has been archived: no new releases are accepted.",
    "quarantined": "This project has been quarantined: its files cannot be downloaded.",
}


def project_page(context: RequestContext, name: str, version: str | None = None, slash: str = "/") -> Response:
    """Show a release of a project, or its newest one; other spellings are redirected to the project's own."""
    with context.reading() as db:
        project = find_project(db, name)
        releases = load_releases(db, project) if project else []
        release = choose_release(releases, version)
        files = stored_files(db, project.id) if project and project.status != "quarantined" else []
    if project is None or release is None:
        return _page("Page Not Found (404)", ["<h1>Page Not Found (404)</h1>"], status=404)
    shown = release["version"] if version else None
    if (name, version) != (project.name, shown) or not slash:
        tail = f"{quote(shown)}/" if shown else ""
        return redirect(f"{context.site}/project/{quote(project.name)}/{tail}", 301)
    context.log_fields.project = project.normalized
    files = [row for row in files if row["release"] == release["id"]]
    return with_etag(
        context, _page(f"{project.name} {release['version']}", _body(context.site, project, release, files))
    )


def _body(site: str, project: IndexProject, release: sqlite3.Row, files: list[sqlite3.Row]) -> list[str]:
    fields = json.loads(release["fields"])
    yanked = None if release["yanked"] is None else f"This release has been yanked. {release['yanked']}".strip()
    lines = [f"<h1>{escape(project.name)} {release['version']}</h1>"]
    lines += [f"<p>{escape(text)}</p>" for text in (_STATUS.get(project.status), yanked) if text]
    lines += [f"<p>{escape(text)}</p>" for text in fields.get("summary", [])]
    lines += [f"<pre>{escape(text)}</pre>" for text in fields.get("description", [])]
    lines += [f'<p><a href="{file_url(site, row)}">{escape(row["filename"])}</a></p>' for row in files]
    return lines


def _page(title: str, lines: list[str], status: int = 200) -> Response:
    body = "\n".join(f"    {line}" for line in lines)
    text = _PAGE.format(title=escape(title), body=body)
    return Response(text, status=status, content_type="text/html; charset=UTF-8", headers=[NO_CACHE])
