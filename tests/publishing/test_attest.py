"""What goes to PyPI by trusted publishing is signed; whatever is not, is said with its reason."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

pytest.importorskip("pypi_attestations")

from release.adapters import sigstore
from release.adapters.http import http_client
from release.adapters.index import json_api
from release.adapters.system import system
from release.adapters.system.system import System
from release.adapters.twine.twine_process import UploadLimits
from release.core import config
from release.core.errors import RefusedError
from release.core.events import Event, Message
from release.core.facts import Access
from release.core.models.attestation import BUILD, PUBLISH, AttestationPublisher, VerifiedAttestations
from release.core.models.check_result import Finding, NotApplicable, Unknown
from release.core.models.credential import Ambient, Credential
from release.core.models.distribution import Distribution
from release.core.models.index import Index
from release.core.models.secret_location import TrustedPublishing
from release.core.secret import Secret
from release.publishing import attest, journal
from release.sandbox import server
from release.sandbox.seed import DEFAULT_USER, ApiToken, SeedData, SeedProject
from release.sandbox.server import Sandbox
from tests import uploads
from tests.adapters import fake_sigstore
from tests.fake_tokens import token
from tests.uploads import PROJECT, Clock, Engine, Pool

US = AttestationPublisher(
    kind="GitHub", details=(("environment", "pypi"), ("repository", "octo/widget"), ("workflow", "release.yml"))
)
ELSEWHERE = Index(name="testpypi", upload_url="http://127.0.0.1:1/legacy/", simple_url="http://127.0.0.1:1/simple/")
PYPI = replace(ELSEWHERE, name="pypi")
VARIABLES = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME")


@dataclass(kw_only=True)
class Desk:
    """A job on GitHub, a Sigstore, and what is said and written down."""

    root: Path
    service: fake_sigstore.Sigstore
    env: dict[str, str]
    events: list[Event] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def system(self) -> System:
        return replace(system.real_system(), env=self.env, sleep=self.slept.append)

    @property
    def journal(self) -> journal.Journal:
        return journal.for_release(self.root, version="1.0", commit=None)

    @property
    def said(self) -> list[str]:
        return [one.text for one in self.events if isinstance(one, Message)]

    def files(self, count: int = 2) -> list[Distribution]:
        return uploads.release(self.root / "dist", count)

    def attested(
        self, files: list[Distribution], index: Index = PYPI, *, trusted: bool = True, **table: Any
    ) -> tuple[Distribution, ...]:
        return attest.attach_attestations(
            files, index, system=self.system, config=config.parse_config(table), trusted=trusted,
            journal=self.journal, notify=self.events.append,
        )  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    with fake_sigstore.running() as service:
        trust = {sigstore.TRUST_CONFIG_VARIABLE: str(service.write(tmp_path))}
        yield Desk(root=tmp_path, service=service, env=clean | service.environment() | trust)


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    with uploads.closing(Pool(UploadLimits())) as made:
        yield made


def beside(desk: Desk) -> list[str]:
    return sorted(path.name for path in (desk.root / "dist").iterdir() if path.name.endswith(".attestation"))


def test_files_for_pypi_are_signed_and_nothing_is_left_beside_them(desk: Desk) -> None:
    signed = desk.attested(desk.files())
    assert [len(file.attestations) for file in signed] == [1, 1]
    assert desk.said == ["signed as GitHub, octo/widget, release.yml, pypi"]
    assert beside(desk) == []
    event = desk.journal.last("signed", index="pypi")
    assert event is not None
    assert event["files"] == {file.filename: [PUBLISH] for file in signed}


@pytest.mark.parametrize(
    ("index", "trusted", "table", "said"),
    [
        (ELSEWHERE, True, {}, []),
        (replace(PYPI, ephemeral=True), True, {}, []),
        (replace(PYPI, kind="other"), True, {}, []),
        (replace(PYPI, name="internal"), True, {"attest": True}, []),
        (PYPI, True, {"attest": False}, []),
        (
            PYPI,
            False,
            {},
            ["not signed: an API token is used, and PyPI accepts attestations only with trusted publishing"],
        ),
    ],
    ids=["TestPyPI", "the sandbox", "no Warehouse", "another", "switched off", "an API token"],
)
def test_what_does_not_go_to_pypi_by_trusted_publishing_is_not_signed(
    desk: Desk, *, index: Index, trusted: bool, table: Mapping[str, Any], said: list[str]
) -> None:
    files = desk.files()
    assert desk.attested(files, index, trusted=trusted, **table) == tuple(files)
    assert desk.said == said
    assert desk.service.asked == []


def no_permission(desk: Desk) -> None:
    del desk.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]


def no_service(desk: Desk) -> None:
    for name in desk.service.environment():
        del desk.env[name]


def no_answer(desk: Desk) -> None:
    desk.service.broken["/api/v2/signingCert"] = 503


def reusable(desk: Desk) -> None:
    desk.service.claims["job_workflow_ref"] = "octo/shared/.github/workflows/publish.yml@refs/heads/main"


@pytest.mark.parametrize(
    ("trouble", "why", "remedy"),
    [
        (no_permission, "it lacks the permission id-token: write", "id-token: write"),
        (no_service, "this machine has no OIDC identity", "GitHub Actions"),
        (no_answer, "'127.0.0.1' answers 503", "attest = false"),
        (reusable, "Build Config URI", "reusable"),
    ],
)
def test_why_a_file_is_not_signed_is_said_and_stops_the_run_where_it_must_be(
    desk: Desk, trouble: Any, why: str, remedy: str
) -> None:
    trouble(desk)
    files = desk.files()
    assert desk.attested(files) == tuple(files)
    assert len(desk.said) == 1
    assert desk.said[0].startswith("not signed: ")
    assert why in desk.said[0]
    event = desk.journal.last("unsigned", index="pypi")
    assert event is not None
    assert why in event["why"]
    with pytest.raises(RefusedError, match="but the files cannot be signed") as caught:
        desk.attested(files, attest=True)
    assert why in caught.value.message
    assert remedy in caught.value.remedy


def test_without_the_extra_it_is_said_how_to_get_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sigstore, "find_spec", lambda _: None)
    desk.attested(desk.files())
    assert desk.said == ["not signed: the extra 'attest' is not installed"]


def access(desk: Desk, credential: Credential | Ambient | None) -> Access:
    return Access(
        index=PYPI, project=PROJECT, credential=credential, remarks=(), token=None, listing=None,
        now=desk.system.now(),
    )  # fmt: skip


AMBIENT = Ambient(provider="GitHub", origin=TrustedPublishing(provider="GitHub"))


def test_a_release_that_must_be_signed_is_refused_before_anything_is_built(desk: Desk) -> None:
    must, may = config.parse_config({"attest": True}), config.parse_config({})
    bearer = uploads.credential(Secret(token()))
    seen = attest.predict_signing(desk.system, must, access(desk, AMBIENT))
    assert seen.signing is None
    refused = attest.predict_signing(desk.system, must, access(desk, bearer)).signing
    assert isinstance(refused, Finding)
    assert refused.cause == "attest.with-api-token"
    waived = attest.predict_signing(desk.system, may, access(desk, bearer)).signing
    assert isinstance(waived, NotApplicable)
    assert waived.reason.startswith("not signed: an API token is used")
    never = config.parse_config({"attest": False})
    for settings, index, why in (
        (never, PYPI, "attest = false in [tool.release]"),
        (never, ELSEWHERE, "attest = false in [tool.release]"),
        (must, ELSEWHERE, "testpypi gets no attestations"),
    ):
        facts = attest.predict_signing(desk.system, settings, replace(access(desk, bearer), index=index))
        assert facts.signing == NotApplicable(reason=why)
    assert "/api/v1/log/entries" not in desk.service.asked, "looking ahead writes into no log"


# -- attestations that lie beside the files --------------------------------------------------------------------


def lay_beside(desk: Desk, files: list[Distribution], kind: str = "publish") -> None:
    """As another tool leaves them."""
    for file in desk.attested(files):
        path = file.path.with_name(f"{file.filename}.{kind}.attestation")
        path.write_text(file.attestations[0], encoding="utf-8")
    desk.events.clear()
    desk.service.asked.clear()


def test_attestations_beside_the_files_are_used_if_they_hold(desk: Desk) -> None:
    files = desk.files()
    lay_beside(desk, files)
    signed = desk.attested(files)
    assert [len(file.attestations) for file in signed] == [1, 1]
    assert desk.said == ["signed as GitHub, octo/widget, release.yml, pypi"]
    assert "/api/v1/log/entries" not in desk.service.asked, "nothing is signed twice"


def test_attestations_beside_the_files_that_do_not_hold_are_named_and_made_anew(desk: Desk) -> None:
    files = desk.files()
    lay_beside(desk, files)
    first, second = (file.path.with_name(f"{file.filename}.publish.attestation") for file in files)
    first.write_bytes(second.read_bytes())
    second.write_text("{", encoding="utf-8")
    signed = desk.attested(files)
    assert f"{second.name} is not used: it cannot be read" in desk.said
    assert any(one.startswith(f"{first.name} is not used: subject does not match") for one in desk.said)
    for file in signed:
        trust = sigstore.sigstore_for(PYPI, desk.env)
        (text,) = file.attestations
        assert sigstore.verify_attestation(text, US, file.filename, file.sha256, trust) == PUBLISH
    assert desk.service.asked.count("/api/v1/log/entries") == 2


def test_for_an_index_that_gets_none_they_stay_where_they_are(desk: Desk) -> None:
    files = desk.files()
    lay_beside(desk, files)
    assert desk.attested(files, ELSEWHERE) == tuple(files)
    assert desk.said == ["2 attestations next to the files are not sent: testpypi accepts none"]
    assert len(beside(desk)) == 2


# -- with twine, to an index -----------------------------------------------------------------------------------


def world(desk: Desk) -> SeedData:
    """An index that believes the desk's Sigstore; one of its tokens stands for the desk's workflow."""
    return SeedData(
        projects=(SeedProject(name=PROJECT.name, owners=(DEFAULT_USER,)),),
        tokens=(ApiToken(name="account", user=DEFAULT_USER, publisher=US),),
        sigstore=desk.env[sigstore.TRUST_CONFIG_VARIABLE],
    )


def as_pypi(sandbox: Sandbox) -> Index:
    return replace(sandbox.index("pypi"), ephemeral=False)


def test_the_index_takes_what_was_signed_and_shows_it(desk: Desk, pool: Pool) -> None:
    import pypi_attestations as library

    with server.start_sandbox(world(desk)) as sandbox:
        index = as_pypi(sandbox)
        signed = desk.attested(desk.files(3), index)
        sent = Engine(sandbox=sandbox, directory=desk.root / "log", pool=pool, clock=Clock()).run(signed)
        assert sent.error is None
        assert [one.attested for one in sandbox.log if one.method == "POST"] == [True] * 3
        found = attest.verify_sent_attestations(desk.system, index, PROJECT, signed, desk.journal)
        told = VerifiedAttestations(publishers=(US,), predicates=(PUBLISH,))
        assert found == {file.filename: told for file in signed}
        url = json_api.provenance_url(index, PROJECT.name, "1.0", signed[0].filename)
        with http_client.session(url) as asked:
            shown = library.Provenance.model_validate_json(asked.get(url).content)
        assert [one.publisher.kind for one in shown.attestation_bundles] == ["GitHub"]
        other = replace(signed[0], sha256="0" * 64)
        said = attest.verify_on_index(desk.system, index, PROJECT, other)
        assert isinstance(said, Finding)
        assert "does not match distribution digest" in said.message
    assert beside(desk) == []


def test_an_index_refuses_what_was_signed_for_other_bytes(desk: Desk, pool: Pool) -> None:
    first, second = desk.attested(desk.files(2))
    mixed = replace(first, attestations=second.attestations)
    with server.start_sandbox(world(desk)) as sandbox:
        sent = Engine(sandbox=sandbox, directory=desk.root / "log", pool=pool, clock=Clock()).run([mixed])
    assert sent.error is not None
    assert "Could not verify the uploaded artifact using the included attestation" in str(sent.error)


def test_what_is_missing_or_can_not_be_asked_is_told_apart(desk: Desk, pool: Pool) -> None:
    files = desk.files(1)
    with server.start_sandbox(world(desk)) as sandbox:
        index = as_pypi(sandbox)
        Engine(sandbox=sandbox, directory=desk.root / "log", pool=pool, clock=Clock()).run(files)
        assert attest.verify_on_index(desk.system, index, PROJECT, files[0]) is None
        missing = attest.verify_on_index(desk.system, index, PROJECT, files[0], expected=True)
        assert isinstance(missing, Finding)
        name = files[0].filename
        assert missing.message == f"pypi accepted attestations with {name!r}, but does not show them"
        assert missing.where == name
        assert missing.remedy.endswith(f"/{name}/provenance later")
        assert sum(desk.slept) == 60, "an index gets a minute to show what it took"
    gone = attest.verify_on_index(desk.system, index, PROJECT, files[0])
    assert isinstance(gone, Unknown)


def test_the_kinds_are_those_of_the_library() -> None:
    import pypi_attestations as library

    assert {PUBLISH, BUILD} == {str(one.value) for one in library.AttestationType}
