"""What a checklist looks at: the project's source, the way to an index, the files built, the files published.

And a release as anybody sees it, who has neither the project nor its journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from release.core.models.inspected_file import InspectionCache

if TYPE_CHECKING:  # whoever looks at files alone has no use for credentials, nor time to load them
    from datetime import datetime, timedelta

    from packaging.utils import NormalizedName

    from release.core.config import Config
    from release.core.models.attestation import Provenance, VerifiedAttestations
    from release.core.models.credential import Ambient, Credential, CredentialCandidate
    from release.core.models.distribution import Distribution, MemberVisitor
    from release.core.models.finding import Finding, NotApplicable, Unknown
    from release.core.models.index import Index
    from release.core.models.index_contents import IndexContents
    from release.core.models.leak import ScanResult, ScanScope
    from release.core.models.probe import ProbeResult
    from release.core.models.project_listing import IndexFile, Ownership, ProjectListing
    from release.core.models.release_manifest import ReleaseManifest
    from release.core.models.smoke_test import SmokeTestResult
    from release.core.models.token_health import TokenPolicy
    from release.core.tokens.defects import TokenDefect
    from release.core.tokens.token import Token


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectMetadata:
    """What the project says of itself, before anything is built."""

    #: as the project spells it
    name: str
    #: as the project spells it; may be no valid version; empty where only the name was asked for
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GitState:
    """The state of the repository that holds the project."""

    #: 40 hex digits
    commit: str
    #: None where HEAD is detached
    branch: str | None
    #: paths that differ from the commit, untracked ones included, relative to the repository
    changes: tuple[str, ...]
    #: the branch's upstream; None where it has none
    upstream: str | None
    #: commits that the upstream has and we have not; Unknown where it could not be asked
    behind: int | Unknown
    #: the commit that the release tag points to; None where there is no such tag
    tagged_commit: str | None
    #: whether history is cut off
    shallow: bool
    #: the tags on the commit, sorted
    tags: tuple[str, ...] = ()
    #: the remote that tags are pushed to; None where there is none
    remote: str | None = None
    #: "owner/repository" on GitHub; None where the remote is elsewhere
    github: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The project as it stands."""

    config: Config
    project: ProjectMetadata | Unknown
    #: None where the project is in no repository
    git: GitState | Unknown | None
    #: the release tag; None while name and version are unknown
    tag: str | None
    #: text of the changelog that the configuration names; None where that file is not there
    changelog: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The way to one index for one project."""

    index: Index
    project: ProjectMetadata | Unknown
    #: the one that an upload would use; None where no source has one
    credential: Credential | Ambient | Unknown | None
    #: what was odd on the way to it: a source that is broken or that shadows another
    remarks: tuple[Finding, ...]
    #: the credential's password, decoded; None where there is no credential or no need of a token
    token: Token | TokenDefect | None
    #: what the index has under the project's name; None where it knows no such project, NotApplicable
    #: where it was not asked
    listing: ProjectListing | Unknown | NotApplicable | None
    #: aware, UTC
    now: datetime
    #: sha256 of the files that this release has built already: finding them on the index is no surprise
    ours: frozenset[str] = frozenset()
    #: whether this very version is about to be uploaded, so that files of it on the index stand in the way
    releasing: bool = True
    #: every password that lies anywhere, in the order of the sources
    candidates: tuple[CredentialCandidate, ...] = ()
    #: whose the project is; None where the index does not tell, or was not asked
    ownership: Ownership | None = None
    #: names on the index that look like the project's, where it has no such project; None where not asked
    alike: tuple[str, ...] | Unknown | None = None
    #: how far the index's clock is ahead of this machine's; None where it does not say, or was not asked
    skew: timedelta | None = None
    #: whether the index knows the token, in its own words; None where it was not asked
    identity: ProbeResult | Unknown | None = None
    #: whether the token may upload to the project, or its account create one; None where not asked
    permission: ProbeResult | Unknown | None = None
    #: why files that go there will not be signed; None where they will be, as far as can be seen by now
    signing: Finding | NotApplicable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousToken:
    """The token that a place had when it was last looked at."""

    fingerprint: str
    #: empty for one that could not be read
    identifier: str
    #: how it was then: "healthy", "expiring", "revoked", …
    state: str
    #: aware, UTC
    last_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenHealth:
    """A credential over time, and beside the others."""

    access: Access
    policy: TokenPolicy
    #: when the token was made, as somebody wrote it down or it says itself; aware, UTC
    made: datetime | None = None
    #: since when it is known to exist at the latest: seen by an earlier run, or by the date of its file; aware, UTC
    known_since: datetime | None = None
    #: where else the same token lies
    elsewhere: tuple[str, ...] = ()
    #: what its place had before; None where that is not known
    before: PreviousToken | None = None
    #: where trusted publishing could be used in its stead; None where nobody knows
    publisher: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFile:
    """One file of the release, open for reading."""

    filename: str
    #: bytes
    size: int
    #: SHA-256 of the bytes that were built, 64 lower-case hex digits; None for a file that nobody has described
    sha256: str | None
    #: opens the bytes; each call gives a new, seekable stream
    open: Callable[[], BinaryIO]
    #: is shown each member's bytes while the file is read; None where nobody wants them
    visit: MemberVisitor | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviousRelease:
    """The release before this one, as an index has it."""

    version: str
    #: its sdist and its wheel for any platform, as far as it has them
    files: tuple[BuiltFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FilenameConflict:
    """A file on an index that has the name of one of ours, and other bytes."""

    index: Index
    #: whether the index is that of the dry run, which another can stand in for
    on_dry_run_index: bool
    filename: str
    #: 64 lower-case hex digits
    sha256: str
    #: the file there; Unknown where it could not be fetched, or is too large to be fetched for a comparison
    file: BuiltFile | Unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class LeakScan:
    """What a search for secrets has come upon."""

    scope: ScanScope
    searched: ScanResult


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFiles:
    """The files of a release, before any upload."""

    #: what the source says that it is; None for files without a project
    project: ProjectMetadata | None
    files: tuple[BuiltFile, ...]
    #: aware, UTC
    now: datetime
    #: what the index that they are meant for has of each project; None where it was not asked
    on_index: Mapping[NormalizedName, IndexContents | Unknown] | None = None
    #: paths that git tracks, relative to the project; None where there is no repository, or nobody asked
    tracked: frozenset[str] | None = None
    #: the same files from a second build; None where there was none
    again: tuple[BuiltFile, ...] | None = None
    #: the wheel that the tree gives, without an sdist between; None where nobody built it
    from_tree: BuiltFile | None = None
    #: the release before this one; None where nobody asked
    earlier: PreviousRelease | Unknown | NotApplicable | None = None
    #: files of the same names that an index has with other bytes
    taken: tuple[FilenameConflict, ...] = ()
    #: what a search for secrets has found in the files; None where nobody searched
    leaks: LeakScan | None = None
    #: filled by the first check that needs it, so that each file is read once
    cache: InspectionCache = field(default_factory=InspectionCache, repr=False, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedRelease:
    """What an index has of a release, seen from outside."""

    index: Index
    expected: tuple[Distribution, ...]
    #: names of the files that the index is known to have taken
    accepted: frozenset[str] = frozenset()
    listing: ProjectListing | Unknown | None
    #: how the clean install ended: None where it went well or was not tried
    install: Finding | Unknown | None
    #: in the order they were tried; empty where nothing was installed
    trials: tuple[SmokeTestResult, ...]
    #: file name → whether its attestations hold there, for the files that were sent with some
    attested: Mapping[str, VerifiedAttestations | Finding | Unknown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallTrial:
    """A file of a release in a clean environment of its own."""

    filename: str
    #: how the install ended: None where it went well
    install: Finding | Unknown | None
    #: in the order they were tried; empty where nothing was installed
    trials: tuple[SmokeTestResult, ...] = ()
    #: paths that were installed, relative to site-packages, with forward slashes
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRelease:
    """A release as its index shows it to anybody, each file fetched."""

    index: Index
    #: as it was asked for
    project: ProjectMetadata
    #: of the project: "active", "archived", "quarantined", … (PEP 792)
    status: str
    #: the files of the release on the page that installers read
    files: tuple[IndexFile, ...]
    #: seconds for which that page was asked again, since it lacked some
    waited: float = 0.0
    #: what the release should be; None where there is no record of it
    recorded: ReleaseManifest | None = None
    #: the files by the JSON API; None where it knows no such release, which proves nothing
    by_json: tuple[IndexFile, ...] | None = None
    #: file name → the bytes that came, with their SHA-256
    fetched: Mapping[str, BuiltFile | Unknown] = field(default_factory=dict)
    #: the same bytes, to be looked into; None until they came
    built: BuiltFiles | None = None
    #: file name → what the index says of its attestations, for the files whose page says that there are any
    provenance: Mapping[str, Provenance | Unknown] = field(default_factory=dict)
    #: file name → whether those hold for the bytes that came; None where nothing here can verify them
    verified: Mapping[str, VerifiedAttestations | Finding | Unknown] | None = None
    #: the wheel that this interpreter would choose
    wheel: InstallTrial | Unknown | NotApplicable | None = None
    #: built into a wheel on this machine, in isolation
    sdist: InstallTrial | Unknown | NotApplicable | None = None
