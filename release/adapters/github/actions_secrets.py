"""The secrets of a repository on GitHub, by its program `gh`: their names, and new values for them.

A value goes to the program's standard input, never into its arguments.
Source: the manual of `gh secret set`: without `--body`, it reads standard input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from release.adapters.system.process import Completed
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.redaction import redact
from release.core.secret import Secret

#: seconds
_LIMIT = 60.0


def list_secret_names(system: System, directory: Path) -> tuple[str, ...]:
    """The secrets of the directory's repository, sorted. Raises `ToolError`."""
    done = _gh(system, directory, ["secret", "list", "--json", "name"])
    try:
        return tuple(sorted(str(one["name"]) for one in json.loads(done.output)))
    except (ValueError, KeyError, TypeError):
        raise ToolError(
            "gh lists the secrets in a form that is not known", remedy="update gh: gh version 2.40 can do it"
        ) from None


def set_secret(system: System, directory: Path, name: str, secret: Secret) -> None:
    """Give a secret its new value, or make it. Raises `ToolError`."""
    _gh(system, directory, ["secret", "set", name], value=secret)


def _gh(system: System, directory: Path, words: Sequence[str], *, value: Secret | None = None) -> Completed:
    done = system.run(
        ["gh", *words], cwd=directory, env=system.env, timeout=_LIMIT, apart=True,
        input=None if value is None else value.reveal(),
    )  # fmt: skip
    if done.status:
        said = redact((done.errors or done.output).strip(), [value] if value is not None else []).rpartition("\n")[2]
        raise ToolError(
            f"gh {words[0]} {words[1]} failed with exit status {done.status}: {said!r}",
            remedy="log in: gh auth login; run it in a clone of the repository, whose settings you may change",
        )
    return done
