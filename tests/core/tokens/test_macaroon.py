"""The wire format, against the library that PyPI runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

import pymacaroons
import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.tokens import macaroon
from release.core.tokens.macaroon import MalformedError

TEXT = st.text(min_size=1, max_size=300).map(str.encode)


@given(
    location=st.text(max_size=30),
    identifier=st.uuids(),
    caveats=st.lists(TEXT, max_size=4),
    key=st.binary(min_size=32, max_size=32),
)
def test_minted_as_pymacaroons_mints(location: str, identifier: object, caveats: list[bytes], key: bytes) -> None:
    ours = macaroon.create_macaroon(location, str(identifier).encode(), key, *caveats)
    theirs = pymacaroons.Macaroon(location=location, identifier=str(identifier), key=key, version=2)
    for caveat in caveats:
        theirs.add_first_party_caveat(caveat.decode())
    assert ours.signature.hex() == theirs.signature
    assert macaroon.deserialize(ours.serialize()) == (ours, 0)
    assert macaroon.to_text(ours, prefix="") == theirs.serialize()
    assert ours.signed_by(key)
    assert not ours.signed_by(bytes(32) if key != bytes(32) else bytes(31) + b"1")


def test_anybody_can_limit_and_nobody_can_widen() -> None:
    key = os.urandom(32)
    whole = macaroon.create_macaroon("127.0.0.1", b"id", key, b"[3]")
    less = whole.attenuate(b"[0]")
    assert less.signed_by(key)
    widened = macaroon.Macaroon(
        location=less.location, identifier=less.identifier, caveats=less.caveats[:-1], signature=less.signature
    )
    assert not widened.signed_by(key)


@given(data=st.binary(max_size=120))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    for candidate in (data, b"\x02" + data):
        with contextlib.suppress(MalformedError):
            assert macaroon.deserialize(candidate)[0].signature


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_cut_is_found_and_measured(cut: int) -> None:
    data = macaroon.create_macaroon("127.0.0.1", b"5" * 36, os.urandom(32), b"[3]").serialize()
    with pytest.raises(MalformedError) as caught:
        macaroon.deserialize(data[:-cut])
    assert caught.value.missing > 0
    if cut <= 32:
        assert (caught.value.field, caught.value.missing) == ("signature", cut)


@pytest.mark.parametrize(
    ("changed", "is_read"),
    [
        (lambda text: text[:20] + "==" + text[20:], True),
        (lambda text: text[:20] + "=" + text[20:], False),
        (lambda text: text[:20] + "====" + text[20:], True),
        (lambda text: text[:20] + "\n\n\n\n" + text[20:], True),
        (lambda text: text[:20] + "\n" + text[20:], False),
        (lambda text: text + "===", True),
    ],
)
def test_padding_within_a_token_is_skipped_on_every_python(changed: Callable[[str], str], is_read: bool) -> None:
    """The length decides how much padding is added at the end. Recorded: pymacaroons 0.13.0, Python 3.14, 2026-11."""
    text = macaroon.to_text(macaroon.create_macaroon("pypi.example", b"i" * 36, bytes(32), b"[3]"))
    assert len(text.removeprefix("pypi-")) % 4 == 3
    assert (macaroon.deserialize_leniently(changed(text)) is not None) == is_read
