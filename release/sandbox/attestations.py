"""Attestations: what the index requires of those uploaded with a file, and how it shows them (PEP 740).

The seed data determines which signatures are valid: with `sigstore`, those that this trust configuration verifies;
without it, all of them, but the signed statement must be about the uploaded bytes.
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
from release.acceptance.rule import FileUpload, Refusal
from release.adapters import sigstore
from release.adapters.sigstore import InvalidAttestationError, NotSignedError, Sigstore
from release.core.models.attestation import AttestationPublisher
from release.sandbox.index_store import admin_flags
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import json_message, not_found

MEDIA_TYPE = "application/vnd.pypi.integrity.v1+json"


def attestation_refusal(
    upload: FileUpload, publisher: AttestationPublisher | None, db: sqlite3.Connection
) -> Refusal | None:
    """Explain why the index refuses the attestations of an upload; None if it accepts them or there are none."""
    text = _attestations(upload)
    if text is None or "disable-pep740" in admin_flags(db):
        return None
    verify = _verifier(upload, publisher, db)
    return attestation_rules.check_attestations(text, publisher=publisher.kind if publisher else None, verifier=verify)


def _attestations(upload: FileUpload) -> str | None:
    """The last value of the field counts; an empty one is an attempt too."""
    return upload.cleaned.get("attestations", (None,))[-1]


def _verifier(
    upload: FileUpload, publisher: AttestationPublisher | None, db: sqlite3.Connection
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


def provenance_to_json(
    upload: FileUpload, publisher: AttestationPublisher | None, db: sqlite3.Connection
) -> str | None:
    """Make the provenance of an accepted file; None if it was uploaded without attestations."""
    text = _attestations(upload)
    if text is None or publisher is None or "disable-pep740" in admin_flags(db):
        return None
    bundle = {"publisher": publisher.to_json(), "attestations": json.loads(text)}
    return json.dumps({"version": 1, "attestation_bundles": [bundle]})


def local_provenance_url(site: str, project: str, row: sqlite3.Row) -> str | None:
    """Return the URL of a file's provenance; None if it has none. `row`: the file with its release's `version`."""
    if row["provenance"] is None:
        return None
    name = canonicalize_name(project)
    return f"{site}/integrity/{name}/{quote(row['version'])}/{quote(row['filename'])}/provenance"


def provenance_response(context: RequestContext, name: str, version: str, filename: str) -> Response:
    """Send the provenance of a file."""
    accepts = context.request.accept_mimetypes
    if accepts and accepts.best_match([MEDIA_TYPE, "application/json"]) is None:
        return json_message(406, "Request not acceptable")
    with context.reading() as db:
        row = db.execute(
            "SELECT provenance FROM files JOIN releases ON releases.id = release JOIN projects ON projects.id = project"
            " WHERE normalized = ? AND canonical = ? AND filename = ?",
            (canonicalize_name(name), canonicalize_version(version), filename),
        ).fetchone()
        disabled = "disable-pep740" in admin_flags(db)
    if row is None:
        return not_found(context.request)
    context.log_fields.project, context.log_fields.filename = canonicalize_name(name), filename
    if disabled:
        return json_message(403, "Attestations temporarily disabled")
    if row["provenance"] is None:
        return json_message(404, f"No provenance available for {filename}")
    return Response(row["provenance"], content_type=MEDIA_TYPE, headers=[("Cache-Control", "no-cache")])
