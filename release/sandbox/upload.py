"""POST /legacy/: the checks that PyPI makes of an upload, in PyPI's order.

Nothing is written before all checks have passed, so that a refused upload leaves nothing behind, except for a hit on
the limit of new projects.
Source: warehouse, `forklift/legacy.py` (`file_upload`) and `forklift/decorators.py`.
"""

from __future__ import annotations

import hashlib
import io
import os
import sqlite3

from msgspec import Struct, field
from werkzeug.wrappers import Response

from release.acceptance.description_rules import DESCRIPTION
from release.acceptance.file_rules import FILE, OUTSIDE, is_identical, the_file_is_new, the_file_name_fits_a_disk
from release.acceptance.form_rules import FORM, NEW_NAME
from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.rule import SERVER_ERROR, FileUpload, Refusal, first_refusal, server_error
from release.core.models.index import PYPI, USER_DOCS, IndexContents, host_of
from release.sandbox import attestations, auth, index_store
from release.sandbox.index_store import METADATA_SUFFIX, IndexProject, Store, admin_flags
from release.sandbox.multipart import UploadForm
from release.sandbox.project_quota import ProjectQuota
from release.sandbox.request_context import RequestContext
from release.sandbox.responses import page_response, refusal_response

#: FILE in three parts: what the upload says about itself, what the index has already, what is inside the file
_ARRIVAL = OUTSIDE[: OUTSIDE.index(the_file_is_new)]
_BEFORE_IT_IS_READ = OUTSIDE[: OUTSIDE.index(the_file_name_fits_a_disk)]
_ALREADY = OUTSIDE[len(_ARRIVAL) :]
_INSIDE = FILE[len(OUTSIDE) :]
_NO_USER = (
    "Non-user identities cannot create new projects. This was probably caused by successfully using a pending "
    "publisher but specifying the project name incorrectly (either in the publisher or in your project's metadata). "
    f"Please ensure that both match. See: {USER_DOCS}/trusted-publishers/troubleshooting/"
)


class UploadRequest(Struct, kw_only=True):
    """An upload whose form is valid."""

    context: RequestContext
    db: sqlite3.Connection
    principal: auth.Principal
    upload: FileUpload
    contents: IndexContents
    project: IndexProject
    form: UploadForm
    #: what is wrong with the description, with the content of the file, and with its attestations
    description: Refusal | None
    inside: Refusal | None
    attestations: Refusal | None
    #: of the response
    headers: list[tuple[str, str]] = field(default_factory=list)

    def refusal(self, rule: str, status: int, text: str, *, help_anchor: str = "") -> Refusal:
        """Make a refusal, with a link to the help page if there is an anchor."""
        more = f" See {self.context.site}/help/#{help_anchor} for more information." if help_anchor else ""
        return Refusal(rule=rule, status=status, text=text + more)


def handle_upload(context: RequestContext, form: UploadForm) -> Response:
    """Check an upload and store its file."""
    with context.store.reading() as db:
        principal = _authenticate(context, form, db)
    if isinstance(principal, Refusal):
        return refusal_response(context.request, principal)
    upload, log = _upload(context, form), context.log_fields
    log.username = principal.username
    log.project, log.filename = upload.value("name") or None, upload.filename or None
    log.attested = "attestations" in upload.cleaned
    nothing = IndexContents(now=context.now)
    refusal = server_error() if form.field_fails else first_refusal(FORM, upload, nothing)
    if refusal is not None:
        return refusal_response(context.request, refusal)
    # what takes long and needs nothing of the index comes before it is locked
    description = first_refusal(DESCRIPTION, upload, nothing)
    has_arrived = not form.content_fails and first_refusal(_ARRIVAL, upload, nothing) is None
    inside = first_refusal(_INSIDE, upload, nothing) if has_arrived else None
    with context.store.reading() as db:
        attested = attestations.attestation_refusal(upload, principal.signer, db)
    name = upload.value("name")
    with context.store.writing() as db:
        project = index_store.find_project(db, name) or index_store.new_project(name, principal.user_id)
        contents = index_store.index_contents(db, project, context.now, upload)
        request = UploadRequest(
            context=context, db=db, principal=principal, upload=upload, contents=contents, project=project,
            form=form, description=description, inside=inside, attestations=attested,
        )  # fmt: skip
        refusal = _refusal(request)
        if refusal is not None:
            return refusal_response(context.request, refusal, request.headers)
        if not is_identical(upload, contents):
            _store(request)
    return page_response(context.request, 200, "OK", headers=request.headers)


