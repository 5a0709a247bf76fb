"""A commit whose release has reached others stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from release.publishing import journal
from release.publishing.prepare.release_effects import has_lasting_effects

COMMIT = "c" * 40


@pytest.mark.parametrize(
    ("event", "fields", "expected"),
    [
        ("sending", {"index": "pypi"}, True),
        ("accepted", {"index": "testpypi"}, True),
        ("sending", {"index": "sandbox"}, False),
        ("accepted", {"index": "sandbox"}, False),
        ("tagged", {"tag": "v1"}, True),
        ("pushed", {"tag": "v1"}, True),
        ("released", {"on": "github"}, True),
        ("built", {"files": []}, False),
    ],
)
def test_what_stays(tmp_path: Path, event: str, fields: dict[str, Any], expected: bool) -> None:
    assert not has_lasting_effects(tmp_path, COMMIT)
    other = journal.for_release(tmp_path, version="0.9", commit="d" * 40)
    other.write("tagged", tag="v0.9")
    book = journal.for_release(tmp_path, version="1.0", commit=COMMIT)
    for name, values in (("begun", {"verb": "release"}), (event, fields), ("ended", {})):
        book.write(name, **values)
    other.write("ended")  # the journal written last is read last
    assert has_lasting_effects(tmp_path, COMMIT) is expected
    assert not has_lasting_effects(tmp_path, "e" * 40)
