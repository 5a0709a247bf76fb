"""The tools that people use, over TLS, unchanged: uploads, installs, trusted publishing, attestations."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from release.adapters.builds import builder
from release.adapters.index import simple_api, token_probes
from release.adapters.oidc.provider import request_identity
from release.adapters.sigstore import Sigstore, sign_files
from release.adapters.system.system import real_system
from release.adapters.twine.twine_process import UploadLimits
from release.core.errors import UnreachableError
from release.core.models.oidc_identity import OidcIdentity, parse_identity
from release.core.secret import Secret
from release.sandbox.oidc_exchange import TOKEN_ISSUED, TOKEN_REVOKED
from tests.adapters import fake_sigstore
from tests.patience import PATIENCE
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name
from tests.sandbox.real_clients import run_module
from tests.sandbox.sandbox_client import SandboxClient, sandbox_client
from tests.uploads import Clock, Engine, Pool, closing, release

REPOSITORY = {"repository": "octo/widget", "workflow": "release.yml", "environment": "pypi"}
WORLD = {
    "publishers": [{"name": "widget", "projects": ["acme-widget"], **REPOSITORY}],
    "job": REPOSITORY,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine that trusts the sandbox, and a project of which each test releases another version."""

    pypi: SandboxClient
    path: Path
    #: what the sandbox trusts, and who may sign
    sigstore: Sigstore
    signer: OidcIdentity

    @property
    def trust(self) -> dict[str, str]:
        return dict(self.pypi.sandbox.ca_environment)

    def files(self, version: str) -> list[str]:
        dist = self.path / version
        dist.mkdir()
        (dist / wheel_name(version=version)).write_bytes(wheel(version=version))
        (dist / sdist_name(version=version)).write_bytes(sdist(version=version))
        return sorted(str(path) for path in dist.iterdir())

    def sign(self, path: str) -> str:
        """Write an attestation next to a file, where uv finds it; returns its path."""
        ((name, attestation),) = sign_files([builder.load_distribution(Path(path))], self.sigstore, self.signer).items()
        signed = Path(path).with_name(f"{name}.publish.attestation")
        signed.write_text(attestation, encoding="utf-8")
        return str(signed)

    def run(self, *argv: str, **env: str) -> str:
        status, told = run_module(*argv, env=self.trust | env, home=self.path)
        assert status == 0, told
        return told

    def requests_since(self, count: int) -> list[tuple[str, str, int | None, str | None]]:
        return [(one.method, one.path, one.status, one.username) for one in self.pypi.sandbox.log[count:]]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    path = tmp_path_factory.mktemp("machine")
    with fake_sigstore.running() as service:
        trust = Sigstore(config=service.write(path))
        identity = parse_identity(Secret(fake_sigstore.id_token(service.claims, "sigstore")), "GitHub", "sigstore")
        with sandbox_client(WORLD | {"sigstore": str(trust.config)}, tls=True) as pypi:
            yield Machine(pypi=pypi, path=path, sigstore=trust, signer=identity)


def test_twine_uploads_and_pip_installs(machine: Machine) -> None:
    where = machine.pypi.sandbox
    words = ("twine", "upload", "--non-interactive", "--disable-progress-bar", "--repository-url", where.upload_url)
    machine.run(*words, *machine.files("1.0"), TWINE_USERNAME="__token__", TWINE_PASSWORD=machine.pypi.token())
    words = ("pip", "install", "--no-deps", "--no-cache-dir", "--index-url", where.simple_url)
    machine.run(*words, "--target", str(machine.path / "by-pip"), "acme-widget==1.0")
    assert (machine.path / "by-pip" / "acme_widget.py").read_text(encoding="utf-8") == '__version__ = "1.0"\n'


