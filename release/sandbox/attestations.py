"""Attestations on the index: what it asks of those that come with a file, and how it shows them (PEP 740).

Whose signatures count, the world says: with `sigstore`, those that this trust configuration vouches for; without,
all of them, and what was signed must be these bytes all the same.
Source: warehouse, `attestations/services.py`, `api/integrity.py`.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

from packaging.utils import canonicalize_name, canonicalize_version
from werkzeug.wrappers import Response

from release.acceptance import attestation_rules
from release.acceptance.rule import Refusal, Upload
from release.adapters import sigstore
from release.adapters.sigstore import InvalidAttestationError, NotSignedError, Sigstore
from release.core.models.attestation import AttestationPublisher
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import not_found

JSON = "application/vnd.pypi.integrity.v1+json"
#: PyPI's switch for all of this
OFF = "disable-pep740"


def attestation_refusal(
    upload: Upload, publisher: AttestationPublisher | None, db: sqlite3.Connection
) -> Refusal | None:
    """Why the index does not take the attestations of an upload; None where it does, or has none to take."""
    text = upload.value("attestations")
    if text == "" or _is_off(db):
        return None
    verify = _verify(upload, publisher, db)
    return attestation_rules.check_attestations(text, publisher=publisher.kind if publisher else None, verifier=verify)


def _verify(
    upload: Upload, publisher: AttestationPublisher | None, db: sqlite3.Connection
) -> attestation_rules.Verifier:
    sha256 = upload.file.digests("sha256").get("sha256", "")
    row = db.execute("SELECT value FROM settings WHERE name = 'sigstore'").fetchone()
    if row is None or publisher is None:
        return attestation_rules.statement_verifier(upload.filename, sha256)
    trust = Sigstore(config=Path(row["value"]))

    def verify(attestation: dict[str, Any]) -> str:
        try:
            return sigstore.verify_attestation(json.dumps(attestation), publisher, upload.filename, sha256, trust)
        except (InvalidAttestationError, NotSignedError) as error:
            raise ValueError(error.message) from None

    return verify


def provenance_to_json(upload: Upload, publisher: AttestationPublisher | None, db: sqlite3.Connection) -> str | None:
    """The provenance of a file that was accepted, as JSON; None where it came without attestations."""
    text = upload.value("attestations")
    if text == "" or publisher is None or _is_off(db):
        return None
    bundle = {"publisher": publisher.to_json(), "attestations": json.loads(text)}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]})


def provenance_url(site: str, project: str, row: sqlite3.Row) -> str | None:
    """Where the provenance of a file is shown; None where it has none. `row` is as `simple.listed` gives it."""
    if row["provenance"] is None:
        return None
    name = canonicalize_name(project)
    return f"{site}/integrity/{name}/{quote(row['version'])}/{quote(row['filename'])}/provenance"


def provenance_response(call: RequestContext, name: str, version: str, filename: str) -> Response:
    """The provenance of a file."""
    accepts = call.request.accept_mimetypes
    if accepts and accepts.best_match([JSON, "application/json"]) is None:
        return _told(406, "Request not acceptable")
    with call.reading() as db:
        row = db.execute(
            "SELECT provenance FROM files JOIN releases ON releases.id = release JOIN projects ON projects.id = project"
            " WHERE normalized = ? AND canonical = ? AND filename = ?",
            (canonicalize_name(name), canonicalize_version(version), filename),
        ).fetchone()
        off = _is_off(db)
    if row is None:
        return not_found(call.request)
    call.notes.project, call.notes.filename = canonicalize_name(name), filename
    if off:
        return _told(403, "Attestations temporarily disabled")
    if row["provenance"] is None:
        return _told(404, f"No provenance available for {filename}")
    return Response(row["provenance"], content_type=JSON, headers=[("Cache-Control", "no-cache")])


def _told(status: int, message: str) -> Response:
    return Response(json.dumps({"message": message}), status=status, content_type="application/json")


def _is_off(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM flags WHERE name = ?", (OFF,)).fetchone() is not None
