"""The upload of a release to an index: open, upload, check, then publish or discard.

PyPI publishes each file as it accepts it, so that its session has nothing left to publish and nothing to discard. An
index with staged releases shows the files at an address of the session first: if any is refused there, no file name
is used. Only the sandbox has them so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from release.adapters import collect
from release.adapters.index import staging_api
from release.adapters.index.staging_api import Stage
from release.core.errors import ReleaseError, UnreachableError
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, Receipt, result_from_listing
from release.core.models.index import Index, ProjectListing
from release.publishing.upload.errors import RUN_AGAIN, UploadError


class IndexSession(Protocol):
    """One upload of a release."""

    @property
    def index(self) -> Index:
        """Where the files are uploaded to, and listed until they are published."""

    @property
    def staged(self) -> bool:
        """Whether the files are public only once they are published."""

    def publish(self, files: Sequence[Distribution], project: ProjectMetadata) -> None:
        """Make the files public. Raises `RefusedError`, and `UploadError` where it is unknown whether they are."""


@contextmanager
def open_session(index: Index, credential: Callable[[], Credential]) -> Iterator[IndexSession]:
    """The session of an upload; on every way out, what was not published is discarded as far as the index can.

    Raises `UnreachableError`, and `RefusedError` where the index opens no stage.
    """
    if index.stages_url is None:
        yield _ImmediateSession(index=index)
        return
    stage = staging_api.open_stage(index, credential())
    preview = replace(
        index, name=f"{index.name} (stage)", upload_url=stage.upload_url, simple_url=stage.simple_url, stages_url=None,
        ephemeral=True,
    )  # fmt: skip
    session = _StagedSession(index=preview, _of=index, _stage=stage, _credential=credential)
    try:
        yield session
    finally:
        if not session.published:
            with suppress(ReleaseError):  # the index discards it in time
                staging_api.discard_stage(index, stage, credential())


class _ImmediateSession(Struct, frozen=True, kw_only=True):
    """A session with an index that publishes each file as it accepts it."""

    index: Index
    staged: bool = False

    def publish(self, files: Sequence[Distribution], project: ProjectMetadata) -> None:
        """Nothing: the files are public."""


class _StagedSession(Struct, kw_only=True):
    """A session with an index that has stages; `index` is the stage."""

    index: Index
    staged: bool = True
    published: bool = False
    _of: Index
    _stage: Stage
    _credential: Callable[[], Credential]

    def publish(self, files: Sequence[Distribution], project: ProjectMetadata) -> None:
        """Publish the stage; after an unclear answer, ask the index what it has, by hash."""
        index = self._of
        try:
            staging_api.publish_stage(index, self._stage, self._credential())
        except UnreachableError as error:
            listing = collect.collect_listing(index, project.name, fresh=True)
            listed = listing if isinstance(listing, ProjectListing) else None
            if not all(isinstance(result_from_listing(file, listed), Receipt) for file in files):
                message = f"it is unknown whether {index.name} has published the release: {error.message}"
                raise UploadError(message, remedy=RUN_AGAIN, cause=error.cause) from error
        self.published = True
