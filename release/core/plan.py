"""The plan of a run, as data.

A run executes the same value that `--plan` prints, so that printing it is a dry run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from msgspec import Struct, to_builtins

from release.core.errors import UsageError
from release.core.models.check_result import Unknown

if TYPE_CHECKING:
    from release.core.config import Config
    from release.core.facts import Source
    from release.core.models.index import Index

SANDBOX = "sandbox"

Verb = Literal["check", "build", "rehearse", "testpypi", "publish", "confirm", "release"]


class _Titled:
    """What all steps share. `KIND` is the step's name in JSON; `TITLE` is filled in with its fields."""

    __slots__ = ()
    KIND: ClassVar[str]
    TITLE: ClassVar[str]

    @property
    def title(self) -> str:
        """A few words for one line on a screen."""
        return self.TITLE.format(step=self)


class CheckSource(_Titled, Struct, frozen=True, kw_only=True):
    """Run the first checklist: the state of the source tree."""

    KIND = "inspect-source"
    TITLE = "check the source"


class CheckCredentials(_Titled, Struct, frozen=True, kw_only=True):
    """Run the second checklist: the credentials for one index, and what the index has."""

    KIND = "inspect-access"
    TITLE = "check the credentials for {step.index}"
    index: str


class Build(_Titled, Struct, frozen=True, kw_only=True):
    """Build the distributions, or use those that exist already."""

    KIND = "build"
    #: "commit": a fresh clone of the commit; "tree": the directory in its current state;
    #: "journal": the files of an earlier build only; "given": files that were built elsewhere
    origin: Literal["commit", "tree", "journal", "given"]
    #: the files that are "given": "97 wheels for 5 Pythons and 20 platforms, 1 sdist"
    files: str = ""

    @property
    def title(self) -> str:
        return {
            "commit": "build from a clean clone of the commit",
            "tree": "build the working tree",
            "journal": "use the files of the last build",
            "given": f"use the prebuilt files{f': {self.files}' if self.files else ''}",
        }[self.origin]


class CheckFiles(_Titled, Struct, frozen=True, kw_only=True):
    """Run the third checklist: the distributions, by the rules of the index."""

    KIND = "inspect-built"
    TITLE = "check the files"


class Upload(_Titled, Struct, frozen=True, kw_only=True):
    """Upload the files that the index does not have yet."""

    KIND = "upload"
    TITLE = "upload to {step.index}"
    index: str


class Confirm(_Titled, Struct, frozen=True, kw_only=True):
    """Run the fourth checklist: what the index lists, installed and tested in a clean environment."""

    KIND = "verify"
    TITLE = "confirm on {step.index}"
    index: str


class CompareWithDryRun(_Titled, Struct, frozen=True, kw_only=True):
    """Compare the files with those that passed the dry run; only identical files are released."""

    KIND = "promote"
    TITLE = "compare with the dry run on {step.proven_on}"
    #: the index of the dry run, or "sandbox"; the name of the field is public: it is a key of the JSON document
    proven_on: str


class Tag(_Titled, Struct, frozen=True, kw_only=True):
    """Tag the released commit locally, unless it is tagged already."""

    KIND = "tag"
    TITLE = "create the tag {step.name}"
    name: str
    #: the remote that the tag is pushed to later; None where the repository has none
    remote: str | None


class PushTag(_Titled, Struct, frozen=True, kw_only=True):
    """Push the tag, unless the remote has it already."""

    KIND = "push-tag"
    TITLE = "push the tag {step.name} to {step.remote}"
    name: str
    remote: str


class PushCommit(_Titled, Struct, frozen=True, kw_only=True):
    """Push the commit that `prepare` has made to the branch's upstream, unless it is there already."""

    KIND = "push-commit"
    TITLE = "push the commit {step.commit:.12} to {step.remote}/{step.branch}"
    commit: str
    remote: str
    branch: str


class ReleaseOnGitHub(_Titled, Struct, frozen=True, kw_only=True):
    """Create a release on GitHub: first a draft, then its files; it is published last."""

    KIND = "release-on-github"
    TITLE = "create the GitHub release {step.tag}"
    #: "owner/repository"
    repository: str
    tag: str


