"""The proof of a trusted publisher: a token is issued, probed and revoked, on every way out."""

from __future__ import annotations

import json
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.index import token_probes
from release.adapters.oidc import exchange_records, provider
from release.adapters.system.deferred_signals import deferred_signals
from release.adapters.system.process import Completed
from release.adapters.system.system import System, real_system
from release.cli.main import main
from release.core.events import Event, Message, SecretObtained
from release.core.facts import Access, ProjectMetadata
from release.core.models.attestation import AttestationPublisher
from release.core.models.check_result import Finding, Unknown
from release.core.models.credential import Ambient
from release.core.models.exchanged_token import PublisherProof
from release.core.models.index import Index
from release.core.models.results import Verification
from release.core.models.secret_location import TrustedPublishing
from release.credentials import publisher_proof, verify
from release.reports.credential_text import verification_to_json, verification_to_text
from release.sandbox import server
from release.sandbox.faults import CannedResponse, Drop, Fault, RequestFilter
from release.sandbox.publishers import CiJob
from release.sandbox.seed import DEFAULT_USER, ApiToken, SeedData
from release.sandbox.seed import SeedProject as Existing
from release.sandbox.server import Sandbox
from tests.fake_system import LASTING, NOON, fake_system
from tests.sandbox.sandbox_client import Clock, SandboxClient, github_publisher
from tests.sandbox.test_attestations import attestation

MINT, BURN = "/_/oidc/mint-token", "/_/oidc/burn-token"
OWNED = Existing(name="acme-widget", owners=(DEFAULT_USER,))
WORLD = SeedData(projects=(OWNED,), publishers=(github_publisher("widget", "acme-widget", environment="pypi"),))
TWO_LINES = ["short-lived token created", "short-lived token revoked"]


@dataclass(kw_only=True)
class Job:
    """A CI job next to an index, in which identities are issued without a child process."""

    sandbox: Sandbox
    system: System
    state: Path
    told: list[Event] = field(default_factory=list)

    @property
    def index(self) -> Index:
        return replace(self.sandbox.index("pypi"), ephemeral=False)

    def prove(self, **options: Any) -> PublisherProof:
        return publisher_proof.prove_publisher(
            self.system, self.index, "acme-widget", notify=self.told.append, **options
        )

    def verify(self, **options: Any) -> Verification:
        project = ProjectMetadata(name="acme-widget", version="1.0")
        return verify.verify_credential(self.system, self.index, project, **options)

    def statuses(self, path: str) -> list[int | None]:
        return [one.status for one in self.sandbox.log if one.path == path]

    @property
    def said(self) -> str:
        return "\n".join(one.text for one in self.told if isinstance(one, Message))

    @property
    def records(self) -> list[Path]:
        return sorted(self.state.rglob("*.json"))


@contextmanager
def job(tmp_path: Path, world: SeedData = WORLD, *, clock: Clock | None = None, **env: str) -> Iterator[Job]:
    with server.start_sandbox(world, state=tmp_path / "index", clock=clock or server.utc_now) as sandbox:
        machine = real_system()
        now = clock or machine.now

        def answer(_argv: object, *, input: str, env: Mapping[str, str], **_: object) -> Completed:  # noqa: A002 - as in `Run`
            token = env.get(f"{input.upper()}_ID_TOKEN") or sandbox.identity_provider.token(input, now())
            return Completed(status=0, output=json.dumps({"token": token}))

        variables = {**sandbox.ambient, "PYPI_PREFLIGHT_STATE": str(tmp_path / "state"), **env}
        clean = {name: text for name, text in machine.env.items() if not name.startswith(("TWINE_", "UV_"))}
        run: Callable[..., Completed] = answer
        system = replace(machine, run=run, env=clean | variables, home=tmp_path, sleep=lambda _: None, now=now)
        yield Job(sandbox=sandbox, system=system, state=tmp_path / "state")


def contents(tmp_path: Path) -> dict[str, list[Any]]:
    """Every table of the index but its history and the used identities, and its files."""
    with closing(sqlite3.connect(tmp_path / "index" / "sandbox.sqlite3")) as db:
        names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [name for name in names if name not in {"events", "identities", "sqlite_sequence"}]
        tables = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in kept}  # noqa: S608 - its own names
    return tables | {"": sorted(path.name for path in (tmp_path / "index" / "files").iterdir())}


