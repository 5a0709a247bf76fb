"""POST /legacy/: the questions that PyPI asks of an upload, in PyPI's order.

Nothing is written before every question is answered, so that a refused upload leaves nothing behind; only a hit on
the limit of new projects stays spent.
Source: warehouse, `forklift/legacy.py` (`file_upload`) and `forklift/decorators.py`.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from werkzeug.wrappers import Response

from release.acceptance.description_rules import DESCRIPTION
from release.acceptance.file_rules import FILE, OUTSIDE, is_identical, the_file_is_new
from release.acceptance.form_rules import FORM
from release.acceptance.name_rules import NEW_NAME
from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.rule import SERVER_ERROR, Refusal, Upload, first_refusal
from release.core.models.index import PYPI, USER_DOCS, host_of
from release.core.models.index_contents import OnIndex
from release.sandbox import attestations, auth, projects, quotas
from release.sandbox.caveat_verification import Context
from release.sandbox.file_downloads import store_metadata
from release.sandbox.multipart import ReceivedFile, UploadForm
from release.sandbox.projects import IndexProject
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import accepted_response, refusal_response

#: FILE in three: what the upload says of itself, what the index has already, what is in the file
_ARRIVAL = OUTSIDE[: OUTSIDE.index(the_file_is_new)]
_ALREADY = OUTSIDE[len(_ARRIVAL) :]
_INSIDE = FILE[len(OUTSIDE) :]


_NO_USER = (
    "Non-user identities cannot create new projects. This was probably caused by successfully using a pending "
    "publisher but specifying the project name incorrectly (either in the publisher or in your project's metadata). "
    f"Please ensure that both match. See: {USER_DOCS}/trusted-publishers/troubleshooting/"
)


@dataclass(slots=True, kw_only=True)
class UploadRequest:
    """An upload on its way through the questions."""

    call: RequestContext
    db: sqlite3.Connection
    who: auth.Principal
    upload: Upload
    facts: OnIndex
    project: IndexProject
    #: what is wrong with the description, with the inside of the file, and with its attestations
    description: Refusal | None
    inside: Refusal | None
    attested: Refusal | None
    headers: list[tuple[str, str]] = field(default_factory=list)


def handle_upload(call: RequestContext, form: UploadForm) -> Response:
    """Answer an upload."""
    with call.store.reading() as db:
        who = _admitted(call, form, db)
    if isinstance(who, Refusal):
        return refusal_response(call.request, who)
    call.notes.username = who.username
    upload = _upload(call, form)
    call.notes.project, call.notes.filename = upload.value("name") or None, upload.filename or None
    call.notes.attested = upload.value("attestations") != ""
    refusal = first_refusal(FORM, upload, OnIndex(now=call.now))
    if refusal is not None:
        return refusal_response(call.request, refusal)
    assert form.content is not None  # the last question of FORM was for it
    description, inside = _examined(upload, call.now)
    with call.store.reading() as db:
        attested = attestations.attestation_refusal(upload, who.publisher, db)
    with call.store.writing() as db:
        name = upload.value("name")
        project = projects.find_project(db, name) or projects.new_project(name, who.user_id)
        facts = projects.index_contents(db, project, call.now)
        attempt = UploadRequest(
            call=call, db=db, who=who, upload=upload, facts=facts, project=project, description=description,
            inside=inside, attested=attested,
        )  # fmt: skip
        return _decide(attempt, form.content)


def _examined(upload: Upload, now: datetime) -> tuple[Refusal | None, Refusal | None]:
    """What takes long and asks nothing of the index: done before the store is locked, told when it is its turn."""
    nothing = OnIndex(now=now)
    description = first_refusal(DESCRIPTION, upload, nothing)
    if first_refusal(_ARRIVAL, upload, nothing) is not None:
        return description, None
    return description, first_refusal(_INSIDE, upload, nothing)


def _admitted(call: RequestContext, form: UploadForm, db: sqlite3.Connection) -> auth.Principal | Refusal:
    """Who uploads, before anything of the form is looked at."""
    refusal = _no_field_is_a_file(form) or _site_is_open(call, db)
    if refusal is not None:
        return refusal
    try:
        who = auth.identify(call.request.headers.get("Authorization", ""), db)
    except auth.PasswordError:
        return auth.no_passwords(call.site)
    return who or auth.no_identity(call.site)


def _decide(attempt: UploadRequest, arrived: ReceivedFile) -> Response:
    """Ask the rest; the first that refuses, answers."""
    for question in _QUESTIONS:
        if refusal := question(attempt):
            return refusal_response(attempt.call.request, refusal, attempt.headers)
    if not is_identical(attempt.upload, attempt.facts):
        refusal = first_refusal(_ALREADY, attempt.upload, attempt.facts) or attempt.inside
        if refusal := refusal or attempt.attested or _was_overtaken(attempt):
            return refusal_response(attempt.call.request, refusal, attempt.headers)
        _keep(attempt, arrived)
    return accepted_response(attempt.call.request, attempt.headers)


def _upload(call: RequestContext, form: UploadForm) -> Upload:
    content = form.content
    return Upload(
        fields=form.fields,
        file=OpenDistribution(content.filename, content.stream, digests=content.digests)
        if content
        else OpenDistribution("", None),
        content_type=content.content_type if content else None,
        site=call.site,
    )


def _no_field_is_a_file(form: UploadForm) -> Refusal | None:
    if not form.misplaced:
        return None
    text = f"{form.misplaced[0]}: Should not be a tuple."
    return Refusal(rule="no-field-is-a-file", status=400, text=text)


def _site_is_open(call: RequestContext, db: sqlite3.Connection) -> Refusal | None:
    flags = _flags(db)
    text = ""
    if "read-only" in flags:
        text = "Read-only mode: Uploads are temporarily disabled."
    elif "disallow-new-upload" in flags:
        text = f"New uploads are temporarily disabled. {_see(call, 'admin-intervention')}"
    return Refusal(rule="the-site-takes-uploads", status=403, text=text) if text else None


def _project_may_be_created(attempt: UploadRequest) -> Refusal | None:
    """Asked of a new project alone, and before the token is verified."""
    if not attempt.project.is_new:
        return None
    if attempt.who.trusted:
        return Refusal(rule="a-user-creates-projects", status=400, text=_NO_USER)
    if refusal := _account_is_in_order(attempt):
        return refusal
    call = attempt.call
    windows = quotas.new_projects(attempt.db, call.request.remote_addr or "", attempt.who.user_id, call.now)
    attempt.headers.extend(quotas.headers(windows))
    if not all(window.remaining for window in windows):
        return Refusal(rule="the-quota-is-not-spent", status=429, text="Too many new projects created")
    if "disallow-new-project-registration" in _flags(attempt.db):
        text = f"New project registration temporarily disabled. {_see(call, 'admin-intervention')}"
        return Refusal(rule="the-site-takes-projects", status=403, text=text)
    refusal = first_refusal(NEW_NAME, attempt.upload, attempt.facts)
    if refusal is None:
        quotas.spend(attempt.db, windows, call.now)
    return refusal


def _token_allows_it(attempt: UploadRequest) -> Refusal | None:
    project, trusted = attempt.project, attempt.who.trusted
    context = Context(
        user_id=attempt.who.user_id,
        project=project.name,
        normalized=project.normalized,
        project_id=project.id,
        now=int(attempt.call.now.timestamp()),
        publisher_id=trusted.id if trusted else None,
        publisher_projects=trusted.projects if trusted else frozenset(),
    )
    reason = auth.token_problem(attempt.who, context)
    return Refusal(rule="the-token-allows-it", status=403, text=f"Invalid API Token: {reason}") if reason else None


def _user_has_a_role(attempt: UploadRequest) -> Refusal | None:
    who, project = attempt.who, attempt.project
    if who.trusted:
        return _publisher_has_the_project(attempt, who.trusted)
    if project.takes_uploads_of(who.user_id):
        return None
    see = _see(attempt.call, "project-name")
    text = f"The user '{who.username}' isn't allowed to upload to project '{project.name}'. {see}"
    return Refusal(rule="the-user-has-a-role", status=403, text=text)


def _publisher_has_the_project(attempt: UploadRequest, trusted: auth.Trusted) -> Refusal | None:
    if attempt.project.takes_uploads_by(trusted.projects):
        return None
    see = _see(attempt.call, "project-name")
    text = f"The given token isn't allowed to upload to project '{attempt.project.name}'. {see}"
    return Refusal(rule="the-publisher-has-the-project", status=403, text=text)


def _account_is_in_order(attempt: UploadRequest) -> Refusal | None:
    who = attempt.who
    if not who.email_verified:
        lacks, todo, anchor = "a verified primary email address", "add a verified primary email", "verified-email"
    elif not who.two_factor:
        lacks, todo = "two-factor authentication enabled", "enable two-factor authentication"
        anchor = "two-factor-authentication"
    else:
        return None
    text = (
        f"User '{who.username}', associated with the API token used, does not have {lacks}. "
        f"Please {todo} before attempting to upload to PyPI. {_see(attempt.call, anchor)}"
    )
    return Refusal(rule="the-account-is-in-order", status=403, text=text)


def _organization_is_active(attempt: UploadRequest) -> Refusal | None:
    if attempt.project.organization_active:
        return None
    text = (
        "Organization account owning this project is inactive. This may be due to inactive billing for Company "
        "Organizations, or administrator intervention for Community Organizations. "
        f"Please contact support+orgs@{host_of(PYPI.simple_url)}."
    )
    return Refusal(rule="the-organization-is-active", status=400, text=text)


def _description_renders(attempt: UploadRequest) -> Refusal | None:
    return attempt.description


def _was_overtaken(attempt: UploadRequest) -> Refusal | None:
    """Where faults have it so: the release was made by another upload while this one was under way."""
    newest = attempt.call.newest_release
    version = attempt.upload.value("version")
    if newest is None or not projects.was_released_since(attempt.db, attempt.project, version, newest):
        return None
    return Refusal(rule="the-release-was-not-made-twice", status=500, text=SERVER_ERROR)


def _file_arrived_whole(attempt: UploadRequest) -> Refusal | None:
    return first_refusal(_ARRIVAL, attempt.upload, attempt.facts)


_QUESTIONS: tuple[Callable[[UploadRequest], Refusal | None], ...] = (
    _project_may_be_created,
    _token_allows_it,
    _user_has_a_role,
    _account_is_in_order,
    _organization_is_active,
    _description_renders,
    _file_arrived_whole,
)


def _keep(attempt: UploadRequest, arrived: ReceivedFile) -> None:
    """The bytes first: a file without a row is nothing, a row without a file would be a lie."""
    upload, store = attempt.upload, attempt.call.store
    found = arrived.digests
    size = arrived.stream.seek(0, os.SEEK_END)
    metadata = store_metadata(store, upload.filename, arrived.stream, found["sha256"])
    arrived.stream.close()
    arrived.path.replace(store.files / found["sha256"])
    new = projects.NewFile(
        filename=upload.filename,
        filetype=upload.value("filetype"),
        pyversion=upload.value("pyversion") or "source",
        version=upload.value("version"),
        fields=upload.cleaned,
        digests=found,
        size=size,
        metadata_sha256=metadata,
        provenance=attestations.provenance_to_json(upload, attempt.who.publisher, attempt.db),
        now=attempt.call.now,
    )
    projects.add_file(attempt.db, attempt.project, new)


def _flags(db: sqlite3.Connection) -> set[str]:
    return {row["name"] for row in db.execute("SELECT name FROM flags")}


def _see(call: RequestContext, anchor: str) -> str:
    return f"See {call.site}/help/#{anchor} for more information."
