"""A file that is to be released, named by its bytes."""

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
    #: what goes with it when it is uploaded (PEP 740), each a JSON text
    attestations: tuple[str, ...] = field(default=(), repr=False)

    @property
    def filename(self) -> str:
        return self.path.name

    @property
    def kind(self) -> Literal["sdist", "bdist_wheel"]:
        """The index's word for the type of file."""
        return "bdist_wheel" if self.filename.endswith(".whl") else "sdist"


#: is shown what is read of an archive's members: path, a piece of the bytes, whether more of this member follow
MemberVisitor = Callable[[str, bytes, bool], None]
