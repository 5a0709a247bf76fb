"""Requests for staged releases, which only the sandbox has so far: open a stage, publish it, or discard it.

Source: `release/sandbox/stages.py`; PEP 694 ("Upload 2.0 API") is a draft.
"""

from __future__ import annotations

from msgspec import Struct

from release.adapters.http import http_client
from release.adapters.http.errors import unusable_response
from release.adapters.http.response_body import response_json
from release.core.errors import RefusedError
from release.core.foreign_json import ForeignJsonError
from release.core.models.credential import Credential
from release.core.models.index import Index

_OK, _CREATED, _SERVER_ERROR = 200, 201, 500


class Stage(Struct, frozen=True, kw_only=True):
    """The addresses of a stage, which contain a secret."""

    #: where it is published and discarded
    url: str
    #: both end with a slash
    upload_url: str
    simple_url: str


def open_stage(index: Index, credential: Credential) -> Stage:
    """A new stage of an index. Raises `UnreachableError`, and `RefusedError` where the index refuses."""
    assert index.stages_url is not None
    found = _send(index, "POST", index.stages_url, credential, expected=_CREATED)
    try:
        return Stage(url=found["url"], upload_url=found["upload_url"], simple_url=found["simple_url"])
    except KeyError:
        raise unusable_response(index.stages_url, "opened a stage without addresses") from None


def publish_stage(index: Index, stage: Stage, credential: Credential) -> None:
    """Publish all files of a stage, or none. Raises as `open_stage`; after `UnreachableError`, ask the index."""
    _send(index, "POST", f"{stage.url}/publish", credential)


def discard_stage(index: Index, stage: Stage, credential: Credential) -> None:
    """Discard a stage; its file names stay free. Raises as `open_stage`."""
    _send(index, "DELETE", stage.url, credential)


def _send(index: Index, method: str, url: str, credential: Credential, *, expected: int = _OK) -> dict[str, str]:
    """Send a request, once. Raises `RefusedError` for a refusal, `UnreachableError` for any other answer."""
    with http_client.session(url, retries=0) as session:
        pair = (credential.username, credential.password.reveal())
        response = session.request(method, url, auth=pair, allow_redirects=False)
        try:
            found = response_json(response)
        except ForeignJsonError:
            found = {}
    if response.status_code == expected and isinstance(found, dict):
        return {name: str(value) for name, value in found.items()}
    words = found.get("message", response.reason) if isinstance(found, dict) else response.reason
    if response.status_code < _SERVER_ERROR:
        raise RefusedError(
            f"{index.name} refuses the staged release: {response.status_code} {words}",
            remedy="correct what the message names, and run the command again: nothing was published",
        )
    raise unusable_response(url, f"answers {response.status_code} {words}", remedy="run the same command again")