def test_a_fitting_publisher_is_proven_and_nothing_but_the_history_changes(tmp_path: Path) -> None:
    with job(tmp_path) as one:
        before = contents(tmp_path)
        found = one.verify(exchange=True)
        assert contents(tmp_path) == before
        assert one.sandbox.history("acme-widget") == TWO_LINES
        assert (one.statuses(MINT), one.statuses(BURN)) == ([200], [202])
        assert (found.verdict.word, found.verdict_text, found.confirmed) == ("healthy", "healthy", True)
        assert verification_to_json(found)["exchange"]["revoked"] is True
        assert "issued a token for this job, revoked" in "\n".join(verification_to_text(found))
        assert one.records == []


def test_without_an_exchange_the_publisher_is_unknown_and_nothing_is_sent(tmp_path: Path) -> None:
    with job(tmp_path) as one:
        for found in (one.verify(), one.verify(offline=True)):
            assert found.verdict.word == "unknown"
            assert found.verdict.remedy == "pypi-preflight verify --index pypi --exchange"
        assert one.statuses(MINT) == []


#: how the job differs → what the message and the remedy name
DIFFERENT: dict[str, tuple[dict[str, Any], str]] = {
    "the workflow was renamed": ({"workflow": "publish.yml"}, "workflow filename publish.yml"),
    "no environment": ({"environment": None}, "the job declares no environment"),
    "another environment": ({"environment": "prod"}, "environment prod"),
    "the repository was renamed": ({"repository": "acme/gadget"}, "repository gadget"),
    "the repository has another owner": ({"claims": {"repository_owner_id": "7"}}, "the owner's current ID 7"),
}


@pytest.mark.parametrize("row", DIFFERENT)
def test_a_missing_publisher_is_named_with_the_claims(row: str, tmp_path: Path) -> None:
    changes, named = DIFFERENT[row]
    with job(tmp_path, replace(WORLD, job=CiJob(**changes))) as one:
        found = one.verify(exchange=True)
        assert (found.verdict.word, found.verdict.cause) == ("broken", "tp.invalid-publisher")
        assert named in found.verdict.message + found.verdict.remedy
        assert found.verdict.remedy.startswith("add a publisher at ")  # the index's form cannot change one
        assert "/settings/publishing/?provider=github&owner=acme" in found.verdict.remedy
        assert one.statuses(BURN) == []
        assert one.records == []


PUBLISHED = AttestationPublisher.from_json(
    {"kind": "GitHub", "repository": "acme/widget", "workflow": "release.yml", "environment": "pypi"}
)
#: how the job differs → what the message says of the last attested release
SINCE: dict[str, tuple[dict[str, Any], str]] = {
    "workflow": ({"workflow": "publish.yml"}, "came from workflow 'release.yml', and this job has 'publish.yml'"),
    "repository": ({"repository": "acme/gadget"}, "came from repository 'acme/widget', and this job has 'acme/gadget'"),
    "environment": ({"environment": None}, "came from environment 'pypi', and this job has none"),
    "owner's ID": (
        {"claims": {"repository_owner_id": "7"}},
        "came from a job like this one: its publisher was removed",
    ),
}


@pytest.mark.parametrize("row", SINCE)
def test_the_claim_that_differs_from_the_last_attested_release_is_named(row: str, tmp_path: Path) -> None:
    changes, named = SINCE[row]
    attested = ApiToken(name="github", user=DEFAULT_USER, publisher=PUBLISHED)
    with job(tmp_path, replace(WORLD, tokens=(attested,), job=CiJob(**changes))) as one:
        field = {"attestations": json.dumps([attestation()])}
        assert SandboxClient(sandbox=one.sandbox).upload(token="github", changes=field).status == 200
        proof = one.prove()
        assert isinstance(proof.problem, Finding)
        assert f"the last attested release {named}" in proof.problem.message
        assert "valid token, but no corresponding publisher" in str(proof.problem.server_text)


def test_a_new_project_is_never_exchanged_for(tmp_path: Path) -> None:
    world = SeedData(publishers=(github_publisher("p", pending="acme-widget", user=DEFAULT_USER),))
    with job(tmp_path, world) as one:
        before = contents(tmp_path)
        found = one.verify(exchange=True)
        assert found.verdict.word == "unknown"
        query = "?provider=github&owner=acme&repository=widget&workflow_filename=release.yml&environment=pypi"
        assert f"/manage/account/publishing/{query}&project_name=acme-widget with: " in found.verdict.remedy
        assert "project name acme-widget, owner acme, repository widget" in found.verdict.remedy
        assert found.verdict.remedy.endswith("pass --new-project acme-widget to check, publish or release")
        without = one.verify()  # the exchange that it would suggest otherwise is never done
        assert (without.verdict.message, without.verdict.remedy) == (found.verdict.message, found.verdict.remedy)
        project = ProjectMetadata(name="acme-widget", version="1.0")
        for name, word in (("Acme.Widget", "warning"), ("acme-wodget", "unknown"), (None, "unknown")):
            facts = verify.collect_access(one.system, one.index, project, new_project=name)
            verified = replace(found, access=facts)
            (outcome,) = outcomes(verified)
            assert outcome.state == {"warning": "warned", "unknown": "unknown"}[word]
            remedy = outcome.remedy or outcome.findings[0].remedy
            assert ("--new-project" in remedy) is (word == "unknown")
            assert "compare the pending publisher at " in remedy
        assert one.statuses(MINT) == []
        assert contents(tmp_path) == before


