"""What a run uploads with: the index is asked afresh, tokens are used where they belong, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Self

import pytest
from msgspec.structs import replace

from release.adapters import collect
from release.adapters.install import installer, venv
from release.core.config import Config, UploadSettings
from release.core.errors import RefusedError, ReleaseError
from release.core.events import Event, Message
from release.core.facts import UploadedRelease
from release.core.models.check_result import Unknown
from release.core.models.ci_job import JobVariables
from release.core.models.credential import Ambient, Credential
from release.core.models.distribution import Distribution, Receipt, Rejection
from release.core.models.exchanged_token import IssuedToken, PublisherProof
from release.core.models.index import UPLOAD_WINDOW, UPLOAD_WINDOW_CLOSED, Index, ProjectListing
from release.core.models.interpreter import Interpreter, RequiredPython
from release.core.models.oidc_identity import OidcIdentity
from release.core.models.results import StepResult
from release.core.models.secret_location import TrustedPublishing
from release.core.plan import Confirm, Plan, Upload
from release.core.secret import Secret
from release.credentials import exchange
from release.publishing import attest, effects, remote_release
from release.publishing.journal import Journal
from release.publishing.run_resources import RunResources
from release.publishing.upload import upload_token
from release.publishing.upload.errors import UploadError
from tests import fake_tokens
from tests.fake_system import (
    LASTING,
    NOON,
    PROJECT,
    SDIST,
    WHEEL,
    fake_system,
    files_in,
    listing_of,
    sandbox_credential,
)

PLAN = Plan(
    verb="publish", project="acme-widget", version="1.0", commit=None, strict=True,
    steps=(Upload(index="acme"), Confirm(index="acme")),
)  # fmt: skip


@dataclass
class Workers:
    """Accept every file, or answer what a test wants."""

    answer: Callable[[Distribution], Any] | None = None
    sent: list[tuple[Index, Credential, str]] = field(default_factory=list)
    opened: list[bool] = field(default_factory=list)
    prepared: int = 0
    shares_sandbox: bool = False

    def sandbox(self, project: str) -> tuple[Index, Credential]:
        return replace(LASTING, name="sandbox", ephemeral=True), sandbox_credential(f"of {project}")

    @contextmanager
    def workers(self) -> Iterator[tuple[Any, UploadSettings]]:
        yield self, UploadSettings()

    def prepare_environment(self, _system: object) -> None:
        self.prepared += 1

    def take_environment(self, _system: object) -> str:
        return "clean"

    def install_system(self, system: Any, index: Index) -> Any:
        return installer.without_testpypi(system, index)


class Uploads:
    """In the place of `Uploader`: each file is accepted, as far as `Workers.answer` has nothing else."""

    def __init__(self, **given: Any) -> None:
        self.given, self.doubtful = given, False

    def run(self, files: Sequence[Distribution], *, opened: bool) -> None:
        workers: Workers = self.given["workers"]
        workers.opened.append(opened)
        self.given["fetch_listing"]()
        for file in files:
            workers.sent.append((self.given["index"], self.given["credential"](), file.filename))
            found = workers.answer(file) if workers.answer else None
            if isinstance(found, BaseException):
                raise found
            self.doubtful = True
            self.given["journal"].write("accepted", index=self.given["index"].name, file=file.filename)
            self.given["results"].append(Receipt(filename=file.filename, sha256=file.sha256))


@dataclass
class World:
    """A run of PLAN, an index that has `there`, and what was asked of it."""

    resources: RunResources
    journal: Journal
    files: tuple[Distribution, ...]
    tools: Workers
    told: list[Event]
    there: ProjectListing | Unknown | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    approved: int = 0

    def upload(self, index: Index = LASTING, approve: Callable[[], None] | None = None) -> StepResult:
        def count() -> None:
            self.approved += 1

        return self.resources.upload(
            index, PROJECT, self.files, self.journal, approve=approve or count, check=lambda _: None
        )

    @property
    def sent(self) -> list[str]:
        return [name for _, _, name in self.tools.sent]

    def events(self) -> list[tuple[str, str]]:
        return [(one["event"], one.get("file", "")) for one in self.journal.events()]


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    told: list[Event] = []
    tools = Workers()
    config = Config(indexes={"acme": LASTING}, attenuate=False)
    resources = RunResources(
        system=fake_system(), notify=told.append, plan=PLAN, config=config, directory=tmp_path,
        tools=tools,  # type: ignore[arg-type] # as far as these tests need it
        credentials={"acme": sandbox_credential("one")},
    )  # fmt: skip
    made = World(
        resources, Journal(directory=tmp_path / "state", commit=None, version="1.0"),
        files_in(tmp_path / "dist", WHEEL, SDIST), tools, told,
    )  # fmt: skip

    def listed(index: Index, name: str, **options: Any) -> object:
        made.asked.append({"index": index.name, "name": name, **options})
        return made.there

    monkeypatch.setattr(collect, "collect_listing", listed)
    monkeypatch.setattr(collect, "required_python_of_files", lambda *_: None)
    monkeypatch.setattr(upload_token, "rejected_metadata", lambda *_: None)
    monkeypatch.setattr(attest, "attach_attestations", lambda files, *_, **__: files)
    monkeypatch.setattr(attest, "verify_sent_attestations", lambda *_: {})
    monkeypatch.setattr("release.publishing.run_resources.Uploader", Uploads)
    with resources:
        yield made


def test_every_question_about_an_upload_goes_past_caches(world: World) -> None:
    """A page of a cache lacks what was uploaded a minute ago: it would be sent again, or reported as missing."""
    done = world.upload()
    assert done == StepResult(changed=True, note="2 of 2 files uploaded")
    assert [one["fresh"] for one in world.asked] == [True, True]
    assert [one.get("retries") for one in world.asked] == [None, 0], "the uploader has retries of its own"
    assert {(one["index"], one["name"]) for one in world.asked} == {("acme", "acme-widget")}


def test_what_the_index_has_is_not_sent_again(world: World) -> None:
    wheel, sdist = world.files
    world.there = listing_of([wheel], uploaded=NOON - timedelta(days=1))
    assert world.upload().note == "1 of 2 files uploaded"
    assert (world.sent, world.tools.opened) == ([sdist.filename], [True])
    assert ("accepted", wheel.filename) in world.events()
    assert world.resources.deadlines == {"acme": NOON - timedelta(days=1) + UPLOAD_WINDOW}
    assert any("acme has 1 of 2 files" in one.text for one in world.told if isinstance(one, Message))


def test_where_nothing_is_left_nobody_is_asked_to_approve(world: World) -> None:
    world.there = listing_of(world.files)
    assert world.upload() == StepResult(changed=False, note="acme has all 2 files")
    assert (world.sent, world.approved, world.resources.touched) == ([], 0, set())
    assert [one.filename for one in world.resources.uploads["acme"]] == [WHEEL, SDIST]


def test_nothing_is_sent_without_approval(world: World) -> None:
    def refuse() -> None:
        raise RefusedError("not confirmed", remedy="answer y")

    with pytest.raises(RefusedError, match="not confirmed"):
        world.upload(approve=refuse)
    assert (world.sent, world.resources.touched) == ([], set())


def test_a_token_of_trusted_publishing_is_requested_after_the_approval_only(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    requested: list[str] = []

    class Exchanged:
        def __init__(self, **_: Any) -> None:
            pass

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            requested.append("revoked")

        def __call__(self) -> Credential:
            requested.append("token")
            return sandbox_credential("exchanged")

    monkeypatch.setattr(upload_token, "ExchangedCredential", Exchanged)
    world.resources.trusted.add("acme")
    world.resources.credentials.clear()

    def refuse() -> None:
        assert requested == []
        raise RefusedError("not confirmed", remedy="answer y")

    with pytest.raises(RefusedError, match="not confirmed"):
        world.upload(approve=refuse)
    assert requested == []
    world.upload()
    assert requested[0] == "token"
    assert requested[-1] == "revoked"
    assert {one.password for _, one, _ in world.tools.sent} == {Secret("exchanged")}


def test_an_index_that_cannot_be_asked_gets_nothing(world: World) -> None:
    """What it has is unknown, and a file name is taken for ever."""
    world.there = Unknown(reason="no answer from 'acme'", remedy="check the network", cause="net.timeout-reset")
    with pytest.raises(UploadError, match="no answer from 'acme'") as failed:
        world.upload()
    assert (failed.value.cause, failed.value.remedy) == ("net.timeout-reset", "check the network")
    assert (world.sent, world.approved) == ([], 0)


@pytest.mark.parametrize("case", ["other bytes", "closed"])
def test_a_refusal_that_can_be_predicted_is_not_provoked(world: World, tmp_path: Path, case: str) -> None:
    if case == "closed":
        world.there = listing_of(world.files[:1], uploaded=NOON - UPLOAD_WINDOW - timedelta(seconds=1))
    else:
        world.there = listing_of(files_in(tmp_path / "other", WHEEL, text="other "), uploaded=NOON)
    with pytest.raises(RefusedError, match="File already exists" if case != "closed" else UPLOAD_WINDOW_CLOSED):
        world.upload()
    assert (world.sent, world.approved) == ([], 0)


def test_the_window_for_uploads_closes_by_the_clock_of_the_index(world: World) -> None:
    world.there = listing_of(world.files[:1], uploaded=NOON - UPLOAD_WINDOW + timedelta(minutes=5))
    world.resources.skews["acme"] = timedelta(minutes=10)
    with pytest.raises(RefusedError, match=UPLOAD_WINDOW_CLOSED):
        world.upload()
    world.resources.skews["acme"] = timedelta()
    assert world.upload().changed


def test_metadata_that_the_index_refuses_stops_the_upload_before_the_approval(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    no = Rejection(filename=WHEEL, status=400, message="'Bad :: Classifier' is not a valid classifier.")
    monkeypatch.setattr(upload_token, "rejected_metadata", lambda *_: no)
    with pytest.raises(UploadError, match="not a valid classifier"):
        world.upload()
    assert (world.sent, world.approved) == ([], 0)
    assert world.resources.uploads["acme"] == [no]
    assert ("refused", WHEEL) in world.events()


def test_an_upload_that_left_nothing_on_the_index_has_not_touched_it(world: World) -> None:
    world.tools.answer = lambda _: UploadError("refused", remedy="")
    with pytest.raises(UploadError):
        world.upload()
    assert (world.resources.touched, world.resources.deadlines) == (set(), {})


def test_an_upload_that_stops_half_way_has_and_the_window_is_open_from_now_on(world: World) -> None:
    world.tools.answer = lambda file: UploadError("refused", remedy="") if file.filename == SDIST else None
    with pytest.raises(UploadError):
        world.upload()
    assert world.resources.touched == {"acme"}
    assert world.resources.deadlines == {"acme": NOON + UPLOAD_WINDOW}


def test_the_sandbox_is_never_touched(world: World) -> None:
    index = world.resources.sandbox("acme-widget")
    assert world.resources.credentials["sandbox"].password == Secret("of acme-widget")
    world.upload(index)
    assert (world.resources.touched, world.resources.deadlines) == (set(), {})


# -- staged releases ---------------------------------------------------------------------------------------


@pytest.fixture
def staged(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """An index with stages: what is published, or the exception of it, is in the list."""
    published: list[Any] = []

    class Session:
        staged = True
        index = replace(LASTING, name="acme (stage)", ephemeral=True)

        def publish(self, files: Sequence[Distribution], _project: object) -> None:
            assert {one[0] for one in world.events()} >= {"sending"}, "the journal first: a kill may follow"
            for one in published:
                raise one
            published.append([file.filename for file in files])

    @contextmanager
    def open_session(*_: object) -> Iterator[Session]:
        yield Session()

    monkeypatch.setattr("release.publishing.run_resources.open_session", open_session)
    monkeypatch.setattr(
        RunResources, "fetch_uploaded", lambda _self, index, *_, **__: replace(UPLOADED, index=index)
    )  # fmt: skip
    return published


UPLOADED = UploadedRelease(index=LASTING, expected=(), listing=None, install=None, trials=())


def test_a_stage_is_checked_before_anything_of_it_is_public(world: World, staged: list[Any]) -> None:
    checked: list[str] = []

    def refuse(facts: UploadedRelease) -> None:
        checked.append(facts.index.name)
        raise RefusedError("the stage does not install", remedy="correct it")

    with pytest.raises(RefusedError, match="does not install"):
        world.resources.upload(LASTING, PROJECT, world.files, world.journal, approve=lambda: None, check=refuse)
    assert (checked, staged, world.resources.touched) == (["acme (stage)"], [], set())
    assert world.resources.uploads["acme"] == []
    assert world.events() == [], "a stage that is not published is nothing"


def test_what_is_on_a_stage_only_is_no_effect_of_the_run(world: World, staged: list[Any]) -> None:
    """The exit status after an unexpected end counts what may be public."""

    def refuse(_: object) -> None:
        raise RefusedError("the stage does not install", remedy="correct it")

    with effects.recorded_effects():
        with pytest.raises(RefusedError):
            world.resources.upload(LASTING, PROJECT, world.files, world.journal, approve=lambda: None, check=refuse)
        assert effects.uploaded_text() == ""
        world.upload()
        assert effects.uploaded_text() == "acme has 2 files of this release"


def test_a_published_stage_is_what_the_journal_has(world: World, staged: list[Any]) -> None:
    world.upload()
    assert staged == [[WHEEL, SDIST]]
    assert [one for one in world.events() if one[0] == "accepted"] == [("accepted", WHEEL), ("accepted", SDIST)]
    for event in ("sending", "accepted"):
        recorded = [one["sha256"] for one in world.journal.events() if one["event"] == event]
        assert recorded == [one.sha256 for one in world.files]
    assert [one.filename for one in world.resources.uploads.pop("acme")] == [WHEEL, SDIST]
    assert (world.resources.touched, world.resources.uploads) == (set(), {})
    assert {one.get("index") for one in world.journal.events()} == {"acme"}


@pytest.mark.parametrize(
    ("error", "touched"),
    [(RefusedError("no", remedy=""), set()), (UploadError("it is unknown", remedy=""), {"acme"})],
)
def test_a_stage_that_was_not_published_for_certain(
    world: World, staged: list[Any], error: ReleaseError, touched: set[str]
) -> None:
    staged.append(error)
    with pytest.raises(type(error)):
        world.upload()
    assert world.resources.touched == touched
    assert world.resources.uploads["acme"] == []


# -- credentials ---------------------------------------------------------------------------------------------

PROVIDER: Final = "GitHub"


def issued() -> IssuedToken:
    identity = OidcIdentity(provider=PROVIDER, audience="acme", token=Secret(fake_tokens.random_text(20)), claims={})
    return IssuedToken(
        identity=identity, token=Secret("kept"), expires=NOON + timedelta(minutes=15), forget=lambda: None
    )


AMBIENT = Ambient(provider=PROVIDER, origin=TrustedPublishing(), job=JobVariables())


def test_a_token_that_the_proof_left_is_used_or_revoked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job gets one identity only, so that its token is kept for the upload; if there is none, it is revoked."""
    revoked: list[object] = []
    monkeypatch.setattr(exchange, "revoke_token", lambda index, token: revoked.append((index.name, token)))
    kept = issued()
    world.resources.use_credential("acme", AMBIENT, None, PublisherProof(issued=True, kept=kept))
    assert world.resources.trusted == {"acme"}
    assert world.resources.skews == {"acme": timedelta()}
    world.resources.__exit__()
    assert revoked == [("acme", kept)]


