"""Whether an upload would be let in, for every user and token of a world; and nothing of it leaves a trace."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from benchmarks import starts
from release.adapters.system.system import System, real_system
from release.checks import engine
from release.checks.credential_checks import CHECKS
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.index import PYPI, TESTPYPI, Index
from release.core.models.probe import ProbeResult
from release.core.models.results import Verification
from release.core.models.secret_location import EnvironmentVariable
from release.core.secret import Secret
from release.core.tokens.caveats import expiration
from release.core.tokens.token import attenuate
from release.credentials import verify
from release.reports import credential_text
from tests.adapters.index.test_token_probes import state
from tests.credentials.sources.test_keyring import BACKENDS
from tests.credentials.sources.test_keyring import token as minted
from tests.sandbox.sandbox_client import SandboxClient as Asking
from tests.sandbox.sandbox_client import sandbox_client as started
from tests.stories.project import UserProject, indexes, make, release_table

HERE = EnvironmentVariable(name="TWINE_PASSWORD")
WORLD: dict[str, Any] = {
    "users": [
        {"name": "alice"},
        {"name": "bob", "email_verified": False},
        {"name": "carol", "two_factor": False},
        {"name": "dave"},
        {"name": "erin", "disabled": True},
    ],
    "projects": [
        {"name": "Acme.Widget", "owners": ["alice"], "maintainers": ["bob", "carol"]},
        {"name": "acme-gadget", "owners": ["alice"]},
        {"name": "other-owned", "owners": ["dave"]},
        {"name": "stopped", "owners": ["alice"], "organization": "acme", "organization_active": False},
        {"name": "running", "owners": ["alice"], "organization": "acme"},
        {"name": "archived", "owners": ["alice"], "status": "archived"},
        {"name": "hidden", "owners": ["alice"], "status": "archived-noindex"},
        {"name": "suspect", "owners": ["alice"], "status": "quarantined"},
    ],
    "tokens": [
        {"name": "account", "user": "alice"},
        {"name": "widget", "user": "alice", "scope": ["acme-widget"]},
        {"name": "expired", "user": "alice", "expires": 1_600_000_000},
        {"name": "lasting", "user": "alice", "expires": 4_000_000_000},
        {"name": "revoked", "user": "alice", "revoked": True},
        {"name": "forged", "user": "alice", "forged": True},
        {"name": "elsewhere", "user": "alice", "location": "pkgs.zzz"},
        {"name": "bob", "user": "bob"},
        {"name": "carol", "user": "carol"},
        {"name": "dave", "user": "dave"},
        {"name": "erin", "user": "erin"},
    ],
}
#: what is wrong with a token whatever it is used for
EVERYWHERE = {
    "expired": "cred.expired",
    "revoked": "cred.revoked",
    "elsewhere": "cred.wrong-index",
    "erin": "cred.revoked",
}
#: project → token → cause; None where it is healthy
CAUSES: dict[str, dict[str, str | None]] = {
    "acme-widget": {
        "account": None,
        "widget": None,
        "lasting": None,
        "forged": "cred.signature-mismatch",
        "bob": "account.email-unverified",
        "carol": "account.no-2fa",
        "dave": "account.no-role",
    },
    "other-owned": {
        "account": "account.no-role",
        "widget": "cred.project-scope-mismatch",
        "lasting": "account.no-role",
        "forged": "cred.signature-mismatch",
        "bob": "account.no-role",
        "carol": "account.no-role",
        "dave": None,
    },
    "acme-new": {
        "account": None,
        "widget": "cred.project-scope-mismatch",
        "lasting": None,
        # the index looks at the signature of a new project's token only when the first file comes
        "forged": None,
        "bob": "account.email-unverified",
        "carol": "account.no-2fa",
        "dave": None,
    },
    "running": {"account": None, "dave": "account.no-role"},
    "stopped": {"account": "org.inactive", "dave": "account.no-role"},
    "archived": {"account": "project.archived"},
    "hidden": {"account": "project.archived"},
    "suspect": {"account": "project.quarantined"},
    "acme-w1dget": {"account": "name.too-similar"},
    "json": {"account": "name.stdlib"},
}
#: with these, a user's upload is accepted all the same
ACCEPTED = {"project.quarantined"}
CASES = [
    pytest.param(project, name, EVERYWHERE.get(name, cause), id=f"{project}-{name}")
    for project, by_token in CAUSES.items()
    for name, cause in (by_token | (dict(EVERYWHERE) if len(by_token) > 2 else {})).items()
]


def like_pypi(running: Asking, name: str = "pypi") -> Index:
    """The sandbox as an index that lasts."""
    return replace(running.sandbox.index(name), ephemeral=False)


def credential(secret: Secret) -> Credential:
    return Credential(username="__token__", username_origin=HERE, password=secret, origin=HERE)


def verified(running: Asking, name: str, project: str, **how: Any) -> Verification:
    own = credential(running.sandbox.tokens[name])
    return verify.verify_credential(
        real_system(), like_pypi(running), ProjectMetadata(name=project, version=""), credential=own, **how
    )


def answer(found: Verification) -> tuple[str, str | None]:
    return found.verdict.word, found.verdict.cause


@pytest.fixture(scope="module")
def world() -> Iterator[Asking]:
    with started(WORLD) as running:
        running.upload("Acme.Widget", "1.0")
        running.upload("Acme.Widget", "1.1")
        yield running


@pytest.mark.parametrize(("project", "name", "cause"), CASES)
def test_every_token_has_its_verdict_and_the_index_stays_as_it_was(
    world: Asking, project: str, name: str, cause: str | None
) -> None:
    before = state(world)
    found = verified(world, name, project)
    word = "healthy" if cause is None else "warning" if cause in ACCEPTED else "broken"
    assert answer(found) == (word, cause)
    # a project that is not there yet: the index verifies the signature at the first upload
    assert found.confirmed is (word != "broken" and project != "acme-new")
    assert found.verdict.causes == ((cause,) if cause else ())
    assert state(world) == before
    shown = json.dumps(credential_text.verification_to_json(found)) + "".join(
        credential_text.verification_to_text(found)
    )
    assert world.token(name)[20:] not in shown


def test_a_project_made_anew_is_not_the_one_that_a_token_was_made_for() -> None:
    with started(WORLD) as running:
        with running.sandbox._store.writing() as db:
            old = db.execute("SELECT id FROM projects WHERE normalized = 'acme-widget'").fetchone()["id"]
            db.execute("UPDATE projects SET id = 'anew' WHERE id = ?", (old,))
            db.execute("UPDATE roles SET project = 'anew' WHERE project = ?", (old,))
        found = verified(running, "widget", "acme-widget")
        assert answer(found) == ("broken", "cred.project-scope-mismatch")
        assert "was deleted" in found.verdict.message
        assert answer(verified(running, "account", "acme-widget")) == ("healthy", None)


@pytest.mark.parametrize(
    ("flag", "project", "cause"),
    [
        ("read-only", "acme-widget", "server.readonly"),
        ("disallow-new-upload", "acme-widget", "server.readonly"),
        ("disallow-new-project-registration", "acme-widget", None),
        ("disallow-new-project-registration", "acme-new", "server.readonly"),
    ],
)
def test_a_switch_of_the_site_is_no_fault_of_the_token(flag: str, project: str, cause: str | None) -> None:
    with started(WORLD | {"flags": [flag]}) as running:
        before = state(running)
        assert answer(verified(running, "account", project)) == (("broken", cause) if cause else ("healthy", None))
        assert state(running) == before


def test_asking_about_new_projects_spends_none_of_the_quota_and_tells_what_is_left() -> None:
    with started(WORLD) as running:
        for letter in "abc":
            assert running.upload(f"acme-{letter}", "1.0").status == 200
        before = state(running)
        for _ in range(3):
            found = verified(running, "account", "acme-new")
            assert answer(found) == ("healthy", None)
            assert isinstance(found.access.permission, ProbeResult)
            left = {one.name: one.remaining for one in found.access.permission.quotas()}
            assert left["project.create.user"] == 1
            assert "project.create.user: 1 of 4 left" in "".join(credential_text.verification_to_text(found))
        assert state(running) == before
        assert running.upload("acme-last", "1.0").status == 200
        found = verified(running, "account", "acme-new")
        assert answer(found) == ("broken", "server.new-project-quota")
        assert "project.create.user: 0 of 4 left" in found.verdict.message
        assert answer(verified(running, "account", "acme-widget")) == ("healthy", None)


def test_a_token_of_another_index_never_leaves_the_machine() -> None:
    with started(WORLD) as running:
        for secret in (running.sandbox.tokens["elsewhere"], Secret(minted()), Secret(minted("test.pypi.org"))):
            found = verify.verify_credential(
                real_system(),
                like_pypi(running),
                ProjectMetadata(name="acme-widget", version=""),
                credential=credential(secret),
            )
            assert answer(found) == ("broken", "cred.wrong-index")
        assert running.sandbox.log == []


@pytest.mark.parametrize("project", ["acme-widget", "acme-new"])
def test_what_is_offline_asks_nobody(project: str) -> None:
    with started(WORLD) as running:
        found = verified(running, "forged", project, offline=True)
        assert answer(found) == ("healthy", None)
        assert (found.confirmed, found.verdict_text) == (False, "no problem found offline; not confirmed by the index")
        assert running.sandbox.log == []


def test_an_index_that_is_not_there_is_unknown() -> None:
    with started(WORLD) as running:
        index, own = like_pypi(running), credential(running.sandbox.tokens["account"])
    found = verify.verify_credential(
        real_system(), index, ProjectMetadata(name="acme-widget", version=""), credential=own
    )
    assert answer(found) == ("unknown", "net.dns-offline")


# -- every healthy configuration --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Home:
    """A user's machine: an environment and a home directory."""

    path: Path
    env: dict[str, str]

    @property
    def system(self) -> System:
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
        null = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring", "HOME": str(self.path)}
        return replace(real_system(), env=kept | null | self.env, home=self.path)


