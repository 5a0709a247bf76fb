"""The workflows are accepted by their services' schemas, and leave an attacker as little as can be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from release.publishing.ci import SERVICES, github, gitlab
from release.publishing.ci.pipeline import Pipeline
from tests.publishing.ci.set_texts import set_texts
from tests.publishing.ci.workflow_files import jobs, parsed, steps, tool


def pipeline(**changed: Any) -> Pipeline:
    fields = {
        "tag_format": "v{version}", "name": "acme", "directory": "", "version": "0.1.0", "requirements": None,
        "binary": False, "because": "nothing compiles",
    }  # fmt: skip
    return Pipeline(**fields | changed)


WEEKLY = "17 9 * * 1"
CASES = {
    "pure": pipeline(),
    "binary": pipeline(binary=True),
    "locked": pipeline(requirements="ci/tools.txt"),
    "part": pipeline(directory="libs/a b/", tag_format="{name}-v{version}"),
    "part-binary": pipeline(directory="libs/a b/", binary=True, requirements="tools.txt"),
    "large": pipeline(lfs=True, submodules=True),
    "large-binary": pipeline(lfs=True, submodules=True, binary=True),
    "proven": pipeline(proof=WEEKLY),
    "proven-part-binary": pipeline(directory="libs/a b/", binary=True, requirements="tools.txt", proof=WEEKLY),
}
EACH = pytest.mark.parametrize("made", CASES.values(), ids=CASES)
HEALTH: dict[str, Any] = {
    "cron": "17 9 * * 1", "command": "pypi-preflight tokens --strict", "variables": ["TWINE_PASSWORD", "B"],
}  # fmt: skip


def written(service: Any, directory: Path) -> list[str]:
    """The paths of every text of a service."""
    texts = {name: service.render_release(made) for name, made in CASES.items()}
    texts["health"] = service.render_token_health(CASES["part"], **HEALTH)
    files = {f"{name}.yml": text for name, text in texts.items()}
    files |= set_texts("github" if service is github else "gitlab")
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return [str(directory / name) for name in files]


def test_no_audit_of_zizmor_finds_anything_not_even_the_strictest(tmp_path: Path) -> None:
    status, said = tool("zizmor", "--offline", "--persona", "auditor", *written(github, tmp_path))
    assert status == 0, said
    assert "No findings to report" in said


def test_the_documentation_has_a_command_for_each_service() -> None:
    text = (Path(__file__).parents[3] / "docs" / "automation.md").read_text(encoding="utf-8")
    assert re.findall(r"^pypi-preflight ci (\w+)", text, re.MULTILINE) == list(SERVICES)


#: name of the service → options of check-jsonschema
SCHEMAS = {
    "github": ("--builtin-schema", "vendor.github-workflows"),
    "gitlab": ("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}


@pytest.mark.parametrize("service", SERVICES)
def test_every_text_is_of_the_schema_of_its_service(tmp_path: Path, service: str) -> None:
    status, said = tool("check-jsonschema", *SCHEMAS[service], *written(SERVICES[service], tmp_path))
    assert status == 0, said


@EACH
def test_only_the_jobs_that_publish_have_an_identity_and_an_environment(made: Pipeline) -> None:
    text = github.render_release(made)
    assert parsed(text)["permissions"] == {}
    with_identity = {name: job for name, job in jobs(text).items() if "id-token" in job["permissions"]}
    expected = {"testpypi": "testpypi", "pypi": "pypi"} | ({"prove": "${{ matrix.index }}"} if made.proof else {})
    assert {name: job["environment"] for name, job in with_identity.items()} == expected
    for name, job in jobs(text).items():
        assert ("environment" in job) == (name in with_identity)
        assert set(job["permissions"].items()) <= {("contents", "read"), ("id-token", "write")}


@EACH
def test_every_action_is_pinned_and_no_step_sees_an_expression(made: Pipeline) -> None:
    for text in (github.render_release(made), github.render_token_health(made, **HEALTH)):
        for line in re.findall(r"uses: (.*)", text):
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)
        for step in steps(text):
            assert "${{" not in step.get("run", "")
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


@EACH
def test_what_is_published_is_what_was_built_and_pypi_waits_for_testpypi(made: Pipeline) -> None:
    there = jobs(github.render_release(made))
    assert there["pypi"]["needs"] == ["build", "testpypi"]
    for name in ("testpypi", "pypi"):
        words = [step.get("run", "") for step in there[name]["steps"]]
        compared = next(n for n, word in enumerate(words) if "sha256sum" in word)
        assert compared < next(n for n, word in enumerate(words) if "--files dist" in word)
        assert not any("build" in word for word in words), "the files are made once"
    assert any("publish --dry-run-on testpypi" in step.get("run", "") for step in there["pypi"]["steps"])


def test_wheels_are_built_on_each_machine_from_the_one_sdist() -> None:
    job = jobs(github.render_release(CASES["binary"]))["wheels"]
    assert {name.split("-")[0] for name in job["strategy"]["matrix"]["machine"]} == {"ubuntu", "windows", "macos"}
    assert job["needs"] == "sdist"
    assert any("cibuildwheel" in step.get("run", "") and "sdist/*.tar.gz" in step["run"] for step in job["steps"])
    assert "wheels" not in jobs(github.render_release(CASES["pure"]))


@EACH
def test_on_gitlab_only_the_jobs_that_publish_have_an_identity_and_an_environment(made: Pipeline) -> None:
    document = parsed(gitlab.render_release(made))
    there = {name: job for name, job in document.items() if isinstance(job, dict) and "stage" in job}
    audiences = {
        name: [one["aud"] for one in job["id_tokens"].values()] for name, job in there.items() if "id_tokens" in job
    }
    proofs = ("testpypi", "pypi") if made.proof else ()
    proven = {f"prove-{name}": [name] for name in proofs}
    # the second identity for an index proves the publisher, and leaves the first one for the upload
    assert audiences == {"testpypi": ["testpypi"] * 2, "pypi": ["pypi", "sigstore", "pypi"], **proven}
    assert list(there["pypi"]["id_tokens"]) == ["PYPI_ID_TOKEN", "SIGSTORE_ID_TOKEN", "PROOF_PYPI_ID_TOKEN"]
    assert {name: job["environment"] for name, job in there.items() if "environment" in job} == {
        "testpypi": "testpypi", "pypi": "pypi", **{f"prove-{name}": name for name in proofs},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tag_format", "name", "on_github", "on_gitlab"),
    [
        ("v{version}", "acme", "v*", "$CI_COMMIT_TAG =~ /^v.+$/"),
        ("{version}", None, "*", "$CI_COMMIT_TAG =~ /^.+$/"),
        ("{name}-v{version}", "acme", "acme-v*", r"$CI_COMMIT_TAG =~ /^acme\-v.+$/"),
        ("{name}/{version}", None, "*/*", r"$CI_COMMIT_TAG =~ /^.+\/.+$/"),
        ("r+{version}", "acme", r"r\+*", r"$CI_COMMIT_TAG =~ /^r\+.+$/"),
    ],
)
def test_a_release_begins_with_the_tags_of_the_project(
    tag_format: str, name: str | None, on_github: str, on_gitlab: str
) -> None:
    made = pipeline(tag_format=tag_format, name=name)
    assert parsed(github.render_release(made))["on"]["push"]["tags"] == [on_github]
    assert parsed(gitlab.render_release(made))[".release"]["rules"] == [{"if": on_gitlab}]


@pytest.mark.parametrize("case", ["proven", "proven-part-binary"])
def test_a_scheduled_run_proves_each_publisher_in_its_environment_and_releases_nothing(case: str) -> None:
    text = github.render_release(CASES[case])
    assert parsed(text)["on"]["schedule"] == [{"cron": WEEKLY}]
    conditions = {name: job["if"] for name, job in jobs(text).items()}
    assert conditions.pop("prove") == "github.event_name != 'push'"
    assert set(conditions.values()) == {"github.event_name == 'push'"}
    job = jobs(text)["prove"]
    assert job["strategy"]["matrix"] == {"index": ["testpypi", "pypi"]}
    assert "needs" not in job
    assert [step["run"] for step in job["steps"] if "run" in step][1:] == [
        'pypi-preflight verify --index "$INDEX" --exchange'
    ]
    document = parsed(gitlab.render_release(CASES[case]))
    (tagged,) = document[".release"]["rules"]
    assert tagged["if"].endswith(' && $CI_PIPELINE_SOURCE != "schedule"')
    for index in ("testpypi", "pypi"):
        job = document[f"prove-{index}"]
        assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule" && $PROVE_PUBLISHERS'}]
        assert job["script"][-1] == f"pypi-preflight verify --index {index} --exchange"
    for service in SERVICES.values():
        assert WEEKLY in service.render_release(CASES[case])
        assert "security history" in service.render_release(CASES[case])
        assert "prove" not in service.render_release(CASES["pure"]).lower()


def test_tools_are_installed_by_hash_where_there_is_a_lock_and_by_version_otherwise() -> None:
    locked = github.render_release(CASES["locked"])
    assert "--require-hashes --requirement ci/tools.txt" in locked
    assert "/ci/tools.txt" in jobs(locked)["pypi"]["steps"][0]["with"]["sparse-checkout"]
    assert "pypi-preflight==0.1.0" in github.render_release(CASES["pure"])
    installed = [line for line in gitlab.render_release(CASES["pure"]).splitlines() if "pip install" in line]
    assert len(installed) == 3
    assert all("==0.1.0" in line for line in installed)


def test_token_health_runs_when_it_is_asked_to_and_reads_secrets_as_variables_alone() -> None:
    text = github.render_token_health(pipeline(), **HEALTH)
    assert parsed(text)["on"]["schedule"] == [{"cron": "17 9 * * 1"}]
    (job,) = jobs(text).values()
    assert job["permissions"] == {"contents": "read"}
    assert job["steps"][-1]["env"] == {"TWINE_PASSWORD": "${{ secrets.TWINE_PASSWORD }}", "B": "${{ secrets.B }}"}
    assert "17 9 * * 1" in gitlab.render_token_health(pipeline(), **HEALTH)


def checkouts(text: str) -> dict[str, tuple[object, object]]:
    """Job → `lfs` and `submodules` of its checkout."""
    return {
        name: (step["with"].get("lfs"), step["with"].get("submodules"))
        for name, job in jobs(text).items()
        for step in job["steps"]
        if "checkout" in step.get("uses", "")
    }


def test_the_jobs_that_build_check_out_large_files_and_submodules() -> None:
    nothing, everything = (None, None), (True, "recursive")
    assert checkouts(github.render_release(CASES["large"])) == {
        "build": everything, "testpypi": nothing, "pypi": nothing,
    }  # fmt: skip
    assert checkouts(github.render_release(CASES["large-binary"])) == {
        "sdist": everything, "build": nothing, "testpypi": nothing, "pypi": nothing,
    }  # fmt: skip
    assert set(checkouts(github.render_release(pipeline(lfs=True))).values()) == {(True, None), nothing}
    assert set(checkouts(github.render_release(pipeline(submodules=True))).values()) == {(None, "recursive"), nothing}
    job = parsed(gitlab.render_release(CASES["large"]))[".in_git"]
    assert job["variables"]["GIT_SUBMODULE_STRATEGY"] == "recursive"
    assert job["before_script"][0].endswith(" git git-lfs")
    assert "git lfs pull" in job["before_script"][1]


@pytest.mark.parametrize("service", SERVICES)
def test_a_repository_with_neither_gets_no_word_of_them(service: str) -> None:
    text = SERVICES[service].render_release(CASES["pure"])
    assert "lfs" not in text
    assert "submodule" not in text.lower()
