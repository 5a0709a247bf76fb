"""The system's keyring, which is read and written in child processes with a time limit.

Observed: twine 7.0.0 and keyring 25.7, 2026-11: the service is exactly the upload URL, with its final slash;
for PyPI and TestPyPI the user is `__token__`, for other indexes twine accepts the user that the keyring returns.

That is one entry for each index. A project's own token has an entry of its own: the same service, and the user
`__token__:` and the project's normalized name; the username that is sent is `__token__`. flit has such entries, too:
the same service, and the user `pypi_token:project:` and the normalized name. Observed: flit 4.2.0, 2026-11.

A colon in a user name is no problem for any backend of keyring 25.7: Windows stores the name, up to 513 characters, and
does not interpret it for generic credentials (Source: Microsoft, "CREDENTIALW structure"), and uses it in the target
"user@service" once a service has a second user; the macOS Keychain stores it as the account, the Secret Service as an
attribute, KWallet as the entry's name (Source: keyring, `backends/`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from release.adapters.keyring import keyring_process
from release.adapters.system.shell_detection import detect_user_environment
from release.checks import credential_remedies
from release.core import shell
from release.core.errors import ReleaseError
from release.core.models.check_result import Finding, Unknown
from release.core.models.credential import THIS_PROGRAM, CredentialCandidate, StoredSecret
from release.core.models.index import RETIRED_HOSTS, Index, host_of, normalize_name
from release.core.models.secret_location import FLIT_PROJECT_USER, PROJECT_USER, KeyringEntry, project_of
from release.core.redaction import redact
from release.core.secret import Secret
from release.core.tokens.token import contains_token
from release.credentials.sources import base
from release.credentials.sources.base import SourceQuery, SourceResult, StorageQuery

if TYPE_CHECKING:
    from release.adapters.system.process import Pipe

#: seconds for each answer of the keyring
TIMEOUT = 10.0
_USERNAME = "__token__"
#: the variable that chooses a backend of the library
_BACKEND = "PYTHON_KEYRING_BACKEND"
#: usernames under which people store a token
_MISTAKEN_USERS = ("", "token", "pypi", "testpypi", "_token_", "__token", "token__", "__TOKEN__")
#: what people write for an index
_NAMES = {"pypi": ("PyPI", "twine"), "testpypi": ("TestPyPI", "test-pypi")}
_NOTHING_SIMILAR: Mapping[str, list[str]] = MappingProxyType({"near": [], "users": []})


def find(query: SourceQuery) -> SourceResult | Unknown | None:
    """The keyring's entry for an index. Not read where an earlier source has a password, unless that is asked for."""
    if query.used is not None and not query.every_source:
        return None
    child = query.keyring_child
    if child is None and not query.without_keyring:
        child = keyring_process.start_keyring(query.env)
    if child is None:
        return _result(query, _no_keyring(query.env))
    own = project_entries(query.index, query.project) if query.project else ()
    with closing(child):
        return _result(query, _read(child, upload_entry(query.index), query.username, own, _similar_entries(query)))


def near_misses(index: Index) -> Iterator[str]:
    """Service names under which people store a token that twine then does not find."""
    site, origin = index.simple_url.removesuffix("simple/"), index.upload_url.removesuffix("legacy/")
    urls = (index.upload_url, f"{site}legacy/", index.simple_url, site, origin)
    retired = (f"https://{host}/pypi" for host, meant in RETIRED_HOSTS.items() if meant == index)
    names = (
        index.upload_url.rstrip("/"), f"{site}legacy/", f"{site}legacy", index.simple_url, site, site.rstrip("/"),
        host_of(index.upload_url), host_of(index.simple_url), index.name,
        *(url.rstrip("/") for url in urls), origin,
        *(f"http://{form.partition('://')[2]}" for url in urls[:1] for form in (url, url.rstrip("/"))), *retired,
        *(_NAMES.get(index.name, ())), f"poetry-repository-{index.name}",
    )  # fmt: skip
    yield from (name for name in dict.fromkeys(names) if name and name != index.upload_url)


