"""Each repair shows what it changes, changes that alone, and is offered only where its result is right."""

from __future__ import annotations

import stat
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.adapters.system.system import real_system
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import Finding
from release.core.models.credential import Credential, CredentialCandidate
from release.core.models.index import PYPI, Index
from release.core.models.secret_location import (
    DEFAULT_USERNAME,
    ConfigFileKey,
    EnvironmentVariable,
    KeyringEntry,
    SecretLocation,
    location_to_text,
)
from release.core.secret import Secret
from release.credentials.repairs import Repair, line_to_replace, propose_repairs, unwrapped
from release.credentials.sources import keyring, pypirc
from release.credentials.sources.base import BrokenSourceError, SourceQuery
from tests.fake_tokens import token

TOKEN, OTHER_TOKEN = token(), token()
ENTRY = KeyringEntry(service=PYPI.upload_url, username="__token__")
OWN = KeyringEntry(service=PYPI.upload_url, username="__token__:acme")
VARIABLE = EnvironmentVariable(name="TWINE_PASSWORD")
LINE = ConfigFileKey(path="~/.pypirc", section="pypi", key="password", line=2)


def access(*candidates: CredentialCandidate, remarks: tuple[Finding, ...] = (), index: Index = PYPI) -> Access:
    used = next((one for one in candidates if one.status == "used"), None)
    credential = None
    if used is not None:
        credential = Credential(
            username="__token__", username_origin=DEFAULT_USERNAME, password=used.password, origin=used.origin
        )
    return Access(
        index=index, project=ProjectMetadata(name="acme", version="1"), credential=credential, remarks=remarks,
        token=None, listing=None, now=datetime(2026, 11, 28, tzinfo=UTC), candidates=candidates,
    )  # fmt: skip


def of_file(home: Path, text: str | bytes, index: Index = PYPI) -> Access:
    """What an upload uses of a `.pypirc` with this content."""
    path = home / ".pypirc"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o600)
    try:
        found = pypirc.find(SourceQuery(index=index, env={}, home=home))
    except BrokenSourceError as error:
        broken = Finding(message=error.message, remedy=error.remedy, cause=error.cause, where=error.where)
        return access(remarks=(broken,), index=index)
    if found is None:
        return access(index=index)
    if found.password is None or found.origin is None:
        return access(remarks=found.remarks, index=index)
    result = access(candidate(found.origin, found.password.reveal(), "used"), remarks=found.remarks, index=index)
    assert isinstance(result.credential, Credential)
    origin = found.username_origin or DEFAULT_USERNAME
    named = replace(result.credential, username=found.username or "__token__", username_origin=origin)
    return replace(result, credential=named)


def candidate(origin: SecretLocation, secret: str, status: Any) -> CredentialCandidate:
    return CredentialCandidate(origin=origin, password=Secret(secret), status=status)


def proposed(home: Path, found: Access, *causes: str) -> tuple[Repair, ...]:
    return propose_repairs(replace(real_system(), env={"A": "b"}, home=home), found, causes)


def only(home: Path, found: Access, *causes: str) -> Repair:
    (repair,) = proposed(home, found, *causes)
    assert TOKEN[20:] not in f"{repair.title}{repair.where}{repair.before}{repair.after}"
    return repair


def shown(repair: Repair) -> tuple[str, str, str, str, str]:
    return repair.cause, repair.title, repair.where, repair.before, repair.after


def applied(home: Path, repair: Repair) -> str:
    repair.apply()
    return (home / ".pypirc").read_text("utf-8")


GOOD = f"[pypi]\npassword = {TOKEN}\n"


def test_a_sound_file_needs_no_repair(tmp_path: Path) -> None:
    assert proposed(tmp_path, of_file(tmp_path, GOOD)) == ()
    assert proposed(tmp_path, access()) == ()
    assert proposed(tmp_path / "nowhere", access()) == ()


def test_a_byte_order_mark_is_removed(tmp_path: Path) -> None:
    repair = only(tmp_path, of_file(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()))
    assert shown(repair)[:2] == ("pypirc.malformed", "remove the byte order mark")
    assert repair.where.startswith("~/.pypirc")
    assert shown(repair)[3:] == ("U+FEFF, then the first line", "the first line")
    assert applied(tmp_path, repair) == GOOD
    assert proposed(tmp_path, of_file(tmp_path, b"\xef\xbb\xbf[pypi]\n[pypi]\n")) == ()


