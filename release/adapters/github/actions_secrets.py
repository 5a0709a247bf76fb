"""List and set the secrets of a repository on GitHub, with `gh`.

A value is written to the program's standard input, never to its arguments. Source: the manual of `gh secret set`:
without `--body`, it reads standard input.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from release.adapters.system.process import Completed
from release.adapters.system.system import System
from release.core.child_environment import without_credentials
from release.core.errors import ToolError
from release.core.foreign_json import parse_foreign_json
from release.core.redaction import redact
from release.core.secret import Secret

#: seconds
_TIMEOUT = 60.0


def list_secret_names(system: System, directory: Path) -> tuple[str, ...]:
    """The names of the secrets of the directory's repository, sorted. Raises `ToolError`."""
    done = _gh(system, directory, ["secret", "list", "--json", "name"])
    try:
        return tuple(sorted(str(one["name"]) for one in parse_foreign_json(done.output)))
    except (ValueError, KeyError, TypeError):
        raise ToolError("cannot parse the output of gh secret list", remedy="update gh to 2.40 or later") from None


def set_secret(system: System, directory: Path, name: str, secret: Secret) -> None:
    """Set the value of a secret, which is created if necessary. Raises `ToolError`."""
    _gh(system, directory, ["secret", "set", name], value=secret)


def _gh(system: System, directory: Path, words: Sequence[str], *, value: Secret | None = None) -> Completed:
    done = system.run(
        ["gh", *words], cwd=directory, env=without_credentials(system.env, "gh"), timeout=_TIMEOUT, apart=True,
        input=None if value is None else value.reveal(),
    )  # fmt: skip
    if done.status:
        text = redact((done.errors or done.output).strip(), [value] if value is not None else []).rpartition("\n")[2]
        raise ToolError(
            f"gh {words[0]} {words[1]} failed with exit status {done.status}: {text!r}",
            remedy="run: gh auth login; then run the same command in a clone of a repository that you administer",
        )
    return done
