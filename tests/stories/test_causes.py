"""The table of causes: each is brought about, and the program names it, and no other, as the root."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.builds import held_requirements
from release.adapters.index import simple_api
from release.adapters.system.program_output import _read as read_log
from release.adapters.system.system import System, real_system
from release.checks import engine
from release.checks.distributions import CHECKS as OF_FILES
from release.checks.post_upload import CHECKS as AFTERWARDS
from release.core.config import Config
from release.core.errors import UnreachableError
from release.core.facts import ProjectMetadata
from release.core.models import check_result
from release.core.models.build_requirement import PinnedBuild
from release.core.models.check_result import Unknown
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.results import Verification
from release.core.tokens import caveats as caveat
from release.core.tokens import macaroon
from release.core.tokens.token import attenuate
from release.credentials import verify
from release.credentials.log_diagnosis import explain_failure
from release.diagnostics.catalog import CATALOG
from release.diagnostics.matcher import recognise
from release.sandbox import server
from release.sandbox.seed import ApiToken, SeedData, User
from release.sandbox.seed import SeedProject as OnSandbox
from release.sandbox.server import Sandbox
from tests.acceptance.making import SDIST, WHEEL, metadata, sdist, tarred, wheel, wheel_members, zipped
from tests.adapters.loopback_server import closed_port, loopback_server
from tests.checks.test_distributions import built, file
from tests.checks.test_post_upload import file as listed
from tests.checks.test_post_upload import listing, published
from tests.credentials.sources.test_keyring import BACKENDS
from tests.diagnostics.test_catalog import NOT_REPRODUCIBLE
from tests.diagnostics.test_matcher import ANSWERS, OUTPUTS, output

ACME = Index(name="acme", upload_url="https://acme.test/legacy/", simple_url="https://acme.test/simple/", kind="other")
ACCOUNT = b'[3,"00000000-0000-0000-0000-000000000000"]'
PUBLISHER = b'[4,"00000000-0000-0000-0000-000000000000",null]'
INVALID = "403 Invalid or non-existent authentication information. See https://pypi.org/help/#invalid-auth"

WORLD = SeedData(
    users=(
        User(name="alice"),
        User(name="bob", email_verified=False),
        User(name="carol", two_factor=False),
    ),
    projects=(
        OnSandbox(name="acme-widget", owners=("alice",), maintainers=("bob", "carol")),
        OnSandbox(name="acme-gadget", owners=("alice",)),
        OnSandbox(name="archived", owners=("alice",), status="archived"),
        OnSandbox(name="suspect", owners=("alice",), status="quarantined"),
        OnSandbox(name="stopped", owners=("alice",), organization="acme", organization_active=False),
    ),
    tokens=(
        ApiToken(name="account", user="alice"),
        ApiToken(name="widget", user="alice", projects=("acme-widget",)),
        ApiToken(name="expired", user="alice", expires=1_600_000_000),
        ApiToken(name="revoked", user="alice", revoked=True),
        ApiToken(name="forged", user="alice", forged=True),
        ApiToken(name="bob", user="bob"),
        ApiToken(name="carol", user="carol"),
    ),
)


def token(*caveats: bytes, location: str = "pypi.org") -> str:
    return macaroon.to_text(macaroon.create_macaroon(location, str(uuid.uuid4()).encode(), os.urandom(32), *caveats))


@dataclass(kw_only=True)
class Desk:
    """A machine of its own, and an index beside it."""

    home: Path
    sandbox: Sandbox
    env: dict[str, str] = field(default_factory=dict)

    @property
    def index(self) -> Index:
        return replace(self.sandbox.index("pypi"), ephemeral=False)

    def system(self) -> System:
        keep = {key: os.environ[key] for key in ("PATH", "SYSTEMROOT") if key in os.environ}
        quiet = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
        return replace(real_system(), env=keep | quiet | self.env, home=self.home)

    def look(
        self, index: Index | None = None, project: str | None = "acme-widget", *, offline: bool = True
    ) -> Verification:
        subject = (
            ProjectMetadata(name=project, version="1.0") if project else Unknown(reason="no name", remedy="name it")
        )
        return verify.verify_credential(
            self.system(), index or PYPI, subject, offline=offline, directory=self.home / "project"
        )

    def seen(self, index: Index | None = None) -> str | None:
        """The root, as far as this machine knows."""
        return self.look(index).verdict.cause

    def typed(self, text: str, username: str = "__token__") -> str | None:
        """The root where this is the password of the environment."""
        self.env |= {"TWINE_USERNAME": username, "TWINE_PASSWORD": text}
        return self.seen()

    def pypirc(self, text: str, mode: int = 0o600, name: str = ".pypirc") -> None:
        (self.home / name).write_text(text, encoding="utf-8")
        (self.home / name).chmod(mode)

    def keyring(self, *entries: tuple[str, str, str], backend: str = "FileKeyring") -> None:
        (self.home / "keyring.json").write_text(json.dumps(entries), encoding="utf-8")
        self.env |= {
            "PYTHONPATH": str(BACKENDS),
            "PREFLIGHT_KEYRING_FILE": str(self.home / "keyring.json"),
            "PYTHON_KEYRING_BACKEND": f"preflight_backends.{backend}",
        }

    def asked(self, name: str, project: str = "acme-widget", *caveats: bytes) -> str | None:
        """The root after the sandbox was asked with one of its tokens."""
        secret = self.sandbox.tokens[name]
        self.env["TWINE_PASSWORD"] = attenuate(secret, *caveats).reveal() if caveats else secret.reveal()
        return self.look(self.index, project, offline=False).verdict.cause

    def after(self, log: str, project: str = "acme-widget") -> str | None:
        """The root of a run that printed this, joined with this machine and the sandbox."""
        config = Config(indexes={"pypi": self.index})
        read = read_log("log", io.BytesIO(log.encode()))
        found, _ = explain_failure(read, config, lambda index, name: self.look(index, name or project, offline=False))
        return found.cause


Case = Callable[[Desk], str | None]


def says(text: str) -> Case:
    """What a tool printed."""
    return lambda _: next((one.cause for one in recognise(text)), None)


def recorded(text: str, status: int | None = None) -> Case:
    return lambda _: recognise(text, status=status)[0].cause


def typed(change: Callable[[str], str], username: str = "__token__") -> Case:
    return lambda desk: desk.typed(change(token(ACCOUNT)), username)


def pypirc(text: str, index: Index | None = None, mode: int = 0o600, name: str = ".pypirc") -> Case:
    def case(desk: Desk) -> str | None:
        desk.pypirc(text.replace("TOKEN", token(ACCOUNT, location=(index or PYPI).token_location)), mode, name)
        return desk.seen(index)

    return case


def keyring(service: str, username: str) -> Case:
    def case(desk: Desk) -> str | None:
        desk.keyring((service, username, token(ACCOUNT)))
        return desk.seen()

    return case


def with_env(**env: str) -> Case:
    def case(desk: Desk) -> str | None:
        desk.env |= {name: value.replace("TOKEN", token(ACCOUNT)) for name, value in env.items()}
        return desk.seen()

    return case


def asked(name: str, project: str = "acme-widget", *caveats: bytes) -> Case:
    return lambda desk: desk.asked(name, project, *caveats)


def inspected(content: bytes, name: str = WHEEL, *, project: ProjectMetadata | None = None) -> Case:
    """The first thing that the checklist of built files has against them."""
    facts = built(file(name, content), project=project)
    return lambda _: check_result.derive_verdict(engine.run(OF_FILES, facts)).cause


def refused_build(output: str) -> Case:
    """Observed: uv 0.13.9, 2026-11."""

    def case(desk: Desk) -> str | None:
        pins = desk.home / "pins.txt"
        pins.touch()
        error = held_requirements.explain_unheld(output, PinnedBuild(path=pins))
        return error.cause if error else None

    return case


def confirmed(**facts: Any) -> Case:
    return lambda _: check_result.derive_verdict(engine.run(AFTERWARDS, published(**facts))).cause


def asking(url: str) -> str | None:
    """What the reader of an index says of an address."""
    with pytest.raises(UnreachableError) as caught:
        simple_api.fetch_listing(
            Index(name="x", upload_url=f"{url}legacy/", simple_url=f"{url}simple/"), "acme", retries=0
        )
    return caught.value.cause


def shadowed(desk: Desk) -> str | None:
    desk.pypirc(f"[pypi]\npassword = {token(ACCOUNT)}\n")
    return desk.typed(token(ACCOUNT))


def bumped(desk: Desk) -> str | None:
    """A version that is on the index already, about to be released."""
    wheel_there = listed("acme_widget-1.0-py3-none-any.whl")
    desk.env["TWINE_PASSWORD"] = token(ACCOUNT)
    facts = replace(desk.look().access, listing=listing(wheel_there), releasing=True)
    from release.checks.credential_checks import CHECKS

    return check_result.derive_verdict(engine.run(CHECKS, facts)).cause


def reset(_: Desk) -> str | None:
    with loopback_server(lambda handler: handler.reset()) as running:
        return asking(running.url)


def no_tls(_: Desk) -> str | None:
    with loopback_server(lambda handler: handler.reply(200)) as running:
        return asking(running.url.replace("http:", "https:"))


def reserved(desk: Desk) -> str | None:
    """Only the refused upload and the index's silence together tell it."""
    desk.env["TWINE_PASSWORD"] = desk.sandbox.tokens["account"].reveal()
    refused = "403 The user 'alice' isn't allowed to upload to project 'nowhere'."
    return desk.after(f"Uploading distributions to {desk.index.upload_url}\n{refused}\n", "nowhere")


