"""Off a tag, a rehearsal builds the next version: indexes accept no version with a local part, such as `1.1+g1234567`.

Only the copy of the project that is built, and the variables of its build, are changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field

from release.adapters.builds import builder
from release.adapters.builds.version_source import find_version_source
from release.adapters.git import repository
from release.adapters.git import tags as git_tags
from release.adapters.system.system import System
from release.core.errors import ReleaseError, ToolError
from release.core.models.index import normalize_name
from release.core.tag_form import release_after, version_of_any_tag


class NextVersion(Struct, frozen=True, kw_only=True):
    """The version that is built instead of one that is no release."""

    #: what the tool derives; empty where that is used, or the tool needs a first tag
    derived: str = ""
    #: what is built instead
    version: str = ""
    #: for the build
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """A line for the user; empty where nothing is replaced."""
        derived = f" (version {self.derived})" if self.derived else ""
        return f"HEAD has no release tag{derived}: rehearsing as {self.version}" if self.version else ""


def prepare_next_version(system: System, place: Path) -> NextVersion:
    """The version to build the copy in `place` as, if its tool would derive from git what is no release.

    Where the tool reads no variable, the changes are committed and tagged in the copy.
    """
    source = find_version_source(system, place)
    if source is None or source.tool is None or source.overridden:
        return NextVersion()
    root = repository.find_root(system, place)
    if root is None:
        return NextVersion()
    try:
        tags = repository.tags_at(system, root, repository.commit(system, root))
        if any(map(version_of_any_tag, tags)) and not repository.changed_paths(system, root):
            return NextVersion()
        name, derived = _derived(system, place)
        version = release_after(derived) if derived else "0.1.0"
        if version is None:
            return NextVersion()
        if source.variable is None:
            _tag_copy(system, root, _like(system, root, version))
    except ReleaseError:  # the build itself reports it
        return NextVersion()
    variables = {}
    if source.variable is not None:
        name = normalize_name(name).replace("-", "_").upper()
        variables[source.variable.format(name=name)] = version
    return NextVersion(derived=derived, version=version, variables=variables)


def _derived(system: System, place: Path) -> tuple[str, str]:
    """The name, and the version that the tool derives; both empty where the tool fails without any tag."""
    try:
        found = builder.build_metadata(system, place)
    except ToolError:
        if git_tags.all_tags(system, place):
            raise
        return "", ""
    return found["name"], found["version"]


def _like(system: System, root: Path, version: str) -> str:
    """The tag for a version, with the start of the nearest tag."""
    nearest = repository.run_git(system, root, "describe", "--tags", "--abbrev=0").output.strip()
    digit = next((at for at, letter in enumerate(nearest) if letter.isdigit()), None)
    return f"{nearest[:digit] if digit is not None else 'v'}{version}"


def _tag_copy(system: System, copy: Path, tag: str) -> None:
    """Commit everything in the copy of a repository, and tag it."""
    identity = ("-c", "user.name=pypi-preflight", "-c", "user.email=rehearsal@localhost", "-c", "commit.gpgSign=false")
    message = "--message=rehearsal"
    exclude = copy / ".git" / "info" / "exclude"
    exclude.parent.mkdir(exist_ok=True)
    exclude.write_text("*.egg-info/\n", encoding="utf-8")  # the build of setuptools makes it
    repository.git_output(system, copy, "add", "--all")
    repository.git_output(system, copy, *identity, "commit", "--quiet", "--allow-empty", "--no-verify", message)
    repository.git_output(system, copy, *identity, "-c", "tag.gpgSign=false", "tag", "--annotate", message, tag)
