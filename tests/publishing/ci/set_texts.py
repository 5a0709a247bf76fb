"""The workflows of some sets, and what some runs read of their plans."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release.publishing.ci import SET_SERVICES
from release.publishing.ci.set_pipeline import SetPipeline
from tests.publishing.sets.made_sets import DIAMOND, document, pipeline, release_set

ROOT = pipeline(directory="")


def set_pipeline(**changed: Any) -> SetPipeline:
    fields: dict[str, Any] = {
        "root": ROOT, "indexes": ("testpypi", "pypi"), "members": ("a", "b-c"),
        "around_version": (("a-v", ""), ("b-c-v", "")), "levels": 3, "builds": 1,
    }  # fmt: skip
    return SetPipeline(**fields | changed)


PART = pipeline(directory="libs/a b/", requirements="tools.txt", lfs=True, submodules=True)
CASES = {
    "usual": set_pipeline(),
    "one": set_pipeline(levels=1, indexes=("pypi",), proves=False),
    "built-in-order": set_pipeline(builds=2, levels=4),
    "part": set_pipeline(root=PART),
}
#: requirements and build requirements of sets, and their binary members
PLANS: Mapping[str, Mapping[str, Any]] = {
    "diamond": document(release_set(DIAMOND)),
    "binary": document(release_set({"a": (), "b": ("a",)}, build={"b": ("a",)}), binary=("a", "b")),
    "nothing": document(release_set({"a": ()}, states={"a": "released"})),
}


def run_text(service: str, plan: str, root: Any = None) -> str:
    return SET_SERVICES[service].render_set_run(PLANS[plan], root or ROOT, levels=3, builds=2)


def set_texts(service: str) -> dict[str, str]:
    """File name → text, of each document that the service reads."""
    texts = {f"set-{name}.yml": SET_SERVICES[service].render_set(made) for name, made in CASES.items()}
    if service != "github":
        texts |= {f"run-{name}.json": run_text(service, name) for name in PLANS}
        texts |= {f"run-part-{name}.json": run_text(service, name, PART) for name in PLANS}
    return texts
