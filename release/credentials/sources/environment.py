"""Environment variables that twine reads.

Observed: twine 7.0.0, 2026-11: TWINE_USERNAME and TWINE_PASSWORD apply to every repository, and an empty
variable counts as set. No variable names the `.pypirc` to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from release.adapters.system.shell_detection import detect_user_environment
from release.core import shell
from release.core.models.check_result import Finding
from release.core.models.credential import StoredSecret
from release.core.models.index import Index
from release.core.models.secret_location import EnvironmentVariable
from release.core.secret import Secret
from release.credentials.sources import base
from release.credentials.sources.base import SourceQuery, SourceResult, StorageQuery, without_user


def find(query: SourceQuery) -> SourceResult:
    """What twine's variables have."""
    password = query.env.get("TWINE_PASSWORD")
    return SourceResult(
        username=query.env.get("TWINE_USERNAME"), username_origin=EnvironmentVariable(name="TWINE_USERNAME"),
        password=None if password is None else Secret(password), origin=EnvironmentVariable(name="TWINE_PASSWORD"),
        remarks=tuple(_remarks(query.index, query.env)),
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


def _remarks(index: Index, env: Mapping[str, str]) -> Iterator[Finding]:
    url, name = env.get("TWINE_REPOSITORY_URL"), env.get("TWINE_REPOSITORY")
    if url and without_user(url).rstrip("/") != index.upload_url.rstrip("/"):
        yield _ignored("TWINE_REPOSITORY_URL", without_user(url), index, env)
    elif name and not url and name != index.name:
        yield _ignored("TWINE_REPOSITORY", name, index, env)
    if "TWINE_CONFIG_FILE" in env:
        yield base.warning(
            "$TWINE_CONFIG_FILE is set, but twine does not read it: it reads ~/.pypirc, or the file of --config-file",
            shell.unset_variables(detect_user_environment(env).shell_name, "TWINE_CONFIG_FILE"),
            "$TWINE_CONFIG_FILE", "src.wrong-env-name",
        )  # fmt: skip


def _ignored(variable: str, value: str, index: Index, env: Mapping[str, str]) -> Finding:
    return base.warning(
        f"${variable} is {value!r}, which is ignored: this upload goes to {index.upload_url!r}",
        shell.unset_variables(detect_user_environment(env).shell_name, variable),
        f"${variable}", "pypirc.bypassed-by-url",
    )  # fmt: skip
