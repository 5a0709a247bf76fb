"""What will be done, as data.

A plan is the very value that a run carries out, so showing it is a dry run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from release.config import Config
from release.errors import UsageError
from release.facts import Source
from release.model.finding import Unknown
from release.model.index import Index

SANDBOX = "sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectSource:
    """Run the first checklist: the project as it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectAccess:
    """Run the second checklist: the way to one index."""

    index: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Make the files, or take those that the journal names."""

    #: "commit": a fresh clone of the commit; "tree": the directory as it stands;
    #: "journal": the files of an earlier build, and nothing else; "given": files from elsewhere
    origin: Literal["commit", "tree", "journal", "given"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectBuilt:
    """Run the third checklist: the files, as the index will judge them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Send what the index does not have."""

    index: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """Run the fourth checklist: what the index lists, installed and tried from outside."""

    index: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """Tag the released commit, on this machine, where it is not tagged yet."""

    name: str


Step = InspectSource | InspectAccess | Build | InspectBuilt | Upload | Verify | Tag

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
    return Plan(
        verb=verb,
        project=known.name if known else None,
        version=known.version if known else None,
        commit=git.commit if git else None,
        strict=verb != "rehearse",
        steps=_given(verb, index) if given else tuple(_steps(verb, source, index=index, built=built)),
    )


def _steps(verb: Verb, source: Source, *, index: str | None, built: bool) -> Iterable[Step]:
    match verb:
        case "check":
            return (InspectSource(), *(InspectAccess(index=name) for name in _indexes(index)))
        case "build":
            return (InspectSource(), Build(origin="commit"), InspectBuilt())
        case "rehearse":
            return (*_rehearsal(source, built=built), InspectBuilt(), Upload(index=SANDBOX), Verify(index=SANDBOX))
        case "testpypi":
            return _to(index or "testpypi")
        case "publish":
            return (*_to(index or "pypi"), *_tag(source))
        case "confirm":
            return (Build(origin="journal"), Verify(index=index or "pypi"))
        case "release":
            return _release(source, index or "pypi")


def _rehearsal(source: Source, *, built: bool) -> tuple[Step, ...]:
    """What only the build knows is built first, and looked at then: a rehearsal asks its backend once."""
    build = Build(origin="journal" if built else "tree")
    late = isinstance(source.project, Unknown)
    return (build, InspectSource()) if late else (InspectSource(), build)


def _indexes(index: str | None) -> tuple[str, ...]:
    return (index,) if index else ("testpypi", "pypi")


def _to(index: str) -> tuple[Step, ...]:
    before = (InspectSource(), InspectAccess(index=index), Build(origin="commit"), InspectBuilt())
    return (*before, Upload(index=index), Verify(index=index))


def _given(verb: Verb, index: str | None) -> tuple[Step, ...]:
    name = index or ("testpypi" if verb == "testpypi" else "pypi")
    before = (InspectAccess(index=name), Build(origin="given"), InspectBuilt())
    return (*before, Upload(index=name), Verify(index=name))


def _release(source: Source, index: str) -> tuple[Step, ...]:
    stations = tuple(step for name in (SANDBOX, "testpypi", index) for step in (Upload(index=name), Verify(index=name)))
    access = (InspectAccess(index="testpypi"), InspectAccess(index=index))
    return (InspectSource(), *access, Build(origin="commit"), InspectBuilt(), *stations, *_tag(source))


def _tag(source: Source) -> tuple[Tag, ...]:
    git = source.git
    if source.tag is None or git is None or isinstance(git, Unknown) or git.tagged_commit is not None:
        return ()
    return (Tag(name=source.tag),)


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


_BUILDS = {
    "commit": "build from a clean clone of the commit",
    "tree": "build the tree as it stands",
    "journal": "take the files of the last build",
    "given": "take the files that are given",
}


def title(step: Step) -> str:
    """The step in a few words, for a line on a screen."""
    match step:
        case InspectSource():
            return "check the source"
        case InspectAccess():
            return f"check the way to {step.index}"
        case Build():
            return _BUILDS[step.origin]
        case InspectBuilt():
            return "check the files"
        case Upload():
            return f"upload to {step.index}"
        case Verify():
            return f"verify on {step.index}"
        case Tag():
            return f"tag the commit {step.name}"


def _word(step: Step) -> str:
    words = {InspectSource: "inspect-source", InspectAccess: "inspect-access", InspectBuilt: "inspect-built"}
    return words.get(type(step), type(step).__name__.lower())


def need_name(plan: Plan) -> tuple[str, str]:
    """Project and version. Raises `UsageError` where the project does not say them."""
    if plan.project is None or plan.version is None:
        raise UsageError(
            "the project does not say its name and version",
            remedy="run `python -m release check`, which says why",
        )
    return plan.project, plan.version