def in_environment(home: Path, index: Index, secret: str) -> Home:
    return Home(path=home, env={"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": secret})


def password_alone(home: Path, index: Index, secret: str) -> Home:
    return Home(path=home, env={"TWINE_PASSWORD": secret})


def in_pypirc(home: Path, index: Index, secret: str) -> Home:
    path = home / ".pypirc"
    text = (
        path.read_text(encoding="utf-8") if path.exists() else "[distutils]\nindex-servers =\n    pypi\n    testpypi\n"
    )
    section = f"[{index.name}]\nrepository = {index.upload_url}\nusername = __token__\npassword = {secret}\n"
    path.write_text(text + section, encoding="utf-8")
    path.chmod(0o600)
    return Home(path=home, env={})


def in_keyring(home: Path, index: Index, secret: str) -> Home:
    path = home / "keyring.json"
    entries = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    path.write_text(json.dumps([*entries, [index.upload_url, "__token__", secret]]), encoding="utf-8")
    backend = {"PYTHON_KEYRING_BACKEND": "preflight_backends.FileKeyring", "PYTHONPATH": str(BACKENDS)}
    return Home(path=home, env=backend | {"PREFLIGHT_KEYRING_FILE": str(path)})


SOURCES = [in_environment, password_alone, in_pypirc, in_keyring]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("token", ["account", "widget", "lasting"])
@pytest.mark.parametrize("spelled", ["acme-widget", "Acme.Widget", "ACME__widget"])
def test_every_healthy_configuration_is_healthy(
    world: Asking, tmp_path: Path, source: Any, token: str, spelled: str
) -> None:
    home = source(tmp_path, like_pypi(world), world.token(token))
    found = verify.verify_credential(home.system, like_pypi(world), ProjectMetadata(name=spelled, version=""))
    assert found.verdict.word == "healthy", found.verdict
    assert isinstance(found.access.credential, Credential)
    assert isinstance(found.access.permission, ProbeResult)


