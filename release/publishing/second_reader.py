"""Reads a large zip in two processes: the child reads parts of it from the end, this one from the start.

Only what is sound in every respect is left to the child: a part in which anything is to be reported is read again here,
as is every part where there is no child, or where it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from release.adapters.system.processors import usable_processors
from release.publishing.own_process import start_own_process
from release.publishing.second_reader_child import file_state

if TYPE_CHECKING:
    from release.adapters.system.process import Pipe

#: bytes of the smallest file that is read in two processes: the child needs a tenth of a second to start
_LARGE = 16 << 20
#: seconds to wait for a part
_LIMIT = 300.0
_CHILD = "release.publishing.second_reader_child"


class SecondReader:
    """The child that reads one file, and what it has read; not for use by two threads."""

    def __init__(self, path: Path, env: Mapping[str, str]) -> None:
        self._path = path
        self._env = env
        self._pipe: Pipe | None = None
        #: the last part that the child has begun
        self._begun: int | None = None
        #: part → whether its members are sound
        self._read: dict[int, bool] = {}
        #: parts that this process reads
        self._own: set[int] = set()
        #: members that were left to the child
        self.count = 0

    def start(self) -> None:
        """Start the child, if the file is a large zip and there is a second processor. `read_parts` ends it."""
        with suppress(OSError):
            is_zip = self._path.name.endswith((".whl", ".zip"))
            if self._pipe is None and is_zip and self._path.stat().st_size >= _LARGE and usable_processors() > 1:
                self._pipe = start_own_process(_CHILD, "part_handler", self._env)

    @contextmanager
    def read_parts(self, content: BinaryIO) -> Iterator[Self]:
        """Within the block, the child reads the file, which is open here, too."""
        self.start()
        try:
            if self._pipe is not None:
                with suppress(OSError):  # it has exited
                    self._pipe.write({"path": str(self._path.absolute()), "state": file_state(content)})
            yield self
        finally:
            self._end()

    def has_read(self, part: int) -> bool:
        """Whether the child has read a part, in which nothing is to be reported; otherwise it is to be read here.

        Waits for a part that the child has begun.
        """
        if part in self._own:
            return False
        while self._pipe is not None and part not in self._read and (self._begun == part or self._pipe.has_message):
            self._receive(self._pipe)
        if self._read.get(part, False):
            self.count += 1
            return True
        self._own.add(part)
        return False

    def _receive(self, pipe: Pipe) -> None:
        try:
            match pipe.read(_LIMIT):
                case {"is": "begun", "part": int(part)}:
                    self._begun = part
                case {"is": "read", "part": int(part), "sound": bool(sound)}:
                    self._read[part] = sound
                case _:
                    self._end()
        except (OSError, EOFError, ValueError):
            self._end()

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.kill()
            self._pipe.close()
        self._pipe = None
