"""Failed uploads as errors with a remedy."""

from __future__ import annotations

from release.adapters.http import errors as http_errors
from release.core.errors import RefusedError, ReleaseError
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.distribution import FailureKind, Rejection, UnclearResponse
from release.core.models.index import Index

#: kind of failure → id of the known failure in the catalog
_CAUSES: dict[FailureKind, str] = {
    "dns": http_errors.OFFLINE,
    "tls": http_errors.TLS,
    "proxy": http_errors.PROXY,
    "timeout": http_errors.TIMEOUT,
    "connection": http_errors.TIMEOUT,
}
RUN_AGAIN = "run the command again: it compares the index by hash and uploads only what is missing"


class UploadError(ReleaseError):
    """An index did not accept a file."""


def predicted_rejection(index: Index, project: ProjectMetadata, rejection: Rejection) -> RefusedError:
    """The error for a rejection that is known without a request."""
    message = f"{index.name} cannot accept {rejection.filename}: {rejection.message}"
    return RefusedError(message, remedy=_remedy_for(index, project, rejection), cause=rejection.cause)


def upload_error(
    index: Index, project: ProjectMetadata, result: Rejection | UnclearResponse, unlisted: Unknown | None = None
) -> UploadError:
    """The error for a failed upload. `unlisted`: why the index's listing could not be fetched."""
    if isinstance(result, Rejection):
        message = f"{index.name} refuses {result.filename}: {result.status} {result.message}".strip()
        return UploadError(message, remedy=_remedy_for(index, project, result))
    cause = (unlisted.cause if unlisted else None) or _CAUSES.get(result.kind)
    message = f"it is unknown whether {index.name} accepted {result.filename}: {result.summary}: {result.detail}"
    if unlisted is not None:
        message += f"; its listing cannot be fetched: {unlisted.reason}"
        remedy = f"{unlisted.remedy}; then {RUN_AGAIN}"
    elif cause is not None and cause in {http_errors.TLS, http_errors.PROXY, http_errors.OFFLINE}:
        from release.diagnostics.catalog import CATALOG

        remedy = f"{CATALOG[cause].remedy_for(_values(index, project))}; then {RUN_AGAIN}"
    else:
        remedy = RUN_AGAIN
    return UploadError(message, remedy=remedy, cause=cause)


def _remedy_for(index: Index, project: ProjectMetadata, rejection: Rejection) -> str:
    """The remedy for a server's message, from the catalog of known failures."""
    from release.diagnostics import matcher

    return matcher.remedy_for_answer(rejection.message, status=rejection.status, values=_values(index, project))


def _values(index: Index, project: ProjectMetadata) -> dict[str, str]:
    return {
        "index": index.name, "upload_url": index.upload_url, "project": project.name, "version": project.version,
    }  # fmt: skip