Check = CheckSource | CheckCredentials | CheckFiles
Promotion = CompareWithDryRun | Tag | PushTag | PushCommit | ReleaseOnGitHub
AFTER_RELEASE = PushTag | PushCommit | ReleaseOnGitHub
Step = Check | Promotion | Build | Upload | Confirm


def has_lasting_effect(step: Step) -> bool:
    """Whether the step changes anything that outlives the run, apart from its record and the files that it builds."""
    return isinstance(step, Tag | AFTER_RELEASE) or (isinstance(step, Upload) and step.index != SANDBOX)


class Plan(Struct, frozen=True, kw_only=True):
    """The steps of one run, in order."""

    verb: Verb
    #: None while it is unknown
    project: str | None
    #: None while it is unknown
    version: str | None
    #: 40 hex digits; None outside a repository
    commit: str | None
    #: whether a failed check of the source or the credentials ends the run; a rehearsal shows it and continues
    strict: bool
    steps: tuple[Step, ...]
    #: the project that this run creates, as its user has confirmed; None: none
    new_project: str | None = None
    #: whether the checks of the credentials exchange the identity of this CI job, which proves its trusted publisher
    exchanges: bool = False

    @property
    def irreversible(self) -> tuple[Upload, ...]:
        """The steps that no later step can undo: an index accepts each file name only once."""
        return tuple(step for step in self.steps if isinstance(step, Upload) and step.index != SANDBOX)

    @property
    def needs_approval(self) -> bool:
        """Whether the user is prompted before the first irreversible step. A dry run is requested explicitly."""
        return bool(self.irreversible) and self.verb != "testpypi"

    @property
    def checks_credentials(self) -> bool:
        """Whether the access to any index is checked before the build."""
        return any(isinstance(step, CheckCredentials) for step in self.steps)

    @property
    def builds_tree(self) -> bool:
        """Whether the files are built from the directory in its current state, so that they are no release."""
        return any(isinstance(step, Build) and step.origin == "tree" for step in self.steps)

    @property
    def uses_prebuilt(self) -> bool:
        """Whether the files were built elsewhere, so that there is no source to check."""
        return any(isinstance(step, Build) and step.origin == "given" for step in self.steps)

    @property
    def targets(self) -> tuple[str, ...]:
        """The names of the indexes that the steps use, in order of appearance."""
        used = (step.index for step in self.steps if isinstance(step, Upload | Confirm | CheckCredentials))
        return tuple(dict.fromkeys(used))


def make_plan(  # noqa: PLR0913 - a command with its options
    verb: Verb,
    config: Config,
    source: Source,
    *,
    index: str | None = None,
    built: bool = False,
    prebuilt: bool = False,
    files: str = "",
) -> Plan:
    """The plan of a command. `index` replaces its default; `built` rehearses the files of the last build.

    `prebuilt`: the files were built elsewhere, and only they are checked; `files` describes them in a few words.
    Raises `ConfigError` for an unknown index.
    """
    project = None if isinstance(source.project, Unknown) else source.project
    git = None if isinstance(source.git, Unknown) else source.git
    if index:
        config.index(index)
    steps = (
        _prebuilt_steps(verb, config, index, files)
        if prebuilt
        else _steps(verb, config, source, index=index, built=built)
    )
    return Plan(
        verb=verb,
        project=project.name if project else None,
        version=project.version if project else None,
        commit=git.commit if git else None,
        strict=verb != "rehearse",
        steps=tuple(steps),
    )


def _steps(verb: Verb, config: Config, source: Source, *, index: str | None, built: bool) -> Iterable[Step]:
    tag, after = _tag_steps(config, source)
    match verb:
        case "check":
            indexes = (index,) if index else ("testpypi", "pypi")
            return (CheckSource(), *(CheckCredentials(index=name) for name in indexes))
        case "build":
            return (CheckSource(), Build(origin="commit"), CheckFiles())
        case "rehearse":
            build = Build(origin="journal" if built else "tree")
            # Where only the build backend knows name and version, build first, so that it is called only once.
            start = (build, CheckSource()) if isinstance(source.project, Unknown) else (CheckSource(), build)
            return (*start, CheckFiles(), *_upload_and_confirm(SANDBOX))
        case "testpypi":
            return (*_checked_build(index or "testpypi"), *_upload_and_confirm(index or "testpypi"))
        case "publish":
            target = index or "pypi"
            dry_run = config.dry_run_on or ("testpypi" if target == "pypi" else "none")
            return (*_checked_build(target), *_comparison(dry_run), *tag, *_upload_and_confirm(target), *after)
        case "confirm":
            return (Build(origin="journal"), Confirm(index=index or "pypi"))
        case "release":
            target, rehearsed_on, checked = _release_indexes(config, index)
            last = (*_comparison(rehearsed_on), *tag, *_upload_and_confirm(target), *after)
            return (*_checked_build(*checked), *_dry_runs(checked), *last)


