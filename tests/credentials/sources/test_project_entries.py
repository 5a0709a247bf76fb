"""A project's own token in the keyring: which entry is used, the name that is sent, and what twine alone would use."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.system.system import real_system
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential, Resolution, used_by_twine
from release.core.models.index import PYPI, Index
from release.core.models.results import Verification
from release.core.models.secret_location import KeyringEntry, location_to_text, project_of
from release.core.secret import Secret
from release.credentials import repairs, sources, verify
from release.credentials.sources import keyring as source
from release.credentials.sources.base import SourceQuery
from release.reports import credential_text
from tests.credentials.sources.answering_keyring import answering_keyring
from tests.credentials.sources.test_keyring import OTHER, keyring, token

__all__ = ["answering_keyring"]

pytestmark = pytest.mark.usefixtures("answering_keyring")

#: an index with PyPI's code that twine does not know
MIRROR = Index(name="mirror", upload_url="https://mirror.test/legacy/", simple_url="https://mirror.test/simple/")
WIDGET = "acme-widget"
OWN, ACCOUNT, FLIT = "__token__:acme-widget", "__token__", "pypi_token:project:acme-widget"


def resolve(index: Index, env: dict[str, str], project: str | None = WIDGET) -> Resolution:
    return sources.resolve(
        SourceQuery(index=index, env=env, home=Path(env["HOME"]), project=project, every_source=True)
    )


def used(found: Resolution) -> tuple[str, Secret, str]:
    """The username that is sent, the password, and the user of the entry."""
    credential = found.credential
    assert isinstance(credential, Credential)
    assert isinstance(credential.origin, KeyringEntry)
    return credential.username, credential.password, credential.origin.username


def test_the_names_of_entries() -> None:
    own, flit = source.project_entries(PYPI, "Acme_.Widget")
    assert (own.service, own.username) == (PYPI.upload_url, OWN)
    assert (flit.service, flit.username) == (PYPI.upload_url, FLIT)
    assert [project_of(one) for one in (own, flit, source.upload_entry(PYPI))] == [WIDGET, WIDGET, None]


@pytest.mark.parametrize("index", [PYPI, MIRROR, OTHER], ids=["pypi", "mirror", "other"])
@pytest.mark.parametrize("users", [(ACCOUNT, FLIT, OWN), (OWN, ACCOUNT), (FLIT, OWN, ACCOUNT)], ids=len)
def test_the_project_s_own_comes_first_and_is_sent_with_the_name_for_tokens(
    tmp_path: Path, index: Index, users: tuple[str, ...]
) -> None:
    values = {user: token(index.token_location) for user in users}
    env = keyring(tmp_path, *((index.upload_url, user, value) for user, value in values.items()))
    assert used(resolve(index, env, "Acme.Widget")) == ("__token__", Secret(values[OWN]), OWN)
    assert resolve(index, env).remarks == ()


def test_flit_s_comes_before_the_account_s(tmp_path: Path) -> None:
    one, two = token(), token()
    env = keyring(tmp_path, (PYPI.upload_url, ACCOUNT, one), (PYPI.upload_url, FLIT, two))
    assert used(resolve(PYPI, env)) == ("__token__", Secret(two), FLIT)


def test_other_projects_and_no_project_use_the_account_s(tmp_path: Path) -> None:
    one, two = token(), token()
    env = keyring(tmp_path, (PYPI.upload_url, OWN, two), (PYPI.upload_url, ACCOUNT, one))
    for project in ("acme-gadget", "acme", "acme-widget-2", None):
        assert used(resolve(PYPI, env, project)) == ("__token__", Secret(one), ACCOUNT)


def test_an_index_that_names_its_user_still_does_for_other_projects(tmp_path: Path) -> None:
    env = keyring(tmp_path, (OTHER.upload_url, "alice", "hunter2"), (OTHER.upload_url, OWN, token("acme.test")))
    assert used(resolve(OTHER, env, "acme-gadget")) == ("alice", Secret("hunter2"), "alice")
    assert used(resolve(OTHER, env))[::2] == ("__token__", OWN)


def test_a_token_of_another_index_is_passed_over(tmp_path: Path) -> None:
    one = token()
    env = keyring(tmp_path, (PYPI.upload_url, OWN, token("test.pypi.org")), (PYPI.upload_url, ACCOUNT, one))
    found = resolve(PYPI, env)
    assert used(found) == ("__token__", Secret(one), ACCOUNT)
    assert [one.cause for one in found.remarks] == ["cred.wrong-index"]


def test_variable_and_file_still_win_and_are_shown_to(tmp_path: Path) -> None:
    env = keyring(tmp_path, (PYPI.upload_url, ACCOUNT, token()), (PYPI.upload_url, OWN, token()))
    found = resolve(PYPI, env | {"TWINE_PASSWORD": token()})
    assert isinstance(found.credential, Credential)
    assert location_to_text(found.credential.origin) == "$TWINE_PASSWORD"
    (remark,) = found.remarks
    assert remark.cause == "src.env-shadows"
    assert repr(OWN) in remark.message
    (tmp_path / ".pypirc").write_text(f"[pypi]\npassword = {token()}\n", encoding="utf-8")
    (tmp_path / ".pypirc").chmod(0o600)
    found = resolve(PYPI, env)
    assert isinstance(found.credential, Credential)
    assert "~/.pypirc" in location_to_text(found.credential.origin)
    assert [one.cause for one in found.remarks] == ["src.env-shadows"]


@pytest.mark.parametrize(
    ("entries", "project", "cause", "remedy"),
    [
        ([("__token__:acme-gadget", PYPI.upload_url)], WIDGET, "keyring.other-project", "--project acme-widget"),
        ([("pypi_token:project:gadget", PYPI.upload_url)], WIDGET, "keyring.other-project", "--project acme-widget"),
        ([(OWN, PYPI.upload_url)], None, "keyring.other-project", "store --index pypi"),
        ([("__token__:Acme.Widget", PYPI.upload_url)], WIDGET, "keyring.username-mismatch", "--project acme-widget"),
        ([(OWN, PYPI.upload_url.rstrip("/"))], WIDGET, "keyring.service-mismatch", ""),
    ],
)
def test_an_entry_that_is_not_used_is_named(
    tmp_path: Path, entries: list[tuple[str, str]], project: str | None, cause: str, remedy: str
) -> None:
    env = keyring(tmp_path, *((service, user, token()) for user, service in entries))
    found = resolve(PYPI, env, project)
    assert found.credential is None
    assert [(one.cause, one.severity) for one in found.remarks] == [(cause, "block")]
    assert remedy in found.remarks[0].remedy


# -- what twine alone would use ---------------------------------------------------------------------


def verified(index: Index, env: dict[str, str]) -> Verification:
    system = replace(real_system(), env=env, home=Path(env["HOME"]))
    return verify.verify_credential(system, index, ProjectMetadata(name=WIDGET, version=""), offline=True)


@pytest.mark.parametrize(
    ("index", "users", "words", "twine"),
    [
        (PYPI, (OWN, ACCOUNT), "twine alone would use keyring (preflight_backends), service", ACCOUNT),
        (PYPI, (OWN,), "twine alone would find no credential", None),
        (PYPI, (FLIT, ACCOUNT), f"user '{ACCOUNT}'", ACCOUNT),
        (MIRROR, (OWN, ACCOUNT), f"twine alone would send the username {OWN!r}, unless TWINE_USERNAME is set", OWN),
        (MIRROR, (ACCOUNT, OWN), "twine alone would use keyring (preflight_backends), service", ACCOUNT),
        (PYPI, (ACCOUNT,), "", ACCOUNT),
    ],
)
def test_verify_shows_the_entry_and_what_twine_alone_would_use(
    tmp_path: Path, index: Index, users: tuple[str, ...], words: str, twine: str | None
) -> None:
    env = keyring(tmp_path, *((index.upload_url, user, token(index.token_location)) for user in users))
    found = verified(index, env)
    assert found.verdict.passed, found.verdict
    text = "\n".join(credential_text.verification_to_text(found))
    assert words in text
    assert ("twine alone" in text) == bool(words)
    data = credential_text.verification_to_json(found)["credential"]
    assert data["username"] == "__token__"
    assert (repr(twine) in data["twine"]["origin"]["detail"]) if twine else data["twine"] is None


def test_twine_itself_agrees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own code is asked, with the same keyring."""
    import keyring as library
    from twine import auth

    from tests.credentials.sources.backends import preflight_backends

    for index, users in ((PYPI, (OWN, ACCOUNT)), (PYPI, (OWN,)), (MIRROR, (ACCOUNT, OWN)), (MIRROR, (OWN, ACCOUNT))):
        env = keyring(tmp_path, *((index.upload_url, user, token(index.token_location)) for user in users))
        monkeypatch.setenv("PREFLIGHT_KEYRING_FILE", env["PREFLIGHT_KEYRING_FILE"])
        monkeypatch.setattr(library.core, "_keyring_backend", preflight_backends.FileKeyring())  # type: ignore[no-untyped-call]
        resolver = auth.Resolver({"repository": index.upload_url}, auth.CredentialInput())
        expected = used_by_twine(resolve(index, env).candidates)
        sent = resolver.get_password_from_keyring()
        assert sent == (expected.password.reveal() if expected else None)
        assert expected is None or resolver.username == getattr(expected.origin, "username", None)


