"""Responses of servers to probes: the message in them, and whether the index got as far as the probe wants."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from release.core.models import probe
from release.core.models.probe import (
    ProbeForm,
    ProbeKind,
    ProbeResult,
    Quota,
    ServerResponse,
    first_release_form,
    identity_form,
    metadata_form,
    permission_form,
)


def response(body: object = "", status: int = 403, reason: str = "", **headers: str) -> ServerResponse:
    text = body if isinstance(body, str) else json.dumps(body)
    return ServerResponse(
        status=status, reason=reason, body=text, headers={k.replace("_", "-"): headers[k] for k in headers}
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (response({"code": "403 Invalid or non-existent authentication information."}),
         "Invalid or non-existent authentication information."),
        (response({"code": "400 is the code", "message": "b"}), "400 is the code"),
        (response({"message": "b", "detail": "c", "error": "d", "title": "e"}), "b"),
        (response({"detail": "c", "error": "d", "title": "e"}), "c"),
        (response({"error": "d", "title": "e"}), "d"),
        (response({"title": "e"}), "e"),
        (response({"code": " ", "message": 7, "title": "e"}), "e"),
        (response({"other": "x"}, reason="a reason"), "a reason"),
        (response({"code": "403 Forbidden"}, reason="a reason"), "a reason"),
        (response(["a list"]), "Forbidden"),
        (response("[" * 100_000, reason="a reason"), "a reason"),
        (response("plain words", reason="a reason"), "a reason"),
        (response("plain words", reason="Forbidden"), "plain words"),
        (response(" plain\nwords\x1b[1m "), "plain\nwords[1m"),
        (response("1 < 2"), "1 < 2"),
        (response("<p>Not <b>here</b> &amp; now</p><script>x</script><!-- y --><STYLE>z</STYLE >"), "Not here & now"),
        (response("<html><title>403</title>"), "Forbidden"),
        (response("", status=599), ""),
        (response("x" * 2000), "x" * 2000),
        (response("x" * 2001), "x" * 2000 + "…"),
    ],
)  # fmt: skip
def test_the_message_of_a_server(answer: ServerResponse, message: str) -> None:
    assert answer.message() == message


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", True),
        ("200 OK", True),
        ("OK\n", True),
        ("<html><title>200 OK</title><h1>200 OK</h1></html>", True),
        ({"code": "200 OK"}, True),
        ({}, True),
        ({"code": "200 OK, later"}, False),
        ("200 OK, later", False),
        ("<p>queued</p>", False),
        ('"text"', False),
    ],
)
def test_nothing_but_ok(body: object, expected: bool) -> None:
    assert response(body, 200).is_ok() is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (response("", content_type="text/html; charset=utf-8"), True),
        (response("\n <!DOCTYPE html><p>"), True),
        (response("<html lang=en>"), True),
        (response("<htmlx>"), False),
        (response("words <html>"), False),
        (response("{}", content_type="application/json"), False),
    ],
)
def test_a_page(answer: ServerResponse, expected: bool) -> None:
    assert answer.is_html is expected


NOW, LATER = "Sat, 28 Nov 2026 12:00:00 GMT", "Sat, 28 Nov 2026 12:01:30 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry_after": " 120 "}, 120.0),
        ({"retry_after": LATER, "date": NOW}, 90.0),
        ({"retry_after": NOW, "date": LATER}, 0.0),
        ({"retry_after": LATER}, None),
        ({"retry_after": "soon", "date": NOW}, None),
        ({"retry_after": "-5", "date": NOW}, None),
        ({"retry_after": "\uff11\uff12"}, None),
        ({}, None),
    ],
)
def test_seconds_to_wait(headers: dict[str, str], expected: float | None) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    assert ServerResponse(status=503, headers=named).retry_after == expected


def test_a_reason_is_reported_once() -> None:
    text = "403 Invalid API Token: token is expired, other, token is expired"
    found = ProbeResult(kind="identity", project="", reply=response({"code": text}))
    assert found.message() == "Invalid API Token: token is expired, other"
    same = ProbeResult(kind="identity", project="", reply=response({"code": "403 a, b, a"}))
    assert same.message() == "a, b, a"


@pytest.mark.parametrize(
    ("kind", "message", "expected"),
    [
        ("identity", "Unknown protocol version", True),
        ("identity", "'' is an invalid value for Name", True),
        ("identity", "None is an invalid value for Name: words", True),
        ("identity", "no: Unknown protocol version", False),
        ("permission", "The description failed to render for …", True),
        ("permission", "Unknown protocol version", False),
        ("first-release", "The name 'xml' isn't allowed (conflict with Python Standard Library module name)", True),
        ("first-release", "The name 'xml' isn't allowed.", False),
        ("first-release", "a conflict with Python Standard Library", False),
        ("metadata", "Upload payload does not have a file.", True),
    ],
)
def test_the_intended_defect_is_what_the_index_refused(kind: ProbeKind, message: str, expected: bool) -> None:
    for status in (400, 403, 200):
        found = ProbeResult(kind=kind, project="", reply=response({"code": f"{status} {message}"}, status))
        assert found.passed() is (expected and status == 400)
        assert found.status == status


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (NOW, datetime(2026, 11, 28, 12, tzinfo=UTC)),
        ("Sat, 28 Nov 2026 12:00:00 -0000", datetime(2026, 11, 28, 12, tzinfo=UTC)),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_time_of_the_index(date: str, expected: datetime | None) -> None:
    assert ProbeResult(kind="identity", project="", reply=response(date=date)).server_time() == expected


def test_what_remains_of_the_limits() -> None:
    found = ProbeResult(
        kind="identity", project="",
        reply=response(ratelimit='"a.b";r=3;t=60, "c" ; r=0', ratelimit_policy='"a.b";q=20;w=3600, "d";q=1'),
    )  # fmt: skip
    assert found.quotas() == (
        Quota(name="a.b", remaining=3, reset=60, limit=20), Quota(name="c", remaining=0, reset=0),
    )  # fmt: skip
    assert ProbeResult(kind="identity", project="", reply=response()).quotas() == ()


def test_an_answer_that_many_tokens_get_is_parsed_once() -> None:
    probe._message.cache_clear()
    answers = [ServerResponse(status=400, body='{"message": "No"}', headers={"date": str(n)}) for n in range(3)]
    assert [one.message() for one in answers] == ["No"] * 3
    assert probe._message.cache_info().misses == 1


def test_the_forms_are_refused_for_several_reasons() -> None:
    """What each form has is the safeguard: it cannot create anything on an index."""
    assert identity_form() == ProbeForm(
        kind="identity", fields=((":action", "file_upload"), ("protocol_version", "0"))
    )  # fmt: skip
    for form in (permission_form("Acme", "1.0"), first_release_form("xml.etree.ElementTree")):
        assert form.content == ("probe.invalid", b"\0")
        assert dict(form.fields) == {
            ":action": "file_upload",
            "protocol_version": "1",
            "metadata_version": "2.1",
            "name": form.project,
            "version": "1.0" if form.kind == "permission" else "0",
            "filetype": "sdist",
            "pyversion": "source",
            "sha256_digest": "0" * 64,
            "description_content_type": "text/x-rst",
            "description": ".. <unknown-directive>::\n",
        }
    form = metadata_form("acme", [("name", "Acme")])
    assert form.content is None
    assert form.project == "acme"
    assert form.fields == ((":action", "file_upload"), ("protocol_version", "1"), ("name", "Acme"))
