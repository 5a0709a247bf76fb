"""The plan of a preparation: what an edit changes is shown in full, whatever its lines begin with."""

from __future__ import annotations

import pytest

from release.core.models.preparation import FileEdit
from release.reports.preparation_text import changed_lines


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("Unreleased\n----------\n", "1.0\n---\n", ["- Unreleased", "- ----------", "+ 1.0", "+ ---"]),
        ("a\n++ b\n@@ c\n", "a\n", ["- ++ b", "- @@ c"]),
        ("a\n-- b\n", "a\n++ b\n", ["- -- b", "+ ++ b"]),
        ("a\n", "a\n", []),
        ("", "1.0\n", ["+ 1.0"]),
    ],
)
def test_each_changed_line_is_shown(before: str, after: str, expected: list[str]) -> None:
    edit = FileEdit(path="CHANGES.rst", before=before.encode(), after=after.encode(), what="")
    assert list(changed_lines(edit)) == expected
