"""What to do about a credential: a command for the user's shell, by where the credential is stored; in CI, what to set.

A remedy is one command line without a remark, so that it can be pasted. What cannot be done by a command is said in
words, with the address of the page. Explanations belong in the message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from release.core import shell
from release.core.facts import Access, ProjectMetadata
from release.core.lazy_pattern import lazy_pattern
from release.core.models.credential import Credential, CredentialCandidate
from release.core.models.index import Index, normalize_name
from release.core.models.secret_location import (
    ConfigFileKey,
    EnvironmentVariable,
    KeyringEntry,
    NotStored,
    PrivateFile,
    SecretLocation,
    TrustedPublishing,
    location_to_text,
    project_of,
)
from release.core.tokens.caveats import InvalidCaveat
from release.core.tokens.defects import TokenDefect
from release.core.tokens.scope import contradictions
from release.core.tokens.token import Token, decode, location_matches, scope, validity

if TYPE_CHECKING:
    from release.core.models.check_result import Finding, Unknown
    from release.core.models.user_environment import UserEnvironment
    from release.core.secret import Secret

_USERNAME, _VARIABLE = "__token__", "TWINE_PASSWORD"
_TWINE_VARIABLES = {_VARIABLE, "TWINE_USERNAME"}
#: causes of remarks on a line of `.pypirc` that `diagnose` offers to change
_CHANGED_BY_DIAGNOSE = frozenset(
    """url.no-scheme url.legacy-domain url.http url.no-trailing-slash url.simple-or-root
    pypirc.repository-mismatch pypirc.indented pypirc.section-misspelled pypirc.key-misspelled pypirc.commented-out
    cred.username-not-token""".split()  # noqa: SIM905 - a list that people read
)
#: defects whose remedy depends on the value, not on where it is stored
_BY_VALUE = frozenset({"cred.secret-reference", "cred.file-path"})


def token_page(index: Index) -> str:
    """The page on which a user creates a token."""
    return f"{index.site}/manage/account/token/"


def own_command(user: UserEnvironment, verb: str, *arguments: str) -> str:
    """A command of this program."""
    return shell.command_line(user.shell_name, "pypi-preflight", verb, *arguments, *user.options)


def store_command(user: UserEnvironment, index: Index, project: str | None = None) -> str:
    """The command that reads a new token and stores it where uploads find it: of one project, or of every project."""
    return own_command(user, "store", "--index", index.name, *(("--project", project) if project else ()))


def new_token(access: Access, origin: SecretLocation | None = None) -> str:
    """Put a new token in place of the one in `origin`; None: there is none yet."""
    user, index = access.user, access.index
    match origin:
        case NotStored():
            return f"create a token at {token_page(index)}"
        case TrustedPublishing():
            return "run the job again: each run gets a new token"
        case _ if user.ci is not None:
            return _set_in_ci(user, index)
        case EnvironmentVariable(name=name) if name not in _TWINE_VARIABLES:
            return shell.read_variable(user.shell_name, name)
        case EnvironmentVariable(name=name):
            return _without_variable(access, origin, name)
        case ConfigFileKey(kind="pypirc"):
            return own_command(user, "diagnose")
        case KeyringEntry(service=service, username=username) if username != _USERNAME and not project_of(origin):
            return shell.command_line(user.shell_name, "python", "-m", "keyring", "set", service, username)
        case ConfigFileKey() | PrivateFile():
            return f"create a token at {token_page(index)} and write it to {location_to_text(origin)}"
        case _ if user.can_store:
            return store_command(user, index, project_of(origin))
        case _:
            return shell.read_variable(user.shell_name, _VARIABLE)


def rotated_token(access: Access) -> str:
    """Replace the token that is used and still works, wherever it is stored."""
    user, origin = access.user, access.credential.origin if isinstance(access.credential, Credential) else None
    in_file = isinstance(origin, ConfigFileKey) and origin.kind == "pypirc"
    if user.ci is not None or not (in_file or isinstance(origin, KeyringEntry)):
        return new_token(access, origin)
    project = project_of(origin)
    return own_command(user, "rotate", "--index", access.index.name, *(("--project", project) if project else ()))


def token_for_project(access: Access, origin: SecretLocation | None) -> str:
    """Store a token for this project, where the one in `origin` is for others: the keyring has both."""
    user = access.user
    if not isinstance(origin, KeyringEntry) or user.ci is not None or not user.can_store:
        return new_token(access, origin)
    name = normalize_name(access.project.name) if isinstance(access.project, ProjectMetadata) else None
    return store_command(user, access.index, name)


def _without_variable(access: Access, origin: SecretLocation, name: str) -> str:
    """Unset a variable; then nothing more where another token is stored that works, else store one."""
    user = access.user
    wrong_username = _has_wrong_username_variable(access)
    names = ("TWINE_USERNAME",) * wrong_username + (name,)
    unset = shell.unset_variables(user.shell_name, *names)
    rest = [one for one in access.candidates if one.origin != origin and one.status in {"used", "shadowed"}]
    if rest and _is_sound(access, rest[0].password):
        return unset
    if any(isinstance(one.origin, ConfigFileKey) for one in rest):
        return shell.join_commands(user.shell_name, unset, own_command(user, "diagnose"))
    if not user.can_store:
        username = shell.set_variable(user.shell_name, "TWINE_USERNAME", _USERNAME) if wrong_username else ""
        return shell.join_commands(user.shell_name, shell.read_variable(user.shell_name, name), username)
    return shell.join_commands(user.shell_name, unset, store_command(user, access.index))


def _has_wrong_username_variable(access: Access) -> bool:
    used = access.credential
    return (
        isinstance(used, Credential)
        and access.index.kind == "warehouse"
        and used.username != _USERNAME
        and isinstance(used.username_origin, EnvironmentVariable)
    )


def _is_sound(access: Access, secret: Secret) -> bool:
    """Whether a stored secret is a token that shows no problem by itself."""
    if access.index.kind == "other":
        return bool(len(secret))
    token = decode(secret)
    if not isinstance(token, Token) or not location_matches(token.location, access.index):
        return False
    limits, projects = validity(token), scope(token).projects
    if any(contradictions(token.caveats, access.now)) or any(isinstance(one, InvalidCaveat) for one in token.caveats):
        return False
    return (
        (limits.not_before is None or limits.not_before <= access.now)
        and (limits.expires_at is None or access.now < limits.expires_at)
        and not (
            projects is not None
            and isinstance(access.project, ProjectMetadata)
            and normalize_name(access.project.name) not in projects
        )
    )


def _set_in_ci(user: UserEnvironment, index: Index) -> str:
    token = f"create a token at {token_page(index)}" if index.kind == "warehouse" else f"find the token of {index.name}"
    return f"{token} and set it as the secret behind {_VARIABLE}{_in_secrets(user)}"


def _in_secrets(user: UserEnvironment) -> str:
    """Where the secrets of a job are: the page, or the service where its address is not known."""
    if user.ci is None:
        return ""
    return f": {user.ci.secrets_page}" if user.ci.secrets_page else f" in the settings of {user.ci.service}"


def without_keyring(user: UserEnvironment, *, chosen: bool = False) -> str:
    """Use a variable instead of a keyring that does not work. `chosen`: a variable chooses its backend: unset that."""
    if user.ci is not None:
        return f"set a token as the secret behind {_VARIABLE}{_in_secrets(user)}"
    if chosen:
        return shell.unset_variables(user.shell_name, "PYTHON_KEYRING_BACKEND")
    return shell.read_variable(user.shell_name, _VARIABLE)


def empty_password(access: Access, origin: SecretLocation) -> str:
    """A password that is set, but empty: in CI, the secret has another name or is not given to the job."""
    if access.user.ci is not None:
        return f"compare the name and environment of the secret in the workflow with those{_in_secrets(access.user)}"
    return new_token(access, origin)


def username_for_tokens(access: Access, origin: SecretLocation) -> str:
    """Set the username in `origin` to `__token__`."""
    user = access.user
    match origin:
        case EnvironmentVariable(name=name) if user.ci is not None:
            return f"set {name} to {_USERNAME} in the workflow, or as a secret{_in_secrets(user)}"
        case EnvironmentVariable(name=name):
            return shell.set_variable(user.shell_name, name, _USERNAME)
        case ConfigFileKey(kind="pypirc") if user.ci is None:
            return own_command(user, "diagnose")
        case KeyringEntry(service=service, username=username) if user.ci is None:
            delete = shell.command_line(user.shell_name, "python", "-m", "keyring", "del", service, username)
            return shell.join_commands(user.shell_name, delete, store_command(user, access.index))
        case _:
            return f"write username = {_USERNAME} in {location_to_text(origin)}"


def defective_token(access: Access, origin: SecretLocation, cause: str | None, remedy: str) -> str:
    """Replace a value that is no usable token; `remedy` is for a value that is not stored anywhere."""
    path = access.token.path if isinstance(access.token, TokenDefect) else ""
    if path and isinstance(origin, EnvironmentVariable) and access.user.ci is None:  # cmd knows no ~
        return (
            remedy
            if access.user.shell_name == "cmd" and path.startswith("~")
            else shell.load_variable(access.user.shell_name, origin.name, path)
        )
    if cause in _BY_VALUE or isinstance(origin, NotStored):
        return remedy
    if cause == "cred.env-empty":
        return empty_password(access, origin)
    if cause == "cred.swapped" and isinstance(origin, EnvironmentVariable) and access.user.ci is None:
        unset = shell.unset_variables(access.user.shell_name, *sorted(_TWINE_VARIABLES))
        return shell.join_commands(access.user.shell_name, unset, store_command(access.user, access.index))
    return new_token(access, origin)


def copied_variable(access: Access, name: str) -> str:
    """Pass the token in a variable that twine does not read in the one that it reads."""
    user = access.user
    if user.ci is not None:
        return f"pass the secret as {_VARIABLE} instead of {name} in the workflow"
    if user.shell_name == "posix":
        return f'export TWINE_USERNAME={_USERNAME} {_VARIABLE}="${name}"'
    username = shell.set_variable(user.shell_name, "TWINE_USERNAME", _USERNAME)
    return shell.join_commands(user.shell_name, username, shell.copy_variable(user.shell_name, _VARIABLE, name))


def with_remedy(access: Access, remark: Finding) -> Finding:
    """A source's remark with the remedy for this user and all that is stored; unchanged where its own is complete."""
    found = _candidate_at(access, remark.where)
    user, remedy = access.user, remark.remedy
    in_pypirc = user.ci is None and (remark.where or "").startswith("~/.pypirc")
    match remark.cause:
        case "cred.wrong-index" if found is not None and user.ci is not None and access.credential is not None:
            remedy = f"remove {location_to_text(found.origin)} from the environment of this job"
        case "cred.wrong-index" | "pypirc.testpypi-under-pypi" if found is not None:
            remedy = new_token(access, found.origin)
        case "src.wrong-env-name" if found is not None and isinstance(found.origin, EnvironmentVariable):
            remedy = copied_variable(access, found.origin.name)
        case "cred.missing" | "src.password-missing" | "keyring.service-mismatch" | "keyring.username-mismatch":
            remedy = new_token(access)
        case "keyring.other-project":
            remedy = token_for_project(access, KeyringEntry(service=access.index.upload_url, username=_USERNAME))
        case "keyring.hang" if isinstance(access.credential, Credential) and user.ci is None:
            null = "keyring.backends.null.Keyring"  # which has no entries, and answers at once
            remedy = shell.set_variable(user.shell_name, "PYTHON_KEYRING_BACKEND", null)
        case "src.env-shadows" if user.ci is None:
            remedy = _without_shadow(access, found.origin if found else None)
        case cause if in_pypirc and (cause in _CHANGED_BY_DIAGNOSE or _is_unlisted(remark)):
            remedy = own_command(user, "diagnose")
        case _:
            pass
    return replace(remark, remedy=remedy)