def test_a_credential_that_was_checked_is_the_one_that_is_used(world: World) -> None:
    world.resources.use_credential("acme", sandbox_credential("checked"), timedelta(seconds=3))
    world.resources.use_credential("other", Unknown(reason="locked", remedy=""), None)
    assert world.resources.credentials["acme"].password == Secret("checked")
    assert (set(world.resources.credentials), world.resources.trusted) == ({"acme"}, set())
    assert world.resources.skews["acme"] == timedelta(seconds=3)


# -- the interpreter, and the confirmation -------------------------------------------------------------------

RUNNING = Interpreter(path=Path("/python"), version=(3, 11, 0))


def required(chosen: Interpreter | None) -> RequiredPython:
    return RequiredPython(specifier=">=3.13", declared_in="pyproject.toml", running=RUNNING, chosen=chosen)


@pytest.mark.parametrize("waive", [{}, {"a-required-python-is-installed": "only uploaded here"}])
def test_without_an_interpreter_that_fits_nothing_is_uploaded_unless_that_is_waived(
    world: World, waive: Mapping[str, str]
) -> None:
    world.resources.config = replace(world.resources.config, waive=waive)
    if waive:
        world.resources.use_python(required(None))
        return
    with pytest.raises(RefusedError, match=r">=3\.13"):
        world.resources.use_python(required(None))


