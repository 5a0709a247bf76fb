"""The probes: what they send, to whom, and that it is worth nothing to whoever reads it."""

from __future__ import annotations

import base64
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from release.adapters.index import token_probes
from release.adapters.index.token_probes import ProbeNotAllowedError
from release.core.errors import UnreachableError
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.probe import STANDARD_MODULES, ProbeResult, Quota, ServerResponse
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.core.tokens.caveats import Expiration, ProjectNames
from release.core.tokens.token import Token, decode
from tests.adapters.loopback_server import Handler, closed_port, loopback_server
from tests.sample_distributions import fields, wheel, wheel_name
from tests.sandbox.sandbox_client import Clock, basic_auth, sandbox_client
from tests.sandbox.sandbox_client import SandboxClient as Asking

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MODULE = STANDARD_MODULES[0]
ACCOUNT = b'[3,"00000000-0000-0000-0000-000000000000"]'


def token(location: str = "127.0.0.1", *caveats: bytes) -> Secret:
    made = macaroon.create_macaroon(location, str(uuid.uuid4()).encode(), os.urandom(32), *(caveats or (ACCOUNT,)))
    return Secret(macaroon.to_text(made))


@dataclass
class Wire:
    """What an index was sent by way of authorization, POSTs alone."""

    headers: list[str] = field(default_factory=list)

    def __call__(self, application: WSGIApplication) -> WSGIApplication:
        def listening(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if environ["REQUEST_METHOD"] == "POST":
                self.headers.append(environ.get("HTTP_AUTHORIZATION", ""))
            return application(environ, start_response)

        return listening

    @property
    def tokens(self) -> list[str]:
        return [base64.b64decode(one.removeprefix("Basic ")).decode().partition(":")[2] for one in self.headers]


@contextmanager
def overheard(clock: Clock | None = None) -> Iterator[tuple[Asking, Index, Wire]]:
    wire = Wire()
    with sandbox_client(around=wire, clock=clock or Clock()) as running:
        yield running, replace(running.sandbox.index("pypi"), ephemeral=False), wire


def state(running: Asking) -> dict[str, bytes]:
    """Every byte that the index keeps, its log of requests excepted."""
    directory: Path = running.sandbox._store.directory
    kept = (path for path in directory.rglob("*") if path.is_file())
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in kept
        if path.name != "requests.jsonl" and not path.name.endswith("-shm")
    }


Ask = Callable[[Index, Secret], ProbeResult]
ASKS: dict[str, Ask] = {
    "identity": token_probes.probe_identity,
    "permission": lambda to, key: token_probes.probe_permission(
        to, key, name="acme-widget", version="1.0", now=datetime.now(UTC)
    ),
    "first-release": lambda to, key: token_probes.probe_first_release(to, key, module=MODULE),
    "metadata": lambda to, key: token_probes.probe_metadata(
        to,
        key,
        project="acme-widget",
        fields=[(k, str(v)) for k, v in fields(b"", wheel_name()).items() if k[0] != ":"],
    ),
}


@pytest.mark.parametrize("kind", ASKS)
def test_each_probe_passes_with_a_good_token_and_leaves_the_index_as_it_was(kind: str) -> None:
    with overheard() as (running, at, wire):
        running.upload()
        running.upload("acme-gadget", version="0.1")
        before, already = state(running), len(wire.headers)
        answer = ASKS[kind](at, running.sandbox.tokens["account"])
        assert answer.passed(), answer.message()
        assert answer.kind == kind
        assert state(running) == before
        assert running.token() not in wire.tokens[already:]
        assert len(wire.headers) == already + 1


def uploads(running: Asking, stolen: str) -> dict[str, int]:
    """Status of an upload with a token: to a project of its user's, another of theirs, and a new one."""
    authorization = basic_auth(stolen)
    names = ("acme-widget", "acme-gadget", "acme-new")
    return {name: running.upload(name, "9.0", authorization=authorization).status for name in names}


@pytest.mark.parametrize("kind", ["identity", "first-release", "metadata"])
def test_what_leaves_the_machine_to_ask_who_it_is_can_upload_nothing_ever(kind: str) -> None:
    clock = Clock()
    with overheard(clock) as (running, at, wire):
        ASKS[kind](at, running.sandbox.tokens["account"])
        (stolen,) = wire.tokens
        for moment in (clock.now, datetime.fromtimestamp(2, UTC)):
            clock.now = moment
            assert set(uploads(running, stolen).values()) == {403}
        assert running.files("acme-widget") == running.files("acme-gadget") == running.files("acme-new") == []


