"""The status of a set: by the journals of its members, the indexes, and the record of the last run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.cli.main import main
from release.core.models.check_result import Unknown
from release.core.models.index import PYPI, TESTPYPI, IndexFile, ProjectListing
from release.core.models.release_set import MemberFacts, ReleaseSet
from release.publishing import journal
from release.publishing.sets import set_recorder
from release.publishing.sets.set_status import SetStatus, load_set_status, set_status_to_json, set_status_to_lines
from tests.repeated_commands import repeated
from tests.set_runs import LASTING, files_of, five, record_of, sixty

STATUS = "pypi-preflight set status --directory x --offline"


def a_set(release_set: ReleaseSet | None = None, **listings: dict[str, Any]) -> ReleaseSet:
    """The set, with what each member's listings are."""
    release_set = release_set or five()
    members = tuple(
        replace(one, listings=listings.get(one.member.name.replace("-", "_"), {})) for one in release_set.members
    )
    return replace(release_set, members=members, indexes=(TESTPYPI, PYPI))


def listing(name: str, count: int = 2) -> ProjectListing:
    some = files_of(name)[:count]
    return ProjectListing(
        name=name, files=tuple(IndexFile(filename=one.filename, url="", sha256=one.sha256) for one in some)
    )


def write_journal(root: Path, name: str, *, accepted: dict[str, int], verified: tuple[str, ...] = ()) -> None:
    one = journal.for_release(root / "packages" / name, version="2.0", commit="a" * 40)
    some = files_of(name)
    one.write("built", files=[{"file": f.filename, "sha256": f.sha256, "size": f.size} for f in some])
    for index, count in accepted.items():
        for file in some[:count]:
            one.write("accepted", index=index, file=file.filename)
    for index in verified:
        one.write("verified", index=index)


def status(root: Path, release_set: ReleaseSet, *, offline: bool = True) -> SetStatus:
    for one in release_set.members:
        (root / "packages" / one.member.name).mkdir(parents=True, exist_ok=True)
    return load_set_status(root, release_set, command=repeated(STATUS), offline=offline)


def lines(found: SetStatus) -> list[str]:
    return list(set_status_to_lines(found))


def test_journals_tell_what_each_index_has_where_no_index_is_asked(tmp_path: Path) -> None:
    for name in five().members:
        (tmp_path / name.member.directory).mkdir(parents=True)
    write_journal(tmp_path, "acme-core", accepted={"testpypi": 2, "pypi": 2}, verified=("testpypi", "pypi"))
    write_journal(tmp_path, "acme-http", accepted={"testpypi": 2, "pypi": 1}, verified=("testpypi",))
    write_journal(tmp_path, "acme-db", accepted={"testpypi": 2})
    assert lines(status(tmp_path, a_set())) == [
        "  1  acme-core 2.0: testpypi: confirmed; pypi: confirmed",
        "  2  acme-http 2.0: testpypi: confirmed; pypi: 1 of 2 files",
        "  2  acme-db 2.0: testpypi: 2 of 2 files; pypi: not begun",
        "  3  acme-web 2.0: testpypi: not begun; pypi: not begun",
        "  4  acme-cli 2.0: testpypi: not begun; pypi: not begun",
        "  -  acme-old 1.0: pypi: all files",
        "not released: private: acme-docs",
        "5 of 7 members to release, in 4 levels",
        "testpypi: acme-core, acme-http, acme-db whole; acme-web, acme-cli not begun",
        "pypi: acme-core, acme-old whole; 1 partial (acme-http: 1 of 2 files); acme-db, acme-web, acme-cli not begun",
        "by the journals: no index was asked",
        "next: pypi-preflight set rehearse --directory x --offline",
    ]


def test_a_member_of_files_has_its_journal_at_the_root(tmp_path: Path) -> None:
    known = a_set()
    first = known.members[0]
    member = replace(first.member, directory="", files=files_of("acme-core"))
    place = tmp_path / ".release" / "members" / "acme-core"
    place.mkdir(parents=True)
    one = journal.for_release(place, version="2.0", commit=None)
    one.write("accepted", index="testpypi", file=files_of("acme-core")[0].filename)
    found = status(tmp_path, replace(known, members=(replace(first, member=member), *known.members[1:])))
    assert lines(found)[0] == "  1  acme-core 2.0: testpypi: 1 of 2 files; pypi: not begun"


def test_the_index_is_the_truth(tmp_path: Path) -> None:
    found = a_set(
        acme_core={"testpypi": listing("acme-core"), "pypi": listing("acme-core", 1)},
        acme_http={"testpypi": None, "pypi": Unknown(reason="timeout", remedy="retry")},
    )
    status(tmp_path, found)
    write_journal(tmp_path, "acme-core", accepted={"pypi": 2}, verified=("testpypi", "pypi"))
    write_journal(tmp_path, "acme-http", accepted={"testpypi": 2, "pypi": 1}, verified=("testpypi",))
    made = lines(status(tmp_path, found, offline=False))
    assert made[:2] == [
        "  1  acme-core 2.0: testpypi: confirmed; pypi: 1 of 2 files",
        "  2  acme-http 2.0: testpypi: not begun; pypi: 1 of 2 files",
    ]
    assert not any("no index was asked" in line for line in made)


