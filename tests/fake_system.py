"""A machine that exists in the test only, and small releases on it: for tests of single modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from release.adapters.system.process import Completed
from release.adapters.system.system import System
from release.core.errors import ToolError
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution
from release.core.models.index import Index, IndexFile, ProjectListing
from release.core.models.secret_location import SandboxToken
from release.core.secret import Secret

NOON = datetime(2026, 11, 5, 12, tzinfo=UTC)
PROJECT = ProjectMetadata(name="acme-widget", version="1.0")
WHEEL, SDIST = "acme_widget-1.0-py3-none-any.whl", "acme_widget-1.0.tar.gz"
#: an index that lasts, on this machine
LASTING = Index(
    name="acme", upload_url="http://127.0.0.1:9/legacy/", simple_url="http://127.0.0.1:9/simple/", kind="warehouse"
)


@dataclass(kw_only=True)
class Programs:
    """Programs that only record how they were called. `answer` has the output, or raises."""

    answer: Callable[[Sequence[str]], str | Completed] | None = None
    called: list[list[str]] = field(default_factory=list)
    options: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, argv: Sequence[str], **options: Any) -> Completed:
        self.called.append([str(word) for word in argv])
        self.options.append(options)
        if self.answer is None:
            raise ToolError(f"no program {argv[0]!r} here", remedy="none")
        found = self.answer(self.called[-1])
        return Completed(status=0, output=found) if isinstance(found, str) else found


def fake_system(
    *, env: Mapping[str, str] | None = None, run: Programs | None = None, now: datetime = NOON, home: Path | None = None
) -> System:
    """A system without variables and programs, where it is noon and every wait is over at once."""
    return System(
        env=env or {}, home=home or Path("/home/acme"), now=lambda: now, sleep=lambda _: None, run=run or Programs()
    )


def files_in(directory: Path, *names: str, text: str = "") -> tuple[Distribution, ...]:
    """Files with these names whose bytes are `text` and the name: they need not be archives to be compared."""
    directory.mkdir(parents=True, exist_ok=True)
    made = []
    for name in names:
        data = f"{text}{name}".encode()
        (directory / name).write_bytes(data)
        made.append(Distribution(path=directory / name, sha256=sha256(data).hexdigest(), size=len(data)))
    return tuple(made)


def listing_of(files: Sequence[Distribution], *, uploaded: datetime | None = None) -> ProjectListing:
    """An index that has exactly these files."""
    listed = tuple(
        IndexFile(
            filename=one.filename, url=f"http://127.0.0.1:9/{one.filename}", sha256=one.sha256, size=one.size,
            upload_time=uploaded,
        )
        for one in files
    )  # fmt: skip
    return ProjectListing(name=PROJECT.name, files=listed)


def as_built(files: Sequence[Distribution]) -> list[dict[str, Any]]:
    """The files as the journal's event "built" lists them."""
    return [{"file": one.filename, "sha256": one.sha256, "size": one.size} for one in files]


def sandbox_credential(token: str) -> Credential:
    """A token as the sandbox hands it out."""
    origin = SandboxToken()
    return Credential(username="__token__", username_origin=origin, password=Secret(token), origin=origin)