@pytest.mark.parametrize("source", [in_pypirc, in_keyring])
def test_two_indexes_at_once_are_both_healthy(world: Asking, tmp_path: Path, source: Any) -> None:
    with started(WORLD) as second:
        for running, name in ((world, "pypi"), (second, "testpypi")):
            home = source(tmp_path, like_pypi(running, name), running.token("account"))
        for running, name in ((world, "pypi"), (second, "testpypi")):
            found = verify.verify_credential(
                home.system, like_pypi(running, name), ProjectMetadata(name="acme-widget", version="2.0")
            )
            assert found.verdict.word == "healthy", found.verdict
            assert found.access.credential is not None


@pytest.mark.parametrize("index", [PYPI, TESTPYPI], ids=["pypi", "testpypi"])
@pytest.mark.parametrize("source", SOURCES)
def test_the_well_known_indexes_are_healthy_as_far_as_this_machine_can_tell(
    tmp_path: Path, index: Index, source: Any
) -> None:
    home = source(tmp_path, index, minted(index.token_location))
    found = verify.verify_credential(home.system, index, ProjectMetadata(name="acme-widget", version=""), offline=True)
    assert found.verdict.word == "healthy", found.verdict


def test_another_secret_that_is_shadowed_is_a_warning_and_told_without_being_shown(
    world: Asking, tmp_path: Path
) -> None:
    in_pypirc(tmp_path, like_pypi(world), world.token("widget"))
    home = in_environment(tmp_path, like_pypi(world), world.token("account"))
    found = verify.verify_credential(home.system, like_pypi(world), ProjectMetadata(name="acme-widget", version=""))
    assert answer(found) == ("warning", "src.env-shadows")
    data = credential_text.verification_to_json(found)
    (shadowed,) = data["credential"]["shadowed"]
    assert shadowed["origin"]["kind"] == "pypirc"
    assert shadowed["fingerprint"] == world.sandbox.tokens["widget"].fingerprint


