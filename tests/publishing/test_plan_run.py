"""How a plan is executed: what stops it, what does not, and who is asked."""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters import collect
from release.checks import engine, post_upload, source_checks, tag_checks
from release.checks.engine import Checklist
from release.core import plan as plans
from release.core.config import Config
from release.core.errors import ReleaseError
from release.core.events import CheckFinished, Event, StepFinished, StepStarted
from release.core.facts import Access, Source, UploadedRelease
from release.core.models.check_result import CheckState, Finding, Outcome, Unknown
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, Receipt
from release.core.models.index import ProjectListing
from release.core.models.results import StepResult
from release.core.plan import Build, CheckCredentials, CheckFiles, CheckSource, Confirm, Plan, Step, Upload
from release.publishing import access, build, compare
from release.publishing.journal import Journal
from release.publishing.last_release import LastRelease
from release.publishing.plan_run import PlanRun
from tests.fake_system import LASTING, NOON, PROJECT, SDIST, WHEEL, fake_system, files_in, sandbox_credential
from tests.repeated_commands import repeated

CONFIG = Config(indexes={"acme": LASTING, "pypi": LASTING})


def outcome(state: CheckState, cause: str | None = None) -> Outcome:
    findings = (Finding(message="it is wrong", remedy="correct it", cause=cause),) if state.blocks else ()
    return Outcome(check="a-check", title="A check", state=state, findings=findings)


@dataclass
class Resources:
    """What a run uploads with; `upload` is what a test wants."""

    uploads: dict[str, list[Any]] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    deadlines: dict[str, Any] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    trusted: set[str] = field(default_factory=set)
    shares_sandbox: bool = False
    used: list[tuple[Any, ...]] = field(default_factory=list)
    on_upload: Callable[..., StepResult] = lambda *_, **__: StepResult(changed=True)
    confirmed: int = 0

    def use_credential(self, *given: Any) -> None:
        self.used.append(given)

    def sandbox(self, _project: str) -> Any:
        return replace(LASTING, name="sandbox", ephemeral=True)

    def upload(self, index: Any, _project: object, files: Any, _journal: object, **options: Any) -> StepResult:
        self.uploads[index.name] = [Receipt(filename=one.filename, sha256=one.sha256) for one in files]
        return self.on_upload(index, **options)

    def fetch_uploaded(self, *_: Any, **__: Any) -> UploadedRelease:
        self.confirmed += 1
        return UploadedRelease(index=LASTING, expected=(), listing=None, install=None, trials=())


