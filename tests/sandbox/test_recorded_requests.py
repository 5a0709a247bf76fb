"""Requests that were sent to the real index's server: the sandbox gives the same status and reason.

`recorded_requests.jsonl` has one request a line. Recorded: warehouse 6b62157 under Python 3.14.10, configured as
production, 2026-11. No answer had one of the headers in `RECORDED_HEADERS`. Words in braces in a body stand for what
many bodies have, see `_FRAGMENTS`. `before`: what was done to the index since the request before. `mint`:
the exchange of an identity for a token.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from release.core.models.index import PYPI, host_of
from release.core.tokens import macaroon
from release.sandbox.publishers import CiJob
from tests.sample_distributions import sdist, wheel
from tests.sandbox.sandbox_client import Clock, Reply, SandboxClient, basic_auth, sandbox_client

REQUESTS = [json.loads(line) for line in Path(__file__).with_name("recorded_requests.jsonl").read_text().splitlines()]
RECORDED_HEADERS = {"Retry-After", "Location", "WWW-Authenticate"}
DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"
NOW = datetime.fromtimestamp(1_795_798_000, UTC)

_HOST = host_of(PYPI.simple_url)
_BOUNDARY = "b7MA4YWxk"
_PART = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; name="
_FRAGMENTS = {
    "{action}": '{-}":action"{:}file_upload',
    "{versions}": '{+}"protocol_version"{:}1{+}"metadata_version"{:}2.1',
    "{types}": '{+}"filetype"{:}bdist_wheel{+}"pyversion"{:}py3',
    "{digests}": '{+}"md5_digest"{:}{md5}{+}"sha256_digest"{:}{sha256}{+}"blake2_256_digest"{:}{blake2_256}',
    "{octets}": "Content-Type: application/octet-stream{:}{file}{end}",
    "{+}": f"\r\n{_PART}",
    "{-}": _PART,
    "{:}": "\r\n\r\n",
    "{end}": f"\r\n--{_BOUNDARY}--\r\n",
}


def _users(**users: Mapping[str, bool]) -> list[dict[str, Any]]:
    return [{"name": name, **state} for name, state in users.items()]


def _project(name: str, *owners: str, **state: Any) -> dict[str, Any]:
    return {"name": name, "owners": owners or ["alice"], **state}


def _token(name: str, user: str = "alice", **state: Any) -> dict[str, Any]:
    """A token as long as PyPI's: the alignment of base64 decides some answers."""
    return {"name": name, "user": user, "location": _HOST, **state}


