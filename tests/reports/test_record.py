"""The record: one document that keeps what each run did, and lets no later run take it away."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from release.core.errors import Exit, ReleaseError
from release.core.models.distribution import Rejection, UnclearResponse, UploadResult
from release.reports import html, markdown, record_text
from release.reports import record as records
from release.reports.html import timeline
from release.reports.record import format_timestamp
from tests.runs import COMMIT, FILES, SDIST, WHEEL, accepted, full, outcome, record, story

SCHEMA = json.loads((Path(records.__file__).parent / "record.schema.json").read_text(encoding="utf-8"))


def valid(document: Any) -> dict[str, Any]:
    written = json.loads(json.dumps(document))
    jsonschema.Draft202012Validator(SCHEMA).validate(written)
    return records.validate_record(written, "record.json")


def test_the_schema_is_a_schema_and_a_record_is_of_it() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    valid(full())


def test_the_keys_that_others_rely_on() -> None:
    made = valid(record(story(uploads={"pypi": accepted(*FILES)})))
    assert list(made) == ["schema", "project", "version", "commit", "tag", "files", "runs"]
    assert (made["schema"], made["project"], made["version"]) == (1, "acme-widget", "1.0")
    assert (made["commit"], made["tag"]) == (COMMIT, "v1.0")
    assert made["runs"][0]["exit"].keys() == {"status", "message", "remedy", "cause", "next"}
    assert made["files"][0] == {
        "filename": "acme_widget-1.0-py3-none-any.whl", "kind": "bdist_wheel", "size": 4321, "sha256": "a1" * 32,
    }  # fmt: skip
    assert made["files"][1]["kind"] == "sdist"


def test_a_dry_run_is_still_there_after_the_release() -> None:
    made = valid(
        record(
            story("testpypi", uploads={"testpypi": accepted(*FILES)}),
            story("publish", uploads={"pypi": accepted(*FILES)}, day=1),
        )
    )
    assert [(one["verb"], list(one["uploads"])) for one in made["runs"]] == [
        ("testpypi", ["testpypi"]),
        ("publish", ["pypi"]),
    ]
    assert [(one.index, one.summary) for one in record_text.progress_by_index(made)] == [
        ("testpypi", "verified"),
        ("pypi", "verified"),
    ]


def test_runs_that_no_index_answered_give_way_to_the_next_of_their_verb() -> None:
    made = record(story("check"), story("publish", uploads={"pypi": accepted(WHEEL)}), *[story("check")] * 5)
    again = record(*[story("publish", uploads={"pypi": accepted(WHEEL)})] * 2)
    assert [one["verb"] for one in made["runs"]] == ["publish", "check"]
    assert len(again["runs"]) == 2


@pytest.mark.parametrize("verb", ["check", "confirm", "build"])
def test_a_run_with_other_files_or_none_does_not_rewrite_what_is_on_an_index(verb: Any) -> None:
    other = replace(WHEEL, sha256="c3" * 32)
    later = story(verb, files=() if verb == "check" else (other,), commit="e" * 40, day=1)
    made = record(story("publish", uploads={"pypi": accepted(*FILES)}), later)
    assert (made["commit"], {file["sha256"] for file in made["files"]}) == (COMMIT, {"a1" * 32, "b2" * 32})


def test_before_any_index_has_them_the_files_are_those_last_built() -> None:
    other = replace(WHEEL, sha256="c3" * 32)
    refused = Rejection(filename=WHEEL.filename, status=400, message="no")
    told = story("testpypi", uploads={"testpypi": (refused,)}), story("build", files=(other,)), story("check", files=())
    made = record(*told)
    assert made["files"][0]["sha256"] == "c3" * 32


def test_another_version_begins_another_record() -> None:
    made = record(story("check"), story("build", version="1.1"))
    assert (made["version"], len(made["runs"])) == ("1.1", 1)


def test_steps_that_were_not_reached_say_so_and_have_no_time() -> None:
    made = valid(
        record(
            story("release", stopped_at=3, exit=Exit.REFUSED, message="the build failed", remedy="mend it", files=())
        )
    )
    steps = made["runs"][-1]["steps"]
    assert [step["how"] for step in steps] == ["done"] * 3 + ["refused"] + ["not reached"] * 6
    assert [step["seconds"] is None for step in steps] == [False] * 4 + [True] * 6
    assert steps[0]["begun"] == "2026-11-05T12:00:00.000Z"
    assert made["runs"][-1]["exit"]["status"] == 1


def test_a_step_that_the_run_broke_off_in_has_a_beginning_and_no_length() -> None:
    told = story("build")
    broken = replace(told, steps=[*told.steps[:1], replace(told.steps[1], ended=None)])
    step = valid(record(broken))["runs"][-1]["steps"][1]
    assert (step["how"], step["seconds"], step["begun"]) == ("broken off", None, "2026-11-05T12:00:00.250Z")


def test_each_answer_of_an_index_is_kept() -> None:
    answers: tuple[UploadResult, ...] = (
        *accepted(WHEEL),
        Rejection(filename=SDIST.filename, status=400, message="File already exists"),
        UnclearResponse(filename="third.whl", kind="timeout", detail="no answer in 60 s", sent="some"),
    )
    made = valid(record(story(uploads={"pypi": answers}, stopped_at=1, exit=Exit.INCOMPLETE, message="stopped")))
    receipt, rejection, unclear = made["runs"][-1]["uploads"]["pypi"]
    assert receipt == {
        "answer": "receipt", "filename": WHEEL.filename, "sha256": WHEEL.sha256, "already_there": False,
    }  # fmt: skip
    assert (rejection["answer"], rejection["status"], rejection["text"]) == ("rejection", 400, "File already exists")
    assert (unclear["answer"], unclear["what"], unclear["sent"]) == ("unclear", "timeout", "some")
    (one,) = record_text.progress_by_index(made)
    assert (one.there, one.refused, one.summary) == (
        (WHEEL.filename,),
        (SDIST.filename,),
        "has 1 of 2 files, refused 1",
    )


def test_waivers_have_their_reasons_and_say_whether_they_were_needed() -> None:
    assert full()["runs"][-1]["waivers"] == [
        {"check": "the-tree-is-clean", "reason": "the lock file is written by CI", "used": True},
        {"check": "unused", "reason": "of old", "used": False},
    ]


def test_a_check_knows_its_step() -> None:
    made = valid(record(story("build", outcomes={0: [outcome("A")], 2: [outcome("B")]})))
    assert [(one["title"], one["step"]) for one in made["runs"][-1]["checks"]] == [
        ("A", "check the source"),
        ("B", "check the files"),
    ]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "is not a release record"),
        ([], "is not a release record"),
        ({"schema": 1}, "is not a release record"),
        ({**full(), "runs": []}, "is not a release record"),
        ({**full(), "runs": [{"verb": "check"}]}, "is not a release record"),
        ({**full(), "files": [{"filename": "a"}]}, "is not a release record"),
        ({**full(), "schema": 2}, "has schema 2"),
    ],
)
def test_what_is_no_record_is_told_with_its_path(value: object, said: str) -> None:
    with pytest.raises(ReleaseError, match=said) as caught:
        records.validate_record(value, "there/record.json")
    assert "there/record.json" in caught.value.message
    assert caught.value.remedy


def test_the_time_that_a_person_took_to_answer_is_no_time_of_the_run() -> None:
    """A record of an earlier version does not have it."""
    told = record(story("release"))
    run = told["runs"][-1]
    took, bars = record_text.run_seconds(run), timeline(run)
    assert took > 60
    step = run["steps"][7]
    step["prompted"] = 3600.0
    for one in run["steps"][8:]:
        one["begun"] = later(one["begun"], 3600)
    run["ended"] = later(run["ended"], 3600)
    assert record_text.run_seconds(run) == pytest.approx(took)
    assert timeline(run) == bars
    for one in run["steps"]:
        one.pop("prompted")
    assert record_text.run_seconds(run) == pytest.approx(took + 3600)


def later(timestamp: str, seconds: float) -> str:
    return format_timestamp(datetime.fromisoformat(timestamp) + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("message", "headline", "rest"),
    [
        ("the tree is dirty", "the tree is dirty", ""),
        ("it does not build: 'x'\n    error: x\n    hint: y", "it does not build: 'x'", "    error: x\n    hint: y"),
        (
            f"pypi refused a file; on pypi: {'a.whl, ' * 30}",
            "pypi refused a file",
            f"on pypi: {'a.whl, ' * 30}".strip(),
        ),
        ("a; b", "a; b", ""),
        ("", "", ""),
    ],
)
def test_the_headline_of_a_failed_run_is_its_cause(message: str, headline: str, rest: str) -> None:
    assert record_text.headline(message) == headline
    assert record_text.after_headline(message).strip() == rest.strip()
    if message == "the tree is dirty":
        failed = record(story("check", stopped_at=0, exit=Exit.REFUSED, message=message, remedy="commit it"))
        assert f'<h1 class="cause bad">{message}</h1>' in html.render(failed)
        assert markdown.summary(failed).startswith(f"## ❌ {message}\n\n→ commit it\n")
