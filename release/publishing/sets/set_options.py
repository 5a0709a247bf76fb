"""What a run of a set is executed in, and with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from release.adapters.system.system import System
from release.core.config import Config, DryRunIndex
from release.core.events import SetObserver
from release.core.models.release_set import ReleaseSet
from release.core.models.set_results import SetVerb
from release.core.repeated_command import RepeatedCommand
from release.publishing.upload.workers import UploadClient

#: asks once, before the first lasting effect
Approve = Callable[[ReleaseSet], bool]
#: asks whether these projects may be created, each with its index. Raises `RefusedError` where they may not
ApproveNew = Callable[[Sequence[tuple[str, str]]], None]


class SetRunOptions(Struct, frozen=True, kw_only=True):
    """What a set's run is executed in, and with."""

    verb: SetVerb
    #: the root of the set
    directory: Path
    #: the root's configuration
    config: Config
    system: System
    notify: SetObserver
    approve: Approve
    approve_new: ApproveNew
    #: repeats the run
    command: RepeatedCommand
    #: the only index to upload to; None: those of a whole release
    index: str | None = None
    #: names of the projects that the user agrees to create
    new_projects: tuple[str, ...] = ()
    dry_run_on: DryRunIndex | None = None
    #: whether a rehearsal succeeds even if failed checks would block a release
    allow: bool = False
    #: whether a rehearsal is not compared with the last releases
    offline: bool = False
    #: starts an upload client; None: a twine process
    start: Callable[[], UploadClient] | None = None
