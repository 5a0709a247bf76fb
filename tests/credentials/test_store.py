"""A token is stored where it was asked for, and only if it works; what would be used instead is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.system.system import real_system
from release.core.errors import ReleaseError
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Unknown, Verdict
from release.core.models.credential import Credential, CredentialCandidate, StoredSecret
from release.core.models.index import PYPI, Index, ProjectListing
from release.core.models.results import Verification
from release.core.models.secret_location import (
    DEFAULT_USERNAME,
    ConfigFileKey,
    EnvironmentVariable,
    KeyringEntry,
    NotStored,
    SecretLocation,
    location_to_text,
)
from release.core.models.user_environment import POSIX_SHELL, CiSecrets
from release.core.secret import Secret
from release.core.tokens.defects import TokenDefect
from release.core.tokens.token import Token, decode
from release.credentials import store, verify
from release.credentials.sources import keyring, pypirc
from release.credentials.store import StoredToken, belongs_to_project, store_token, stored_to_json, stored_to_text
from tests.fake_tokens import token

ACME = ProjectMetadata(name="Acme", version="1.0")
NAMELESS = Unknown(reason="no name", remedy="name it")
OTHER = Index(name="acme", upload_url="https://acme.test/legacy/", simple_url="https://acme.test/simple/", kind="other")
ENTRY = KeyringEntry(service=PYPI.upload_url, username="__token__")
OWN = KeyringEntry(service=PYPI.upload_url, username="__token__:acme")
LINE = ConfigFileKey(path="~/.pypirc", section="pypi", key="password", line=3)
NEW, OLD = Secret(token()), Secret(token())
HEALTHY = Verdict(word="healthy")


def credential(origin: SecretLocation, secret: Secret = OLD, username: str = "__token__") -> Credential:
    return Credential(username=username, username_origin=DEFAULT_USERNAME, password=secret, origin=origin)


def access(found: Any = None, project: Any = ACME, index: Index = PYPI, **rest: Any) -> Access:
    given: dict[str, Any] = {"listing": None, "token": None} | rest
    return Access(
        index=index, project=project, credential=found, remarks=(), now=datetime(2026, 11, 28, tzinfo=UTC), **given
    )


@pytest.mark.parametrize(
    ("found", "project", "cause", "expected"),
    [
        (credential(OWN), ACME, "cred.revoked", True),
        (credential(ENTRY), ACME, "cred.revoked", False),
        (credential(ENTRY), ACME, "cred.project-scope-mismatch", True),
        (credential(LINE), ACME, "cred.project-scope-mismatch", False),
        (credential(OWN), NAMELESS, "cred.project-scope-mismatch", False),
        (None, ACME, "keyring.other-project", True),
        (None, ACME, "cred.missing", False),
        (None, NAMELESS, "keyring.other-project", False),
    ],
)
def test_which_new_token_belongs_to_the_project(found: Any, project: Any, cause: str, expected: bool) -> None:
    assert belongs_to_project(access(found, project), cause) is expected


def test_a_defect_shows_without_any_request() -> None:
    assert store.token_defect(PYPI, NEW) is None
    assert isinstance(store.token_defect(PYPI, Secret("words")), TokenDefect)
    assert store.token_defect(OTHER, Secret("words")) is None
    assert isinstance(store.token_defect(OTHER, Secret("")), TokenDefect)


Storer = Callable[..., StoredToken]


@pytest.fixture
def storing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Storer:
    """Store `NEW`; the result of verifying it, and what an upload uses then, are given."""

    def run(
        verdict: Verdict = HEALTHY, now: Access | None = None, *, secret: Secret = NEW, index: Index = PYPI,
        project: Any = ACME, listing: ProjectListing | None = None, line: StoredSecret | None = None, **options: Any
    ) -> StoredToken:  # fmt: skip
        decoded = decode(secret)
        tried = access(project=project, index=index, listing=listing, token=decoded)
        used = now or access(credential(ENTRY, secret), index=index)
        asked: list[Any] = []

        def verify_token(*words: Any, **rest: Any) -> Verification:
            asked.append(("token", words[1:], rest))
            return Verification(access=tried, outcomes=(), verdict=verdict)

        def verify_credential(*words: Any, **rest: Any) -> Verification:
            asked.append(("credential", words[1:], rest))
            return Verification(access=used, outcomes=(), verdict=HEALTHY)

        def write_entry(entry: KeyringEntry, new: Secret, env: Any, *, insecure: bool) -> KeyringEntry:
            asked.append(("keyring", entry, new, insecure))
            return entry

        monkeypatch.setattr(verify, "verify_token", verify_token)
        monkeypatch.setattr(verify, "verify_credential", verify_credential)
        monkeypatch.setattr(keyring, "write_entry", write_entry)
        monkeypatch.setattr(pypirc, "replace", lambda *words: asked.append(("file", *words)))
        run.__dict__["asked"] = asked
        system = replace(real_system(), env={}, home=tmp_path)
        return store_token(system, index, secret, project, line=line, **options)

    return run


def asked(storing: Storer) -> list[Any]:
    found: list[Any] = storing.__dict__["asked"]
    return found


def test_a_token_is_verified_then_stored_for_every_project(storing: Storer, tmp_path: Path) -> None:
    found = storing(directory=tmp_path, insecure=True)
    assert asked(storing) == [
        ("token", (PYPI, NEW, ACME), {"offline": False}),
        ("keyring", ENTRY, NEW, True),
        ("credential", (PYPI, ACME), {"offline": True, "directory": tmp_path}),
    ]
    assert (found.location, found.secret, found.verdict) == (ENTRY, NEW, HEALTHY)
    assert (found.warnings, found.conflicts, found.twine) == ((), (), "")
    assert list(stored_to_text(found)) == [
        f"stored, and read back: {location_to_text(ENTRY)}",
        "→ pypi-preflight verify --index pypi",
    ]
    assert stored_to_json(found) == {
        "schema": 1, "stored": True, "index": "pypi", "origin": {"kind": "keyring", "detail": location_to_text(ENTRY)},
        "fingerprint": NEW.fingerprint, "verdict": "healthy", "causes": [], "warnings": [], "shadows": [], "twine": "",
    }  # fmt: skip


def test_a_token_is_stored_as_the_project_s_own(storing: Storer) -> None:
    found = storing(HEALTHY, access(credential(OWN, NEW)), own=True, offline=True)
    assert asked(storing)[0][2] == {"offline": True}
    assert asked(storing)[1] == ("keyring", OWN, NEW, False)
    assert found.twine == "twine alone would find no credential: it does not read the entry of a single project"
    lines = list(stored_to_text(found))
    assert lines[-2:] == [f"  {found.twine}", "→ pypi-preflight verify --index pypi --project acme"]
    storing(own=True, project=NAMELESS)
    assert asked(storing)[1] == ("keyring", ENTRY, NEW, False)


def test_a_line_of_the_file_is_replaced_instead(storing: Storer, tmp_path: Path) -> None:
    line = StoredSecret(source="pypirc", location=LINE, secret=OLD, manual_change="change it")
    found = storing(HEALTHY, access(credential(LINE, NEW)), line=line)
    what, *words = asked(storing)[1]
    assert (what, words[0], words[1], words[2].directory) == ("file", line, NEW, tmp_path)
    assert found.location == LINE
    storing(HEALTHY, access(credential(LINE, NEW)), line=line, directory=tmp_path / "x")
    assert asked(storing)[1][3].directory == tmp_path / "x"


def test_a_broken_token_is_not_stored(storing: Storer) -> None:
    for word in ("broken", "unknown"):
        verdict = Verdict(word=word, message="it is broken", remedy="create one", cause="cred.revoked")
        with pytest.raises(ReleaseError) as refused:
            storing(verdict)
        assert (refused.value.message, refused.value.remedy, refused.value.cause) == (
            "not stored: it is broken", "create one", "cred.revoked",
        )  # fmt: skip
        assert [one[0] for one in asked(storing)] == ["token"]


@pytest.mark.parametrize(
    ("caveats", "cause", "remedy"),
    [
        ((b'[1,["Wid_get"]]',), "cred.project-scope-mismatch", "wid-get"),
        ((b'[1,["a","b"]]',), "cred.project-scope-mismatch", None),
        ((b'[1,["widget"]]',), "cred.revoked", None),
        ((), "cred.project-scope-mismatch", None),
    ],
)
def test_a_token_of_another_project_is_stored_for_that_one(
    storing: Storer, caveats: tuple[bytes, ...], cause: str, remedy: str | None
) -> None:
    verdict = Verdict(word="broken", message="m", remedy="another token", cause=cause)
    with pytest.raises(ReleaseError) as refused:
        storing(verdict, secret=Secret(token(None, *caveats)))
    expected = "another token" if remedy is None else f"pypi-preflight store --index pypi --project {remedy}"
    assert refused.value.remedy.startswith(expected)


def test_a_scope_that_does_not_fit_the_entry(storing: Storer) -> None:
    account = storing(own=True, listing=ProjectListing(name="acme", files=()))
    ((message, remedy),) = account.warnings
    assert message == (
        "it can upload to every project of its user, but is stored only for 'Acme': create one with the scope "
        f"'Project: Acme' on {PYPI.site}/manage/account/token/, and store that one"
    )
    assert remedy.startswith("pypi-preflight store --index pypi --project ")
    assert storing(own=True, listing=None).warnings == ()  # a new project needs a token of the account
    assert storing(own=False, listing=ProjectListing(name="acme", files=())).warnings == ()

    ((message, remedy),) = storing(secret=Secret(token(None, b'[1,["widget","gadget"]]'))).warnings
    assert message.startswith("it is limited to 'gadget'")
    assert message.endswith("but is stored for every project: an upload of another one would use it, and be refused")
    assert remedy.endswith("--project gadget")
    ids = Secret(token(None, b'[2,["0b1d7a5e-5a55-4c3f-9d0c-2f0e3a6d5b1f"]]'))
    ((message, remedy),) = storing(secret=ids).warnings
    assert message.startswith("it is limited to single projects, but")
    assert remedy.endswith("--project acme")
    assert storing(secret=ids, project=NAMELESS).warnings[0][1].endswith("--project name")
    assert storing(secret=Secret(token(None, b'[1,["acme"]]')), own=True).warnings == ()

    ((message, remedy),) = storing(own=True, index=OTHER, secret=Secret("words")).warnings
    assert message == "uploads of 'Acme' to acme send the username '__token__' with it"
    assert remedy == "set TWINE_USERNAME if acme needs another username"


VARIABLE = EnvironmentVariable(name="TWINE_PASSWORD")
IN_CI = replace(POSIX_SHELL, ci=CiSecrets(service="GitHub Actions"))


@pytest.mark.parametrize(
    ("used", "rest", "conflicts"),
    [
        (credential(VARIABLE), {},
         [("$TWINE_PASSWORD takes precedence over the keyring, and has another secret", "unset TWINE_PASSWORD")]),
        (credential(VARIABLE), {"user": IN_CI},
         [("$TWINE_PASSWORD takes precedence over the keyring, and has another secret", "remove $TWINE_PASSWORD")]),
        (credential(LINE), {},
         [("~/.pypirc, line 3, [pypi] password takes precedence over the keyring, and has another secret",
           "pypi-preflight diagnose")]),
        (credential(LINE), {"user": IN_CI},
         [("~/.pypirc, line 3, [pypi] password takes precedence over the keyring, and has another secret",
           "remove ~/.pypirc, line 3, [pypi] password")]),
        (credential(VARIABLE, NEW), {}, []),
        (None, {}, []),
        (Unknown(reason="the keyring is locked", remedy="unlock it"), {}, [("the keyring is locked", "unlock it")]),
    ],
)  # fmt: skip
def test_what_is_used_instead(storing: Storer, used: Any, rest: dict[str, Any], conflicts: list[Any]) -> None:
    found = storing(HEALTHY, access(used, **rest))
    assert list(found.conflicts) == conflicts
    lines = list(stored_to_text(found))
    for message, remedy in conflicts:
        assert lines[1:3] == [f"  but {message}", f"  → {remedy}"]
        assert stored_to_json(found)["shadows"] == [{"message": message, "remedy": remedy}]
    assert lines[-1].startswith("→ ") is not bool(conflicts)


def test_the_project_s_own_token_comes_first(storing: Storer) -> None:
    ((message, remedy),) = storing(HEALTHY, access(credential(OWN))).conflicts
    assert message == f"'acme' has a token of its own, which is used first: {location_to_text(OWN)}"
    assert remedy == "pypi-preflight store --index pypi --project acme"


def test_a_username_that_no_token_has(storing: Storer) -> None:
    wrong = replace(credential(ENTRY, NEW, "ann"), username_origin=EnvironmentVariable(name="TWINE_USERNAME"))
    ((message, remedy),) = storing(HEALTHY, access(wrong)).conflicts
    assert message == "$TWINE_USERNAME sets the username 'ann', but tokens need '__token__'"
    assert "TWINE_USERNAME" in remedy
    assert storing(HEALTHY, access(wrong, index=OTHER), index=OTHER).conflicts == ()


def test_a_token_of_another_index_that_twine_would_send(storing: Storer) -> None:
    sent = CredentialCandidate(origin=VARIABLE, password=OLD, status="other-index")
    quiet = CredentialCandidate(origin=LINE, password=OLD, status="shadowed")
    found = storing(HEALTHY, access(credential(ENTRY, NEW), candidates=(quiet, sent)))
    assert found.conflicts == (
        ("$TWINE_PASSWORD has a token of another index, which twine itself would send anyway",
         "unset TWINE_PASSWORD"),
    )  # fmt: skip


def test_a_warning_of_the_verdict_is_repeated(storing: Storer) -> None:
    verdict = Verdict(word="warning", message="it expires soon", remedy="replace it", causes=("cred.expires-soon",))
    found = storing(verdict, secret=Secret(token(None, b'[1,["widget"]]')))
    lines = list(stored_to_text(found))
    assert lines[1:3] == ["  warning: it expires soon", "  → replace it"]
    (warned,) = found.warnings
    assert lines[3:5] == [f"  warning: {warned[0]}", f"  → {warned[1]}"]
    document = stored_to_json(found)
    assert (document["verdict"], document["causes"]) == ("warning", ["cred.expires-soon"])
    assert document["warnings"] == [{"message": warned[0], "remedy": warned[1]}]


def test_a_token_of_a_sandbox_has_no_place() -> None:
    assert isinstance(decode(NEW), Token)
    assert store._removal(access(), NotStored(description="your input")) == "remove your input"
