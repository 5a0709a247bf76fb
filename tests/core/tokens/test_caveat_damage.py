"""A changed character in the caveats of a token is found, or leaves what an index could have issued."""

from __future__ import annotations

import base64
import json
import os
import re
import string
import uuid
from datetime import UTC, datetime

import pytest

from release.checks import engine
from release.checks.credential_checks import CHECKS
from release.core.models.index import is_project_name, normalize_name
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.core.tokens.caveat_damage import caveat_damage
from release.core.tokens.caveats import parse_caveat
from release.core.tokens.defects import TokenDefect
from release.core.tokens.token import decode
from tests.checks.test_token_checks import access

NOW = datetime.fromtimestamp(1_800_000_000, UTC)
ALPHABET = string.ascii_letters + string.digits + "-_"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def user() -> str:
    return str(uuid.uuid4())


#: kind → caveats as an index issues them, then what a holder adds
SOUND = {
    "account": lambda: [compact([3, user()])],
    "project": lambda: [compact([1, ["acme-widget"]]), compact([2, [user()]])],
    "publisher": lambda: [
        compact([4, user(), None]), compact([2, [user(), user()]]), compact([0, 1_800_000_900, 1_799_999_999])
    ],
    "account, limited in time": lambda: [compact([3, user()]), compact([0, 1_987_654_321, 1_712_345_678])],
    "account, limited by a tool that writes spaces": lambda: [
        compact([3, user()]), json.dumps([1, ["acme-widget", "acme"]]).encode(),
        json.dumps([0, 1_987_654_321, 1_712_345_678]).encode(),
    ],
    "older forms": lambda: [
        b'{"version":1,"permissions":"user"}', b'{"version":1,"permissions":{"projects":["acme-widget"]}}',
        b'{"nbf":1712345678,"exp":1987654321}',
    ],
    "older forms, with spaces": lambda: [
        b'{"version": 1, "permissions": {"projects": ["acme-widget"]}}', b'{"nbf": 1712345678, "exp": 1987654321}',
    ],
}  # fmt: skip


def could_be_issued(data: bytes) -> bool:
    """Whether an index, or a holder with the tools that there are, makes this caveat."""
    try:
        value = json.loads(data)
    except ValueError:
        return False
    if data not in {compact(value), json.dumps(value).encode()}:
        return False
    match value:
        case [0, int(end), int(start)]:
            return len(str(end)) == len(str(start)) == 10 and start < end
        case [1, [*names]] | {"version": 1, "permissions": {"projects": [*names]}}:
            # a holder may add other spellings, of which the index takes no notice
            return all(map(is_project_name, names)) and any(name == normalize_name(name) for name in names)
        case [2, [*ids]]:
            return bool(ids) and all(map(UUID.fullmatch, ids))
        case [3, str(one)] | [4, str(one), None]:
            return UUID.fullmatch(one) is not None
        case {"nbf": int(start), "exp": int(end)}:
            return len(str(end)) == len(str(start)) == 10 and start < end
        case _:
            return bool(value == {"version": 1, "permissions": "user"})


def token(*caveats: bytes) -> str:
    return macaroon.to_text(macaroon.create_macaroon("pypi.org", user().encode(), os.urandom(32), *caveats))


def is_reported(value: str) -> bool:
    """Whether `verify --offline` reports anything about the token for its project."""
    facts = access(value, now=NOW)
    return any(one.findings for one in engine.run(CHECKS, facts))


@pytest.mark.parametrize("kind", SOUND)
def test_each_changed_character_is_found_or_leaves_a_sound_caveat(kind: str) -> None:
    value = token(*SOUND[kind]())
    assert not is_reported(value), "the token itself is sound"
    start = len(token()) - len("pypi-") - 48  # the caveats follow the identifier, and precede the signature
    for at in range(len("pypi-") + start, len(value) - 48):
        for one in ALPHABET:
            changed = value[:at] + one + value[at + 1 :]
            if changed == value or isinstance(decode(Secret(changed)), TokenDefect) or is_reported(changed):
                continue
            data = base64.urlsafe_b64decode(changed[5:] + "=" * (-len(changed[5:]) % 4))
            found, _ = macaroon.deserialize(data)
            assert all(map(could_be_issued, found.caveats)), (at, found.caveats)


@pytest.mark.parametrize(
    ("caveat", "message"),
    [
        (b'[3,"alice"]', "the user identifier in caveat 1 is not a UUID"),
        (b'[3,"%s"]' % user().upper().encode(), "the user identifier in caveat 1 is not a UUID"),
        (b'[3,"%s"]' % uuid.uuid4().hex.encode(), "the user identifier in caveat 1 is not a UUID"),
        (b'[2,["acme-widget"]]', "a project identifier in caveat 1 is not a UUID"),
        (b'[4,"acme",null]', "the publisher identifier in caveat 1 is not a UUID"),
        (b'[4,"%s"]' % user().encode(), "the tag of caveat 1 is not the one that belongs to its fields"),
        (b'[3,"%s",null]' % user().encode(), "the tag of caveat 1 is not the one that belongs to its fields"),
        (b'[1,["acme widget"]]', "a project name in caveat 1 contains characters that no name has"),
        (b'[1,["acme-widget-"]]', "a project name in caveat 1 contains characters that no name has"),
        (b'[1,["acm\xc3\xa9"]]', "a project name in caveat 1 contains characters that no name has"),
        (b'[1,["acme"}', "caveat 1 is not valid JSON"),
        (b'{1,["acme"]]', "caveat 1 is not valid JSON"),
        (b"\xff\x00", "caveat 1 is not valid JSON"),
        (b"[0,1987654321,171234,678]", "a time in caveat 1 has lost a digit"),
        (b"[0,1987654321,-712345678]", "a time in caveat 1 has lost a digit"),
        (b"[0,1987654321, 712345678]", "a time in caveat 1 has lost a digit"),
        (b"[0, 1987654321,-1712345678]", "a space in caveat 1 is another character"),
        (b"[0,51987654321, 1712345678]", "a space in caveat 1 is another character"),
        (b'[1, ["acme",\n"widget"]]', "a space in caveat 1 is another character"),
    ],
)
def test_damage_is_named_with_its_place(caveat: bytes, message: str) -> None:
    found = decode(Secret(token(caveat)))
    assert isinstance(found, TokenDefect), found
    assert (found.cause, found.message) == ("cred.malformed", f"the token is damaged: {message}")


@pytest.mark.parametrize(
    "caveat",
    [
        b"[0,1987654321,0]", b"[0, 1987654321, 946684800]", b"[0,1987654321,946684800]", b"[0,1987654321,-1]",
        b"[0,1987654321,1712345678,7]", b'[1,["Acme.Widget"]]', b'[9,"x"]', b"user = alice", b"[1]",
        b'[1,["acme"],null]', b"[0,1987654321, 1712345678]", b"[0, 99999999999,1712345678]", b'[1,\n  ["acme"]\n]',
    ],
)  # fmt: skip
def test_what_a_holder_can_have_added_is_no_damage(caveat: bytes) -> None:
    assert not isinstance(decode(Secret(token(caveat))), TokenDefect)


@pytest.mark.parametrize(
    ("data", "damage"),
    [
        (b'[9,\t"a"]', "a space in caveat 1 is another character"),
        (b'[9, "a"]', None),
        (b'[9,\t"\\u00e4"]', None),  # an escape: Python writes such a text otherwise, and PyPI never
    ],
)
def test_a_space_that_became_another_character(data: bytes, damage: str | None) -> None:
    assert caveat_damage([data], [parse_caveat(data)]) == damage
