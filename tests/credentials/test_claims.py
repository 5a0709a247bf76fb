"""Every claim about an index's answer is true: the very token is sent to the embedded index, whose words are PyPI's.

A credential that the index accepts is not called broken, one that it refuses for the credential alone is not called
healthy, and the words that a finding quotes are those of the answer.
"""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.system.system import real_system
from release.core.facts import ProjectMetadata
from release.core.models.check_result import CheckState
from release.core.models.credential import Credential
from release.core.models.index import Index
from release.core.models.results import Verification
from release.core.models.secret_location import NotStored
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.core.tokens.caveats import RequestUser
from release.core.tokens.token import Token, attenuate, decode
from release.credentials.verify import verify_credential
from tests.credentials.test_states import NOW, STATES, damaged, limits, make_token
from tests.sandbox.sandbox_client import Clock, SandboxClient, basic_auth, sandbox_client

OTHER = "99999999-1111-4222-8333-444455556666"
HERE = NotStored(description="the test")
#: an answer → the check whose title it contradicts
CONTRADICTED = {
    "Username/Password authentication is no longer supported": "the-username-is-the-one-for-tokens",
    "token is expired": "the-token-is-valid-now",
    "project-scoped token is not valid for project": "the-token-covers-this-project",
    "caveat": "the-limits-of-the-token-can-be-met",
    "invalid values for fields": "the-limits-of-the-token-can-be-met",
}
CLOCK = Clock(datetime.fromtimestamp(NOW, UTC))
#: a new one for each upload: the same file is another content under another spelling of the name
_versions = itertools.count()


@pytest.fixture(name="pypi", scope="module")
def _pypi() -> Iterator[SandboxClient]:
    with sandbox_client(clock=CLOCK) as running:
        yield running


def verified(pypi: SandboxClient, password: str, username: str, project: str) -> Verification:
    """The verdict offline on a credential for the sandbox, as if it were PyPI."""
    upload = pypi.sandbox.upload_url
    index = Index(name="pypi", upload_url=upload, simple_url=pypi.sandbox.simple_url)
    credential = Credential(username=username, username_origin=HERE, password=Secret(password), origin=HERE)
    named = ProjectMetadata(name=project, version="1.0")
    system = replace(real_system(), now=CLOCK)
    return verify_credential(system, index, named, offline=True, credential=credential)


def compare(pypi: SandboxClient, password: str, username: str = "__token__", project: str = "acme-widget") -> str:
    """The verdict's word, after comparing every claim with the answer to a real upload."""
    found = verified(pypi, password, username, project)
    reply = pypi.upload(project, version=f"1.{next(_versions)}", authorization=basic_auth(password, username))
    claims = [one.server_text for outcome in found.outcomes for one in outcome.findings if one.server_text]
    head, colon, reasons = reply.reason.partition("Invalid API Token: ")
    answer = head + colon + ", ".join(dict.fromkeys(reasons.split(", ")))
    for claim in claims:
        assert reply.status == 403, (claim, reply.line)
        # the end of the sentence has the address of a page of help
        assert answer == claim or (not colon and answer.startswith(claim)), (claim, answer)
    passed = {one.check for one in found.outcomes if one.state is CheckState.PASSED}
    untrue = {check for words, check in CONTRADICTED.items() if words in reply.reason}
    assert not passed & untrue, reply.line
    if "PyPI accepts it" in found.verdict.message:
        assert reply.status == 200 or colon, (found.verdict.message, reply.line)
    if reply.status == 200:
        assert found.verdict.word in {"healthy", "warning"}, (found.verdict.message, reply.line)
    else:
        assert reply.status == 403, reply.line
        assert found.verdict.word != "healthy", reply.line
    assert found.verdict_text != "healthy"
    assert not found.confirmed
    return found.verdict.word


