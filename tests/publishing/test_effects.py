"""What a run has uploaded, as the end of an unexpected exit knows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from release.publishing import effects
from release.publishing.journal import Journal


@pytest.mark.parametrize(
    ("events", "text"),
    [
        ([], ""),
        ([("begun", "", "")], ""),
        ([("sending", "sandbox", "a"), ("accepted", "sandbox", "a")], ""),
        ([("sending", "pypi", "a"), ("refused", "pypi", "a")], ""),
        ([("sending", "pypi", "a")], "pypi may have 1 file of it"),
        ([("sending", "pypi", "a"), ("unclear", "pypi", "a")], "pypi may have 1 file of it"),
        ([("sending", "pypi", "a"), ("accepted", "pypi", "a")], "pypi has 1 file of this release"),
        (
            [
                ("accepted", "testpypi", "a"), ("accepted", "pypi", "a"), ("sending", "pypi", "b"),
                ("sending", "pypi", "c"),
            ],
            "testpypi has 1 file of this release; pypi has 1 file of this release; pypi may have 2 files more",
        ),
    ],
)  # fmt: skip
def test_what_a_journal_records_is_known(tmp_path: Path, events: list[tuple[str, str, str]], text: str) -> None:
    journal = Journal(directory=tmp_path, commit=None, version="1.0")
    with effects.recorded_effects():
        for event, index, file in events:
            journal.write(event, **({"index": index, "file": file} if index else {}))
        assert effects.uploaded_text() == text
    assert effects.uploaded_text() == "", "of this run only"


def test_a_stage_that_is_not_published_is_nothing(tmp_path: Path) -> None:
    stage = replace(Journal(directory=tmp_path, commit=None, version="1.0"), lasting=False)
    with effects.recorded_effects():
        stage.write("accepted", index="pypi", file="a")
        assert effects.uploaded_text() == ""


def test_what_could_not_be_recorded_was_not_done(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with effects.recorded_effects():
        with pytest.raises(OSError, match="journal"):
            Journal(directory=tmp_path, commit=None, version="1.0").write("sending", index="pypi", file="a")
        assert effects.uploaded_text() == ""
