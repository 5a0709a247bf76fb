"""Staged releases, behind the flag `staged`: files are uploaded to a stage, previewed there, and published together.

PEP 694 ("Upload 2.0 API") is a draft, and no index has it. This is the smallest interface with its sequence, to try a
client with it: the forms of the legacy API are sent to the secret address of a stage.

- `POST /+stages/`: a new stage; its addresses as JSON
- `…/<stage>/legacy/`, `…/<stage>/simple/`, …: the index as it would be with the files of the stage
- `POST …/<stage>/publish`: add its files to the index, all or none
- `DELETE …/<stage>`: discard it, so that no file name is used

A stage is a copy of the index's database, and shares the content of the files, which is named by its SHA-256.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from msgspec import Struct, field
from werkzeug.wrappers import Request, Response

from release.sandbox import auth, index_store
from release.sandbox.index_store import Store, find_project
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import json_message, not_allowed, not_found

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

STAGES_PATH = "/+stages/"
_STAGED_FILES = (
    "SELECT files.*, projects.name AS project_name, version, fields FROM files"
    " JOIN releases ON releases.id = release JOIN projects ON projects.id = project WHERE serial > ? ORDER BY serial"
)
#: columns that the index sets itself
_SET_BY_INDEX = {"serial", "release", "requires_python", "uploaded", "project_name", "version", "fields"}


class _Stage(Struct, frozen=True, kw_only=True):
    store: Store
    application: WSGIApplication
    #: the account that opened it
    owner: str
    #: the serial of the newest file that is not of this stage
    base: int


class Stages(Struct):
    """The stages of one index, until the server ends."""

    #: makes the application of a stage from its store
    make_application: Callable[[Store], WSGIApplication]
    _open: dict[str, _Stage] = field(default_factory=dict)

    def application(self, path: str) -> tuple[str, WSGIApplication] | None:
        """The stage that a path belongs to, as the prefix of the path and its application."""
        name, slash, _ = path.removeprefix(STAGES_PATH).partition("/")
        stage = self._open.get(name) if path.startswith(STAGES_PATH) and slash else None
        return (f"{STAGES_PATH}{name}", stage.application) if stage and not path.endswith("/publish") else None

    def response(self, context: RequestContext) -> Response:
        """Answer a request to open, publish or discard a stage."""
        name, _, action = context.request.path.removeprefix(STAGES_PATH).partition("/")
        stage = self._open.get(name)
        if name and stage is None:
            return not_found(context.request)
        method = "DELETE" if stage and not action else "POST"
        if context.request.method != method:
            return not_allowed(context.request, method)
        owner = _account(context.request, context.store)
        if owner is None or (stage and owner != stage.owner):
            return json_message(403, "Invalid or non-existent authentication information.")
        if stage is None:
            return self._create(context, owner)
        problem = _publish(context, stage) if action else ""
        if problem:
            return json_message(409, problem)
        self._open.pop(name).store.close()
        return json_message(200, "Published" if action else "Discarded")

    def _create(self, context: RequestContext, owner: str) -> Response:
        name = secrets.token_urlsafe(16)
        store = context.store.open_stage(name)
        with context.store.reading() as db, closing(sqlite3.connect(store.database)) as copy:
            base = db.execute("SELECT coalesce(max(serial), 0) FROM files").fetchone()[0]
            db.backup(copy)
        self._open[name] = _Stage(store=store, application=self.make_application(store), owner=owner, base=base)
        url = f"{context.site}{STAGES_PATH}{name}"
        addresses = {"url": url, "upload_url": f"{url}/legacy/", "simple_url": f"{url}/simple/"}
        return Response(json.dumps(addresses), status=201, content_type="application/json")


def _account(request: Request, store: Store) -> str | None:
    with store.reading() as db:
        try:
            principal = auth.identify(request.headers.get("Authorization", ""), db)
        except auth.PasswordError:
            return None
    return (principal.publisher_id or principal.user_id) if principal else None


def _publish(context: RequestContext, stage: _Stage) -> str:
    """Add the files of a stage to the index; or say which one it has meanwhile, and add none."""
    with stage.store.reading() as db:
        rows = db.execute(_STAGED_FILES, (stage.base,)).fetchall()
    with context.store.writing() as db:
        for row in rows:
            used = db.execute("SELECT 1 FROM used_filenames WHERE filename = ?", (row["filename"],)).fetchone()
            same = db.execute("SELECT 1 FROM files WHERE blake2_256 = ?", (row["blake2_256"],)).fetchone()
            if used or same:
                return f"File already exists ({row['filename']!r})."
        for row in rows:
            fields = json.loads(row["fields"]) | {"requires_python": (row["requires_python"] or "",)}
            name = row["project_name"]
            project = find_project(db, name) or index_store.new_project(name, stage.owner)
            file = {column: row[column] for column in row.keys() if column not in _SET_BY_INDEX}  # noqa: SIM118 - a Row
            index_store.add_file(db, project, fields, file, context.now)
    return ""
