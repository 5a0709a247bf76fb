"""Seed data like those with which PyPI's responses were recorded, and a client that shows responses unchanged."""

from __future__ import annotations

import base64
import html
import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from release.sandbox import server
from release.sandbox.publishers import OWNER_ID, SeedPublisher
from release.sandbox.seed import SeedData
from release.sandbox.server import Sandbox
from tests.patience import PATIENCE
from tests.sample_distributions import Value, fields, form, sdist, sdist_name, wheel, wheel_name

SEED_DATA: dict[str, Any] = {
    "users": [
        {"name": "alice"},
        {"name": "bob", "email_verified": False},
        {"name": "carol", "two_factor": False},
        {"name": "dave"},
        {"name": "erin", "disabled": True},
    ],
    "projects": [
        {"name": "acme-widget", "owners": ["alice"]},
        {"name": "acme-gadget", "owners": ["alice"]},
        {"name": "other-owned", "owners": ["dave"]},
    ],
    "tokens": [
        {"name": "account", "user": "alice"},
        {"name": "widget", "user": "alice", "scope": ["acme-widget"]},
        {"name": "expired", "user": "alice", "expires": 1_600_000_000},
        {"name": "revoked", "user": "alice", "revoked": True},
        {"name": "forged", "user": "alice", "forged": True},
        {"name": "elsewhere", "user": "alice", "location": "pkgs.zzz"},
        {"name": "bob", "user": "bob"},
        {"name": "carol", "user": "carol"},
        {"name": "erin", "user": "erin"},
    ],
    "prohibited": ["acme-prohibited", "requirements-txt"],
}


@dataclass
class Clock:
    """A clock that moves only when it is advanced."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A response, unchanged."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def line(self) -> str:
        return f"{self.status} {self.reason}"

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class SandboxClient:
    """A running sandbox, and requests to it like those of an upload client."""

    sandbox: Sandbox

    @property
    def site(self) -> str:
        return self.sandbox.simple_url.removesuffix("/simple/")

    def token(self, name: str = "account") -> str:
        return self.sandbox.tokens[name].reveal()

    def ask(
        self, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        where, ca_file = urlsplit(self.site), getattr(self.sandbox, "ca_file", None)
        if where.scheme == "https":
            context = ssl.create_default_context(cafile=str(ca_file))
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                where.netloc, timeout=PATIENCE, context=context
            )
        else:
            connection = http.client.HTTPConnection(where.netloc, timeout=PATIENCE)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Reply(
                status=answer.status, reason=answer.reason, headers=dict(answer.getheaders()), body=answer.read()
            )
        finally:
            connection.close()

    def post(
        self, values: Mapping[str, Value], *, token: str | None = "account", authorization: str | None = None,
        accept: str | None = None, path: str = "/legacy/", **of_form: Any,
    ) -> Reply:  # fmt: skip
        """Post a form, by default with alice's account-wide token; `authorization` replaces it."""
        body, kind = form(values, **of_form)
        headers = {"Content-Type": kind}
        if authorization is None and token is not None:
            authorization = basic_auth(self.token(token))
        if authorization is not None:
            headers["Authorization"] = authorization
        if accept is not None:
            headers["Accept"] = accept
        return self.ask("POST", path, body=body, headers=headers)

    def upload(
        self, name: str = "acme-widget", version: str = "1.0", *, content: bytes | None = None,
        filename: str | None = None, source: bool = False, changes: Mapping[str, Value] | None = None, **more: Any,
    ) -> Reply:  # fmt: skip
        """Upload a file, valid unless changed."""
        make, called = (sdist, sdist_name) if source else (wheel, wheel_name)
        content = make(name, version) if content is None else content
        filename = filename or called(name, version)
        values = fields(content, filename, name=name, version=version) | dict(changes or {})
        return self.post(values, filename=filename, content=content, **more)

    def listing(self, name: str = "acme-widget") -> Any:
        reply = self.ask("GET", f"/simple/{name}/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
        return reply.json if reply.status == 200 else None

    def files(self, name: str = "acme-widget") -> list[str]:
        found = self.listing(name)
        return [file["filename"] for file in found["files"]] if found else []


@contextmanager
def sandbox_client(changes: Mapping[str, Any] | None = None, **how: Any) -> Iterator[SandboxClient]:
    """Run a sandbox with the recorded seed data, of which `changes` replaces some keys."""
    with server.start_sandbox(SeedData.parse(json.dumps(SEED_DATA | dict(changes or {}))), **how) as sandbox:
        yield SandboxClient(sandbox=sandbox)


def basic_auth(password: str, username: str = "__token__") -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


EXPLANATIONS = {
    200: "",
    400: "The server could not comply with the request since it is either malformed or otherwise incorrect.",
    403: "Access was denied to this resource.",
    429: "The action could not be performed because there were too many requests by the client.",
}


def page(reply: Reply, detail: str) -> bytes:
    """The body that PyPI sends with such a status line: its standard page."""
    return (
        f"<html>\n <head>\n  <title>{reply.line}</title>\n </head>\n <body>\n  <h1>{reply.line}</h1>\n  "
        f"{EXPLANATIONS[reply.status]}<br/><br/>\n{html.escape(detail)}\n\n\n </body>\n</html>"
    ).encode()


def github_publisher(
    name: str = "github",
    *projects: str,
    repository: str = "acme/widget",
    workflow: str = "release.yml",
    environment: str = "",
    owner_id: str = OWNER_ID,
    pending: str | None = None,
    user: str | None = None,
) -> SeedPublisher:
    """Make a publisher for a repository on GitHub."""
    fields = {"repository": repository, "workflow": workflow, "environment": environment, "owner_id": owner_id}
    return SeedPublisher(name=name, fields=fields, projects=projects, pending=pending, user=user)