@pytest.mark.parametrize("users", [(OWN, ACCOUNT), (OWN, FLIT, ACCOUNT)], ids=len)
def test_no_repair_deletes_an_entry_that_stands_beside_another(tmp_path: Path, users: tuple[str, ...]) -> None:
    env = keyring(tmp_path, *((PYPI.upload_url, user, token()) for user in users))
    found = verified(PYPI, env)
    assert repairs.propose_repairs(real_system(), found.access, found.verdict.causes) == ()


def test_what_hides_a_project_s_own_token_is_removed_first(tmp_path: Path) -> None:
    env = keyring(tmp_path, (PYPI.upload_url, ACCOUNT, token()), (PYPI.upload_url, OWN, token()))
    hidden = verified(PYPI, env | {"TWINE_PASSWORD": token()})
    assert (hidden.verdict.cause, hidden.verdict.remedy) == ("src.env-shadows", "unset TWINE_PASSWORD")
    (tmp_path / ".pypirc").write_text(f"[pypi]\npassword = {token()}\n", encoding="utf-8")
    (tmp_path / ".pypirc").chmod(0o600)
    found = verified(PYPI, env)
    system = replace(real_system(), env=env, home=tmp_path)
    first, second = repairs.propose_repairs(system, found.access, found.verdict.causes)
    assert "so that the one of 'acme-widget' is used" in first.title
    assert repr(OWN) in second.where
    first.apply()
    assert used(resolve(PYPI, env))[2] == OWN