def local_version(desk: Desk) -> str | None:
    members = wheel_members(metadata(version="1.0+local"), "acme_widget-1.0+local.dist-info")
    return inspected(zipped(members), "acme_widget-1.0+local-py3-none-any.whl")(desk)


def missing_attestation(desk: Desk) -> str | None:
    path = desk.home / WHEEL
    path.write_bytes(wheel())
    words = ["upload", "--attestations", "--non-interactive", "-u", "__token__", "--repository-url", PYPI.upload_url]
    nowhere = f"http://127.0.0.1:{closed_port()}"  # it stops before it asks anybody; and would get nowhere
    return says(twine(*words, str(path), TWINE_PASSWORD="x", HTTPS_PROXY=nowhere))(desk)


def twine(*words: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "twine", *words], env={**os.environ, **env, "COLUMNS": "300"},
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode
    return done.stdout + done.stderr


on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")

TABLE: list[Any] = [
    # the credential's value, as the machine sees it
    ("cred.missing", Desk.seen),
    ("cred.env-empty", typed(lambda _: "")),
    ("cred.token-whitespace", typed(lambda one: f"{one[:90]} {one[90:]}")),
    ("cred.token-whitespace", typed(lambda one: f"{one[:90]}\n{one[90:]}")),
    ("cred.token-whitespace", typed(lambda one: f"{one}\n")),
    ("cred.username-whitespace", typed(str, "__token__\n")),
    ("cred.username-whitespace", typed(str, "__token__ ")),
    ("cred.control-chars", typed(lambda _: "\x16")),
    ("cred.quotes", typed(lambda one: f'"{one}"')),
    ("cred.quotes", typed(lambda one: f"'{one}'")),
    ("cred.quotes", typed(lambda one: f"`{one}`")),
    ("cred.quotes", typed(lambda one: f"<{one}>")),
    ("cred.bom-nonascii", typed(lambda one: f"\ufeff{one}")),
    ("cred.bom-nonascii", typed(lambda one: f"{one[:60]}\u200b{one[60:]}")),
    ("cred.bom-nonascii", typed(lambda one: one.replace("pypi-", "pypi\u2013"))),
    ("cred.prefix-missing", typed(lambda one: one.removeprefix("pypi-"))),
    ("cred.truncated", typed(lambda one: one[:-20])),
    ("cred.placeholder", typed(lambda _: "$PYPI_TOKEN")),
    ("cred.placeholder", typed(lambda _: "${{ secrets.PYPI_TOKEN }}")),
    ("cred.placeholder", typed(lambda _: "***")),
    ("cred.placeholder", typed(lambda _: "pypi-xxxxxxxx")),
    ("cred.username-not-token", typed(str, "alice")),
    ("cred.username-typo", typed(str, "_token_")),
    ("cred.username-typo", typed(str, "@token")),
    ("cred.account-password", typed(lambda _: "correct horse battery", "alice")),
    ("cred.wrong-index", with_env(TWINE_PASSWORD=token(ACCOUNT, location="test.pypi.org"))),
    ("cred.prefix-doubled", typed(lambda one: f"pypi-{one}")),
    ("cred.pasted-twice", typed(lambda one: one * 2)),
    ("cred.assignment", typed(lambda one: f"TWINE_PASSWORD={one}")),
    ("cred.other-service", typed(lambda _: f"ghp_{'a1B2' * 9}")),
    ("cred.alphabet", typed(lambda one: f"{one[:100]}.{one[101:]}")),
    ("cred.malformed", typed(str.lower)),
    ("cred.trailing", typed(lambda one: f"{one}abcd")),
    ("cred.head-missing", typed(lambda one: one[30:])),
    ("cred.comment", typed(lambda one: f"{one} # made in May")),
    ("cred.secret-reference", typed(lambda _: "op://release/pypi/token")),
    ("cred.file-path", typed(lambda _: "/run/secrets/pypi_token")),
    ("cred.identifier", typed(lambda _: str(uuid.uuid4()))),
    ("cred.encoded", typed(lambda one: base64.b64encode(one.encode()).decode())),
    ("cred.project-scope-mismatch", typed(lambda _: token(b'[1,["other"]]'))),
    ("cred.expired", typed(lambda _: token(ACCOUNT, b"[0,1795000000,0]"))),
    ("cred.not-yet-valid", typed(lambda _: token(ACCOUNT, b"[0,4000000000,3999999999]"))),
    ("tp.token-expired", typed(lambda _: token(PUBLISHER, b"[0,1795000000,1794999100]"))),
    ("cred.scope-conflict", typed(lambda _: token(ACCOUNT, b'[1,["acme-widget"]]', b'[1,["other"]]'))),
    ("cred.scope-empty", typed(lambda _: token(ACCOUNT, b"[1,[]]"))),
    ("cred.scope-unnormalised", typed(lambda _: token(ACCOUNT, b'[1,["Acme_Widget"]]'))),
    ("cred.publisher-caveat", typed(lambda _: token(ACCOUNT, PUBLISHER))),
    ("cred.user-caveat", typed(lambda _: token(ACCOUNT, b'[3,"11111111-1111-1111-1111-111111111111"]'))),
    ("cred.caveat-invalid", typed(lambda _: token(ACCOUNT, b"[99]"))),
    ("cred.project-id-scope", typed(lambda _: token(ACCOUNT, b'[2,["11111111-1111-1111-1111-111111111111"]]'))),
    ("cred.expires-soon", typed(lambda _: token(ACCOUNT, b"[0,%d,0]" % (time.time() + 432_000)))),
    # what the index says to it
    ("cred.project-scope-mismatch", asked("widget", "acme-gadget")),
    ("cred.project-scope-new-project", asked("account", "brand-new", caveat.project_names("brand-new"))),
    ("cred.expired", asked("expired")),
    ("cred.revoked", asked("revoked")),
    ("cred.signature-mismatch", asked("forged")),
    ("cred.user-caveat", asked("account", "acme-widget", b'[3,"11111111-1111-1111-1111-111111111111"]')),
    ("cred.caveat-invalid", asked("account", "acme-widget", b"[99]")),
    ("account.email-unverified", asked("bob")),
    ("account.no-2fa", asked("carol")),
    ("account.no-role", asked("bob", "acme-gadget")),
    ("org.inactive", asked("account", "stopped")),
    ("project.archived", asked("account", "archived")),
    ("project.quarantined", asked("account", "suspect")),
    ("name.too-similar", asked("account", "acme-w1dget")),
    ("name.stdlib", asked("account", "json")),
    ("name.invalid", asked("account", "-acme-")),
    ("name.reserved-empty", reserved),
    # where it comes from
    ("src.env-shadows", shadowed),
    ("src.wrong-env-name", with_env(PYPI_TOKEN="TOKEN")),
    ("src.wrong-env-name", with_env(UV_PUBLISH_TOKEN="TOKEN")),
    ("src.password-missing", with_env(TWINE_USERNAME="__token__")),
    ("cred.swapped", with_env(TWINE_USERNAME="TOKEN", TWINE_PASSWORD="__token__")),
    ("env.not-forwarded", pypirc("TWINE_PASSWORD=TOKEN\n", name=".env")),
    ("pypirc.section-misspelled", pypirc('["pypi"]\npassword = TOKEN\n')),
    ("pypirc.key-misspelled", pypirc("[pypi]\npasword = TOKEN\n")),
    ("pypirc.indented", pypirc("[pypi]\nusername = __token__\n  password = TOKEN\n")),
    ("pypirc.commented-out", pypirc("[pypi]\n# password = TOKEN\n")),
    ("pypirc.not-found", pypirc("[pypi]\npassword = TOKEN\n", name=".pypirc.txt")),
    ("pypirc.section-unlisted", pypirc("[distutils]\nindex-servers = testpypi\n[pypi]\npassword = TOKEN\n")),
    ("pypirc.section-unlisted", pypirc("[PyPI]\npassword = TOKEN\n")),
    ("pypirc.missing-repo", pypirc("[distutils]\nindex-servers = acme\n[acme]\nusername = a\npassword = b\n", ACME)),
    (
        "pypirc.testpypi-under-pypi",
        pypirc(f"[pypi]\npassword = {token(ACCOUNT, location='test.pypi.org')}\n"),
    ),
    (
        "pypirc.repository-mismatch",
        pypirc("[pypi]\nrepository = https://test.pypi.org/legacy/\npassword = TOKEN\n"),
    ),
    ("pypirc.bypassed-by-url", with_env(TWINE_PASSWORD="TOKEN", TWINE_REPOSITORY_URL=TESTPYPI.upload_url)),
    ("pypirc.malformed", pypirc("password = TOKEN\n")),
    ("pypirc.malformed", pypirc("[pypi]\npassword = TOKEN\n[pypi]\n")),
    ("pypirc.malformed", pypirc("\ufeff[pypi]\npassword = TOKEN\n")),
    pytest.param("pypirc.perms", pypirc("[pypi]\npassword = TOKEN\n", mode=0o644), marks=on_posix),
    ("keyring.service-mismatch", keyring(PYPI.upload_url.rstrip("/"), "__token__")),
    ("keyring.service-mismatch", keyring("https://pypi.org/legacy/", "__token__")),
    ("keyring.service-mismatch", keyring("pypi", "__token__")),
    ("keyring.username-mismatch", keyring(PYPI.upload_url, "alice")),
    ("keyring.other-project", keyring(PYPI.upload_url, "__token__:acme-gadget")),
    ("keyring.no-backend", lambda desk: (desk.keyring(backend="Broken"), desk.seen())[1]),
    ("keyring.hang", lambda desk: (desk.keyring(backend="Locked"), desk.seen())[1]),
    ("ci.invalid-input-name", says("Warning: Unexpected input(s) 'repository_url', valid inputs are ['user']")),
    # the address, and the way there
    ("url.no-trailing-slash", pypirc("[pypi]\nrepository = https://upload.pypi.org/legacy\npassword = TOKEN\n")),
    ("url.simple-or-root", pypirc("[pypi]\nrepository = https://pypi.org/simple/\npassword = TOKEN\n")),
    ("url.legacy-domain", pypirc("[pypi]\nrepository = https://pypi.python.org/pypi\npassword = TOKEN\n")),
    ("url.credentials", pypirc("[pypi]\nrepository = https://__token__:TOKEN@upload.pypi.org/legacy/\n")),
    ("url.http", pypirc("[pypi]\nrepository = http://upload.pypi.org/legacy/\npassword = TOKEN\n")),
    ("net.dns-offline", lambda _: asking(f"http://127.0.0.1:{closed_port()}/")),
    ("net.timeout-reset", reset),
    ("net.tls", no_tls),
    # trusted publishing
    ("tp.mixed-credentials", says("error: a username and a password are not allowed when using trusted publishing")),
    ("attest.stale-files", says(f"::error::dist/{WHEEL} already has a publish attestation: dist/{WHEEL}.publish")),
    ("attest.missing-for-file", missing_attestation),
    # files and metadata, before anything is sent
    ("name.canonical-mismatch", inspected(sdist(), "acme-widget-1.0.tar.gz")),
    ("dist.stale", inspected(wheel(), WHEEL, project=ProjectMetadata(name="acme-widget", version="2.0"))),
    ("version.local", local_version),
    ("version.not-bumped", bumped),
    ("wheel.platform-tag", inspected(wheel(), "acme_widget-1.0-py3-none-linux_x86_64.whl")),
    ("wheel.zip-invalid", inspected(wheel() + b"trailing")),
    ("wheel.zip-invalid", inspected(zipped({k: v for k, v in wheel_members().items() if not k.endswith("WHEEL")}))),
    ("sdist.structure", inspected(tarred({"a/PKG-INFO": metadata(), "b/setup.py": b""}), SDIST)),
    ("file.type", inspected(b"x", "acme_widget-1.0.egg")),
    ("meta.description-render", inspected(wheel(metadata(body="A *b")))),
    ("meta.classifier-invalid", inspected(wheel(metadata(Classifier="Foo :: Bar")))),
    ("meta.direct-dependency", inspected(wheel(metadata(Requires_Dist="a @ https://a.test/a.whl")))),
    ("meta.license-both", inspected(wheel(metadata(License="MIT", License_Expression="MIT")))),
    ("meta.license-file-missing", inspected(wheel(metadata(License_File="LICENSE")))),
    ("meta.summary-long", inspected(wheel(metadata(Summary="x" * 600)))),
    ("meta.email-invalid", inspected(wheel(metadata(Author_Email="nobody at home")))),
    ("meta.url-label", inspected(wheel(metadata(Project_URL=f"{'x' * 40}, https://a.test")))),
    ("meta.requires-python-invalid", inspected(wheel(metadata(Requires_Python="three")))),
    ("meta.requires-dist-invalid", inspected(wheel(metadata(Requires_Dist="a ==== 1")))),
    # the build
    ("build.hash-mismatch", refused_build("< error: Failed to download `a==1`\n<   cause: Hash mismatch for `a==1`\n")),
    (
        "build.unpinned",
        refused_build("< error: Hash-checking is required, but no trusted hash was provided for: `a`\n"),
    ),
    # after the upload
    ("post.index-lag", confirmed(listing=None, accepted=frozenset({WHEEL, SDIST}))),
    ("file.partial-release", confirmed(listing=None)),
    ("post.hash-mismatch", confirmed(listing=listing(listed(sha256="b" * 64), listed("acme_widget-1.0.tar.gz")))),
    ("post.no-strong-hash", confirmed(listing=listing(listed(sha256=None), listed("acme_widget-1.0.tar.gz")))),
]