def test_a_member_that_was_released_elsewhere_is_whole(tmp_path: Path) -> None:
    """Its files were built there: of how many they are, this journal does not know. What was not asked is no number."""
    released = tuple(replace(one, state="released") for one in five().members if one.member.name == "acme-core")
    unasked = replace(a_set(), members=released, levels=())
    status(tmp_path, unasked)
    write_journal(tmp_path, "acme-core", accepted={"pypi": 1, "testpypi": 1})
    listed = replace(
        unasked, members=tuple(replace(one, listings={"pypi": listing("acme-core", 1)}) for one in released)
    )
    for release_set, accepted, expected in ((unasked, 0, None), (listed, 1, 1)):
        (member,) = status(tmp_path, release_set).members
        dry_run, target = member.standings
        assert (target.standing, target.accepted, target.expected) == ("whole", accepted, expected)
        assert (dry_run.standing, dry_run.accepted) == ("partial", 1), "a dry run that was not completed"


def test_a_member_that_cannot_be_read_is_unknown_with_the_reason(tmp_path: Path) -> None:
    release_set = a_set()
    first, *others = release_set.members
    problem = Unknown(reason="its version is not known", remedy="add a version")
    broken = MemberFacts(member=replace(first.member, version=""), state="unknown", problem=problem)
    found = status(tmp_path, replace(release_set, members=(broken, *others), levels=release_set.levels[1:]))
    assert "  -  acme-core: testpypi: unknown; pypi: unknown (its version is not known)" in lines(found)
    member = set_status_to_json(found)["members"][0]
    assert (member["reason"], member["remedy"]) == ("its version is not known", "add a version")
    assert found.next_command


@pytest.mark.parametrize(
    ("record", "following"),
    [
        (None, "pypi-preflight set rehearse --directory x --offline"),
        (record_of(five(), fails="acme-http"), "pypi-preflight set release"),
        (record_of(five(), killed_in=2), "pypi-preflight set release"),
        (record_of(five()) | {"verb": "rehearse"}, "pypi-preflight set release --directory x"),
        # a complete release of what is not released now was one of other versions
        (record_of(five()), "pypi-preflight set rehearse --directory x --offline"),
        ({"schema": 0}, "pypi-preflight set rehearse --directory x --offline"),
    ],
)
def test_the_command_that_continues(tmp_path: Path, record: dict[str, Any] | None, following: str) -> None:
    if record is not None:
        path = tmp_path / ".release" / "sets" / "20261105T120000Z" / "record.json"
        set_recorder.write_set_record(path, record)
    found = status(tmp_path, a_set())
    assert found.next_command == following
    valid = record is not None and record["schema"] != 0
    assert found.record == (str(set_recorder.find_set_record(tmp_path)) if valid else "")
    text = "\n".join(lines(found))
    assert ("last run: release, 2026-11-05 12:00 UTC: incomplete: acme-http 2.0" in text) == (
        record is not None and record.get("exit") is not None and record["exit"]["status"] == 4
    )
    released = replace(a_set(), levels=(), members=tuple(replace(m, state="released") for m in a_set().members))
    assert status(tmp_path, released).next_command == ""
    assert "no member to release" in lines(status(tmp_path, released))


def test_sixty_members_are_summed_up_at_the_end(tmp_path: Path) -> None:
    made = lines(status(tmp_path, a_set(sixty())))
    assert made[-4:-1] == ["testpypi: no member begun", "pypi: no member begun", "by the journals: no index was asked"]
    document = set_status_to_json(status(tmp_path, a_set(sixty())))
    assert document["progress"] == made[-4:-2]
    assert (document["indexes"], document["last_run"], len(document["members"])) == (list(LASTING), None, 60)


def test_the_command_reads_members_and_journals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.release.set]\nmembers = ["packages/*"]\n', encoding="utf-8")
    for name in ("acme-core", "acme-http"):
        place = tmp_path / "packages" / name
        place.mkdir(parents=True)
        requires = '["acme-core"]' if name == "acme-http" else "[]"
        text = f'[project]\nname = "{name}"\nversion = "2.0"\ndependencies = {requires}\n'
        (place / "pyproject.toml").write_text(text, encoding="utf-8")
    write_journal(tmp_path, "acme-core", accepted={"testpypi": 1})
    assert main(["--directory", str(tmp_path), "set", "status", "--offline"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "  1  acme-core 2.0: testpypi: 1 of 2 files; pypi: not begun",
        "  2  acme-http 2.0: testpypi: not begun; pypi: not begun",
        "2 of 2 members to release, in 2 levels",
        "testpypi: 1 partial (acme-core: 1 of 2 files); acme-http not begun",
        "pypi: no member begun",
        "by the journals: no index was asked",
        f"next: pypi-preflight set rehearse --directory {tmp_path} --offline",
    ]
    assert main(["--directory", str(tmp_path), "set", "status", "--offline", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["progress"][1] == "pypi: no member begun"