def _similar_entries(query: SourceQuery) -> dict[str, list[str]]:
    """The services and users under which a token may be stored by mistake."""
    account = [query.env[name] for name in ("USER", "USERNAME") if query.env.get(name)]
    return {"near": [*near_misses(query.index)], "users": [*dict.fromkeys((*_MISTAKEN_USERS, *account))]}


def upload_entry(index: Index) -> KeyringEntry:
    """The entry that uploads use, of every project that has none of its own: the account's."""
    return KeyringEntry(service=index.upload_url, username=_USERNAME)


def project_entry(index: Index, project: str) -> KeyringEntry:
    """The entry for one project's own token, which the upload of that project uses before any other entry."""
    return KeyringEntry(service=index.upload_url, username=f"{PROJECT_USER}{normalize_name(project)}")


def project_entries(index: Index, project: str) -> tuple[KeyringEntry, KeyringEntry]:
    """The entries that the upload of a project uses before the account's, in order: this program's, and flit's."""
    flit = KeyringEntry(service=index.upload_url, username=f"{FLIT_PROJECT_USER}{normalize_name(project)}")
    return project_entry(index, project), flit


def locate(query: StorageQuery) -> Iterator[StoredSecret]:
    """The entries that uploads use, near misses, poetry's entry, and those that a fleet lists or its projects have.

    Source: poetry, `utils/password_manager.py`: the service is "poetry-repository-" and the repository's name.
    """
    index = query.index
    services = (*near_misses(index), f"poetry-repository-{index.name}")
    listed = tuple(dict.fromkeys(name for names in query.configured.values() for name in names))
    projects = {entry: (name,) for name in listed for entry in project_entries(index, name)}
    entries = (
        *(one.origin for one in query.resolved.candidates if isinstance(one.origin, KeyringEntry)),
        upload_entry(index),
        *(KeyringEntry(service=service, username=_USERNAME) for service in services),
        *(one for one in query.configured if isinstance(one, KeyringEntry)),
        *projects,
    )
    for entry, secret in read_entries(list(dict.fromkeys(entries)), query.system.env).items():
        if isinstance(secret, Secret):
            yield StoredSecret(
                source="keyring", location=KeyringEntry(service=entry.service, username=entry.username), secret=secret,
                projects=query.configured.get(entry, projects.get(entry, ())),
                manual_change=shell.command_line(
                    detect_user_environment(query.system.env).shell_name,
                    "python", "-m", "keyring", "set", entry.service, entry.username,
                ),
            )  # fmt: skip


def replace(stored: StoredSecret, new: Secret, query: StorageQuery) -> None:
    """Write the new token to the entry."""
    if isinstance(stored.location, KeyringEntry):
        write_entry(stored.location, new, query.system.env, insecure=query.insecure)


# -- reading ----------------------------------------------------------------------------------------


def read_entries(
    entries: Sequence[KeyringEntry], env: Mapping[str, str]
) -> dict[KeyringEntry, Secret | Unknown | None]:
    """The secret of each entry; None: no such entry. One process reads them all.

    After a timeout, the remaining entries are unknown.
    """
    child = keyring_process.start_keyring(env) if entries else None
    if child is None:
        return dict.fromkeys(entries, _failure(_no_keyring(env), env))
    found: dict[KeyringEntry, Secret | Unknown | None] = {}
    with closing(child):
        for one in entries:
            answer = _read(child, one, one.username)
            if answer["state"] == "timeout":
                return dict.fromkeys(entries, _failure(answer, env)) | found
            if answer["state"] != "answered":
                found[one] = _failure(answer, env)
            else:
                found[one] = None if answer["password"] is None else Secret(answer["password"])
    return found


def _no_keyring(env: Mapping[str, str]) -> dict[str, Any]:
    """What the child, which is not started, would answer: the empty backend that is chosen, or the library's own."""
    return {"state": "no backend", "backend": "null" if env.get(_BACKEND, "").endswith(".null.Keyring") else "fail"}


def _read(
    child: Pipe,
    entry: KeyringEntry,
    username: str | None,
    own: Iterable[KeyringEntry] = (),
    similar: Mapping[str, list[str]] = _NOTHING_SIMILAR,
) -> dict[str, Any]:
    request = {"service": entry.service, "username": username, "default": entry.username, **similar}
    return _request(child, request | {"own": [one.username for one in own]})


