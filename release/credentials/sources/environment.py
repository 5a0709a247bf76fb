"""Environment variables that twine reads.

Observed: twine 7.0.0, 2026-11: TWINE_USERNAME and TWINE_PASSWORD apply to every repository, and an empty
variable counts as set. No variable names the `.pypirc` to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from release.adapters.system.shell_detection import detect_user_environment
from release.core import shell
from release.core.models.credential import StoredSecret
from release.core.models.secret_location import ConfigFileKey, EnvironmentVariable, SecretLocation, location_to_text
from release.core.secret import Secret
from release.core.tokens.token import contains_token
from release.credentials.sources import base
from release.credentials.sources.base import SourceQuery, SourceResult, StorageQuery

if TYPE_CHECKING:
    from release.core.models.check_result import Finding
    from release.core.models.index import Index


def find(query: SourceQuery) -> SourceResult:
    """What twine's variables have. A token as the username is not used, and a password that goes with it neither."""
    username, password = query.env.get("TWINE_USERNAME"), query.env.get("TWINE_PASSWORD")
    remarks = tuple(_remarks(query.index, query.env))
    if username is not None and contains_token(username):
        if password is None or not contains_token(password):
            return SourceResult(remarks=(*remarks, _swapped(password, query.env)))
        remarks += (_token_as_username(query.env),)
        username = None
    return SourceResult(
        username=username, username_origin=EnvironmentVariable(name="TWINE_USERNAME"),
        password=None if password is None else Secret(password), origin=EnvironmentVariable(name="TWINE_PASSWORD"),
        remarks=remarks,
    )  # fmt: skip


def passed_over_by_twine(query: SourceQuery, origin: SecretLocation) -> Iterator[Finding]:
    """That twine alone would not read the file with the password, because a variable gives it an address."""
    url = query.env.get("TWINE_REPOSITORY_URL")
    if url and isinstance(origin, ConfigFileKey) and base.is_same(url, query.index.upload_url):
        where = location_to_text(origin)
        yield base.warning(
            f"pypi-preflight uploads with {where}; twine alone would not read that file, because $TWINE_REPOSITORY_URL "
            "is set", "unset TWINE_REPOSITORY_URL", "$TWINE_REPOSITORY_URL", "pypirc.bypassed-by-url",
        )  # fmt: skip


def locate(query: StorageQuery) -> Iterator[StoredSecret]:
    """Twine's variable, and those that a fleet lists."""
    configured = {
        one.name: projects for one, projects in query.configured.items() if isinstance(one, EnvironmentVariable)
    }
    for name in dict.fromkeys(("TWINE_PASSWORD", *configured)):
        if name in query.system.env:
            yield stored_variable("environment", name, query.system.env[name], configured.get(name, ()))


def stored_variable(source: str, name: str, value: str, projects: tuple[str, ...] = ()) -> StoredSecret:
    """A variable, which can only be changed by hand."""
    return StoredSecret(
        source=source, location=EnvironmentVariable(name=name), secret=Secret(value), projects=projects,
        replaceable=False,
        manual_change=f"in this shell, run: read -rs {name} && export {name}, and paste the new token; "
        "then change it where it is set: shell profile, .env file, settings of the CI service",
    )  # fmt: skip


#: not possible: a process cannot change its parent's variables
replace = base.refuse_replacement


def _swapped(password: str | None, env: Mapping[str, str]) -> Finding:
    if password is not None and password.strip() == "__token__":
        message = (
            "$TWINE_USERNAME has the token and $TWINE_PASSWORD its username: they are swapped; pypi-preflight uses "
            "neither, twine alone would send them so"
        )
    else:
        message = "$TWINE_USERNAME has the token, which must be in $TWINE_PASSWORD; pypi-preflight does not use it"
    user = detect_user_environment(env)
    remedy = shell.join_commands(
        user.shell_name,
        shell.copy_variable(user.shell_name, "TWINE_PASSWORD", "TWINE_USERNAME"),
        shell.set_variable(user.shell_name, "TWINE_USERNAME", "__token__"),
    )
    if user.ci is not None:
        remedy = "pass the secret as TWINE_PASSWORD, and __token__ as TWINE_USERNAME, in the workflow"
    return base.warning(message, remedy, "$TWINE_USERNAME", "cred.swapped")


def _token_as_username(env: Mapping[str, str]) -> Finding:
    remedy = shell.set_variable(detect_user_environment(env).shell_name, "TWINE_USERNAME", "__token__")
    message = "$TWINE_USERNAME has a token: pypi-preflight sends '__token__' as the username, twine alone would send it"
    return base.warning(message, remedy, "$TWINE_USERNAME", "cred.username-not-token")


def _remarks(index: Index, env: Mapping[str, str]) -> Iterator[Finding]:
    url, name = env.get("TWINE_REPOSITORY_URL"), env.get("TWINE_REPOSITORY")
    name_of_shell = detect_user_environment(env).shell_name
    if url and base.is_same(url, index.upload_url):
        unset = shell.unset_variables(name_of_shell, "TWINE_REPOSITORY_URL")
        yield from base.remarks_on(url, index.upload_url, "$TWINE_REPOSITORY_URL", unset)
    elif url:
        yield _ignored("TWINE_REPOSITORY_URL", base.without_user(url), index, env)
    elif name and name != index.name:
        yield _ignored("TWINE_REPOSITORY", name, index, env)
    if "TWINE_CONFIG_FILE" in env:
        yield base.warning(
            "$TWINE_CONFIG_FILE is set, but neither pypi-preflight nor twine reads it: they read ~/.pypirc",
            shell.unset_variables(name_of_shell, "TWINE_CONFIG_FILE"), "$TWINE_CONFIG_FILE", "src.wrong-env-name",
        )  # fmt: skip


def _ignored(variable: str, value: str, index: Index, env: Mapping[str, str]) -> Finding:
    return base.warning(
        f"${variable} is {value!r}: pypi-preflight uploads to {index.upload_url!r} and does not read it; twine alone "
        "would upload there", shell.unset_variables(detect_user_environment(env).shell_name, variable),
        f"${variable}", "pypirc.bypassed-by-url",
    )  # fmt: skip
