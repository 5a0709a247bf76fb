"""Copies of a token that allow less."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from release.core.models.credential import Credential
from release.core.models.secret_location import EnvironmentVariable
from release.core.secret import Secret
from release.core.tokens import macaroon
from release.core.tokens.caveats import Expiration, ProjectNames
from release.core.tokens.token import Token, attenuate_for_upload, decode, expired_copy, limited_copy, scope, validity

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HERE = EnvironmentVariable(name="TWINE_PASSWORD")


def token() -> Secret:
    return Secret(
        macaroon.to_text(
            macaroon.create_macaroon(
                "pypi.org", str(uuid.uuid4()).encode(), os.urandom(32), b'{"version":1,"permissions":"user"}'
            )
        )
    )


def read(secret: Secret) -> Token:
    found = decode(secret)
    assert isinstance(found, Token)
    return found


def credential(password: Secret) -> Credential:
    return Credential(username="__token__", username_origin=HERE, password=password, origin=HERE)


def test_a_copy_keeps_what_the_token_says_and_adds_its_limits() -> None:
    whole = token()
    copy = read(limited_copy(whole, "Acme.Widget", now=NOW, lasts=timedelta(minutes=30)))
    assert (copy.location, copy.identifier) == (read(whole).location, read(whole).identifier)
    assert copy.caveats[:-2] == read(whole).caveats
    assert copy.caveats[-2] == ProjectNames(names=("acme-widget",))
    assert scope(copy).projects == ("acme-widget",)
    assert validity(copy).expires_at == NOW + timedelta(minutes=30)


def test_an_expired_copy_was_valid_for_the_first_second_there_was() -> None:
    (limit,) = (one for one in read(expired_copy(token())).caveats if isinstance(one, Expiration))
    assert (limit.not_before.timestamp(), limit.expires_at.timestamp()) == (0, 1)


def test_blanks_and_surplus_characters_do_not_travel() -> None:
    whole = token()
    odd = Secret(f" {whole.reveal()}Abcd\n")
    assert expired_copy(odd) == expired_copy(whole)


@pytest.mark.parametrize("text", ["", "hunter2", "pypi-", "pypi-AgEI"])
def test_what_is_no_token_has_no_copy_and_is_used_as_it_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        expired_copy(Secret(text))
    same = credential(Secret(text))
    assert attenuate_for_upload(same, "acme", now=NOW, lasts=timedelta(minutes=1)) is same


def test_a_credential_keeps_its_places() -> None:
    whole = credential(token())
    copy = attenuate_for_upload(whole, "acme", now=NOW, lasts=timedelta(minutes=1))
    assert copy.password != whole.password
    assert (copy.username, copy.username_origin, copy.origin) == (whole.username, whole.username_origin, whole.origin)
