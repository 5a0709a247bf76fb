"""An answer that ends an upload, as an error with its remedy."""

from __future__ import annotations

from release.adapters.http import errors as http_errors
from release.core.errors import RefusedError, ReleaseError
from release.core.facts import ProjectMetadata
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.upload_result import Rejection, UnclearResponse

#: what went wrong on the way → the known failure that it is
_CAUSES = {
    "dns": http_errors.OFFLINE,
    "tls": http_errors.TLS,
    "proxy": http_errors.PROXY,
    "timeout": http_errors.TIMEOUT,
    "connection": http_errors.TIMEOUT,
}
_AGAIN = "run it again: it asks the index what it has, by hash, and sends what is missing"


class UploadError(ReleaseError):
    """An index did not take a file."""


def predicted_rejection(index: Index, project: ProjectMetadata, refused: Rejection) -> RefusedError:
    """A refusal that is known without asking."""
    return RefusedError(
        f"{index.name} can't take {refused.filename}: {refused.text}",
        remedy=remedy_for_response(index, project, refused.text, refused.status),
        cause="file.exists-different" if "other bytes" in refused.text else None,
    )


def upload_error(
    index: Index, project: ProjectMetadata, answer: Rejection | UnclearResponse, why: Unknown | None = None
) -> UploadError:
    """The error that an answer is. `why`: the reason why the index could not be asked about it."""
    if isinstance(answer, Rejection):
        return UploadError(
            f"{index.name} refuses {answer.filename}: {answer.status} {answer.text}".strip(),
            remedy=remedy_for_response(index, project, answer.text, answer.status),
        )
    cause = why.cause if why is not None and why.cause else _CAUSES.get(answer.what)
    asked = f"; it can't be asked: {why.reason}" if why is not None else ""
    mend = f"{why.remedy}; then {_AGAIN}" if why is not None else _mend(index, project, cause)
    return UploadError(
        f"{index.name} did not say whether it took {answer.filename}: {answer.what}: {answer.detail}{asked}",
        remedy=mend,
        cause=cause,
    )


def _mend(index: Index, project: ProjectMetadata, cause: str | None) -> str:
    if cause not in {http_errors.TLS, http_errors.PROXY, http_errors.OFFLINE}:
        return _AGAIN
    from release.diagnostics.catalog import CATALOG

    return f"{CATALOG[cause].remedy_for(_values(index, project))}; then {_AGAIN}"


def remedy_for_response(index: Index, project: ProjectMetadata, text: str, status: int | None = None) -> str:
    """What the catalog of known failures says about a server's words."""
    from release.diagnostics import matcher

    return matcher.remedy_for_answer(text, status=status, values=_values(index, project))


def _values(index: Index, project: ProjectMetadata) -> dict[str, str]:
    return {
        "index": index.name, "upload_url": index.upload_url, "project": project.name, "version": project.version,
    }  # fmt: skip
