"""Uploads that fail, with real uploaders in environments of their own; what each prints is its output.

`record` is how `uploader-outputs.json` was made: python -m tests.diagnostics.uploaders DIRECTORY
"""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from release.core.models.index import PYPI, TESTPYPI, USER_DOCS, host_of
from release.core.tokens import macaroon
from release.sandbox import server
from release.sandbox.faults import CannedResponse, Drop, Fault, RequestFilter
from release.sandbox.seed import ApiToken, SeedData, SeedProject, User
from tests import sample_distributions
from tests.adapters.loopback_server import Handler, closed_port, loopback_server

#: environment → what is installed into it
ENVIRONMENTS: Mapping[str, Sequence[str]] = {
    "twine": ("twine==7.0.0",),
    "twine-6": ("twine>=6.2,<7",),
    "twine-5": ("twine>=5.1,<6",),
    "uv": ("uv==0.13.9",),
    "hatch": ("hatch==1.18.2",),
    "flit": ("flit==4.2.0",),
    "poetry": ("poetry==2.5.1",),
    "pdm": ("pdm==2.29.4", "hishel<2"),
    "maturin": ("maturin==1.16.0",),
    "setuptools": ("setuptools<70", "wheel"),
}
#: what the tests make anew
TESTED = ("twine", "uv", "hatch", "flit", "poetry")
SEED = SeedData(
    users=(User(name="alice"), User(name="bob", email_verified=False), User(name="carol", two_factor=False)),
    projects=(SeedProject(name="acme-widget", owners=("alice",), maintainers=("bob", "carol")),),
    tokens=(
        ApiToken(name="account", user="alice"),
        ApiToken(name="revoked", user="alice", revoked=True),
        ApiToken(name="forged", user="alice", forged=True),
        ApiToken(name="expired", user="alice", expires=1_600_000_000),
        ApiToken(name="unverified", user="bob"),
    ),
)
PYPROJECT = """\
[project]
name = "acme-widget"
version = "1.0"
description = "A widget."
requires-python = ">=3.11"

[build-system]
requires = ["flit_core>=3.11"]
build-backend = "flit_core.buildapi"
"""
#: what the answer to a credential that the index does not know can mean
UNKNOWN_TOKEN = (
    "cred.revoked", "cred.truncated", "cred.placeholder", "cred.wrong-index", "cred.prefix-missing",
    "account.disabled", "cred.leaked-auto-revoked", "cred.malformed",
)  # fmt: skip
#: poetry uploads without a credential, and does not show it
UNSENT = {"poetry": UNKNOWN_TOKEN}
#: tools that build what they upload
BUILDERS = ("flit", "setuptools")
#: tools that do not use a keyring unless they are told to
WITHOUT_KEYRING = ("uv", "pdm", "maturin", "setuptools")
#: tools that follow the redirect of an upload
FOLLOWING = ("uv", "poetry", "flit")
OLD_FORM = {"setuptools": ("upload.malformed",)}