def test_another_interpreter_is_used_for_the_install_and_named(world: World) -> None:
    other = Interpreter(path=Path("/python3.13"), version=(3, 13, 0), origin="uv")
    world.resources.use_python(None)
    assert world.told == []
    for _ in range(2):
        world.resources.use_python(required(other))
    (told,) = world.told
    assert isinstance(told, Message)
    assert "3.13.0" in told.text
    assert world.tools.prepared == 1
    assert world.resources.system.python == required(other)


def confirm(world: World, listing: object, monkeypatch: pytest.MonkeyPatch) -> tuple[UploadedRelease, list[Any]]:
    installed: list[Any] = []

    def install(*given: Any) -> tuple[None, tuple[()]]:
        installed.append(given[3])
        return None, ()

    monkeypatch.setattr("release.publishing.run_resources.wait_until_listed", lambda *_, **__: (listing, 0.0))
    monkeypatch.setattr("release.publishing.run_resources.install_file_and_test", install)
    world.journal.write("accepted", index="acme", file=WHEEL)
    return world.resources.fetch_uploaded(LASTING, PROJECT, world.files, world.journal), installed


def test_only_our_own_bytes_are_installed(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts, installed = confirm(world, listing_of(world.files), monkeypatch)
    assert [one.filename for one in installed] == [WHEEL]
    assert facts.accepted == {WHEEL}
    assert facts.install is None
    others = listing_of([world.files[0], *files_in(tmp_path / "o", SDIST, text="other ")])
    for listing in (others, listing_of(world.files[:1]), None, Unknown(reason="no answer", remedy="")):
        facts, installed = confirm(world, listing, monkeypatch)
        assert (installed, facts.listing) == ([], listing)


def test_a_release_that_this_machine_cannot_install_is_not_confirmed_as_installed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(venv, "best_file", lambda *_: None)
    facts, installed = confirm(world, listing_of(world.files), monkeypatch)
    assert isinstance(facts.install, Unknown)
    assert installed == []


def test_what_a_run_leaves_in_its_directory_is_removed(world: World) -> None:
    first, second = world.resources.scratch("clone"), world.resources.scratch("clone")
    assert first != second
    assert not first.exists()
    first.mkdir()
    (first / "file").write_text("x")
    world.resources.clear_scratch()
    assert not first.exists()
    third = world.resources.scratch("environment")
    world.resources.__exit__()
    assert not third.parent.exists()


def test_the_wait_for_a_listing_goes_past_caches_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    slept: list[float] = []

    def listed(*_: object, **options: Any) -> None:
        asked.append(options)

    monkeypatch.setattr(collect, "collect_listing", listed)
    system = replace(fake_system(), sleep=slept.append)
    found, waited = remote_release.wait_until_listed(
        system, lambda _: None, LASTING, PROJECT, {WHEEL}, within=10
    )  # fmt: skip
    assert (found, waited) == (None, 15)
    assert slept == [1, 2, 4, 8]
    assert asked == [{"fresh": True}] * 5


def test_the_interpreter_is_the_one_that_the_files_require(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata of the files counts, for the upload and for the install."""
    asked: list[Any] = []
    monkeypatch.setattr(collect, "required_python_of_files", lambda _, files: asked.append(files))
    world.upload()
    assert asked == [world.files]
    world.resources.config = replace(world.resources.config, indexes={"acme": LASTING})
    confirm(world, listing_of(world.files), monkeypatch)
    assert asked == [world.files] * 2
