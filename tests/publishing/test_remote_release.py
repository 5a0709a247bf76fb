"""A release looked at from outside, on a real index: every fault as it would be met. Nothing is installed here."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters import sigstore
from release.adapters.builds import builder
from release.adapters.http import http_client
from release.adapters.index import simple_api
from release.adapters.install import venv
from release.adapters.system.system import System, real_system
from release.checks import engine
from release.checks.published_release import CHECKS
from release.core.errors import RefusedError, UnreachableError
from release.core.events import Event, Progress
from release.core.facts import BuiltFile, ProjectMetadata, PublishedRelease
from release.core.models.attestation import AttestationPublisher
from release.core.models.check_result import CheckState, Finding, NotApplicable, Outcome
from release.core.models.distribution import Distribution, ManifestFile, ReleaseManifest
from release.core.models.index import PYPI, IndexFile, ProjectListing
from release.core.models.oidc_identity import parse_identity
from release.core.secret import Secret
from release.publishing import remote_release
from release.reports.run_text import publisher_summary
from release.sandbox import server
from release.sandbox.faults import CannedResponse, Drop, Fault, RequestFilter, Stale
from release.sandbox.seed import DEFAULT_USER, ApiToken, SeedData, seed_for_project
from release.sandbox.seed import SeedProject as OnIndex
from tests import sample_distributions
from tests.acceptance.making import SDIST, WHEEL, metadata, sdist, wheel
from tests.sandbox.sandbox_client import Clock, SandboxClient
from tests.sandbox.test_attestations import attestation
from tests.uploads import PROJECT
from tests.uploads import Clock as WaitClock

RELEASE = ProjectMetadata(name="Acme.Widget", version="1.0.0")  # in the words of whoever asks
SHA = "b" * 64


@dataclass
class Place:
    """An index with acme-widget 1.0, and the time there."""

    index: SandboxClient
    clock: Clock
    scratch: Path

    def look(
        self, record: ReleaseManifest | None = None, release: ProjectMetadata = RELEASE, **options: Any
    ) -> PublishedRelease:
        """As a user would, who has all the time of that place."""
        system = replace(real_system(), sleep=lambda seconds: self.clock.advance(seconds=seconds))
        return remote_release.fetch_release(
            system, self.index.sandbox.index("ours"), release, record, scratch=self.scratch, notify=lambda _: None,
            **options,
        )  # fmt: skip

    def outcomes(self, record: ReleaseManifest | None = None) -> dict[str, Outcome]:
        return {one.check: one for one in engine.run(CHECKS, self.look(record))}

    def record(self, *, without: Iterable[str] = (), **changes: Any) -> ReleaseManifest:
        """What was uploaded; `changes` to each file."""
        files = tuple(
            ManifestFile(
                **{"filename": one["filename"], "size": one["size"], "sha256": one["hashes"]["sha256"], **changes}
            )
            for one in self.index.listing()["files"]
            if one["filename"] not in without
        )
        return ReleaseManifest(project="acme-widget", version="1.0", files=files)

    def break_(self, what: Any, **when: Any) -> None:
        self.index.sandbox.inject(Fault(what=what, when=RequestFilter(**when)))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with placed(tmp_path) as made:
        yield made


@contextmanager
def placed(
    scratch: Path, *, files: dict[str, bytes] | None = None, world: SeedData | None = None, **how: Any
) -> Iterator[Place]:
    clock = Clock()
    with server.start_sandbox(world or seed_for_project("acme-widget"), clock=clock, **how) as sandbox:
        index = SandboxClient(sandbox=sandbox)
        for name, content in ({WHEEL: wheel(), SDIST: sdist()} if files is None else files).items():
            reply = index.upload(content=content, filename=name, source=name == SDIST)
            assert reply.line == "200 OK"
        yield Place(index=index, clock=clock, scratch=scratch)


def blocking(outcomes: dict[str, Outcome]) -> dict[str, str]:
    """The checks that block, and what they say."""
    return {
        name: " ".join([one.reason, *(finding.message for finding in one.findings)])
        for name, one in outcomes.items()
        if one.state.blocks
    }


def test_a_release_in_order_is_seen_as_it_is(place: Place) -> None:
    """However the name and the version are spelled; with a record or without one."""
    assert blocking(place.outcomes()) == {}
    found = place.outcomes(place.record())
    assert blocking(found) == {}
    assert found["every-file-has-the-recorded-bytes"].state == CheckState.PASSED


def test_what_comes_is_hashed_not_what_the_page_says(place: Place) -> None:
    """The page still shows the hash of the record, and other bytes come: both checks see it."""
    place.break_(CannedResponse(status=200, body="other bytes"), path="/packages/*.whl")
    found = blocking(place.outcomes(place.record()))
    assert set(found) == {"every-file-has-the-recorded-bytes", "every-download-is-what-its-page-says"}
    assert "11 was downloaded" in found["every-download-is-what-its-page-says"]


def test_a_record_with_another_hash_or_size_is_no_record_of_this(place: Place) -> None:
    found = blocking(place.outcomes(place.record(sha256=SHA)))
    assert set(found) == {"every-file-has-the-recorded-bytes"}
    assert SHA in found["every-file-has-the-recorded-bytes"]
    assert "the record has" in blocking(place.outcomes(place.record(size=1)))["every-file-has-the-recorded-bytes"]


def test_a_file_too_many_is_found(place: Place) -> None:
    found = blocking(place.outcomes(place.record(without=[SDIST])))
    assert set(found) == {"every-listed-file-is-recorded"}
    assert SDIST in found["every-listed-file-is-recorded"]


def test_a_missing_file_is_told_from_one_that_is_not_yet_visible(place: Place) -> None:
    """Deleted on the site: neither page has it. Uploaded a moment ago: one of them lags."""
    record = place.record()
    place.index.sandbox.delete_file(SDIST)
    before = place.clock.now
    found = blocking(place.outcomes(record))
    assert list(found) == ["every-file-is-listed"]
    assert f"{SDIST} is missing" in found["every-file-is-listed"]
    assert (place.clock.now - before).total_seconds() >= remote_release.LOOPBACK_LAG


def test_what_is_late_is_waited_for(place: Place) -> None:
    place.break_(Stale(seconds=5), path="/simple/*")
    facts = place.look()
    assert len(facts.files) == 2
    assert 5 <= facts.waited < remote_release.LOOPBACK_LAG


def test_what_stays_late_is_uploaded_and_not_yet_visible(place: Place) -> None:
    """With a record or without: the other page has it, so it is not missing, and nothing is uploaded again."""
    record = place.record()
    place.break_(Stale(seconds=3600), path="/simple/*")
    for known in (record, None):
        found = place.outcomes(known)
        assert list(blocking(found)) == ["the-release-is-visible"]
        (finding,) = found["the-release-is-visible"].findings
        assert "uploaded, not yet visible" in finding.message
        assert finding.cause == "post.index-lag"
        assert "do not upload it again" in finding.remedy


def test_the_json_api_proves_nothing_by_not_having_it(place: Place) -> None:
    """Its "not found" is cached, and it may not answer at all."""
    for broken in (
        Stale(seconds=3600),
        CannedResponse(status=404, body="{}"),
        CannedResponse(status=404, body="<html>"),
    ):
        place.index.sandbox.clear_faults()
        place.break_(broken, path="/pypi/*")
        found = place.outcomes(place.record())
        assert blocking(found) == {}
        assert found["the-pages-of-the-index-agree"].state == CheckState.NOT_APPLICABLE


def test_two_pages_that_disagree_are_found(place: Place) -> None:
    reply = place.index.ask("GET", "/pypi/acme-widget/1.0/json").json
    reply["urls"][0]["digests"]["sha256"] = SHA
    place.break_(CannedResponse(status=200, body=json.dumps(reply)), path="/pypi/*")
    assert SHA in blocking(place.outcomes())["the-pages-of-the-index-agree"]


def test_a_yanked_release_is_found_with_its_reason(place: Place) -> None:
    place.index.sandbox.yank("acme-widget", "1.0", "eats data")
    found = blocking(place.outcomes(place.record()))
    assert set(found) == {"no-file-is-yanked"}
    assert "the whole release is yanked on ours: 'eats data'" in found["no-file-is-yanked"]


def test_metadata_that_differs_is_found_with_its_fields(tmp_path: Path) -> None:
    files = {WHEEL: wheel(metadata(Requires_Dist="acme-gadget>=2")), SDIST: sdist(metadata(Requires_Python=">=3.9"))}
    with placed(tmp_path, files=files) as place:
        found = blocking(place.outcomes())
    assert set(found) == {"the-files-say-the-same"}
    assert "Requires-Dist" in found["the-files-say-the-same"]
    assert "Requires-Python" in found["the-files-say-the-same"]


@pytest.mark.parametrize(("status", "state"), [("archived", CheckState.WARNED), ("quarantined", CheckState.FAILED)])
def test_a_project_that_sleeps_or_is_shut_away_says_so(tmp_path: Path, status: str, state: CheckState) -> None:
    """In quarantine no file is listed: that is said, and not that the release is missing."""
    with placed(tmp_path) as place:
        with place.index.sandbox._store.writing() as db:
            db.execute("UPDATE projects SET status = ?", (status,))
        found = place.outcomes()
    assert found["the-project-is-in-good-standing"].state == state
    assert set(blocking(found)) <= {"the-project-is-in-good-standing"}


def test_a_file_that_does_not_come_is_unknown(place: Place) -> None:
    place.break_(CannedResponse(status=404), path="/packages/*.whl")
    found = place.outcomes()
    assert set(blocking(found)) == {"every-download-is-what-its-page-says"}
    assert WHEEL in found["every-download-is-what-its-page-says"].reason


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (Drop(at="in-reply"), "connection to '127.0.0.1' was reset"),
        (Drop(at="in-reply", how="close"), "connection to '127.0.0.1' was reset"),
        (Drop(at="in-reply", how="hang"), "no answer from '127.0.0.1' in time"),
        (CannedResponse(status=429), "answers 429 Too Many Requests"),
        (CannedResponse(status=503, retry_after=7200), "answers 503 Service Unavailable and asks to wait 2 h"),
    ],
)
def test_a_download_that_breaks_is_unknown_and_the_others_count(
    place: Place, monkeypatch: pytest.MonkeyPatch, what: Any, says: str
) -> None:
    """The sessions of the other downloads go on; that of the broken one is not used again."""
    monkeypatch.setattr(http_client, "TIMEOUT", (60.0, 0.5 if "in time" in says else 60.0))
    monkeypatch.setattr(http_client, "_RETRIES", 0)
    place.break_(what, path="/packages/*.whl")
    release = place.look()
    assert isinstance(release.fetched[SDIST], BuiltFile)
    outcome = {one.check: one for one in engine.run(CHECKS, release)}["every-download-is-what-its-page-says"]
    assert outcome.state == CheckState.UNKNOWN
    assert outcome.reason.startswith(f"cannot download {WHEEL!r}: ")
    assert says in outcome.reason


def test_a_file_is_installed_and_inspected_while_others_are_downloaded(place: Place) -> None:
    """The install of the wheel does not wait for the sdist; what it returns and what is read meanwhile counts."""
    installed = threading.Event()
    download = simple_api.download_file

    def late(file: IndexFile, into: Path) -> Distribution:
        if file.filename == SDIST:
            assert installed.wait(60)
        return download(file, into)

    def install(_: System, release: PublishedRelease) -> PublishedRelease:
        assert isinstance(release.fetched.get(WHEEL), BuiltFile)
        installed.set()
        return replace(release, wheel=NotApplicable(reason="tried"))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simple_api, "download_file", late)
        release = place.look(install=install)
    assert (release.wheel, set(release.fetched)) == (NotApplicable(reason="tried"), {WHEEL, SDIST})
    assert release.built is not None
    assert [one.filename for one in release.built.files] == [one.filename for one in release.files]
    assert [one.filename for one in release.built.cache.files or ()] == [one.filename for one in release.files]


def test_a_release_has_no_more_sessions_than_downloads_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The requests for the pages and for all files share them: each would cost a connection of its own."""
    opened: list[str] = []
    monkeypatch.setattr(http_client, "check_reachable", opened.append)
    tags = [f"py3{minor}-none-any" for minor in range(10)]
    files = {sample_distributions.wheel_name(tag=one): sample_distributions.wheel(tag=one) for one in tags}
    with placed(tmp_path, files=files) as place:
        assert len(place.look().fetched) == len(tags)
    assert 1 <= len(opened) <= remote_release._DOWNLOADS


