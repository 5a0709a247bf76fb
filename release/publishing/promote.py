"""From a dry run to a release: the very files that passed it go on, and what follows once they are live."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from packaging.version import Version

from release.adapters import collect
from release.adapters.builds import builder
from release.adapters.git import repository, tags
from release.adapters.github import releases
from release.adapters.index import file_cache
from release.core.errors import RefusedError, ToolError, UnreachableError
from release.core.facts import BuiltFile, FilenameConflict
from release.core.models.distribution import Distribution
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.project_listing import IndexFile, ProjectListing
from release.core.models.upload_result import Receipt, result_from_listing
from release.core.plan import SANDBOX, CompareWithDryRun, PushTag, ReleaseOnGitHub, Tag

if TYPE_CHECKING:
    from release.core.config import Config
    from release.publishing.run import Run

#: bytes; larger files are not fetched for a comparison
_LARGEST = 30 * 1024 * 1024


def do(run: Run, step: CompareWithDryRun | Tag | PushTag | ReleaseOnGitHub) -> tuple[bool, str]:
    """Whether there was anything to do, and what there is to say of it. Raises `ReleaseError`."""
    match step:
        case CompareWithDryRun():
            return _compare(run, step)
        case Tag():
            return _tag(run, step)
        case PushTag():
            return _push(run, step)
        case ReleaseOnGitHub():
            return _on_github(run, step)


def find_conflicts(
    files: Sequence[Distribution], listings: Mapping[str, ProjectListing | None], config: Config, proving: str
) -> Iterator[FilenameConflict]:
    """The files of the same name and with other bytes that the indexes have, each fetched where it is not too large."""
    for name, listing in listings.items():
        for file in files:
            there = listing.file(file.filename) if listing else None
            if there is not None and there.sha256 is not None and there.sha256 != file.sha256:
                yield FilenameConflict(
                    index=config.index(name), proving=name == proving, filename=file.filename, sha256=there.sha256,
                    file=_fetched(there),
                )  # fmt: skip


def _fetched(there: IndexFile) -> BuiltFile | Unknown:
    if (there.size or 0) > _LARGEST:
        return Unknown(reason="it is too large to be fetched for a comparison", remedy="compare it by hand")
    try:
        path = file_cache.fetch_file(there)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy)
    except OSError as error:
        return Unknown(reason=f"the cache can't be written: {error.strerror or error}", remedy="make room for it")
    return BuiltFile(filename=there.filename, size=path.stat().st_size, sha256=there.sha256, open=partial(_bytes, path))


def _bytes(path: Path) -> BinaryIO:
    return path.open("rb")


def _compare(run: Run, step: CompareWithDryRun) -> tuple[bool, str]:
    """Let only files go on that passed the dry run, byte for byte. Raises `RefusedError`.

    The journal tells what passed here; of what passed elsewhere, the index of the dry run has the files.
    """
    for file in run.files:
        if not file.path.is_file() or builder.load_distribution(file.path) != file:
            raise RefusedError(
                f"{str(file.path)!r} is no longer the file that was looked at: its SHA-256 is not {file.sha256}",
                remedy="find out who replaced it; bring it back, or take a new version",
            )
    hashes = sorted(file.sha256 for file in run.files)
    if run.journal.last("verified", index=step.proven_on, files=hashes):
        return False, f"the same {len(run.files)} files passed on {step.proven_on}"
    if step.proven_on == SANDBOX:
        raise _unproven(SANDBOX, remedy="run: python -m release rehearse --built")
    _elsewhere(run.config.index(step.proven_on), run)
    run.journal.write("proven", index=step.proven_on, files=hashes)
    return True, f"{step.proven_on} has the same {len(run.files)} files"


def _elsewhere(index: Index, run: Run) -> None:
    """Ask the index of the dry run for the files. Raises `RefusedError` where it lacks one, or has another."""
    assert run.plan.project is not None
    listing = collect.collect_listing(index, run.plan.project, fresh=True)
    if isinstance(listing, Unknown):
        raise RefusedError(f"nobody can say whether a dry run passed: {listing.reason}", remedy=listing.remedy)
    for file in run.files:
        if result_from_listing(file, listing) is None:
            remedy = "run it first: python -m release testpypi; or prove the files otherwise: --dry-run-on sandbox"
            raise _unproven(index.name, remedy=remedy, file=file)
        if not isinstance(result_from_listing(file, listing), Receipt):
            raise RefusedError(
                f"{file.filename!r} is not the file that passed on {index.name}: it has other bytes there",
                remedy="release the files that passed, or take a new version and run the dry run again",
                cause="file.exists-different",
            )


def _unproven(index: str, *, remedy: str, file: Distribution | None = None) -> RefusedError:
    what = f"{index} has no {file.filename!r}" if file else f"nothing verified on {index} has these bytes"
    return RefusedError(f"these files have not passed a dry run: {what}", remedy=remedy)


def new_project_index(run: Run) -> str | None:
    """The name of a lasting index that the run would create the project on; None where it is on all of them.

    A dry run creates projects freely; on PyPI a name is taken once. With trusted publishing somebody has typed
    the name there already: a pending publisher creates the project that it names, and no other.
    """
    named = {step.proven_on for step in run.plan.steps if isinstance(step, CompareWithDryRun)} | run.delivery.exchanging
    targets = (step.index for step in run.plan.irreversible if step.index not in named)
    return next((name for name in targets if name in run.listings and run.listings[name] is None), None)


def _tag(run: Run, step: Tag) -> tuple[bool, str]:
    """Make the tag, with the hashes of the files in it."""
    root = repository.find_root(run.system, run.directory)
    if root is None or run.plan.commit is None or repository.tag_commit(run.system, root, step.name) is not None:
        return False, f"{step.name} is there"
    title = f"{run.plan.project} {run.plan.version}"
    tags.create_tag(run.system, root, step.name, run.plan.commit, f"{title}\n\n{_hashes(run.files)}\n")
    run.journal.write("tagged", tag=step.name)
    return True, ""


def _push(run: Run, step: PushTag) -> tuple[bool, str]:
    """Push the tag, after the release is live. Raises `ToolError`."""
    root = repository.find_root(run.system, run.directory)
    assert root is not None
    if not tags.push_tag(run.system, root, step.remote, step.name):
        return False, f"{step.remote} has {step.name}"
    run.journal.write("pushed", tag=step.name, remote=step.remote)
    return True, ""


def _on_github(run: Run, step: ReleaseOnGitHub) -> tuple[bool, str]:
    """Make the release there. Raises `ToolError`, `UnreachableError`."""
    secret = releases.find_github_token(run.system)
    if secret is None:
        raise ToolError(
            "no way into GitHub: neither GH_TOKEN nor GITHUB_TOKEN is set, and gh has no token",
            remedy="run `gh auth login`, or set GH_TOKEN; or leave it out: github-release = false",
        )
    version = run.plan.version or ""
    wanted = releases.ReleaseRequest(
        repository=step.repository, tag=step.tag, title=f"{run.plan.project} {version}",
        body=f"SHA-256 of the files, as {_and(run)} has them:\n\n```\n{_hashes(run.files)}\n```\n",
        prerelease=Version(version).is_prerelease, files=tuple(run.files),
    )  # fmt: skip
    done, address = releases.publish_release(run.system, secret, wanted)
    if done:
        run.journal.write("released", on="github", tag=step.tag, url=address)
    return done, address


def _hashes(files: Iterable[Distribution]) -> str:
    return "\n".join(f"{file.sha256}  {file.filename}" for file in files)


def _and(run: Run) -> str:
    return " and ".join(step.index for step in run.plan.irreversible) or "the index"