def test_a_section_is_listed(tmp_path: Path) -> None:
    acme = Index(name="acme", upload_url="https://acme.test/legacy/", simple_url="https://acme.test/simple/")
    section = f"[acme]\nrepository = {acme.upload_url}\npassword = x\n"
    repair = proposed(tmp_path, of_file(tmp_path, f"[distutils]\nindex-servers = pypi\n{section}", acme))[0]
    assert shown(repair) == (
        "pypirc.section-unlisted", "add section [acme] to index-servers", "~/.pypirc, line 3",
        "index-servers = pypi", "index-servers = pypi acme",
    )  # fmt: skip
    assert applied(tmp_path, repair).startswith("[distutils]\nindex-servers = pypi acme\n[acme]\n")
    alone = proposed(tmp_path, of_file(tmp_path, section, acme))[0]
    assert shown(alone)[3:] == ("", "index-servers = pypi testpypi acme")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (f"[pypi]\nrepository = {PYPI.simple_url.replace('//', '//ann:x@')}\npassword = {TOKEN}\n",
         f"[pypi]\nrepository = {PYPI.upload_url}\npassword = {TOKEN}\n",
         ("url.simple-or-root", "correct the repository", "~/.pypirc, line 2, [pypi] repository",
          f"repository = {PYPI.simple_url}", f"repository = {PYPI.upload_url}")),
        (f"[pypi]\nusername = ann\npassword = {TOKEN}\n", f"[pypi]\nusername = __token__\npassword = {TOKEN}\n",
         ("cred.username-not-token", "correct the username", "~/.pypirc, line 2, [pypi] username",
          "username = ann", "username = __token__")),
    ],
)  # fmt: skip
def test_a_wrong_line_is_corrected(tmp_path: Path, before: str, after: str, expected: tuple[str, ...]) -> None:
    repair = only(tmp_path, of_file(tmp_path, before))
    assert shown(repair) == expected
    assert applied(tmp_path, repair) == after


def test_a_username_is_no_mistake_for_another_index(tmp_path: Path) -> None:
    acme = Index(name="pypi", upload_url=PYPI.upload_url, simple_url=PYPI.simple_url, kind="other")
    found = of_file(tmp_path, f"[pypi]\nusername = ann\npassword = {TOKEN}\n", acme)
    assert [one.cause for one in proposed(tmp_path, replace(found, remarks=()))] == []


def test_a_token_in_the_wrong_line_is_moved(tmp_path: Path) -> None:
    repair = only(tmp_path, of_file(tmp_path, f"[pypi]\nusername = {TOKEN}\npassword = secret\n"))
    assert repair.cause == "cred.swapped"
    assert repair.where.startswith("~/.pypirc, line 2")
    assert repair.before == "username = …; password = …"
    assert repair.after == "username = __token__; password = …"
    assert applied(tmp_path, repair) == f"[pypi]\nusername = __token__\npassword = {TOKEN}\n"


@pytest.mark.parametrize(
    ("value", "cause", "shows"),
    [
        (f'"{TOKEN}"', "cred.quotes", 'password = "<token'),
        (f"{TOKEN} ; old: {OTHER_TOKEN}", "cred.token-whitespace", "password = <token"),
        (TOKEN.removeprefix("pypi-"), "cred.prefix-missing", "password = <"),
    ],
)
def test_everything_but_the_token_is_removed_from_its_line(tmp_path: Path, value: str, cause: str, shows: str) -> None:
    repair = only(tmp_path, of_file(tmp_path, f"# mine\n[pypi]\npassword = {value}\n"))
    assert shown(repair)[:3] == (
        cause, "remove everything but the token from its line", "~/.pypirc, line 3, [pypi] password",
    )  # fmt: skip
    assert repair.before.startswith(shows)
    assert repair.after.startswith("password = <token")
    assert OTHER_TOKEN[20:] not in repair.before
    assert applied(tmp_path, repair) == f"# mine\n[pypi]\npassword = {TOKEN}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists")
def test_the_file_is_made_private(tmp_path: Path) -> None:
    of_file(tmp_path, GOOD)
    (tmp_path / ".pypirc").chmod(0o644)
    found = pypirc.find(SourceQuery(index=PYPI, env={}, home=tmp_path))
    assert found is not None
    repair = only(tmp_path, access(candidate(LINE, TOKEN, "used"), remarks=found.remarks))
    assert shown(repair) == (
        "pypirc.perms", "make the file readable by its owner only", "~/.pypirc", "mode 644", "mode 600",
    )  # fmt: skip
    repair.apply()
    assert stat.S_IMODE((tmp_path / ".pypirc").stat().st_mode) == 0o600


# -- two sources with different tokens ------------------------------------------------------------------

USED_LINE, SHADOWED_LINE = candidate(LINE, TOKEN, "used"), candidate(LINE, TOKEN, "shadowed")
IN_KEYRING = candidate(ENTRY, OTHER_TOKEN, "shadowed")
DELETE_ENTRY = (
    "src.env-shadows", "delete the token that is not used from the keyring", location_to_text(ENTRY),
    f"<token {Secret(OTHER_TOKEN).fingerprint}>", "",
)  # fmt: skip
FROM_FILE = (location_to_text(LINE), f"password = <token {Secret(TOKEN).fingerprint}>", "")


