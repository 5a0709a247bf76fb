"""Sets, made from the requirements of their members on each other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from release.core.models.release_set import Member, MemberFacts, MemberState, ReleaseSet, SetSettings
from release.core.set_order import order_levels
from release.publishing.ci.pipeline import Pipeline
from release.publishing.sets import set_plan

SCHEMA = json.loads((Path(set_plan.__file__).parent / "set_plan.schema.json").read_text(encoding="utf-8"))
DIAMOND = {"a": (), "b": ("a>=1",), "c": ("a",), "d": ("b", "c; python_version >= '3'"), "e": ()}


def pipeline(**changed: Any) -> Pipeline:
    fields = {
        "tag_format": "{name}-v{version}", "name": "a", "directory": "packages/a/", "version": "0.1.0",
        "requirements": None, "binary": False, "because": "nothing compiles",
    }  # fmt: skip
    return Pipeline(**fields | changed)


def release_set(
    requires: Mapping[str, tuple[str, ...]],
    build: Mapping[str, tuple[str, ...]] | None = None,
    states: Mapping[str, MemberState] | None = None,
) -> ReleaseSet:
    """A set whose members have these requirements on each other."""
    states = states or {}
    members = tuple(
        Member(
            name=name, version="1.0", directory=f"packages/{name}", requires=needs,
            build_requires=("hatchling", *(build or {}).get(name, ())),
        )
        for name, needs in requires.items()
    )  # fmt: skip
    facts = tuple(
        MemberFacts(member=one, state=states.get(one.name, "release"), listings={"testpypi": None, "pypi": None})
        for one in members
    )
    selected = [one.member.name for one in facts if one.state == "release"]
    return ReleaseSet(settings=SetSettings(), members=facts, levels=order_levels(members, selected))


def document(made: ReleaseSet, **changed: Any) -> dict[str, Any]:
    names = [name for level in made.levels for name in level]
    binary = changed.pop("binary", ())
    found = set_plan.set_plan_to_json(made, {one: pipeline(binary=one in binary) for one in names}, **changed)
    jsonschema.validate(found, SCHEMA)
    assert json.loads(json.dumps(found)) == found
    return found