def _authenticate(context: RequestContext, form: UploadForm, db: sqlite3.Connection) -> auth.Principal | Refusal:
    """Find out who uploads, before any field of the form is checked."""
    if form.misplaced:
        return Refusal(rule="no-field-is-a-file", status=400, text=f"{form.misplaced[0]}: Should not be a tuple.")
    flags, disabled = admin_flags(db), ""
    if "read-only" in flags:
        disabled = "Read-only mode: Uploads are temporarily disabled."
    elif "disallow-new-upload" in flags:
        see = f"See {context.site}/help/#admin-intervention for more information."
        disabled = f"New uploads are temporarily disabled. {see}"
    if disabled:
        return Refusal(rule="the-site-takes-uploads", status=403, text=disabled)
    try:
        principal = auth.identify(context.request.headers.get("Authorization", ""), db)
    except auth.PasswordError:
        text = (
            "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers "
            f"instead. See {context.site}/help/#apitoken and {context.site}/help/#trusted-publishers"
        )
        return Refusal(rule="the-username-is-token", status=403, text=text)
    see = f"See {context.site}/help/#invalid-auth for more information."
    text = f"Invalid or non-existent authentication information. {see}"
    return principal or Refusal(rule="the-token-is-known", status=403, text=text)


def _upload(context: RequestContext, form: UploadForm) -> FileUpload:
    content, file, kind = form.content, OpenDistribution("", io.BytesIO() if form.content_fails else None), None
    if content:
        file, kind = OpenDistribution(content.filename, content.stream, digests=content.digests), content.content_type
    return FileUpload(fields=form.fields, file=file, content_type=kind, site=context.site)


def _project_may_be_created(request: UploadRequest) -> Refusal | None:
    """For new projects only, and before the token is verified."""
    if not request.project.is_new:
        return None
    if request.principal.publisher_id:
        return request.refusal("a-user-creates-projects", 400, _NO_USER)
    if refusal := _account_is_in_order(request):
        return refusal
    context = request.context
    quota = ProjectQuota(request.db, context.request.remote_addr or "", request.principal.user_id, context.now)
    request.headers.extend(quota.headers)
    if quota.is_spent:
        return request.refusal("the-quota-is-not-spent", 429, "Too many new projects created")
    if "disallow-new-project-registration" in admin_flags(request.db):
        text = "New project registration temporarily disabled."
        return request.refusal("the-site-takes-projects", 403, text, help_anchor="admin-intervention")
    refusal = first_refusal(NEW_NAME, request.upload, request.contents)
    if refusal is None:
        quota.count()
    return refusal


def _token_allows_it(request: UploadRequest) -> Refusal | None:
    reason = auth.token_problem(request.principal, request.project, int(request.context.now.timestamp()))
    return request.refusal("the-token-allows-it", 403, f"Invalid API Token: {reason}") if reason else None


def _user_has_a_role(request: UploadRequest) -> Refusal | None:
    principal, project = request.principal, request.project
    if principal.publisher_id:
        allowed, rule = project.allows_publisher(principal.publisher_projects), "the-publisher-has-the-project"
        subject = "The given token"
    else:
        allowed, rule = project.allows_user(principal.user_id), "the-user-has-a-role"
        subject = f"The user '{principal.username}'"
    if allowed:
        return None
    text = f"{subject} isn't allowed to upload to project '{project.name}'."
    return request.refusal(rule, 403, text, help_anchor="project-name")