def test_uv_publishes_as_a_trusted_publisher_burns_the_token_and_installs(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    where, before = machine.pypi.sandbox, len(machine.pypi.sandbox.log)
    files = machine.files("2.0")
    signed = machine.sign(next(path for path in files if path.endswith(".whl")))
    words = ("uv", "publish", "--no-config", "--trusted-publishing", "always", "--publish-url", where.upload_url)
    machine.run(*words, *files, signed, **where.ambient)
    upload = ("POST", "/legacy/", 200, "widget")
    assert machine.requests_since(before) == [
        ("GET", "/_/oidc/audience", 200, None),
        ("GET", "/+issuer/token", 200, None),
        ("POST", "/_/oidc/mint-token", 200, None),
        upload,
        upload,
        ("POST", "/_/oidc/burn-token", 202, None),
    ]
    assert where.history("acme-widget")[-2:] == [TOKEN_ISSUED, TOKEN_REVOKED]
    target = machine.path / "by-uv"
    machine.run(
        "uv", "pip", "install", "--no-config", "--no-deps", "--cache-dir", str(machine.path / "cache"), "--python",
        sys.executable, "--index-url", where.simple_url, "--target", str(target), "acme-widget==2.0",
    )  # fmt: skip
    assert (target / "acme_widget.py").read_text(encoding="utf-8") == '__version__ = "2.0"\n'
    with caplog.at_level(logging.INFO):
        verify_with_pypi_attestations(machine, wheel_name(version="2.0"))
    assert f"OK: {wheel_name(version='2.0')}" in caplog.text


def verify_with_pypi_attestations(machine: Machine, name: str) -> None:
    """Run its command, which asks PyPI alone for the provenance or reads a file; only Sigstore's keys are replaced."""
    from pypi_attestations import _cli
    from sigstore.models import ClientTrustConfig
    from sigstore.verify import Verifier

    provenance = machine.pypi.ask("GET", f"/integrity/acme-widget/2.0/{name}/provenance")
    assert provenance.line == "200 OK"
    (machine.path / "provenance.json").write_bytes(provenance.body)
    trusted = ClientTrustConfig.from_json(Path(machine.sigstore.config or "").read_text(encoding="utf-8"))
    words = ["verify", "pypi", "--offline", "--provenance-file", str(machine.path / "provenance.json")]
    words += ["--repository", "https://github.com/octo/widget", str(machine.path / "2.0" / name)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Verifier, "production", lambda **_: Verifier(trusted_root=trusted.trusted_root))
        patch.setattr(sys, "argv", ["pypi-attestations", *words])
        _cli.main()


def test_the_requests_of_the_publishing_action(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `oidc-exchange.py` of pypa/gh-action-pypi-publish sends.

    It uses host and port of the repository's URL, with https. It requests the audience with GET and an identity as
    `id` does, and posts that as JSON to the exchange for GitHub. Of a refusal it shows `code` and `description` of
    each of the `errors`. It does not burn the token. Source: its commit b7f401d.
    """
    where = machine.pypi.sandbox
    for name, value in (machine.trust | where.ambient).items():
        monkeypatch.setenv(name, value)
    site = f"https://{urlsplit(where.upload_url).netloc}"
    audience = requests.get(f"{site}/_/oidc/audience", timeout=PATIENCE)
    assert audience.ok
    assert audience.json() == {"audience": "pypi"}
    requested = request_identity(real_system(), "pypi")
    assert requested is not None
    identity = requested.token.reveal()
    for path in ("github/mint-token", "mint-token"):
        minted = requests.post(f"{site}/_/oidc/{path}", json={"token": identity}, timeout=PATIENCE)
        if path == "github/mint-token":
            assert minted.ok
            assert minted.json()["token"].startswith("pypi-")
    assert (minted.status_code, [set(one) for one in minted.json()["errors"]]) == (422, [{"code", "description"}])
    assert minted.json()["errors"][0]["code"] == "invalid-reuse-token"


def test_this_program_uploads_reads_and_asks(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in machine.trust.items():
        monkeypatch.setenv(name, value)
    where = machine.pypi.sandbox
    with closing(Pool(UploadLimits())) as pool:
        files = release(machine.path / "3.0", 2, version="3.0")
        sent = Engine(sandbox=where, directory=machine.path / "journal", pool=pool, clock=Clock()).run(files)
    assert sent.error is None
    listing = simple_api.fetch_listing(where.index(), "acme-widget")
    assert listing is not None
    found = {file.filename: file for file in listing.files}
    for file in files:
        assert found[file.filename].url.startswith("https://")
        assert simple_api.download_file(found[file.filename], machine.path).path.read_bytes() == file.path.read_bytes()
    token, now = where.tokens["account"], datetime.now(UTC)
    asked = token_probes.probe_permission(where.index(), token, name="acme-widget", version="3.0", now=now)
    assert asked.status == 400  # the permission is checked before the file, which a probe does not have


def test_this_program_names_the_certificates_where_it_does_not_trust_them(machine: Machine) -> None:
    with pytest.raises(UnreachableError) as caught:
        simple_api.fetch_listing(machine.pypi.sandbox.index(), "acme-widget", retries=0)
    assert "REQUESTS_CA_BUNDLE" in (caught.value.remedy or "")
