"""The token decoder: what is whole is read exactly, what is broken is named, nothing broken is called whole."""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.core.models.check_result import Finding
from release.core.secret import Secret
from release.core.tokens import caveats as caveat
from release.core.tokens import macaroon
from release.core.tokens.caveats import (
    Expiration,
    InvalidCaveat,
    ProjectIds,
    ProjectNames,
    PublisherCaveat,
    RequestUser,
)
from release.core.tokens.defects import TokenDefect
from release.core.tokens.scope import TokenScope, Validity
from release.core.tokens.token import Token, attenuate, decode, issuer, scope, validity
from tests import fake_tokens

LOCATIONS = ("pypi.org", "test.pypi.org", "localhost", "127.0.0.1", "::1")
USER = str(uuid.uuid4())


def dump(value: object) -> bytes:
    """A caveat as the index writes it."""
    return json.dumps(value, separators=(",", ":")).encode()


OWNER, PUBLISHER, IDS = dump([3, USER]), dump([4, USER, None]), dump([2, [USER]])
CAVEATS: tuple[tuple[bytes, ...], ...] = (
    (),
    (OWNER,),
    (b'[1,["acme"]]', IDS),
    (PUBLISHER, IDS, b"[0,1900000000,1700000000]"),
)


def text(location: str = "pypi.org", *caveats: bytes) -> str:
    return macaroon.to_text(macaroon.create_macaroon(location, str(uuid.uuid4()).encode(), os.urandom(32), *caveats))


def damage(value: str) -> TokenDefect:
    found = decode(Secret(value))
    assert isinstance(found, TokenDefect), "a broken token was called whole"
    assert value[:40] not in found.message + found.remedy or len(value) < 20 or found.cause == "cred.placeholder"
    return found


def named(value: str) -> TokenDefect | Finding:
    """The defect; where the index skips the character, the warning, which says so."""
    found = decode(Secret(value))
    if isinstance(found, TokenDefect):
        return found
    assert macaroon.deserialize_leniently(value.strip()) is not None
    (remark,) = found.remarks
    assert "PyPI accepts it" in remark.message
    return remark


def token(value: str) -> Token:
    found = decode(Secret(value))
    assert isinstance(found, Token), found
    return found


TOKENS = st.builds(text, st.sampled_from(LOCATIONS)).flatmap(
    lambda _: st.builds(
        lambda place, limits: text(place, *limits), st.sampled_from(LOCATIONS), st.sampled_from(CAVEATS)
    )
)


@given(TOKENS, st.integers(1, 60))
@settings(max_examples=200)
def test_a_truncated_token_is_called_truncated_and_what_lacks_is_counted(value: str, cut: int) -> None:
    found = damage(value[:-cut])
    assert found.cause == "cred.truncated"
    if "signature" in found.message:
        assert f" {cut} character" in found.message
    else:
        assert "at least" in found.message


INSERTED = {
    "'": "cred.quotes",
    '"': "cred.quotes",
    "`": "cred.quotes",
    "<": "cred.quotes",
    "\u200b": "cred.bom-nonascii",
    "\ufeff": "cred.bom-nonascii",
    "\u00a0": "cred.bom-nonascii",
    "\u2013": "cred.bom-nonascii",
    "\x16": "cred.control-chars",
    "\x00": "cred.control-chars",
}


@given(TOKENS, st.sampled_from(sorted(INSERTED)), st.data())
@settings(max_examples=200)
def test_a_foreign_character_is_named_wherever_it_stands(value: str, one: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(value)))
    found = named(value[:at] + one + value[at:])
    assert found.cause == INSERTED[one]
    assert (f"({one})" if INSERTED[one] == "cred.quotes" else f"U+{ord(one):04X}") in found.message
    assert f"character {at + 1}" in found.message


@given(TOKENS, st.characters(), st.data())
@settings(max_examples=500)
def test_no_insertion_of_any_character_leaves_a_clean_token(value: str, one: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(value)))
    found = decode(Secret(value[:at] + one + value[at:]))
    assert isinstance(found, TokenDefect) or found.remarks