def _release_indexes(config: Config, index: str | None) -> tuple[str, str, tuple[str, ...]]:
    """The index of a release, that of its dry run, and those whose credentials it needs, in order."""
    target, dry_run = index or "pypi", config.dry_run_on or "testpypi"
    return target, dry_run, tuple(name for name in (dry_run, target) if name not in {SANDBOX, "none"})


def _dry_runs(checked: tuple[str, ...]) -> tuple[Step, ...]:
    """The dry runs of a release: on the embedded index, and on all its indexes but the last."""
    names = dict.fromkeys((SANDBOX, *checked[:-1]))
    return tuple(step for name in names for step in _upload_and_confirm(name))


def _checked_build(*indexes: str) -> tuple[Step, ...]:
    return (CheckSource(), *(CheckCredentials(index=name) for name in indexes), Build(origin="commit"), CheckFiles())


def _upload_and_confirm(index: str) -> tuple[Step, ...]:
    return (Upload(index=index), Confirm(index=index))


def _comparison(dry_run_index: str) -> tuple[Step, ...]:
    return () if dry_run_index == "none" else (CompareWithDryRun(proven_on=dry_run_index),)


def _prebuilt_steps(verb: Verb, config: Config, index: str | None, files: str) -> tuple[Step, ...]:
    judged = (Build(origin="given", files=files), CheckFiles())
    if verb == "rehearse":
        return (*judged, *_upload_and_confirm(SANDBOX))
    # The credentials come last: they are checked by requests to the address for uploads.
    if verb == "release":
        target, dry_run, checked = _release_indexes(config, index)
        credentials = (CheckCredentials(index=name) for name in checked)
        last = (*_comparison(dry_run), *_upload_and_confirm(target))
        return (*judged, *credentials, *_dry_runs(checked), *last)
    name = index or ("testpypi" if verb == "testpypi" else "pypi")
    comparison = _comparison(config.dry_run_on or "none") if verb == "publish" else ()
    return (*judged, CheckCredentials(index=name), *comparison, *_upload_and_confirm(name))


def _tag_steps(config: Config, source: Source) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """The steps that create the tag before the upload, and those that publish it after the release is confirmed."""
    git = source.git
    if source.tag is None or git is None or isinstance(git, Unknown):
        return (), ()
    before = (Tag(name=source.tag, remote=git.remote),) if git.tagged_commit is None else ()
    after: list[Step] = []
    if config.push_tag and git.remote is not None:
        after.append(PushTag(name=source.tag, remote=git.remote))
    if config.github_release and git.github is not None:
        after.append(ReleaseOnGitHub(repository=git.github, tag=source.tag))
    if config.push_tag and git.push_to is not None:
        after.append(PushCommit(commit=git.commit, remote=git.push_to[0], branch=git.push_to[1]))
    return before, tuple(after)


def plan_to_json(plan: Plan, indexes: dict[str, Index]) -> dict[str, Any]:
    """The plan for JSON, schema 1: each step with its name and, where it uploads, its address."""
    steps = []
    for step in plan.steps:
        data = {"step": step.KIND} | to_builtins(step)
        if isinstance(step, Upload):
            data["url"] = indexes[step.index].upload_url if step.index in indexes else "the embedded sandbox"
            data["irreversible"] = step in plan.irreversible
        steps.append(data)
    fields = {name: getattr(plan, name) for name in ("verb", "project", "version", "commit", "strict", "exchanges")}
    return {"schema": 1, **fields, "steps": steps}


def require_name(plan: Plan) -> tuple[str, str]:
    """Project and version. Raises `UsageError` where they are unknown."""
    if plan.project is None or plan.version is None:
        raise UsageError(
            "the project's name and version are unknown", remedy="run `pypi-preflight check`, which shows why"
        )
    return plan.project, plan.version