# -- the program ------------------------------------------------------------------------------------

KEYS = [
    "schema", "verdict", "confirmed", "cause", "causes",
    "index", "project", "credential", "token", "identity", "exchange", "checks",
]  # fmt: skip


@contextmanager
def configured(tmp_path: Path) -> Iterator[tuple[UserProject, Any]]:
    with indexes(name="acme-widget") as on:
        project = make(tmp_path, more=release_table(on))
        project.credentials(on)
        yield project, on


def test_the_program_says_it_as_text_and_as_json(tmp_path: Path) -> None:
    with configured(tmp_path) as (project, on):
        told = project.run("verify")
        assert (told.status, told.err) == (0, "")
        for part in ("where from", "what it is", "known", "works", "verdict: healthy", "~/.pypirc"):
            assert part in told.out.replace(str(project.home), "~")
        data = project.run("verify", "--json", "--index", "testpypi").data
        assert list(data) == KEYS
        assert (data["schema"], data["verdict"], data["cause"], data["causes"]) == (1, "healthy", None, [])
        assert data["confirmed"] is False  # the project is not there yet
        assert project.run("verify", "--json").data["confirmed"] is True
        assert (data["index"], data["project"]) == ("testpypi", "acme-widget")
        assert list(data["credential"]) == ["origin", "username", "shadowed", "twine"]
        assert list(data["token"]) == ["location", "identifier", "scope", "expires", "not_before", "fingerprint"]
        assert data["token"]["scope"] == {"kind": "account", "projects": []}
        for secret in (*on.pypi.tokens.values(), *on.testpypi.tokens.values()):
            assert secret.reveal()[20:] not in told.all + json.dumps(data)


