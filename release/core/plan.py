"""What will be done, as data.

A plan is the very value that a run carries out, so showing it is a dry run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from release.core.config import Config
from release.core.errors import UsageError
from release.core.facts import Source
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.steps import (
    Build,
    InspectAccess,
    InspectBuilt,
    InspectSource,
    Promote,
    PushTag,
    ReleaseOnGitHub,
    Step,
    Tag,
    Upload,
    Verify,
)

__all__ = [
    "SANDBOX", "Build", "InspectAccess", "InspectBuilt", "InspectSource", "Plan", "Promote", "PushTag",
    "ReleaseOnGitHub", "Step", "Tag", "Upload", "Verb", "Verify", "as_data", "make", "need_name",
]  # fmt: skip

SANDBOX = "sandbox"


Verb = Literal["check", "build", "rehearse", "testpypi", "publish", "confirm", "release"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps of one run, in order."""

    verb: Verb
    #: None while the project does not say it
    project: str | None
    #: None while the project does not say it
    version: str | None
    #: 40 hex digits; None where the project is in no repository
    commit: str | None
    #: whether a failed check of source or access ends the run; a rehearsal shows it and goes on
    strict: bool
    steps: tuple[Step, ...]

    @property
    def irreversible(self) -> tuple[Upload, ...]:
        """The steps that no later step can undo: a file name once used on an index is used for ever."""
        return tuple(step for step in self.steps if isinstance(step, Upload) and step.index != SANDBOX)

    @property
    def asks(self) -> bool:
        """Whether the user is asked before the first step that can't be undone; a dry run is asked for by name."""
        return bool(self.irreversible) and self.verb != "testpypi"

    @property
    def rehearses_tree(self) -> bool:
        """Whether the files are made from the directory as it stands, and are no release."""
        return any(isinstance(step, Build) and step.origin == "tree" for step in self.steps)

    @property
    def takes_given(self) -> bool:
        """Whether the files come from elsewhere, so that there is no source to look at."""
        return any(isinstance(step, Build) and step.origin == "given" for step in self.steps)

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the indexes that are looked at or written to, in order of appearance."""
        return tuple(
            dict.fromkeys(step.index for step in self.steps if isinstance(step, Upload | Verify | InspectAccess))
        )


def make(  # noqa: PLR0913 - a verb with its options
    verb: Verb, config: Config, source: Source, *, index: str | None = None, built: bool = False, given: bool = False
) -> Plan:
    """The plan of a verb. `index` replaces the verb's own; `built` rehearses the files of the last build.

    `given`: the files are there already, built elsewhere; nothing but them is looked at.
    """
    known = None if isinstance(source.project, Unknown) else source.project
    git = None if isinstance(source.git, Unknown) else source.git
    for name in filter(None, [index]):
        config.index(name)
    steps = _given(verb, config, index) if given else _steps(verb, config, source, index=index, built=built)
    return Plan(
        verb=verb,
        project=known.name if known else None,
        version=known.version if known else None,
        commit=git.commit if git else None,
        strict=verb != "rehearse",
        steps=tuple(steps),
    )


def _steps(verb: Verb, config: Config, source: Source, *, index: str | None, built: bool) -> Iterable[Step]:
    before, after = _tag(config, source)
    match verb:
        case "check":
            return (InspectSource(), *(InspectAccess(index=name) for name in _indexes(index)))
        case "build":
            return (InspectSource(), Build(origin="commit"), InspectBuilt())
        case "rehearse":
            return (*_rehearsal(source, built=built), InspectBuilt(), *_station(SANDBOX))
        case "testpypi":
            return (*_looked_at(index or "testpypi"), *_station(index or "testpypi"))
        case "publish":
            target = index or "pypi"
            proven = _promotion(config.proving or ("testpypi" if target == "pypi" else "none"))
            return (*_looked_at(target), *proven, *before, *_station(target), *after)
        case "confirm":
            return (Build(origin="journal"), Verify(index=index or "pypi"))
        case "release":
            target, proving = index or "pypi", config.proving or "testpypi"
            looks = [name for name in (proving, target) if name not in {SANDBOX, "none"}]
            stations = [step for name in dict.fromkeys((SANDBOX, *looks[:-1])) for step in _station(name)]
            last = (*_promotion(proving), *before, *_station(target), *after)
            return (*_looked_at(*looks), *stations, *last)


def _rehearsal(source: Source, *, built: bool) -> tuple[Step, ...]:
    """What only the build knows is built first, and looked at then: a rehearsal asks its backend once."""
    build = Build(origin="journal" if built else "tree")
    late = isinstance(source.project, Unknown)
    return (build, InspectSource()) if late else (InspectSource(), build)


def _indexes(index: str | None) -> tuple[str, ...]:
    return (index,) if index else ("testpypi", "pypi")


def _looked_at(*indexes: str) -> tuple[Step, ...]:
    access = (InspectAccess(index=name) for name in indexes)
    return (InspectSource(), *access, Build(origin="commit"), InspectBuilt())


def _station(index: str) -> tuple[Step, ...]:
    return (Upload(index=index), Verify(index=index))


def _promotion(proving: str) -> tuple[Step, ...]:
    return () if proving == "none" else (Promote(proven_on=proving),)


def _given(verb: Verb, config: Config, index: str | None) -> tuple[Step, ...]:
    name = index or ("testpypi" if verb == "testpypi" else "pypi")
    proven = _promotion(config.proving or "none") if verb == "publish" else ()
    return (InspectAccess(index=name), Build(origin="given"), InspectBuilt(), *proven, *_station(name))


def _tag(config: Config, source: Source) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """What is done with the tag before the release, and after it."""
    git = source.git
    if source.tag is None or git is None or isinstance(git, Unknown):
        return (), ()
    before = (Tag(name=source.tag, remote=git.remote),) if git.tagged_commit is None else ()
    after: list[Step] = []
    if config.push_tag and git.remote is not None:
        after.append(PushTag(name=source.tag, remote=git.remote))
    if config.github_release and git.github is not None:
        after.append(ReleaseOnGitHub(repository=git.github, tag=source.tag))
    return before, tuple(after)


def as_data(plan: Plan, indexes: dict[str, Index]) -> dict[str, Any]:
    """The plan for JSON: each step with its name, and where it goes."""
    steps = []
    for step in plan.steps:
        data = {"step": _word(step)} | asdict(step)
        if isinstance(step, Upload):
            data["url"] = indexes[step.index].upload_url if step.index in indexes else "the embedded sandbox"
            data["irreversible"] = step in plan.irreversible
        steps.append(data)
    fields = {name: getattr(plan, name) for name in ("verb", "project", "version", "commit", "strict")}
    return {"schema": 1, **fields, "steps": steps}


_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def _word(step: Step) -> str:
    """The name of a step in a document: "inspect-source", "upload", "push-tag"."""
    return _WORD.sub("-", type(step).__name__.replace("GitHub", "Github")).lower()


def need_name(plan: Plan) -> tuple[str, str]:
    """Project and version. Raises `UsageError` where the project does not say them."""
    if plan.project is None or plan.version is None:
        raise UsageError(
            "the project does not say its name and version",
            remedy="run `python -m release check`, which says why",
        )
    return plan.project, plan.version
