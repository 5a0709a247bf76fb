"""Where the credential for an upload comes from: every source is queried as twine would query it.

The order is twine's: environment, `.pypirc`, keyring, and trusted publishing where none of them has a password.
There are two differences. Because one run uploads to several indexes, a token is only sent to the index that issued
it, so a token of another index is skipped and the next source is queried. And of the keyring's entries, the project's
own comes before the one that twine reads.

To add a source, write a module that implements `CredentialSource` and add it to `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from release.core.models.check_result import Finding, Unknown
from release.core.models.credential import Ambient, Credential, CredentialCandidate, Resolution, StoredSecret
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.secret_location import (
    DEFAULT_USERNAME,
    ConfigFileKey,
    EnvironmentVariable,
    KeyringEntry,
    SecretLocation,
    location_to_text,
)
from release.core.secret import Secret
from release.core.tokens.token import issuer, location_matches
from release.credentials.sources import (
    base,
    configured_locations,
    environment,
    keyring,
    poetry,
    pypirc,
    tool_variables,
    trusted_publishing,
)
from release.credentials.sources.base import (
    BrokenSourceError,
    CredentialSource,
    SourceQuery,
    SourceResult,
    StorageQuery,
)

#: in the order in which twine reads them; then those that only other tools read
SOURCES: Mapping[str, CredentialSource] = MappingProxyType({
    "environment": environment,
    "pypirc": pypirc,
    "keyring": keyring,
    "trusted publishing": trusted_publishing,
    "tool variables": tool_variables,
    "poetry": poetry,
    "configured": configured_locations,
})  # fmt: skip

_USERNAME = "__token__"

#: what can be the reason why nothing was found, the likeliest first
_REASONS = (
    "pypirc.testpypi-under-pypi",
    "cred.wrong-index",
    "pypirc.malformed",
    "pypirc.section-unlisted",
    "pypirc.repository-mismatch",
    "keyring.service-mismatch",
    "keyring.username-mismatch",
    "keyring.other-project",
    "src.wrong-env-name",
    "pypirc.not-found",
    "cred.missing",
)


def resolve(query: SourceQuery) -> Resolution:
    """The credential for an index, and all other credentials that are stored for it."""
    search = _Search(index=query.index)
    required = _USERNAME if base.is_known_to_twine(query.index) else None
    for source in SOURCES.values():
        used = search.password.origin if search.password else None
        try:
            search.add(source.find(replace(query, username=search.username or required, used=used)))
        except BrokenSourceError as error:
            search.remarks += (base.warning(error.message, error.remedy, error.where, error.cause),)
    return search.result()


def locate_secrets(query: StorageQuery) -> tuple[StoredSecret, ...]:
    """Every secret that is stored for an index, the one that an upload would use first."""
    credential = query.resolved.credential
    used = credential.password if isinstance(credential, Credential) else None
    found: dict[SecretLocation, StoredSecret] = {}
    for source in SOURCES.values():
        for one in source.locate(query):
            found.setdefault(one.location, one)
    return tuple(sorted(found.values(), key=lambda one: one.secret != used))


@dataclass(slots=True, kw_only=True)
class _Search:
    """What has been found so far."""

    index: Index
    username: str | None = None
    username_origin: SecretLocation | None = None
    password: CredentialCandidate | None = None
    unknown: Unknown | None = None
    ambient: Ambient | None = None
    candidates: tuple[CredentialCandidate, ...] = ()
    remarks: tuple[Finding, ...] = ()
    #: remarks that only matter where no credential is found
    minor_remarks: tuple[Finding, ...] = ()

    def add(self, result: SourceResult | Unknown | None) -> None:
        """Use from the next source what is still missing."""
        if isinstance(result, Unknown):
            self.unknown = result
        elif result is not None:
            self.remarks += result.remarks
            for one in result.own:
                self._add_own(one)
            if self.username is None and result.username is not None:
                self.username, self.username_origin = result.username, result.username_origin
            if result.password is not None and result.origin is not None:
                self._add_password(result.origin, result.password)
            if result.ambient is not None and self.password is None and self.unknown is None:
                self.ambient = result.ambient
            for one in result.candidates:
                self.candidates += (one,)
                if self.password is None and _may_be_sent(one.password, self.index):
                    self.remarks += (_other_tool(one, self.index),)

    def result(self) -> Resolution:
        """The result of all sources together."""
        found = self._credential(self.password) if self.password else self.ambient
        remarks = self.remarks
        if found is None and not self.unknown:
            remarks = _with_reason(remarks)
        elif found is not None and not (isinstance(found, Ambient) and isinstance(found.identity, Finding)):
            remarks = tuple(self._relevant_remarks())
        can_store = self.unknown is None and all(one.cause != "keyring.no-backend" for one in self.remarks)
        return Resolution(
            credential=found or self.unknown, candidates=self.candidates, remarks=remarks, can_store=can_store
        )

    def _credential(self, password: CredentialCandidate) -> Credential:
        username = self.username
        if username is None or (not username and base.is_known_to_twine(self.index)):
            username = _USERNAME
        return Credential(
            username=username,
            username_origin=self.username_origin or DEFAULT_USERNAME,
            password=password.password,
            origin=password.origin,
        )

    def _relevant_remarks(self) -> Iterator[Finding]:
        """The remarks where a credential was found.

        A variable applies to every index, so a token of another index in it is then no mistake; and an upload that
        has a password needs no keyring.
        """
        for one in self.remarks:
            if one.cause != "keyring.no-backend" and one not in self.minor_remarks:
                yield one
        if self.unknown:
            yield base.warning(self.unknown.reason, self.unknown.remedy, "keyring", self.unknown.cause)

    def _add_own(self, one: CredentialCandidate) -> None:
        """Use a project's own token, with the username for tokens; or note what only twine would send."""
        if one.status == "twine-only":
            self.candidates += (one,)
            return
        self._add_password(one.origin, one.password, one.tool)
        if self.password is not None and self.password.origin == one.origin and self.username is None:
            self.username, self.username_origin = _USERNAME, DEFAULT_USERNAME

    def _add_password(self, origin: SecretLocation, password: Secret, tool: str = "twine") -> None:
        candidate = CredentialCandidate(origin=origin, password=password, status="other-index", tool=tool)
        if not _may_be_sent(password, self.index):
            self.candidates += (candidate,)
            remark = _wrong_index(origin, password, self.index)
            self.remarks += (remark,)
            self.minor_remarks += (remark,) * isinstance(origin, EnvironmentVariable)
        elif self.password is None:
            self.password = replace(candidate, status="used")
            self.candidates += (self.password,)
        else:
            # the keyring's entries for one project and for the account stand side by side on purpose
            from_keyring = [one for one in self.candidates if isinstance(one.origin, KeyringEntry)]
            expected = isinstance(origin, KeyringEntry) and from_keyring
            self.candidates += (replace(candidate, status="shadowed"),)
            if password != self.password.password and not expected:
                here, there = location_to_text(self.password.origin), location_to_text(origin)
                self.remarks += (base.warning(
                    f"{here} is used; {there} has another secret and is not used",
                    f"remove the one that is out of date: {here}, or {there}", here, "src.env-shadows",
                ),)  # fmt: skip