@pytest.mark.parametrize(
    ("release", "says"),
    [
        (ProjectMetadata(name="acme-gadget", version="1.0"), "ours has no project 'acme-gadget'"),
        (ProjectMetadata(name="acme-widget", version="1.5"), "no release '1.5' on ours; the nearest are 1.0"),
    ],
)
def test_what_is_not_there_is_refused_at_once_with_what_is(place: Place, release: ProjectMetadata, says: str) -> None:
    before = place.clock.now
    with pytest.raises(RefusedError) as caught:
        place.look(release=release)
    assert says in caught.value.message
    assert caught.value.remedy
    assert place.clock.now == before


def test_the_nearest_versions_are_on_both_sides(place: Place) -> None:
    for version in ("0.1", "0.2", "0.3", "2.0", "3.0", "4.0"):
        assert place.index.upload(version=version).line == "200 OK"
    with pytest.raises(RefusedError, match=r"the nearest are 0\.3, 1\.0, 2\.0, 3\.0$"):
        place.look(release=ProjectMetadata(name="acme-widget", version="1.1"))


def test_a_project_without_any_release_says_so(tmp_path: Path) -> None:
    world = SeedData(projects=(OnIndex(name="acme-widget", owners=(DEFAULT_USER,)),))
    with placed(tmp_path, files={}, world=world) as place, pytest.raises(RefusedError, match="no releases on"):
        place.look()


