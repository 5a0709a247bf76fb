"""Smoke tests of an installed project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from release.core.models.check_result import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTest:
    """One test of the installed project."""

    kind: Literal["import", "script", "command"]
    #: the module; the console script and its arguments; the program and its arguments
    words: tuple[str, ...]
    #: whether it is configured, so that a failure always counts
    asked_for: bool = False

    @property
    def title(self) -> str:
        """The test as a command: "import acme", "acme --help"."""
        return " ".join(("import", *self.words) if self.kind == "import" else self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmokeTestResult:
    """The result of one smoke test."""

    #: "import acme", "acme --help"
    what: str
    #: None if it passed
    problem: Finding | None
    #: seconds
    took: float
