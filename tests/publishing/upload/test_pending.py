"""What is left to be sent, and what the index would refuse of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from release.core.models.distribution import Distribution
from release.core.models.index import Index, IndexFile, ProjectListing
from release.publishing.upload import upload_state

NOW = datetime(2026, 11, 24, tzinfo=UTC)
INDEX = Index(name="pypi", upload_url="http://127.0.0.1:9/legacy/", simple_url="http://127.0.0.1:9/simple/")
WHEEL, OTHER, SDIST = "acme_widget-1.0-py3-none-any.whl", "acme_widget-1.0-py2-none-any.whl", "acme_widget-1.0.tar.gz"


def file(name: str, sha256: str | None = None) -> Distribution:
    return Distribution(path=Path(name), sha256=(sha256 or name[-9:]).ljust(64, "0"), size=1)


def listed(*names: str, age: int = 0, sha256: str | None = None) -> ProjectListing:
    return ProjectListing(
        name="acme-widget",
        files=tuple(
            IndexFile(
                filename=name, url="http://h/f", sha256=(sha256 or name[-9:]).ljust(64, "0"),
                upload_time=NOW - timedelta(days=age),
            )
            for name in names
        ),
    )  # fmt: skip


def look(
    files: list[Distribution], there: ProjectListing | None, kind: str = "warehouse"
) -> tuple[list[str], list[str], str]:
    from dataclasses import replace

    left = upload_state.find_remaining(files, replace(INDEX, kind=kind), there, "1.0", now=NOW)  # type: ignore[arg-type] # one of the two kinds
    names = [one.filename for one in left.receipts], [one.filename for one in left.files]
    return *names, left.rejection.message if left.rejection else ""


def test_wheels_go_first() -> None:
    assert look([file(SDIST), file(WHEEL)], None) == ([], [WHEEL, SDIST], "")


def test_what_is_there_with_our_bytes_is_not_sent_again() -> None:
    assert look([file(WHEEL), file(SDIST)], listed(WHEEL, age=3)) == ([WHEEL], [SDIST], "")


@pytest.mark.parametrize(
    ("files", "there", "words"),
    [
        ([file(WHEEL)], listed(WHEEL, sha256="f"), "different content"),
        ([file(WHEEL)], listed(SDIST, age=15), "older than 14 days"),
        ([file(SDIST)], listed("acme-widget-1.0.zip"), "Only one sdist"),
        ([file(SDIST), file("acme_widget-1.0.zip")], None, "Only one sdist"),
        ([file(WHEEL, "f")], listed(OTHER, sha256="f"), f"already exists, under the name {OTHER!r}"),
        ([file(WHEEL, "f"), file(OTHER, "f")], None, "already exists, under the name"),
    ],
)
def test_what_the_index_would_refuse_is_known_before(
    files: list[Distribution], there: ProjectListing | None, words: str
) -> None:
    assert words in look(files, there)[2]


def test_all_of_it_there_is_no_refusal_however_old_it_is() -> None:
    assert look([file(WHEEL), file(SDIST)], listed(WHEEL, SDIST, age=400)) == ([WHEEL, SDIST], [], "")


def test_other_servers_have_other_rules() -> None:
    assert look([file(WHEEL)], listed(SDIST, age=400), kind="other")[2] == ""


def test_fourteen_days_from_the_first_file_of_the_version() -> None:
    there = ProjectListing(
        name="acme-widget",
        files=(
            *listed(WHEEL, age=2).files,
            *listed(SDIST, age=5).files,
            *listed("acme_widget-0.9.tar.gz", age=90).files,
        ),
    )
    assert upload_state.upload_deadline(INDEX, there, "1.0.0") == NOW + timedelta(days=9)
    assert upload_state.upload_deadline(INDEX, there, "2.0") is None
    assert upload_state.upload_deadline(INDEX, None, "1.0") is None