def test_a_broken_one_exits_with_1_and_usage_with_2(tmp_path: Path) -> None:
    with configured(tmp_path) as (project, _):
        broken = replace(project, env={"TWINE_USERNAME": "alice"})
        told = broken.run("verify", "--json")
        assert (told.status, told.data["verdict"], told.data["cause"]) == (1, "broken", "cred.username-not-token")
        said = broken.run("verify", "--quiet")
        assert said.out.startswith("verdict: broken, cred.username-not-token")
        assert "→" in said.out
        assert project.run("verify", "--index", "pipy").status == 2
        assert project.run("verify", "--project", "no name!").status == 2
        assert project.run("verify", "--nonsense").status == 2


def test_with_a_project_s_name_it_works_in_any_directory(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "empty").mkdir()
    env = {"TWINE_PASSWORD": minted()}
    elsewhere = UserProject(root=tmp_path / "empty", home=tmp_path / "home", env=env)
    told = elsewhere.run("verify", "--offline", "--project", "Acme_Widget", "--json")
    assert (told.status, told.data["verdict"], told.data["project"]) == (0, "healthy", "Acme_Widget")
    assert told.data["token"]["scope"]["kind"] == "unknown"
    assert elsewhere.run("verify", "--offline").status == 2


def test_offline_nothing_heavy_is_imported(tmp_path: Path) -> None:
    """No HTTP client, no keyring, no uploader: the answer comes before those are loaded."""
    from tests.test_startup import HEAVY, imported

    env = UserProject(root=tmp_path, home=tmp_path, env={"TWINE_PASSWORD": minted()}).environment()
    root = {"PYTHONPATH": str(Path(__file__).parents[2])}
    seen = imported(["verify", "--offline", "--project", "acme-widget"], tmp_path, env | root, tmp_path)
    assert "release" in seen
    assert seen & (HEAVY | {"stdlib_list", "release.acceptance.email_address_rules"}) == set()


def test_a_check_asks_the_index_too(tmp_path: Path) -> None:
    """The second checklist is one, whoever runs it."""
    with configured(tmp_path) as (project, on):
        project.commit()
        with on.pypi._store.writing() as db:
            db.execute("UPDATE users SET two_factor = 0")
        told = project.run("check", "--index", "pypi", "--json")
        found = {one["check"]: one for one in told.data["checks"]}
        assert told.status == 1
        assert found["the-index-knows-the-token"]["state"] == "passed"
        refused = found["the-index-lets-the-token-upload"]
        assert (refused["state"], refused["findings"][0]["cause"]) == ("failed", "account.no-2fa")


def test_the_benchmark_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each program exits with the status that its row expects."""
    monkeypatch.setattr(starts, "ROUNDS", 1)
    rows = list(starts.rows())
    assert len(rows) == len({one.work for one in rows}) == 7
    assert all(one.measured > 0 for one in rows)


def test_a_release_reports_a_token_that_expires_soon() -> None:
    """`check`, `publish` and `release` collect the same facts, and stop for none of them."""
    with started(WORLD) as running:
        now = datetime.now(UTC)
        soon = attenuate(
            running.sandbox.tokens["account"], expiration(now + timedelta(days=3), now - timedelta(days=1))
        )
        system = replace(real_system(), env={"TWINE_PASSWORD": soon.reveal()})
        project = ProjectMetadata(name="acme-widget", version="9.0")
        facts = verify.collect_access(system, like_pypi(running), project)
        found = list(engine.run(CHECKS, facts))
        assert not [one for one in found if one.state.blocks]
        assert [one.cause for outcome in found for one in outcome.findings] == ["cred.expires-soon"]
        less = verify.collect_access(system, like_pypi(running), project, warn_before=timedelta(days=2))
        assert not [one for outcome in engine.run(CHECKS, less) for one in outcome.findings]