def _account_is_in_order(request: UploadRequest) -> Refusal | None:
    principal = request.principal
    if not principal.email_verified:
        lacks, todo, anchor = "a verified primary email address", "add a verified primary email", "verified-email"
    elif not principal.two_factor:
        lacks, todo = "two-factor authentication enabled", "enable two-factor authentication"
        anchor = "two-factor-authentication"
    else:
        return None
    text = (
        f"User '{principal.username}', associated with the API token used, does not have {lacks}. "
        f"Please {todo} before attempting to upload to PyPI."
    )
    return request.refusal("the-account-is-in-order", 403, text, help_anchor=anchor)


def _organization_is_active(request: UploadRequest) -> Refusal | None:
    if request.project.organization_active:
        return None
    text = (
        "Organization account owning this project is inactive. This may be due to inactive billing for Company "
        "Organizations, or administrator intervention for Community Organizations. "
        f"Please contact support+orgs@{host_of(PYPI.simple_url)}."
    )
    return request.refusal("the-organization-is-active", 400, text)


def _refusal(request: UploadRequest) -> Refusal | None:
    """Apply the checks in order; the first refusal is the response."""
    upload, contents = request.upload, request.contents
    refusal = (
        _project_may_be_created(request)
        or _token_allows_it(request)
        or _user_has_a_role(request)
        or _account_is_in_order(request)
        or _organization_is_active(request)
        or request.description
        or _content_fails(request)
        or first_refusal(_ARRIVAL, upload, contents)
    )
    if refusal or is_identical(upload, contents):
        return refusal
    refusal = first_refusal(_ALREADY, upload, contents) or request.inside
    return refusal or request.attestations or _release_clash(request)


def _content_fails(request: UploadRequest) -> Refusal | None:
    """The server fails on a text in place of the file, and on a file that is a form once it reads it."""
    form = request.form
    if not form.content_fails:
        return None
    rules = _BEFORE_IT_IS_READ if form.content else ()
    return first_refusal(rules, request.upload, request.contents) or server_error()


def _release_clash(request: UploadRequest) -> Refusal | None:
    """With the fault `clash`: another upload created the release while this one was being received."""
    newest = request.context.newest_release
    version = request.upload.value("version")
    if newest is None or not index_store.was_released_since(request.db, request.project, version, newest):
        return None
    return request.refusal("the-release-was-not-made-twice", 500, SERVER_ERROR)


def _store(request: UploadRequest) -> None:
    """Store the content first: a file without a row is harmless, a row without its file is not."""
    upload, store, received = request.upload, request.context.store, request.form.content
    assert received is not None  # the checks require it
    digests = received.digests
    file = {
        "filename": upload.filename,
        "filetype": upload.value("filetype"),
        "pyversion": upload.value("pyversion") or "source",
        "size": received.stream.seek(0, os.SEEK_END),
        **digests,
        "metadata_sha256": _store_metadata(store, upload.file, digests["sha256"]),
        "provenance": attestations.provenance_to_json(upload, request.principal.signer, request.db),
    }
    received.stream.close()
    received.path.replace(store.files / digests["sha256"])
    index_store.add_file(request.db, request.project, upload.cleaned, file, request.context.now)


def _store_metadata(store: Store, file: OpenDistribution, sha256: str) -> str | None:
    """Store a wheel's METADATA next to the wheel and return its SHA-256; return None for any other file."""
    wheel = file.open_zip if file.filename.endswith(".whl") else None
    metadata = wheel.read(f"{file.dist_info}/METADATA") if wheel is not None else None
    if not isinstance(metadata, bytes):
        return None
    (store.files / sha256).with_suffix(METADATA_SUFFIX).write_bytes(metadata)
    return hashlib.sha256(metadata).hexdigest()
