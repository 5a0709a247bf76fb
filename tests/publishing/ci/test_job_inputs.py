"""The inputs of the action and the component: each reaches the command line, and none is silently ignored."""

from __future__ import annotations

import tomllib
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from release.cli.parser import parse_command_line
from release.core.config import parse_config
from release.core.errors import ConfigError, UsageError
from release.core.models.index import PYPI, TESTPYPI, WELL_KNOWN, Index
from release.publishing.ci import job_inputs
from release.publishing.ci.job_inputs import JobInputs, command_words, find_target, take_inputs


def words(index: str | None = None, config: Path | None = None, **given: Any) -> list[str]:
    return command_words(JobInputs(**given), index=index, config=config)


def test_without_any_input_the_files_in_dist_are_published() -> None:
    env = {"INPUT_PASSWORD": "", "INPUT_USER": "__token__", "INPUT_VERBOSE": "false", "HOME": "/home/a"}
    inputs = take_inputs(env)
    assert inputs == JobInputs()
    assert env == {"HOME": "/home/a"}, "an empty password would count as a password"
    assert words() == ["publish", "--yes", "--files", "dist"]
    assert find_target(inputs, WELL_KNOWN) is None
    assert job_inputs.adapted_table(inputs, {}, None) is None
    assert list(job_inputs.notes_on(inputs, None, password=True)) == []
    (note,) = job_inputs.notes_on(inputs, None, password=False)
    assert "its secret is empty" in note
    assert list(job_inputs.notes_on(JobInputs(command="build"), None, password=False)) == []


def test_a_password_is_in_the_environment_alone() -> None:
    env = {"INPUT_PASSWORD": "hunter2 ", "INPUT_USER": "", "TWINE_PASSWORD": "of the job"}
    assert "hunter2" not in repr(take_inputs(env))
    assert env == {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": "hunter2 "}
    env = {"INPUT_PASSWORD": "hunter2", "INPUT_USER": "guido"}
    take_inputs(env)
    assert env == {"TWINE_USERNAME": "guido", "TWINE_PASSWORD": "hunter2"}
    env = {"INPUT_PASSWORD": "hunter2", "OUR_INDEX": "hunter2", "OTHER": "hunter"}  # GitLab: password: $OUR_INDEX
    take_inputs(env)
    assert env == {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": "hunter2", "OTHER": "hunter"}
    env = {"INPUT_PASSWORD": "", "INPUT_USER": "__token__", "TWINE_PASSWORD": "of the job"}
    take_inputs(env)
    assert env == {"TWINE_PASSWORD": "of the job"}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"SKIP_EXISTING": "maybe"}, "skip-existing is 'maybe'"),
        ({"ATTESTATIONS": "none"}, "attestations is 'none'"),
        ({"COMMAND": "pubish"}, "command is 'pubish': did you mean 'publish'?"),
        ({"COMMAND": "testpypi", "DRY_RUN_ON": "sandbox"}, "'testpypi' has no dry-run-on"),
        ({"COMMAND": "rehearse", "REPOSITORY_URL": TESTPYPI.upload_url}, "'rehearse' has no repository-url"),
        ({"COMMAND": "inspect", "REQUIRE_COMPLETE": "SHA256SUMS"}, "'inspect' has no require-complete"),
        ({"SIMPLE_URL": "https://packages.example/simple/"}, "simple-url is set without repository-url"),
    ],
)
def test_an_input_that_would_be_ignored_is_refused(variables: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        take_inputs({f"INPUT_{name}": value for name, value in variables.items()})
    assert caught.value.message == message
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["true", "True", " yes ", "1"])
def test_a_switch_is_read_as_yaml_and_shells_write_it(text: str) -> None:
    assert take_inputs({"INPUT_PRINT_HASH": text}).print_hash
    assert not take_inputs({"INPUT_PRINT_HASH": "false"}).print_hash
    assert take_inputs({"INPUT_ATTESTATIONS": ""}).attestations, "an input that is not set has its default"


def test_each_input_reaches_the_command_that_has_it(tmp_path: Path) -> None:
    assert words("testpypi", Path("c.toml"), dry_run_on="sandbox", require_complete="SHA256SUMS", new_project="a") == [
        "publish", "--config", "c.toml", "--yes", "--index", "testpypi", "--dry-run-on", "sandbox",
        "--new-project", "a", "--require-complete", "SHA256SUMS", "--files", "dist",
    ]  # fmt: skip
    assert words("testpypi", new_project="a") == ["testpypi", "--yes", "--new-project", "a", "--files", "dist"]
    assert words("pypi") == ["publish", "--yes", "--index", "pypi", "--files", "dist"]
    assert words(command="check", directory="lib") == ["check", "--directory", "lib"]
    assert words(command="testpypi", packages_dir="a b") == ["testpypi", "--yes", "--files", "a b"]
    for name in ("b.whl", "a.tar.gz", "a.tar.gz.publish.attestation"):
        (tmp_path / name).touch()
    assert words(command="inspect", packages_dir=str(tmp_path)) == [
        "inspect", str(tmp_path / "a.tar.gz"), str(tmp_path / "b.whl")
    ]  # fmt: skip
    for command in job_inputs.COMMANDS:
        line = words("testpypi" if "index" in job_inputs.COMMANDS[command] else None, Path("c.toml"),
                     command=command, directory="lib", verbose=True, packages_dir=str(tmp_path))  # fmt: skip
        assert parse_command_line(line, Namespace()).verbose == 1