#: what servers and tools were seen to print: the first of each cause, as `release.diagnostics` reads it
RECORDED: dict[str, Case] = {
    **{OUTPUTS[name][0]: says(output(name)) for name in reversed(OUTPUTS)},
    **{one["cause"]: recorded(one["text"], one["status"]) for one in reversed(ANSWERS)},
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with server.start_sandbox(WORLD) as running:
        yield running


@pytest.fixture
def desk(tmp_path: Path, sandbox: Sandbox) -> Desk:
    (tmp_path / "project").mkdir()
    return Desk(home=tmp_path, sandbox=sandbox)


@pytest.mark.parametrize(("cause", "case"), [*TABLE, *RECORDED.items()])
def test_a_cause_is_named_as_the_root(desk: Desk, cause: str, case: Case) -> None:
    """One of many that could be meant, and this one it is."""
    assert case(desk) == cause


def test_the_table_has_what_can_be_had() -> None:
    """Whatever is not in the table has its reason."""
    reproduced = {getattr(row, "values", row)[0] for row in TABLE} | RECORDED.keys() - NOT_REPRODUCIBLE.keys()
    assert reproduced | NOT_REPRODUCIBLE.keys() == CATALOG.keys()
    assert not reproduced & NOT_REPRODUCIBLE.keys()
    assert len(reproduced) >= 115
    assert all(len(reason) > 20 for reason in NOT_REPRODUCIBLE.values())
