"""Builds the distributions once; later steps and runs use the same files and compare their hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from release.adapters.builds import builder
from release.adapters.git import repository
from release.adapters.system.system import System
from release.core.errors import RefusedError
from release.core.events import Message, Observer, Progress
from release.core.models.distribution import Distribution
from release.publishing.journal import Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The files of a release."""

    files: tuple[Distribution, ...]
    #: whether they were built now
    built: bool


def build_files(  # noqa: PLR0913 - source, target and observer of a build
    system: System,
    directory: Path,
    journal: Journal,
    *,
    origin: str,
    scratch: Callable[[str], Path],
    notify: Observer,
) -> BuildResult:
    """Build the files of the release, or use those of an earlier build.

    `origin` as in `plan.Build`; `scratch` returns a path that does not exist yet. Raises `RefusedError` where files of
    an earlier build are missing or have changed, `ToolError` where the build fails.
    """
    earlier = _earlier_build(journal) if origin != "tree" else ()
    if earlier:
        return BuildResult(files=earlier, built=False)
    if origin == "journal":
        raise RefusedError("nothing has been built", remedy="run: python -m release build")
    journal.remove_files()
    source, epoch = _prepare_source(system, directory, journal.commit if origin == "commit" else None, scratch)

    def on_line(line: str) -> None:
        """Show the steps of the build frontend, which start with a star; the rest is progress."""
        notify(Message(text=line, tool_output=True) if line.startswith("* ") else Progress(text=line))

    built = builder.build_distributions(system, source, journal.dist, epoch=epoch, on_line=on_line)
    record = [{"file": file.filename, "sha256": file.sha256, "size": file.size} for file in built]
    journal.write("built", origin=origin, files=record)
    return BuildResult(files=built, built=True)


def rebuild(
    system: System, directory: Path, commit: str | None, *, scratch: Callable[[str], Path], only_wheel: bool = False
) -> tuple[Distribution, ...]:
    """Build the files once more, for a comparison; with `only_wheel` only a wheel, directly from the tree.

    `commit`: None builds the directory in its current state. Raises `ToolError` where the build fails.
    """
    source, epoch = _prepare_source(system, directory, commit, scratch)
    return builder.build_distributions(system, source, scratch("again"), epoch=epoch, only_wheel=only_wheel)


def _prepare_source(
    system: System, directory: Path, commit: str | None, scratch: Callable[[str], Path]
) -> tuple[Path, int | None]:
    """A clone of `commit`, or a copy of the tree; and SOURCE_DATE_EPOCH.

    That is the time of the commit, in seconds since 1970; None outside a repository.
    """
    root = repository.find_root(system, directory)
    if root is None:
        return builder.copy_project(system, directory, scratch("tree")), None
    epoch = repository.commit_time(system, root, commit or repository.commit(system, root))
    if commit is None:
        return builder.copy_project(system, directory, scratch("tree")), epoch
    clone = scratch("clone")
    repository.clone_commit(system, root, commit, clone)
    return clone / directory.resolve().relative_to(root.resolve()), epoch


def _earlier_build(journal: Journal) -> tuple[Distribution, ...]:
    """The files of the last build, if all of them exist. Raises `RefusedError` where they must not be rebuilt."""
    files = journal.built()
    missing = next((file for file in files if not file.path.is_file()), None)
    if missing is None:
        require_same_files(journal)
        return files
    events = (one for one in journal.events() if one["event"] == "accepted" and one["index"] != "sandbox")
    accepted = next(events, None)
    if accepted is not None:  # a second build may differ
        raise RefusedError(
            f"{missing.filename!r} is missing from {str(journal.dist)!r}, and {accepted['index']} has files of this "
            "build",
            remedy="restore it (download it if the index has it), or release a new version",
        )
    return ()


def known_hashes(journal: Journal, files: Iterable[Distribution]) -> frozenset[str]:
    """The SHA-256 of `files` and of those of the last build. Raises `RefusedError` where one of these has changed."""
    require_same_files(journal)
    return frozenset(file.sha256 for file in (*files, *journal.built()))


def require_same_files(journal: Journal) -> None:
    """Raise `RefusedError` where an existing file of the last build has changed since."""
    for file in journal.built():
        if file.path.is_file() and builder.load_distribution(file.path) != file:
            raise RefusedError(
                f"{str(file.path)!r} has changed since it was built: its SHA-256 is not {file.sha256}",
                remedy="restore it; or, if no index has it yet, remove it and run the same command again",
            )
