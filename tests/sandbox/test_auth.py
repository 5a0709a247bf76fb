"""The recorded answers to every way of saying who one is; each upload is valid but for its credentials."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator

import pytest

from release.core.tokens import macaroon
from tests.sandbox.sandbox_client import SandboxClient, basic_auth, page, sandbox_client

INVALID = "403 Invalid or non-existent authentication information. See {pypi}/help/#invalid-auth for more information."
PASSWORDS = (
    "403 Username/Password authentication is no longer supported. Migrate to API Tokens or Trusted Publishers "
    "instead. See {pypi}/help/#apitoken and {pypi}/help/#trusted-publishers"
)
SIGNATURE = "403 Invalid API Token: signatures do not match"
OK = "200 OK"


def scoped(project: str, times: int = 4) -> str:
    return "403 Invalid API Token: " + ", ".join(
        [f"project-scoped token is not valid for project: '{project}'"] * times
    )


@pytest.fixture(name="pypi")
def _pypi() -> Iterator[SandboxClient]:
    with sandbox_client() as running:
        yield running


def flip(token: str) -> str:
    """Another signature: a character before the last, whose bits all count, is changed."""
    return token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]


def stranger(location: str) -> str:
    """Well-formed, and unknown to the index."""
    return macaroon.to_text(macaroon.create_macaroon(location, b"00000000-0000-4000-8000-000000000000", b"k" * 32))


ROWS: dict[str, tuple[Callable[[str], str | None], str]] = {
    "no header": (lambda _: None, INVALID),
    "pypi-bogus": (lambda _: basic_auth("pypi-bogus"), INVALID),
    "bogus": (lambda _: basic_auth("bogus"), INVALID),
    "empty password": (lambda _: basic_auth(""), INVALID),
    "id unknown": (lambda _: basic_auth(stranger("index.example")), INVALID),
    "last 10 characters cut off": (lambda t: basic_auth(t[:-10]), INVALID),
    "a character of the signature changed": (lambda t: basic_auth(flip(t)), SIGNATURE),
    "pasted twice": (lambda t: basic_auth(t + t), INVALID),
    "cut to half": (lambda t: basic_auth(t[: len(t) // 2]), INVALID),
    "username alice": (lambda t: basic_auth(t, "alice"), PASSWORDS),
    "username __TOKEN__": (lambda t: basic_auth(t, "__TOKEN__"), PASSWORDS),
    "username with a blank": (lambda t: basic_auth(t, "__token__ "), PASSWORDS),
    "username token": (lambda t: basic_auth(t, "token"), PASSWORDS),
    "empty username": (lambda t: basic_auth(t, ""), PASSWORDS),
    "alice and her password": (lambda _: basic_auth("correct horse", "alice"), PASSWORDS),
    "unknown user and password": (lambda _: basic_auth("x", "nobody"), PASSWORDS),
    "__token__ and a password": (lambda _: basic_auth("correct horse"), INVALID),
    "leading space": (lambda t: basic_auth(" " + t), OK),
    "trailing space": (lambda t: basic_auth(t + " "), OK),
    "trailing newline": (lambda t: basic_auth(t + "\n"), OK),
    "trailing CRLF": (lambda t: basic_auth(t + "\r\n"), OK),
    "leading newline and tab": (lambda t: basic_auth("\n\t" + t), OK),
    "newline in the middle": (lambda t: basic_auth(t[:90] + "\n" + t[90:]), INVALID),
    "space in the middle": (lambda t: basic_auth(t[:90] + " " + t[90:]), INVALID),
    "a comment behind": (lambda t: basic_auth(t + "  # comment"), INVALID),
    "Bearer": (lambda t: "Bearer " + t, OK),
    "token scheme": (lambda t: "token " + t, OK),
    "Bearer, trailing space": (lambda t: "Bearer " + t + " ", OK),
    "Bearer, two spaces": (lambda t: "Bearer  " + t, INVALID),
    "no prefix": (lambda t: basic_auth(t.removeprefix("pypi-")), INVALID),
    "prefix PyPI-": (lambda t: basic_auth("PyPI-" + t.removeprefix("pypi-")), INVALID),
    "prefix pypi_": (lambda t: basic_auth("pypi_" + t.removeprefix("pypi-")), INVALID),
    "double quotes": (lambda t: basic_auth(f'"{t}"'), INVALID),
    "single quotes": (lambda t: basic_auth(f"'{t}'"), INVALID),
    "the whole line": (lambda t: basic_auth(f"password = {t}"), INVALID),
    "a variable": (lambda _: basic_auth("$PYPI_TOKEN"), INVALID),
    "BOM in front": (lambda t: basic_auth("\ufeff" + t), INVALID),
    "zero width space behind": (lambda t: basic_auth(t + "\u200b"), OK),
    "no-break space behind": (lambda t: basic_auth(t + "\u00a0"), OK),
    "Basic, not base64": (lambda _: "Basic %%%", INVALID),
    "Basic, no colon": (lambda _: "Basic " + base64.b64encode(b"__token__").decode(), INVALID),
    "one word": (lambda t: t, INVALID),
    "Digest": (lambda t: "Digest " + t, INVALID),
    "too long": (lambda _: "Bearer " + "x" * 40_000, "431 Request Header Fields Too Large"),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_header_is_answered_as_recorded(pypi: SandboxClient, row: str) -> None:
    """The token's location is as long as PyPI's: what base64 forgives depends on the length."""
    header, line = ROWS[row]
    reply = pypi.upload(token=None, authorization=header(pypi.token("elsewhere")))
    assert reply.line == line.format(pypi=pypi.site)
    if reply.status == 403:
        assert reply.body == page(reply, "" if line is PASSWORDS else reply.reason)
    assert "WWW-Authenticate" not in reply.headers


TOKENS = {
    ("forged", "acme-widget"): SIGNATURE,
    ("revoked", "acme-widget"): INVALID,
    ("expired", "acme-widget"): "403 Invalid API Token: token is expired, token is expired",
    ("expired", "probe-new"): "403 Invalid API Token: token is expired, token is expired",
    ("erin", "acme-widget"): INVALID,
    ("elsewhere", "acme-widget"): OK,
    ("account", "acme-widget"): OK,
    ("widget", "acme-widget"): OK,
    ("widget", "acme-gadget"): scoped("acme-gadget"),
    ("widget", "other-owned"): scoped("other-owned"),
    ("widget", "probe-scoped-new"): scoped("probe-scoped-new"),
    ("account", "other-owned"): "403 The user 'alice' isn't allowed to upload to project 'other-owned'. "
    "See {pypi}/help/#project-name for more information.",
    ("bob", "probe-new"): "403 User 'bob', associated with the API token used, does not have a verified primary email "
    "address. Please add a verified primary email before attempting to upload to PyPI. "
    "See {pypi}/help/#verified-email for more information.",
    ("bob", "acme-widget"): "403 The user 'bob' isn't allowed to upload to project 'acme-widget'. "
    "See {pypi}/help/#project-name for more information.",
    ("carol", "probe-new"): "403 User 'carol', associated with the API token used, does not have two-factor "
    "authentication enabled. Please enable two-factor authentication before attempting to upload to PyPI. "
    "See {pypi}/help/#two-factor-authentication for more information.",
    ("carol", "acme-widget"): "403 The user 'carol' isn't allowed to upload to project 'acme-widget'. "
    "See {pypi}/help/#project-name for more information.",
}


@pytest.mark.parametrize(("token", "project"), TOKENS)
def test_a_token_is_answered_as_recorded(pypi: SandboxClient, token: str, project: str) -> None:
    reply = pypi.upload(project, token=token)
    assert reply.line == TOKENS[token, project].format(pypi=pypi.site)
    assert reply.body == page(reply, "" if reply.status == 200 else reply.reason)
    assert pypi.files(project) == ([] if reply.status != 200 else [f"{project.replace('-', '_')}-1.0-py3-none-any.whl"])


NOW = int(time.time())
ATTENUATED = {
    "to this project": ('[1,["acme-widget"]]', "acme-widget", OK),
    "to another project": ('[1,["acme-widget"]]', "acme-gadget", scoped("acme-gadget", 1)),
    "to this day": (f"[0,{NOW + 86_400},{NOW - 60}]", "acme-widget", OK),
    "to the past": (f"[0,{NOW - 1},{NOW - 60}]", "acme-widget", "403 Invalid API Token: token is expired"),
    "to the future": (f"[0,{NOW + 180_000},{NOW + 90_000}]", "acme-widget", "403 Invalid API Token: token is expired"),
    "by something unknown": ('["hello"]', "acme-widget", "403 Invalid API Token: caveat has unknown tag: hello"),
    "by no array": ("5", "acme-widget", "403 Invalid API Token: caveat must be an array"),
    "by an empty array": ("[]", "acme-widget", "403 Invalid API Token: caveat array cannot be empty"),
    "by too little": ("[0,1]", "acme-widget", "403 Invalid API Token: Not enough values"),
    "by nonsense": ('[0,"a","b"]', "acme-widget", "403 Invalid API Token: invalid values for fields"),
    "by a tag that equals one": ('[1.0,["acme-widget"]]', "acme-widget", OK),
    "by a false tag": (f"[false,{NOW + 86_400},{NOW - 60}]", "acme-widget", OK),
    "by a tag as text": ('["1",["acme-widget"]]', "acme-widget", "403 Invalid API Token: caveat has unknown tag: 1"),
    "by a tag with a fraction": ("[1.5]", "acme-widget", "403 Invalid API Token: caveat has unknown tag: 1.5"),
    "by a tag that is no key": ("[{}]", "acme-widget", "403 Invalid API Token: unknown error"),
    "by half a character": ('[1,["\\ud800"]]', "acme-widget", "403 Invalid API Token: invalid values for fields"),
    "by a byte order mark": ('\ufeff[1,["acme-widget"]]', "acme-widget", "403 Invalid API Token: unknown error"),
    "by no JSON": ("cid", "acme-widget", "403 Invalid API Token: unknown error"),
    "to another user": (
        '[3,"someone"]',
        "acme-widget",
        "403 Invalid API Token: current user does not match user restriction in token",
    ),
    "to a publisher": (
        '[4,"someone"]',
        "acme-widget",
        "403 Invalid API Token: OIDC scoped token used outside of an OIDC identified request",
    ),
    "to another id": ('[2,["someone"]]', "acme-widget", scoped("acme-widget", 1)),
    "older form: user": ('{"version":1,"permissions":"user"}', "acme-widget", OK),
    "older form: project": ('{"version":1,"permissions":{"projects":["acme-widget"]}}', "acme-widget", OK),
    "older form: other project": (
        '{"version":1,"permissions":{"projects":["acme-gadget"]}}',
        "acme-widget",
        scoped("acme-widget", 1),
    ),
    "older form: time": (
        f'{{"nbf":{NOW - 60},"exp":{NOW - 1}}}',
        "acme-widget",
        "403 Invalid API Token: token is expired",
    ),
    "older form: ids": ('{"project_ids":["x"]}', "acme-widget", scoped("acme-widget", 1)),
    "no older form": ('{"version":2}', "acme-widget", "403 Invalid API Token: caveat must be an array"),
}


@pytest.mark.parametrize("row", ATTENUATED)
def test_a_caveat_that_the_holder_added_counts_once(pypi: SandboxClient, row: str) -> None:
    caveat, project, line = ATTENUATED[row]
    reply = pypi.upload(project, authorization=basic_auth(attenuated(pypi.token(), caveat)))
    assert reply.line == line


def attenuated(token: str, *caveats: str) -> str:
    data = base64.urlsafe_b64decode(token.removeprefix("pypi-") + "==")
    return macaroon.to_text(macaroon.deserialize(data)[0].attenuate(*(caveat.encode() for caveat in caveats)))


def test_what_the_server_fails_on_ends_the_reasons(pypi: SandboxClient) -> None:
    """Those before it count, those after it are never found."""
    token = attenuated(pypi.token(), "[99]", "no JSON", "[98]")
    assert pypi.upload(authorization=basic_auth(token)).line == "403 Invalid API Token: caveat has unknown tag: 99"
    token = attenuated(pypi.token(), "no JSON", "[98]")
    assert pypi.upload(authorization=basic_auth(token)).line == "403 Invalid API Token: unknown error"


def test_a_caveat_hides_a_wrong_signature(pypi: SandboxClient) -> None:
    token = attenuated(pypi.token("forged"), "[0,1,0]")
    assert pypi.upload(authorization=basic_auth(token)).line == "403 Invalid API Token: token is expired"


def test_the_tokens_are_what_pypi_would_have_made(pypi: SandboxClient) -> None:
    """Location, a UUID, and PyPI's caveats: another implementation reads them."""
    from pypitoken import Token  # type: ignore[import-untyped] # it has no types

    whole, scope = Token.load(pypi.token()), Token.load(pypi.token("widget"))
    assert whole.domain == "127.0.0.1"
    assert [type(one).__name__ for one in whole.restrictions] == ["UserIDRestriction"]
    assert scope.restrictions[0].dump() == [1, ["acme-widget"]]
    assert Token.load(pypi.token("elsewhere")).domain == "pkgs.zzz"
    assert len({json.dumps(name) for name in pypi.sandbox.tokens}) == 9