def test_what_leaves_the_machine_to_ask_for_permission_is_for_one_project_and_two_minutes() -> None:
    clock = Clock()
    with overheard(clock) as (running, at, wire):
        ASKS["permission"](at, running.sandbox.tokens["account"])
        (stolen,) = wire.tokens
        assert uploads(running, stolen) == {"acme-widget": 200, "acme-gadget": 403, "acme-new": 403}
        clock.advance(minutes=2, seconds=1)
        assert uploads(running, stolen) == {"acme-widget": 403, "acme-gadget": 403, "acme-new": 403}


def test_the_copies_say_what_they_are_limited_to() -> None:
    with overheard() as (running, at, wire):
        for kind in ("identity", "permission"):
            ASKS[kind](at, running.sandbox.tokens["account"])
        expired, short = (decode(Secret(one)) for one in wire.tokens)
        assert isinstance(expired, Token)
        assert isinstance(short, Token)
        (limit,) = (one for one in expired.caveats if isinstance(one, Expiration))
        assert limit.expires_at == datetime.fromtimestamp(1, UTC)
        names, brief = short.caveats[-2:]
        assert names == ProjectNames(names=("acme-widget",))
        assert isinstance(brief, Expiration)
        assert timedelta(seconds=100) < brief.expires_at - datetime.now(UTC) <= token_probes.PROBE_TOKEN_LIFETIME
        assert brief.not_before < datetime.now(UTC) - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("at", "secret"),
    [
        (PYPI, token("test.pypi.org")),
        (TESTPYPI, token("pypi.org")),
        (replace(PYPI, kind="other"), token("pypi.org")),
        (replace(PYPI, upload_url="http://upload.pypi.org/legacy/"), token("upload.pypi.org")),
        (PYPI, Secret("hunter2")),
        (PYPI, Secret("")),
        (PYPI, Secret(token("pypi.org").reveal()[:-10])),
    ],
)
@pytest.mark.parametrize("kind", ASKS)
def test_nobody_is_asked_who_must_not_see_the_token(
    at: Index, secret: Secret, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_probes, "_send", lambda *_: pytest.fail("sent"))
    assert not token_probes.may_probe(at, secret)
    with pytest.raises(ProbeNotAllowedError):
        ASKS[kind](at, secret)


def local(url: str) -> Index:
    return Index(name="pypi", upload_url=f"{url}legacy/", simple_url=f"{url}simple/")


def test_a_redirect_is_an_answer_and_not_followed() -> None:
    def answer(handler: Handler) -> None:
        handler.reply(308, reason="Permanent Redirect", Location="/elsewhere/")

    with loopback_server(answer) as server:
        assert token_probes.probe_identity(local(server.url), token()).status == 308
        assert [one.path for one in server.asked] == ["/legacy/"]


def test_the_request_is_a_form_asks_for_json_and_carries_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No .netrc is read, no proxy used, and no field sent but the two."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password else\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port()}")
    secret = token()
    with loopback_server(lambda handler: handler.reply(400, reason="Unknown protocol version.")) as server:
        assert token_probes.probe_identity(local(server.url), secret).passed()
        (asked,) = server.asked
    assert asked.method == "POST"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["content-type"].startswith("multipart/form-data")
    assert re.findall(rb'name="([^"]*)"\r\n\r\n(.*)\r\n', asked.body) == [
        (b":action", b"file_upload"),
        (b"protocol_version", b"0"),
    ]
    sent = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
    assert sent.startswith("__token__:pypi-")
    assert secret.reveal() not in sent


def test_the_form_that_is_the_same_for_all_tokens_is_encoded_once() -> None:
    token_probes._encoded.cache_clear()
    with loopback_server(lambda handler: handler.reply(400, reason="Unknown protocol version.")) as server:
        for _ in range(3):
            assert token_probes.probe_identity(local(server.url), token()).passed()
    assert len(server.asked) == 3
    assert len({one.headers["authorization"] for one in server.asked}) == 3
    assert token_probes._encoded.cache_info().misses == 1


def test_a_broken_connection_is_tried_once_more_and_no_more() -> None:
    tries: list[int] = []

    def answer(handler: Handler) -> None:
        tries.append(1)
        if len(tries) == 1:
            handler.reset()
        else:
            handler.reply(400, reason="Unknown protocol version.")

    with loopback_server(answer) as server:
        assert token_probes.probe_identity(local(server.url), token()).passed()
    with loopback_server(lambda handler: handler.reset()) as server:
        with pytest.raises(UnreachableError):
            token_probes.probe_identity(local(server.url), token())
        assert len(server.asked) == 2
    with pytest.raises(UnreachableError):
        token_probes.probe_identity(local(f"http://127.0.0.1:{closed_port()}/"), token())


