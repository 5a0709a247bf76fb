"""Where this program stores what it needs between runs: of the user, and of each project's releases.

`--state-dir` and $PREFLIGHT_STATE name one directory for both: for checkouts that are read-only, and for caches of CI.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from release.core.errors import UsageError
from release.core.quoting import quote_path

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from pathlib import Path

#: the environment variable that names the user's state directory
STATE_VARIABLE = "PYPI_PREFLIGHT_STATE"
#: the environment variable that names a directory for everything; `--state-dir` precedes it
EVERYTHING_VARIABLE = "PREFLIGHT_STATE"

_RELEASES = ".release"
#: the chosen directory, and the project whose releases are directly in it
_chosen: tuple[Path, Path] | None = None


def state_directory(env: Mapping[str, str], chosen: Path | None = None) -> Path:
    """Return the user's state directory: `chosen`, that of `--state-dir` or of a variable, or the system's for it."""
    if chosen is not None:
        return chosen
    if _chosen is not None:
        return _chosen[0]
    from pathlib import Path

    if named := env.get(STATE_VARIABLE) or env.get(EVERYTHING_VARIABLE):
        return Path(named)
    from platformdirs import user_state_path

    return user_state_path("pypi-preflight", appauthor=False)


def releases_directory(project: Path) -> Path:
    """The directory with the journals, files and records of a project's releases; `project` is absolute.

    `.release` in the project, or the chosen directory; in that, each project below the current one has a directory
    of its own. Raises `UsageError` where the chosen directory contains the project: git ignores all that is in it.
    """
    if _chosen is None:
        return project / _RELEASES
    chosen, root = _chosen
    if root.is_relative_to(chosen.resolve()):
        raise UsageError(
            f"the state directory {quote_path(chosen)} contains the project",
            remedy=f"pass a directory of its own to --state-dir, or set {EVERYTHING_VARIABLE} to it",
        )
    if project.is_relative_to(chosen):
        return project / _RELEASES
    if project == root:
        return chosen
    from pathlib import Path

    inside = project.relative_to(root) if project.is_relative_to(root) else Path(*project.parts[1:])
    return chosen / "members" / inside


@contextmanager
def store_in(chosen: Path | None, env: Mapping[str, str], project: Path) -> Iterator[None]:
    """Store everything in `chosen`, or else in the directory of $PREFLIGHT_STATE, until the context ends.

    `project` is the one that the program runs for. Without either, nothing changes.
    """
    global _chosen  # noqa: PLW0603 - one place for a run of the program
    if chosen is None and env.get(EVERYTHING_VARIABLE):
        from pathlib import Path

        chosen = Path(env[EVERYTHING_VARIABLE])
    before, _chosen = _chosen, (chosen.absolute(), project) if chosen is not None else None
    try:
        yield
    finally:
        _chosen = before
