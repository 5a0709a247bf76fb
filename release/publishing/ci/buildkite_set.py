"""Buildkite: the pipeline that releases a set, and the steps that a build of it uploads.

Sources: Buildkite documentation, "Command step", "Pipeline upload", "Artifacts", "Buildkite secrets". PyPI has no
trusted publishers for Buildkite (warehouse, open pull request 20515, 2026-11), so that tokens are used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from release.adapters.system import templates
from release.publishing.ci import gitlab
from release.publishing.ci.pipeline import CIBUILDWHEEL, PYTHON, Pipeline
from release.publishing.ci.set_pipeline import (
    COMPARE_FILES,
    IGNORE_FILES,
    LIST_FILES,
    SetPipeline,
    index_title,
    shell_commands,
)

_PLATFORMS = ("linux-x86_64", "linux-aarch64", "win-amd64", "win-arm64", "macosx-arm64", "macosx-x86_64")
_FETCH_FILES = "buildkite-agent artifact download 'dist/*' ."
_Step = dict[str, Any]


def render_set(pipeline: SetPipeline) -> str:
    """Return the text of `.buildkite/pipeline.yml`."""
    lock = pipeline.root.requirements
    values: dict[str, object] = {
        "change_directory": "".join(f"      - {gitlab.scalar(one)}\n" for one in _change_directory(pipeline.root)),
        "options": f" --requirements '{lock}'" if lock else "", "platforms": _PLATFORMS, "python": PYTHON,
        "root": pipeline.root, "scalar": gitlab.scalar,
        "secrets": [secret_name(index, name) for name in pipeline.members for index in pipeline.indexes],
        "titles": [index_title(name) for name in pipeline.indexes],
    }  # fmt: skip
    return templates.render_template(__package__, "buildkite_set.yml.j2", values)


def render_set_run(document: Mapping[str, Any], root: Pipeline, *, levels: int, builds: int) -> str:
    """Return the steps of a document of `set plan --json`, for `buildkite-agent pipeline upload --no-interpolation`.

    `levels` and `builds` play no part: there are as many steps as the plan needs.
    """
    del levels, builds
    keys = {job["id"]: _keys(job) for job in document["jobs"]}
    steps = [step for job in document["jobs"] for step in _steps(job, keys, root)]
    if not steps:
        steps = [{"label": "Nothing to release", "command": "echo 'the index has the version of each member'"}]
    return json.dumps({"steps": steps}, indent=2) + "\n"


def secret_name(index: str, member: str) -> str:
    """The secret with a member's token; letters, digits and underscores."""
    return re.sub(r"\W", "_", f"{index}_token_{member}").upper()


def _keys(job: Mapping[str, Any]) -> list[str]:
    return [f"{job['id']}-{platform}" for platform in job["platforms"]] or [job["id"]]


def _steps(job: Mapping[str, Any], keys: Mapping[str, list[str]], root: Pipeline) -> Iterator[_Step]:
    needs = [key for needed in job["needs"] for key in keys[needed]]
    for key in keys[job["id"]]:
        step: _Step = {"label": key, "key": key, "depends_on": needs, "commands": list(_commands(job, root))}
        if job["outputs"]:
            step["artifact_paths"] = [f"{root.directory}{path}/*" for path in job["outputs"]]
        if job["platforms"]:
            step["agents"] = {"platform": key.removeprefix(f"{job['id']}-")}
        if job["environment"]:
            step["secrets"] = {"TWINE_PASSWORD": secret_name(job["index"], job["member"])}
            step |= {"concurrency_group": f"release-set/{job['environment']}", "concurrency": 1}
        yield step


def _commands(job: Mapping[str, Any], root: Pipeline) -> Iterator[str]:
    """An artifact keeps its path from the directory of the checkout, so that it is fetched there."""
    if job["inputs"]:
        yield _FETCH_FILES.replace("dist/", f"{root.directory}dist/")
    yield from _change_directory(root)
    match job["kind"]:
        case "wheels":
            yield f"python -P -m pip install '{CIBUILDWHEEL}'"
            yield from shell_commands(job)
        case "gate":
            yield root.install()
            yield from shell_commands(job)
            yield LIST_FILES
            yield "buildkite-agent artifact upload SHA256SUMS"
            yield "buildkite-agent meta-data set sums \"$(sha256sum < SHA256SUMS | cut -d ' ' -f 1)\""
        case "upload":
            yield "buildkite-agent artifact download SHA256SUMS ."
            yield 'SUMS="$(buildkite-agent meta-data get sums)"'
            yield from COMPARE_FILES
            yield root.install()
            yield from shell_commands(job)
        case _:
            if job["inputs"]:
                yield IGNORE_FILES.format("dist")
            yield root.install()
            yield from shell_commands(job)


def _change_directory(root: Pipeline) -> list[str]:
    return [f"cd '{root.directory.rstrip('/')}'"] if root.directory else []