def test_a_server_error_is_an_answer_and_not_tried_again() -> None:
    with loopback_server(lambda handler: handler.reply(503)) as server:
        assert token_probes.probe_identity(local(server.url), token()).status == 503
        assert len(server.asked) == 1


def test_no_answer_repeats_a_secret() -> None:
    def parrot(handler: Handler) -> None:
        sent = handler.headers["Authorization"]
        plain = base64.b64decode(sent.removeprefix("Basic ")).decode().partition(":")[2]
        handler.reply(400, f"{sent} {plain}", X_Echo=plain)

    secret = token()
    with loopback_server(parrot) as server:
        answer = token_probes.probe_identity(local(server.url), secret)
    shown = f"{answer!r} {answer.message()}"
    assert "AgE" not in shown
    assert "<token" in shown
    assert secret.reveal() not in shown


def test_an_endless_answer_is_read_no_further_than_it_is_worth() -> None:
    with loopback_server(lambda handler: handler.reply(400, b"x" * 5_000_000)) as server:
        assert len(token_probes.probe_identity(local(server.url), token()).reply.body) <= 20_000


def probed(text: str, status: int = 400, kind: str = "identity", **headers: str) -> ProbeResult:
    reply = ServerResponse(
        status=status, reason=text, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )
    return ProbeResult(kind=kind, project="acme-widget", reply=reply)  # type: ignore[arg-type] # one of the four


@pytest.mark.parametrize(
    ("text", "kind", "passed"),
    [
        ("Unknown protocol version.", "identity", True),
        ("'' is an invalid value for Name. Error: This field is required.", "identity", True),
        ("The description failed to render for 'text/x-rst'. See …", "permission", True),
        ("The description failed to render for 'text/x-rst'. See …", "identity", False),
        (
            f"The name {MODULE!r} isn't allowed (conflict with Python Standard Library module name).",
            "first-release",
            True,
        ),
        (f"The name {MODULE!r} isn't allowed. See …", "first-release", False),
        ("Upload payload does not have a file.", "metadata", True),
        ("Something new.", "permission", False),
    ],
)
def test_an_answer_is_told_by_how_it_begins(text: str, kind: str, passed: bool) -> None:
    assert probed(text, kind=kind).passed() is passed
    assert not probed(text, status=403, kind=kind).passed()
    assert not probed(text, status=200, kind=kind).passed()


def test_repeated_reasons_are_told_once() -> None:
    text = "Invalid API Token: token is expired, token is expired, caveat has unknown tag: hello"
    assert probed(text, 403).message() == "Invalid API Token: token is expired, caveat has unknown tag: hello"


def test_the_quota_is_read_from_the_headers() -> None:
    told = probed(
        "Too many new projects created",
        429,
        ratelimit='"project.create.ip";r=39;t=3599, "project.create.user";r=0;t=86000',
        ratelimit_policy='"project.create.ip";q=40;w=3600;pk=:ip:, "project.create.user";q=4;w=86400;pk=:user:',
    )
    assert told.quotas() == (
        Quota(name="project.create.ip", remaining=39, reset=3599, limit=40),
        Quota(name="project.create.user", remaining=0, reset=86000, limit=4),
    )
    assert probed("x").quotas() == ()


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("Tue, 24 Nov 2026 12:00:00 GMT", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("Tue, 24 Nov 2026 12:00:00 -0000", datetime(2026, 11, 24, 12, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_server_s_clock_is_read_where_it_is_told(date: str, told: datetime | None) -> None:
    assert probed("x", date=date).server_time() == told


def test_a_wheel_that_was_probed_with_is_never_taken() -> None:
    """The guards of the permission probe hold one by one: whichever of them the index forgot, another refuses."""
    from release.core.models import probe

    with sandbox_client() as running:
        running.upload()
        form = probe.permission_form("acme-widget", "1.0")
        assert form.content is not None
        name, content = form.content
        good = fields(wheel(), wheel_name(), version="1.0")
        for left_out in ("description", "sha256_digest", "filetype", ""):
            values = {k: v for k, v in form.fields if k != left_out} | (
                {left_out: good[left_out]} if left_out in good else {}
            )
            before = state(running)
            assert running.post(values, filename=name, content=content).status == 400
            assert state(running) == before
