"""Where the right to upload comes from: every source is asked as twine would ask it.

The order is twine's: environment, `.pypirc`, keyring, and trusted publishing where none of them has
anything. One thing is different, since one run uploads to several indexes: a token goes only to the
index that issued it, so a token of another index is passed over and the next source is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from release.adapters.system.json_pipe import Pipe
from release.core.models.credential import Ambient, Candidate, Credential, Origin, Resolution
from release.core.models.finding import Finding, Unknown
from release.core.models.index import PYPI, TESTPYPI, WELL_KNOWN, Index
from release.core.secret import Secret
from release.core.tokens.audience import location_matches
from release.core.tokens.token import issuer
from release.credentials.sources import environment, keyring, pypirc, trusted_publishing
from release.credentials.sources.base import BrokenSourceError, Found

__all__ = ["BrokenSourceError", "Found", "resolve"]

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
    "src.wrong-env-name",
    "pypirc.not-found",
)


def resolve(  # noqa: PLR0913 - a question with options, all but the first three with defaults
    index: Index,
    env: Mapping[str, str],
    home: Path,
    *,
    config_file: Path | None = None,
    directory: Path | None = None,
    every_source: bool = False,
    keyring_limit: float = keyring.LIMIT,
    keyring_child: Pipe | None = None,
) -> Resolution:
    """The credential for an index, and everything that lies beside it.

    `config_file` stands in for `~/.pypirc`; `directory` is the project's. The keyring is asked only
    where the sources before it had no password, or where `every_source` is wanted; it gets
    `keyring_limit` seconds. `keyring_child` is its process where that has been started already.
    """
    search = _Search(index=index)
    search.add(environment.find(index, env))
    try:
        search.add(pypirc.find(index, home, config_file=config_file, directory=directory))
    except BrokenSourceError as error:
        search.broken(error)
    if search.password is None or every_source:
        search.add(keyring.find(index, env, search.asked_username(), limit=keyring_limit, child=keyring_child))
    search.of_other_tools(environment.of_other_tools(env))
    if search.password is None and search.unknown is None and (ambient := trusted_publishing.find(index, env)):
        return search.without_password(ambient)
    if search.password and (remark := trusted_publishing.beside(index, env, search.password.origin.detail)):
        search.remarks += (remark,)
    return search.result()


@dataclass(slots=True, kw_only=True)
class _Search:
    """What has been found so far."""

    index: Index
    username: str | None = None
    username_origin: Origin | None = None
    password: Candidate | None = None
    unknown: Unknown | None = None
    candidates: tuple[Candidate, ...] = ()
    remarks: tuple[Finding, ...] = ()

    def add(self, found: Found | Unknown | None) -> None:
        """Take from the next source what is still missing."""
        if isinstance(found, Unknown):
            self.unknown = found
        elif found is not None:
            self.remarks += found.remarks
            if self.username is None and found.username is not None:
                self.username, self.username_origin = found.username, found.username_origin
            if found.password is not None and found.origin is not None:
                self._password(found.origin, found.password)

    def broken(self, error: BrokenSourceError) -> None:
        """Remember a source that can't be read."""
        self.remarks += (
            Finding(message=error.message, remedy=error.remedy, severity="warn", where=error.where, cause=error.cause),
        )

    def asked_username(self) -> str | None:
        """The user to ask the keyring for; None: whichever it has."""
        return self.username or (_USERNAME if self._twine_knows_it() else None)

    def of_other_tools(self, candidates: Iterable[Candidate]) -> None:
        """Note what lies where twine does not look; it is worth a remark only where nothing else was found."""
        for one in candidates:
            self.candidates += (one,)
            if self.password is None and _may_go(one.password, self.index):
                self.remarks += (_other_tool(one, self.index),)

    def result(self) -> Resolution:
        """The answer of all sources together."""
        if self.password is None:
            remarks = self.remarks if self.unknown else _with_reason(self.remarks)
            return Resolution(credential=self.unknown, candidates=self.candidates, remarks=remarks)
        origin = self.username_origin or Origin(kind="default", detail="the default for API tokens")
        username = self.username
        if username is None or (not username and self._twine_knows_it()):
            username = _USERNAME
        credential = Credential(
            username=username, username_origin=origin, password=self.password.password, origin=self.password.origin
        )
        return Resolution(credential=credential, candidates=self.candidates, remarks=tuple(self._worth_telling()))

    def without_password(self, ambient: Ambient) -> Resolution:
        """The answer where a service vouches for the job, and no source has anything."""
        if isinstance(ambient.identity, Finding):
            return Resolution(credential=ambient, candidates=self.candidates, remarks=self.remarks)
        return Resolution(credential=ambient, candidates=self.candidates, remarks=tuple(self._worth_telling()))

    def _worth_telling(self) -> Iterator[Finding]:
        """The remarks where a credential was found.

        A variable is for every index, so a token of another index in it is no mistake then.
        """
        variables = {one.origin.detail for one in self.candidates if one.origin.kind == "environment"}
        for one in self.remarks:
            unneeded = one.cause == "keyring.no-backend"  # whoever has a password elsewhere needs no keyring
            if not unneeded and (one.cause != "cred.wrong-index" or one.where not in variables):
                yield one
        if self.unknown:
            yield Finding(
                message=self.unknown.reason,
                remedy=self.unknown.remedy,
                severity="warn",
                where="keyring",
                cause=self.unknown.cause,
            )

    def _password(self, origin: Origin, password: Secret) -> None:
        if not _may_go(password, self.index):
            self.candidates += (Candidate(origin=origin, password=password, standing="other-index"),)
            self.remarks += (_wrong_index(origin, password, self.index),)
        elif self.password is None:
            self.password = Candidate(origin=origin, password=password, standing="used")
            self.candidates += (self.password,)
        else:
            self.candidates += (Candidate(origin=origin, password=password, standing="shadowed"),)
            if password != self.password.password:
                self.remarks += (_shadowed(self.password.origin, origin),)

    def _twine_knows_it(self) -> bool:
        return any(self.index.upload_url == one.upload_url for one in WELL_KNOWN.values())