def _request(child: Pipe, request: dict[str, Any]) -> dict[str, Any]:
    try:
        child.write(request)
        return child.read(TIMEOUT)
    except TimeoutError:
        return {"state": "timeout"}
    except (EOFError, OSError, ValueError):
        return {"state": "broken", "error": child.last_error_line()}


def _result(query: SourceQuery, answer: dict[str, Any]) -> SourceResult | Unknown | None:
    if answer["state"] != "answered":
        failure = _failure(answer, query.env)
        if answer["state"] in {"timeout", "locked", "broken"}:
            return failure
        return SourceResult(remarks=(base.warning(failure.reason, failure.remedy, "keyring", failure.cause),))
    own = tuple(_own_candidates(query.index, answer))
    if answer["password"] is None:
        remarks = () if answer["own"] else tuple(_mismatches(query, answer))
        return SourceResult(own=own, remarks=remarks) if own or remarks else None
    user = answer["username"]
    origin = KeyringEntry(service=query.index.upload_url, username=user, backend=answer["backend"])
    return SourceResult(
        own=own, username=user, username_origin=origin, password=Secret(answer["password"]), origin=origin
    )


def _own_candidates(index: Index, answer: dict[str, Any]) -> Iterator[CredentialCandidate]:
    """The project's own tokens; and an entry for one project that twine alone would use, with that user name."""
    for user, text in answer["own"]:
        origin = KeyringEntry(service=index.upload_url, username=user, backend=answer["backend"])
        reader = "flit" if user.startswith(FLIT_PROJECT_USER) else THIS_PROGRAM
        yield CredentialCandidate(origin=origin, password=Secret(text), status="used", tool=reader)
    if answer["first"]:
        user, text = answer["first"]
        origin = KeyringEntry(service=index.upload_url, username=user, backend=answer["backend"])
        yield CredentialCandidate(origin=origin, password=Secret(text), status="twine-only")


def _failure(answer: dict[str, Any], env: Mapping[str, str]) -> Unknown:
    """Why a child process did not read or write an entry."""
    backend, state = answer.get("backend") or "no backend", answer["state"]
    remedy = credential_remedies.without_keyring(detect_user_environment(env), chosen=bool(env.get(_BACKEND)))
    match state:
        case "timeout":
            reason = f"the keyring did not answer within {TIMEOUT:g} s; it may be waiting to be unlocked"
        case "locked":
            reason = f"the keyring ({backend}) is locked; unlock it in the desktop session, or do without it"
        case "broken":
            reason = f"the keyring ({backend}) failed: {answer['error']}"
        case "not installed":
            reason = "no keyring can be used: the keyring library is not installed"
            remedy = "python -m pip install keyring"
        case _:
            reason = f"no keyring can be used: its backend is {backend!r}"
    if state in {"timeout", "locked"}:
        remedy = credential_remedies.without_keyring(detect_user_environment(env))
        return Unknown(reason=reason, remedy=remedy, cause="keyring.hang")
    return Unknown(reason=reason, remedy=remedy, cause="keyring.no-backend")


def _mismatches(query: SourceQuery, answer: dict[str, Any]) -> Iterator[Finding]:
    """Entries of another user, project or service, except those with a token of another index."""
    for one in answer["near"]:
        service, user, password = one["service"], one["username"] or "", one["password"]
        if service == query.index.upload_url and _may_be_for(password, query.index):
            yield _of_another_user(query, user)
        elif service != query.index.upload_url and (
            query.index.kind == "other" or contains_token(password, query.index)
        ):
            yield _of_another_service(query, service, user, "token" if contains_token(password) else "password")


def _may_be_for(password: str, index: Index) -> bool:
    return not contains_token(password) or contains_token(password, index)


def _of_another_service(query: SourceQuery, service: str, user: str, what: str) -> Finding:
    index, username = query.index, query.username or _USERNAME
    who = "" if user == username else f", user {redact(user)!r}"
    return base.warning(
        f"the keyring has a {what} for {service!r}{who}, but uploads look for {index.upload_url!r}, user {username!r}",
        f"pypi-preflight store --index {shell.quote_word(index.name)}", "keyring", "keyring.service-mismatch",
    )  # fmt: skip


