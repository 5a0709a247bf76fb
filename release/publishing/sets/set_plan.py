"""The plan of a set's release as jobs, for the engines that run them: `set plan --json`.

A job is a list of commands that one machine runs in order. Each command can be repeated: what is done already is left
as it is. `set_plan.schema.json` defines the document.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.structs import asdict
from packaging.version import InvalidVersion, Version

from release.core.errors import Exit
from release.core.models.index import normalize_name
from release.core.models.release_set import Member, MemberFacts, ReleaseSet
from release.core.set_order import requirements_by_member
from release.core.shell import quote_word
from release.publishing.ci.pipeline import Pipeline

#: the directory of all files, relative to the root; a member's are in a subdirectory with its canonical name
FILES = "dist"
#: machines that binary wheels are built on: system and architecture, as wheel tags name them
PLATFORMS = ("linux-x86_64", "linux-aarch64", "win-amd64", "win-arm64", "macosx-arm64", "macosx-x86_64")
#: exit status → its meaning, for every command of a plan
EXIT_STATUSES: Mapping[int, str] = {
    Exit.DONE: "done; or there was nothing to do",
    Exit.REFUSED: "refused: a check failed, and this command uploaded nothing",
    Exit.USAGE: "the command line or the configuration is wrong",
    Exit.UNCHANGED: "an upload failed, and the index is unchanged",
    Exit.INCOMPLETE: "the index has some of the files; the same command uploads the rest",
}
_TESTPYPI = "testpypi"
#: jobs that the text names for each job that needs them: an upload needs the whole level before
_SHOWN = 20


class SetCommand(Struct, frozen=True, kw_only=True):
    """A command of a job, run in the root of the set."""

    argv: tuple[str, ...]
    #: environment variables that it needs, none of them secret
    variables: Mapping[str, str] = field(default_factory=dict)


class SetJob(Struct, frozen=True, kw_only=True):
    """What one machine does."""

    id: str
    #: "wheels": binary wheels, once on each of `platforms`; "gate": the rehearsal of the whole set
    kind: Literal["build", "wheels", "gate", "upload"]
    #: canonical name; None for the gate
    member: str | None
    #: of an upload, counted from 1; of a build: how many builds must precede it, and one
    level: int | None
    #: of an upload; None for other jobs
    index: str | None = None
    #: ids of the jobs that must have succeeded
    needs: tuple[str, ...]
    commands: tuple[SetCommand, ...]
    #: files and directories that it reads and writes, relative to the root; all jobs also read the source
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    #: the deployment environment that holds the credential, or that the trusted publisher names; None: none
    environment: str | None = None
    #: whether it uploads, and therefore needs a credential or an identity
    credentials: bool = False
    #: some of `PLATFORMS`; empty: one machine, whichever it is
    platforms: tuple[str, ...] = ()


def make_set_jobs(
    release_set: ReleaseSet, pipelines: Mapping[str, Pipeline], *, new_projects: Collection[str] = ()
) -> tuple[SetJob, ...]:
    """The jobs that release the set, each after those that it needs.

    `pipelines`: canonical name of each member that is released → what its build depends on. `new_projects`: canonical
    names of the projects that the release creates, as the user has confirmed.
    """
    if not release_set.levels:
        return ()
    members: dict[str, Member] = {normalize_name(one.member.name): one.member for one in release_set.members}
    needs = needed_builds(release_set)
    binary = {name for name in needs if pipelines[name].binary}
    levels = build_levels(needs)
    built = [job for name in needs for job in _build_jobs(members[name], needs[name], levels[name], binary)]
    gate = SetJob(
        id="gate", kind="gate", member=None, level=None, needs=tuple(job.id for job in built),
        commands=(_own_command("set", "rehearse", "--files", FILES),), inputs=(FILES,), outputs=(),
    )  # fmt: skip
    return (*built, gate, *_upload_jobs(release_set, new_projects))


def needed_builds(release_set: ReleaseSet) -> dict[str, tuple[str, ...]]:
    """Canonical name of each member that is released → those whose files its build needs; in an order of building.

    A build requirement is installed with what it requires itself. What a member needs is of the levels before its own.
    """
    levels = {name: number for number, level in enumerate(release_set.levels) for name in level}
    requirements = requirements_by_member(one.member for one in release_set.members)
    found = {}
    for name, level in levels.items():
        reached: set[str] = set()
        queue = [edge.needs for edge in requirements[name] if edge.kind == "build"]
        while queue:
            needed = queue.pop()
            if levels.get(needed, level) < level and needed not in reached:
                reached.add(needed)
                queue += [edge.needs for edge in requirements[needed] if edge.kind != "build"]
        found[name] = tuple(sorted(reached, key=lambda one: (levels[one], one)))
    return found


def build_levels(needs: Mapping[str, Collection[str]]) -> dict[str, int]:
    """Canonical name → 1 where the build needs no sibling, else one more than the highest of those that it needs."""
    found: dict[str, int] = {}
    for name, needed in needs.items():
        found[name] = 1 + max((found[one] for one in needed), default=0)
    return found


def environment_name(index: str, member: str) -> str:
    """The deployment environment of a member, by its canonical name."""
    return f"{index}-{member}"


def set_plan_to_json(
    release_set: ReleaseSet, pipelines: Mapping[str, Pipeline], *, new_projects: Collection[str] = ()
) -> dict[str, Any]:
    """The document of `set plan --json`, schema 1; the arguments are those of `make_set_jobs`."""
    levels = {name: number for number, level in enumerate(release_set.levels, 1) for name in level}
    jobs = make_set_jobs(release_set, pipelines, new_projects=new_projects)
    return {
        "schema": 1,
        "version": version("pypi-preflight"),
        "indexes": list(upload_indexes(release_set)),
        "members": [_member_to_json(one, levels, pipelines) for one in release_set.members],
        "levels": [list(level) for level in release_set.levels],
        "jobs": [_job_to_json(job) for job in jobs],
        "exit_statuses": {str(int(status)): meaning for status, meaning in EXIT_STATUSES.items()},
    }


def set_plan_to_lines(document: Mapping[str, Any]) -> Iterator[str]:
    """The document of `set plan --json` for people: the jobs in order, with their commands."""
    if not document["jobs"]:
        yield "nothing to release: the index has the version of each member"
        return
    for number, level in enumerate(document["levels"], 1):
        yield f"level {number}: {', '.join(level)}"
    for job in document["jobs"]:
        after = f", after {', '.join(_shown(job['needs']))}" if job["needs"] else ""
        where = f", in the environment {job['environment']}" if job["environment"] else ""
        yield f"{job['id']}{after}{where}"
        for command in job["commands"]:
            variables = [f"{name}={quote_word(value)}" for name, value in command["variables"].items()]
            yield "  " + " ".join((*variables, *map(quote_word, command["argv"])))


def _shown(needs: Sequence[str]) -> Sequence[str]:
    if len(needs) <= _SHOWN + 1:
        return needs
    return [*needs[:_SHOWN], f"… and {len(needs) - _SHOWN} more (--json lists all of them)"]


def upload_indexes(release_set: ReleaseSet) -> tuple[str, ...]:
    """The names of the indexes, in the order of the uploads."""
    names = tuple(one.name for one in release_set.indexes) or (_TESTPYPI, release_set.index)
    return tuple(dict.fromkeys(names))


def _member_to_json(
    facts: MemberFacts, levels: Mapping[str, int], pipelines: Mapping[str, Pipeline]
) -> dict[str, Any]:  # fmt: skip
    member, name = facts.member, normalize_name(facts.member.name)
    pipeline = pipelines.get(name)
    return {
        "id": name, "name": member.name, "version": member.version, "directory": member.directory,
        "state": facts.state, "level": levels.get(name),
        "binary": pipeline and pipeline.binary, "lfs": pipeline and pipeline.lfs,
        "submodules": pipeline and pipeline.submodules,
        "creates": [index for index, listing in facts.listings.items() if listing is None] if name in levels else [],
    }  # fmt: skip


def _job_to_json(job: SetJob) -> dict[str, Any]:
    found = {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(job).items()}
    commands = [{"argv": list(one.argv), "variables": dict(one.variables)} for one in job.commands]
    return found | {"commands": commands}


def _own_command(*words: str) -> SetCommand:
    return SetCommand(argv=("pypi-preflight", *words))


def _directory(name: str) -> str:
    return f"{FILES}/{name}"


def _build_jobs(member: Member, siblings: Sequence[str], level: int, binary: Collection[str]) -> Iterator[SetJob]:
    """The build of a member; where wheels depend on the machine, its sdist, and the wheels that are built from it.

    `siblings`: the canonical names of those whose files it needs. `binary`: of the members whose wheels depend on the
    machine.
    """
    name = normalize_name(member.name)
    into = _directory(name)
    inputs = tuple(map(_directory, siblings))
    variables = {"PIP_FIND_LINKS": " ".join(inputs)} if inputs else {}
    after = tuple(
        f"{kind}-{one}" for one in siblings for kind in ("build", "wheels") if kind == "build" or one in binary
    )
    build = _own_command("--directory", member.directory, "build", "--output", into)
    if siblings:
        build = SetCommand(argv=(*build.argv, "--siblings", FILES))
    if name in binary:
        sdist = ("python", "-m", "build", "--sdist", "--outdir", into, member.directory)
        build = SetCommand(argv=sdist, variables=variables)
    yield SetJob(
        id=f"build-{name}", kind="build", member=name, level=level, needs=after, commands=(build,), inputs=inputs,
        outputs=(into,),
    )  # fmt: skip
    if name in binary:
        wheels = ("python", "-m", "cibuildwheel", "--output-dir", into, f"{into}/{_sdist_name(member)}")
        yield SetJob(
            id=f"wheels-{name}", kind="wheels", member=name, level=level, needs=(f"build-{name}", *after),
            commands=(SetCommand(argv=wheels, variables=variables),), inputs=(into, *inputs), outputs=(into,),
            platforms=PLATFORMS,
        )  # fmt: skip


def _sdist_name(member: Member) -> str:
    """Source: PyPA, "Source distribution format", "Source distribution file name" (PEP 625)."""
    try:
        number = str(Version(member.version))
    except InvalidVersion:
        number = member.version
    return f"{normalize_name(member.name).replace('-', '_')}-{number}.tar.gz"


def _upload_jobs(release_set: ReleaseSet, new_projects: Collection[str]) -> Iterator[SetJob]:
    """Each after all jobs of the level before; the first level of an index after the last one of the index before.

    Whether the files passed a dry run is decided by the plan, not by the configuration: the jobs share no journal.
    """
    before: tuple[str, ...] = ("gate",)
    earlier = "none"
    for index in upload_indexes(release_set):
        compared = () if index == _TESTPYPI else ("--dry-run-on", earlier)
        for number, level in enumerate(release_set.levels, 1):
            for name in level:
                new = ("--new-project", name) if name in new_projects else ()
                command = (
                    "set",
                    "release",
                    "--files",
                    FILES,
                    "--only",
                    name,
                    "--index",
                    index,
                    *compared,
                    *new,
                    "--yes",
                )
                yield SetJob(
                    id=f"upload-{index}-{name}", kind="upload", member=name, level=number, index=index, needs=before,
                    commands=(_own_command(*command),), inputs=(FILES,), outputs=(),
                    environment=environment_name(index, name), credentials=True,
                )  # fmt: skip
            before = tuple(f"upload-{index}-{name}" for name in level)
        earlier = index
