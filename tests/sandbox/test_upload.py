"""The recorded answers to uploads that are accepted, repeated, damaged, or wrong in two ways at once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.sample_distributions import fields, form, sdist, sdist_name, wheel, wheel_name, zipped
from tests.sandbox.sandbox_client import Clock, Reply, SandboxClient, basic_auth, page, sandbox_client

METADATA = " See https://packaging.python.org/specifications/core-metadata for more information."
INVALID_AUTH = "Invalid or non-existent authentication information. See {pypi}/help/#invalid-auth for more information."
PASSWORDS = (
    "Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers instead. "
    "See {pypi}/help/#apitoken and {pypi}/help/#trusted-publishers"
)
DIGEST = "400 The digest supplied does not match a digest calculated from the uploaded file."
READ_ONLY = "403 Read-only mode: Uploads are temporarily disabled."
NO_UPLOADS = "403 New uploads are temporarily disabled. See {pypi}/help/#admin-intervention for more information."
EXTENSION = (
    "400 Invalid file extension: Use .tar.gz, .whl or .zip extension. See https://www.python.org/dev/peps/pep-0527 and "
    "https://peps.python.org/pep-0715/ for more information"
)
NO_ROLE = (
    "403 The user '{user}' isn't allowed to upload to project '{project}'. "
    "See {pypi}/help/#project-name for more information."
)
EMAIL = (
    "403 User 'bob', associated with the API token used, does not have a verified primary email address. Please add a "
    "verified primary email before attempting to upload to PyPI. See {pypi}/help/#verified-email for more information."
)
TWO_FACTOR = (
    "403 User 'carol', associated with the API token used, does not have two-factor authentication enabled. Please "
    "enable two-factor authentication before attempting to upload to PyPI. "
    "See {pypi}/help/#two-factor-authentication for more information."
)
EXISTS = (
    "400 File already exists ('{filename}', with blake2_256 hash '{blake2}'). "
    "See {pypi}/help/#file-name-reuse for more information."
)
PROHIBITED = "400 The name 'acme-prohibited' isn't allowed. See {pypi}/help/#project-name for more information."
NO_PROJECTS = (
    "403 New project registration temporarily disabled. See {pypi}/help/#admin-intervention for more information."
)
INACTIVE = (
    "400 Organization account owning this project is inactive. This may be due to inactive billing for Company "
    "Organizations, or administrator intervention for Community Organizations. Please contact support+orgs@{pypi-host}."
)
BROKEN_RST = ".. no-such-directive::\n"
ZEROS = "0" * 64

Do = Callable[[SandboxClient], Reply]


@pytest.fixture(name="pypi")
def _pypi() -> Iterator[SandboxClient]:
    with sandbox_client() as running:
        yield running


def up(name: str = "acme-widget", version: str = "1.0", **how: Any) -> Do:
    return lambda pypi: pypi.upload(name, version, **how)


def changed(**changes: Any) -> Do:
    return up(changes=changes)


def bare(token: str | None = "account", **more: Any) -> Do:
    """A probe: `:action` and hardly anything else."""
    return lambda pypi: pypi.post({":action": "file_upload", **more}, token=token)


def urlencoded(pypi: SandboxClient) -> Reply:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": basic_auth(pypi.token())}
    return pypi.ask("POST", "/legacy/", body=b"%3Aaction=file_upload", headers=headers)


def spelled(name: str) -> Do:
    """Of a project whose name is spelled otherwise in the metadata."""
    return lambda pypi: pypi.upload(changes={"name": name})


def exists(filename: str, content: bytes) -> str:
    blake2 = hashlib.blake2b(content, digest_size=32).hexdigest()
    return EXISTS.replace("{filename}", filename).replace("{blake2}", blake2)


#: beside the recorded answers about form, metadata, name, file and archive: tests/acceptance/recorded_answers.py
ROWS: dict[str, tuple[Do, str]] = {
    # accepted
    "gpg_signature as file": (up(file_fields={"gpg_signature": b"x"}), "200 OK"),
    "no content type, as uv sends it": (up(content_type=None), "200 OK"),
    # the form
    "a field as a file": (up(file_fields={"keywords": b"x"}), "400 keywords: Should not be a tuple."),
    "a field as a file, no token": (
        up(file_fields={"keywords": b"x"}, token=None),
        "400 keywords: Should not be a tuple.",
    ),
    "protocol_version 0": (bare(protocol_version="0"), "400 Unknown protocol version."),
    "only :action, no token": (bare(None), f"403 {INVALID_AUTH}"),
    "only :action, bad token": (
        lambda pypi: pypi.post({":action": "file_upload"}, authorization=basic_auth("pypi-bogus")),
        f"403 {INVALID_AUTH}",
    ),
    # two faults
    "username + name": (
        lambda pypi: pypi.upload(changes={"name": "-bad-"}, authorization=basic_auth(pypi.token(), "alice")),
        f"403 {PASSWORDS}",
    ),
    "bogus token + name": (
        up(changes={"name": "-bad-"}, authorization=basic_auth("pypi-bogus")),
        f"403 {INVALID_AUTH}",
    ),
    "expired + version": (
        up(changes={"version": "abc"}, token="expired"),
        f"400 'abc' is invalid for 'version'.{METADATA}",
    ),
    "expired + digest": (
        up(changes={"sha256_digest": ZEROS}, token="expired"),
        "403 Invalid API Token: token is expired, token is expired",
    ),
    "forged + no content": (
        lambda pypi: pypi.post(fields(wheel(), wheel_name()), token="forged"),
        "400 Upload payload does not have a file.",
    ),
    "bob, new + prohibited": (up("acme-prohibited", token="bob"), EMAIL),
    "carol, new + stdlib": (up("json", token="carol"), TWO_FACTOR),
    "other scope + prohibited": (up("acme-prohibited", token="widget"), PROHIBITED),
    "no role + digest": (
        up("other-owned", changes={"sha256_digest": ZEROS}),
        NO_ROLE.replace("{user}", "alice").replace("{project}", "other-owned"),
    ),
    "extension + digest": (up(filename="acme_widget-1.0.tar.bz2", changes={"sha256_digest": ZEROS}), EXTENSION),
}


@pytest.mark.parametrize("row", ROWS)
def test_an_upload_is_answered_as_recorded(pypi: SandboxClient, row: str) -> None:
    """Status line and page are PyPI's; what is refused changes nothing but the quota."""
    do, line = ROWS[row]
    reply = do(pypi)
    assert reply.line == line.replace("{pypi}", pypi.site)
    if "é" not in line:
        bare_line = reply.status == 200 or line.endswith(PASSWORDS)
        assert reply.body == page(reply, "" if bare_line else reply.reason)
    assert not {"WWW-Authenticate", "Retry-After", "Set-Cookie"} & set(reply.headers)
    assert not list(pypi.sandbox._store.incoming.iterdir())
    projects = {one["name"] for one in pypi.ask("GET", "/simple/", headers=JSON).json["projects"]}
    if reply.status != 200:
        assert projects == {"acme-widget", "acme-gadget", "other-owned"}


