"""The exchange at the upload: each refusal with its cause, its claims and the page that mends it; renewal; masking."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.builds import builder
from release.adapters.system.process import Completed
from release.adapters.system.system import System, real_system
from release.core.config import Config, UploadSettings
from release.core.events import Event, Message, SecretObtained
from release.core.facts import ProjectMetadata
from release.core.models.credential import Ambient
from release.core.models.exchanged_token import IssuedToken
from release.core.models.index import Index
from release.core.models.secret_location import TrustedPublishing
from release.core.plan import Plan, Upload
from release.core.secret import Secret
from release.core.tokens.token import Token, decode
from release.credentials.publisher_proof import prove_publisher
from release.publishing import journal
from release.publishing.run_resources import RunResources
from release.publishing.upload import upload_token
from release.publishing.upload.errors import UploadError
from release.sandbox import server
from release.sandbox.faults import CannedResponse, Fault, RequestFilter
from release.sandbox.publishers import CiJob, SeedPublisher
from release.sandbox.seed import DEFAULT_USER, SeedData
from release.sandbox.seed import SeedProject as Existing
from release.sandbox.server import Sandbox
from tests.sample_distributions import wheel, wheel_name
from tests.sandbox.sandbox_client import Clock, github_publisher

PROJECT = ProjectMetadata(name="Acme.Widget", version="1.0")
WORLD = SeedData(
    projects=(Existing(name="acme-widget", owners=(DEFAULT_USER,)),),
    publishers=(github_publisher("widget", "acme-widget", environment="pypi"),),
)
FORM = "/manage/project/acme-widget/settings/publishing/?provider=github&owner=acme&repository=widget"


@dataclass(kw_only=True)
class Run:
    """One upload's way in, and what was told of it."""

    sandbox: Sandbox
    system: System
    told: list[Event] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    name: str = "pypi"
    project: ProjectMetadata = PROJECT

    @property
    def index(self) -> Index:
        return replace(self.sandbox.index(self.name), ephemeral=False)

    @property
    def said(self) -> str:
        return "\n".join(one.text for one in self.told if isinstance(one, Message))

    @property
    def obtained(self) -> list[Secret]:
        return [one.secret for one in self.told if isinstance(one, SecretObtained)]

    @property
    def exchanges(self) -> list[int | None]:
        return [one.status for one in self.sandbox.log if one.path == "/_/oidc/mint-token"]

    def way_in(self, *, attenuate: bool = False, kept: IssuedToken | None = None) -> upload_token.ExchangedCredential:
        return upload_token.ExchangedCredential(
            system=self.system, index=self.index, project=self.project, files=(), attenuate=attenuate,
            skew=timedelta(), notify=self.told.append, kept=kept,
        )  # fmt: skip

    def refused(self) -> UploadError:
        with pytest.raises(UploadError) as caught:
            self.way_in()()
        return caught.value


def at_once(sandbox: Sandbox, clock: Callable[[], datetime]) -> Callable[..., Completed]:
    """What the child that asks for an identity would say, without starting one."""

    def answer(_argv: object, *, input: str, **_options: object) -> Completed:  # noqa: A002 - as in `Run`
        token = sandbox.identity_provider.token(input, clock())
        return Completed(status=0, output=json.dumps({"token": token}))

    return answer


@contextmanager
def run(
    world: SeedData = WORLD, *, clock: Clock | None = None, env: Mapping[str, str] | None = None, child: bool = False
) -> Iterator[Run]:
    """`child`: whether the program is run that asks the service; in all tests but few it is left out."""
    with server.start_sandbox(world, clock=clock or server.utc_now) as sandbox:
        machine = real_system()
        made = Run(sandbox=sandbox, system=machine)
        time = clock or machine.now
        made.system = replace(
            machine, run=machine.run if child or env or world.job.provider != "github" else at_once(sandbox, time),
            env={**machine.env, **(sandbox.ambient if env is None else env)}, sleep=made.slept.append,
            now=time,
        )  # fmt: skip
        yield made