@pytest.mark.parametrize(
    ("candidates", "causes", "expected"),
    [
        ((USED_LINE, IN_KEYRING), (), [DELETE_ENTRY]),
        ((USED_LINE, IN_KEYRING), ("src.env-shadows",), [DELETE_ENTRY]),
        ((USED_LINE, IN_KEYRING), ("cred.revoked",),
         [("src.env-shadows", "delete the broken token, so that the keyring's is used", *FROM_FILE)]),
        ((USED_LINE, IN_KEYRING), ("net.dns-offline",), []),
        ((USED_LINE, candidate(ENTRY, "broken", "shadowed")), ("cred.revoked",), []),
        ((USED_LINE, candidate(ENTRY, TOKEN, "shadowed")), (), []),
        ((USED_LINE, candidate(ENTRY, OTHER_TOKEN, "other-index")), (), []),
        ((USED_LINE, candidate(OWN, OTHER_TOKEN, "shadowed")), (),
         [("src.env-shadows", "delete the token for every project from the file, so that the one of 'acme' is used",
           *FROM_FILE),
          (*DELETE_ENTRY[:2], location_to_text(OWN), *DELETE_ENTRY[3:])]),
        ((candidate(VARIABLE, OTHER_TOKEN, "used"), SHADOWED_LINE), (),
         [("src.env-shadows", "delete the token that is not used from its line", *FROM_FILE)]),
        ((candidate(VARIABLE, TOKEN, "used"), SHADOWED_LINE), (), []),
        ((candidate(VARIABLE, OTHER_TOKEN, "used"), SHADOWED_LINE), ("cred.revoked",), []),
        ((candidate(VARIABLE, TOKEN, "used"), IN_KEYRING), (), [DELETE_ENTRY]),
        ((candidate(VARIABLE, TOKEN, "used"), IN_KEYRING), ("cred.revoked",), []),
        ((candidate(OWN, TOKEN, "used"), IN_KEYRING), (), []),
        ((IN_KEYRING, SHADOWED_LINE), (), []),
    ],
)  # fmt: skip
def test_the_token_that_is_known_to_be_wrong_is_deleted(
    tmp_path: Path, candidates: tuple[CredentialCandidate, ...], causes: tuple[str, ...], expected: list[Any]
) -> None:
    of_file(tmp_path, GOOD)
    assert [shown(one) for one in proposed(tmp_path, access(*candidates), *causes)] == expected


def test_what_is_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_file(tmp_path, f"{GOOD}a = b\n")
    deleted: list[Any] = []
    monkeypatch.setattr(keyring, "delete_entry", lambda *words: deleted.append(words))
    first, second = proposed(tmp_path, access(USED_LINE, candidate(OWN, OTHER_TOKEN, "shadowed")))
    second.apply()
    assert deleted == [(OWN, {"A": "b"})]
    assert applied(tmp_path, first) == "[pypi]\na = b\n"


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ((USED_LINE,), LINE),
        ((candidate(LINE, TOKEN, "other-index"),), LINE),
        ((SHADOWED_LINE, candidate(VARIABLE, TOKEN, "used")), None),
        ((candidate(replace(LINE, kind="poetry"), TOKEN, "used"),), None),
        ((), None),
    ],
)
def test_the_line_whose_token_is_replaced(
    candidates: tuple[CredentialCandidate, ...], expected: ConfigFileKey | None
) -> None:
    found = line_to_replace(access(*candidates))
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert (found.source, found.location, found.secret) == ("pypirc", expected, Secret(TOKEN))
        assert found.manual_change == f"change {location_to_text(expected)}"


def test_the_only_complete_token_in_a_value() -> None:
    body = TOKEN.removeprefix("pypi-")
    middle = len(TOKEN) // 2
    for text in (
        f"'{TOKEN}'", f" {TOKEN} ", f"{TOKEN} # old {OTHER_TOKEN}", f"{TOKEN}\t; x", f"PYPI-{body}", body,
        f"pypi-{TOKEN}", f"{TOKEN[:middle]}\n  {TOKEN[middle:]}", f"\u201c{TOKEN}\u201d", TOKEN.replace("-", "%2D"),
        f"{TOKEN}%0A", f"{TOKEN}=", f"password={TOKEN}", f"pypi-{body.replace('-', '+').replace('_', '/')}=",
    ):  # fmt: skip
        assert unwrapped(text) == TOKEN, text
    for text in (TOKEN, f"{TOKEN} {OTHER_TOKEN}", TOKEN[:-5], "", "words", f"{TOKEN[:40]}x{TOKEN[40:]}"):
        assert unwrapped(text) is None, text


def test_a_username_without_a_remark_is_corrected_too(tmp_path: Path) -> None:
    """The check of the credential names it, and not its source."""
    found = of_file(tmp_path, f"[pypi]\nusername = ann\npassword = {TOKEN}\n")
    assert isinstance(found.credential, Credential)
    place = ConfigFileKey(path="~/.pypirc", section="pypi", key="username", line=2)
    used = replace(found.credential, username="ann", username_origin=place)
    repair = only(tmp_path, replace(found, remarks=(), credential=used))
    assert shown(repair)[:3] == (
        "cred.username-not-token",
        "correct the username",
        "~/.pypirc, line 2, [pypi] username",
    )
    assert shown(repair)[3:] == ("username = ann", "username = __token__")
