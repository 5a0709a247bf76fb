"""Stages: uploads are previewed, and published together or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.sample_distributions import sdist_name, wheel_name
from tests.sandbox.sandbox_client import Reply, SandboxClient, basic_auth, sandbox_client


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage, as its client sees it."""

    pypi: SandboxClient
    path: str

    def upload(self, **more: Any) -> Reply:
        return self.pypi.upload(path=f"{self.path}/legacy/", **more)

    def files(self) -> list[str]:
        accept = {"Accept": "application/vnd.pypi.simple.v1+json"}
        found = self.pypi.ask("GET", f"{self.path}/simple/acme-widget/", headers=accept)
        return [file["filename"] for file in found.json["files"]]

    def end(self, method: str = "POST", action: str = "/publish", token: str = "account") -> Reply:
        return authorized(self.pypi, method, f"{self.path}{action}", token)


def authorized(pypi: SandboxClient, method: str, path: str, token: str = "account") -> Reply:
    return pypi.ask(method, path, body=b"", headers={"Authorization": basic_auth(pypi.token(token))})


@pytest.fixture(name="pypi")
def _pypi() -> Iterator[SandboxClient]:
    with sandbox_client(staged=True) as running:
        yield running


def open_stage(pypi: SandboxClient) -> Stage:
    reply = authorized(pypi, "POST", "/+stages/")
    assert reply.status == 201
    assert reply.json["upload_url"] == f"{reply.json['url']}/legacy/"
    return Stage(pypi=pypi, path=urlsplit(reply.json["url"]).path)


def test_a_stage_shows_what_the_index_shows_once_it_is_published(pypi: SandboxClient) -> None:
    pypi.upload(version="0.9")
    stage = open_stage(pypi)
    assert stage.upload().line == stage.upload(source=True).line == "200 OK"
    before = [wheel_name("acme-widget", "0.9")]
    assert stage.files() == [*before, wheel_name(), sdist_name()]
    assert pypi.files() == before
    address = pypi.ask("GET", f"{stage.path}/simple/acme-widget/").body.decode()
    assert f'href="{pypi.site}{stage.path}/packages/' in address
    assert stage.end().line == "200 OK"
    assert pypi.files() == [*before, wheel_name(), sdist_name()]
    assert stage.end().status == 404


def test_a_stage_that_is_discarded_leaves_its_file_names_free(pypi: SandboxClient) -> None:
    stage = open_stage(pypi)
    stage.upload()
    assert stage.end("DELETE", "").line == "200 OK"
    assert pypi.ask("GET", f"{stage.path}/simple/").status == 404
    assert pypi.files() == []
    assert pypi.upload(content=b"", filename=wheel_name()).status == 400
    assert pypi.upload().line == "200 OK"


def test_a_stage_refuses_what_the_index_refuses(pypi: SandboxClient) -> None:
    pypi.upload()
    stage = open_stage(pypi)
    assert stage.upload(changes={"summary": "other"}, filename=wheel_name().replace("py3", "py2.py3")).status == 400
    assert stage.upload(token="bob").status == 403


def test_all_files_are_published_or_none(pypi: SandboxClient) -> None:
    stage = open_stage(pypi)
    stage.upload()
    stage.upload(source=True)
    pypi.upload(source=True)
    reply = stage.end()
    assert (reply.status, reply.json["message"]) == (409, f"File already exists ({sdist_name()!r}).")
    assert pypi.files() == [sdist_name()]


def test_a_new_project_is_created_when_its_stage_is_published(pypi: SandboxClient) -> None:
    stage = open_stage(pypi)
    assert stage.upload(name="acme-new").line == "200 OK"
    assert pypi.listing("acme-new") is None
    stage.end()
    assert pypi.files("acme-new") == [wheel_name("acme-new")]


def test_only_its_account_ends_a_stage(pypi: SandboxClient) -> None:
    stage = open_stage(pypi)
    assert [stage.end(token=token).status for token in ("bob", "revoked")] == [403, 403]
    assert authorized(pypi, "POST", "/+stages/", "revoked").status == 403
    assert stage.end("GET").status == 405
    assert stage.end().status == 200


def test_without_the_flag_there_are_no_stages() -> None:
    with sandbox_client() as pypi:
        assert authorized(pypi, "POST", "/+stages/").status == 404
