"""The list of releases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from release.publishing import journal
from release.publishing.status import history_entry_to_json, history_to_lines, is_set_root, load_status, status_to_lines


def test_a_failed_run_has_one_line_for_its_reason() -> None:
    entry: dict[str, Any] = {
        "project": "acme", "version": "1.0", "commit": None, "tag": None, "rehearsal": True,
        "date": "2026-11-27T12:00:00+00:00", "verb": "rehearse", "exit": 1,
        "message": "the project does not build: 'no such file'\n    error: …\n    hint: …", "indexes": {}, "files": [],
    }  # fmt: skip
    lines = list(history_to_lines([entry], ()))
    assert "  the project does not build: 'no such file'" in lines
    assert not any("hint" in line for line in lines)


@pytest.mark.parametrize(
    ("table", "declares"),
    [
        ('[tool.release.set]\nmembers = ["packages/*"]\n', True),
        ('[tool.uv.workspace]\nmembers = ["packages/*"]\n', True),
        ('[project]\nname = "acme"\n', False),
        ("[tool.release.set\n", False),
    ],
)
def test_the_root_of_a_set_names_the_status_of_the_set(tmp_path: Path, table: str, *, declares: bool) -> None:
    (tmp_path / "pyproject.toml").write_text(table)
    assert is_set_root(tmp_path) == declares
    lines = list(status_to_lines([], of_set=declares))
    assert ("→ run: pypi-preflight set status" in lines) == declares
    assert ("→ run: pypi-preflight rehearse" in lines) != declares


def test_a_release_by_its_journal(tmp_path: Path) -> None:
    assert load_status(tmp_path) == []
    book = journal.for_release(tmp_path, version="1.0", commit="c" * 40)
    book.write("begun", verb="release")
    book.write("built", files=[{"file": "a.whl", "sha256": "1" * 64, "size": 3}])
    for event, index in (("sending", "testpypi"), ("accepted", "testpypi"), ("verified", "testpypi")):
        book.write(event, index=index, file="a.whl")
    book.write("sending", index="pypi", file="a.whl")
    book.write("unclear", index="pypi", file="a.whl")
    book.write("refused", index="pypi", file="b.whl")
    book.write("tagged", tag="v1.0")
    (found,) = load_status(tmp_path)
    assert found.pop("last") == list(book.events())[-1]["time"]
    assert found == {
        "version": "1.0",
        "commit": "c" * 40,
        "rehearsal": False,
        "files": [{"file": "a.whl", "sha256": "1" * 64, "size": 3}],
        "indexes": {
            "testpypi": {"files": {"a.whl": "accepted"}, "verified": True},
            "pypi": {"files": {"a.whl": "unclear", "b.whl": "refused"}, "verified": False},
        },
        "tag": "v1.0",
        "ended": None,
        "journal": str(book.directory / "journal.jsonl"),
    }
    book.write("ended", exit=3)
    assert load_status(tmp_path)[0]["ended"] == 3
    rehearsed = journal.for_rehearsal(tmp_path, version=None, commit=None)
    rehearsed.write("verified", index="sandbox")
    first, second = load_status(tmp_path)
    assert (first["rehearsal"], second["rehearsal"]) == (True, False)
    assert (first["version"], first["commit"], first["tag"], first["files"]) == (None, None, None, [])
    assert first["indexes"] == {"sandbox": {"files": {}, "verified": True}}


def release(**changes: Any) -> dict[str, Any]:
    return {
        "version": "1.0", "commit": "c" * 40, "rehearsal": False, "tag": None, "ended": 0, "last": "today",
        "files": [{"file": "a.whl", "sha256": "1" * 64, "size": 1}, {"file": "b.whl", "sha256": "2" * 64, "size": 4}],
        "indexes": {"pypi": {"files": {"a.whl": "accepted", "b.whl": "refused"}, "verified": False}}, "journal": "j",
        **changes,
    }  # fmt: skip


def test_the_status_for_a_terminal() -> None:
    assert list(status_to_lines([release()])) == [
        "1.0 at cccccccccccc, last written today",
        "  a.whl  1 byte  sha256 1111111111111111…",
        "  b.whl  4 bytes  sha256 2222222222222222…",
        "  pypi: 1 of 2 files accepted, not confirmed",
        "  journal: j",
    ]
    prebuilt = release(
        rehearsal=True, version=None, commit=None, files=[], ended=None,
        indexes={"testpypi": {"files": {"a.whl": "accepted"}, "verified": True}},
    )  # fmt: skip
    assert list(status_to_lines([prebuilt])) == [
        "rehearsal of an unknown version, last written today",
        "  testpypi: 1 file accepted, confirmed",
        "  the last run has not ended: it was interrupted, or is still running",
        "  journal: j",
    ]
    assert list(status_to_lines([])) == [
        "nothing has been released or rehearsed here", "→ run: pypi-preflight rehearse",
    ]  # fmt: skip
    assert list(status_to_lines([], of_set=True)) == [
        "a release set is declared here; its members have their own status", "→ run: pypi-preflight set status",
    ]  # fmt: skip


ENTRY: dict[str, Any] = {
    "project": "acme", "version": "1.0", "commit": "c" * 40, "tag": "v1.0", "rehearsal": False,
    "date": "2026-11-27T12:00:00+00:00", "verb": "release", "exit": 0, "message": "done\nmore",
    "indexes": {"pypi": {"standing": "2 of 2 files"}}, "files": [{"size": 1000}, {"size": 1048}],
}  # fmt: skip


def test_the_history_for_a_terminal() -> None:
    first, *others = history_to_lines([ENTRY], ["record.json is damaged"])
    assert first.startswith("acme 1.0 at cccccccccccc, 2026-11-27 12:00")
    assert first.endswith("(0)")
    assert others == ["  pypi: 2 of 2 files", "  2 files, 2 kB", "record.json is damaged"]
    alone = list(history_to_lines([{**ENTRY, "files": [{"size": 1}], "rehearsal": True, "commit": None}], ()))
    assert alone[0].startswith("rehearsal of acme 1.0, ")
    assert alone[-1] == "  1 file, 1 byte"
    assert list(history_to_lines([], ["damaged"])) == [
        "damaged", "there are no records here", "→ run: pypi-preflight rehearse",
    ]  # fmt: skip


def test_the_history_as_json() -> None:
    accepted = {"answer": "receipt", "filename": "a.whl", "sha256": "1" * 64}
    confirmed = {"step": "verify", "index": "pypi", "how": "done", "begun": "2026-11-27T11:00:00+00:00"}
    run = {"verb": "rehearse", "ended": "2026-11-26T12:00:00+00:00", "uploads": {}, "steps": []}
    last = {
        "verb": "release", "ended": "2026-11-27T12:00:00+00:00", "exit": {"status": 0, "message": "done"},
        "uploads": {"pypi": [accepted]}, "steps": [confirmed],
    }  # fmt: skip
    files = [{"filename": "a.whl", "sha256": "1" * 64, "size": 3}]
    record = {
        "project": "acme", "version": "1.0", "commit": "c" * 40, "tag": "v1.0", "files": files, "runs": [run, last],
        "schema": 1,
    }  # fmt: skip
    found = history_entry_to_json(record, path="record.json", rehearsal=False)
    ((name, index),) = found.pop("indexes").items()
    assert (name, index.pop("verified")) == ("pypi", True)
    assert index.keys() == {"standing"}
    assert found == {
        "project": "acme", "version": "1.0", "commit": "c" * 40, "tag": "v1.0", "rehearsal": False,
        "date": "2026-11-27T12:00:00+00:00", "verb": "release", "exit": 0, "message": "done", "files": files, "runs": 2,
        "record": "record.json",
    }  # fmt: skip