@given(TOKENS, st.sampled_from(" \t\r\n"), st.data())
@settings(max_examples=100)
def test_blanks_are_harmless_around_a_token_and_named_inside(value: str, one: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(value) - 1))
    assert named(value[:at] + one + value[at:]).cause == "cred.token-whitespace"
    for around in (one + value, value + one, one + value + one * 2):
        assert [remark.cause for remark in token(around).remarks] == ["cred.token-whitespace"]


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda t: t.removeprefix("pypi-"), "cred.prefix-missing"),
        (lambda t: "PYPI-" + t.removeprefix("pypi-"), "cred.prefix-missing"),
        (lambda t: t.replace("pypi-", "pypi_", 1), "cred.prefix-missing"),
        (lambda t: t[1:], "cred.prefix-missing"),
        (lambda t: "pypi-" + t, "cred.prefix-doubled"),
        (lambda t: t + t, "cred.pasted-twice"),
        (lambda t: f"{t}\n{t}", "cred.pasted-twice"),
        (lambda t: f'"{t}"', "cred.quotes"),
        (lambda t: f"<{t}>", "cred.quotes"),
        (lambda t: f"b'{t}'", "cred.quotes"),
        (lambda t: "\n".join(t[at : at + 76] for at in range(0, len(t), 76)), "cred.token-whitespace"),
        (lambda t: f"{t} ; my token", "cred.comment"),
        (lambda t: "\ufeff" + t, "cred.bom-nonascii"),
        (lambda t: t.replace("-", "\u2013", 1), "cred.bom-nonascii"),
        (lambda t: f"password = {t}", "cred.assignment"),
        (lambda t: f"export TWINE_PASSWORD='{t}'", "cred.assignment"),
        (lambda t: f"Bearer {t}", "cred.assignment"),
        (lambda t: f"__token__:{t}", "cred.assignment"),
        (lambda t: t.lower(), "cred.malformed"),
        (lambda t: t[:30] + t[31:], "cred.malformed"),
        (lambda t: t[:20] + "***" + t[-4:], "cred.placeholder"),
        (lambda t: t[:16] + "xxxxxxxxxxxxxxxxxxxxxxxxx", "cred.placeholder"),
        (lambda t: t[:60] + "!" + t[61:], "cred.alphabet"),
    ],
)
def test_each_copy_and_paste_accident_has_its_name(spoil: object, cause: str) -> None:
    for place in ("pypi.org", "test.pypi.org"):
        assert named(spoil(text(place))).cause == cause  # type: ignore[operator] # a lambda of the table


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ("", "cred.env-empty"),
        (" \n", "cred.env-empty"),
        ("\x16", "cred.control-chars"),
        ("***", "cred.placeholder"),
        ("$PYPI_TOKEN", "cred.placeholder"),
        ("${PYPI_TOKEN}", "cred.placeholder"),
        ("%PYPI_TOKEN%", "cred.placeholder"),
        ("${{ secrets.PYPI }}", "cred.placeholder"),
        ("<your token>", "cred.placeholder"),
        ("pypi-xxxx", "cred.placeholder"),
        ("pypi-your-token-here", "cred.placeholder"),
        ("pypi-", "cred.truncated"),
        ("pypi-AgEIcHlwaS5v", "cred.truncated"),
        ("ghp_" + "a" * 36, "cred.other-service"),
        ("glpat-" + "a" * 20, "cred.other-service"),
        ("npm_" + "a" * 36, "cred.other-service"),
        ("AKIA" + "A" * 16, "cred.other-service"),
        ("hunter2", "cred.account-password"),
        ("correct horse battery staple", "cred.account-password"),
        ("pässwörd", "cred.account-password"),
        ("pypi2024!", "cred.account-password"),
        ("123456", "cred.account-password"),
    ],
)
def test_a_text_that_never_was_a_token_is_called_what_it_is(value: str, cause: str) -> None:
    assert damage(value).cause == cause


