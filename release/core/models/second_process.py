"""What another process may do of an inspection."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol


class PartReader(Protocol):
    """Another process that reads parts of the same zip."""

    def has_read(self, part: int) -> bool:
        """Whether it has read the part of a member, in which nothing is to be reported; asked once for each member."""


class RstRenderer(Protocol):
    """Renders reStructuredText as the index does."""

    def prepare(self, text: str) -> None:
        """Begin with a text that will be needed."""

    def __call__(self, text: str) -> tuple[str, str | None]:
        """HTML, and the renderer's message where there is none."""


#: reads parts of an open file while the block runs
ReadParts = Callable[[BinaryIO], AbstractContextManager[PartReader]]