CALLED = "acme/shared/.github/workflows/call.yml@refs/heads/main"
OWN = "acme/widget/.github/workflows/call.yml@refs/tags/v1.0"
GITLAB = SeedPublisher(
    name="lab", provider="gitlab", fields={"repository": "acme/widget", "workflow": "release.yml", "environment": ""}
)
RACE = (github_publisher("p", pending="acme-widget", user=DEFAULT_USER),)
#: changes of the world, of the job → cause, words of the message, words of the remedy
REFUSALS: dict[str, tuple[dict[str, Any], dict[str, Any], str, str, str]] = {
    "no environment": ({}, {"environment": None}, "tp.invalid-publisher", "declares no environment", FORM),
    "another environment": (
        {}, {"environment": "x"}, "tp.invalid-publisher", "environment x", f"{FORM}&workflow_filename=rel",
    ),
    "repository": (
        {}, {"repository": "acme/new"}, "tp.invalid-publisher", "repository acme/new", "repository new, workflow",
    ),
    "owner": ({}, {"claims": {"repository_owner_id": "7"}}, "tp.invalid-publisher", "422 invalid-publisher", FORM),
    "owner's letters": ({}, {"claims": {"repository_owner": "ACME"}}, "tp.renamed", "'repository_owner'", FORM),
    "workflow": ({}, {"workflow": "new.yml"}, "tp.invalid-publisher", "workflow new.yml", "workflow filename new.yml"),
    "another's workflow": (
        {}, {"claims": {"job_workflow_ref": CALLED}}, "tp.reusable-workflow", "'call.yml' of acme/shared",
        "move the job that uploads into release.yml",
    ),
    "called workflow": (
        {}, {"claims": {"job_workflow_ref": OWN}}, "tp.reusable-workflow", "'call.yml'", "into release.yml",
    ),
    "ref": (
        {}, {"claims": {"job_workflow_ref": "acme/widget/.github/workflows/release.yml@refs/heads/x"}}, "tp.renamed",
        "claim does not match", FORM,
    ),
    "sub": (
        {"publishers": (GITLAB,)}, {"provider": "gitlab", "claims": {"sub": "x"}}, "tp.custom-sub", "claim 'sub'",
        "glab api --method PUT projects/acme%2Fwidget -f",
    ),
    "event": (
        {}, {"claims": {"event_name": "pull_request_target"}}, "tp.event-unsupported", "'pull_request_target'",
        "push: tags",
    ),
    "missing": ({}, {"claims": {"sha": None}}, "tp.identity-refused", "Missing claim 'sha'", "audience"),
    "forged": ({}, {"key": "forged"}, "tp.identity-refused", "malformed or invalid token", "/_/oidc/audience"),
    "expired": ({}, {"expires_in": -60}, "tp.identity-refused", "422 invalid-token", "/_/oidc/audience"),
    "issuer": (
        {}, {"claims": {"iss": "https://git.acme.test"}}, "tp.unknown-issuer", "unknown trusted publishing issuer",
        "use an API token there",
    ),
    "malformed": ({}, {"claims": {"iss": None}}, "tp.identity-refused", "malformed JWT", "audience"),
    "switched off": ({"flags": ("disallow-github-oidc",)}, {}, "tp.disabled", "not enabled", "status.python.org"),
    "all off": ({"flags": ("disallow-oidc",)}, {}, "tp.disabled", "not enabled", "use an API token"),
    "race": ({"publishers": RACE}, {"environment": None}, "tp.pending-exists", "already exists", FORM),
    "no project": (
        {"projects": (), "publishers": ()}, {}, "tp.invalid-publisher", "invalid-publisher",
        "/manage/account/publishing/: project name Acme.Widget, owner acme, repository widget, workflow filename rele",
    ),
    "stdlib": (
        {"projects": (), "publishers": (github_publisher("p", pending="os", user=DEFAULT_USER),)}, {}, "name.stdlib",
        "Standard Library", "choose",
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", REFUSALS)
def test_each_refusal_is_told_with_its_cause_and_the_page_that_mends_it(row: str) -> None:
    changes, job, cause, message, remedy = REFUSALS[row]
    with run(replace(WORLD, **changes, job=CiJob(**job))) as one:
        error = one.refused()
    assert error.cause == cause
    assert message in error.message
    assert remedy in error.remedy
    assert one.obtained == []


def test_the_claims_are_shown_where_the_index_refuses_them_and_the_identity_itself_never() -> None:
    with run(replace(WORLD, job=CiJob(environment=None)), child=True) as one:
        error = one.refused()
    for words in ("the claims that pypi received:", "repository_owner_id  1001", "event_name           push"):
        assert words in one.said
    assert "eyJ" not in one.said + error.message + error.remedy


def test_on_testpypi_the_publisher_is_likely_the_other_indexs() -> None:
    with run(replace(WORLD, publishers=())) as one:
        one.name = "testpypi"
        error = one.refused()
    assert error.cause == "tp.invalid-publisher"
    assert "TestPyPI has its own publishers" in error.message


#: reasons that no world brings about → the cause
RARE = {
    "JWT issuer 'a' does not match expected issuer 'b'": "tp.unknown-issuer",
    "Issuer 'a' is unsupported": "tp.unknown-issuer",
    "Check failed for optional claim 'environment'": "tp.environment-mismatch",
    "Check failed for optional claim 'sub'": "tp.renamed",
    "The ci_config_ref_uri claim does not match, expecting one of ['a'], got 'b'": "tp.renamed",
    "Missing 'subject' claim": "tp.identity-refused",
}


@pytest.mark.parametrize("reason", RARE)
def test_reasons_that_no_world_brings_about_are_known_too(reason: str) -> None:
    words = f"valid token, but no corresponding publisher ({reason})"
    body = json.dumps({"message": "", "errors": [{"code": "invalid-publisher", "description": words}]})
    with run() as one:
        one.sandbox.inject(
            Fault(what=CannedResponse(status=422, body=body), when=RequestFilter(path="/_/oidc/mint-token"))
        )
        assert one.refused().cause == RARE[reason]


def test_an_identity_that_was_used_is_told_as_such() -> None:
    """GitLab gives a job its identity once and for all."""
    gitlab = replace(github_publisher("g", "acme-widget"), provider="gitlab")
    with run(replace(WORLD, publishers=(gitlab,), job=CiJob(provider="gitlab"))) as one:
        one.way_in()()
        error = one.refused()
    assert error.cause == "tp.jti-reuse"
    assert "422 invalid-reuse-token" in error.message


def test_a_server_that_fails_is_asked_again_with_a_fresh_identity() -> None:
    with run() as one:
        fault = Fault(
            what=CannedResponse(status=503, stored=True), when=RequestFilter(path="/_/oidc/mint-token", nth=(1, 2))
        )
        one.sandbox.inject(fault)
        assert isinstance(decode(one.way_in()().password), Token)
        assert one.exchanges == [503, 503, 200]
        assert one.slept == [2.0, 4.0]
        one.sandbox.inject(Fault(what=CannedResponse(status=503), when=RequestFilter(path="/_/oidc/mint-token")))
        assert "answers 503" in one.refused().message


def test_nothing_is_exchanged_before_it_is_needed_and_then_once_for_ten_minutes() -> None:
    clock = Clock()
    with run(clock=clock) as one:
        way_in = one.way_in()
        assert one.exchanges == []
        first = way_in()
        clock.advance(minutes=4)
        assert way_in() is first
        clock.advance(minutes=2)
        second = way_in()
        assert second.password != first.password
        assert one.exchanges == [200, 200]
    assert one.obtained == [first.password, second.password]


def test_where_there_is_one_identity_alone_its_token_serves_until_it_ends() -> None:
    clock = Clock()
    gitlab = replace(github_publisher("g", "acme-widget"), provider="gitlab")
    job = CiJob(provider="gitlab", expires_in=3600)
    with run(replace(WORLD, publishers=(gitlab,), job=job), clock=clock) as one:
        way_in = one.way_in()
        first = way_in()
        clock.advance(minutes=14)
        assert way_in() is first
        clock.advance(minutes=1)
        with pytest.raises(UploadError) as caught:
            way_in()
        assert caught.value.cause == "tp.token-expired"
        assert one.exchanges == [200]


def test_every_token_of_an_upload_is_revoked_at_its_end() -> None:
    clock = Clock()
    with run(clock=clock) as one:
        with one.way_in(attenuate=True) as way_in:
            way_in()
            clock.advance(minutes=6)
            way_in()
            assert [event.rpartition(" ")[2] for event in one.sandbox.history("acme-widget")] == ["created"] * 2
        assert [event.rpartition(" ")[2] for event in one.sandbox.history("acme-widget")][2:] == ["revoked"] * 2
        one.sandbox.inject(Fault(what=CannedResponse(status=503), when=RequestFilter(path="/_/oidc/burn-token")))
        with one.way_in() as way_in:
            way_in()
    assert "pypi did not confirm that the token of this upload is revoked" in one.said


def test_an_identity_is_not_sent_again_after_an_unclear_answer() -> None:
    gitlab = replace(github_publisher("g", "acme-widget"), provider="gitlab")
    with run(replace(WORLD, publishers=(gitlab,), job=CiJob(provider="gitlab"))) as one:
        fault = Fault(what=CannedResponse(status=503), when=RequestFilter(path="/_/oidc/mint-token", nth=1))
        one.sandbox.inject(fault)
        assert "the CI service gives this job no second identity" in one.refused().message
        assert one.exchanges == [503]
    assert "pypi may have issued a token that did not arrive here" in one.said


def test_the_token_of_the_proof_serves_the_upload_where_there_is_one_identity_alone() -> None:
    clock = Clock()
    gitlab = replace(github_publisher("g", "acme-widget"), provider="gitlab")
    job = CiJob(provider="gitlab", expires_in=3600)
    with run(replace(WORLD, publishers=(gitlab,), job=job), clock=clock) as one:
        proof = prove_publisher(one.system, one.index, "acme-widget", keep=True)
        with one.way_in(kept=proof.kept) as way_in:
            clock.advance(minutes=14)
            assert way_in().password == proof.kept.token if proof.kept else None
            clock.advance(minutes=2)
            with pytest.raises(UploadError) as caught:
                way_in()
        assert caught.value.remedy.endswith("id_tokens: {PROOF_PYPI_ID_TOKEN: {aud: pypi}}")
        assert one.exchanges == [200]


def test_what_goes_with_the_files_is_a_copy_for_this_project() -> None:
    with run() as one:
        going = one.way_in(attenuate=True)()
    whole, copy = one.obtained
    assert going.password == copy != whole
    told = decode(copy)
    assert isinstance(told, Token)
    assert [type(one).__name__ for one in told.caveats][-2:] == ["ProjectNames", "Expiration"]
    assert going.origin.kind == "trusted-publishing"


def test_a_job_without_leave_is_told_what_to_write(tmp_path: Path) -> None:
    with run(env={"GITHUB_ACTIONS": "true"}) as one:
        error = one.refused()
        assert (error.cause, "id-token: write" in error.remedy) == ("tp.id-token-permission", True)
        event = {"head": {"repo": {"full_name": "eve/widget"}}, "base": {"repo": {"full_name": "acme/widget"}}}
        (tmp_path / "event.json").write_text(json.dumps({"pull_request": event}))
    with run(env={"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}) as one:
        assert one.refused().cause == "tp.fork-pr"
    with run(env={"GITLAB_CI": "true"}) as one:
        error = one.refused()
        assert (error.cause, error.remedy) == (
            "tp.id-token-permission",
            "add to the job: id_tokens: {PYPI_ID_TOKEN: {aud: pypi}}",
        )


def test_no_secret_is_in_an_argument_of_the_child_that_asks() -> None:
    with run(child=True) as one:
        argvs: list[list[str]] = []
        inner = one.system.run

        def watched(argv: Any, **options: Any) -> Any:
            argvs.append(list(argv))
            return inner(argv, **options)

        one.system = replace(one.system, run=watched)
        one.way_in()()
    assert [argv[:2] for argv in argvs] == [[sys.executable, "-P"]]
    assert all("pypi-" not in word and "eyJ" not in word for argv in argvs for word in argv)


def test_a_long_upload_goes_on_with_a_new_token(tmp_path: Path) -> None:
    """Each file takes six minutes; the index would refuse a token of fifteen at the fourth."""
    clock = Clock()

    def slowly(application: Any) -> Any:
        def serve(environ: Any, start_response: Any) -> Any:
            if environ["PATH_INFO"] == "/legacy/" and int(environ["CONTENT_LENGTH"]) > 1000:
                clock.advance(minutes=6)
            return application(environ, start_response)

        return serve

    tags = [f"py3-none-{tag}" for tag in ("any", "win32", "win_amd64", "win_arm64")]
    for tag in tags:
        (tmp_path / wheel_name(tag=tag)).write_bytes(wheel(tag=tag))
    files = [builder.load_distribution(tmp_path / wheel_name(tag=tag)) for tag in tags]
    with server.start_sandbox(WORLD, clock=clock, around=slowly) as sandbox:
        index = replace(sandbox.index("pypi"), ephemeral=False)
        system = replace(
            real_system(), env={**real_system().env, **sandbox.ambient}, now=clock, run=at_once(sandbox, clock)
        )
        ambient = Ambient(provider="GitHub", origin=TrustedPublishing(provider="GitHub"))
        plan = Plan(
            verb="publish", project=PROJECT.name, version="1.0", commit=None, strict=True, steps=(Upload(index="pypi"),)
        )
        log = journal.for_release(tmp_path, version="1.0", commit=None)
        one_by_one = UploadSettings(concurrency=1)  # files at the same time would add up on the one clock
        config = Config(attest="never", upload=one_by_one)
        with RunResources(system=system, notify=lambda _: None, plan=plan, config=config) as delivery:
            delivery.use_credential("pypi", ambient, None)
            done = delivery.upload(index, PROJECT, files, log, approve=lambda: None, check=lambda _: None)
        assert done.changed
        sent = [one.status for one in sandbox.log if one.method == "POST" and one.filename]
        exchanged = [one.status for one in sandbox.log if one.path == "/_/oidc/mint-token"]
    assert sent == [200] * 4
    assert len(exchanged) > 1
    assert set(exchanged) == {200}
