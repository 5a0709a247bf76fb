"""The record of a set's run: at its end, and after a kill; with what it must not contain."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from release.core.errors import ReleaseError, UsageError
from release.core.events import MemberFinished, Message, SetEvent, SetPhaseStarted
from release.core.models.release_set import ReleaseSet
from release.core.models.set_results import SetRunResult
from release.core.secret import Secret
from release.publishing.sets import set_recorder
from release.publishing.sets.set_recorder import SetRecorder
from release.reports import set_record
from tests.fake_tokens import token
from tests.publishing.test_recorder import system
from tests.repeated_commands import repeated
from tests.set_runs import LASTING, events_of, five, result_of
from tests.uploads import credential

SCHEMA = json.loads((Path(set_record.__file__).parent / "set_record.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def recorder(root: Path, release_set: ReleaseSet, told: list[SetEvent], env: Mapping[str, str] | None = None) -> Any:
    return SetRecorder(
        forward=told.append, system=system(env), root=root, release_set=release_set, verb="release", indexes=LASTING,
        command=repeated("pypi-preflight set release"),
    )  # fmt: skip


def loaded(root: Path) -> dict[str, Any]:
    record = set_recorder.load_set_record(set_recorder.find_set_record(root))
    VALIDATOR.validate(record)
    return record


def how(record: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one["how"] for one in record["members"]}


def standings(record: dict[str, Any], index: str) -> dict[str, str]:
    return {one["name"]: at["standing"] for one in record["members"] for at in one["standings"] if at["index"] == index}


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_stop_is_recorded_with_its_cause(tmp_path: Path) -> None:
    told: list[SetEvent] = []
    release_set = five()
    one = recorder(tmp_path, release_set, told)
    events = list(events_of(release_set, fails="acme-http"))
    for event in events:
        one.notify(event)
    ended = one.finish(result_of(release_set, fails="acme-http"))
    assert told == events
    assert ended.record == str(tmp_path / ".release" / "sets" / "20261105T120000Z" / "record.json")
    assert (tmp_path / ".release" / ".gitignore").read_text() == "*\n"
    record = loaded(tmp_path)
    assert record["exit"]["status"] == 4
    assert record["exit"]["message"].splitlines()[0].startswith("acme-http 2.0: acme_http-2.0.tar.gz: refused")
    assert how(record) == {
        "acme-core": "stopped", "acme-http": "refused", "acme-db": "not reached", "acme-web": "not reached",
        "acme-cli": "not reached", "acme-docs": "left out", "acme-old": "left out",
    }  # fmt: skip
    assert standings(record, "testpypi") == {
        "acme-core": "whole", "acme-http": "partial", "acme-db": "not-begun", "acme-web": "not-begun",
        "acme-cli": "not-begun",
    }  # fmt: skip
    assert standings(record, "pypi")["acme-old"] == "whole"
    http = next(member for member in record["members"] if member["name"] == "acme-http")
    assert http["tally"] == {"passed": 6, "warned": 2, "failed": 1}
    assert [(check["state"], check["step"]) for check in http["checks"]][-1] == ("failed", "upload to testpypi")
    assert [answer["answer"] for answer in http["uploads"]["testpypi"]] == ["rejection"]
    assert (http["level"], http["needs"]) == (2, ["acme-core"])
    assert [member["needs"] for member in record["members"]][3] == ["acme-http", "acme-db"]
    assert [phase["title"] for phase in record["phases"]][-1] == "testpypi, level 2 of 4"


def test_a_member_whose_run_could_not_start_has_its_reason(tmp_path: Path) -> None:
    one = recorder(tmp_path, five(), [])
    names = ("acme-core", "acme-http")
    one.notify(SetPhaseStarted(title="gate", members=names))
    one.notify(MemberFinished(member="acme-core", version="2.0", status="refused", note="no", remedy="do it"))
    one.notify(MemberFinished(member="acme-http", version="2.0", status="stopped"))
    one.finish(replace(result_of(five()), members=tuple(replace(m, result=None) for m in result_of(five()).members)))
    core, http = loaded(tmp_path)["members"][:2]
    assert (core["how"], core["message"], core["remedy"]) == ("refused", "no", "do it")
    assert (http["how"], http["message"], http["remedy"]) == ("not reached", "", "")


@pytest.mark.parametrize(
    ("killed_in", "expected"),
    [
        (0, {"acme-core": "not-begun", "acme-http": "not-begun"}),
        (1, {"acme-core": "unknown", "acme-http": "not-begun"}),
        (2, {"acme-core": "whole", "acme-http": "unknown"}),
    ],
)
def test_a_killed_run_still_has_a_record(tmp_path: Path, killed_in: int, expected: dict[str, str]) -> None:
    one = recorder(tmp_path, five(), [])
    for event in events_of(five(), phases=killed_in):
        one.notify(event)
    record = loaded(tmp_path)
    assert (record["exit"], record["ended"]) == (None, None)
    assert standings(record, "testpypi").items() >= expected.items()
    assert how(record)["acme-core"] == "broken off" if killed_in < 2 else "done"
    assert record["command"] == "pypi-preflight set release"


def test_no_secret_is_in_it_or_in_the_job_summary(tmp_path: Path) -> None:
    secret, password = token(), "correct horse battery"
    message = f"the server said: {secret} and {password}"
    one = recorder(tmp_path, five(), [], {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"), "A": "b"})
    assert dict(one.member_system().env) == {"A": "b"}
    result = result_of(five(), fails="acme-http", message=message)
    one.secrets = lambda: [credential(Secret(password))]
    one.finish(result)
    for path in (one.path, tmp_path / "summary.md"):
        text = path.read_text(encoding="utf-8")
        assert "the server said" in text
        assert secret not in text
        assert password not in text


def test_a_record_that_cannot_be_written_is_reported_once_and_fails_nothing(tmp_path: Path) -> None:
    (tmp_path / ".release").write_text("a file")
    told: list[SetEvent] = []
    one = recorder(tmp_path, five(), told)
    for event in events_of(five()):
        one.notify(event)
    result = result_of(five())
    assert one.finish(result) == result
    assert len([event for event in told if isinstance(event, Message)]) == 1


def test_the_last_run_is_found_and_others_by_their_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no records of a set"):
        set_recorder.find_set_record(tmp_path)
    results: list[SetRunResult] = []
    numbers = count()
    while next(numbers) < 3:
        results.append(recorder(tmp_path, five(), []).finish(result_of(five())))
    names = [Path(one.record).parent.name for one in results]
    assert names == ["20261105T120000Z", "20261105T120000Z-2", "20261105T120000Z-3"]
    assert str(set_recorder.find_set_record(tmp_path)) == results[-1].record
    assert str(set_recorder.find_set_record(tmp_path, names[0])) == results[0].record
    with pytest.raises(UsageError, match=r"'1\.0'") as caught:
        set_recorder.find_set_record(tmp_path, "1.0")
    assert names[0] in caught.value.remedy


@pytest.mark.parametrize(
    "damage", [{"schema": 2}, {"members": [{}]}, {"phases": None}, {"exit": {}}, {"levels": "abc"}, {"verb": None}]
)
def test_what_is_no_record_is_refused(tmp_path: Path, damage: dict[str, Any]) -> None:
    path = Path(recorder(tmp_path, five(), []).finish(result_of(five())).record)
    record = json.loads(path.read_text(encoding="utf-8"))
    set_recorder.write_set_record(path, record | damage)
    with pytest.raises(ReleaseError):
        set_recorder.load_set_record(path)
    assert set_recorder.load_last_set_record(tmp_path) is None
    path.write_bytes(b"{")
    with pytest.raises(ReleaseError, match="not the record of a set"):
        set_recorder.load_set_record(path)


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), ReleaseError("the disk is full", remedy="x")]
)
def test_a_record_that_cannot_be_written_is_reported_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The release goes on: its effects are in the journals of the members."""
    told: list[SetEvent] = []
    release_set = five()
    one = recorder(tmp_path, release_set, told)

    def write(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(set_recorder, "write_set_record", write)
    for event in events_of(release_set):
        one.notify(event)
    ended = one.finish(result_of(release_set))
    words = "no space left on the disk" if isinstance(error, OSError) else "the disk is full"
    assert [event.text for event in told if isinstance(event, Message) and "record" in event.text] == [
        f"cannot write the record: {words}"
    ]
    assert (ended.record, ended.exit) == ("", result_of(release_set).exit)
