"""The distributions of a release: built once.

Later steps and runs use the same files and compare their hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct

from release.adapters.builds import builder, rehearsed_version
from release.adapters.system import safe_write
from release.adapters.system.system import System, explain_os_errors
from release.core.errors import RefusedError
from release.core.events import Observer
from release.core.models.distribution import Distribution
from release.core.models.file_list import ENDINGS
from release.core.quoting import quote_path
from release.publishing import journal as journals
from release.publishing.journal import Journal
from release.publishing.running_build import EarlyBuild, RunningBuild, prepare_source


class BuildResult(Struct, frozen=True, kw_only=True):
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
    meanwhile: Callable[[], object] = lambda: None,
    early: EarlyBuild | None = None,
) -> BuildResult:
    """Build the files of the release, or use those of an earlier build.

    `origin` as in `plan.Build`; `scratch` returns a path that does not exist yet. `meanwhile` is called while the
    build runs; `early` is the build of this tree, if it was started already. Raises `RefusedError` where files of
    an earlier build are missing or have changed, `ToolError` where the build fails.
    """
    earlier = _earlier_build(journal) if origin != "tree" else ()
    if earlier:
        return BuildResult(files=earlier, built=False)
    if origin == "journal":
        raise RefusedError("nothing has been built", remedy="run: pypi-preflight build")
    journal.remove_files()
    if early is not None and early.started:
        meanwhile()
        done = early.result(journal.dist, notify)
    else:
        commit = journal.commit if origin == "commit" else None
        with RunningBuild(system, directory, journal.dist, commit=commit, scratch=scratch) as running:
            meanwhile()
            done = running.result(notify)
    record = [{"file": file.filename, "sha256": file.sha256, "size": file.size} for file in done.files]
    journal.write(
        "built", origin=origin, files=record, warnings=list(done.warnings),
        **(journals.environments_to_json(done.environments) if done.environments else {}),
    )  # fmt: skip
    return BuildResult(files=done.files, built=True)


def rebuild(
    system: System, directory: Path, commit: str | None, *, scratch: Callable[[str], Path], only_wheel: bool = False
) -> tuple[Distribution, ...]:
    """Build the files once more, for a comparison; with `only_wheel` only a wheel, directly from the tree.

    `commit`: None builds the directory in its current state. Raises `ToolError` where the build fails.
    """
    source, epoch = prepare_source(system, directory, commit, scratch)
    variables = rehearsed_version.prepare_next_version(system, source).variables if commit is None else None
    return builder.build_distributions(
        system,
        source,
        scratch("again"),
        epoch=epoch,
        only_wheel=only_wheel,
        variables=variables,
        copy_of=directory,
    )


def _earlier_build(journal: Journal) -> tuple[Distribution, ...]:
    """The files of the last build, if all of them exist. Raises `RefusedError` where they must not be rebuilt."""
    files = journal.built()
    missing = next((file for file in files if not file.path.is_file()), None)
    if missing is None:
        require_same_files(journal)
        return files
    for event in journal.events():
        if event["event"] == "accepted" and event["index"] != "sandbox":  # a second build may differ
            raise RefusedError(
                f"{missing.filename!r} is missing from {quote_path(journal.dist)}, and {event['index']} has files of "
                "this build",
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
                f"{quote_path(file.path)} has changed since it was built: its SHA-256 is not {file.sha256}",
                remedy="restore it; or, if no index has it yet, remove it and run the same command again",
            )


def copy_files(files: Iterable[Distribution], into: Path) -> None:
    """Copy the files into a directory, which then has no other distributions; those that it has already are left.

    Raises `RefusedError` where it has files of another build, which would be taken for files of this release.
    """
    files = tuple(files)
    names = {file.filename for file in files}
    with explain_os_errors("the copies of the built files"):
        into.mkdir(parents=True, exist_ok=True)
        others = sorted(one.name for one in into.iterdir() if one.name.endswith(ENDINGS) and one.name not in names)
        if others:
            raise RefusedError(
                f"{quote_path(into)} has files of another build: {', '.join(map(repr, others[:4]))}",
                remedy="pass a new directory: --output DIR",
            )
        if not (into / ".gitignore").exists():  # as `uv build` does, so that the next build finds a clean tree
            (into / ".gitignore").write_text("*\n", encoding="utf-8")
        for file in files:
            target = into / file.filename
            if not target.is_file() or builder.load_distribution(target).sha256 != file.sha256:
                safe_write.write_atomically(target, file.path.read_bytes())


def has_distributions(directory: Path) -> bool:
    """Whether a directory has a wheel or an sdist, not counting its subdirectories."""
    return any(one.name.endswith(ENDINGS) and one.is_file() for one in directory.iterdir())
