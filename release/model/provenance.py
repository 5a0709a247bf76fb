"""Who published a file, as its index says (PEP 740)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """The identity that a trusted publisher showed when it uploaded."""

    #: "GitHub", "GitLab", "Google", …
    kind: str
    #: "owner/name"; empty where this kind has none
    repository: str = ""
    #: file name of the workflow; empty where this kind has none
    workflow: str = ""
    #: empty where none was asked for
    environment: str = ""

    def __str__(self) -> str:
        """How a person would write it: "GitHub acme/widget, release.yml"."""
        return ", ".join(filter(None, (f"{self.kind} {self.repository}".strip(), self.workflow)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What an index says of one file's attestations. That they hold, is for whoever verifies them to say."""

    #: in the index's order, each once
    publishers: tuple[Publisher, ...]
    #: how many attestations there are
    attestations: int
