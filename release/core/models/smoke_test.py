"""One thing tried on an installed project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from release.core.models.finding import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTest:
    """One thing to try on the installed project."""

    kind: Literal["import", "script", "command"]
    #: the module; the console script and its arguments; the program and its arguments
    words: tuple[str, ...]
    #: whether the maintainer asked for it: then nothing excuses a failure
    asked_for: bool = False

    @property
    def title(self) -> str:
        """How a person would write it: "import acme", "acme --help"."""
        return " ".join(("import", *self.words) if self.kind == "import" else self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTestResult:
    """One thing that was tried on the installed project."""

    #: "import acme", "acme --help"
    what: str
    #: None where it went well
    problem: Finding | None
    #: seconds
    took: float