def test_what_pypi_ignores_is_a_remark_and_counted() -> None:
    """PyPI takes the standard alphabet, padding, and characters behind the signature."""
    value = text("pypi.org", *CAVEATS[1])
    assert token(value).remarks == ()
    longer = token(value + "Abcd")
    assert (longer.trailing, [one.cause for one in longer.remarks]) == (4, ["cred.trailing"])
    assert [one.cause for one in token(value + "==").remarks] == ["cred.trailing"]
    while not set("-_") & set(value[5:]):
        value = text()
    swapped = "pypi-" + value[5:].replace("-", "+").replace("_", "/")
    assert [one.cause for one in token(swapped).remarks] == ["cred.alphabet"]
    assert token(swapped).identifier == token(value).identifier


def test_an_identifier_that_is_no_uuid_is_damage() -> None:
    odd = macaroon.to_text(macaroon.create_macaroon("pypi.org", b"not-a-uuid", os.urandom(32)))
    assert damage(odd).cause == "cred.malformed"
    assert "identifier" in damage(odd).message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"[0,1900000000,1700000000]", (1900000000, 1700000000)),
        (b'{"exp":1900000000,"nbf":1700000000}', (1900000000, 1700000000)),
        (b'[1,["a","b"]]', ProjectNames(names=("a", "b"))),
        (b'{"version":1,"permissions":{"projects":["a"]}}', ProjectNames(names=("a",))),
        (b'[1,["a"],"more",7]', ProjectNames(names=("a",))),
        (b"[1, []]", ProjectNames(names=())),
        (dump([2, [USER]]), ProjectIds(ids=(USER,))),
        (dump({"project_ids": [USER]}), ProjectIds(ids=(USER,))),
        (dump([3, USER]), RequestUser(user_id=USER)),
        (b'{"version":1,"permissions":"user"}', RequestUser(user_id=None)),
        (dump([4, USER, None]), PublisherCaveat(publisher_id=USER)),
        (dump([4, USER, {"ref": "main"}]), PublisherCaveat(publisher_id=USER)),
        (b'[5,"p"]', "caveat has unknown tag: 5"),
        (b'["hello"]', "caveat has unknown tag: hello"),
        (b'[true,["a"]]', "caveat has unknown tag: True"),
        (b'[1,"a"]', "invalid values for fields"),
        (b'[1,["a",1]]', "invalid values for fields"),
        (b"[2,[7]]", "invalid values for fields"),
        (b"[3,null]", "invalid values for fields"),
        (b"[3,5]", "invalid values for fields"),
        (b'[4,"p","claims"]', "invalid values for fields"),
        (b"[0,true,false]", "invalid values for fields"),
        (b"[0,1.5,0]", "invalid values for fields"),
        (b'[0,"1900000000","0"]', "invalid values for fields"),
        (b"[0,1]", "Not enough values"),
        (b"[1]", "Not enough values"),
        (b"[4]", "Not enough values"),
        (b'{"version":2}', "caveat must be an array"),
        (b'{"version":1,"permissions":"all"}', "caveat must be an array"),
        (b'{"version":1,"exp":1900000000,"nbf":0}', "caveat must be an array"),
        (b'{"version":1,"permissions":{"projects":"a"}}', "invalid values for fields"),
        (b'{"nbf":"0","exp":"1"}', "invalid values for fields"),
        (b"{}", "caveat must be an array"),
        (b"5", "caveat must be an array"),
        (b'"user"', "caveat must be an array"),
        (b"[]", "caveat array cannot be empty"),
        (b"user = alice", "unknown error"),
        (b"[" * 100_000, "unknown error"),
    ],
)
def test_every_form_of_caveat_is_read(data: bytes, expected: object) -> None:
    """Tags 0 to 4, the older JSON objects, and what the index refuses in every case, in its words."""
    if isinstance(expected, str):
        expected = InvalidCaveat(text=data.decode(), refusal=expected)
    if isinstance(expected, tuple):
        end, start = (datetime.fromtimestamp(seconds, UTC) for seconds in expected)
        expected = Expiration(expires_at=end, not_before=start)
    assert token(text("pypi.org", data)).caveats == (expected,)


