"""The journal: what was written whole is read again, whatever happened to the writer."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from release.adapters.system.state_directory import store_in
from release.core.errors import ReleaseError
from release.core.models.build_requirement import BuildEnvironments, InstalledRequirement
from release.publishing import journal

COMMIT = "c" * 40


def test_events_come_back_in_order_with_version_and_commit(tmp_path: Path) -> None:
    book = journal.for_release(tmp_path, version="1.0", commit=COMMIT)
    book.write("begun", verb="build")
    book.write("built", files=[{"file": "acme-1.0.tar.gz", "sha256": "0" * 64, "size": 3}])
    assert [(e["event"], e["version"], e["commit"]) for e in book.events()] == [
        ("begun", "1.0", COMMIT),
        ("built", "1.0", COMMIT),
    ]
    (file,) = book.built()
    assert (file.path, file.size) == (book.dist / "acme-1.0.tar.gz", 3)


def test_git_never_sees_it(tmp_path: Path) -> None:
    journal.for_release(tmp_path, version="1.0", commit=COMMIT)
    assert (tmp_path / ".release" / ".gitignore").read_text() == "*\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=40)
@given(cut=st.integers(min_value=1, max_value=200), twice=st.booleans())
def test_a_torn_last_line_costs_that_line_alone(tmp_path: Path, cut: int, twice: bool) -> None:
    book = journal.for_rehearsal(tmp_path, version=None, commit=None)
    path = book.directory / "journal.jsonl"
    path.unlink(missing_ok=True)
    book.write("begun", text="ä" * 20)
    whole = path.stat().st_size
    book.write("accepted", file="acme-1.0.tar.gz")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(max(whole, size - cut))
    for _ in range(1 + twice):
        book.write("ended")
    kept = [e["event"] for e in book.events()]
    assert kept[0] == "begun"
    assert kept[-1 - twice :] == ["ended"] * (1 + twice)


def test_two_runs_are_kept_apart(tmp_path: Path) -> None:
    with (
        journal.lock_project(tmp_path),
        pytest.raises(ReleaseError, match="another run is in progress"),
        journal.lock_project(tmp_path),
    ):
        pass
    with journal.lock_project(tmp_path):
        pass


def test_a_version_that_is_no_path_stays_inside(tmp_path: Path) -> None:
    book = journal.for_release(tmp_path, version="../../1.0/x", commit=COMMIT)
    assert tmp_path / ".release" in book.directory.resolve().parents


def test_releases_are_found_again(tmp_path: Path) -> None:
    journal.for_release(tmp_path, version="1.0", commit=COMMIT).write("begun")
    journal.for_rehearsal(tmp_path, version=None, commit=None).write("begun")
    (found,) = journal.release_journals(tmp_path)
    assert (found.version, found.commit) == ("1.0", COMMIT)


@pytest.mark.parametrize(
    ("place", "reason"),
    [("file", "it is a file"), ("file/below", "not a directory"), ("/proc/none", "no such file or directory")],
)
def test_where_nothing_can_be_stored_another_directory_is_proposed(tmp_path: Path, place: str, reason: str) -> None:
    """As in a read-only checkout, which a test of root cannot make."""
    (tmp_path / "file").touch()
    with store_in(tmp_path / place, {}, tmp_path), pytest.raises(ReleaseError) as caught:
        journal.home_directory(tmp_path)
    assert caught.value.message == f"cannot store anything in {str(tmp_path / place)!r}: {reason}"
    assert caught.value.remedy == "store it in another directory: --state-dir DIR, or PREFLIGHT_STATE=DIR"


def test_a_lock_that_cannot_be_written_has_the_same_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **_more: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", "lock")

    monkeypatch.setattr("filelock.FileLock.acquire", refuse)
    with pytest.raises(ReleaseError) as caught, journal.lock_project(tmp_path):
        pass
    assert caught.value.message.endswith(".release': read-only file system")
    assert "--state-dir DIR" in (caught.value.remedy or "")


@pytest.mark.parametrize("version", ["1.0", "1!2.0rc1", "1.0+local.1", "1_0-2"])
def test_a_version_is_the_name_of_its_directory(tmp_path: Path, version: str) -> None:
    assert journal.record_path(tmp_path, version) == tmp_path / ".release" / version / "record.json"


def test_what_no_path_may_have_becomes_one_underscore_each(tmp_path: Path) -> None:
    book = journal.for_release(tmp_path, version="1/0:2 *", commit=COMMIT)
    assert book.directory == tmp_path / ".release" / "1_0_2__" / COMMIT[:12]
    assert journal.for_release(tmp_path, version="1", commit=None).directory.name == "tree"


def test_the_release_that_was_modified_last_is_the_last(tmp_path: Path) -> None:
    """Not the one whose version sorts last: a hotfix of an old branch may follow the newest release."""
    for age, version in enumerate(("1.9", "2.0", "1.10")):
        book = journal.for_release(tmp_path, version=version, commit=COMMIT)
        book.write("begun")
        book.record.write_text("{}")
        for path in (book.directory / "journal.jsonl", book.record):
            os.utime(path, (1_000_000 - age, 1_000_000 - age))
    newest_last = ["1.10", "2.0", "1.9"]
    assert [one.version for one in journal.release_journals(tmp_path)] == newest_last
    assert [path.parent.name for path in journal.record_paths(tmp_path)] == newest_last


def test_whole_lines_get_no_empty_line_between_them(tmp_path: Path) -> None:
    book = journal.for_rehearsal(tmp_path, version="1.0", commit=None)
    for event in ("begun", "ended"):
        book.write(event)
    path = book.directory / "journal.jsonl"
    assert path.read_bytes().count(b"\n") == 2
    with path.open("ab") as file:
        file.write(b'{"event": "torn')
    book.write_all([{"event": "begun"}, {"event": "ended"}])
    assert path.read_bytes().count(b"\n") == 5
    assert [one["event"] for one in book.events()] == ["begun", "ended", "begun", "ended"]


def test_what_a_build_has_installed_comes_back(tmp_path: Path) -> None:
    book = journal.for_release(tmp_path, version="1.0", commit=COMMIT)
    assert book.build_environments() is None
    book.write("built", files=[])
    assert book.build_environments() is None, "a journal of an earlier version of this program"
    found = BuildEnvironments(
        requirements=(
            InstalledRequirement(name="acme-backend", version="2.0", sha256="a" * 64, allowed=("a" * 64, "b" * 64)),
            InstalledRequirement(name="acme-helper", version="1.0"),
        ),
        unpinned=("acme-helper==1.0",),
    )
    book.write("built", files=[], **journal.environments_to_json(found))
    assert book.build_environments() == found
    book.write("built", files=[], warnings=["no license"])
    assert (book.build_environments(), book.backend_warnings()) == (None, ("no license",)), "the last build counts"


def test_the_newest_event_with_these_values_counts(tmp_path: Path) -> None:
    book = journal.for_release(tmp_path, version="1.0", commit=COMMIT)
    for index, file in (("pypi", "a"), ("testpypi", "b"), ("pypi", "c")):
        book.write("accepted", index=index, file=file)
    book.write("refused", index="pypi", file="d")
    assert (book.last("accepted", index="pypi") or {})["file"] == "c"
    assert (book.last("accepted", index="testpypi") or {})["file"] == "b"
    assert book.last("accepted", index="acme") is None
    assert book.accepted("pypi") == {"a", "c"}


def test_a_member_without_a_directory_has_one_in_the_root(tmp_path: Path) -> None:
    assert journal.member_directory(tmp_path, "libs/a", "acme-a") == tmp_path / "libs" / "a"
    assert journal.member_directory(tmp_path, "", "acme-a") == tmp_path / ".release" / "members" / "acme-a"
