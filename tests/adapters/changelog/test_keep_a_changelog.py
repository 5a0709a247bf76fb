"""Changelogs that people write: what becomes of the section for unreleased changes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from msgspec.structs import replace
from packaging.version import Version

from release.adapters.changelog import plan_changelog
from release.adapters.changelog.changelog_request import ChangelogChange, ChangelogRequest
from release.adapters.system.system import real_system
from release.core.models.preparation import CommitSummary

TODAY = date(2026, 11, 28)
COMMITS = (
    CommitSummary(commit="b" * 40, subject="Add a lid"),
    CommitSummary(commit="c" * 40, subject="Merge pull request #7 from acme/hinge", body="Fix the hinge"),
    CommitSummary(commit="a" * 40, subject="Fix the hinge"),
)


def request(directory: Path, version: str = "1.2.0", **more: object) -> ChangelogRequest:
    made = ChangelogRequest(
        system=real_system(), directory=directory, version=Version(version), text=version, today=TODAY,
        tag=f"v{version}", last_tag="v1.1.0", commits=COMMITS, configured=None, at_last_tag=lambda _: None,
    )  # fmt: skip
    return replace(made, **more)  # by its tests


def plan(tmp_path: Path, name: str, text: str | bytes, version: str = "1.2.0", **more: object) -> ChangelogChange:
    data = text.encode() if isinstance(text, str) else text
    (tmp_path / name).write_bytes(data)
    return plan_changelog(request(tmp_path, version, **more))


def after(change: ChangelogChange) -> str:
    (edit,) = change.edits
    assert edit.after is not None
    assert edit.after != edit.before
    return edit.after.decode()


KEEP = """\
# Changelog