def test_a_time_beyond_all_calendars_is_cut_to_the_last_day() -> None:
    found = token(text("pypi.org", b"[0,99999999999999999999,-99999999999999999999]"))
    assert validity(found).expires_at is not None
    assert validity(found) == Validity(
        not_before=datetime(1, 1, 1, tzinfo=UTC), expires_at=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    ("caveats", "expected"),
    [
        ((), TokenScope(kind="unknown")),
        ((b"[0,1900000000,0]",), TokenScope(kind="unknown")),
        ((OWNER,), TokenScope(kind="account")),
        ((OWNER, b"[0,1900000000,0]"), TokenScope(kind="account")),
        ((b'[1,["b","a"]]', IDS), TokenScope(kind="projects", projects=("a", "b"), ids=(USER,))),
        ((b'[1,["a","b"]]', b'[1,["b","c"]]'), TokenScope(kind="projects", projects=("b",))),
        ((OWNER, b'[1,["a"]]'), TokenScope(kind="projects", projects=("a",))),
        ((OWNER, b'[1,["a"]]', b'[1,["b"]]'), TokenScope(kind="nothing", projects=())),
        ((OWNER, b"[1,[]]"), TokenScope(kind="nothing", projects=())),
        ((OWNER, b"[2,[]]"), TokenScope(kind="nothing", ids=(), ids_issued=False)),
        ((b'[1,["a"]]', IDS, b"[2,[]]"), TokenScope(kind="nothing", projects=("a",), ids=(), ids_issued=False)),
        ((IDS,), TokenScope(kind="projects", ids=(USER,), ids_issued=False)),
        ((OWNER, IDS), TokenScope(kind="projects", ids=(USER,), ids_issued=False)),
        ((b'[1,["a"]]', IDS, OWNER, IDS), TokenScope(kind="projects", projects=("a",), ids=(USER,))),
        ((PUBLISHER, IDS), TokenScope(kind="publisher", ids=(USER,))),
    ],
)
def test_the_scope_is_what_all_caveats_leave(caveats: tuple[bytes, ...], expected: TokenScope) -> None:
    assert scope(token(text("pypi.org", *caveats))) == expected


