"""A release by trusted publishing is signed on PyPI and nowhere else, and says so when it is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pypi_attestations")

from release.adapters import sigstore
from release.sandbox import server
from release.sandbox.seed import DEFAULT_USER, SeedData, SeedProject
from tests.adapters import fake_sigstore
from tests.adapters.fake_sigstore import Sigstore
from tests.sample_distributions import sdist, wheel
from tests.sandbox.sandbox_client import github_publisher
from tests.stories.project import Indexes, UserProject, files_on, make, posts, release_table

WHEEL, SDIST = "acme_widget-1.0-py3-none-any.whl", "acme_widget-1.0.tar.gz"


@contextmanager
def trusting(service: Sigstore, directory: Path) -> Iterator[Indexes]:
    """TestPyPI and PyPI, both with the workflow of one job as a publisher; PyPI believes one Sigstore."""
    known: dict[str, Any] = {
        "projects": (SeedProject(name="acme-widget", owners=(DEFAULT_USER,)),),
        "publishers": (github_publisher("github", "acme-widget"),),
    }
    trust = str(service.write(directory))
    with (
        server.start_sandbox(SeedData(**known, audience="pypi", sigstore=trust)) as pypi,
        server.start_sandbox(
            SeedData(**known, audience="testpypi"), identity_provider=pypi.identity_provider
        ) as testpypi,
    ):
        yield Indexes(testpypi=testpypi, pypi=pypi)


@pytest.fixture
def service() -> Iterator[Sigstore]:
    with fake_sigstore.running() as made:
        yield made


def job(tmp_path: Path, on: Indexes, *, more: str = "") -> UserProject:
    """A job that has an identity, and no token."""
    project = make(tmp_path, more=f"{more}\n{release_table(on)}", tiny=True)
    project.env |= on.pypi.ambient | {sigstore.TRUST_CONFIG_VARIABLE: str(tmp_path / "trust.json")}
    project.commit()
    return project


def left_over(directory: Path) -> list[Path]:
    return list(directory.rglob("*.attestation"))


def test_what_goes_to_pypi_is_signed_and_what_goes_to_testpypi_is_not(tmp_path: Path, service: Sigstore) -> None:
    with trusting(service, tmp_path) as on:
        project = job(tmp_path, on, more="[tool.release]\nattest = true")
        told = project.run("release", "--yes")
        assert told.status == 0, told.all
        assert "signed as GitHub, " in told.out
        assert [one.attested for one in posts(on.testpypi)] == [False, False]
        assert [one.attested for one in posts(on.pypi)] == [True, True]
        assert files_on(on.testpypi) == files_on(on.pypi)
        assert any(one.path.startswith("/integrity/acme-widget/1.0/") for one in on.pypi.log), "looked at again there"
        assert left_over(project.root) == []


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """Files that were built elsewhere."""
    directory = tmp_path / "given"
    directory.mkdir()
    (directory / WHEEL).write_bytes(wheel())
    (directory / SDIST).write_bytes(sdist())
    return directory


def test_with_an_api_token_it_is_said_why_nothing_is_signed(tmp_path: Path, service: Sigstore, given: Path) -> None:
    with trusting(service, tmp_path) as on:
        project = job(tmp_path, on)
        project.credentials(on)
        told = project.run("publish", "--yes", "--files", str(given))
        assert told.status == 0, told.all
        assert "  not signed: an API token is used, and PyPI" in told.out
        assert [one.attested for one in posts(on.pypi)] == [False, False]
        assert service.asked == []


def test_what_must_be_signed_and_can_not_be_is_not_uploaded(tmp_path: Path, service: Sigstore, given: Path) -> None:
    with trusting(service, tmp_path) as on:
        project = job(tmp_path, on, more="[tool.release]\nattest = true")
        project.credentials(on)
        told = project.run("publish", "--yes", "--files", str(given))
        assert told.status == 1
        assert "attest = true in [tool.release], but the files cannot be signed: an API token is used" in told.all
        assert posts(on.pypi) == []


def test_attestations_of_another_tool_are_used_for_pypi_and_left_out_for_testpypi(
    tmp_path: Path, service: Sigstore, given: Path
) -> None:
    with trusting(service, tmp_path) as on:
        project = job(tmp_path, on)
        for name in (WHEEL, SDIST):
            _lay_beside(given / name, on, tmp_path)
        service.asked.clear()
        told = project.run("testpypi", "--files", str(given))
        assert told.status == 0, told.all
        assert "2 attestations next to the files are not sent: testpypi accepts none" in told.out
        told = project.run("publish", "--yes", "--files", str(given))
        assert told.status == 0, told.all
        assert [one.attested for one in posts(on.testpypi)] == [False, False]
        assert [one.attested for one in posts(on.pypi)] == [True, True]
        assert service.asked == [], "nothing is signed twice"
        assert len(left_over(given)) == 2, "they are somebody else's, and stay"


def _lay_beside(path: Path, on: Indexes, trust: Path) -> None:
    """As `python -m pypi_attestations sign` would, in the same job."""
    from datetime import UTC, datetime

    from release.adapters.builds import builder
    from release.core.models.oidc_identity import parse_identity
    from release.core.secret import Secret

    identity = parse_identity(
        Secret(on.pypi.identity_provider.token("sigstore", datetime.now(UTC))), "GitHub", "sigstore"
    )
    made = sigstore.sign_files(
        [builder.load_distribution(path)], sigstore.Sigstore(config=trust / "trust.json"), identity
    )
    data = json.dumps(json.loads(made[path.name]))
    path.with_name(f"{path.name}.publish.attestation").write_text(data, encoding="utf-8")
