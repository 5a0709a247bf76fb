"""The plan of a set as jobs: who waits for whom, and what the document promises to every engine."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from graphlib import TopologicalSorter
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from release.core.errors import Exit
from release.core.models.index import Index
from release.publishing.sets import set_plan
from tests.publishing.sets.made_sets import DIAMOND, SCHEMA, document, release_set


def jobs(found: Mapping[str, Any]) -> dict[str, Any]:
    return {job["id"]: job for job in found["jobs"]}


def test_a_diamond_is_built_judged_as_a_whole_and_uploaded_level_by_level() -> None:
    found = document(release_set(DIAMOND))
    assert found["levels"] == [["a", "e"], ["b", "c"], ["d"]]
    there = jobs(found)
    assert list(there)[:6] == ["build-a", "build-e", "build-b", "build-c", "build-d", "gate"]
    assert there["build-b"]["needs"] == []
    assert there["build-b"]["commands"] == [
        {"argv": ["pypi-preflight", "--directory", "packages/b", "build", "--output", "dist/b"], "variables": {}}
    ]
    assert there["gate"]["needs"] == ["build-a", "build-e", "build-b", "build-c", "build-d"]
    assert there["upload-testpypi-e"]["needs"] == ["gate"]
    assert there["upload-testpypi-d"]["needs"] == ["upload-testpypi-b", "upload-testpypi-c"]
    assert there["upload-pypi-a"]["needs"] == ["upload-testpypi-d"]
    assert there["upload-pypi-d"]["commands"][0]["argv"] == (
        [
            "pypi-preflight",
            "set",
            "release",
            "--files",
            "dist",
            "--only",
            "d",
            "--index",
            "pypi",
            "--dry-run-on",
            "testpypi",
            "--yes",
        ]
    )
    assert there["upload-pypi-d"]["environment"] == "pypi-d"
    assert {job["id"] for job in found["jobs"] if job["credentials"]} == {
        f"upload-{index}-{name}" for index in ("testpypi", "pypi") for name in DIAMOND
    }


def test_every_job_comes_after_what_it_needs_and_none_uploads_before_the_gate() -> None:
    found = document(release_set(DIAMOND, build={"d": ("a",), "c": ("e",)}), binary=("a", "d"))
    there, seen = jobs(found), set[str]()
    assert len(there) == len(found["jobs"])
    for name, job in there.items():
        assert set(job["needs"]) <= seen
        seen.add(name)
        if job["kind"] == "upload":
            above = set(TopologicalSorter({one: set(each["needs"]) for one, each in there.items()}).static_order())
            assert "gate" in above


def test_a_build_that_requires_a_sibling_waits_for_it_and_for_what_that_one_requires() -> None:
    requires = {"base": (), "plugin": ("base",), "tool": (), "app": ("tool",)}
    made = release_set(requires, build={"tool": ("plugin>=1",), "app": ("tool",)})
    assert set_plan.needed_builds(made)["tool"] == ("base", "plugin")
    assert set_plan.needed_builds(made)["app"] == ("tool",)
    there = jobs(document(made))
    assert there["build-tool"]["needs"] == ["build-base", "build-plugin"]
    assert there["build-tool"]["inputs"] == ["dist/base", "dist/plugin"]
    assert there["build-tool"]["commands"][0]["argv"][-2:] == ["--siblings", "dist"]
    assert [there[f"build-{name}"]["level"] for name in requires] == [1, 1, 2, 3]


def test_binary_wheels_are_built_on_each_platform_from_the_one_sdist() -> None:
    there = jobs(document(release_set({"a-b": (), "c": ()}, build={"c": ("a_b",)}), binary=("a-b",)))
    assert there["build-a-b"]["commands"][0]["argv"] == [
        "python", "-m", "build", "--sdist", "--outdir", "dist/a-b", "packages/a-b"
    ]  # fmt: skip
    wheels = there["wheels-a-b"]
    assert tuple(wheels["platforms"]) == set_plan.PLATFORMS
    assert wheels["commands"][0]["argv"][-1] == "dist/a-b/a_b-1.0.tar.gz"
    assert there["build-c"]["needs"] == ["build-a-b", "wheels-a-b"]
    assert there["gate"]["needs"] == ["build-a-b", "wheels-a-b", "build-c"]


def test_what_is_on_the_index_is_not_built_and_orders_nothing() -> None:
    made = release_set(DIAMOND, build={"d": ("a",)}, states={"a": "released", "e": "private", "c": "not-selected"})
    found = document(made)
    assert found["levels"] == [["b"], ["d"]]
    assert {one["id"]: one["level"] for one in found["members"]} == {"a": None, "b": 1, "c": None, "d": 2, "e": None}
    assert jobs(found)["build-d"]["inputs"] == []
    assert "--siblings" not in jobs(found)["build-d"]["commands"][0]["argv"]


def test_nothing_to_release_is_no_job() -> None:
    found = document(release_set({"a": ()}, states={"a": "released"}))
    assert (found["levels"], found["jobs"]) == ([], [])
    assert list(set_plan.set_plan_to_lines(found)) == ["nothing to release: the index has the version of each member"]


def test_a_project_is_created_only_where_its_name_was_given() -> None:
    found = document(release_set({"a": (), "b": ()}), new_projects=("a",))
    assert [one["creates"] for one in found["members"]] == [["testpypi", "pypi"]] * 2
    assert "--new-project a --yes" in " ".join(jobs(found)["upload-pypi-a"]["commands"][0]["argv"])
    assert "--new-project" not in jobs(found)["upload-pypi-b"]["commands"][0]["argv"]


def test_the_indexes_are_those_of_the_set() -> None:
    made = replace(
        release_set({"a": ()}),
        index="corp",
        indexes=(Index(name="corp", upload_url="http://127.0.0.1:1/", simple_url="http://127.0.0.1:1/simple/"),),
    )
    *others, upload = document(made)["jobs"]
    assert [job["id"] for job in (*others, upload)] == ["build-a", "gate", "upload-corp-a"]
    assert "--index corp --dry-run-on none --yes" in " ".join(upload["commands"][0]["argv"])


def test_each_exit_status_of_a_command_is_explained() -> None:
    statuses = document(release_set({"a": ()}))["exit_statuses"]
    assert set(statuses) == {str(int(one)) for one in Exit if one not in {Exit.WARNED, Exit.UNKNOWN}}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("jobs", 0, "commands", 0, "argv"), "pypi-preflight build"),
        (("jobs", 0, "outputs"), ["/tmp/dist"]),  # noqa: S108
        (("jobs", 0, "outputs"), ["../dist"]),
        (("levels",), [[]]),
        (("members", 0, "id"), "A_b"),
        (("exit_statuses",), {"0": "done"}),
    ],
)
def test_the_schema_refuses_what_no_engine_could_run(where: tuple[Any, ...], value: object) -> None:
    found: Any = json.loads(json.dumps(document(release_set({"a": ()}))))
    at = found
    for key in where[:-1]:
        at = at[key]
    at[where[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, SCHEMA)


def test_the_plan_for_people_has_the_levels_and_the_commands_for_a_shell() -> None:
    found = document(release_set({"a": (), "b": ("a",), "c": ("a",)}))
    lines = list(set_plan.set_plan_to_lines(found))
    assert lines[:2] == ["level 1: a", "level 2: b, c"]
    assert lines[2] == "build-a"
    gate = next(one for one in found["jobs"] if one["id"] == "gate")
    assert f"gate, after {', '.join(gate['needs'])}" in "\n".join(lines)
    upload = next(one for one in found["jobs"] if one["id"] == "upload-pypi-a")
    after = ", ".join(upload["needs"])
    assert f"upload-pypi-a, after {after}, in the environment {upload['environment']}" in lines
    shown = [line.strip() for line in lines if line.startswith("  ")]
    argv = [command["argv"] for job in found["jobs"] for command in job["commands"]]
    assert [shlex.split(line)[-len(words) :] for line, words in zip(shown, argv, strict=True)] == argv
    job = found["jobs"][0] | {"commands": [{"argv": ["x", "a b"], "variables": {"NAME": "c d"}}]}
    assert list(set_plan.set_plan_to_lines(found | {"jobs": [job]}))[-1] == "  NAME='c d' x 'a b'"
    (nothing,) = set_plan.set_plan_to_lines(found | {"jobs": []})
    assert nothing.startswith("nothing to release")


def test_the_plan_for_people_names_some_of_many_jobs_that_are_needed() -> None:
    """An upload needs the whole level before: the text of a wide set would grow with the square of its width."""
    few, some, many = (
        list(set_plan.set_plan_to_lines(document(release_set({f"m{number:02}": () for number in range(count)}))))
        for count in (21, 22, 44)
    )
    gate = "gate, after " + ", ".join(f"build-m{number:02}" for number in range(20))
    assert f"{gate}, build-m20" in few
    assert f"{gate}, … and 2 more (--json lists all of them)" in some
    assert f"{gate}, … and 24 more (--json lists all of them)" in many
    uploads = [line for line in many if line.startswith("upload-pypi-")]
    assert len(uploads) == 44
    assert all(line.count("upload-testpypi-") == 20 for line in uploads)