def outcomes(found: Verification) -> list[Any]:
    from release.checks import credential_checks, engine

    every = engine.run(credential_checks.CHECKS, found.access)
    return [one for one in every if one.check == "the-index-has-this-publisher"]


def test_a_publisher_of_another_project_is_no_publisher_of_this_one(tmp_path: Path) -> None:
    projects = (OWNED, Existing(name="other", owners=(DEFAULT_USER,)))
    world = replace(WORLD, projects=projects, publishers=(github_publisher("o", "other", environment="pypi"),))
    with job(tmp_path, world) as one:
        found = one.verify(exchange=True)
        assert (found.verdict.word, found.verdict.cause) == ("broken", "tp.pending-name-mismatch")
        assert "/manage/project/acme-widget/settings/publishing/?provider" in found.verdict.remedy
        assert one.sandbox.history("other") == TWO_LINES


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_the_token_is_revoked_on_every_way_out(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(token_probes, "probe_permission", interrupted)
    with job(tmp_path) as one:
        with pytest.raises(error):
            one.prove()
        assert one.sandbox.history("acme-widget") == TWO_LINES
        assert one.records == []


def test_the_first_signal_waits_for_the_end_of_the_block() -> None:
    steps: list[str] = []
    before = signal.getsignal(signal.SIGINT)

    def work(signals: int) -> None:
        with deferred_signals():
            for _ in range(signals):
                signal.raise_signal(signal.SIGINT)
            steps.append("went on")

    with pytest.raises(KeyboardInterrupt):
        work(1)
    assert steps == ["went on"]
    with pytest.raises(KeyboardInterrupt):
        work(2)
    assert steps == ["went on"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_token_that_arrives_with_a_signal_is_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = provider.exchange_identity

    def interrupted(*given: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return inner(*given)

    monkeypatch.setattr(provider, "exchange_identity", interrupted)
    with job(tmp_path) as one:
        with pytest.raises(KeyboardInterrupt):
            one.prove()
        assert one.sandbox.history("acme-widget") == TWO_LINES
        assert one.records == []


def test_a_token_that_is_not_revoked_is_a_warning_and_the_next_run_says_so(tmp_path: Path) -> None:
    clock = Clock()
    with job(tmp_path, clock=clock) as one:
        one.sandbox.inject(Fault(what=CannedResponse(status=503), when=RequestFilter(path=BURN)))
        found = one.verify(exchange=True)
        assert found.verdict.word == "warning"
        assert "did not confirm that the token of this proof is revoked" in found.verdict.message
        (record,) = one.records
        fields = json.loads(record.read_text())
        assert set(fields) == {"schema", "index", "upload_url", "project", "requested", "expires"}
        assert stat.S_IMODE(record.stat().st_mode) == 0o600 or sys.platform == "win32"
        one.sandbox.clear_faults()
        again = one.verify(exchange=True)
        assert again.verdict.word == "warning"
        assert "an earlier run requested a token from pypi for 'acme-widget'" in again.verdict.message
        clock.advance(minutes=16)
        expired = one.verify(exchange=True)
        assert expired.verdict.word == "healthy"
        assert "; it expired at " in "\n".join(verification_to_text(expired))
        assert one.records == []


def test_an_unclear_answer_is_repeated_with_a_new_identity_and_a_note(tmp_path: Path) -> None:
    with job(tmp_path) as one:
        seen: list[str] = []
        one.sandbox.inject(Fault(what=Drop(at="in-reply", how="close"), when=RequestFilter(path=MINT, nth=1)))
        inner = one.system.run

        def watched(*args: Any, **options: Any) -> Any:
            done = inner(*args, **options)
            seen.append(json.loads(done.output)["token"])
            return done

        one.system = replace(one.system, run=watched)
        assert one.prove().proven
        assert len(set(seen)) == len(seen) == 2
        assert "pypi may have issued a token that did not arrive here: if so, it expires within 15 minutes" in one.said
        assert len(one.records) == 1


#: an answer to the exchange → the verdict, part of its message, and what it does not say
ANSWERS: dict[str, tuple[CannedResponse, str, str, str]] = {
    "no token of this index": (
        CannedResponse(status=200, body='{"success": true, "token": "a\\nb"}'),
        "unknown", "pypi answered the exchange with text that is none of its tokens", "may not be sent",
    ),
    "an empty token": (
        CannedResponse(status=200, body='{"success": true, "token": ""}'),
        "unknown", "with text that is none of its tokens", "may not be sent",
    ),
    "a login page": (
        CannedResponse(status=200, body="<html>"), "unknown", "answers 200 OK, without a token", "upload.pypi.org",
    ),
    "no such page": (CannedResponse(status=404, body="x"), "broken", "): 404 Not Found", "upload.pypi.org"),
    "a refused login": (CannedResponse(status=401, body="x"), "broken", "): 401 Unauthorized", "cred."),
    "a refused proxy": (CannedResponse(status=407, body="x"), "broken", "net.proxy", "trusted-publishers"),
    "an unknown code": (
        CannedResponse(
            status=422, body='{"errors": [{"code": "odd", "description": "no\\u001b[31m\\n::error::y"}]}'
        ),
        "broken", "422 odd: no [31m ::error::y", "\x1b",
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", ANSWERS)
def test_an_odd_answer_to_the_exchange_is_reported_in_plain_words(row: str, tmp_path: Path) -> None:
    answer, word, named, absent = ANSWERS[row]
    with job(tmp_path) as one:
        one.sandbox.inject(Fault(what=answer, when=RequestFilter(path=MINT)))
        found = one.verify(exchange=True)
        text = "\n".join(verification_to_text(found))
        assert found.verdict.word == word
        assert named in text
        assert absent not in text
        assert "\n::error" not in text


@pytest.mark.parametrize(("status", "named", "cause"), [
    (200, "answers 200 OK, without an audience", None),
    (503, "answers 503 Service Unavailable", None),
    (403, "accepts no identities: 403 Forbidden", "tp.disabled"),
])  # fmt: skip
def test_an_index_that_fails_is_not_one_without_trusted_publishing(
    status: int, named: str, cause: str | None, tmp_path: Path
) -> None:
    with job(tmp_path) as one:
        one.sandbox.inject(
            Fault(what=CannedResponse(status=status, body="x"), when=RequestFilter(path="/_/oidc/audience"))
        )
        problem = one.prove().problem
        assert isinstance(problem, Unknown)
        assert named in problem.reason
        assert problem.cause == cause
        assert ("API token" in problem.remedy) is (cause is not None)


def test_a_request_that_was_never_sent_leaves_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with job(tmp_path) as one:
        from release.adapters.http import errors

        def refuse(*_: object) -> None:
            raise errors.connection_error("127.0.0.1", 9, ConnectionRefusedError())

        monkeypatch.setattr(provider, "exchange_identity", refuse)
        proof = one.prove()
        assert isinstance(proof.problem, Unknown)
        assert one.said == ""
        assert one.records == []


GITLAB = replace(
    WORLD, job=CiJob(provider="gitlab"),
    publishers=(replace(github_publisher("g", "acme-widget", environment="pypi"), provider="gitlab"),),
)  # fmt: skip


def test_a_gitlab_job_with_one_identity_keeps_its_token_for_the_upload(tmp_path: Path) -> None:
    with job(tmp_path, GITLAB) as one:
        kept = one.prove(keep=True)
        assert kept.proven
        assert kept.kept is not None
        assert one.statuses(BURN) == []
        refused = one.prove()
        assert isinstance(refused.problem, Finding)
        assert (refused.problem.cause, refused.problem.severity) == ("tp.jti-reuse", "block")
        assert refused.problem.remedy == "add to the job: id_tokens: {PROOF_PYPI_ID_TOKEN: {aud: pypi}}"
        second = one.sandbox.identity_provider.token("pypi", datetime.now(UTC))
        one.system = replace(one.system, env={**one.system.env, "PROOF_PYPI_ID_TOKEN": second})
        assert one.prove(keep=True).revoked
        again = one.prove(keep=True)
        assert isinstance(again.problem, Finding)
        assert again.problem.severity == "warn"


def test_a_configuration_without_exchange_has_a_warning(tmp_path: Path) -> None:
    with job(tmp_path) as one:
        project = ProjectMetadata(name="acme-widget", version="1.0")
        facts = verify.collect_access(one.system, one.index, project, exchange=False)
        assert isinstance(facts.proof, Finding)
        assert (facts.proof.severity, facts.proof.remedy) == ("warn", 'set exchange = "auto" in [tool.release]')
        assert one.statuses(MINT) == []


def test_an_exchange_offline_is_a_contradiction(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--project", "acme-widget", "--exchange", "--offline"]) == 2
    assert "--exchange contacts the index" in capsys.readouterr().err


def test_no_secret_is_in_a_record_a_message_or_the_result(tmp_path: Path) -> None:
    with job(tmp_path) as one:
        one.sandbox.inject(Fault(what=CannedResponse(status=503), when=RequestFilter(path=BURN)))
        found = one.verify(exchange=True)
        proof = one.prove()
        (secret,) = [event.secret.reveal() for event in one.told if isinstance(event, SecretObtained)]
        stored = b"".join(path.read_bytes() for path in one.state.rglob("*") if path.is_file())
        shown = repr(found) + repr(proof) + json.dumps(verification_to_json(found))
        assert secret[-40:] not in shown
        assert secret[-40:].encode() not in stored


def test_a_token_is_sent_to_no_other_index(tmp_path: Path) -> None:
    """Two indexes, two audiences, two identities: each sees its own token alone."""
    with job(tmp_path / "a") as one, job(tmp_path / "b", replace(WORLD, audience="testpypi")) as other:
        assert one.prove().proven
        assert other.statuses(MINT) == other.statuses(BURN) == []
        assert other.prove().proven
        assert (len(one.statuses(BURN)), len(other.statuses(BURN))) == (1, 1)


def test_records_of_other_indexes_and_of_runs_in_progress_are_not_reported(tmp_path: Path) -> None:
    with job(tmp_path) as one:
        elsewhere = replace(one.index, upload_url="https://upload.acme.test/legacy/")
        exchange_records.ExchangeRecord(one.system, elsewhere, "acme-widget").leave()
        running = exchange_records.ExchangeRecord(one.system, one.index, "acme-widget")
        assert exchange_records.unrevoked_tokens(one.system, one.index) == ()
        running.leave()
        (found,) = exchange_records.unrevoked_tokens(one.system, one.index)
        assert found.expires - found.requested == timedelta(minutes=15)
        (one.records[0]).write_text("{")
        exchange_records.unrevoked_tokens(one.system, one.index)


KILLED = """
import os, signal, sys
from release.adapters.oidc import provider
from release.cli.main import main
provider.request_burning = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.exit(main(["verify", "--project", "acme-widget", "--exchange"]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_the_run_after_a_killed_one_says_so(tmp_path: Path) -> None:
    with server.start_sandbox(WORLD) as sandbox:
        table = "[tool.release.indexes.pypi]\nupload-url = {!r}\nsimple-url = {!r}\n"
        (tmp_path / "pyproject.toml").write_text(table.format(sandbox.upload_url, sandbox.simple_url))
        clean = {name: text for name, text in real_system().env.items() if not name.startswith(("TWINE_", "UV_"))}
        env = clean | sandbox.ambient | {
            "HOME": str(tmp_path), "PYPI_PREFLIGHT_STATE": str(tmp_path / "state"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        }  # fmt: skip
        run: Callable[..., Any] = subprocess.run
        first = run([sys.executable, "-c", KILLED], cwd=tmp_path, env=env, capture_output=True, check=False)
        assert first.returncode == -signal.SIGKILL, first.stderr  # type: ignore[attr-defined,unused-ignore]
        argv = [sys.executable, "-m", "release", "verify", "--project", "acme-widget", "--exchange"]
        second = run(argv, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "an earlier run requested a token from pypi for 'acme-widget' at " in second.stdout
    with suppress(OSError):
        assert all(b"pypi-Ag" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_without_a_project_there_is_no_proof_and_no_exchange() -> None:
    origin = TrustedPublishing(provider="GitHub")
    unknown = Unknown(reason="no metadata", remedy="none")
    facts = Access(
        index=replace(LASTING, ephemeral=False), project=unknown, credential=Ambient(provider="GitHub", origin=origin),
        remarks=(), token=None, listing=None, now=NOON,
    )  # fmt: skip
    found = publisher_proof.query_publisher(fake_system(), facts)
    assert isinstance(found.proof, PublisherProof)
    assert isinstance(found.proof.problem, Unknown)
    assert found.proof.problem.reason.startswith("the project's name is not known")
    assert found.proof.problem.remedy == "pass --project NAME"
    assert publisher_proof.query_publisher(fake_system(), found) is found