UNVERIFIED, NO_SECOND_FACTOR, DISABLED = {"email_verified": False}, {"two_factor": False}, {"disabled": True}
WORLD: dict[str, Any] = {
    "users": _users(
        alice={}, dave={}, kim={}, bob=UNVERIFIED, carol=NO_SECOND_FACTOR, erin=DISABLED, frank=DISABLED,
        hank=UNVERIFIED, ivan=UNVERIFIED, judy=NO_SECOND_FACTOR, lena=UNVERIFIED | NO_SECOND_FACTOR,
    ),
    "projects": [
        *map(_project, ("acme-widget", "acme-gadget", "quar-exit", "Mixed.Case_Name")),
        _project("other-owned", "dave"),
        _project("arch-proj", status="archived"),
        _project("arch-noindex", status="archived-noindex"),
        _project("quar-proj", status="quarantined"),
        _project("maint-proj", "dave", maintainers=["alice", "ivan", "judy", "lena"]),
        _project("org-off", organization="o-org-off", organization_active=False),
        _project("org-on", organization="o-org-on"),
    ],
    "tokens": [
        _token("alice_project_acme_widget", scope=["acme-widget"]),
        _token("alice_two_projects", scope=["acme-widget", "acme-gadget"]),
        _token("alice_scoped_maint", scope=["maint-proj"]),
        _token("alice_scoped_arch", scope=["arch-proj"]),
        _token("alice_expired", expires=1_600_000_000),
        _token("alice_revoked", revoked=True),
        _token("alice_bad_signature", forged=True),
        _token("alice_location_testpypi_same_db") | {"location": f"test.{_HOST}"},
        _token("erin_disabled_user", "erin"),
        *(
            _token(f"{user}_account", user)
            for user in ("alice", "bob", "carol", "dave", "erin", "frank", "hank", "ivan", "judy", "kim", "lena")
        ),
    ],
    "publishers": [
        {
            "name": "widget", "repository": "acme/widget", "workflow": "release.yml", "environment": "pypi",
            "projects": ["acme-gadget", "arch-proj", "quar-proj", "org-off"],
        },
        {
            "name": "lab", "provider": "gitlab", "repository": "acme/lab", "workflow": ".gitlab-ci.yml",
            "projects": ["acme-gadget"],
        },
        {"name": "goog", "provider": "google", "email": "acme@acme.test", "projects": ["acme-gadget"]},
        {
            "name": "act", "provider": "activestate", "organization": "acme", "project": "state", "actor_id": "1001",
            "projects": ["acme-gadget"],
        },
    ],
    "job": {"repository": "acme/widget", "workflow": "release.yml", "environment": "pypi"},
    "prohibited": ["acme-prohibited", "requirements-txt"],
    "new_projects": {kind: {"limit": 1000} for kind in ("user", "ip")},
}  # fmt: skip


@pytest.fixture(scope="module")
def pypi() -> Iterator[SandboxClient]:
    with sandbox_client(WORLD, clock=Clock(NOW)) as running:
        yield running


def _content(request: Mapping[str, Any]) -> bytes:
    """Make the file of a request."""
    if "wheel" in request:
        name, version, *module = request["wheel"]
        return wheel(name, version, files={"a.py": module[0]} if module else {})
    return sdist(*request["sdist"]) if "sdist" in request else base64.b64decode(request.get("raw", ""))


def _filled(text: str, content: bytes) -> str:
    """Put the fragments and the file's digests in their places. Bytes are characters of Latin-1."""
    for name, fragment in _FRAGMENTS.items():
        text = text.replace(name, fragment)
    digests = {
        "md5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "blake2_256": hashlib.blake2b(content, digest_size=32).hexdigest(),
    }
    for name, digest in digests.items():
        text = text.replace(f"{{{name}}}", digest).replace(f"{{{name.upper()}}}", digest.upper())
    text = re.sub(r"\{(\d+)\*([^}]+)\}", lambda match: int(match[1]) * match[2], text)
    return text.replace("{file}", content.decode("latin-1"))


def _spelled(token: str, how: str) -> str:
    """Change the spelling of a token as a named change says."""
    name, _, text = how.partition(":")
    half = len(token) // 2
    return {
        "suffix": token + text,
        "cut": token[: -int(text)] if name == "cut" else "",
        "mid": token[:half] + text + token[half:],
        "double": token + token.removeprefix("pypi-"),
        "swapcase": token.swapcase(),
        "crlf": f"{token[:half]}\r\n{token[half:]}",
    }[name]


def _authorization(pypi: SandboxClient, kind: str, name: Any, *how: Any) -> str:
    """Make the header; `kind` and so on as in `auth` of the requests."""
    if kind == "jwt":
        return basic_auth(_mint(pypi, job={}).json["token"])
    if name == "foreign_pypi":  # no token of this index
        return basic_auth(macaroon.to_text(macaroon.create_macaroon(_HOST, str(uuid4()).encode(), b"k" * 32)))
    token = pypi.token(name)
    if kind == "scheme":
        return basic_auth(token) if how[0] == "Basic" else f"{how[0]} {token}"
    if kind == "user":
        return basic_auth(token, how[0])
    if how and isinstance(how[0], str):
        token = _spelled(token, how[0])
    elif how:
        read = macaroon.deserialize_leniently(token)
        assert read is not None
        token = macaroon.to_text(read.attenuate(*(_identified(pypi, caveat).encode() for caveat in how[0])))
    return basic_auth(token)


