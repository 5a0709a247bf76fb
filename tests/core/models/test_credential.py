"""What twine itself would use in place of a project's own token."""

from __future__ import annotations

import pytest

from release.core.models.credential import Credential, CredentialCandidate, twine_alone_to_text, used_by_twine
from release.core.models.secret_location import (
    DEFAULT_USERNAME,
    EnvironmentVariable,
    KeyringEntry,
    SandboxToken,
    SecretLocation,
)
from release.core.secret import Secret

OWN = KeyringEntry(service="pypi", username="__token__:acme")
VARIABLE = EnvironmentVariable(name="TWINE_PASSWORD")


def candidate(origin: SecretLocation, status: str = "shadowed", tool: str = "twine") -> CredentialCandidate:
    return CredentialCandidate(origin=origin, password=Secret("x"), status=status, tool=tool)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("origin", "others", "expected"),
    [
        (OWN, (), "twine alone would find no credential: it does not read the entry of a single project"),
        (OWN, (candidate(OWN, "used", "pypi-preflight"),),
         "twine alone would find no credential: it does not read the entry of a single project"),
        (OWN, (candidate(VARIABLE, tool="uv"), candidate(VARIABLE), candidate(SandboxToken())),
         "twine alone would use $TWINE_PASSWORD"),
        (OWN, (candidate(KeyringEntry(service="pypi", username="ada"), "twine-only"),),
         "twine alone would send the username 'ada', unless TWINE_USERNAME is set"),
        (OWN, (candidate(VARIABLE, "twine-only"),), "twine alone would use $TWINE_PASSWORD"),
        (OWN, (candidate(KeyringEntry(service="pypi", username="ada")),),
         "twine alone would use keyring, service 'pypi', user 'ada'"),
        (VARIABLE, (candidate(VARIABLE),), ""),
        (VARIABLE, (), ""),
    ],
)  # fmt: skip
def test_what_twine_alone_would_use(
    origin: SecretLocation, others: tuple[CredentialCandidate, ...], expected: str
) -> None:
    own = Credential(username="__token__", username_origin=DEFAULT_USERNAME, password=Secret("x"), origin=origin)
    assert twine_alone_to_text(own, others) == expected
    first = used_by_twine(others)
    assert first == next(iter([one for one in others if one.tool == "twine"]), None)