def test_without_network_nobody_can_say(tmp_path: Path) -> None:
    nowhere = replace(PYPI, upload_url="http://127.0.0.1:9/legacy/", simple_url="http://127.0.0.1:9/simple/")
    with pytest.raises(UnreachableError, match="connection refused"):
        remote_release.fetch_release(real_system(), nowhere, RELEASE, None, scratch=tmp_path, notify=lambda _: None)


# -- attestations -----------------------------------------------------------------------------------

GITHUB = {"kind": "GitHub", "repository": "octo/widget", "workflow": "release.yml", "environment": "pypi"}
TOKENS = (
    ApiToken(name="account", user=DEFAULT_USER),
    ApiToken(name="github", user=DEFAULT_USER, publisher=AttestationPublisher.from_json(GITHUB)),
    ApiToken(
        name="fork", user=DEFAULT_USER, publisher=AttestationPublisher.from_json(GITHUB | {"repository": "evil/widget"})
    ),
)
ALL_OR_NONE, HOLD = "every-file-has-attestations-or-none-has", "the-attestations-hold"


@contextmanager
def attested(scratch: Path, *tokens: str) -> Iterator[Place]:
    """acme-widget 1.0, the wheel and the sdist uploaded with these tokens: what a publisher sends is attested."""
    with placed(scratch, files={}, world=SeedData(tokens=TOKENS)) as place:
        for token, filename, content in zip(tokens, (WHEEL, SDIST), (wheel(), sdist()), strict=True):
            text = json.dumps([attestation(filename, content)])
            changes = {} if token == "account" else {"attestations": text}
            reply = place.index.upload(
                content=content, filename=filename, source=filename == SDIST, token=token, changes=changes
            )
            assert reply.line == "200 OK", reply.line
        yield place