def _identified(pypi: SandboxClient, caveat: str) -> str:
    """Replace `$pid:NAME` and `$uid:NAME` by the identifier of that project or user."""
    with pypi.sandbox._store.reading() as db:
        rows = {f"$pid:{row['name']}": row["id"] for row in db.execute("SELECT id, name FROM projects")}
        rows |= {f"$uid:{row['name']}": row["id"] for row in db.execute("SELECT id, name FROM users")}
    return re.sub(r"\$\wid:[\w.-]+", lambda match: rows[match[0]], caveat)


def _mint(pypi: SandboxClient, *, job: Mapping[str, Any] | None = None, body: str = "") -> Reply:
    """Exchange the identity of a job for a token, or send a body of Latin-1."""
    if job is not None:
        provider = pypi.sandbox.identity_provider
        usual, provider.job = provider.job, CiJob(**job)
        body = json.dumps({"token": provider.token("pypi", NOW)})
        provider.job = usual
    return pypi.ask("POST", "/_/oidc/mint-token", body=body.encode("latin-1"))


def _prepare(pypi: SandboxClient, step: str, *what: Any) -> None:
    """Do what was done to the index before a request."""
    store, seeded = pypi.sandbox._store, [project["name"] for project in WORLD["projects"]]
    if step == "delete":
        pypi.sandbox.delete_file(what[0])
    elif step == "upload":
        pypi.upload(*what, token="alice_account")
    elif step == "age":
        created = (NOW - timedelta(days=what[1])).isoformat()
        with store.writing() as db:
            db.execute("UPDATE releases SET created = ? WHERE version = ?", (created, what[0]))
    else:  # "reset": nothing is left of the uploads
        with store.writing() as db:
            for table in ("files", "releases", "used_filenames", "hits"):
                db.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are constants
            added = "SELECT id FROM projects WHERE name NOT IN (SELECT value FROM json_each(?))"
            db.execute(f"DELETE FROM roles WHERE project IN ({added})", (json.dumps(seeded),))  # noqa: S608 - the same
            db.execute(f"DELETE FROM projects WHERE id IN ({added})", (json.dumps(seeded),))  # noqa: S608 - the same


def _answers(pypi: SandboxClient, request: Mapping[str, Any]) -> tuple[str, str]:
    """Send a request; return the recorded answer and the sandbox's."""
    for step in request.get("before", ()):
        _prepare(pypi, *step)
    if "mint" in request:
        return request["answer"], _mint(pypi, **request["mint"]).line
    content = _content(request)
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"} | request.get("headers", {})
    headers["Authorization"] = _authorization(pypi, *request.get("auth", ["basic", "alice_account"]))
    reply = pypi.ask(
        request.get("method", "POST"), request.get("path", "/legacy/"),
        body=_filled(request["body"], content).encode("latin-1"), headers=headers,
    )  # fmt: skip
    assert not RECORDED_HEADERS & set(reply.headers)
    recorded = _filled(request["answer"].replace("{site}", pypi.site).replace("{host}", _HOST), content)
    return recorded, reply.line


def _documented_differences() -> set[str]:
    """Read the first column of the table in the document."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("## Where it differs from PyPI\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("|")]
    return set(rows[2:])


def test_recorded_requests_get_the_real_answer(pypi: SandboxClient) -> None:
    """Each difference is documented with its reason, and nothing is documented that is none."""
    found = {}
    for request in REQUESTS:
        recorded, answer = _answers(pypi, request)
        if answer != recorded:
            found[request["what"]] = (recorded, answer)
    documented = _documented_differences()
    assert {what: lines for what, lines in found.items() if what not in documented} == {}
    assert documented - set(found) == set()
    assert len(found) / len(REQUESTS) < 0.01