UNCHANGED: tuple[Do, ...] = (
    bare(protocol_version="0"),
    lambda pypi: pypi.post(fields(wheel(), wheel_name())),
    changed(sha256_digest=ZEROS),
    up(content=b"no zip"),
    up("acme-prohibited"),
    ROWS["no role + digest"][0],
    up("asyncio"),
)


def test_a_refused_upload_changes_not_a_byte_of_the_state(pypi: SandboxClient) -> None:
    """Probes may be sent; even a new name is free again, and only the quota remembers."""

    def state() -> list[str]:
        with pypi.sandbox._store.reading() as db:
            return [line for line in db.iterdump() if not line.startswith('INSERT INTO "hits"')]

    assert pypi.upload().status == 200
    before = state()
    for do in UNCHANGED:
        assert do(pypi).status != 200
    assert pypi.upload("probe-new", changes={"sha256_digest": ZEROS}).line == DIGEST
    assert state() == before
    assert '"project.create.user";r=3;' in pypi.upload("probe-new").headers["RateLimit"]


JSON = {"Accept": "application/vnd.pypi.simple.v1+json"}

OWNED = {"name": "acme-widget", "owners": ["alice"]}
MAINTAINERS = {"projects": [{**OWNED, "maintainers": ["bob", "carol"]}]}
LIFECYCLE: dict[str, tuple[dict[str, Any], Do, str]] = {
    "read-only": ({"flags": ["read-only"]}, up(), READ_ONLY),
    "read-only, bad token": ({"flags": ["read-only"]}, up(authorization=basic_auth("x")), READ_ONLY),
    "read-only, username": (
        {"flags": ["read-only"]},
        lambda pypi: pypi.upload(authorization=basic_auth(pypi.token(), "alice")),
        READ_ONLY,
    ),
    "no new uploads": ({"flags": ["disallow-new-upload"]}, up(), NO_UPLOADS),
    "no new uploads, bad token": ({"flags": ["disallow-new-upload"]}, up(authorization=basic_auth("x")), NO_UPLOADS),
    "no new projects": ({"flags": ["disallow-new-project-registration"]}, up("probe-new"), NO_PROJECTS),
    "no new projects, an old one": ({"flags": ["disallow-new-project-registration"]}, up(), "200 OK"),
    "quarantine": (
        {"projects": [{"name": "acme-widget", "owners": ["alice"], "status": "quarantined"}]},
        up(),
        "200 OK",
    ),
    "archived": (
        {"projects": [{**OWNED, "status": "archived"}]},
        up(),
        NO_ROLE.replace("{user}", "alice").replace("{project}", "acme-widget"),
    ),
    "bob maintains": (MAINTAINERS, up(token="bob"), EMAIL),
    "carol maintains": (MAINTAINERS, up(token="carol"), TWO_FACTOR),
    "organization inactive": (
        {"projects": [{**OWNED, "organization": "acme", "organization_active": False}]},
        up(changes={"description": BROKEN_RST}),
        INACTIVE,
    ),
}


