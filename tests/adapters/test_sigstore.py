"""Attestations are made, verified, and refused where they do not hold; against a Sigstore on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

pytest.importorskip("pypi_attestations")

from release.adapters import sigstore
from release.adapters.builds import builder
from release.adapters.sigstore import InvalidAttestationError, NotSignedError, Sigstore
from release.core.models.attestation import PUBLISH, AttestationPublisher
from release.core.models.distribution import Distribution
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.oidc_identity import OidcIdentity, parse_identity
from release.core.secret import Secret
from tests.adapters import fake_sigstore
from tests.adapters.fake_sigstore import CLAIMS, id_token
from tests.adapters.loopback_server import loopback_server
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name

US = AttestationPublisher(
    kind="GitHub", details=(("environment", "pypi"), ("repository", "octo/widget"), ("workflow", "release.yml"))
)


@pytest.fixture
def service() -> Iterator[fake_sigstore.Sigstore]:
    with fake_sigstore.running() as made:
        yield made


def files(directory: Path) -> list[Distribution]:
    (directory / wheel_name()).write_bytes(wheel())
    (directory / sdist_name()).write_bytes(sdist())
    return [builder.load_distribution(directory / name) for name in (sdist_name(), wheel_name())]


def signed(
    service: fake_sigstore.Sigstore, found: list[Distribution], directory: Path, **claims: str
) -> tuple[dict[str, str], Sigstore]:
    trust = Sigstore(config=service.write(directory))
    return sigstore.sign_files(found, trust, identity(service.claims | claims)), trust


def identity(claims: Mapping[str, Any]) -> OidcIdentity:
    return parse_identity(Secret(id_token(claims, sigstore.AUDIENCE)), "GitHub", sigstore.AUDIENCE)


def test_each_file_gets_an_attestation_that_holds(tmp_path: Path, service: fake_sigstore.Sigstore) -> None:
    found = files(tmp_path)
    made, trust = signed(service, found, tmp_path)
    for file in found:
        assert sigstore.verify_attestation(made[file.filename], US, file.filename, file.sha256, trust) == PUBLISH
    assert service.asked.count("/api/v2/signingCert") == 1, "one certificate is enough for all files"
    assert not list(tmp_path.glob("*.attestation")), "nothing is left beside the files"


@pytest.mark.parametrize(
    ("publisher", "changed", "reason"),
    [
        (US, {"sha256": "0" * 64}, "subject does not match distribution digest"),
        (US, {"filename": wheel_name(version="1.1")}, "subject does not match distribution name"),
        (replace(US, details=(("repository", "octo/other"), ("workflow", "release.yml"))), {}, "octo/other"),
        (replace(US, details=(("repository", "octo/widget"), ("workflow", "x.yml"))), {}, "Build Config URI"),
        (
            AttestationPublisher(kind="GitLab", details=(("repository", "a/b"), ("workflow_filepath", "c"))),
            {},
            "gitlab",
        ),
        (AttestationPublisher(kind="ActiveState", details=()), {}, "ActiveState"),
    ],
    ids=["other bytes", "other name", "other repository", "other workflow", "other service", "no such kind"],
)
def test_an_attestation_holds_for_these_bytes_of_this_publisher_alone(
    tmp_path: Path,
    service: fake_sigstore.Sigstore,
    publisher: AttestationPublisher,
    changed: dict[str, str],
    reason: str,
) -> None:
    found = files(tmp_path)
    made, trust = signed(service, found, tmp_path)
    file = found[1]
    asked = {"filename": file.filename, "sha256": file.sha256}
    with pytest.raises(InvalidAttestationError, match=reason) as caught:
        sigstore.verify_attestation(made[file.filename], publisher, **(asked | changed), sigstore=trust)
    assert caught.value.remedy


def test_what_another_authority_signed_is_not_believed(tmp_path: Path, service: fake_sigstore.Sigstore) -> None:
    found = files(tmp_path)
    made, _ = signed(service, found, tmp_path)
    with fake_sigstore.running() as other:
        trust = Sigstore(config=other.write(tmp_path))
    for trusted in (trust, Sigstore(config=None)):
        offline = sigstore._trust(trusted) if trusted.config else _public()
        with pytest.raises(InvalidAttestationError):
            sigstore.verify_attestation(made[wheel_name()], US, wheel_name(), found[1].sha256, trusted, trusted=offline)


def _public() -> object:
    """The public root, as it comes with the library: no test asks the network for a newer one."""
    from sigstore.models import ClientTrustConfig

    sigstore.silence_loggers()
    return ClientTrustConfig.production(offline=True)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 1}', "\0"])
def test_what_is_no_attestation_is_not_believed(tmp_path: Path, service: fake_sigstore.Sigstore, text: str) -> None:
    with pytest.raises(InvalidAttestationError):
        sigstore.verify_attestation(text, US, wheel_name(), "0" * 64, Sigstore(config=service.write(tmp_path)))


def test_a_statement_that_was_changed_after_it_was_signed_is_not_believed(
    tmp_path: Path, service: fake_sigstore.Sigstore
) -> None:
    found = files(tmp_path)
    made, trust = signed(service, found, tmp_path)
    one, other = (json.loads(made[file.filename]) for file in found)
    one["envelope"]["statement"] = other["envelope"]["statement"]
    with pytest.raises(InvalidAttestationError, match="ignature"):
        sigstore.verify_attestation(json.dumps(one), US, found[1].filename, found[1].sha256, trust)


def test_a_reusable_workflow_is_found_out_before_the_upload(tmp_path: Path, service: fake_sigstore.Sigstore) -> None:
    shared = "octo/widget/.github/workflows/shared.yml@refs/tags/v1.0"
    with pytest.raises(NotSignedError, match="Build Config URI") as caught:
        signed(service, files(tmp_path), tmp_path, job_workflow_ref=shared)
    assert "reusable" in caught.value.remedy


@pytest.mark.parametrize(
    ("iss", "who"),
    [
        ("https://platform.activestate.com/api/v1/oauth/oidc", "issued by 'https://platform.activestate"),
        ("https://oidc.circleci.com", "issued by 'https://oidc.circleci"),
        ("https://github.example.org", "issued by 'https://github.example"),
    ],
)
def test_an_identity_that_pypi_takes_no_attestations_of_is_named(tmp_path: Path, iss: str, who: str) -> None:
    with pytest.raises(NotSignedError, match=who):
        sigstore.sign_files(files(tmp_path), Sigstore(config=None), identity(CLAIMS | {"iss": iss}))


@pytest.mark.parametrize("path", ["/api/v2/signingCert", "/api/v1/log/entries"])
def test_a_sigstore_that_is_down_is_said(tmp_path: Path, service: fake_sigstore.Sigstore, path: str) -> None:
    service.broken[path] = 503
    with pytest.raises(NotSignedError, match=r"'127\.0\.0\.1' answers 503"):
        signed(service, files(tmp_path), tmp_path)


def test_a_sigstore_that_is_not_there_is_said(tmp_path: Path) -> None:
    with fake_sigstore.running() as service:
        trust = Sigstore(config=service.write(tmp_path))
    with pytest.raises(NotSignedError, match=r"connection to '127\.0\.0\.1' was refused"):
        sigstore.sign_files(files(tmp_path), trust, identity(CLAIMS))


def test_a_sigstore_that_never_answers_is_not_waited_for(tmp_path: Path) -> None:
    with loopback_server(lambda _: time.sleep(30)) as silent, fake_sigstore.running() as service:
        service.url = silent.url.rstrip("/")
        trust = Sigstore(config=service.write(tmp_path))
        with pytest.raises(NotSignedError, match="did not return a signature within 1 seconds") as caught:
            sigstore.sign_files(files(tmp_path)[:1], trust, identity(CLAIMS), limit=0.4)
    assert "attest = false" in caught.value.remedy


def test_without_the_extra_it_is_said_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sigstore, "find_spec", lambda _: None)
    with pytest.raises(NotSignedError, match="the extra 'attest' is not installed") as caught:
        sigstore.sign_files(files(tmp_path), Sigstore(config=None), identity(CLAIMS))
    assert "pypi-preflight[attest]" in caught.value.remedy


@pytest.mark.parametrize("index", [PYPI, TESTPYPI])
def test_for_pypi_itself_the_public_sigstore_is_trusted_alone(index: Index) -> None:
    env = {sigstore.TRUST_CONFIG_VARIABLE: "trust.json"}
    assert sigstore.sigstore_for(index, env).config is None
    mine = Index(name="pypi", upload_url="http://127.0.0.1:1/legacy/", simple_url="http://127.0.0.1:1/simple/")
    assert sigstore.sigstore_for(mine, env).config == Path("trust.json")
