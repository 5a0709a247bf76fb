"""The OIDC identity of a CI job: its token (JWT), and the claims that an index reads.

Nothing here verifies a signature: the index does that.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote, urlencode

from msgspec import Struct

from release.core.foreign_json import parse_foreign_json
from release.core.lazy_pattern import lazy_pattern
from release.core.models.index import Index, normalize_name
from release.core.struct_fields import repr_without

if TYPE_CHECKING:
    from release.core.secret import Secret

#: the services whose identities `id` detects, and those whose users provide it themselves
OidcProvider = Literal["GitHub", "GitLab", "Google Cloud", "ActiveState", "CircleCI", "Buildkite", "Semaphore"]

#: issuer → the service. Source: warehouse, `oidc/utils.py` and `oidc/models`; the last two are not publishers there
ISSUERS: Mapping[str, OidcProvider] = {
    "https://token.actions.githubusercontent.com": "GitHub",
    "https://gitlab.com": "GitLab",
    "https://accounts.google.com": "Google Cloud",
    "https://platform.activestate.com/api/v1/oauth/oidc": "ActiveState",
    "https://oidc.circleci.com": "CircleCI",
    "https://agent.buildkite.com": "Buildkite",
}
#: services whose identities PyPI accepts from everyone. Source: PyPI documentation, "Trusted publishers"
TRUSTED_PROVIDERS: frozenset[OidcProvider] = frozenset({"GitHub", "GitLab", "Google Cloud", "ActiveState"})
#: claims that identify the job, in the order in which they are shown
_SHOWN_CLAIMS = (
    *("iss", "aud", "sub", "repository", "repository_owner", "repository_owner_id", "workflow_ref"),
    *("job_workflow_ref", "environment", "event_name", "project_path", "ci_config_ref_uri", "pipeline_source"),
    *("email", "email_verified", "organization", "project", "actor_id", "builder", "ref", "ref_path", "sha"),
)
#: the services that also run on servers of others → their own address
HOSTED: Mapping[OidcProvider, str] = {
    "GitHub": "https://github.com",
    "GitLab": "https://gitlab.com",
}
_LONGEST = 200
_WORKFLOW = lazy_pattern(r"(?P<place>.+?)/\.github/workflows/(?P<file>[^/]+\.ya?ml)@(?P<ref>.+)")
_GITLAB_FILE = lazy_pattern(r".+?//(?P<file>.+\.ya?ml)@(?P<ref>.+)")


class OidcIdentity(Struct, frozen=True, kw_only=True):
    """An identity token and its claims."""

    #: the service that runs the job
    provider: OidcProvider
    #: the audience claim: the name of an index ("pypi", "testpypi"), or "sigstore"
    audience: str
    #: the token itself; valid for one exchange, and for some minutes
    token: Secret
    claims: Mapping[str, Any]

    def __repr__(self) -> str:
        return repr_without(self, "claims")


def parse_identity(token: Secret, provider: OidcProvider, audience: str) -> OidcIdentity:
    """Parse an identity token. A known issuer determines the provider.

    Raises `ValueError`, without any part of the token, if it is not a JWT.
    """
    try:
        part = token.reveal().split(".")[1]
        claims = parse_foreign_json(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError, binascii.Error):
        raise ValueError("this is not a JWT") from None
    if not isinstance(claims, dict):
        raise ValueError("this is not a JWT: its payload is not an object")  # noqa: TRY004 - as for any other text
    issuer = str(claims.get("iss", ""))
    return OidcIdentity(provider=ISSUERS.get(issuer, provider), audience=audience, token=token, claims=claims)


def public_claims(identity: OidcIdentity) -> Iterator[tuple[str, str]]:
    """The claims that identify the job, by name; none of them is secret."""
    for name in _SHOWN_CLAIMS:
        if name in identity.claims:
            text = str(identity.claims[name])
            yield name, text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def claim_text(identity: OidcIdentity, name: str) -> str:
    """A claim as text; empty if it is missing."""
    found = identity.claims.get(name)
    return "" if found is None else str(found)


def workflow_of(identity: OidcIdentity, name: str = "job_workflow_ref") -> tuple[str, str, str]:
    """Repository, file name and ref of the workflow in a GitHub claim; all empty if there is none."""
    return parse_workflow_ref(claim_text(identity, name))


def parse_workflow_ref(text: str) -> tuple[str, str, str]:
    """Repository, file name and ref of "OWNER/NAME/.github/workflows/FILE@REF"; all empty if it has another form."""
    found = _WORKFLOW.fullmatch(text)
    return (found["place"], found["file"], found["ref"]) if found else ("", "", "")


def publisher_fields(identity: OidcIdentity) -> dict[str, str]:
    """The fields of a publisher for this job, as in PyPI's form.

    The order is the form's. Empty for a service that cannot be a publisher.
    Source: warehouse, `oidc/forms`.
    """
    fields: dict[str, str] = {}
    claims: tuple[str, ...] = ()
    match identity.provider:
        case "GitHub":
            owner, _, repository = claim_text(identity, "repository").partition("/")
            _, file, _ = workflow_of(identity)
            fields = {"owner": owner, "repository": repository, "workflow_filename": file}
            claims = ("environment",)
        case "GitLab":
            namespace, _, project = claim_text(identity, "project_path").rpartition("/")
            found = _GITLAB_FILE.fullmatch(claim_text(identity, "ci_config_ref_uri"))
            fields = {"namespace": namespace, "project": project, "workflow_filepath": found["file"] if found else ""}
            claims = ("environment",)
        case "Google Cloud":
            claims = ("email", "sub")
        case "ActiveState":
            claims = ("organization", "project", "actor")
        case "CircleCI" | "Buildkite" | "Semaphore":
            pass
    fields |= {name: claim_text(identity, name) for name in claims}
    return {name: text for name, text in fields.items() if text}


def subject_reset(identity: OidcIdentity) -> str:
    """The command that gives the claim `sub` its usual form again.

    Source: GitHub documentation, "REST API endpoints for GitHub Actions OIDC"; GitLab documentation, "Projects API".
    """
    if identity.provider == "GitLab":
        project = quote(claim_text(identity, "project_path") or "GROUP/NAME", safe="")
        parts = " ".join(f"-f ci_id_token_sub_claim_components[]={one}" for one in ("project_path", "ref_type", "ref"))
        return f"glab api --method PUT projects/{project} {parts}"
    repository = claim_text(identity, "repository") or "OWNER/NAME"
    return f"gh api --method PUT repos/{repository}/actions/oidc/customization/sub -F use_default=true"


def describe_job(identity: OidcIdentity) -> str:
    """The job on one line: "GitHub, repository acme/widget, workflow release.yml, environment pypi"."""
    fields = publisher_fields(identity)
    parts: tuple[str, ...]
    match identity.provider:
        case "GitHub" | "GitLab":
            place = claim_text(identity, "repository") or claim_text(identity, "project_path")
            file = fields.get("workflow_filename") or fields.get("workflow_filepath")
            named = {"repository": place, "workflow": file, "environment": fields.get("environment")}
            parts = tuple(f"{what} {name}" if name else f"no {what}" for what, name in named.items())
        case "Google Cloud":
            parts = (f"service account {claim_text(identity, 'email') or claim_text(identity, 'sub')}",)
        case _:
            parts = (claim_text(identity, "sub") or "no subject",)
    return ", ".join((identity.provider, *parts))


def publisher_form_url(identity: OidcIdentity, index: Index, project: str, *, exists: bool) -> str:
    """The page of an index where a publisher for this job is added.

    The form of an existing project is filled in; that of a new project cannot be, as far as is known.
    Source: warehouse, `manage/views/oidc_publishers.py` (`manage_project_oidc_publishers_prefill`).
    """
    if not exists:
        return f"{index.site}/manage/account/publishing/"
    page = f"{index.site}/manage/project/{normalize_name(project)}/settings/publishing/"
    return page + _prefill(identity, publisher_fields(identity))


def pending_form_url(identity: OidcIdentity, index: Index, project: str) -> str:
    """The page of an index where a pending publisher is added or compared, with its fields in the query.

    Whether the index fills in this form, too, is not known: a message must also list the fields.
    """
    page = publisher_form_url(identity, index, project, exists=False)
    return page + _prefill(identity, {**publisher_fields(identity), "project_name": project})


def _prefill(identity: OidcIdentity, fields: Mapping[str, str]) -> str:
    """The query that fills in a form; empty for a service that cannot be a publisher."""
    if not publisher_fields(identity):
        return ""
    kind = {"Google Cloud": "google"}.get(identity.provider, identity.provider.lower())
    return f"?{urlencode({'provider': kind, **fields})}"