@pytest.mark.parametrize("row", LIFECYCLE)
def test_the_state_of_site_project_and_account_is_answered_as_recorded(row: str) -> None:
    from release.core.models.index import PYPI, host_of

    world, do, line = LIFECYCLE[row]
    tokens = [{"name": name, "user": {"account": "alice"}.get(name, name)} for name in ("account", "bob", "carol")]
    with sandbox_client({"tokens": tokens} | world) as pypi:
        assert do(pypi).line == line.replace("{pypi}", pypi.site).replace("{pypi-host}", host_of(PYPI.simple_url))


def test_a_release_has_one_sdist_and_takes_other_spellings_of_its_version(pypi: SandboxClient) -> None:
    assert pypi.upload(source=True).line == "200 OK"
    second = pypi.upload(content=zipped({"a/PKG-INFO": ""}), filename="acme_widget-1.0.zip", source=True)
    assert second.line == "400 Only one sdist may be uploaded per release."
    assert pypi.upload(version="1.0.0").line == "200 OK"
    assert pypi.listing()["versions"] == ["1.0"]
    assert len(pypi.files()) == 2


def test_the_limits_of_new_projects_are_those_of_pypis_headers() -> None:
    clock = Clock()
    with sandbox_client(clock=clock) as pypi:
        first = pypi.upload("probe-0")
        policy = '"project.create.ip";q=40;w=3600;pk=:ip:, "project.create.user";q=4;w=86400;pk=:user:'
        assert first.headers["RateLimit-Policy"] == policy
        assert [pypi.upload(f"probe-{n}").status for n in range(1, 5)] == [200, 200, 200, 429]
        clock.advance(hours=23)
        last = pypi.upload("probe-4")
        assert last.headers["RateLimit"] == '"project.create.ip";r=40;t=3600, "project.create.user";r=0;t=3600'
        clock.advance(hours=1)
        assert pypi.upload("probe-4").status == 200


def test_a_limit_of_new_projects_is_configurable_and_is_spent_by_refused_tokens_too() -> None:
    clock = Clock()
    policy = '"project.create.ip";q=40;w=3600;pk=:ip:, "project.create.user";q=20;w=3600;pk=:user:'

    def state(of_ip: int, of_user: int, seconds: int) -> str:
        return f'"project.create.ip";r={of_ip};t={seconds}, "project.create.user";r={of_user};t={seconds}'

    with sandbox_client({"new_projects": {"user": {"limit": 20, "seconds": 3600}}}, clock=clock) as pypi:
        first = pypi.upload("probe-0")
        assert (first.headers["RateLimit-Policy"], first.headers["RateLimit"]) == (policy, state(40, 20, 3600))
        clock.advance(seconds=1)
        assert pypi.upload("probe-1", token="expired").headers["RateLimit"] == state(39, 19, 3599)
        assert pypi.upload("acme-prohibited").headers["RateLimit"] == state(38, 18, 3599)
        assert [pypi.upload(f"probe-{n}").status for n in range(2, 20)] == [200] * 18
        last = pypi.upload("probe-20")
        assert (last.line, last.headers["RateLimit"]) == ("429 Too many new projects created", state(20, 0, 3599))
        assert last.body == page(last, last.reason)
        old = pypi.upload()
        assert (old.line, "RateLimit" in old.headers) == ("200 OK", False)
        assert "RateLimit" not in pypi.upload("probe-bob", token="bob").headers
        clock.advance(hours=1)
        assert pypi.upload("probe-20").line == "200 OK"