@pytest.fixture
def believing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody here can verify anything."""
    monkeypatch.setattr(sigstore, "is_installed", lambda: False)


@pytest.mark.usefixtures("believing")
def test_who_published_is_told_and_that_nobody_has_verified_it(tmp_path: Path) -> None:
    with attested(tmp_path, "github", "github") as place:
        facts = place.look()
        found = place.outcomes()
    assert list(publisher_summary(facts)) == [
        "published by GitHub, octo/widget, release.yml, pypi: 2 of 2 files, as the index says",
    ]
    assert found[ALL_OR_NONE].state == CheckState.PASSED
    assert found[HOLD].state == CheckState.WARNED
    assert "pypi-preflight[attest]" in found[HOLD].findings[0].remedy


@pytest.mark.usefixtures("believing")
@pytest.mark.parametrize(
    ("tokens", "says"),
    [
        (("github", "account"), f"1 of 2 files have no attestations: {SDIST!r}"),
        (("github", "fork"), "by 2 publishers: GitHub, evil/widget, release.yml, pypi; GitHub, octo/widget"),
    ],
)
def test_files_that_came_in_different_ways_are_a_warning(tmp_path: Path, tokens: tuple[str, str], says: str) -> None:
    with attested(tmp_path, *tokens) as place:
        found = place.outcomes()
    assert found[ALL_OR_NONE].state == CheckState.WARNED
    assert says in found[ALL_OR_NONE].findings[0].message


@pytest.mark.usefixtures("believing")
@pytest.mark.parametrize(
    "answer", [CannedResponse(status=404), CannedResponse(status=403), CannedResponse(status=200, body="[]")]
)
def test_a_provenance_that_is_named_and_does_not_come_is_unknown(tmp_path: Path, answer: CannedResponse) -> None:
    with attested(tmp_path, "github", "github") as place:
        place.break_(answer, path="/integrity/*")
        assert place.outcomes()[ALL_OR_NONE].state == CheckState.UNKNOWN


def test_what_is_attested_holds_for_the_bytes_that_came_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signed by a Sigstore of this test: verified; of other bytes, as an index that swapped the file: found."""
    pytest.importorskip("pypi_attestations")
    from tests.adapters import fake_sigstore

    files = {WHEEL: wheel(), SDIST: sdist()}
    with fake_sigstore.running() as service:
        trust = service.write(tmp_path)
        monkeypatch.setenv(sigstore.TRUST_CONFIG_VARIABLE, str(trust))
        identity = parse_identity(Secret(fake_sigstore.id_token(service.claims, "sigstore")), "GitHub", "sigstore")
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        described = [builder.load_distribution(tmp_path / name) for name in files]
        signed = sigstore.sign_files(described, sigstore.Sigstore(config=trust), identity)
    with placed(tmp_path, files={}, world=SeedData(tokens=TOKENS, sigstore=str(trust))) as place:
        for name, content in files.items():
            reply = place.index.upload(
                content=content, filename=name, source=name == SDIST, token="github",
                changes={"attestations": f"[{signed[name]}]"},
            )  # fmt: skip
            assert reply.line == "200 OK", reply.line
        facts = place.look()
        assert next(publisher_summary(facts)).endswith("2 of 2 files, verified")
        assert blocking({one.check: one for one in engine.run(CHECKS, facts)}) == {}
        reply = place.index.ask("GET", f"/integrity/acme-widget/1.0/{SDIST}/provenance", headers={"Accept": "*/*"})
        place.break_(CannedResponse(status=200, body=reply.body.decode()), path=f"/integrity/*/{WHEEL}/provenance")
        assert "is invalid" in blocking(place.outcomes())[HOLD]


