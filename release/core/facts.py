"""The facts that checklists check: source, access to an index, built files, uploaded and published releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, BinaryIO

from msgspec import Struct, field

from release.core.models.distribution import InspectionCache
from release.core.models.project_limits import FILE_SIZE
from release.core.models.user_environment import POSIX_SHELL, UserEnvironment
from release.core.struct_fields import equal_without, hash_without, repr_without

if TYPE_CHECKING:  # inspecting files must not load the modules for credentials
    from datetime import datetime, timedelta

    from packaging.utils import NormalizedName

    from release.core.build_constraints import BuildPins
    from release.core.config import Config
    from release.core.models.attestation import Provenance, VerifiedAttestations
    from release.core.models.build_requirement import BuildEnvironments
    from release.core.models.check_result import Finding, NotApplicable, Unknown
    from release.core.models.credential import Ambient, Credential, CredentialCandidate
    from release.core.models.derived_version import VersionSource
    from release.core.models.distribution import AskTwine, Distribution, MemberVisitor, ReleaseManifest
    from release.core.models.exchanged_token import PublisherProof, UnrevokedToken
    from release.core.models.file_list import FileList
    from release.core.models.index import Index, IndexContents, IndexFile, Ownership, ProjectListing
    from release.core.models.interpreter import RequiredPython
    from release.core.models.leak import Leak, ScanResult, ScanScope
    from release.core.models.probe import ProbeResult
    from release.core.models.second_process import ReadParts, RstRenderer
    from release.core.models.smoke_test import SmokeTestResult
    from release.core.models.source_tree import SourceTree, Submodule
    from release.core.tag_form import DatedTag, TagForm
    from release.core.tokens.defects import TokenDefect
    from release.core.tokens.token import Token


class ProjectMetadata(Struct, frozen=True, kw_only=True):
    """The name and version that the project declares."""

    #: as the project spells it
    name: str
    #: as the project spells it; may be invalid; empty if only the name is needed
    version: str


class GitState(Struct, frozen=True, kw_only=True):
    """The state of the repository that holds the project."""

    #: 40 hex digits
    commit: str
    #: None if HEAD is detached
    branch: str | None
    #: paths that differ from the commit, untracked ones included, relative to the repository
    changes: tuple[str, ...]
    #: the branch's upstream; None if it has none
    upstream: str | None
    #: number of commits that only the upstream has; Unknown if it could not be contacted
    behind: int | Unknown
    #: the commit that the release tag points to; None if there is no such tag
    tagged_commit: str | None
    #: whether the clone is shallow
    shallow: bool
    #: the tags on the commit, sorted
    tags: tuple[str, ...] = ()
    #: all tags of the repository
    all_tags: tuple[DatedTag, ...] = ()
    #: the remote that tags are pushed to; None if there is none
    remote: str | None = None
    #: whether a branch of any remote has the commit, as of the last fetch; None if it is not needed
    on_remote: bool | None = None
    #: the remote and its branch that the commit is pushed to after the release, as `prepare` made it; None: not pushed
    push_to: tuple[str, str] | None = None
    #: why the tag cannot be signed; None if it can, or need not be signed
    signing: Finding | Unknown | None = None
    #: name and commit of the tags that the remote has and this clone has not; empty if it was not asked
    remote_tags: tuple[tuple[str, str], ...] = ()
    #: the name of the project at the root of the repository, if it is another one
    root_project: str | None = None
    #: whether the repository has other Python projects
    other_projects: bool = False
    #: whether the project is in a subdirectory of the repository
    below_root: bool = False
    #: "owner/repository" on GitHub; None if the remote is elsewhere
    github: str | None = None
    #: with those inside of submodules
    submodules: tuple[Submodule, ...] = ()


class Source(Struct, frozen=True, kw_only=True):
    """The source of the project."""

    config: Config
    project: ProjectMetadata | Unknown
    #: None if the project is not in a repository
    git: GitState | Unknown | None
    #: the release tag; None if name and version are unknown
    tag: str | None
    #: text of the configured changelog; None if that file does not exist
    changelog: str | None
    #: the Python versions that it requires; None if it states none without its build backend
    python: RequiredPython | None = None
    #: how the project's tags spell its versions; None while its name and version are unknown
    tag_form: TagForm | None = None
    #: the tag that the CI pipeline runs for; None outside of one, or for a branch
    pipeline_tag: str | None = None
    #: where the version comes from if the project does not declare it
    version_source: VersionSource | None = None
    #: whether nothing is released, so that the commit and its tag may still change
    rehearsal: bool = False
    #: None if the configuration names no constraints
    build_pins: BuildPins | None = None


class Access(Struct, frozen=True, kw_only=True):
    """The access to one index for one project."""

    index: Index
    project: ProjectMetadata | Unknown
    #: the one that an upload would use; None if no source has one
    credential: Credential | Ambient | Unknown | None
    #: warnings about its sources: one is broken, or hides another
    remarks: tuple[Finding, ...]
    #: the credential's password, decoded; None if there is no credential or no token is needed
    token: Token | TokenDefect | None
    #: what the index has of the project; None if it has no such project, NotApplicable if it was not contacted
    listing: ProjectListing | Unknown | NotApplicable | None
    #: aware, UTC
    now: datetime
    #: SHA-256 of the files that this release has already built, and that the index may have
    ours: frozenset[str] = frozenset()
    #: how long before its expiration the token is reported; None: not at all
    warn_before: timedelta | None = None
    #: whether this version is about to be uploaded, so that its files must not be on the index yet
    releasing: bool = True
    #: the branch; None if it is unknown
    branch: str | None = None
    #: patterns of the branches that release earlier series
    maintenance_branches: tuple[str, ...] = ()
    #: where remedies are carried out
    user: UserEnvironment = POSIX_SHELL
    #: every stored password, in the order of the sources
    candidates: tuple[CredentialCandidate, ...] = ()
    #: the owners of the project; None if the index does not report them, or was not contacted
    ownership: Ownership | None = None
    #: similar names on the index, if it has no such project; None if the index was not contacted
    similar_names: tuple[str, ...] | Unknown | None = None
    #: how far the index's clock is ahead of this machine's; None if unknown
    skew: timedelta | None = None
    #: the answer to whether the index knows the token; None if the index was not contacted
    identity: ProbeResult | Unknown | None = None
    #: the answer to whether the token may upload to the project, or its account may create one; None as above
    permission: ProbeResult | Unknown | None = None
    #: whether the index has a trusted publisher for this job; a finding or Unknown where no identity was exchanged;
    #: None if trusted publishing is not used, or something else failed before
    proof: PublisherProof | Finding | Unknown | None = None
    #: the project that this release creates, as its user has confirmed; None: none
    new_project: str | None = None
    #: tokens of trusted publishing that ended runs did not revoke
    unrevoked: tuple[UnrevokedToken, ...] = ()
    #: why files for this index will not be signed; None if they probably will be
    signing: Finding | NotApplicable | None = None


class BuiltFile(Struct, frozen=True, kw_only=True):
    """One file of the release, open for reading."""

    filename: str
    #: bytes
    size: int
    #: SHA-256 of the bytes that were built, 64 lower-case hex digits; None if unknown
    sha256: str | None
    #: opens the bytes; each call gives a new, seekable stream
    open: Callable[[], BinaryIO]
    #: called with the bytes of each member while the file is read
    visit: MemberVisitor | None = None
    #: reads parts of the open file elsewhere while the block runs; None: all is read here
    read_parts: ReadParts | None = None
    #: None: twine is not asked
    ask_twine: AskTwine | None = None
    #: its path, for messages; empty if unknown
    place: str = ""


class PreviousRelease(Struct, frozen=True, kw_only=True):
    """The release before this one, from the index."""

    version: str
    #: its sdist and one wheel, if it has them
    files: tuple[BuiltFile, ...]
    #: the names of all its files, where this release is to have all of its own; else empty
    filenames: tuple[str, ...] = ()


class FilenameConflict(Struct, frozen=True, kw_only=True):
    """A file on an index with the name of one of ours, but other bytes; or with its bytes, but another name."""

    index: Index
    #: whether the index is that of the dry run, which can be replaced by another
    on_dry_run_index: bool
    filename: str
    #: 64 lower-case hex digits; None if the index lists none that can be believed
    sha256: str | None
    #: the file there; Unknown if it was not fetched, or could not be, or is too large
    file: BuiltFile | Unknown
    #: its name there, where that is another
    other_name: str | None = None


class LeakScan(Struct, frozen=True, kw_only=True):
    """The result of a search for secrets."""

    scope: ScanScope
    searched: ScanResult

    @property
    def real(self) -> tuple[Leak, ...]:
        """The distinct secrets that do not count as examples; of distributions, those of each file."""
        return self.searched.real(by_file=self.scope == "files")


class BuiltFiles(Struct, frozen=True, kw_only=True):
    """The files of a release, before any upload."""

    #: from the source; None for files without a project
    project: ProjectMetadata | None
    files: tuple[BuiltFile, ...]
    #: aware, UTC
    now: datetime
    #: the contents of the target index for each project; None if it was not contacted
    on_index: Mapping[NormalizedName, IndexContents | Unknown] | None = None
    #: whether the source was checked, with its version
    source_checked: bool = False
    #: the source to compare the files with; None if there is no repository or they are not compared
    source_tree: SourceTree | None = None
    #: the warnings of the build backend about files, without duplicates
    backend_warnings: tuple[str, ...] = ()
    #: the same files from a second build; None if there was none
    second_build: tuple[BuiltFile, ...] | None = None
    #: the wheel built from the tree instead of the sdist; None if it was not built
    from_tree: BuiltFile | None = None
    #: the release before this one; None if it is not needed
    previous: PreviousRelease | Unknown | NotApplicable | None = None
    #: files of the same names on an index, with other bytes
    conflicts: tuple[FilenameConflict, ...] = ()
    #: None if the files were not searched
    leaks: LeakScan | None = None
    #: what their build has installed; None if it was not recorded
    build_environments: BuildEnvironments | None = None
    #: `build-constraints` and `require-pinned-build`; None if neither is set
    pinned_build: tuple[str | None, bool] | None = None
    #: whether they were built elsewhere, so that only they say which release they are
    given: bool = False
    #: the files that the configuration expects; None if it names none, or if nothing is released
    expected: FileList | None = None
    #: the files that the build has listed; None if there is no such list
    listed: FileList | None = None
    #: the indexes that the files are for, each with what it lists of the project; None: it has no such project
    listings: tuple[tuple[Index, ProjectListing | None], ...] = ()
    #: installed libraries that decide about uploads: distribution name → version; "python" is the interpreter's
    installed: Mapping[str, str] = field(default_factory=dict)
    #: renders descriptions in parallel with the inspection; None: they are rendered when they are needed
    render_rst: RstRenderer | None = None
    #: filled by the first check that needs it, so that each file is read once
    cache: InspectionCache = field(default_factory=InspectionCache)

    def __repr__(self) -> str:
        return repr_without(self, "cache")

    def __eq__(self, other: object) -> bool:
        return equal_without(self, other, "cache")

    def __hash__(self) -> int:
        return hash_without(self, "cache")

    @property
    def file_limit(self) -> int:
        """Bytes: the default, or the largest file that an index has of the project, which has a higher limit then."""
        listed = (one for index, found in self.listings if found and index.kind == "warehouse" for one in found.files)
        return max(FILE_SIZE, *(one.size or 0 for one in listed), 0)


class UploadedRelease(Struct, frozen=True, kw_only=True):
    """A release on an index right after its upload."""

    index: Index
    expected: tuple[Distribution, ...]
    #: names of the files that the index has accepted
    accepted: frozenset[str] = frozenset()
    listing: ProjectListing | Unknown | None
    #: the problem of the clean install; None if it succeeded or was not tried
    install: Finding | Unknown | None
    #: in the order of execution; empty if nothing was installed
    trials: tuple[SmokeTestResult, ...]
    #: the checks that the configuration waives
    waived: frozenset[str] = frozenset()
    #: what git has of the project; None if there is no repository
    source_tree: SourceTree | None = None
    #: file name → whether its attestations are valid, for the files that were uploaded with some
    attested: Mapping[str, VerifiedAttestations | Finding | Unknown] = field(default_factory=dict)


class InstallTrial(Struct, frozen=True, kw_only=True):
    """The install of a file of a release in its own clean environment."""

    filename: str
    #: the problem of the install; None if it succeeded
    install: Finding | Unknown | None
    #: in the order of execution; empty if nothing was installed
    trials: tuple[SmokeTestResult, ...] = ()
    #: paths that were installed, relative to site-packages, with forward slashes
    files: tuple[str, ...] = ()


class PublishedRelease(Struct, frozen=True, kw_only=True):
    """A release as its index shows it publicly, with each file fetched."""

    index: Index
    #: as requested
    project: ProjectMetadata
    #: of the project: "active", "archived", "quarantined", … (PEP 792)
    status: str
    #: the files of the release on the page that installers read
    files: tuple[IndexFile, ...]
    #: seconds of waiting until that page listed all files
    waited: float = 0.0
    #: the record of the release; None if there is none
    recorded: ReleaseManifest | None = None
    #: the files by the JSON API; None if it has no such release, which proves nothing
    by_json: tuple[IndexFile, ...] | None = None
    #: file name → the fetched bytes, with their SHA-256
    fetched: Mapping[str, BuiltFile | Unknown] = field(default_factory=dict)
    #: the same files, for inspection; None until they are fetched
    built: BuiltFiles | None = None
    #: file name → its provenance, for the files that have one according to the index
    provenance: Mapping[str, Provenance | Unknown] = field(default_factory=dict)
    #: file name → whether its attestations are valid for the fetched bytes; None if they cannot be verified here
    verified: Mapping[str, VerifiedAttestations | Finding | Unknown] | None = None
    #: the wheel for this interpreter
    wheel: InstallTrial | Unknown | NotApplicable | None = None
    #: built into a wheel on this machine, with build isolation
    sdist: InstallTrial | Unknown | NotApplicable | None = None
