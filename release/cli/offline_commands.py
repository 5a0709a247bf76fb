"""What `PYPI_PREFLIGHT_OFFLINE` means for each command that asks an index."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping

from release.core.errors import UsageError
from release.core.offline import OFFLINE, is_offline

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from release.core.models.index import Index

#: for these it is the same as `--offline`; what runs a plan asks the environment itself
_AS_OPTION = frozenset({"verify", "diagnose", "tokens", "store"})


def apply_offline(options: argparse.Namespace, env: Mapping[str, str]) -> None:
    """Set `offline` where the environment asks for it. Raises `UsageError` for `--exchange`, which needs an index."""
    if options.command not in _AS_OPTION or not is_offline(env):
        return
    if getattr(options, "exchange", False):
        raise _needs_index(f"{options.command} --exchange", "the index", "omit --exchange")
    options.offline = True


def require_online(command: str, indexes: Iterable[Index], env: Mapping[str, str], *, instead: str = "") -> None:
    """Raise `UsageError` where the environment forbids what `command` cannot do without: to ask these indexes.

    An index on this machine is asked: no network is needed for it. `instead`: what needs no index, in the imperative.
    """
    if not is_offline(env):
        return
    distant = next((index for index in indexes if not index.loopback), None)
    if distant is not None:
        raise _needs_index(command, distant.name, instead)


def _needs_index(command: str, index: str, instead: str) -> UsageError:
    remedy = f"unset {OFFLINE}, then run it again" + (f"; or {instead}" if instead else "")
    return UsageError(f"{command!r} contacts {index}, which {OFFLINE} forbids", remedy=remedy)