ACCEPTS = {
    "*/*": "html",
    "text/html": "html",
    "application/json": "json",
    "application/json, */*;q=0.1": "json",
    "text/plain": "plain",
}


@pytest.mark.parametrize("accept", ACCEPTS)
def test_the_body_follows_accept(pypi: SandboxClient, accept: str) -> None:
    reply = pypi.upload(authorization=basic_auth("pypi-bogus"), accept=accept)
    reason = INVALID_AUTH.replace("{pypi}", pypi.site)
    assert reply.line == f"403 {reason}"
    text = f"Access was denied to this resource.\n\n\n{reason}\n\n"
    if ACCEPTS[accept] == "html":
        assert reply.headers["Content-Type"] == "text/html; charset=UTF-8"
        assert reply.body == page(reply, reason)
    elif ACCEPTS[accept] == "json":
        assert reply.headers["Content-Type"] == "application/json"
        assert reply.json == {"message": text, "code": f"403 {reason}", "title": "Forbidden"}
    else:
        assert reply.headers["Content-Type"] == "text/plain; charset=UTF-8"
        assert reply.body.decode() == f"403 {reason}\n\n{text}"


def test_json_answers_are_as_recorded(pypi: SandboxClient) -> None:
    """Where the status line alone has the words, `code` has them."""
    ask: dict[str, Any] = {"accept": "application/json"}
    assert pypi.upload(**ask).body == b'{"message": "\\n\\n\\n\\n\\n", "code": "200 OK", "title": "OK"}'
    assert pypi.upload(**ask).body == b'{"message": "\\n\\n\\n\\n\\n", "code": "200 OK", "title": "OK"}'
    username = pypi.upload(authorization=basic_auth(pypi.token(), "alice"), **ask)
    assert username.json == {
        "message": "Access was denied to this resource.\n\n\n\n\n",
        "code": f"403 {PASSWORDS}".replace("{pypi}", pypi.site),
        "title": "Forbidden",
    }
    assert pypi.upload(changes={"name": "-bad-"}, **ask).json["title"] == "Bad Request"


def test_the_status_line_is_latin_1_and_the_body_is_not(pypi: SandboxClient) -> None:
    reply = pypi.upload(changes={"name": "acme-\u4e2d"})
    assert reply.reason.startswith("'acme-?' is an invalid value for Name.")
    assert "&#x27;acme-\u4e2d&#x27;".encode() in reply.body


def test_a_form_that_cannot_be_decoded_is_refused(pypi: SandboxClient) -> None:
    """Nothing but the body says so: the index refuses it before anything else reads it."""
    body, kind = form({":action": "file_upload", "name": "@"})
    body = body.replace(b'name="name"\r\n', b'name="name"\r\nContent-Type: text/plain; charset=ascii\r\n')
    reply = pypi.ask("POST", "/legacy/", body=body.replace(b"@", b"\xff"), headers={"Content-Type": kind})
    assert reply.line == "400 Bad Request"
    assert b"Invalid Form Data." in reply.body


def test_an_sdist_is_kept_byte_by_byte(pypi: SandboxClient) -> None:
    content = sdist()
    assert pypi.upload(source=True).line == "200 OK"
    (file,) = pypi.listing()["files"]
    assert file["filename"] == sdist_name()
    assert pypi.ask("GET", file["url"].removeprefix(pypi.site)).body == content


def test_the_limits_on_sizes_can_be_changed() -> None:
    """A project's own limit counts where it is higher, as on PyPI."""
    larger = {"name": "acme-gadget", "owners": ["alice"], "file_size_limit": 2 * 1024**2, "project_size_limit": 1024**3}
    projects = [{"name": "acme-widget", "owners": ["alice"]}, larger]
    changes = {"projects": projects, "tokens": [{"name": "account", "user": "alice"}], "file_size_limit": 1024**2}
    big = wheel("acme-gadget", files={"acme_gadget/data": os.urandom(1024**2)})
    with sandbox_client(changes | {"project_size_limit": 1500}) as pypi:
        assert pypi.upload().line == "200 OK"
        refused = pypi.upload(version="1.1")
        assert refused.line.startswith(
            "400 Project size too large. Limit for project 'acme-widget' total size is 0 GB."
        )
        assert pypi.upload("acme-gadget", content=big).line == "200 OK"
        refused = pypi.upload("probe-new", content=b"x" * (1024**2 + 1))
        assert refused.line.startswith("400 File too large. Limit for project 'probe-new' is 1 MB.")