@dataclass
class World:
    directory: Path
    files: tuple[Distribution, ...]
    journal: Journal
    pool: ThreadPoolExecutor
    resources: Resources = field(default_factory=Resources)
    told: list[Event] = field(default_factory=list)
    approvals: list[str | None] = field(default_factory=list)
    approves: bool = True

    def run(self, *steps: Step, **more: Any) -> PlanRun:
        def approve(_plan: Plan, new_on: str | None) -> bool:
            self.approvals.append(new_on)
            return self.approves

        plan = Plan(
            verb=more.pop("verb", "publish"), project="acme-widget", version="1.0", commit=None,
            strict=more.pop("strict", True), steps=steps,
        )  # fmt: skip
        given: dict[str, Any] = {
            "plan": plan, "config": CONFIG, "directory": self.directory,
            "system": fake_system(env={"PYPI_PREFLIGHT_STATE": str(self.directory / "user")}),
            "source": Source(config=CONFIG, project=PROJECT, git=None, tag=None, changelog=None),
            "notify": self.told.append, "approve": approve, "renew": None, "journal": self.journal,
            "resources": self.resources, "last_release": LastRelease(pool=self.pool), "files": self.files,
            "allow": False, "offline": False,
        }  # fmt: skip
        return PlanRun(**given | more)

    def ended(self) -> list[tuple[str, str]]:
        return [(one.title, one.status) for one in self.told if isinstance(one, StepFinished)]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    checks(monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        yield World(
            tmp_path, files_in(tmp_path / "dist", WHEEL, SDIST),
            Journal(directory=tmp_path / "state", commit=None, version="1.0"), pool,
        )  # fmt: skip


def checks(monkeypatch: pytest.MonkeyPatch, source: CheckState = CheckState.PASSED) -> None:
    """The checklists of source and upload have one check, with this state; each access passes."""
    for module in (source_checks, tag_checks, post_upload):
        monkeypatch.setattr(module, "CHECKS", Checklist())

    def run(_checks: object, facts: object, **options: Any) -> tuple[Outcome, ...]:
        state = source if isinstance(facts, Source) else CheckState.PASSED
        return (replace(outcome(state), subject=options.get("subject", "")),)

    monkeypatch.setattr(engine, "run", run)
    access_is(monkeypatch, [outcome(CheckState.PASSED)])


def access_is(monkeypatch: pytest.MonkeyPatch, *outcomes: Sequence[Outcome]) -> list[Credential | None]:
    """What each check of an access finds, the last one again and again; the credentials that it was given."""
    left, given = list(outcomes), list[Credential | None]()

    def check(*_: object, credential: Credential | None, **__: object) -> tuple[Access, tuple[Outcome, ...]]:
        given.append(credential)
        found = left.pop(0) if len(left) > 1 else left[0]
        facts = Access(
            index=LASTING, project=PROJECT, credential=credential or sandbox_credential("first"), remarks=(),
            token=None, listing=None, now=NOON, skew=timedelta(seconds=1),
        )  # fmt: skip
        return facts, tuple(found)

    monkeypatch.setattr(access, "check_access", check)
    return given


def raising(error: BaseException) -> Callable[..., StepResult]:
    def upload(*_: object, **__: object) -> StepResult:
        raise error

    return upload


def test_steps_are_shown_as_they_end(world: World) -> None:
    run = world.run(Upload(index="acme"), Upload(index="sandbox"))
    world.resources.on_upload = lambda index, **_: StepResult(changed=index.name != "sandbox", note="n")
    assert run.execute(run.plan.steps) is None
    assert world.ended() == [("upload to acme", "done"), ("upload to sandbox", "skipped")]
    assert [one.title for one in world.told if isinstance(one, StepStarted)] == ["upload to acme", "upload to sandbox"]
    assert run.changed


def test_what_changes_nothing_that_lasts_is_no_change(world: World) -> None:
    run = world.run(Upload(index="sandbox"))
    assert run.execute(run.plan.steps) is None
    assert not run.changed


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ReleaseError("refused", remedy="wait"), "refused"),
        (OSError(errno.ENOSPC, "No space left on device"), "no space left on the disk"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_step_that_fails_ends_the_run_and_names_itself(world: World, error: BaseException, message: str) -> None:
    run = world.run(Upload(index="acme"), Confirm(index="acme"))
    world.resources.on_upload = raising(error)
    failed = run.execute(run.plan.steps)
    assert failed is not None
    assert (failed[0], failed[1].message) == (run.plan.steps[0], message)
    assert failed[1].remedy
    assert (world.ended(), world.resources.confirmed) == ([("upload to acme", "refused")], 0)


def test_a_fault_of_this_program_ends_the_run_as_a_failure(world: World) -> None:
    """What was uploaded before must be in its result."""
    world.resources.on_upload = raising(ZeroDivisionError("of a bug"))
    failed = world.run().execute([Upload(index="acme"), Confirm(index="acme")])
    assert failed is not None
    assert "ZeroDivisionError" in failed[1].message
    assert world.resources.confirmed == 0


def test_all_that_is_wrong_before_an_effect_is_shown_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks of source and credentials have no effects: a failure of the first does not hide the second."""
    checks(monkeypatch, CheckState.FAILED)
    run = world.run(CheckSource(), CheckCredentials(index="acme"), Upload(index="acme"))
    failed = run.execute(run.plan.steps)
    assert failed is not None
    assert (failed[0], failed[1].message) == (CheckSource(), "it is wrong")
    assert [title for title, _ in world.ended()] == ["check the source", "check the credentials for acme"]
    assert world.resources.uploads == {}


def test_a_rehearsal_goes_on_and_remembers_what_would_stop_a_release(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks(monkeypatch, CheckState.FAILED)
    run = world.run(CheckSource(), Upload(index="sandbox"), verb="rehearse", strict=False)
    assert run.execute(run.plan.steps) is None
    assert [one.state for one in run.ignored] == [CheckState.FAILED]
    shown = [one for one in world.told if isinstance(one, CheckFinished)]
    assert [one.stops for one in shown] == [False]


# -- approval ------------------------------------------------------------------------------------------------


def test_one_approval_holds_for_the_run_and_none_is_needed_for_the_sandbox(world: World) -> None:
    def upload(_index: object, approve: Callable[[], None], **_: object) -> StepResult:
        approve()
        return StepResult(changed=True)

    world.resources.on_upload = upload
    run = world.run(Upload(index="sandbox"), Upload(index="acme"), Upload(index="pypi"))
    run.listings = {"acme": None}
    assert run.execute(run.plan.steps[:1]) is None
    assert world.approvals == []
    assert run.execute(run.plan.steps[1:]) is None
    assert world.approvals == ["acme"], "asked once, with the index that the project would be created on"


def test_a_refused_approval_stops_the_run(world: World) -> None:
    world.approves = False
    world.resources.on_upload = lambda _, approve, **__: approve()
    failed = world.run().execute([Upload(index="acme")])
    assert failed is not None
    assert (failed[1].message, failed[1].remedy) == ("not confirmed", "answer y, or pass --yes")


def test_the_time_of_an_answer_is_not_that_of_the_step(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def upload(_index: object, approve: Callable[[], None], **_: object) -> StepResult:
        approve()
        clock[0] += 2
        return StepResult(changed=True)

    world.resources.on_upload = upload
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def answer(*_: object) -> bool:
        clock[0] += 60
        return True

    world.run(approve=answer).execute([Upload(index="acme")])
    (ended,) = [one for one in world.told if isinstance(one, StepFinished)]
    assert (ended.seconds, ended.prompted) == (2, 60)


# -- credentials ---------------------------------------------------------------------------------------------

REVOKED = [outcome(CheckState.FAILED, "cred.revoked")]


def test_another_token_is_asked_for_at_most_three_times(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given = access_is(monkeypatch, REVOKED)
    tokens = iter("abcdefgh")
    run = world.run(Upload(index="acme"), renew=lambda *_: sandbox_credential(next(tokens)))
    failed = run.execute([CheckCredentials(index="acme")])
    assert failed is not None
    assert given == [None, *(sandbox_credential(one) for one in "abc")]


def test_a_token_that_works_is_the_one_that_is_used(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    access_is(monkeypatch, REVOKED, [outcome(CheckState.PASSED)])
    run = world.run(Upload(index="acme"), renew=lambda *_: sandbox_credential("new"))
    assert run.execute([CheckCredentials(index="acme")]) is None
    assert world.resources.used == [("acme", sandbox_credential("new"), timedelta(seconds=1), None)]
    assert run.listings == {"acme": None}


def test_no_token_is_asked_for_once_something_was_sent_or_where_nobody_answers(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    access_is(monkeypatch, REVOKED)
    asked: list[object] = []
    run = world.run(Upload(index="acme"), renew=lambda *given: asked.append(given))
    assert run.execute([CheckCredentials(index="acme")]) is not None
    assert len(asked) == 1, "an empty answer ends the questions"
    run.outcomes.clear()
    world.resources.uploads = {"acme": []}
    assert run.execute([CheckCredentials(index="acme")]) is not None
    assert len(asked) == 1


# -- what was confirmed before -------------------------------------------------------------------------------


def test_a_confirmation_is_stored_and_not_repeated_but_on_request(world: World) -> None:
    run = world.run(Confirm(index="acme"))
    for _ in range(2):
        assert run.execute(run.plan.steps) is None
    assert world.resources.confirmed == 1
    again = world.run(Confirm(index="acme"), verb="confirm")
    assert again.execute(again.plan.steps) is None
    assert world.resources.confirmed == 2, "`confirm` asks the index"


def test_other_files_or_settings_are_confirmed_anew(world: World, tmp_path: Path) -> None:
    world.run().execute([Confirm(index="acme")])
    world.run(files=files_in(tmp_path / "other", WHEEL, text="o")).execute([Confirm(index="acme")])
    assert world.resources.confirmed == 2
    world.run(config=replace(CONFIG, smoke=CONFIG.smoke, waive={"no-such": "r"})).execute(
        [Confirm(index="acme")]
    )  # fmt: skip
    assert world.resources.confirmed == 2, "a waiver of another checklist changes nothing here"
    world.run().execute([Confirm(index="pypi")])
    assert world.resources.confirmed == 3


@pytest.mark.parametrize(("shared", "strict", "uploads"), [(False, True, 0), (True, True, 1), (False, False, 1)])
def test_a_rehearsal_inside_a_release_is_not_repeated_unless_siblings_need_it(
    world: World, shared: bool, strict: bool, uploads: int
) -> None:
    world.run().execute([Confirm(index="sandbox")])
    world.resources.shares_sandbox = shared
    run = world.run(Upload(index="sandbox"), strict=strict)
    assert run.execute(run.plan.steps) is None
    assert len(world.resources.uploads) == uploads


def test_failed_checks_of_a_confirmation_store_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "run", lambda *_, **__: (outcome(CheckState.UNKNOWN),))
    assert world.run().execute([Confirm(index="acme")]) is not None
    assert world.journal.last("verified") is None


# -- the build -------------------------------------------------------------------------------------------------


def test_files_that_were_given_are_compared_with_the_journal(world: World) -> None:
    """A file that replaces one that an index has is stopped before any request."""
    book = Journal(directory=world.directory / ".release" / "1.0" / "tree", commit=None, version="1.0")
    run = world.run(Build(origin="given"))
    assert run.execute(run.plan.steps) is None
    book.write("accepted", index="sandbox", file=WHEEL, sha256="0" * 64)
    assert run.execute(run.plan.steps) is None
    book.write("accepted", index="pypi", file=WHEEL, sha256="0" * 64)
    failed = run.execute(run.plan.steps)
    assert failed is not None
    assert "is not the file on pypi" in failed[1].message


def test_name_and_version_come_from_the_files_where_only_the_backend_knows_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    resources: Any = world.resources
    resources.use_python = lambda _: None
    resources.build_system = fake_system
    resources.scratch = lambda name: world.directory / name
    monkeypatch.setattr(
        build, "build_files", lambda *_, **__: build.BuildResult(files=world.files, built=True)
    )  # fmt: skip
    monkeypatch.setattr(collect, "project_of_files", lambda _: PROJECT)
    monkeypatch.setattr(collect, "with_project", lambda source, *_: replace(source, project=PROJECT))
    unknown = Unknown(reason="only the build backend knows it", remedy="build it")
    run = world.run(offline=True, source=Source(config=CONFIG, project=unknown, git=None, tag=None, changelog=None))
    run.plan = replace(run.plan, project=None, version=None)
    run.journal = replace(run.journal, version=None)
    assert run.execute([Build(origin="tree")]) is None
    assert (run.plan.project, run.plan.version, run.journal.version) == ("acme-widget", "1.0", "1.0")
    assert run.files == world.files


@pytest.mark.parametrize(
    ("index", "project", "table", "started"),
    [
        ("sandbox", "acme-widget", "", ["acme-widget"]),
        ("sandbox", None, '[project]\nname = "Acme"\ndynamic = ["version"]\n', ["Acme"]),
        ("sandbox", None, "", []),
        ("sandbox", None, "[", []),
        ("pypi", "acme-widget", "", []),
    ],
)
def test_the_sandbox_starts_while_the_build_runs_where_the_name_is_declared(
    world: World, index: str, project: str | None, table: str, started: list[str]
) -> None:
    (world.directory / "pyproject.toml").write_text(table)
    named: list[str] = []
    resources: Any = world.resources
    resources.sandbox = named.append
    run = world.run(plans.Upload(index=index))
    run.plan = replace(run.plan, project=project)
    run._prepare_checks()
    assert named == started


def test_a_rehearsal_offline_asks_no_index_for_the_last_release(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def listed(index: Any, *_: object, **__: object) -> None:
        asked.append(index.name)

    monkeypatch.setattr(collect, "collect_listing", listed)
    monkeypatch.setattr(compare, "fetch_previous_release", lambda *_, **__: None)
    monkeypatch.setattr(build, "build_files", raising(ReleaseError("stop here", remedy="")))
    resources: Any = world.resources
    resources.use_python, resources.build_system, resources.scratch = (lambda *_: None), fake_system, None
    for offline, strict in ((True, False), (False, True), (False, False)):
        run = world.run(offline=offline, strict=strict)
        run.execute([Build(origin="tree")])
        run.last_release.result()
    assert len(asked) == 1


def test_the_result_of_a_run_that_failed_outside_any_step(world: World) -> None:
    run = world.run(plans.CheckSource(), verb="check")
    result = run.result(
        (None, ReleaseError("no space left on the disk", remedy="free some")), repeated("pypi-preflight check")
    )
    assert (result.message, result.remedy) == ("no space left on the disk", "free some")
    assert result.record == str(world.journal.directory / "journal.jsonl")


@pytest.mark.parametrize(
    ("case", "compared"),
    [
        ((["pypi"], "listed", "acme-widget"), 1),
        ((["sandbox", "acme", "pypi"], "listed", "acme-widget"), 2),
        ((["pypi"], "absent", "acme-widget"), 0),
        ((["pypi"], "unknown", "acme-widget"), 0),
        ((["pypi"], "listed", None), 0),
    ],
)
def test_files_that_were_built_elsewhere_are_compared_with_the_last_release_of_their_index(
    world: World, monkeypatch: pytest.MonkeyPatch, case: tuple[list[str], str, str | None], compared: int
) -> None:
    """The index is read, and gets nothing: not even a question about a token."""
    targets, there, project = case
    asked = [one for one in targets if one != "sandbox" and project]
    listing = ProjectListing(name="acme-widget", files=())
    found = {"listed": listing, "absent": None, "unknown": Unknown(reason="no answer", remedy="wait")}[there]
    names: list[str] = []
    fetched: list[str] = []

    def listed(index: Any, name: str, **_: object) -> object:
        assert name == "acme-widget"
        names.append(index.name)
        return found

    class Last:
        def fetch(self, listing: ProjectListing, version: str) -> None:
            fetched.append(f"{listing.name} {version}")

    monkeypatch.setattr(collect, "collect_listing", listed)
    indexes = {name: replace(LASTING, name=name) for name in ("acme", "pypi")}
    steps: tuple[Step, ...] = (Build(origin="given"), *(Upload(index=name) for name in targets))
    run = world.run(*steps, config=replace(CONFIG, indexes=indexes), last_release=Last())
    run.plan = replace(run.plan, project=project)
    run.execute([CheckFiles()])
    assert (names, fetched) == (asked, ["acme-widget 1.0"] * compared)
    assert run.listings == ({} if there == "unknown" else dict.fromkeys(asked, found))