def _of_another_user(query: SourceQuery, user: str) -> Finding:
    index, username = query.index, query.username or _USERNAME
    remedy = f"pypi-preflight store --index {shell.quote_word(index.name)}"
    if contains_token(user):
        message = f"the keyring has a token as the username of {index.upload_url!r}; it must be the password"
        return base.warning(message, remedy, "keyring", "cred.swapped")
    if user == _USERNAME and index.kind == "warehouse" and "TWINE_USERNAME" in query.env:
        message = f"the username is {username!r}, but must be {_USERNAME!r}: the keyring has a token"
        command = shell.set_variable(detect_user_environment(query.env).shell_name, "TWINE_USERNAME", _USERNAME)
        return base.warning(message, command, "keyring", "cred.username-not-token")
    owner = project_of(KeyringEntry(service=index.upload_url, username=user))
    if owner is not None and (query.project is None or normalize_name(owner) != normalize_name(query.project)):
        return _other_project(query, owner)
    needed = username if owner is None else f"{PROJECT_USER}{normalize_name(owner)}"
    if owner is not None:
        remedy = f"{remedy} --project {normalize_name(owner)}"
    message = f"the keyring has a password of user {user!r}, but uploads need {needed!r}"
    return base.warning(message, remedy, "keyring", "keyring.username-mismatch")


def _other_project(query: SourceQuery, owner: str) -> Finding:
    remedy = f"pypi-preflight store --index {shell.quote_word(query.index.name)}"
    if query.project is None:
        message = f"the keyring has only a token of project {owner!r}, but the name of this project is not known"
    else:
        name = normalize_name(query.project)
        message = f"the keyring has a token of project {owner!r}, but none of {name!r}, and none for every project"
        remedy += f" --project {name}"
    return base.warning(message, remedy, "keyring", "keyring.other-project")


# -- writing ----------------------------------------------------------------------------------------


def write_entry(entry: KeyringEntry, secret: Secret, env: Mapping[str, str], *, insecure: bool = False) -> KeyringEntry:
    """Store a secret in an entry and read it back: some backends accept everything and store nothing.

    Returns the entry with its backend. A backend that stores secrets in a readable file is refused unless `insecure`.
    Raises ReleaseError, with the cause if it is known.
    """
    request = {"do": "keep", "service": entry.service, "username": entry.username, "insecure": insecure}
    backend = _write({**request, "password": secret.reveal()}, env)
    found = read_entries([entry], env)[entry]
    if isinstance(found, Unknown):
        message = f"the keyring ({backend}) accepted the token, but it could not be read back: {found.reason}"
        raise ReleaseError(message, remedy=found.remedy, cause=found.cause)
    if found != secret:
        raise ReleaseError(
            f"the keyring ({backend}) accepted the token, but does not return it",
            remedy=credential_remedies.without_keyring(detect_user_environment(env)),
            cause="keyring.no-backend",
        )
    return KeyringEntry(service=entry.service, username=entry.username, backend=backend)


def delete_entry(entry: KeyringEntry, env: Mapping[str, str]) -> None:
    """Delete one entry. Raises ReleaseError as `write_entry` does."""
    _write({"do": "remove", "service": entry.service, "username": entry.username}, env)


def _write(request: dict[str, Any], env: Mapping[str, str]) -> str:
    """The name of the backend that did it. Raises ReleaseError."""
    with closing(keyring_process.start_child(env)) as child:
        answer = _request(child, request)
    if answer["state"] == "done":
        return str(answer["backend"])
    if answer["state"] == "insecure":
        raise ReleaseError(
            f"the keyring would write the token to a readable file: its backend is {answer['why']!r}; "
            "--insecure-backend accepts it",
            remedy=credential_remedies.without_keyring(detect_user_environment(env)),
        )
    failure = _failure(answer, env)
    raise ReleaseError(failure.reason, remedy=failure.remedy, cause=failure.cause)
