"""The steps that a plan is made of, each with its title: a few words for a line on a screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

_BUILDS = {
    "commit": "build from a clean clone of the commit",
    "tree": "build the tree as it stands",
    "journal": "take the files of the last build",
    "given": "take the files that are given",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectSource:
    """Run the first checklist: the project as it stands."""

    @property
    def title(self) -> str:
        return "check the source"


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectAccess:
    """Run the second checklist: the way to one index."""

    index: str

    @property
    def title(self) -> str:
        return f"check the way to {self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Make the files, or take those that the journal names."""

    #: "commit": a fresh clone of the commit; "tree": the directory as it stands;
    #: "journal": the files of an earlier build, and nothing else; "given": files from elsewhere
    origin: Literal["commit", "tree", "journal", "given"]

    @property
    def title(self) -> str:
        return _BUILDS[self.origin]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectBuilt:
    """Run the third checklist: the files, as the index will judge them."""

    @property
    def title(self) -> str:
        return "check the files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Send what the index does not have."""

    index: str

    @property
    def title(self) -> str:
        return f"upload to {self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Run the fourth checklist: what the index lists, installed and tried from outside."""

    index: str

    @property
    def title(self) -> str:
        return f"verify on {self.index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promote:
    """Compare the files with those that passed the dry run: only they go on."""

    #: the index of the dry run, or the sandbox
    proven_on: str

    @property
    def title(self) -> str:
        return f"compare with the dry run on {self.proven_on}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Tag the released commit, on this machine, where it is not tagged yet."""

    name: str
    #: where it is to be pushed to; None where there is no remote
    remote: str | None

    @property
    def title(self) -> str:
        return f"tag the commit {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTag:
    """Push the tag, where the remote does not have it yet."""

    name: str
    remote: str

    @property
    def title(self) -> str:
        return f"push the tag {self.name} to {self.remote}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOnGitHub:
    """Make a release with the files on GitHub: a draft, the files, and only then a release."""

    #: "owner/repository"
    repository: str
    tag: str

    @property
    def title(self) -> str:
        return f"make the release {self.tag} on GitHub"


Step = (
    InspectSource | InspectAccess | Build | InspectBuilt | Promote | Upload | Verify | Tag | PushTag | ReleaseOnGitHub
)
