"""The environment of git: no secret, no program of a repository that is only read, and English messages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from release.core.child_environment import Child, without_credentials
from release.core.lazy_pattern import lazy_pattern

if TYPE_CHECKING:
    from release.adapters.system.system import System

#: Variables that select another repository than that of the working directory; git sets them for hooks, for
#: example. Source: `git rev-parse --local-env-vars`. The configuration in GIT_CONFIG_* is kept, because CI
#: services set `safe.directory` with it.
_OTHER_REPOSITORY = lazy_pattern(
    "GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|PREFIX|NAMESPACE"
    "|GRAFT_FILE|SHALLOW_FILE|IMPLICIT_WORK_TREE|NO_REPLACE_OBJECTS|REPLACE_REF_BASE|CONFIG|EXTERNAL_DIFF)"
)
#: Programs that a repository's configuration names, and that reading needs none of. A filter such as that of Git LFS is
#: not among them: without it, git would report files as changed that are not.
_SETTINGS = {
    "core.fsmonitor": "false", "core.pager": "cat", "log.showSignature": "false",
    "protocol.ext.allow": "never",
}  # fmt: skip


def git_environment(
    system: System, child: Child | None = None, *, hooks: bool = False, transport: str = "none", selected: bool = False
) -> dict[str, str]:
    """The environment for git in the repository of its working directory.

    `child`: what gets secrets, see `CHILDREN`; None: git that reads, and connects to nothing. `hooks`: whether git runs
    hooks, which are code of the project, may connect, and get what the project passes to its code. `transport`: what a
    git that reads connects with; "file" for a clone. `selected`: keep the variables with which git starts a hook, such
    as those of its index.
    """
    env = without_credentials(system.env, child, passed=system.passed if hooks else ())
    if not selected:
        env = {name: value for name, value in env.items() if not _OTHER_REPOSITORY.fullmatch(name)}
    if child != "git at a remote" and not hooks:
        # Before git 2.44, the second does not keep a partial clone from fetching.
        env |= {"GIT_ALLOW_PROTOCOL": transport, "GIT_NO_LAZY_FETCH": "1"}
    env = _with_settings(env, _SETTINGS | ({} if hooks else {"core.hooksPath": os.devnull}))
    # English, for the few messages that are parsed; reading takes no lock.
    env |= {"LC_ALL": "C", "LANGUAGE": "", "GIT_OPTIONAL_LOCKS": "0"}
    return env | {"GIT_TERMINAL_PROMPT": "0", "GIT_PAGER": "cat"}


def _with_settings(env: Mapping[str, str], settings: Mapping[str, str]) -> dict[str, str]:
    """The same with more settings, which count more than those of files. Source: git-config(1), "GIT_CONFIG_COUNT"."""
    count = env.get("GIT_CONFIG_COUNT", "")
    first = int(count) if count.isdecimal() else 0
    found = {**env, "GIT_CONFIG_COUNT": str(first + len(settings))}
    for number, (key, value) in enumerate(settings.items(), first):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found