def test_a_dry_run_on_the_sandbox_is_made_in_the_same_job() -> None:
    inputs = JobInputs(
        dry_run_on="sandbox", packages_dir="d", require_complete="SUMS", repository_url="x", verbose=True
    )
    line = job_inputs.rehearsal_words(inputs, config=Path("c.toml"))
    assert line == [
        "rehearse", "--config", "c.toml", "--verbose", "--require-complete", "SUMS", "--files", "d",
    ]  # fmt: skip
    parse_command_line(line, Namespace())
    for other in (JobInputs(), JobInputs(dry_run_on="testpypi"), JobInputs(command="release", dry_run_on="sandbox")):
        assert job_inputs.rehearsal_words(other, config=None) is None


@pytest.mark.parametrize("empty", ["nothing", "empty"])
def test_there_must_be_files_to_inspect(tmp_path: Path, empty: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no such file|has no wheel or sdist"):
        words(command="inspect", packages_dir=str(tmp_path / empty))


OURS = Index(name="ours", upload_url="https://packages.example/legacy/", simple_url="https://packages.example/simple/")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (PYPI.upload_url, "pypi"),
        (TESTPYPI.upload_url, "testpypi"),
        (TESTPYPI.upload_url.removesuffix("/"), "testpypi"),
        (TESTPYPI.upload_url.replace("legacy", "simple"), "testpypi"),
        ("https://packages.example/legacy", "ours"),
        ("https://packages.example/other/", "packages.example"),
        ("https://packages.example:8443/legacy/", "packages.example:8443"),
        (f"https://mirror.example/{TESTPYPI.upload_url}", "mirror.example"),
    ],
)
def test_an_address_has_its_index(url: str, name: str) -> None:
    assert find_target(JobInputs(repository_url=url), {**WELL_KNOWN, "ours": OURS}) == name


@pytest.mark.parametrize(
    ("upload", "simple"),
    [
        ("https://packages.example/legacy/", "https://packages.example/simple/"),
        ("https://packages.example", "https://packages.example/simple/"),
        ("https://packages.example/org/feed/pypi/upload/", "https://packages.example/org/feed/pypi/simple/"),
        ("https://packages.example/api/v4/projects/7/packages/pypi", "https://packages.example/api/v4/projects/7/packages/pypi/simple/"),
        ("https://packages.example/my-legacy/", "https://packages.example/my-legacy/simple/"),
    ],
)  # fmt: skip
def test_the_address_for_installers_is_guessed_and_the_guess_is_shown(upload: str, simple: str) -> None:
    inputs = JobInputs(repository_url=upload)
    table = job_inputs.adapted_table(inputs, {"attenuate": False}, "packages.example")
    made = parse_config(tomllib.loads(tomlkit.dumps(table or {})))
    assert made.index("packages.example").simple_url == simple
    assert made.index("packages.example").kind == "other"
    assert made.attenuate is False
    (note,) = job_inputs.notes_on(inputs, "packages.example", password=True)
    assert simple in note
    given = JobInputs(repository_url=upload, simple_url="https://install.example/")
    assert list(job_inputs.notes_on(given, "packages.example", password=True)) == []
    assert "https://install.example/" in str(job_inputs.adapted_table(given, {}, "packages.example"))


def test_what_the_project_configures_stays_unless_an_input_changes_it() -> None:
    table = {"attest": True, "indexes": {"a": {"simple-url": "x"}}}
    assert job_inputs.adapted_table(JobInputs(), table, None) is None
    changed = job_inputs.adapted_table(JobInputs(attestations=False), table, None)
    assert changed == {"attest": False, "indexes": {"a": {"simple-url": "x"}}}
    added = job_inputs.adapted_table(JobInputs(repository_url="https://b.example/"), table, "b.example")
    assert added is not None
    assert list(added["indexes"]) == ["a", "b.example"]


@pytest.mark.parametrize("name", ["repository-url", "simple-url"])
@pytest.mark.parametrize(
    "url",
    [
        "http://packages.example/", "https://u:hunter2@packages.example/", "packages.example", "https://[packages",
        "https://packages.example:port/",
    ],
)  # fmt: skip
def test_an_address_that_is_wrong_or_would_expose_the_password_is_refused(url: str, name: str) -> None:
    variables = {"INPUT_REPOSITORY_URL": "https://packages.example/", f"INPUT_{name.upper().replace('-', '_')}": url}
    with pytest.raises(ConfigError, match=f"^{name} ") as caught:
        take_inputs(variables)
    assert "hunter2" not in caught.value.message


def test_the_hashes_of_a_file_are_those_that_its_name_stands_for(tmp_path: Path) -> None:
    """By the tools of coreutils: sha256sum, md5sum, b2sum --length=256."""
    path = tmp_path / "a.whl"
    path.write_bytes(b"abc")
    assert list(job_inputs.hash_lines([path])) == [
        "a.whl",
        "  SHA256: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "  MD5: 900150983cd24fb0d6963f7d28e17f72",
        "  BLAKE2-256: bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
    ]
    assert list(job_inputs.hash_lines([])) == []
