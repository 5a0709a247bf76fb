"""The stretch between a commit and files whose bytes are known: build once, keep, compare ever after."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from release.adapters.builds import builder
from release.adapters.git import repository
from release.adapters.system.system import System
from release.core.errors import RefusedError
from release.core.events import Message, Observer, Progress
from release.core.models.distribution import Distribution
from release.publishing.journal import Journal


def build_files(  # noqa: PLR0913 - what is built, from where, to where, and who is told
    system: System,
    directory: Path,
    journal: Journal,
    *,
    origin: str,
    scratch: Callable[[str], Path],
    notify: Observer,
) -> tuple[bool, tuple[Distribution, ...]]:
    """The files of the release, and whether they had to be built.

    `origin` is that of `plan.Build`; `scratch` gives paths that nothing is at yet. Raises
    `RefusedError` where kept files are gone or changed, `ToolError` where the build fails.
    """
    kept = _kept(journal) if origin != "tree" else ()
    if kept:
        return False, kept
    if origin == "journal":
        raise RefusedError("nothing has been built", remedy="run: python -m release build")
    journal.forget_files()
    source, epoch = _ground(system, directory, journal.commit if origin == "commit" else None, scratch)
    built = builder.build_distributions(
        system, source, journal.dist, epoch=epoch, on_line=lambda line: _overheard(notify, line)
    )
    record = [{"file": file.filename, "sha256": file.sha256, "size": file.size} for file in built]
    journal.write("built", origin=origin, files=record)
    return True, built


def rebuild(
    system: System, directory: Path, commit: str | None, *, scratch: Callable[[str], Path], only_wheel: bool = False
) -> tuple[Distribution, ...]:
    """The files built once more, to be compared and thrown away; with `only_wheel` a wheel from the tree itself.

    `commit`: None builds the directory as it stands. Raises `ToolError` where the build fails.
    """
    source, epoch = _ground(system, directory, commit, scratch)
    return builder.build_distributions(system, source, scratch("again"), epoch=epoch, only_wheel=only_wheel)


def _overheard(notify: Observer, line: str) -> None:
    """The builder's own steps, which it marks with a star, are said; the rest is a sign of life."""
    notify(Message(text=line, tool_output=True) if line.startswith("* ") else Progress(text=line))


def _ground(
    system: System, directory: Path, commit: str | None, scratch: Callable[[str], Path]
) -> tuple[Path, int | None]:
    """What is built: a clone of `commit`, or a copy of the tree; and the time that the files bear.

    That is the commit's, in seconds since 1970; None outside a repository.
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


def _kept(journal: Journal) -> tuple[Distribution, ...]:
    """The files of the last build, if all of them are there. Raises `RefusedError` where bytes differ."""
    known = journal.built()
    gone = [file for file in known if not file.path.is_file()]
    if gone:
        _refuse_rebuild(journal, gone[0])
        return ()
    require_unchanged(journal)
    return known


def known_hashes(journal: Journal, files: Iterable[Distribution]) -> frozenset[str]:
    """The SHA-256 of `files` and of those of the last build. Raises `RefusedError` where one of these has changed.

    It is asked before any index is, so that nobody is asked about files that will not be sent.
    """
    require_unchanged(journal)
    return frozenset(file.sha256 for file in (*files, *journal.built()))


def require_unchanged(journal: Journal) -> None:
    """Hold the files of the last build that are there to what they were. Raises `RefusedError` where bytes differ."""
    for file in journal.built():
        if file.path.is_file() and builder.load_distribution(file.path) != file:
            raise RefusedError(
                f"{str(file.path)!r} is not the file that was built: its SHA-256 is not {file.sha256}",
                remedy="bring it back; or, if no index has it yet, remove it and run the same command again",
            )


def _refuse_rebuild(journal: Journal, gone: Distribution) -> None:
    """Files that an index has already must not be built a second time: other bytes are another release."""
    sent = next((one for one in journal.events() if one["event"] == "accepted" and one["index"] != "sandbox"), None)
    if sent is not None:
        raise RefusedError(
            f"{gone.filename!r} is gone from {str(journal.dist)!r}, and {sent['index']} has files of this build",
            remedy="bring it back (the index has those that it took), or release a new version",
        )
