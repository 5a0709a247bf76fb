"""Where the credential for an upload comes from.

The order is twine's: environment, `.pypirc`, keyring, and trusted publishing where none of them has a password.
There are three differences. Because one run uploads to several indexes, a token is only sent to the index that issued
it, so a token of another index is skipped and the next source is queried; and TWINE_REPOSITORY_URL does not make it
skip `.pypirc`. And of the keyring's entries, the project's own comes before the one that twine reads. Where twine alone
would therefore do something else, a remark names both.

To add a source, write a module that implements `CredentialSource` and add it to `SOURCES`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

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
from release.core.shell import quote_word
from release.core.tokens.token import contains_token, issuer, location_matches
from release.credentials.sources import (
    base,
    configured_locations,
    environment,
    keyring,
    misplaced_tokens,
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

if TYPE_CHECKING:
    from release.core.secret import Secret

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

#: a token of the index was found, where an upload does not read it; the most certain first
_FOUND_ELSEWHERE = (
    "cred.swapped",
    "url.credentials",
    "pypirc.indented",
    "pypirc.section-misspelled",
    "pypirc.key-misspelled",
    "keyring.service-mismatch",
    "keyring.username-mismatch",
    "keyring.other-project",
    "cred.username-not-token",
    "src.wrong-env-name",
    "env.not-forwarded",
    "pypirc.commented-out",
)
#: what can be the reason why nothing was found, the likeliest first
_REASONS = (
    "pypirc.testpypi-under-pypi",
    "cred.wrong-index",
    "pypirc.malformed",
    "pypirc.section-unlisted",
    "pypirc.repository-mismatch",
    *_FOUND_ELSEWHERE,
    "pypirc.not-found",
    "src.password-missing",
    "cred.missing",
)
#: the same where a CI service runs this job, but issues no identity for it
_REASONS_IN_CI = ("pypirc.testpypi-under-pypi", "cred.wrong-index", *_FOUND_ELSEWHERE, "src.password-missing")


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
    if search.is_unsuccessful():
        search.add_misplaced(query)
    elif search.password is not None:
        search.remarks += tuple(environment.passed_over_by_twine(query, search.password.origin))
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


class _Search(Struct, kw_only=True):
    """What has been found so far."""

    index: Index
    username: str | None = None
    username_origin: SecretLocation | None = None
    password: CredentialCandidate | None = None
    unknown: Unknown | None = None
    ambient: Ambient | None = None
    candidates: tuple[CredentialCandidate, ...] = ()
    remarks: tuple[Finding, ...] = ()
    #: the tokens of other indexes that twine alone would send
    sent_by_twine: tuple[Finding, ...] = ()

    def add(self, result: SourceResult | Unknown | None) -> None:
        """Use from the next source what is still missing."""
        if isinstance(result, Unknown):
            self.unknown = result
        elif result is not None:
            self.remarks += result.remarks
            for one in result.own:
                self._add_own(one)
            # A token as a username, which would be shown, is reported by the source.
            if self.username is None and result.username is not None and not contains_token(result.username):
                self.username, self.username_origin = result.username, result.username_origin
            if result.password is not None and result.origin is not None:
                self._add_password(result.origin, result.password)
            if result.ambient is not None and self.password is None and self.unknown is None:
                self.ambient = result.ambient
            for one in result.candidates:
                self.candidates += (one,)
                if self.password is None and _may_be_sent(one.password, self.index):
                    self.remarks += (_other_tool(one, self.index),)

    def is_unsuccessful(self) -> bool:
        """Whether nothing was found that an upload could use."""
        return self.password is None and (self.ambient is None or isinstance(self.ambient.identity, Finding))

    def add_misplaced(self, query: SourceQuery) -> None:
        """Add what is stored where no source looks; it replaces what a source says of the same place."""
        reported = {one.origin.path for one in self.candidates if isinstance(one.origin, ConfigFileKey)}
        variables = tuple(misplaced_tokens.find_misplaced_variables(query))
        self.candidates += variables
        in_variables = (_other_tool(one, self.index) for one in variables)
        found = (*in_variables, *misplaced_tokens.find_misplaced_tokens(query, reported))
        # The password may be where it could not be read, or be a token of another index.
        if not found and not self.unknown and not self.sent_by_twine:
            found = tuple(misplaced_tokens.find_username_alone(query))
        places = {one.where for one in found}
        self.remarks = (*(one for one in self.remarks if one.where not in places), *found)

    def result(self) -> Resolution:
        """The result of all sources together."""
        found = self._credential(self.password) if self.password else self.ambient
        remarks = self.remarks
        if not self.is_unsuccessful():
            remarks = tuple(self._relevant_remarks())
        elif not self.unknown:
            remarks = _with_reason(remarks, _REASONS if found is None else _REASONS_IN_CI)
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
        """The remarks where a credential was found: an upload that has a password needs no keyring."""
        used = location_to_text(self.password.origin) if self.password else "trusted publishing"
        for one in self.remarks:
            if one in self.sent_by_twine:
                message = f"{one.message}: pypi-preflight skips it and uses {used}; twine alone would send it"
                variable = one.where if one.where and one.where.startswith("$") else None
                remedy = f"unset {variable[1:]}" if variable else one.remedy
                yield replace(one, message=message, remedy=remedy)
            elif one.cause != "keyring.no-backend":
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
            self.sent_by_twine += (remark,) * (self.password is None)
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


def _with_reason(remarks: tuple[Finding, ...], reasons: Sequence[str]) -> tuple[Finding, ...]:
    """The remark that explains why there is no credential first, and blocking."""
    for cause in reasons:
        for reason in remarks:
            if reason.cause == cause:
                return (replace(reason, severity="block"), *(one for one in remarks if one is not reason))
    return remarks


def _wrong_index(origin: SecretLocation, password: Secret, index: Index) -> Finding:
    where = location_to_text(origin)
    copied = isinstance(origin, ConfigFileKey) and index == PYPI and issuer(password) == TESTPYPI.token_location
    return base.warning(
        f"the token in {where} was issued by {issuer(password)!r}, not by {index.token_location!r}",
        f"pypi-preflight store --index {quote_word(index.name)}",
        where, "pypirc.testpypi-under-pypi" if copied else "cred.wrong-index",
    )  # fmt: skip


def _other_tool(one: CredentialCandidate, index: Index) -> Finding:
    where = location_to_text(one.origin)
    reader = "which no upload tool reads" if one.tool == "no tool" else f"which only {one.tool} reads"
    if isinstance(one.origin, EnvironmentVariable):
        remedy = f'export TWINE_USERNAME={_USERNAME} TWINE_PASSWORD="${one.origin.name}"'
        what = (
            f"is set, {reader}"
            if issuer(one.password) is None
            else f"has a token, {reader}: twine reads $TWINE_PASSWORD"
        )
        return base.warning(f"{where} {what}", remedy, where, "src.wrong-env-name")
    return base.warning(
        f"{where} has a token, {reader}",
        f"store it where uploads look for it: pypi-preflight store --index {quote_word(index.name)}", where,
        "cred.missing",
    )  # fmt: skip
