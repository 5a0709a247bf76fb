"""Addresses of an index as people write them: which index they mean, what is wrong with them, how they are shown."""

from __future__ import annotations

import pytest

from release.core.models.index import PYPI, RETIRED_HOSTS, TESTPYPI
from release.credentials.sources import base

ACME = "https://acme.test/legacy/"
RETIRED = f"https://{next(iter(RETIRED_HOSTS))}/pypi"


@pytest.mark.parametrize(
    ("url", "upload_url", "problem", "alone", "cause"),
    [
        (RETIRED, PYPI.upload_url, "is a retired address", "would be refused there", "url.legacy-domain"),
        (PYPI.upload_url.removeprefix("https://"), PYPI.upload_url, "does not begin with 'https://'",
         "would stop at it", "url.no-scheme"),
        ("http://acme.test/legacy/", ACME, "is plain http", "would send the token unencrypted", "url.http"),
        (PYPI.upload_url.replace("https", "http"), PYPI.upload_url, "is plain http",
         "would, too, but other tools would send the token unencrypted", "url.http"),
        (PYPI.simple_url.replace("https", "http"), PYPI.upload_url, "is plain http",
         "would send the token unencrypted", "url.http"),
        (ACME.rstrip("/"), ACME, "has no final slash", "would be redirected, and stop", "url.no-trailing-slash"),
        (PYPI.simple_url, PYPI.upload_url, "is not the upload address", "would be refused there",
         "url.simple-or-root"),
    ],
)  # fmt: skip
def test_the_worst_mistake_in_an_address(url: str, upload_url: str, problem: str, alone: str, cause: str) -> None:
    assert base.is_same(url, upload_url)
    (found,) = base.remarks_on(url, upload_url, "where", "do")
    assert found.message == f"{url!r} {problem}: pypi-preflight uploads to {upload_url!r}; twine alone {alone}"
    assert (found.remedy, found.where, found.cause, found.severity) == ("do", "where", cause, "warn")


@pytest.mark.parametrize(
    ("url", "upload_url"),
    [
        (ACME, ACME),
        (PYPI.upload_url, PYPI.upload_url),
        (PYPI.upload_url.replace("upload", "UPLOAD").replace("org/", "org:443/"), PYPI.upload_url),
        ("http://127.0.0.1:8080/legacy/", "http://127.0.0.1:8080/legacy/"),
    ],
)
def test_an_address_without_a_mistake(url: str, upload_url: str) -> None:
    assert base.is_same(url, upload_url)
    assert list(base.remarks_on(url, upload_url, "where", "do")) == []


def test_a_login_in_an_address_is_not_shown() -> None:
    (found,) = base.remarks_on("https://ann:x@acme.test/legacy/", ACME, "where", "do")
    assert (
        found.message == f"the address {ACME!r} contains a login, which pypi-preflight does not read and logs may show"
    )
    assert (found.remedy, found.where, found.cause) == ("do", "where", "url.credentials")
    assert list(base.remarks_on("https://acme.test/a@b/", "https://acme.test/a@b/", "w", "d")) == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://ann:x@acme.test:80/a?b#c", "https://acme.test:80/a?b#c"),
        ("https://a@b:x@acme.test/", "https://acme.test/"),
        ("https:/ann:x@acme.test/", "https:/acme.test/"),
        ("https://[::1", "…"),
        ("acme", "acme"),
        ("ann:x@acme.test/", "acme.test/"),
        ("Ann:x@acme.test:80/legacy/", "acme.test:80/legacy/"),
        ("https-user:x@acme.test/", "acme.test/"),
        ("ann@acme.test", "acme.test"),
        ("https:ann:x@acme.test/", "https:acme.test/"),
        ("https//ann:x@acme.test/", "https//acme.test/"),
        ("//ann:x@acme.test/", "//acme.test/"),
        ("acme.test/a@b", "acme.test/a@b"),
    ],
)
def test_an_address_is_shown_without_its_login(url: str, expected: str) -> None:
    assert base.without_user(url) == expected


@pytest.mark.parametrize(
    ("url", "upload_url", "expected"),
    [
        (PYPI.simple_url, PYPI.upload_url, True),
        (TESTPYPI.simple_url, PYPI.upload_url, False),
        (RETIRED, PYPI.upload_url, True),
        ("htps://acme.test/legacy", ACME, True),
        ("https:/acme.test/legacy", ACME, True),
        ("https//acme.test/legacy", ACME, True),
        ("//acme.test/LEGACY", ACME, True),
        ("http://ann:x@acme.test/legacy", ACME, True),
        ("https://acme.test/", ACME, False),
        ("https://other.test/legacy/", ACME, False),
    ],
)
def test_which_index_an_address_means(url: str, upload_url: str, expected: bool) -> None:
    assert base.is_same(url, upload_url) is expected
