"""GitHub Actions: the workflow that releases a set, and the matrices of one run.

Sources: GitHub documentation, "Workflow syntax", "Expressions" (status check functions), "Actions limits"; zizmor's
audits, which a test runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from release.adapters.system import templates
from release.publishing.ci import github
from release.publishing.ci.pipeline import CIBUILDWHEEL, PYTHON, Pipeline
from release.publishing.ci.set_pipeline import (
    IGNORE_FILES,
    SetPipeline,
    index_title,
    jobs_of_kind,
    member_directories,
    require_size,
)

#: platform of a plan → the runner. Source: actions/runner-images, "Available Images"
_RUNNERS = {
    "linux-x86_64": "ubuntu-24.04", "linux-aarch64": "ubuntu-24.04-arm", "win-amd64": "windows-2025",
    "win-arm64": "windows-11-arm", "macosx-arm64": "macos-15", "macosx-x86_64": "macos-15-intel",
}  # fmt: skip
_WITH_PUBLISHERS = ("testpypi", "pypi")
#: jobs of a matrix. Source: GitHub documentation, "Actions limits"
_MATRIX_LIMIT = 256


def render_set(pipeline: SetPipeline) -> str:
    """Return the text of a workflow in `.github/workflows/`."""
    building = [f"{kind}_{number}" for number in range(1, pipeline.builds + 1) for kind in ("build", "wheels")]
    # a path without a slash matches in each directory. Source: gitignore(5), which git-sparse-checkout(1) names
    lock = pipeline.root.requirements
    sparse_paths = ["pyproject.toml", *([f"/{pipeline.root.directory}{lock}"] if lock else [])]
    values: dict[str, object] = {
        "actions": github.ACTIONS, "builds": pipeline.builds, "building": building, "cibuildwheel": CIBUILDWHEEL,
        "ignore_siblings": IGNORE_FILES.format("siblings"),
        "indexes": pipeline.indexes, "json": json.dumps, "levels": pipeline.levels, "members": pipeline.members,
        "outputs": list(_output_names(pipeline.levels, pipeline.builds)), "proves": pipeline.proves, "python": PYTHON,
        "root": pipeline.root, "sparse_paths": sparse_paths,
        "tags": sorted({github.tag_pattern(*around) for around in pipeline.around_version}),
        "titles": [index_title(name) for name in pipeline.indexes], "uploads": list(_uploads(pipeline)),
    }  # fmt: skip
    return templates.render_template(__package__, "github_set.yml.j2", values)


def render_set_run(document: Mapping[str, Any], _root: Pipeline, *, levels: int, builds: int) -> str:
    """Return the outputs of the job `plan`, for GITHUB_OUTPUT: the matrix of each job, as JSON in one line.

    `document` is one of `set plan --json`; `levels` and `builds` are those of the workflow. Raises `RefusedError` where
    a matrix is too large.
    """
    directories = member_directories(document)
    found: dict[str, list[Any]] = {name: [] for name in _output_names(levels, builds)}
    for number, level in enumerate(document["levels"], 1):
        found[f"level_{number}"] = [{"member": name} for name in level]
    binary = {job["member"] for job in jobs_of_kind(document, "wheels")}
    for job in jobs_of_kind(document, "build"):
        name = job["member"]
        found[f"build_{job['level']}"].append(
            {"member": name, "directory": directories[name], "binary": name in binary, "siblings": _siblings(job)}
        )
    for job in jobs_of_kind(document, "wheels"):
        for platform in job["platforms"]:
            found[f"wheels_{job['level']}"].append(
                {"member": job["member"], "machine": _RUNNERS[platform], "siblings": _siblings(job)}
            )
    creates = {one["id"]: one["creates"] for one in document["members"]}
    for job in jobs_of_kind(document, "upload"):
        # a pending publisher cannot be proven, and other indexes have no publishers
        if job["index"] in _WITH_PUBLISHERS and job["index"] not in creates[job["member"]]:
            name = job["member"]
            found["prove"].append({"member": name, "directory": directories[name], "index": job["index"]})
    for name, entries in found.items():
        require_size(f"the matrix {name}", entries, _MATRIX_LIMIT)
    return "".join(f"{name}={json.dumps(entries)}\n" for name, entries in found.items())


def _siblings(job: Mapping[str, Any]) -> str:
    """The directories with the files of the siblings that a build needs, for a shell."""
    own = set(job["outputs"])
    return " ".join(f"siblings/{path.rpartition('/')[2]}" for path in job["inputs"] if path not in own)


def _output_names(levels: int, builds: int) -> Iterator[str]:
    for number in range(1, builds + 1):
        yield f"build_{number}"
        yield f"wheels_{number}"
    for number in range(1, levels + 1):
        yield f"level_{number}"
    yield "prove"


def _uploads(pipeline: SetPipeline) -> Iterator[dict[str, Any]]:
    """The jobs that upload, in order; each waits for all that come before it."""
    before = ["prove"] if pipeline.proves else []
    for index in pipeline.indexes:
        earlier = pipeline.indexes[0] if index != pipeline.indexes[0] else "none"
        for level in range(1, pipeline.levels + 1):
            name = f"{index.replace('-', '_')}_{level}"
            extra = "[attest]" if index == "pypi" else ""  # TestPyPI takes no attestations
            yield {
                "id": name, "index": index, "level": level, "before": list(before), "extra": extra,
                "title": index_title(index), "dry_run": "" if index == "testpypi" else f" --dry-run-on {earlier}",
            }  # fmt: skip
            before.append(name)
