"""The session of an upload with the sandbox's staged releases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec import Struct
from msgspec.structs import replace

from release.adapters import collect
from release.adapters.index import staging_api
from release.core.errors import RefusedError, UnreachableError
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution
from release.core.models.index import Index, ProjectListing
from release.publishing.upload.errors import UploadError
from release.publishing.upload.index_session import IndexSession, open_session
from release.sandbox.faults import CannedResponse, Drop, Fault, RequestFilter
from tests.fake_system import LASTING, WHEEL, files_in, listing_of, sandbox_credential
from tests.sample_distributions import sdist_name
from tests.sandbox.sandbox_client import SandboxClient, sandbox_client
from tests.uploads import HERE, PROJECT, release

PUBLISH = RequestFilter(method="POST", path="/+stages/*/publish")


class Staging(Struct, frozen=True, kw_only=True):
    """An index with stages, and a release for it."""

    pypi: SandboxClient
    files: tuple[Distribution, ...]
    token: str = "account"

    @property
    def index(self) -> Index:
        sandbox = self.pypi.sandbox
        return replace(sandbox.index("pypi"), stages_url=sandbox.stages_url)

    def credential(self) -> Credential:
        token = self.pypi.sandbox.tokens[self.token]
        return Credential(username="__token__", username_origin=HERE, password=token, origin=HERE)

    def upload(self, session: IndexSession) -> None:
        path = urlsplit(session.index.upload_url).path
        for file in self.files:
            source = file.filename.endswith(".tar.gz")
            reply = self.pypi.upload(content=file.path.read_bytes(), filename=file.filename, source=source, path=path)
            assert reply.status == 200, reply

    def publish(self) -> None:
        with open_session(self.index, self.credential) as session:
            self.upload(session)
            session.publish(self.files, PROJECT)


@pytest.fixture(name="staging")
def _staging(tmp_path: Path) -> Iterator[Staging]:
    with sandbox_client(staged=True) as pypi:
        yield Staging(pypi=pypi, files=tuple(release(tmp_path / "dist", 2)))


def names(staging: Staging) -> set[str]:
    return {file.filename for file in staging.files}


def test_files_are_public_once_they_are_published(staging: Staging) -> None:
    with open_session(staging.index, staging.credential) as session:
        assert (session.staged, session.index.name, session.index.ephemeral) == (True, "pypi (stage)", True)
        staging.upload(session)
        assert staging.pypi.files() == []
        session.publish(staging.files, PROJECT)
    assert set(staging.pypi.files()) == names(staging)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_whatever_ends_it_before_discards_the_stage(staging: Staging, error: type[BaseException]) -> None:
    opened: list[IndexSession] = []

    def upload_and_fail() -> None:
        with open_session(staging.index, staging.credential) as session:
            opened.append(session)
            staging.upload(session)
            raise error

    with pytest.raises(error):
        upload_and_fail()
    assert staging.pypi.files() == []
    assert staging.pypi.ask("GET", urlsplit(opened[0].index.simple_url).path).status == 404
    staging.publish()
    assert set(staging.pypi.files()) == names(staging)


def test_an_index_without_stages_has_nothing_to_publish(staging: Staging) -> None:
    index = replace(staging.index, stages_url=None)
    with open_session(index, staging.credential) as session:
        session.publish(staging.files, PROJECT)
    assert (session.staged, session.index) == (False, index)
    assert not staging.pypi.sandbox.log


def test_after_an_unclear_answer_the_index_is_asked(staging: Staging) -> None:
    staging.pypi.sandbox.inject(Fault(what=Drop(at="after-work"), when=PUBLISH))
    staging.publish()
    assert set(staging.pypi.files()) == names(staging)
    assert [one.path.rpartition("/")[2] for one in staging.pypi.sandbox.log].count("publish") == 1


@pytest.mark.parametrize("fault", [Drop(at="after-body"), CannedResponse(status=503)])
def test_what_is_not_listed_then_may_be_public_or_not(staging: Staging, fault: Any) -> None:
    staging.pypi.sandbox.inject(Fault(what=fault, when=PUBLISH))
    with pytest.raises(UploadError, match="it is unknown whether pypi has published the release") as caught:
        staging.publish()
    assert caught.value.remedy.startswith("run the command again")


def test_a_refusal_publishes_nothing(staging: Staging) -> None:
    with open_session(staging.index, staging.credential) as session:
        staging.upload(session)
        assert staging.pypi.upload(source=True).status == 200
        with pytest.raises(RefusedError, match="409 File already exists"):
            session.publish(staging.files, PROJECT)
    assert staging.pypi.files() == [sdist_name()]


def test_without_an_account_no_stage_is_opened(staging: Staging) -> None:
    other = replace(staging, token="revoked")
    with pytest.raises(RefusedError, match="403 Invalid or non-existent"), open_session(other.index, other.credential):
        pytest.fail("no stage")


def test_an_index_that_fails_opens_none(staging: Staging) -> None:
    staging.pypi.sandbox.inject(Fault(what=CannedResponse(status=503)))
    with pytest.raises(UnreachableError), open_session(staging.index, staging.credential):
        pytest.fail("no stage")


def test_after_an_unclear_answer_the_index_is_asked_past_caches(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A page of a cache lacks what was published a moment ago: the release would be reported as unknown."""
    asked: list[dict[str, Any]] = []
    (file,) = files_in(tmp_path, WHEEL)
    stage = staging_api.Stage(
        url="http://127.0.0.1:9/s/", upload_url="http://127.0.0.1:9/u/", simple_url="http://127.0.0.1:9/v/"
    )

    def listing(*_: object, **options: Any) -> ProjectListing:
        asked.append(options)
        return listing_of([file])

    def publish(*_: object) -> None:
        raise UnreachableError("reset", remedy="")

    monkeypatch.setattr(staging_api, "open_stage", lambda *_: stage)
    monkeypatch.setattr(staging_api, "publish_stage", publish)
    monkeypatch.setattr(collect, "collect_listing", listing)
    index = replace(LASTING, stages_url="http://127.0.0.1:9/stages/")
    with open_session(index, lambda: sandbox_credential("x")) as session:
        session.publish([file], PROJECT)
    assert asked == [{"fresh": True}]