def test_an_attenuated_copy_allows_less_and_still_verifies() -> None:
    key, identifier = os.urandom(32), str(uuid.uuid4()).encode()
    value = macaroon.to_text(macaroon.create_macaroon("pypi.org", identifier, key, OWNER))
    now = datetime(2026, 11, 24, tzinfo=UTC)
    less = attenuate(
        Secret(f" {value}\n"),
        caveat.project_names("Acme_Widget"),
        caveat.expiration(now + timedelta(minutes=30), now),
    )
    found = decode(less)
    assert isinstance(found, Token)
    assert scope(found) == TokenScope(kind="projects", projects=("acme-widget",))
    assert validity(found) == Validity(not_before=now, expires_at=now + timedelta(minutes=30))
    import base64

    body = less.reveal().removeprefix("pypi-")
    whole, extra = macaroon.deserialize(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert whole.signed_by(key)
    assert extra == 0
    with pytest.raises(ValueError, match="no token"):
        attenuate(Secret("hunter2"))


def test_the_issuer_is_read_from_broken_tokens_too() -> None:
    """A damaged token must not go to a foreign host either."""
    for place in LOCATIONS:
        value = text(place)
        for broken in (value, value[:60], f'"{value}"', value.removeprefix("pypi-"), f"password = {value}"):
            assert issuer(Secret(broken)) == place
    for other in ("", "hunter2", "pypi-xxxx", "AgE", "pypi-AgEIcH", "AgE" + "_" * 50):
        assert issuer(Secret(other)) is None


@pytest.mark.parametrize("part", range(8))
def test_ten_thousand_tokens_read_as_the_other_implementation_reads_them(
    part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Location, identifier and caveats agree with pypitoken, wherever that can read them.

    It validates its own schemas again for each caveat, which takes nineteen twentieths of its time.
    """
    import jsonschema
    import pypitoken  # type: ignore[import-untyped] # it has no stubs

    monkeypatch.setattr(
        jsonschema, "validate", lambda instance, schema: jsonschema.Draft202012Validator(schema).validate(instance)
    )
    chance = random.Random(20261124 + part)  # noqa: S311 - a repeatable choice, no secret
    names = ["".join(chance.choices("abcdefghij", k=8)) for _ in range(20)]
    makers = (
        lambda: [0, chance.randrange(2**33), chance.randrange(2**33)],
        lambda: [1, chance.sample(names, chance.randrange(1, 4))],
        lambda: [2, [str(uuid.UUID(int=chance.getrandbits(128)))]],
        lambda: [3, str(uuid.UUID(int=chance.getrandbits(128)))],
        lambda: {"version": 1, "permissions": "user"},
        lambda: {"version": 1, "permissions": {"projects": chance.sample(names, 2)}},
        lambda: {"nbf": chance.randrange(2**33), "exp": chance.randrange(2**33)},
    )
    for _ in range(1_250):
        caveats = [json.dumps(chance.choice(makers)()).encode() for _ in range(chance.randrange(4))]
        identifier = str(uuid.UUID(int=chance.getrandbits(128)))
        value = macaroon.to_text(
            macaroon.create_macaroon(chance.choice(LOCATIONS), identifier.encode(), b"k" * 32, *caveats)
        )
        ours, theirs = token(value), pypitoken.Token.load(value)
        assert (ours.location, ours.identifier) == (theirs.domain, theirs.identifier) != ("", identifier[1:])
        assert [_as_theirs(one) for one in ours.caveats] == [_plain(one) for one in theirs.restrictions]


def _as_theirs(one: object) -> tuple[object, ...]:
    match one:
        case Expiration(expires_at=end, not_before=start):
            return (int(start.timestamp()), int(end.timestamp()))
        case ProjectNames(names=names):
            return names
        case ProjectIds(ids=ids):
            return ids
        case RequestUser(user_id=user):
            return (user,)
        case _:
            raise AssertionError(one)


def _plain(one: object) -> tuple[object, ...]:
    for names in (("not_before", "not_after"), ("project_names",), ("project_ids",), ("user_id",)):
        if all(hasattr(one, name) for name in names):
            values = [getattr(one, name) for name in names]
            return tuple(values[0]) if isinstance(values[0], list) else tuple(values)
    return (None,)


def test_ten_thousand_tokens_are_decoded_in_under_a_second() -> None:
    secrets = [Secret(text("pypi.org", *CAVEATS[2])) for _ in range(10_000)]
    began = time.process_time()
    for secret in secrets:
        decode(secret)
    assert time.process_time() - began < 1


@pytest.mark.parametrize("piece", [" ", "\t", "\\", "AgE", "a=", "${", "_", "é"])
def test_a_long_text_is_judged_in_linear_time(piece: str) -> None:
    begun = time.process_time()
    for before in ("", "pypi-", "pypi-AgEIcHlwaS5vcmc"):
        assert isinstance(decode(Secret(before + piece * (40_000 // len(piece)) + "!")), TokenDefect)
    assert time.process_time() - begun < 3


def test_a_length_that_base64_cannot_have_is_counted() -> None:
    made = fake_tokens.token()
    extra = next(count for count in range(1, 5) if (len(made) - len("pypi-") + count) % 4 == 1)
    found = decode(Secret(made + "a" * extra))
    assert isinstance(found, TokenDefect)
    noun = "character" if extra == 1 else "characters"
    assert found.message == f"the signature of the token is followed by {extra} {noun} too many"


def test_a_token_is_decoded_once_however_often_it_is_asked_for() -> None:
    decode.cache_clear()
    text = fake_tokens.token()
    assert decode(Secret(text)) is decode(Secret(text))
    assert decode.cache_info().misses == 1
