"""What the workflows of a set depend on, and how a run's plan fits into the jobs of its workflow."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from release.core.errors import RefusedError, UsageError
from release.core.foreign_json import OWN_VALUES, parse_foreign_json
from release.core.models.index import normalize_name
from release.core.models.release_set import Member, ReleaseSet
from release.core.quoting import quote_path
from release.core.set_order import order_levels
from release.core.shell import quote_word
from release.publishing.ci.pipeline import Pipeline, detect_checkout, load_pipeline
from release.publishing.sets import set_plan

if TYPE_CHECKING:
    from release.adapters.system.system import System

#: runs of git at the same time
_WORKERS = 8


class SetPipeline(Struct, frozen=True, kw_only=True):
    """The properties of a set that its workflows depend on."""

    #: of the root: its directory in the repository, the version of this program, Git LFS and submodules
    root: Pipeline
    #: names of the indexes, in the order of the uploads
    indexes: tuple[str, ...]
    #: canonical names of the members that can be released
    members: tuple[str, ...]
    #: the parts of the members' release tags before and after the version, each once
    around_version: tuple[tuple[str, str], ...]
    #: the number of levels that a release of all members has
    levels: int
    #: the number of times that a build of all members waits for other builds, and one
    builds: int
    #: whether the trusted publishers of all members are proven before the first upload
    proves: bool = True


def index_title(name: str) -> str:
    """An index as people write its name."""
    return {"pypi": "PyPI", "testpypi": "TestPyPI"}.get(name, name)


def load_member_pipelines(
    system: System, root: Path, members: Iterable[Member]
) -> dict[str, Pipeline]:  # fmt: skip
    """Canonical name → what the build of the member depends on. Raises `ReleaseError` as `load_pipeline` does."""
    members, lock = tuple(members), threading.Lock()
    checkouts: dict[Path, tuple[bool, bool]] = {}

    def checkout(system: System, root: Path) -> tuple[bool, bool]:
        with lock:  # members of one repository have one checkout, whose files are listed once
            if root not in checkouts:
                checkouts[root] = detect_checkout(system, root)
            return checkouts[root]

    with ThreadPoolExecutor(_WORKERS) as pool:
        found = pool.map(lambda one: load_pipeline(system, root / one.directory, checkout=checkout), members)
        return {normalize_name(one.name): pipeline for one, pipeline in zip(members, found, strict=True)}


def make_set_pipeline(root: Pipeline, release_set: ReleaseSet, pipelines: Mapping[str, Pipeline]) -> SetPipeline:
    """What the workflows of a set depend on.

    `root`: of its root. `pipelines`: canonical name of each member that can be released → its own.
    """
    members = [one.member for one in release_set.members]
    whole = replace(release_set, levels=order_levels(members, pipelines))
    return SetPipeline(
        root=root,
        indexes=set_plan.upload_indexes(whole),
        members=tuple(pipelines),
        around_version=tuple(dict.fromkeys(one.around_version for one in pipelines.values())),
        levels=max(1, len(whole.levels)),
        builds=max(set_plan.build_levels(set_plan.needed_builds(whole)).values(), default=1),
        proves=root.proof is not None,
    )


def load_set_plan(path: Path) -> dict[str, Any]:
    """Read a document of `set plan --json`. Raises `UsageError` where the file has none."""
    try:
        found = parse_foreign_json(path.read_bytes(), max_values=OWN_VALUES)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"cannot read the plan {quote_path(path)}: {getattr(error, 'strerror', None) or error}",
            remedy=f"create it: pypi-preflight set plan --json > {quote_word(str(path))}",
        ) from None
    known = {"schema", "indexes", "members", "levels", "jobs"}
    if not isinstance(found, dict) or found.get("schema") != 1 or not known <= found.keys():
        raise UsageError(
            f"{quote_path(path)} is not a plan of a set",
            remedy=f"create it with the same pypi-preflight: pypi-preflight set plan --json > {quote_word(str(path))}",
        )
    return found


def jobs_of_kind(document: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    """The jobs of one kind in a document of `set plan --json`, in order."""
    return [job for job in document["jobs"] if job["kind"] == kind]


def member_directories(document: Mapping[str, Any]) -> dict[str, str]:
    """Canonical name → directory, of the members of a document of `set plan --json`."""
    return {one["id"]: one["directory"] for one in document["members"]}


def highest_build_level(document: Mapping[str, Any]) -> int:
    """How many builds follow each other in a document of `set plan --json`; 0 where it builds nothing."""
    return max((job["level"] for job in jobs_of_kind(document, "build")), default=0)


def require_fitting_plan(document: Mapping[str, Any], *, levels: int, builds: int, regenerate: str) -> None:
    """Raise `RefusedError` where a plan has more levels than the workflow has jobs for.

    `regenerate`: the command that writes the workflow again.
    """
    for what, needed, there in (
        ("levels", len(document["levels"]), levels),
        ("levels of builds", highest_build_level(document), builds),
    ):
        if needed > there:
            raise RefusedError(
                f"the release of this set has {needed} {what}, and the workflow has jobs for {there}",
                remedy=f"write the workflow again, and commit it: {regenerate}",
            )


def require_size(what: str, entries: Collection[object], limit: int) -> None:
    """Raise `RefusedError` where a service does not run as many jobs at once."""
    if len(entries) > limit:
        raise RefusedError(
            f"{what} has {len(entries)} jobs, and the service allows {limit}",
            remedy="release some of the members first: pypi-preflight set release --only NAME …",
        )


#: records the SHA-256 of each file
LIST_FILES = "(cd dist && LC_ALL=C sha256sum -- */*) | tee SHA256SUMS"
#: lets a build find a clean tree next to the files of its siblings
IGNORE_FILES = 'echo "{}/" >> "$(git rev-parse --git-path info/exclude)"'
#: fails where a file is not as recorded; SUMS is the SHA-256 of that list
COMPARE_FILES = (
    'echo "$SUMS  SHA256SUMS" | sha256sum --check --quiet',
    "(cd dist && LC_ALL=C sha256sum -- */*) | diff SHA256SUMS -",
)


def shell_commands(job: Mapping[str, Any]) -> list[str]:
    """The commands of a job in a document of `set plan --json`, quoted for a POSIX shell."""
    return [
        " ".join(
            [*(f"{name}={shlex.quote(value)}" for name, value in one["variables"].items()), shlex.join(one["argv"])]
        )
        for one in job["commands"]
    ]


def sibling_paths(job: Mapping[str, Any]) -> list[str]:
    """The directories with the files of siblings that a build needs."""
    return [path for path in job["inputs"] if path not in job["outputs"]]