DAMAGE: dict[str, Callable[[str], str]] = {
    "none": lambda t: t,
    "blanks around": lambda t: f" {t}\r\n",
    "three characters too few": lambda t: t[:-3],
    "half": lambda t: t[: len(t) // 2],
    "without its prefix": lambda t: t.removeprefix("pypi-"),
    "another prefix": lambda t: "PyPI-" + t.removeprefix("pypi-"),
    "prefix twice": lambda t: "pypi-" + t,
    "quotes": lambda t: f'"{t}"',
    "an angle bracket after it": lambda t: t + ">",
    "a quote after it": lambda t: t + '"',
    "two quotes after it": lambda t: t + "''",
    "assignment": lambda t: f"password = {t}",
    "lower case": lambda t: t.lower(),
    "a placeholder": lambda _: "$PYPI_TOKEN",
    "a password": lambda _: "correct horse",
    "a control character": lambda _: "\x16",
    "a control character in it": lambda t: t[:60] + "\x16" + t[60:],
    "blank": lambda _: "  ",
    "masked": lambda t: t[:20] + "***" + t[-4:],
    "of GitHub": lambda _: "ghp_" + "a" * 36,
    "a point for a letter": lambda t: t[:60] + "." + t[61:],
    "a point in it": lambda t: t[:60] + "." + t[60:],
    "four points in it": lambda t: t[:60] + "...." + t[60:],
    "padding": lambda t: t + "=",
    "a letter of the identifier": lambda t: t[:40] + ("A" if t[40] != "A" else "B") + t[41:],
    **{f"twice, with {one!r}": lambda t, one=one: f"{t}{one}{t}" for one in ("", "\n", "  \n")},  # type: ignore[misc]
    **{f"{n} letters after it": lambda t, n=n: t + "Abcdef"[:n] for n in range(1, 6)},  # type: ignore[misc]
    **{f"a comment of {n}": lambda t, n=n: f"{t} # {'comment'[:n]}" for n in range(1, 5)},  # type: ignore[misc]
    **{f"{n} blanks in it": lambda t, n=n: t[:77] + " " * n + t[77:] for n in range(1, 6)},  # type: ignore[misc]
    **{
        f"lines of {n}": lambda t, n=n: "\n".join(re.findall(f".{{1,{n}}}", t))  # type: ignore[misc]
        for n in (40, 64, 76, 80, 100, 120)
    },
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_judged_as_the_index_judges_it(pypi: SandboxClient, damage: str) -> None:
    for token in (pypi.token("account"), pypi.token("widget"), *lengths(pypi)):
        compare(pypi, DAMAGE[damage](token))


def lengths(pypi: SandboxClient) -> Iterator[str]:
    """Tokens of each length modulo 4, on which depends what base64 forgives."""
    yield from (limited(pypi, [json.dumps([1, ["acme-widget"]]).encode() + b" " * count]) for count in range(3))


@pytest.mark.parametrize("username", ["alice", "__TOKEN__", "__token__ ", "", "token", "@token"])
@pytest.mark.parametrize("damage", ["none", "half", "a password", "a point in it", "four points in it"])
def test_a_username_hides_what_is_wrong_with_the_token(pypi: SandboxClient, username: str, damage: str) -> None:
    assert compare(pypi, DAMAGE[damage](pypi.token("expired")), username) == "broken"
    assert compare(pypi, DAMAGE[damage](pypi.token("account")), username) == "broken"


LIMITS: dict[str, tuple[list[Any], str]] = {
    "this project": ([[1, ["acme-widget"]]], "healthy"),
    "another project": ([[1, ["other"]]], "broken"),
    "two lists": ([[1, ["acme-widget", "a"]], [1, ["b", "acme-widget"]]], "healthy"),
    "two lists without a common name": ([[1, ["acme-widget"]], [1, ["other"]]], "broken"),
    "three lists of which two have one": ([[1, ["a", "acme-widget"]], [1, ["acme-widget", "b"]], [1, ["a"]]], "broken"),
    "no project": ([[1, []]], "broken"),
    "no project after one": ([[1, ["acme-widget"]], [1, []]], "broken"),
    "no identifier": ([[2, []]], "broken"),
    "capitals": ([[1, ["Acme-Widget"]]], "broken"),
    "a point": ([[1, ["acme.widget"]]], "broken"),
    "two hyphens": ([[1, ["acme--widget"]]], "broken"),
    "a normalized name, and others": ([[1, ["Acme.Widget", "acme-widget", "acme_widget"]]], "healthy"),
    "an identifier of another": ([[2, [OTHER]]], "warning"),
    "two identifiers of others": ([[2, [OTHER]], [2, [str(uuid.uuid4())]]], "broken"),
    "the same user": ([[3, "$user"]], "healthy"),
    "another user": ([[3, OTHER]], "broken"),
    "two other users": ([[3, OTHER], [3, str(uuid.uuid4())]], "broken"),
    "a publisher": ([[4, OTHER, None]], "broken"),
    "a publisher, without claims": ([[4, OTHER]], "broken"),
    "two publishers": ([[4, OTHER, None], [4, str(uuid.uuid4()), None]], "broken"),
    "a year": ([[0, NOW + 31_536_000, NOW - 60]], "healthy"),
    "a day": ([[0, NOW + 86_400, NOW - 60]], "warning"),
    "yesterday": ([[0, NOW - 86_400, NOW - 90_000]], "broken"),
    "tomorrow": ([[0, NOW + 31_536_000, NOW + 86_400]], "broken"),
    "an end before its start": ([[0, NOW + 86_400, NOW + 90_000]], "broken"),
    "an end at its start": ([[0, NOW + 90_000, NOW + 90_000]], "broken"),
    "two periods without a common second": ([[0, NOW + 900, NOW], [0, NOW + 9_000, NOW + 1_000]], "broken"),
    "expired, and another project": ([[0, NOW - 1, 0], [1, ["other"]]], "broken"),
    "another project, and expired": ([[1, ["other"]], [0, NOW - 1, 0]], "broken"),
    "a tag of the future": ([[9, "x"]], "broken"),
    "a name as the tag": ([["hello"]], "broken"),
    "two odd tags": ([[9, "x"], [10]], "broken"),
    "an odd tag, and expired": ([[9, "x"], [0, NOW - 1, 0]], "broken"),
    "a number as the tag of nothing": ([[]], "broken"),
    "too few fields": ([[1]], "broken"),
    "too few times": ([[0, NOW + 31_536_000]], "broken"),
    "text for times": ([[0, str(NOW + 31_536_000), "0"]], "broken"),
    "fractions for times": ([[0, NOW + 31_536_000.5, 0]], "broken"),
    "truth for times": ([[0, True, False]], "broken"),
    "one name without a list": ([[1, "acme-widget"]], "broken"),
    "a number among the names": ([[1, ["acme-widget", 1]]], "broken"),
    "no user": ([[3, None]], "broken"),
    "claims that are none": ([[4, OTHER, "claims"]], "broken"),
    "further fields": ([[1, ["acme-widget"], "more"], [0, NOW + 31_536_000, 0, "more"]], "healthy"),
    "a text": (["acme-widget"], "broken"),
    "a number": ([5], "broken"),
    "an empty object": ([{}], "broken"),
    "older form, user": ([{"version": 1, "permissions": "user"}], "healthy"),
    "older form, project": ([{"version": 1, "permissions": {"projects": ["acme-widget"]}}], "healthy"),
    "older form, other project": ([{"version": 1, "permissions": {"projects": ["other"]}}], "broken"),
    "older form, no project": ([{"version": 1, "permissions": {"projects": []}}], "broken"),
    "older form, other permission": ([{"version": 1, "permissions": "all"}], "broken"),
    "older form, other version": ([{"version": 2, "permissions": "user"}], "broken"),
    "older form, version and times": ([{"version": 1, "nbf": 0, "exp": NOW + 31_536_000}], "broken"),
    "older form, times": ([{"nbf": 0, "exp": NOW + 31_536_000}], "healthy"),
    "older form, past": ([{"nbf": 0, "exp": NOW - 1}], "broken"),
    "older form, text for times": ([{"nbf": "0", "exp": "1"}], "broken"),
    "older form, no identifier": ([{"project_ids": []}], "broken"),
    "no JSON": ([b"user = alice"], "broken"),
    "no JSON, and expired": ([b"user = alice", [0, NOW - 1, 0]], "broken"),
    "the remains of JSON": ([b'[1,["acme-widget"}'], "broken"),
    "no text": ([b"\xff\x00"], "broken"),
    "a user that is no UUID": ([[3, "alice"]], "broken"),
    "a publisher that is no UUID": ([[4, "alice", None]], "broken"),
    "an identifier that is no UUID": ([[2, ["acme-widget"]]], "broken"),
    "a name that is no name": ([[1, ["-acme-"]]], "broken"),
}


def limited(pypi: SandboxClient, extra: list[Any], name: str = "account") -> str:
    token = Secret(pypi.token(name))
    decoded = decode(Secret(pypi.token("account")))
    assert isinstance(decoded, Token)
    owner = next(one.user_id for one in decoded.caveats if isinstance(one, RequestUser))
    forms = (one if isinstance(one, bytes) else json.dumps(one).replace("$user", str(owner)).encode() for one in extra)
    return attenuate(token, *forms).reveal()


@pytest.mark.parametrize("limit", LIMITS)
def test_a_limit_is_judged_as_the_index_judges_it(pypi: SandboxClient, limit: str) -> None:
    extra, word = LIMITS[limit]
    assert compare(pypi, limited(pypi, extra)) == word
    if limit != "another user":
        # a token for a project shows no user, so another one does not contradict it
        compare(pypi, limited(pypi, extra, "widget"))
    compare(pypi, limited(pypi, extra, "expired"))
    compare(pypi, limited(pypi, extra), "alice")


@pytest.mark.parametrize("project", ["acme-widget", "acme-gadget", "Acme.Widget"])
@pytest.mark.parametrize("name", ["account", "widget", "expired", "elsewhere"])
def test_the_index_s_own_tokens_are_judged_as_it_judges_them(pypi: SandboxClient, name: str, project: str) -> None:
    token = pypi.token(name)
    if name == "elsewhere":
        # one of another index: this one does not know its identifier
        token = macaroon.to_text(macaroon.create_macaroon("pkgs.zzz", OTHER.encode(), b"k" * 32))
    assert (compare(pypi, token, project=project) == "broken") is (
        name in {"expired", "elsewhere"} or (name, project) == ("widget", "acme-gadget")
    )


#: the recipe's identifier is not that of the sandbox's project, and only the index can know
_NOT_HERE = {"scope-project-id-after-name"}
_OF_TOKENS = [one for one in STATES if "T0" in one.get("tokens", {}) and one["id"] not in _NOT_HERE]


@pytest.mark.parametrize("state", _OF_TOKENS, ids=[one["id"] for one in _OF_TOKENS])
def test_a_state_claims_nothing_that_the_index_does_not_say(pypi: SandboxClient, state: dict[str, Any]) -> None:
    """The recipes of the states, applied to a token that the index knows."""
    recipe = state["tokens"]["T0"]
    password = make_token(recipe)
    if "mint" in recipe:
        password = damaged(attenuate(Secret(pypi.token("account")), *limits(recipe)).reveal(), recipe)
    compare(pypi, password, state.get("env", {}).get("TWINE_USERNAME", "__token__"))