def _may_go(password: Secret, index: Index) -> bool:
    location = issuer(password)
    return location is None or location_matches(location, index)


def _with_reason(remarks: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The remarks with the one first, and blocking, that explains why there is no credential."""
    for cause in _REASONS:
        for reason in remarks:
            if reason.cause == cause:
                return (replace(reason, severity="block"), *(one for one in remarks if one is not reason))
    return remarks


def _wrong_index(origin: Origin, password: Secret, index: Index) -> Finding:
    copied = origin.kind == "pypirc" and index == PYPI and issuer(password) == TESTPYPI.token_location
    return Finding(
        message=f"the token in {origin.detail} was issued by {issuer(password)!r}, not by {index.token_location!r}",
        remedy=f"make a token on {index.token_location}, and store it: keyring set {index.upload_url} {_USERNAME}",
        severity="warn",
        where=origin.detail,
        cause="pypirc.testpypi-under-pypi" if copied else "cred.wrong-index",
    )


def _shadowed(used: Origin, other: Origin) -> Finding:
    return Finding(
        message=f"{used.detail} is used, and {other.detail}, which holds another secret, is not",
        remedy=f"remove the one that is out of date: {used.detail}, or {other.detail}",
        severity="warn",
        where=used.detail,
        cause="src.env-shadows",
    )


def _other_tool(one: Candidate, index: Index) -> Finding:
    name = one.origin.detail.removeprefix("$")
    reader = "which no uploader reads" if one.tool == "no tool" else f"which only {one.tool} reads"
    return Finding(
        message=f"{one.origin.detail} is set, {reader}",
        remedy=f'for an upload to {index.name}: export TWINE_USERNAME=__token__ TWINE_PASSWORD="${name}"',
        severity="warn",
        where=one.origin.detail,
        cause="src.wrong-env-name",
    )
