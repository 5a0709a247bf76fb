"""What `PYPI_PREFLIGHT_OFFLINE` means for each command that asks an index."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from release.core.errors import UsageError
from release.core.offline import OFFLINE, is_offline

#: for these it is the same as `--offline`; what runs a plan asks the environment itself
_AS_OPTION = frozenset({"verify", "diagnose", "tokens", "store"})
#: these cannot do anything without an index
_NEED_INDEX = frozenset({"testpypi", "publish", "release", "confirm", "rotate"})
_SET_ACTIONS = frozenset({"check", "release"})


def apply_offline(options: argparse.Namespace, env: Mapping[str, str]) -> None:
    """Set `offline` where the environment asks for it. Raises `UsageError` for a command that needs an index."""
    if not is_offline(env):
        return
    command = options.command
    if command in _AS_OPTION:
        if getattr(options, "exchange", False):
            raise _needs_index(f"{command} --exchange", "omit --exchange")
        options.offline = True
    elif command in _NEED_INDEX and not options.plan:
        raise _needs_index(command)
    elif command == "set" and options.action in _SET_ACTIONS:
        raise _needs_index(f"set {options.action}")
    elif command == "prepare" and options.release and not options.plan:
        raise _needs_index("prepare --release", "omit --release")
    elif command == "inspect" and options.index is not None:
        raise _needs_index("inspect --index", "omit --index")


def _needs_index(command: str, instead: str = "") -> UsageError:
    remedy = f"unset {OFFLINE}, then run it again" + (f"; or {instead}" if instead else "")
    return UsageError(f"{command!r} contacts an index, which {OFFLINE} forbids", remedy=remedy)
