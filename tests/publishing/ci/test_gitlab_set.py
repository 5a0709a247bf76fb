"""The child pipeline of one run on GitLab: each kind of job, whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from release.publishing.ci import gitlab_set
from release.publishing.ci.pipeline import CIBUILDWHEEL, PYTHON, Pipeline
from release.publishing.ci.set_pipeline import COMPARE_FILES, LIST_FILES
from tests.publishing.ci.test_buildkite_set import LINE, job
from tests.publishing.sets.made_sets import pipeline

ROOT = pipeline(directory="")
PART = pipeline(directory="libs/a b/", requirements="lock.txt", lfs=True, submodules=True)
APT = "apt-get update -qq && apt-get install -y -qq --no-install-recommends"
PLAIN = {"variables": {"GIT_DEPTH": "0"}, "before_script": [f"{APT} git", ROOT.install()]}
FULL = {
    "variables": {"GIT_DEPTH": "0", "GIT_SUBMODULE_STRATEGY": "recursive"},
    "before_script": [f"{APT} git git-lfs", "git lfs install && git lfs pull", "cd 'libs/a b'", PART.install()],
}
SUMS = "echo \"SUMS=$(sha256sum < SHA256SUMS | cut -d ' ' -f 1)\" > release.env"
MEMBERS = [{"directory": "packages/a"}, {"directory": "."}, {"directory": ""}, {"directory": "b"}]


def run(*jobs: dict[str, Any], root: Pipeline = ROOT) -> dict[str, Any]:
    text = gitlab_set.render_set_run({"jobs": list(jobs), "members": MEMBERS}, root, levels=1, builds=1)
    assert text.endswith("}\n")
    found: dict[str, Any] = json.loads(text)
    assert found.pop("default") == {"image": f"python:{PYTHON}-slim-bookworm", "interruptible": False}
    assert found.pop("variables") == {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    return found


def one_job(given: dict[str, Any], root: Pipeline = ROOT) -> dict[str, Any]:
    found = run(given, root=root)
    (name,) = found.keys() - {"stages"}
    (stage,) = found["stages"]
    assert found[name].pop("stage") == stage
    return {"name": name, "stage": stage, **found[name]}


def test_a_build_of_the_root() -> None:
    assert one_job(job("build", id="build-a", level=2, outputs=["dist/a"])) == {
        "name": "build-a", "stage": "build-2", **PLAIN, "script": [LINE], "artifacts": {"paths": ["dist/a/"]},
    }  # fmt: skip


def test_a_build_below_the_root_with_siblings_large_files_and_submodules() -> None:
    assert one_job(job("build", inputs=["dist/a"], outputs=["dist/b"]), PART) == {
        "name": "build", "stage": "build-1", **FULL,
        "script": ['echo "dist/" >> "$(git rev-parse --git-path info/exclude)"', LINE],
        "artifacts": {"paths": ["libs/a b/dist/b/"]},
    }  # fmt: skip


def test_the_gate_passes_the_configuration_on() -> None:
    kept = ["SHA256SUMS", "pyproject.toml", "packages/a/pyproject.toml", "b/pyproject.toml"]
    assert one_job(job("gate")) == {
        "name": "gate", "stage": "gate", **PLAIN, "script": [LINE, LIST_FILES, SUMS],
        "artifacts": {"paths": kept, "reports": {"dotenv": "release.env"}},
    }  # fmt: skip
    assert one_job(job("gate"), PART)["artifacts"] == {
        "paths": [f"libs/a b/{name}" for name in (*kept, "lock.txt")],
        "reports": {"dotenv": "libs/a b/release.env"},
    }


@pytest.mark.parametrize(("root", "before"), [(ROOT, []), (PART, ["cd 'libs/a b'"])])
def test_an_upload_has_no_code_of_the_project(root: Pipeline, before: list[str]) -> None:
    assert one_job(job("upload", index="pypi", level=2, environment="pypi-b-c"), root) == {
        "name": "upload", "stage": "pypi-2", "environment": "pypi-b-c", "resource_group": "pypi-b-c",
        "variables": {"GIT_STRATEGY": "none"}, "script": [*before, *COMPARE_FILES, root.install(), LINE],
    }  # fmt: skip


WHEELS = {
    "linux-x86_64": {
        "tags": ["saas-linux-small-amd64"], "services": ["docker:28-dind"],
        "variables": {"GIT_STRATEGY": "none", "DOCKER_HOST": "tcp://docker:2375", "DOCKER_TLS_CERTDIR": ""},
        "links": 'export CIBW_ENVIRONMENT_PASS_LINUX=PIP_FIND_LINKS PIP_FIND_LINKS="/host$PWD/dist/a /host$PWD/dist/c"',
        "script": [
            f"{APT} docker.io", f"python -P -m pip install '{CIBUILDWHEEL}'",
            "python -P -m cibuildwheel --output-dir dist/b dist/b/*.tar.gz",
        ],
    },
    "macosx-arm64": {
        "tags": ["saas-macos-medium-m1"], "image": "macos-15-xcode-16", "variables": {"GIT_STRATEGY": "none"},
        "links": 'export PIP_FIND_LINKS="$PWD/dist/a $PWD/dist/c"',
        "script": [
            "python3 -m venv .tools", f".tools/bin/python -P -m pip install '{CIBUILDWHEEL}'",
            ".tools/bin/python -P -m cibuildwheel --output-dir dist/b dist/b/*.tar.gz",
        ],
    },
    "win-amd64": {
        "tags": ["saas-windows-medium-amd64"], "variables": {"GIT_STRATEGY": "none"},
        "links": '$env:PIP_FIND_LINKS = "$PWD/dist/a $PWD/dist/c"',
        "script": [
            "choco install python313 -y", f"py -3.13 -P -m pip install '{CIBUILDWHEEL}'",
            "py -3.13 -P -m cibuildwheel --output-dir dist/b (Get-Item dist/b/*.tar.gz).FullName",
        ],
    },
}  # fmt: skip


@pytest.mark.parametrize("platform", WHEELS)
@pytest.mark.parametrize("root", [ROOT, PART], ids=["root", "below"])
@pytest.mark.parametrize("siblings", [True, False])
def test_wheels_are_built_as_each_platform_needs_it(platform: str, root: Pipeline, *, siblings: bool) -> None:
    expected = dict(WHEELS[platform])
    links, script = expected.pop("links"), expected.pop("script")
    given = job(
        "wheels", platforms=[platform], outputs=["dist/b"],
        inputs=["dist/a", "dist/b", "dist/c"] if siblings else ["dist/b"],
    )  # fmt: skip
    assert one_job(given, root) == {
        "name": f"wheels-{platform}", "stage": "wheels-1", **expected,
        "artifacts": {"paths": [f"{root.directory}dist/b/"]},
        "script": [*(["cd 'libs/a b'"] if root is PART else []), *([links] if siblings else []), *script],
    }  # fmt: skip


def test_a_platform_without_a_hosted_runner_has_no_job() -> None:
    found = run(job("wheels", platforms=["win-arm64", "linux-aarch64"], outputs=["dist/b"]))
    assert found.keys() == {"stages", "wheels-linux-aarch64"}
    assert found["wheels-linux-aarch64"]["tags"] == ["saas-linux-small-arm64"]


def test_builds_and_wheels_of_a_level_come_before_the_next_level_and_all_else_in_the_order_of_the_plan() -> None:
    found = run(
        job("wheels", id="w10", level=10, platforms=["linux-x86_64"], outputs=["x"]), job("build", id="b10", level=10),
        job("build", id="b2", level=2), job("gate"), job("upload", id="u1", index="testpypi"),
        job("upload", id="u2", index="acme"), job("build", id="b1"),
    )  # fmt: skip
    assert found["stages"] == ["build-1", "build-2", "build-10", "wheels-10", "gate", "testpypi-1", "acme-1"]


def test_a_run_without_jobs_says_so() -> None:
    assert run() == {
        "stages": ["nothing"],
        "nothing": {
            "stage": "nothing", "script": ["echo 'nothing to release: the index has the version of each member'"],
        },
    }  # fmt: skip
