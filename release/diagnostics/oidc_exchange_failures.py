"""Why an index did not exchange an identity for a token: its code and reason, compared with the claims sent.

Sources: warehouse 6b62157, `oidc/views.py`, `oidc/models`; PyPI documentation, "Trusted publishers, troubleshooting".
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from release.core.models.attestation import AttestationPublisher, publisher_from_claims
from release.core.models.index import TESTPYPI, Index
from release.core.models.oidc_identity import (
    OidcIdentity,
    claim_text,
    describe_job,
    publisher_fields,
    publisher_form_url,
    subject_reset,
    workflow_of,
)
from release.diagnostics.catalog import CATALOG
from release.diagnostics.matcher import recognise
from release.diagnostics.models import fill_placeholders

#: how the index begins its reason if no publisher matches
_NO_PUBLISHER = "valid token, but no corresponding publisher ("
#: part of a reason → the cause, for `invalid-publisher`; the first match counts
_REASONS = (
    ("pull_request_target", "tp.event-unsupported"),
    ("claim 'environment'", "tp.environment-mismatch"),
    ("required claim 'sub'", "tp.custom-sub"),
    ("optional claim 'sub'", "tp.renamed"),  # Google Cloud: the account was created again
    ("job_workflow_ref claim does not match", "tp.renamed"),
    ("ci_config_ref_uri claim does not match", "tp.renamed"),
    ("Check failed for required claim", "tp.renamed"),
    ("does not match expected issuer", "tp.unknown-issuer"),
    ("is unsupported", "tp.unknown-issuer"),
    ("was not found", "tp.invalid-publisher"),
)
#: code → the cause, for codes that determine it
_CODES = {
    "not-enabled": "tp.disabled",
    "invalid-token": "tp.identity-refused",
    "invalid-pending-publisher": "tp.pending-exists",
    "invalid-reuse-token": "tp.jti-reuse",
}
_DIFFERENT = {"tp.environment-mismatch", "tp.renamed", "tp.invalid-publisher"}


class RefusedExchange(Struct, frozen=True, kw_only=True):
    """One refused exchange."""

    index: Index
    project: str
    #: whether the index has the project; None if unknown
    exists: bool | None
    identity: OidcIdentity
    status: int
    #: "invalid-publisher", …; empty if the answer has none
    code: str
    #: the index's message
    description: str
    #: the publisher of the project's newest attested file, which the index shows; None if there is none
    published: AttestationPublisher | None = None

    @property
    def words(self) -> str:
        """The whole answer on one line."""
        return " ".join(f"{self.status} {self.code}{':' * bool(self.code)} {self.description}".split())

    @property
    def form(self) -> str:
        """The page where a publisher for this job is added."""
        return publisher_form_url(self.identity, self.index, self.project, exists=self.exists is not False)


def exchange_cause(exchange: RefusedExchange) -> str | None:
    """The id of the known failure that the answer shows; None if it is not known."""
    if exchange.code in _CODES:
        return _CODES[exchange.code]
    if exchange.code == "invalid-publisher":
        return _of_publisher(exchange)
    found = recognise(exchange.description, status=exchange.status)
    # without a code, the answer is not of the exchange itself: a status alone explains uploads, which this is not
    return next((one.cause for one in found if exchange.code or one.cause.startswith(("net.", "tp."))), None)


def _of_publisher(exchange: RefusedExchange) -> str:
    reason = exchange.description.removeprefix(_NO_PUBLISHER)
    known = next((cause for part, cause in _REASONS if part in reason), "tp.identity-refused")
    if known not in _DIFFERENT:
        return known
    called, top = workflow_of(exchange.identity)[:2], workflow_of(exchange.identity, "workflow_ref")[:2]
    return "tp.reusable-workflow" if all((*called, *top)) and called != top else known


def exchange_message(exchange: RefusedExchange) -> str:
    """What happened, with the job and the index's answer."""
    hints = "; ".join(_hints(exchange))
    return (
        f"{exchange.index.name} issued no token to this job ({describe_job(exchange.identity)}): {exchange.words}"
        + (f"; {hints}" if hints else "")
    )


def _hints(exchange: RefusedExchange) -> Iterator[str]:
    """What the claims show."""
    identity, found = exchange.identity, exchange_cause(exchange)
    audience = claim_text(identity, "aud")
    if found == "tp.identity-refused" and audience != identity.audience:
        yield f"the identity was issued for {audience!r}, but the index expects {identity.audience!r}"
    if found == "tp.reusable-workflow":
        place, file, _ = workflow_of(identity)
        yield f"the job runs in the reusable workflow {file!r} of {place}"
    if found not in _DIFFERENT:
        return
    if exchange.published is not None:
        yield _compare_with_last(exchange, exchange.published)
    if "environment" not in identity.claims:
        yield "the job declares no environment, so it does not match a publisher that names one"
    if exchange.index.name == TESTPYPI.name:
        yield "TestPyPI has its own publishers: one on PyPI does not count there"


def _compare_with_last(exchange: RefusedExchange, last: AttestationPublisher) -> str:
    """Compare the job with the publisher of the last attested release. GitHub ignores the case of letters."""
    own = publisher_from_claims(exchange.identity.claims)
    before, now = dict(last.details), dict(own.details) if own else {}
    changed = [
        f"{name.replace('_', ' ')} {text!r}, and this job has {repr(now[name]) if name in now else 'none'}"
        for name, text in before.items()
        if text and text.lower() != now.get(name, "").lower()
    ]
    if changed:
        return f"the last attested release came from {'; from '.join(changed)}"
    return (
        "the last attested release came from a job like this one: its publisher was removed since, or the ID of its "
        "owner has changed"
    )


def exchange_remedy(exchange: RefusedExchange) -> str:
    """What to do about it: the exact page, and the values to enter there."""
    found = exchange_cause(exchange)
    values = {"upload_url": exchange.index.upload_url, "index": exchange.index.name, "project": exchange.project}
    match found:
        case None:
            return f"see {exchange.index.site}/help/#trusted-publishers, and run the job again"
        case "tp.environment-mismatch" | "tp.renamed" | "tp.invalid-publisher":
            return _compare(exchange)
        case "tp.pending-exists":
            return f"if the project is yours, add a publisher at {exchange.form}; if not, choose another name"
        case "tp.reusable-workflow":
            top = workflow_of(exchange.identity, "workflow_ref")[1]
            return (
                f"move the job that uploads into {top}; the job that builds can stay where it is; "
                "see https://docs.pypi.org/trusted-publishers/troubleshooting/"
            )
        case "tp.custom-sub":
            return f"reset it: {subject_reset(exchange.identity)}, then run the job again"
        case _:
            return fill_placeholders(CATALOG[found].remedy, values)


def _compare(exchange: RefusedExchange) -> str:
    fields = ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in publisher_fields(exchange.identity).items())
    if "environment" not in publisher_fields(exchange.identity) and exchange.identity.provider in {"GitHub", "GitLab"}:
        fields += ", no environment"
    if exchange.exists is False:
        return f"add a pending publisher at {exchange.form}: project name {exchange.project}, {fields}"
    bare = "environment" not in exchange.identity.claims
    other = (
        "declare the environment of the existing publisher in the job (environment: NAME)"
        if bare
        else "change the job to match the existing publisher"
    )
    owner = claim_text(exchange.identity, "repository_owner_id")
    same = f"; if one like this exists, remove it and add it again, for the owner's current ID {owner}" if owner else ""
    return f"add a publisher at {exchange.form}: {fields}; or {other}{same}"