def _is_unlisted(remark: Finding) -> bool:
    """Whether a section only lacks in `index-servers`: one with another name is corrected by hand."""
    return remark.cause == "pypirc.section-unlisted" and "index-servers" in remark.message


def _without_shadow(access: Access, origin: SecretLocation | None) -> str:
    """Use one of two tokens: a project's own that shows no problem, rather than a variable; else the user chooses."""
    own = next((one for one in access.candidates if one.status == "shadowed" and project_of(one.origin)), None)
    if isinstance(origin, EnvironmentVariable) and own is not None and _is_sound(access, own.password):
        return shell.unset_variables(access.user.shell_name, origin.name)
    return own_command(access.user, "diagnose")


def unanswered_source(access: Access, unknown: Unknown) -> Unknown:
    """A source that did not answer, with the remedy that does without it."""
    return replace(unknown, remedy=new_token(replace(access, user=replace(access.user, can_store=False))))


def _candidate_at(access: Access, where: str | None) -> CredentialCandidate | None:
    return next((one for one in access.candidates if location_to_text(one.origin) == where), None)


#: causes besides those of the token itself that a new token fixes
_FIXED_BY_NEW_TOKEN = lazy_pattern(
    r"keyring\.(?:stale|service-mismatch|username-mismatch|other-project)|src\.password-missing|url\.credentials"
    r"|pypirc\.(?:testpypi-under-pypi|indented|section-misspelled|key-misspelled|commented-out)"
)


#: causes of the token itself that a new token does not fix, or that are no reason for one yet
_NOT_FIXED = lazy_pattern(r"cred\.(?:username-.*|expires-soon|project-id-scope|leaked-auto-revoked)")


def is_fixed_by_new_token(cause: str | None) -> bool:
    """Whether a cause goes away with a new token."""
    cause = cause or ""
    return bool(_FIXED_BY_NEW_TOKEN.fullmatch(cause)) or (cause.startswith("cred.") and not _NOT_FIXED.fullmatch(cause))
