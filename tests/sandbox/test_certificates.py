"""The sandbox over TLS: its certificates, who trusts them, and what connections do."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from release.core.errors import UsageError
from release.sandbox import server
from release.sandbox.certificates import issue_certificates, temporary_certificates
from release.sandbox.faults import Drop, DropMode, Fault, RequestFilter
from tests.patience import PATIENCE, wait_until
from tests.sandbox.sandbox_client import SandboxClient, sandbox_client


@pytest.fixture(name="pypi", scope="module")
def _pypi() -> Iterator[SandboxClient]:
    with sandbox_client(tls=True) as running:
        yield running


def trusting(pypi: SandboxClient) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pypi.sandbox.ca_file))


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_run_speaks_https(pypi: SandboxClient, host: str) -> None:
    assert urlsplit(pypi.site).scheme == "https"
    port = urlsplit(pypi.site).port
    with requests.Session() as session:
        session.trust_env, session.verify = False, pypi.sandbox.ca_environment["REQUESTS_CA_BUNDLE"]
        for _ in range(2):
            answer = session.get(f"https://{host}:{port}/simple/", timeout=PATIENCE)
            assert answer.status_code == 200
        assert session.get(f"https://{host}:{port}/").text.count(f"https://{host}:{port}/") == 2


def test_the_certificate_is_for_the_third_name_too(pypi: SandboxClient) -> None:
    where = urlsplit(pypi.site)
    with socket.create_connection((where.hostname or "", where.port or 0)) as plug:
        context = trusting(pypi)
        context.verify_flags |= ssl.VERIFY_X509_STRICT  # what CPython 3.13 does by itself
        with context.wrap_socket(plug, server_hostname="::1") as secured:
            assert secured.version() == "TLSv1.3"
            assert secured.selected_alpn_protocol() is None


def test_other_clients_refuse_it_and_others_names_too(pypi: SandboxClient) -> None:
    with pytest.raises(requests.exceptions.SSLError, match="certificate verify failed"):
        requests.get(pypi.site, timeout=PATIENCE, verify=DEFAULT_CA_BUNDLE_PATH)
    where = urlsplit(pypi.site)
    with (
        socket.create_connection((where.hostname or "", where.port or 0)) as plug,
        pytest.raises(ssl.SSLCertVerificationError, match=r"(?i)hostname mismatch"),
    ):
        trusting(pypi).wrap_socket(plug, server_hostname="elsewhere.invalid")
    assert not any(one.status == 500 for one in pypi.sandbox.log)


def test_plain_http_is_refused_at_once(pypi: SandboxClient) -> None:
    answer = requests.post(pypi.site.replace("https:", "http:") + "/legacy/", data=b"x" * 300_000, timeout=PATIENCE)
    assert (answer.status_code, answer.reason) == (400, "This port speaks HTTPS")


def test_a_silent_client_delays_no_other(pypi: SandboxClient) -> None:
    where = urlsplit(pypi.site)
    with socket.create_connection((where.hostname or "", where.port or 0)):
        assert requests.get(pypi.site, timeout=PATIENCE, verify=str(pypi.sandbox.ca_file)).status_code == 200


ERRORS = {"close": requests.ConnectionError, "reset": requests.ConnectionError, "garbage": requests.ConnectionError}


@pytest.mark.parametrize("how", ERRORS)
def test_a_fault_breaks_such_a_connection_as_others(pypi: SandboxClient, how: DropMode) -> None:
    pypi.sandbox.inject(Fault(what=Drop(at="after-work", how=how), when=RequestFilter(method="GET")))
    try:
        with pytest.raises(ERRORS[how]) as caught:
            requests.get(pypi.site, timeout=PATIENCE, verify=str(pypi.sandbox.ca_file))
        assert not isinstance(caught.value, requests.exceptions.SSLError) or how == "close"
    finally:
        pypi.sandbox.clear_faults()


def test_a_client_that_gives_up_ends_a_fault_that_hangs(pypi: SandboxClient) -> None:
    before = threading.active_count()
    pypi.sandbox.inject(Fault(what=Drop(at="before-body", how="hang"), when=RequestFilter(method="POST")))
    try:
        with pytest.raises(requests.ReadTimeout):
            requests.post(pypi.site, data=b"x" * 1000, timeout=(PATIENCE, 0.1), verify=str(pypi.sandbox.ca_file))
        assert wait_until(lambda: threading.active_count() <= before)
    finally:
        pypi.sandbox.clear_faults()


def test_closing_ends_what_is_idle_half_way_or_without_a_handshake() -> None:
    others = set(threading.enumerate())
    sandbox = server.start_sandbox(tls=True)
    where = urlsplit(sandbox.simple_url)
    idle = http.client.HTTPSConnection(where.netloc, context=trusting(SandboxClient(sandbox=sandbox)), timeout=PATIENCE)
    idle.request("GET", "/simple/")
    assert idle.getresponse().read()
    with socket.create_connection((where.hostname or "", where.port or 0)) as silent:
        silent.sendall(b"\x16\x03")
        time.sleep(0.05)
        sandbox.close()
        assert not [one for one in set(threading.enumerate()) - others if one.name.startswith("sandbox ")]
    assert idle.sock.recv(1) == b""
    idle.close()


def test_each_variable_names_what_it_named_and_the_authority(tmp_path: Path) -> None:
    own = tmp_path / "company.pem"
    own.write_text("company\n")
    hashed = tmp_path / "certs"
    hashed.mkdir()
    (hashed / "0a1b2c3d.0").write_text("hashed\n")
    (hashed / "readme").write_text("no certificate\n")
    environ = {
        "PIP_CERT": str(own), "TWINE_CERT": str(own), "CURL_CA_BUNDLE": str(hashed), "NODE_EXTRA_CA_CERTS": str(own),
        "GIT_SSL_CAINFO": str(tmp_path / "missing.pem"),
    }  # fmt: skip
    made = issue_certificates(tmp_path, environ)
    ca = made.ca_file.read_text()
    found = {name: Path(path).read_text(encoding="utf-8") for name, path in made.environment.items()}
    assert all(text.endswith(ca) for text in found.values())
    assert {name for name, text in found.items() if text.startswith("company\n")} == {
        "PIP_CERT", "TWINE_CERT", "NODE_EXTRA_CA_CERTS"
    }  # fmt: skip
    assert found["CURL_CA_BUNDLE"].startswith("hashed\n")
    assert "no certificate" not in found["CURL_CA_BUNDLE"]
    usual = Path(DEFAULT_CA_BUNDLE_PATH).read_text(encoding="utf-8")
    assert {name for name, text in found.items() if text.startswith(usual)} == {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
    assert found["GIT_SSL_CAINFO"] == ca
    alone = issue_certificates(tmp_path, {}).environment
    assert "TWINE_CERT" not in alone  # it would win over what REQUESTS_CA_BUNDLE is for twine
    assert Path(alone["NODE_EXTRA_CA_CERTS"]).name == "ca.pem"


def test_the_private_key_is_in_no_file_and_all_files_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[int, int]] = []

    class Watched(ssl.SSLContext):
        def load_cert_chain(self, certfile: str) -> None:  # type: ignore[override] # as it is called
            file = Path(certfile)
            loaded.append((stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)))
            super().load_cert_chain(certfile)

    monkeypatch.setattr(ssl, "SSLContext", Watched)
    with server.start_sandbox(tls=True) as sandbox:
        assert sandbox.ca_file is not None
        directory = sandbox.ca_file.parent
        assert not [path for path in directory.iterdir() if b"PRIVATE" in path.read_bytes()]
        assert str(directory) not in str(sandbox._store.incoming)
    assert not directory.exists()
    assert loaded == [(0o600, 0o700)] or os.name == "nt"


def test_without_trustme_the_remedy_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(UsageError, match="needs the package 'trustme'") as caught:
        server.start_sandbox(tls=True)
    assert "python -m pip install 'pypi-preflight[tls]'" in str(caught.value.remedy)


def test_without_tls_there_is_nothing_to_trust() -> None:
    with server.start_sandbox() as sandbox:
        assert (sandbox.ca_file, dict(sandbox.ca_environment)) == (None, {})
        assert sandbox.upload_url.startswith("http://")


#: headers of a reverse proxy → the address in the index's answers, where `{own}` is host and port of the request
FORWARDED = {
    "none": ({}, "https://{own}"),
    "scheme": ({"X-Forwarded-Proto": "http"}, "http://{own}"),
    "host": ({"X-Forwarded-Host": "index.example"}, "https://index.example"),
    "host and its port": ({"X-Forwarded-Host": "index.example:8443"}, "https://index.example:8443"),
    "port": ({"X-Forwarded-Host": "index.example", "X-Forwarded-Port": "8443"}, "https://index.example:8443"),
    "usual port": ({"X-Forwarded-Host": "index.example", "X-Forwarded-Port": "443"}, "https://index.example"),
    "two proxies": ({"X-Forwarded-Host": "outer.example, index.example"}, "https://index.example"),
    "no such header": ({"Forwarded": "host=index.example"}, "https://{own}"),
}


@pytest.mark.parametrize("row", FORWARDED)
def test_addresses_are_those_of_the_proxy_in_front(pypi: SandboxClient, row: str) -> None:
    headers, expected = FORWARDED[row]
    site = expected.format(own=urlsplit(pypi.site).netloc)
    assert pypi.upload().status == 200
    page = pypi.ask("GET", "/simple/acme-widget/", headers=headers).body.decode()
    assert f'href="{site}/packages/' in page
    moved = pypi.ask("POST", "/legacy", headers=headers)
    if headers.get("X-Forwarded-Proto") == "http":
        assert moved.line == "403 SSL is required"
    else:
        assert moved.headers["Location"] == f"{site}/legacy/"


def test_the_command_prints_what_makes_curl_and_python_trust_it(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pypi_preflight", "sandbox", "--tls"]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        told = json.loads(child.stdout.readline())
        assert told["upload_url"].startswith("https://")
        assert told["ambient"]["ACTIONS_ID_TOKEN_REQUEST_URL"].startswith("https://")
        assert Path(told["ca_file"]).is_file()
        code = f"import urllib.request; print(urllib.request.urlopen({told['simple_url']!r}).status)"
        env = os.environ | told["ca_environment"]
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        assert done.stdout == "200\n"
    finally:
        child.terminate()
        child.communicate(timeout=PATIENCE)
    assert child.returncode == 0 or os.name == "nt"
    assert not Path(told["ca_file"]).exists()


def test_several_sandboxes_share_certificates_that_outlive_each() -> None:
    with temporary_certificates() as certificates:
        with sandbox_client(tls=certificates) as one, sandbox_client(tls=certificates) as other:
            assert one.sandbox.ca_environment == other.sandbox.ca_environment == certificates.environment
            assert one.ask("GET", "/").status == other.ask("GET", "/").status == 200
        assert certificates.ca_file.is_file()
    assert not certificates.ca_file.exists()
