"""A member's run: which steps each part executes, with what, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters import collect
from release.adapters.git.shared_answers import GitAnswers
from release.adapters.system.system import System
from release.core.config import Config, UploadSettings
from release.core.errors import ConfigError, Exit, RefusedError, ReleaseError
from release.core.events import MemberEvent, Message, SetEvent
from release.core.facts import Access, GitState, ProjectMetadata, Source
from release.core.models.distribution import Distribution
from release.core.models.index import Index
from release.core.models.probe import ProbeResult, ServerResponse
from release.core.models.release_set import Member, MemberFacts, Sibling
from release.core.plan import Step, Upload, Verb
from release.publishing.plan_run import PlanRun
from release.publishing.runner import INTERRUPTED, StepFailure
from release.publishing.sets.interruption import Interruption
from release.publishing.sets.member_run import MemberContext, MemberRun
from release.publishing.sets.set_options import SetRunOptions
from release.publishing.sets.set_tools import SetTools
from tests.fake_system import LASTING, fake_system, listing_of
from tests.repeated_commands import repeated
from tests.sample_distributions import wheel, wheel_name

GIT = GitState(
    commit="c" * 40, branch="main", changes=(), upstream=None, behind=0, tagged_commit=None, shallow=False,
    remote="origin", push_to=("origin", "main"),
)  # fmt: skip
SIBLING = Sibling(name="b", version="1.0", page="http://127.0.0.1:9/simple/b/")
BROKEN = ReleaseError("it fails", remedy="repair it")


@dataclass(kw_only=True)
class Made:
    """A set at a root whose member `Acme.A` is run; no step of its plan has an effect."""

    root: Path
    executed: list[Step] = field(default_factory=list)
    #: called before a step; returns its failure
    fail: Callable[[Step], ReleaseError | None] = lambda _: None
    read: list[tuple[System, Path, Config, bool]] = field(default_factory=list)
    told: list[SetEvent] = field(default_factory=list)
    asked: list[tuple[str, Index | None]] = field(default_factory=list)
    #: the siblings that a build or an install took, and a path for their pages
    taken: list[tuple[Sequence[Sibling], Path]] = field(default_factory=list)
    interruption: Interruption = field(default_factory=Interruption)
    runs: list[MemberRun] = field(default_factory=list)

    def run(self, verb: Verb = "release", member: Member | None = None, **options: Any) -> MemberRun:
        given: dict[str, Any] = {
            "verb": "release", "directory": self.root, "config": Config(), "system": fake_system(),
            "notify": self.told.append, "approve": lambda *_: False, "approve_new": lambda *_: None,
            "command": repeated("pypi-preflight set release"),
        }  # fmt: skip
        settings = SetRunOptions(**given | options)
        tools = SetTools(system=settings.system, settings=UploadSettings(), projects=["Acme.A"], git=GitAnswers())
        context = MemberContext(
            verb=verb, options=settings, tools=tools, interruption=self.interruption, siblings=self._siblings
        )
        facts = MemberFacts(
            member=member or Member(name="Acme.A", version="1.0", directory="packages/a"), state="release"
        )
        self.runs.append(MemberRun(facts=facts, context=context))
        return self.runs[-1]

    def _siblings(self, name: str, index: Index | None) -> Sequence[Sibling]:
        self.asked.append((name, index))
        return (SIBLING,)

    def kinds(self) -> list[str]:
        """The steps since the last call, each with its index."""
        found = [f"{one.KIND} {getattr(one, 'index', '')}".strip() for one in self.executed]
        self.executed.clear()
        return found


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    found = Made(root=tmp_path)
    directory = tmp_path / "packages/a"
    directory.mkdir(parents=True)
    (directory / "pyproject.toml").write_text('[project]\nname = "Acme.A"\n[tool.release]\nbranch = "stable"\n')

    def collect_source(system: System, directory: Path, config: Config, *, ask_backend: bool = True) -> Source:
        found.read.append((system, directory, config, ask_backend))
        project = ProjectMetadata(name="Acme.A", version="1.0")
        return Source(config=config, project=project, git=GIT, tag="a-v1.0", changelog=None)

    def execute(run: PlanRun, steps: Sequence[Step]) -> StepFailure | None:
        for one in steps:
            found.executed.append(one)
            failure = found.fail(one)
            if failure is not None:
                return one, failure
        return None

    def with_siblings(_: SetTools, system: System, siblings: Any, scratch: Callable[[str], Path]) -> System:
        found.taken.append((siblings, scratch("siblings")))
        return system

    monkeypatch.setattr(collect, "collect_source", collect_source)
    monkeypatch.setattr(PlanRun, "execute", execute)
    monkeypatch.setattr(SetTools, "with_siblings", with_siblings)
    yield found
    for one in found.runs:
        one.close()


def opened(run: MemberRun) -> Any:
    assert run.opened is not None
    return run.opened


def wheel_in(root: Path) -> tuple[Distribution, ...]:
    data, path = wheel("acme-a", "1.0"), root / wheel_name("acme-a", "1.0")
    path.write_bytes(data)
    return (Distribution(path=path, sha256=sha256(data).hexdigest(), size=len(data)),)


# -- parts ---------------------------------------------------------------------------------------------


def test_each_part_executes_the_steps_up_to_its_barrier(made: Made) -> None:
    """What all members do first, what leaves nothing on an index, one index after the other, and the commit of all."""
    run, push = made.run(), threading.Lock()
    assert (run.plan, run.lasting_indexes(), run.pushes_commit, run.publishes_on("pypi")) == (None, (), False, False)
    run.check()
    assert made.kinds() == ["inspect-source", "inspect-access testpypi", "inspect-access pypi"]
    run.pass_gate()
    assert made.kinds() == ["build", "inspect-built", "upload sandbox", "verify sandbox"]
    assert run.lasting_indexes() == ("testpypi", "pypi")
    assert [run.publishes_on(name) for name in ("testpypi", "pypi", "sandbox", "other")] == [True, True, False, False]
    run.publish("testpypi", push)
    assert made.kinds() == ["upload testpypi", "verify testpypi"]
    assert [run.publishes_on(name) for name in ("testpypi", "pypi")] == [False, True]
    run.publish("testpypi", push)
    assert made.kinds() == [], "an index that is done"
    run.publish("pypi", push)
    assert made.kinds() == ["promote", "tag", "upload pypi", "verify pypi", "push-tag"]
    assert (run.publishes_on("pypi"), run.pushes_commit) == (False, True)
    run.push_commit()
    assert made.kinds() == ["push-commit"]
    assert (run.pushes_commit, run.failure, run.stopped) == (False, None, False)


def test_git_is_changed_by_one_member_at_a_time(made: Made) -> None:
    held: dict[str, bool] = {}
    run, push = made.run(), threading.Lock()
    made.fail = lambda step: held.update({step.KIND: push.locked()})
    run.pass_gate()
    run.publish("testpypi", push)
    run.publish("pypi", push)
    assert {name for name, locked in held.items() if locked} == {"tag", "push-tag"}
    assert not push.locked()


def test_the_gate_checks_a_member_that_was_not_checked(made: Made) -> None:
    made.run().pass_gate()
    assert made.kinds()[:2] == ["inspect-source", "inspect-access testpypi"]


@pytest.mark.parametrize(
    ("verb", "index", "steps", "lasting"),
    [
        ("check", None, [3, 0], ()),
        ("rehearse", None, [1, 4], ()),
        ("testpypi", None, [2, 2], ("testpypi",)),
        ("publish", None, [2, 2], ("pypi",)),
        ("publish", "testpypi", [2, 2], ("testpypi",)),
    ],
)
def test_what_comes_before_the_first_lasting_effect(
    made: Made, verb: Verb, index: str | None, steps: list[int], lasting: tuple[str, ...]
) -> None:
    run = made.run(verb, index=index)
    run.check()
    first = len(made.kinds())
    run.pass_gate()
    assert ([first, len(made.kinds())], run.lasting_indexes()) == (steps, lasting)


def test_a_failure_ends_the_parts_that_follow(made: Made) -> None:
    made.fail = lambda step: BROKEN if step == Upload(index="testpypi") else None
    run = made.run()
    run.pass_gate()
    made.kinds()
    run.publish("testpypi", threading.Lock())
    assert made.kinds() == ["upload testpypi"]
    assert (run.failure, run.stopped) == ((Upload(index="testpypi"), BROKEN), False)
    run.publish("pypi", threading.Lock())
    run.pass_gate()
    assert made.kinds() == []
    done = run.finished(seconds=2.5)
    assert (done.member, done.version, done.status, done.seconds) == ("Acme.A", "1.0", "refused", 2.5)
    assert (done.note, done.remedy) == ("it fails", "repair it")


def test_what_a_step_has_left_is_removed_after_its_part(made: Made) -> None:
    run = made.run()
    run.check()
    left = opened(run).state.resources.scratch("build")
    left.mkdir()
    run.pass_gate()
    assert not left.exists()


@pytest.mark.parametrize("fails", [True, False])
def test_a_member_that_fails_after_an_interrupt_was_stopped(made: Made, fails: bool) -> None:
    """Its failure is the interrupt, not what a program said when it was ended; without one, all its steps are done."""
    run = made.run()
    run.check()

    def stop(_: Step) -> ReleaseError | None:
        made.interruption.requested.set()
        return BROKEN if fails else None

    made.fail = stop
    run.pass_gate()
    done = run.finished(seconds=0)
    if fails:
        assert run.failure is not None
        assert (run.failure[0], run.failure[1], run.stopped) == (opened(run).state.plan.steps[3], INTERRUPTED, True)
        assert (done.status, done.note, done.remedy) == ("stopped", "", "")
    else:
        assert (run.failure, run.stopped, done.status, done.note) == (None, False, "done", "")


# -- the begin -----------------------------------------------------------------------------------------


def test_a_member_is_read_with_its_own_configuration_below_that_of_the_root(made: Made) -> None:
    indexes = {**Config().indexes, "acme": LASTING}
    run = made.run(config=Config(indexes=indexes), dry_run_on="none", index="acme", allow=True, offline=True)
    run.check()
    system, directory, config, ask = made.read[0]
    assert (run.name, run.directory, directory) == ("acme-a", made.root / "packages/a", made.root / "packages/a")
    assert (config.branch, config.indexes["acme"], config.dry_run_on, ask) == ("stable", LASTING, "none", True)
    options = opened(run).options
    assert (options.config, options.source.config, options.directory) == (config, config, directory)
    assert (options.allow, options.offline, options.files) == (True, True, ())
    assert str(options.command) == str(run.context.options.command)
    assert options.approve(run.plan, None) is True, "the set was approved as a whole"
    assert (options.system.env, options.system.now) == (system.env, system.now)
    assert run.lasting_indexes() == ("acme",)
    assert run.plan is not None
    assert (run.plan.verb, run.plan.project, run.plan.commit) == ("release", "Acme.A", GIT.commit)


def test_the_member_at_the_root_has_the_configuration_of_the_root(made: Made) -> None:
    (made.root / "pyproject.toml").write_text('[project]\nname = "Acme.A"\n[tool.release]\nbranch = "top"\n')
    run = made.run(member=Member(name="Acme.A", version="1.0", directory="."), config=Config())
    run.check()
    assert (run.directory, made.read[0][2].branch, made.read[0][2].dry_run_on) == (made.root, "top", None)


def test_a_rehearsal_asks_no_build_backend_before_it_builds(made: Made) -> None:
    made.run("rehearse").check()
    assert made.read[0][3] is False


def test_a_dry_run_of_the_member_holds_where_the_command_names_none(made: Made) -> None:
    with (made.root / "packages/a/pyproject.toml").open("a") as file:
        file.write('dry-run-on = "sandbox"\n')
    run = made.run()
    run.check()
    assert run.lasting_indexes() == ("pypi",)


def test_builds_are_held_to_the_constraints_of_the_root(made: Made) -> None:
    (made.root / "pins.txt").write_text(f"hatchling==1.27.0 --hash=sha256:{'0' * 64}\n")
    run = made.run(config=Config(build_constraints="pins.txt"))
    run.check()
    pinned = opened(run).options.system.pinned_build
    assert (made.read[0][0].pinned_build, pinned.path) == (pinned, made.root / "pins.txt")


def test_events_have_the_name_of_the_member(made: Made) -> None:
    run = made.run()
    run.check()
    opened(run).options.notify(Message(text="now"))
    assert made.told[-1] == MemberEvent(member="Acme.A", event=Message(text="now"))
    made.interruption.requested.set()
    with pytest.raises(KeyboardInterrupt):
        opened(run).options.notify(Message(text="again"))
    with pytest.raises(KeyboardInterrupt):
        opened(run).options.system.sleep(60)


def test_builds_and_installs_take_the_siblings_of_this_member(made: Made) -> None:
    run = made.run()
    run.check()
    assert made.asked == [("acme-a", None)], "its source is read as it is built"
    resources = opened(run).state.resources
    assert resources.shares_sandbox, "the embedded index is that of the set"
    resources.build_system()
    resources.tools.install_system(resources.system, LASTING)
    assert made.asked[1:] == [("acme-a", None), ("acme-a", LASTING)]
    assert [siblings for siblings, _ in made.taken] == [(SIBLING,)] * 3
    places = [place for _, place in made.taken]
    assert len(set(places)) == 3
    assert all(one.name == "siblings" and one.parent.is_dir() and not one.exists() for one in places)
    run.close()
    assert not any(one.parent.exists() for one in places)


def test_git_is_asked_once_for_all_members(made: Made) -> None:
    run = made.run()
    run.check()
    answers: list[str] = []
    reading = made.read[0][0]
    with pytest.raises(ReleaseError):
        reading.run(["git", "rev-parse", "HEAD"], cwd=made.root)
    tools = run.context.tools
    answering = replace(fake_system(), run=lambda *_, **__: answers.append("asked"))
    with pytest.raises(ReleaseError):
        tools.git.shared(answering).run(["git", "rev-parse", "HEAD"], cwd=made.root)
    assert answers == []


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ConfigError("no such index", remedy="name one"), "no such index"),
        (PermissionError(13, "Permission denied", "x"), "ermission denied"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
@pytest.mark.parametrize("requested", [False, True])
def test_a_member_that_cannot_be_opened_has_failed(
    made: Made, monkeypatch: pytest.MonkeyPatch, error: BaseException, message: str, requested: bool
) -> None:
    def collect_source(*_: object, **__: object) -> Source:
        if requested:
            made.interruption.requested.set()
        raise error

    monkeypatch.setattr(collect, "collect_source", collect_source)
    run = made.run()
    run.pass_gate()
    assert (run.opened, made.executed, run.new_project_index(), run.new_projects_left("pypi")) == (None, [], None, None)
    assert run.failure is not None
    assert (run.failure[0], run.stopped) == (None, message == "interrupted" or requested)
    assert ("interrupted" if requested else message) in run.failure[1].message
    run.end(BROKEN)
    assert run.result is None


def test_an_interrupt_while_the_source_is_read_is_not_taken_for_its_state(made: Made) -> None:
    """Git may have been ended: what it has not answered then is unknown."""
    made.interruption.requested.set()
    run = made.run()
    run.check()
    assert (run.opened, run.stopped, run.failure) == (None, True, (None, INTERRUPTED))


@pytest.mark.parametrize(
    ("env", "exchange", "verb", "exchanges"),
    [
        ({}, "auto", "release", False),
        ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x"}, "auto", "release", False),
        (None, "auto", "release", True),
        (None, "never", "release", False),
        (None, "auto", "rehearse", False),
    ],
)
def test_an_identity_is_exchanged_where_the_job_has_one(
    made: Made, env: dict[str, str] | None, exchange: Any, verb: Verb, exchanges: bool
) -> None:
    identity = {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x", "ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/"}
    given = {"GITHUB_ACTIONS": "true"} | (identity if env is None else env)
    with (made.root / "packages/a/pyproject.toml").open("a") as file:
        file.write(f'exchange = "{exchange}"\n')
    run = made.run(verb, system=fake_system(env=given))
    run.check()
    assert run.plan is not None, run.failure
    assert run.plan.exchanges is exchanges


def test_files_that_were_built_before_are_checked_first(made: Made) -> None:
    """Their metadata is the source; the journal has a place of its own, and nothing of a tree is read."""
    files = wheel_in(made.root)
    run = made.run(member=Member(name="Acme.A", version="1.0", files=files))
    run.check()
    assert made.read == []
    assert (run.directory, run.directory.is_dir()) == (made.root / ".release/members/acme-a", True)
    assert made.kinds() == ["build", "inspect-built"]
    assert opened(run).options.files == files
    assert run.plan is not None
    assert (run.plan.project, run.plan.version, run.plan.uses_prebuilt) == ("acme-a", "1.0", True)
    run.pass_gate()
    assert made.kinds() == ["inspect-access testpypi", "inspect-access pypi", "upload sandbox", "verify sandbox"]


def test_files_have_the_configuration_of_the_directory_that_is_theirs(made: Made) -> None:
    files = wheel_in(made.root)
    run = made.run(member=Member(name="Acme.A", version="1.0", files=files, configured_in="packages/a"))
    run.check()
    assert opened(run).options.config.branch == "stable"
    assert run.directory == made.root / ".release/members/acme-a"


# -- new projects --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "listed", "trusted", "index"),
    [
        ((), (None, None), (), "pypi"),
        (("acme_a",), (None, None), (), None),
        (("other",), (None, None), (), "pypi"),
        ((), (None, listing_of(())), (), None),
        ((), (None, None), ("pypi",), None),
    ],
)
def test_a_project_is_created_on_the_release_index_only_with_consent(
    made: Made, new: tuple[str, ...], listed: tuple[Any, Any], trusted: tuple[str, ...], index: str | None
) -> None:
    run = made.run(new_projects=new)
    run.check()
    state = opened(run).state
    state.listings.update(zip(("testpypi", "pypi"), listed, strict=True))
    state.resources.trusted.update(trusted)
    assert run.new_project_index() == index
    assert state.plan.new_project == ("Acme.A" if new == ("acme_a",) else None)


def test_the_index_states_how_many_projects_it_accepts(made: Made) -> None:
    run = made.run()
    assert run.new_projects_left("pypi") is None
    run.check()
    reply = {"ratelimit": '"new-ip";r=7;t=60, "new-user";r=3;t=60'}
    permission = ProbeResult(kind="permission", project="", reply=ServerResponse(status=400, reason="", headers=reply))
    given: Any = {"listing": None, "now": fake_system().now()}
    project = ProjectMetadata(name="Acme.A", version="1.0")
    access = Access(
        index=LASTING, project=project, credential=None, remarks=(), token=None, permission=permission, **given
    )
    opened(run).state.accesses["pypi"] = access
    assert (run.new_projects_left("pypi"), run.new_projects_left("testpypi")) == (3, None)
    opened(run).state.accesses["pypi"] = replace(access, permission=None)
    assert run.new_projects_left("pypi") is None


# -- the end -------------------------------------------------------------------------------------------


def test_a_run_that_was_not_completed_ends_with_the_reason(made: Made) -> None:
    run = made.run()
    run.check()
    run.end(RefusedError("another member failed", remedy="repair that one"))
    assert (run.stopped, run.result is not None) == (True, True)
    assert run.result is not None
    assert (run.result.exit, run.result.message) == (Exit.REFUSED, "another member failed")
    assert run.failure is not None
    assert (run.failure[0], run.failure[1].remedy) == (None, "repair that one")
    assert run.finished(seconds=0).status == "stopped"


def test_a_run_that_failed_ends_with_its_own_failure(made: Made) -> None:
    made.fail = lambda _: BROKEN
    run = made.run()
    run.check()
    run.end(RefusedError("another member failed", remedy="repair that one"))
    assert run.result is not None
    assert (run.result.message, run.stopped) == ("it fails", False)


def test_a_complete_run_is_done(made: Made) -> None:
    run = made.run("check")
    run.check()
    run.end(BROKEN)
    assert run.result is not None
    assert (run.result.exit, run.failure, run.stopped) == (Exit.DONE, None, False)
    assert run.finished(seconds=0).status == "done"


def test_a_closed_run_has_left_the_lock(made: Made) -> None:
    first, second = made.run(), made.run()
    first.check()
    second.check()
    assert second.failure is not None
    assert "another run is in progress" in second.failure[1].message
    first.close()
    third = made.run()
    third.check()
    assert third.failure is None