def test_a_release_that_nobody_can_install_here_is_not_confirmed(tmp_path: Path) -> None:
    """Wheels for other machines alone: nothing was tried, and nothing can be said of it."""
    name = sample_distributions.wheel_name(tag="cp27-cp27m-win32")
    with placed(tmp_path, files={name: sample_distributions.wheel(tag="cp27-cp27m-win32")}) as place:
        facts = remote_release.install_and_test(real_system(), place.look(), scratch=tmp_path, notify=lambda _: None)
    found = {one.check: one for one in engine.run(CHECKS, facts)}
    assert found["the-wheel-installs-into-a-clean-environment"].state == CheckState.UNKNOWN
    assert found["the-sdist-installs-into-a-clean-environment"].state == CheckState.NOT_APPLICABLE


@pytest.mark.parametrize(("lag", "within", "seen"), [(60, 1800.0, True), (60, 20.0, False), (0, 0.0, True)])
def test_a_page_that_lags_is_waited_for(tmp_path: Path, lag: float, within: float, seen: bool) -> None:
    """The clock only moves while somebody waits."""
    clock, told = WaitClock(), list[Event]()
    here = replace(real_system(), sleep=clock.sleep, now=clock.now)
    with server.start_sandbox(seed_for_project(PROJECT.name), clock=clock.now) as pypi:
        taken = SandboxClient(sandbox=pypi).upload()
        assert taken.line == "200 OK"
        path = tmp_path / "acme_widget-1.0-py3-none-any.whl"
        pypi.inject(Fault(what=Stale(seconds=lag)))
        found, _ = remote_release.wait_until_listed(
            here, told.append, pypi.index(), PROJECT, {path.name}, within=within
        )
    assert (isinstance(found, ProjectListing) and found.file(path.name) is not None) == seen
    assert (lag <= clock.passed < lag + 31) if seen else (within <= clock.passed < within + 31)
    assert all(isinstance(one, Progress) and one.unit == "seconds" for one in told)
    assert bool(told) == (clock.passed > 0)


@pytest.mark.parametrize(("index", "refresh"), [("sandbox", False), ("pypi", True), ("stage", True)])
def test_only_the_embedded_index_never_has_another_file_at_a_url(
    index: str,
    refresh: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def install(*_: object, refresh: bool, **__: object) -> Finding:
        asked.append(refresh)
        return Finding(message="not today", remedy="none")

    monkeypatch.setattr(venv, "install_file", install)
    file = IndexFile(filename=WHEEL, url="http://127.0.0.1:9/w.whl", sha256="0" * 64)
    environment: Any = object()
    remote_release.install_file_and_test(real_system(), environment, PROJECT, file, index, None, lambda _: None)
    assert asked == [refresh]
