"""What a refused exchange says of the project on the index."""

from __future__ import annotations

import pytest

from release.adapters import collect
from release.adapters.oidc.provider import ExchangeRefusal
from release.core.models.check_result import Unknown
from release.core.models.index import ProjectListing
from release.core.models.oidc_identity import OidcIdentity
from release.core.secret import Secret
from release.credentials.exchange import describe_refusal
from tests.fake_system import LASTING

IDENTITY = OidcIdentity(provider="GitHub", audience="pypi", token=Secret("a.b.c"), claims={})


@pytest.mark.parametrize(
    ("listing", "exists"),
    [
        (ProjectListing(name="acme", files=()), True),
        (None, False),
        (Unknown(reason="no answer", remedy="wait"), None),
    ],
)
def test_whether_the_project_exists_is_known_unknown_or_denied(
    monkeypatch: pytest.MonkeyPatch, listing: ProjectListing | Unknown | None, *, exists: bool | None
) -> None:
    monkeypatch.setattr(collect, "collect_listing", lambda *words: listing if words == (LASTING, "acme") else 1)
    answer = ExchangeRefusal(status=422, code="invalid-publisher", description="no publisher")
    found = describe_refusal(LASTING, "acme", IDENTITY, answer)
    assert (found.index, found.project, found.identity, found.exists) == (LASTING, "acme", IDENTITY, exists)
    assert (found.status, found.code, found.description) == (422, "invalid-publisher", "no publisher")
    assert found.published is None
