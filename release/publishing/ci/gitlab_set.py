"""GitLab CI/CD: the pipeline that releases a set, and the child pipeline of one run.

Sources: GitLab documentation, "Downstream pipelines" (dynamic child pipelines), "CI/CD YAML syntax reference",
"OpenID Connect (OIDC) authentication using ID tokens": `ci_config_ref_uri`, by which PyPI knows a publisher, is null
unless the definition of the pipeline is a file of the project.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from release.adapters.system import templates
from release.publishing.ci import gitlab
from release.publishing.ci.pipeline import CIBUILDWHEEL, Pipeline
from release.publishing.ci.set_pipeline import (
    COMPARE_FILES,
    IGNORE_FILES,
    LIST_FILES,
    SetPipeline,
    index_title,
    shell_commands,
    sibling_paths,
)

#: platform of a plan → the runner's tag; others have no hosted runner. Source: GitLab documentation, "Hosted runners"
_RUNNERS = {
    "linux-x86_64": "saas-linux-small-amd64", "linux-aarch64": "saas-linux-small-arm64",
    "win-amd64": "saas-windows-medium-amd64", "macosx-arm64": "saas-macos-medium-m1",
}  # fmt: skip
_NOTHING = "echo 'nothing to release: the index has the version of each member'"
_Job = dict[str, Any]


def render_set(pipeline: SetPipeline) -> str:
    """Return the text of `.gitlab-ci.yml`, or of a file that it includes."""
    root, lock = pipeline.root, pipeline.root.requirements
    values: dict[str, object] = {
        "change_directory": gitlab.change_directory(root), "image": gitlab.IMAGE, "indexes": pipeline.indexes,
        "json": json.dumps, "members": pipeline.members, "options": f" --requirements '{lock}'" if lock else "",
        "root": root,
        "rules": [*map(gitlab.tag_rule, pipeline.around_version), '$CI_PIPELINE_SOURCE == "web"'],
        "scalar": gitlab.scalar, "tags": ["*".join(one) for one in pipeline.around_version],
        "titles": [index_title(name) for name in pipeline.indexes],
    }  # fmt: skip
    return templates.render_template(__package__, "gitlab_set.yml.j2", values)


def render_set_run(document: Mapping[str, Any], root: Pipeline, *, levels: int, builds: int) -> str:
    """Return the child pipeline of a document of `set plan --json`, in JSON, which is YAML.

    `levels` and `builds` play no part: the child pipeline has as many stages as the plan.
    """
    del levels, builds
    jobs: dict[str, _Job] = {}
    for job in document["jobs"]:
        jobs |= dict(_jobs(job, document, root))
    if not jobs:
        jobs = {"nothing": {"stage": "nothing", "script": [_NOTHING]}}
    stages = list(dict.fromkeys(one["stage"] for one in jobs.values()))
    stages.sort(key=_building_first)
    head = {
        "stages": stages,
        "default": {"image": gitlab.IMAGE, "interruptible": False},
        "variables": {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    }
    return json.dumps(head | jobs, indent=2) + "\n"


def _building_first(stage: str) -> tuple[int, str]:
    """Builds and wheels of a level before the builds of the next; other stages stay in the order of the plan."""
    kind, _, level = stage.rpartition("-")
    return (int(level), kind) if kind in {"build", "wheels"} else (1_000_000, "")


def _jobs(job: Mapping[str, Any], document: Mapping[str, Any], root: Pipeline) -> Iterator[tuple[str, _Job]]:
    match job["kind"]:
        case "build":
            yield job["id"], _build(job, root)
        case "wheels":
            for platform in job["platforms"]:
                if platform in _RUNNERS:
                    yield f"{job['id']}-{platform}", _wheels(job, root, platform)
        case "gate":
            yield job["id"], _gate(job, document, root)
        case _:
            yield job["id"], _upload(job, root)


def _in_git(root: Pipeline) -> _Job:
    variables = {"GIT_DEPTH": "0"} | ({"GIT_SUBMODULE_STRATEGY": "recursive"} if root.submodules else {})
    packages = "git git-lfs" if root.lfs else "git"
    before = [f"apt-get update -qq && apt-get install -y -qq --no-install-recommends {packages}"]
    before += ["git lfs install && git lfs pull"] if root.lfs else []
    return {"variables": variables, "before_script": [*before, *_change_directory(root), root.install()]}


def _change_directory(root: Pipeline) -> list[str]:
    return [f"cd '{root.directory.rstrip('/')}'"] if root.directory else []


def _build(job: Mapping[str, Any], root: Pipeline) -> _Job:
    paths = [f"{root.directory}{path}/" for path in job["outputs"]]
    script = [*([IGNORE_FILES.format("dist")] if job["inputs"] else []), *shell_commands(job)]
    return {"stage": f"build-{job['level']}", **_in_git(root), "script": script, "artifacts": {"paths": paths}}


def _wheels(job: Mapping[str, Any], root: Pipeline, platform: str) -> _Job:
    system, (into,) = platform.partition("-")[0], job["outputs"]
    directory = " ".join(_change_directory(root))
    links = sibling_paths(job)
    made: _Job = {
        "stage": f"wheels-{job['level']}", "tags": [_RUNNERS[platform]], "variables": {"GIT_STRATEGY": "none"},
        "artifacts": {"paths": [f"{root.directory}{into}/"]},
    }  # fmt: skip
    build = f"-P -m cibuildwheel --output-dir {into} {into}/*.tar.gz"
    match system:
        case "linux":
            shown = [f'export CIBW_ENVIRONMENT_PASS_LINUX=PIP_FIND_LINKS PIP_FIND_LINKS="{_join("/host$PWD", links)}"']
            made["services"] = ["docker:28-dind"]
            made["variables"] |= {"DOCKER_HOST": "tcp://docker:2375", "DOCKER_TLS_CERTDIR": ""}
            install = "apt-get update -qq && apt-get install -y -qq --no-install-recommends docker.io"
            steps = [install, f"python -P -m pip install '{CIBUILDWHEEL}'", f"python {build}"]
        case "macosx":
            shown = [f'export PIP_FIND_LINKS="{_join("$PWD", links)}"']
            made["image"] = "macos-15-xcode-16"
            python = ".tools/bin/python"
            steps = ["python3 -m venv .tools", f"{python} -P -m pip install '{CIBUILDWHEEL}'", f"{python} {build}"]
        case _:
            shown = [f'$env:PIP_FIND_LINKS = "{_join("$PWD", links)}"']
            build = f"-P -m cibuildwheel --output-dir {into} (Get-Item {into}/*.tar.gz).FullName"
            steps = ["choco install python313 -y", f"py -3.13 -P -m pip install '{CIBUILDWHEEL}'", f"py -3.13 {build}"]
    made["script"] = [*filter(None, [directory]), *(shown if links else []), *steps]
    return made


def _join(prefix: str, paths: list[str]) -> str:
    return " ".join(f"{prefix}/{path}" for path in paths)


def _gate(job: Mapping[str, Any], document: Mapping[str, Any], root: Pipeline) -> _Job:
    """The jobs that upload have no code of the project: this one passes its configuration on."""
    directories = [one["directory"] for one in document["members"] if one["directory"] not in {"", "."}]
    kept = ["SHA256SUMS", "pyproject.toml", *(f"{one}/pyproject.toml" for one in directories)]
    kept += [root.requirements] if root.requirements else []
    script = [
        *shell_commands(job), LIST_FILES, "echo \"SUMS=$(sha256sum < SHA256SUMS | cut -d ' ' -f 1)\" > release.env",
    ]  # fmt: skip
    artifacts = {
        "paths": [root.directory + path for path in kept],
        "reports": {"dotenv": f"{root.directory}release.env"},
    }
    return {"stage": "gate", **_in_git(root), "script": script, "artifacts": artifacts}


def _upload(job: Mapping[str, Any], root: Pipeline) -> _Job:
    script = [*_change_directory(root), *COMPARE_FILES, root.install(), *shell_commands(job)]
    return {
        "stage": f"{job['index']}-{job['level']}", "environment": job["environment"],
        "resource_group": job["environment"], "variables": {"GIT_STRATEGY": "none"}, "script": script,
    }  # fmt: skip