def _may_be_sent(password: Secret, index: Index) -> bool:
    location = issuer(password)
    return location is None or location_matches(location, index)


def _with_reason(remarks: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The remark that explains why there is no credential first, and blocking."""
    for cause in _REASONS:
        for reason in remarks:
            if reason.cause == cause:
                return (replace(reason, severity="block"), *(one for one in remarks if one is not reason))
    return remarks


def _wrong_index(origin: SecretLocation, password: Secret, index: Index) -> Finding:
    where = location_to_text(origin)
    copied = isinstance(origin, ConfigFileKey) and index == PYPI and issuer(password) == TESTPYPI.token_location
    return base.warning(
        f"the token in {where} was issued by {issuer(password)!r}, not by {index.token_location!r}",
        f"python -m release store --index {index.name}",
        where, "pypirc.testpypi-under-pypi" if copied else "cred.wrong-index",
    )  # fmt: skip


def _other_tool(one: CredentialCandidate, index: Index) -> Finding:
    where = location_to_text(one.origin)
    reader = "which no upload tool reads" if one.tool == "no tool" else f"which only {one.tool} reads"
    if isinstance(one.origin, EnvironmentVariable):
        remedy = f'for an upload to {index.name}: export TWINE_USERNAME={_USERNAME} TWINE_PASSWORD="${one.origin.name}"'
        return base.warning(f"{where} is set, {reader}", remedy, where, "src.wrong-env-name")
    return base.warning(
        f"{where} has a token, {reader}",
        f"store it where uploads look for it: python -m release store --index {index.name}", where, "cred.missing",
    )  # fmt: skip