The format is that of [Keep a Changelog](https://keepachangelog.com/en/1.1.0/).

## [Unreleased]

### Added

- A lid.

## [1.1.0] - 2026-01-31

- A hinge.

## [1.0.0] - 2025-06-01

[Unreleased]: https://github.com/acme/widget/compare/v1.1.0...HEAD
[1.1.0]: https://github.com/acme/widget/compare/v1.0.0...v1.1.0
[1.0.0]: https://github.com/acme/widget/releases/tag/v1.0.0
"""


def test_keep_a_changelog(tmp_path: Path) -> None:
    change = plan(tmp_path, "CHANGELOG.md", KEEP)
    assert after(change) == KEEP.replace("## [Unreleased]\n", "## [Unreleased]\n\n## [1.2.0] - 2026-11-28\n").replace(
        "compare/v1.1.0...HEAD\n",
        "compare/v1.2.0...HEAD\n[1.2.0]: https://github.com/acme/widget/compare/v1.1.0...v1.2.0\n",
    )
    assert change.edits[0].what == "'[Unreleased]' → '[1.2.0] - 2026-11-28'"
    assert not change.findings


def test_the_bytes_around_it_are_kept(tmp_path: Path) -> None:
    """A byte order mark, Windows' line ends, blanks at ends, and no newline at the end."""
    text = "\ufeff" + KEEP.replace("- A lid.", "- A lid.   ").replace("\n", "\r\n").removesuffix("\r\n")
    made = after(plan(tmp_path, "CHANGELOG.md", text))
    assert made.startswith("\ufeff# Changelog\r\n")
    assert "\n" not in made.replace("\r\n", "")
    assert "## [Unreleased]\r\n\r\n## [1.2.0] - 2026-11-28\r\n" in made
    assert "- A lid.   \r\n" in made
    assert made.endswith("releases/tag/v1.0.0")


def test_an_ascending_list_of_links_at_the_end_of_the_file(tmp_path: Path) -> None:
    text = (
        "## [Unreleased]\n\n- x\n\n## [1.1.0] - 2026-01-31\n\n[1.1.0]: https://e.org/compare/1.0.0...1.1.0\n"
        "[unreleased]: https://e.org/compare/1.1.0...main"
    )
    assert after(plan(tmp_path, "CHANGELOG.md", text)).endswith(
        "[1.1.0]: https://e.org/compare/1.0.0...1.1.0\n[1.2.0]: https://e.org/compare/1.1.0...1.2.0\n"
        "[unreleased]: https://e.org/compare/1.2.0...main\n"
    )


TITLES = [
    ("## Unreleased", "## 1.1.0 (2026-01-31)", "## 1.2.0 (2026-11-28)"),
    ("## Unreleased", "## v1.1.0 — January 5, 2026", "## v1.2.0 — November 28, 2026"),
    ("## Unreleased", "## v1.1.0 - 05 Jan 2026", "## v1.2.0 - 28 Nov 2026"),
    ("## Unreleased", "## Version 1.1.0 (5th January 2026)", "## Version 1.2.0 (28th November 2026)"),
    ("## Unreleased", "## 1.1.0 (05.01.2026)", "## 1.2.0 (28.11.2026)"),
    ("## Unreleased", "## 1.1.0 / 2026/01/31", "## 1.2.0 / 2026/11/28"),
    ("## Unreleased", "## acme-widget 1.1.0, Jan 2026", "## acme-widget 1.2.0, Nov 2026"),
    ("## Unreleased", "## 1.1.0", "## 1.2.0"),
    ("## Unreleased", "## **1.1.0** (2026-01-31) “Foxtrot”", "## **1.2.0** (2026-11-28)"),
    ("## [Unreleased]", "## [1.1.0] - 2026-01-31 [YANKED]", "## [1.2.0] - 2026-11-28"),
    ("## [Unreleased] - yyyy-mm-dd", "## [1.1.0] - 2026-01-31", "## [1.2.0] - 2026-11-28"),
    ("## Unreleased changes", "## 1.1.0 (2026-01-31)", "## 1.2.0 (2026-11-28)"),
    ("## Next release", "## 1.1.0 (2026-01-31)", "## 1.2.0 (2026-11-28)"),
    ("# 1.2.0 (unreleased)", "# 1.1.0 (2026-01-31)", "# 1.2.0 (2026-11-28)"),
    ("# 1.2 (unreleased)", "# 1.1.0 (Jan 31, 2026)", "# 1.2.0 (Nov 28, 2026)"),
    ("# v1.2.0 - Unreleased", "# v1.1.0 - 2026-01-31", "# v1.2.0 - 2026-11-28"),
    ("# 2.0 (not yet released)", "# 1.1.0 (2026-01-31)", "# 1.2.0 (2026-11-28)"),
    ("# 1.2.0 - TBD", "# 1.1.0 - 2026-01-31", "# 1.2.0 - 2026-11-28"),
    ("# 1.2.0 (in development)", "# 1.1.0 (released Jan 31, 2026)", "# 1.2.0 (released Nov 28, 2026)"),
    (
        "## [Unreleased](https://e.org/compare/v1.1.0...main) - ReleaseDate",
        "## [1.1.0 - 2026-01-31](https://e.org/compare/v1.0.0...v1.1.0)",
        "## [1.2.0 - 2026-11-28](https://e.org/compare/v1.1.0...v1.2.0)",
    ),
    (
        "## [Unreleased](https://e.org/compare/v1.1.0...main)",
        "## [1.1.0](https://e.org/compare/v1.0.0...v1.1.0) (2026-01-31)",
        "## [1.2.0](https://e.org/compare/v1.1.0...v1.2.0) (2026-11-28)",
    ),
]  # fmt: skip


def test_a_title_in_the_style_of_the_file(tmp_path: Path) -> None:
    for before, newest, title in TITLES:
        rest = f"\n\n- x\n\n{newest}\n\n- y\n\n## 1.0.0 (2025-06-01)\n"
        assert after(plan(tmp_path, "CHANGES.md", before + rest)) == title + rest, newest


RST = """\
=========
Changelog
=========

Unreleased
==========

- A lid.

1.1.0 (2026-01-31)
==================

- A hinge.
"""


def test_restructuredtext(tmp_path: Path) -> None:
    new = "1.2.0 (2026-11-28)\n=================="
    assert after(plan(tmp_path, "CHANGES.rst", RST)) == RST.replace("Unreleased\n==========", new)
    wide = RST.replace("Unreleased\n==========", "Unreleased\n" + "=" * 40)
    assert f"1.2.0 (2026-11-28)\n{'=' * 40}\n" in after(plan(tmp_path, "CHANGES.rst", wide))
    boxed = RST.replace("Unreleased\n==========", "------------\n Unreleased\n------------")
    assert f"{'-' * 20}\n 1.2.0 (2026-11-28)\n{'-' * 20}\n" in after(plan(tmp_path, "CHANGES.rst", boxed))


def test_zest_releaser_in_a_text_file(tmp_path: Path) -> None:
    line = "-" * 16
    text = f"Changes\n=======\n\n1.2 (unreleased)\n{line}\n\n- A lid.\n\n\n1.1 (2026-01-31)\n{line}\n\n- y\n"
    made = after(plan(tmp_path, "CHANGES.txt", text, "1.2"))
    assert made == text.replace("(unreleased)", "(2026-11-28)")
    longer = after(plan(tmp_path, "CHANGES.txt", text, "1.2.10"))
    assert "1.2.10 (2026-11-28)\n-------------------\n" in longer


def test_the_changelogs_of_pallets(tmp_path: Path) -> None:
    """The line below the heading has the date."""
    text = (
        "Version 1.2.0\n-------------\n\nUnreleased\n\n-   A lid.\n\n\n"
        "Version 1.1.0\n-------------\n\nReleased on 2026-01-31\n\n-   A hinge.\n"
    )
    change = plan(tmp_path, "CHANGES.rst", text)
    assert after(change) == text.replace("Unreleased", "Released on 2026-11-28")
    assert not change.findings
    other = after(plan(tmp_path, "CHANGES.rst", text, "1.10.0"))
    assert other.startswith("Version 1.10.0\n--------------\n\nReleased on 2026-11-28\n")
    empty = plan(tmp_path, "CHANGES.rst", text.replace("-   A lid.\n", ""))
    assert [one.severity for one in empty.findings] == ["warn"]
    entry = text.replace("Unreleased\n", "Unreleased code is gone.\n")
    assert plan(tmp_path, "CHANGES.rst", entry) == ChangelogChange()


def test_links_of_restructuredtext(tmp_path: Path) -> None:
    """Headings that are links; and a list that ascends below the link of what is unreleased."""
    text = (
        "`Unreleased`_\n-------------\n\n- A lid.\n\n`1.1.0`_ - 2026-01-31\n---------------------\n\n"
        ".. _Unreleased: https://e.org/compare/v1.1.0...main\n.. _1.0.0: https://e.org/compare/v0.9...v1.0.0\n"
        ".. _1.1.0: https://e.org/compare/v1.0.0...v1.1.0\n"
    )
    made = after(plan(tmp_path, "CHANGES.rst", text, at_last_tag=lambda _: text.encode()))
    assert made.startswith("`Unreleased`_\n-------------\n\n`1.2.0`_ - 2026-11-28\n---------------------\n\n- A lid.")
    assert made.endswith(
        ".. _Unreleased: https://e.org/compare/v1.2.0...main\n.. _1.0.0: https://e.org/compare/v0.9...v1.0.0\n"
        ".. _1.1.0: https://e.org/compare/v1.0.0...v1.1.0\n.. _1.2.0: https://e.org/compare/v1.1.0...v1.2.0\n"
    )


def test_the_link_in_a_heading_that_stays(tmp_path: Path) -> None:
    text = (
        "## [Unreleased](https://e.org/compare/1.1.0...HEAD)\n\n- x\n\n## [1.1.0](https://e.org/compare/1.0...1.1.0)\n"
    )
    made = after(plan(tmp_path, "CHANGELOG.md", text, at_last_tag=lambda _: text.encode()))
    assert made.startswith(
        "## [Unreleased](https://e.org/compare/1.2.0...HEAD)\n\n## [1.2.0](https://e.org/compare/1.1.0...1.2.0)\n"
    )


def test_the_habit_of_a_section_for_what_comes_next(tmp_path: Path) -> None:
    """What the last release left counts."""
    text = "## Unreleased\n\n- x\n\n## 1.1.0\n\n- y\n"
    left, none = b"## Unreleased\n\n## 1.1.0\n\n- y\n", b"## 1.1.0\n\n- y\n"
    title = "## Unreleased\n\n## 1.2.0\n"
    assert after(plan(tmp_path, "HISTORY.md", text, at_last_tag=lambda _: left)).startswith(title)
    assert after(plan(tmp_path, "HISTORY.md", text, at_last_tag=lambda _: none)).startswith("## 1.2.0\n")
    assert after(plan(tmp_path, "HISTORY.md", text)).startswith("## 1.2.0\n")
    assert "## [Unreleased]" not in after(plan(tmp_path, "CHANGELOG.md", KEEP, at_last_tag=lambda _: none))


@pytest.mark.parametrize(
    "body",
    ["", "\n", "\n### Added\n\n### Fixed\n", "\n- Nothing changed yet.\n", "\n<!-- write here\nor not -->\n", "\n* \n",
     "\nNo significant changes.\n"],
)  # fmt: skip
def test_an_empty_section_is_a_warning_with_the_commits(tmp_path: Path, body: str) -> None:
    change = plan(tmp_path, "CHANGELOG.md", f"## Unreleased\n{body}\n## 1.1.0\n\n- y\n")
    (finding,) = change.findings
    assert finding.severity == "warn"
    assert finding.message == "'CHANGELOG.md' has no entry under 'Unreleased'"
    assert finding.remedy.endswith("the commits since v1.1.0:\n- Add a lid\n- Fix the hinge")
    assert "lid" not in after(change)


@pytest.mark.parametrize(
    "body", ["- Nothing but bugs.", "No more crashes.", "n/a is a value now", ".. note:: x\n\n   y"]
)
def test_a_section_with_an_entry_is_none(tmp_path: Path, body: str) -> None:
    assert not plan(tmp_path, "CHANGELOG.md", f"## Unreleased\n\n{body}\n\n## 1.1.0\n").findings


def test_a_file_without_a_section_is_left_alone(tmp_path: Path) -> None:
    change = plan(tmp_path, "CHANGELOG.md", "# Changelog\n\n## 1.1.0 (2026-01-31)\n\n- y\n")
    (finding,) = change.findings
    assert not change.edits
    assert finding.severity == "warn"
    assert "above '1.1.0 (2026-01-31)'" in finding.remedy
    assert finding.remedy.endswith("## 1.2.0 (2026-11-28)\n\n- Add a lid\n- Fix the hinge")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/changes.md").write_text("## 1.1.0\n")
    configured = plan(tmp_path, "CHANGELOG.md", "## [Unreleased]\n", configured="docs/changes.md")
    assert [one.severity for one in configured.findings] == ["block"]
    assert configured.findings[0].where == "docs/changes.md"


@pytest.mark.parametrize(
    "text",
    ["## 1.2.0 (2026-11-27)\n\n- x\n\n## 1.1.0 (2026-01-31)\n", "## 1.2.0\n\n- x\n\n## 1.1.0\n",
     "## Unreleased\n\n## 1.2 (2026-11-28)\n\n- x\n"],
)  # fmt: skip
def test_a_section_that_is_there_already_stays(tmp_path: Path, text: str) -> None:
    assert plan(tmp_path, "CHANGELOG.md", text) == ChangelogChange()


def test_what_looks_like_a_heading_and_is_none(tmp_path: Path) -> None:
    """In a block of code, in a comment, and in a sentence."""
    text = (
        "# Changelog\n\nUnreleased changes come first.\n\n```\n## Unreleased\n```\n\n<!--\n## [Unreleased]\n-->\n"
        "## Unreleased\n\n- The title `Unreleased` works.\n\n## 1.1.0\n"
    )
    assert after(plan(tmp_path, "CHANGELOG.md", text)) == text.replace("-->\n## Unreleased", "-->\n## 1.2.0")


def test_no_changelog_and_files_that_are_none(tmp_path: Path) -> None:
    assert plan_changelog(request(tmp_path)) == ChangelogChange()
    assert plan(tmp_path, "NEWS", "We have moved.\n") == ChangelogChange()
    (finding,) = plan(tmp_path, "CHANGES.md", b"## Unreleased\n\n- caf\xe9\n").findings
    assert finding.message == "'CHANGES.md' is not UTF-8 at byte 20"


def test_the_first_release(tmp_path: Path) -> None:
    change = plan(tmp_path, "CHANGELOG.md", "# Changelog\n\n## [Unreleased]\n\n- All of it.\n", "0.1.0", last_tag=None)
    assert after(change) == "# Changelog\n\n## [0.1.0] - 2026-11-28\n\n- All of it.\n"
    plain = plan(tmp_path, "CHANGELOG.md", "# Changelog\n\n## Unreleased\n\n- All of it.\n", "0.1.0", last_tag=None)
    assert "## 0.1.0 - 2026-11-28\n" in after(plain)


def test_this_repository(tmp_path: Path) -> None:
    own = (Path(__file__).parents[3] / "CHANGELOG.md").read_text()
    made = after(plan(tmp_path, "CHANGELOG.md", own, "0.2.0"))
    assert len(made.splitlines()) - len(own.splitlines()) in {2, 3}
    assert "## [Unreleased]\n\n## [0.2.0] - 2026-11-28\n" in made
