"""The transcripts in the documentation are what the program prints today."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import recorded_runs
from tests.docs.markdown_pages import DOCS, PAGES, read
from tests.stories.project import Indexes


@pytest.fixture(scope="module")
def on() -> Iterator[Indexes]:
    with recorded_runs.sandboxes() as running:
        yield running


@pytest.mark.skipif(sys.platform == "win32", reason="paths and remedies are those of POSIX")
def test_the_transcripts_of_the_documentation_are_current(tmp_path: Path, on: Indexes) -> None:
    """To write them anew: python -m tests.docs.recorded_runs."""
    made = {}
    for name in recorded_runs.RUNS:
        (place := tmp_path / name).mkdir()
        made[name] = recorded_runs.record(name, place, on)
    shown: set[str] = set()
    for page in PAGES:
        for name, start, transcript in recorded_runs.recorded(read(page)):
            assert transcript == recorded_runs.cut(made[name], start), f"{page.name}: {name}"
            shown.add(name)
    assert shown == set(made)


def test_a_transcript_is_cut_at_a_line_and_replaced_in_its_block() -> None:
    page = "# T\n\n<!-- recorded: a from verdict -->\n```console\nold\n```\n\n```console\n$ kept\n```\n"
    transcript = "$ pypi-preflight verify\nfirst\nverdict: healthy\n"
    new = "# T\n\n<!-- recorded: a from verdict -->\n```console\n$ pypi-preflight verify\n…\nverdict: healthy\n```\n"
    assert recorded_runs.rewrite(page, {"a": transcript}) == f"{new}\n```console\n$ kept\n```\n"
    assert recorded_runs.cut(transcript, None) == transcript
    assert recorded_runs.cut(transcript, "first") == transcript


def test_no_page_names_the_address_of_this_machine() -> None:
    text = read(DOCS / "index.md")
    assert "127.0.0.1" not in text
    assert "localhost" not in text