@dataclass(kw_only=True)
class Attempt:
    """One upload that is about to fail."""

    #: where the tools are installed
    bin: Path
    #: an empty directory
    root: Path
    url: str
    password: str | None = None
    username: str | None = "__token__"
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(
        default_factory=lambda: {sample_distributions.wheel_name(): sample_distributions.wheel()}
    )
    repository: str | None = None

    def run(self, tool: str) -> str:
        """What the tool prints."""
        (self.root / "home").mkdir(parents=True)
        (self.root / "dist").mkdir()
        for name, content in self.files.items():
            (self.root / "dist" / name).write_bytes(content)
        (self.root / "pyproject.toml").write_text(PYPROJECT, encoding="utf-8")
        (self.root / "acme_widget.py").write_text('"""A widget."""\n__version__ = "1.0"\n', encoding="utf-8")
        (self.root / "setup.py").write_text(
            "from setuptools import setup\nsetup(name='acme-widget', version='1.0', py_modules=['acme_widget'])\n",
            encoding="utf-8",
        )
        command, env = COMMANDS[tool.partition("-")[0]](self)
        base = {
            "PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(self.root / "home"), "LANG": "C.UTF-8",
            "COLUMNS": "80", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        done = subprocess.run(
            command, cwd=self.root, env=base | env | self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=300, check=False,
        )  # fmt: skip
        return done.stdout.decode("utf-8", "replace")

    def given(self, **names: str) -> dict[str, str]:
        """The variables that hold username, password and address, by what they are."""
        values = {"username": self.username, "password": self.password, "url": self.url}
        return {variable: value for kind, variable in names.items() if (value := values[kind]) is not None}


Command = tuple[list[str], dict[str, str]]


def _twine(attempt: Attempt) -> Command:
    words = ["twine", "upload", "--non-interactive", "--disable-progress-bar"]
    words += ["--repository", attempt.repository] if attempt.repository else ["--repository-url", attempt.url]
    return [*words, "dist/*"], attempt.given(username="TWINE_USERNAME", password="TWINE_PASSWORD")


def _uv(attempt: Attempt) -> Command:
    words = ["uv", "publish", "--no-config", "--no-progress"]
    words += ["--index", attempt.repository] if attempt.repository else ["--publish-url", attempt.url]
    given = attempt.given(username="UV_PUBLISH_USERNAME", password="UV_PUBLISH_PASSWORD")
    return [*words, "--cache-dir", str(attempt.root / "cache")], given if attempt.password is not None else {}


def _hatch(attempt: Attempt) -> Command:
    where = attempt.repository or attempt.url
    return ["hatch", "publish", "-n", "-r", where], attempt.given(
        username="HATCH_INDEX_USER", password="HATCH_INDEX_AUTH"
    )


def _flit(attempt: Attempt) -> Command:
    words = [
        "flit",
        "publish",
        "--format",
        "wheel",
        *(["--repository", attempt.repository] if attempt.repository else []),
    ]
    where = {} if attempt.repository else {"url": "FLIT_INDEX_URL"}
    return words, attempt.given(username="FLIT_USERNAME", password="FLIT_PASSWORD", **where)


def _poetry(attempt: Attempt) -> Command:
    where = {"POETRY_REPOSITORIES_ACME_URL": attempt.url, "POETRY_CACHE_DIR": str(attempt.root / "cache")}
    given = attempt.given(username="POETRY_HTTP_BASIC_ACME_USERNAME", password="POETRY_HTTP_BASIC_ACME_PASSWORD")
    given = given if attempt.password is not None else {}
    return ["poetry", "publish", "-n", "-r", attempt.repository or "acme"], where | given


def _pdm(attempt: Attempt) -> Command:
    words = ["pdm", "publish", "--no-build", "-r", attempt.repository or attempt.url]
    return words, attempt.given(username="PDM_PUBLISH_USERNAME", password="PDM_PUBLISH_PASSWORD")


def _maturin(attempt: Attempt) -> Command:
    files = [f"dist/{name}" for name in attempt.files]
    words = ["maturin", "upload", "--non-interactive"]
    words += ["-r", attempt.repository] if attempt.repository else ["--repository-url", attempt.url]
    return [*words, *files], attempt.given(username="MATURIN_USERNAME", password="MATURIN_PASSWORD")


def _setuptools(attempt: Attempt) -> Command:
    password = f"password = {attempt.password}\n" if attempt.password is not None else ""
    (attempt.root / "home" / ".pypirc").write_text(
        f"[distutils]\nindex-servers = acme\n[acme]\nrepository = {attempt.url}\n"
        f"username = {attempt.username}\n{password}",
        encoding="utf-8",
    )
    return ["python", "setup.py", "-q", "sdist", "upload", "-r", attempt.repository or "acme"], {}


COMMANDS: Mapping[str, Callable[[Attempt], Command]] = {
    "twine": _twine, "uv": _uv, "hatch": _hatch, "flit": _flit, "poetry": _poetry, "pdm": _pdm, "maturin": _maturin,
    "setuptools": _setuptools,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Servers:
    """What answers, or does not."""

    sandbox: server.Sandbox
    #: proxies: one that asks for a password
    asking_proxy: str
    #: https:// with a certificate of nobody's
    self_signed: str

    def token(self, name: str) -> str:
        return self.sandbox.tokens[name].reveal()


@contextmanager
def servers(directory: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(server.start_sandbox(SEED))
        proxy = stack.enter_context(loopback_server(lambda handler: handler.reply(407, Proxy_Authenticate="Basic")))
        signed = stack.enter_context(loopback_server(lambda handler: handler.reply(200)))
        certificate = _certificate(directory)
        signed_url = stack.enter_context(_tls(certificate))
        del signed
        yield Servers(sandbox=sandbox, asking_proxy=proxy.url.rstrip("/"), self_signed=signed_url)


def _certificate(directory: Path) -> Path:
    path = directory / "self-signed.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(words, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@contextmanager
def _tls(certificate: Path) -> Iterator[str]:
    import threading
    from http.server import ThreadingHTTPServer

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that refuses the certificate."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    running = Quiet(("127.0.0.1", 0), Handler)
    running.socket = context.wrap_socket(running.socket, server_side=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"https://127.0.0.1:{running.server_address[1]}/legacy/"
    finally:
        running.shutdown()
        running.server_close()


def _damaged(value: str) -> str:
    return value[:-20]


def _foreign() -> str:
    return macaroon.to_text(
        macaroon.create_macaroon("test.pypi.org", b"6f1ed8ab-7c2c-4a0c-9d3e-111111111111", b"k" * 32)
    )


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is wrong, and the causes that are right; none: the output does not show it."""

    prepare: Callable[[Servers, Attempt], None]
    causes: tuple[str, ...]
    #: for tools whose output shows another one
    but: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: tools for which it cannot arise
    skip: tuple[str, ...] = ()
    #: of the sandbox, for all uploads
    fault: CannedResponse | Drop | None = None

    def expected(self, tool: str) -> tuple[str, ...]:
        """The causes that are right for what a tool prints."""
        return self.but.get(tool.partition("-")[0], self.causes)


def _set(**values: object) -> Callable[[Servers, Attempt], None]:
    def prepare(_: Servers, attempt: Attempt) -> None:
        for name, value in values.items():
            setattr(attempt, name, value)

    return prepare


def _with(change: Callable[[Servers], Mapping[str, object]]) -> Callable[[Servers, Attempt], None]:
    return lambda running, attempt: _set(**change(running))(running, attempt)


UNREACHABLE = {"poetry": ("net.dns-offline", "net.tls", "net.proxy", "net.timeout-reset")}
WRONG_FIELD = sample_distributions.wheel(metadata_extra="Classifier: Topic :: Widgets\n")
LOCAL = {sample_distributions.wheel_name(version="1.0+gabc"): sample_distributions.wheel(version="1.0+gabc")}
LOGIN = "<!DOCTYPE html>\n<html><head><title>Log in</title></head><body><form>Please log in</form></body></html>\n"
SCENARIOS: Mapping[str, Scenario] = {
    "no-credentials": Scenario(prepare=_set(username=None), causes=("cred.missing",), but=UNSENT),
    "username-alone": Scenario(prepare=_set(), causes=("cred.missing",), but=UNSENT),
    "password-alone": Scenario(
        prepare=_with(lambda running: {"username": None, "password": running.token("account")}),
        causes=("cred.missing",),
        but=UNSENT | {"pdm": ()},
        skip=("setuptools",),
    ),
    "empty-password": Scenario(prepare=_set(password=""), causes=("cred.env-empty", "cred.missing", *UNKNOWN_TOKEN)),
    "revoked": Scenario(prepare=_with(lambda running: {"password": running.token("revoked")}), causes=UNKNOWN_TOKEN),
    "truncated": Scenario(
        prepare=_with(lambda running: {"password": _damaged(running.token("account"))}), causes=UNKNOWN_TOKEN
    ),
    "testpypi-token": Scenario(prepare=_with(lambda _: {"password": _foreign()}), causes=UNKNOWN_TOKEN),
    "forged": Scenario(
        prepare=_with(lambda running: {"password": running.token("forged")}),
        causes=("cred.signature-mismatch",),
        but=OLD_FORM,
    ),
    "expired": Scenario(
        prepare=_with(lambda running: {"password": running.token("expired")}), causes=("cred.expired",), but=OLD_FORM
    ),
    "account-name": Scenario(
        prepare=_with(lambda running: {"username": "alice", "password": running.token("account")}),
        causes=("cred.username-not-token", "cred.account-password"),
    ),
    "unverified": Scenario(
        prepare=_with(lambda running: {"password": running.token("unverified")}),
        causes=("account.email-unverified",),
        but=OLD_FORM,
    ),
    "classifier": Scenario(
        prepare=_with(
            lambda running: {
                "password": running.token("account"),
                "files": {sample_distributions.wheel_name(): WRONG_FIELD},
            }
        ),
        causes=("meta.classifier-invalid",),
        skip=BUILDERS,
    ),
    "local-version": Scenario(
        prepare=_with(lambda running: {"password": running.token("account"), "files": LOCAL}),
        causes=("version.local",),
        skip=BUILDERS,
    ),
    "no-files": Scenario(
        prepare=_set(password="x", files={}), causes=("dist.missing",), but={"pdm": ()}, skip=BUILDERS
    ),
    "unknown-repository": Scenario(prepare=_set(password="x", repository="internal"), causes=("pypirc.missing-repo",)),
    "no-slash": Scenario(
        prepare=_with(
            lambda running: {
                "password": running.token("revoked"),
                "url": running.sandbox.upload_url.rstrip("/"),
            }
        ),
        causes=("url.no-trailing-slash",),
        but=dict.fromkeys(FOLLOWING, UNKNOWN_TOKEN),
    ),
    "refused": Scenario(
        prepare=_with(lambda _: {"password": "x", "url": f"http://127.0.0.1:{closed_port()}/legacy/"}),
        causes=("net.dns-offline", "net.timeout-reset"),
        but=UNREACHABLE,
    ),
    "dns": Scenario(
        prepare=_set(password="x", url="https://upload.pypi.invalid/legacy/"),
        causes=("net.dns-offline",),
        but=UNREACHABLE,
    ),
    "tls-plain-port": Scenario(
        prepare=_with(lambda running: {"password": "x", "url": running.sandbox.upload_url.replace("http:", "https:")}),
        causes=("net.tls",),
        but=UNREACHABLE,
    ),
    "tls-self-signed": Scenario(
        prepare=_with(lambda running: {"password": "x", "url": running.self_signed}),
        causes=("net.tls",),
        but=UNREACHABLE,
    ),
    "proxy-407": Scenario(
        prepare=_with(
            lambda running: {
                "password": "x",
                "url": "https://upload.pypi.invalid/legacy/",
                "env": {"HTTPS_PROXY": running.asking_proxy, "https_proxy": running.asking_proxy},
            }
        ),
        causes=("net.proxy",),
        but=UNREACHABLE | {"hatch": ("net.dns-offline",)},
    ),
    "proxy-gone": Scenario(
        prepare=_with(
            lambda _: {
                "password": "x",
                "url": "https://upload.pypi.invalid/legacy/",
                "env": dict.fromkeys(("HTTPS_PROXY", "https_proxy"), f"http://127.0.0.1:{closed_port()}"),
            }
        ),
        causes=("net.proxy",),
        but=UNREACHABLE | dict.fromkeys(("hatch", "pdm", "maturin", "setuptools"), ("net.dns-offline",)),
    ),
    "reset": Scenario(
        prepare=_set(password="x"),
        causes=("net.timeout-reset",),
        but=UNREACHABLE,
        fault=Drop(at="after-body"),
    ),
    "closed": Scenario(
        prepare=_set(password="x"),
        causes=("net.timeout-reset",),
        but=UNREACHABLE,
        fault=Drop(at="after-body", how="close"),
    ),
    "garbage": Scenario(
        prepare=_set(password="x"),
        causes=("net.timeout-reset", "net.not-an-index", "server.outage"),
        but=UNREACHABLE,
        fault=Drop(at="after-body", how="garbage"),
    ),
    "html-200": Scenario(
        prepare=_set(password="x"),
        causes=(),
        fault=CannedResponse(status=200, headers=(("Content-Type", "text/html"),), body=LOGIN),
    ),
    "busy": Scenario(
        prepare=_set(password="x"),
        causes=("server.outage", "server.readonly", "server.5xx-then-exists"),
        fault=CannedResponse(status=503),
    ),
    "429": Scenario(
        prepare=_set(password="x"),
        causes=("server.new-project-quota",),
        fault=CannedResponse(status=429),
    ),
    "413": Scenario(prepare=_set(password="x"), causes=("size.file",), fault=CannedResponse(status=413)),
    "not-found": Scenario(
        prepare=_with(
            lambda running: {
                "password": "x",
                "url": running.sandbox.upload_url.replace("/legacy/", "/nothing/"),
            }
        ),
        causes=("url.simple-or-root",),
    ),
    "keyring-locked": Scenario(
        prepare=_set(
            env={
                "PYTHON_KEYRING_BACKEND": "preflight_backends.Locked",
                "PYTHONPATH": str(Path(__file__).parents[1] / "credentials" / "sources" / "backends"),
            }
        ),
        causes=("keyring.hang", "cred.missing"),
        but=UNSENT,
        skip=WITHOUT_KEYRING,
    ),
    "keyring-fails": Scenario(
        prepare=_set(env={"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}),
        causes=("keyring.no-backend", "cred.missing"),
        but=UNSENT,
        skip=WITHOUT_KEYRING,
    ),
    "not-a-zip": Scenario(
        prepare=_set(password="x", files={sample_distributions.wheel_name(): b"no zip"}),
        causes=("wheel.zip-invalid",),
        skip=BUILDERS,
    ),
    "stray-file": Scenario(
        prepare=_set(password="x", files={"notes.txt": b"x"}),
        causes=("dist.stale", "file.type", "dist.missing"),
        skip=BUILDERS,
    ),
}


def output_of(tool: str, name: str, running: Servers, place: Path, bin_: Path) -> str:
    """What a tool prints in a scenario, as it is."""
    scenario = SCENARIOS[name]
    attempt = Attempt(bin=bin_, root=place, url=running.sandbox.upload_url)
    place.mkdir(parents=True)
    scenario.prepare(running, attempt)
    if scenario.fault is not None:
        running.sandbox.inject(Fault(what=scenario.fault, when=RequestFilter(method="POST")))
    try:
        return attempt.run(tool)
    finally:
        running.sandbox.clear_faults()


_HOSTS = {
    host_of(TESTPYPI.upload_url): "{testpypi-host}",
    host_of(PYPI.upload_url): "{upload-host}",
    host_of(USER_DOCS): "{pypi-docs-host}",
    host_of(PYPI.simple_url): "{pypi-host}",
}


def with_hosts(text: str) -> str:
    """The text with the hosts for their placeholders."""
    for host, name in (*_HOSTS.items(), ("pypi.python.org", "{old-pypi-host}")):
        text = text.replace(name, host)
    return text


def without_hosts(text: str, place: Path) -> str:
    """The text with placeholders for hosts, and without the paths and tokens of the machine."""
    text = text.replace(str(place), "/home/user/project").replace(str(Path(sys.prefix)), "/home/user/venv")
    text = re.sub(r"pypi-[A-Za-z0-9_-]{16,}", "pypi-REDACTED", text)
    text = re.sub(r"/tmp/[\w./-]*?/(?=(?:bin|lib)/)", "/home/user/venv/", text)  # noqa: S108 - is replaced
    for host, name in _HOSTS.items():
        text = text.replace(host, name)
    return text


def record(directory: Path, tools: Sequence[str], names: Sequence[str]) -> Iterator[dict[str, object]]:
    """The recordings of all tools that are installed below the directory."""
    with servers(directory) as running:
        for tool in tools:
            for name in [one for one in names if tool.partition("-")[0] not in SCENARIOS[one].skip]:
                place = directory / "runs" / tool / name
                text = output_of(tool, name, running, place, directory / tool / "bin")
                scenario = SCENARIOS[name]
                yield {
                    "id": f"{tool}:{name}", "tool": tool.partition("-")[0], "log": without_hosts(text, place),
                    "expected_cause": list(scenario.expected(tool)),
                }  # fmt: skip


if __name__ == "__main__":
    chosen = sys.argv[2].split(",") if len(sys.argv) > 2 else list(ENVIRONMENTS)
    wanted = sys.argv[3].split(",") if len(sys.argv) > 3 else list(SCENARIOS)
    for one in record(Path(sys.argv[1]), chosen, wanted):
        sys.stdout.write(json.dumps(one, ensure_ascii=False) + "\n")
