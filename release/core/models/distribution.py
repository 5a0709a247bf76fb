"""A distribution file to be released."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """An sdist or a wheel on this machine."""

    path: Path
    #: SHA-256 of the bytes, 64 lower-case hex digits
    sha256: str
    #: bytes
    size: int
    #: attestations that are uploaded with it (PEP 740), each a JSON text
    attestations: tuple[str, ...] = field(default=(), repr=False)

    @property
    def filename(self) -> str:
        return self.path.name

    @property
    def kind(self) -> Literal["sdist", "bdist_wheel"]:
        """The file type in the upload form."""
        return "bdist_wheel" if self.filename.endswith(".whl") else "sdist"


#: called while an archive is read: path of the member, a piece of its bytes, whether more of it follow
MemberVisitor = Callable[[str, bytes, bool], None]
