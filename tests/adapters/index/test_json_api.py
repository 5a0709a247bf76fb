"""What an index tells of a project beside its files, and which names it has."""

from __future__ import annotations

import json

import pytest
from msgspec.structs import replace

from release.adapters.index import json_api, simple_api
from release.core.errors import UnreachableError
from release.core.models.index import Index, Ownership
from tests.adapters.loopback_server import closed_port, loopback_server
from tests.sandbox.sandbox_client import sandbox_client


def local(url: str) -> Index:
    return Index(name="pypi", upload_url=f"{url}legacy/", simple_url=f"{url}simple/")


def test_the_sandbox_tells_owners_and_names() -> None:
    with sandbox_client() as running:
        running.upload("Acme.Widget")
        at = running.sandbox.index()
        owners = json_api.fetch_ownership(at, "acme_widget")
        assert owners == Ownership(name="Acme.Widget", roles=(("Owner", "alice"),))
        assert json_api.fetch_ownership(at, "acme-gadget") is None, "no release, no page"
        assert json_api.fetch_ownership(replace(at, kind="other"), "acme-widget") is None
        assert set(simple_api.fetch_project_names(at)) == {"Acme.Widget", "acme-gadget", "other-owned"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"info": {"name": "A"}}, Ownership(name="A")),
        ({"info": {"name": "A"}, "ownership": None}, Ownership(name="A")),
        ({"info": {"name": "A"}, "ownership": {"roles": [], "organization": "o"}},
         Ownership(name="A", organization="o")),
        ({"info": {}}, None),
        ([], None),
    ],
)  # fmt: skip
def test_what_an_index_leaves_out_is_not_known(body: object, told: Ownership | None) -> None:
    with loopback_server(lambda handler: handler.reply(200, json.dumps(body), kind="application/json")) as server:
        assert json_api.fetch_ownership(local(server.url), "a") == told


def test_what_is_no_json_is_an_error() -> None:
    """As on the simple API: it comes from a proxy, or from a server that fails."""
    with loopback_server(lambda handler: handler.reply(200, "no JSON", kind="application/json")) as server:
        for fetch in (
            lambda: json_api.fetch_ownership(local(server.url), "a"),
            lambda: json_api.fetch_release_files(local(server.url), "a", "1.0"),
        ):
            with pytest.raises(UnreachableError, match="no valid JSON"):
                fetch()


def test_no_answer_is_an_error_and_so_is_a_list_that_is_none() -> None:
    gone = local(f"http://127.0.0.1:{closed_port()}/")
    for ask in (
        lambda: json_api.fetch_ownership(gone, "a"),
        lambda: simple_api.fetch_project_names(gone),
    ):
        with pytest.raises(UnreachableError):
            ask()
    for body in ("[]", "no JSON", '{"projects": [{}]}'):
        with (
            loopback_server(lambda handler, body=body: handler.reply(200, body)) as server,  # type: ignore[misc] # a default
            pytest.raises(UnreachableError),
        ):
            simple_api.fetch_project_names(local(server.url))
