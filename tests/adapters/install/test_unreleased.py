"""Requirements that no index has, in the words of pip and uv, and the projects of the repository."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.builds import build_failure, builder
from release.adapters.install import unreleased, venv
from release.core.models.check_result import Finding, Unknown
from tests.adapters.git.test_repository import repository, system

SET = "[tool.release.set]\nmembers = ['packages/*']\n"
URL = "http://127.0.0.1/acme_b-1.0-py3-none-any.whl"
#: Observed: uv 0.13.9, 2026-11
UV_END = (
    ", we can conclude that acme-b==1.0 cannot be used.\n"
    "         And because only acme-b==1.0 is available and you require acme-b, we can conclude that your requirements "
    "are unsatisfiable.\n"
)
BOTH = "acme-a>=2,<3"
NONE = "ERROR: No matching distribution found for acme-a[x]\n"
UV = "error: No solution found when resolving dependencies\n  cause: Because "


def pyproject(name: str, version: str | None = "2.0") -> str:
    return f'[project]\nname = "{name}"\n' + (f'version = "{version}"\n' if version else 'dynamic = ["version"]\n')


@pytest.mark.parametrize(
    ("output", "missing"),
    [
        # pip 26.3, and 23.2, which does not say who needs it
        ("ERROR: No matching distribution found for acme-a<3,>=2 (from acme-b)\n", "acme-a<3,>=2"),
        ("ERROR: No matching distribution found for Acme_A[x]>=2\n", "Acme_A[x]>=2"),
        ('ERROR: No matching distribution found for acme-a; python_version > "3"\n', 'acme-a; python_version > "3"'),
        # uv 0.13.9: no such project, others too old or too new, the build of a project, an indirect requirement
        (f"{UV}acme-a was not found in the package registry and acme-b==1.0 depends on acme-a>=2,<3{UV_END}", BOTH),
        (f"{UV}only acme-a[x]<2 is available and acme-b==1.0 depends on acme-a[x]>=2{UV_END}", "acme-a[x]>=2"),
        (f"{UV}there is no version of acme-a==2.0 and acme-b==1.0 depends on acme-a==2.0{UV_END}", "acme-a==2.0"),
        (f"{UV}only acme-a==1.9 is available and you require acme-a>=2, we can conclude that your requ…", "acme-a>=2"),
        (f"{UV}acme-a was not found in the package registry and all versions of acme-z depend on {BOTH}{UV_END}", BOTH),
        # two requirements that exclude each other: nothing is missing
        (f"{UV}acme-c==1.0 depends on acme-a<2 and acme-b==1.0 depends on acme-a>=2{UV_END}", None),
        ("ERROR: Cannot install acme-b==1.0 because these package versions have conflicting dependencies.\n", None),
    ],
)  # fmt: skip
def test_the_missing_requirement_is_read_from_the_words_of_the_installer(output: str, missing: str | None) -> None:
    assert unreleased.missing_requirement(output, "Acme_B") == missing


@pytest.mark.parametrize(
    ("files", "wanted", "message", "remedy"),
    [
        (
            {"packages/a/pyproject.toml": pyproject("Acme.A")}, "acme_a[x]>=2",
            "no index has its dependency 'acme_a[x]>=2'; the repository has Acme.A 2.0 in 'packages/a'",
            "release 'Acme.A' first, or as a set: pypi-preflight set rehearse --directory {root}",
        ),
        (
            {"packages/a/pyproject.toml": pyproject("acme-a", "2.0rc1")}, "acme-a>=1.9", "Acme", "set rehearse",
        ),
        (
            {"packages/a/setup.py": "", "packages/a/setup.cfg": "[metadata]\nname = acme-a\nversion = attr: a.v\n"},
            "acme-a>=2", "the repository has acme-a (version unknown) in 'packages/a'", "release 'acme-a' first, or",
        ),
        (
            {"packages/a/pyproject.toml": '[tool.poetry]\nname = "acme-a"\nversion = "1.9"\n'}, "acme-a>=2",
            "it needs 'acme-a>=2', and the repository has acme-a 1.9 in 'packages/a'",
            "bump the version of 'acme-a' to one that 'acme-a>=2' allows and release it first",
        ),
        # nobody's, a sample, the project itself
        ({"packages/c/pyproject.toml": pyproject("acme-c")}, "acme-a>=2", None, None),
        ({"examples/a/pyproject.toml": pyproject("acme-a"), "a/pyproject.toml": "[tool.ruff]\n"}, "acme-a", None, None),
        ({}, "acme-b>=3", None, None),
    ],
)  # fmt: skip
def test_a_project_of_the_repository_is_to_be_released_first(
    tmp_path: Path, files: dict[str, str], wanted: str, message: str | None, remedy: str | None
) -> None:
    root = repository(
        tmp_path / "a b", **{"pyproject.toml": SET, "packages/b/pyproject.toml": pyproject("acme-b"), **files}
    )
    found = unreleased.explain_missing(system(), root / "packages" / "b", wanted)
    assert (found is None) is (message is None)
    if found is not None and message is not None and remedy is not None:
        assert message.lower() in found.message.lower()
        assert remedy.format(root=shlex.quote(str(root))) in found.remedy


def test_the_set_is_that_of_the_closest_directory_and_no_option_is_needed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "python/pyproject.toml": "[tool.uv.workspace]\nmembers = ['*']\n",
        "python/a/pyproject.toml": pyproject("acme-a"),
        "python/b/pyproject.toml": pyproject("acme-b"),
    }
    root = repository(tmp_path / "r", **{"python/b/pyproject.toml": files.pop("python/b/pyproject.toml")})
    for name, text in files.items():  # not committed yet
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.chdir(root / "python")
    found = unreleased.explain_missing(system(), Path("b"), "acme-a")
    assert found is not None
    assert found.remedy == "release 'acme-a' first, or as a set: pypi-preflight set rehearse"
    assert unreleased.explain_missing(system(), tmp_path, "acme-a") is None


def test_a_failed_install_and_a_failed_build_give_the_remedy(tmp_path: Path) -> None:
    output = "ERROR: No matching distribution found for acme-a>=2 (from acme-b)\n"
    plain = venv.install_problem(output, name="acme-b", url=URL, explain=lambda _: None)
    assert isinstance(plain, Finding)
    assert plain.message == "acme-b does not install: no index has its dependency 'acme-a>=2'"
    assert plain.remedy.startswith("correct that entry of the project's dependencies")
    known = Finding(message="it needs 'acme-a>=2', and …", remedy="release it first")
    found = venv.install_problem(output, name="acme-b", url=URL, explain=lambda _: known)
    assert isinstance(found, Finding)
    assert (found.message, found.remedy) == (f"acme-b does not install: {known.message}", known.remedy)
    error = build_failure.build_error(output, unreleased_sibling=known)
    assert error.message.startswith(f"the project does not build: {known.message}\n")
    assert error.remedy == known.remedy
    assert build_failure.build_error(output).remedy.startswith("correct [build-system] requires")


def test_a_build_of_a_copy_names_the_repository_it_was_copied_from(tmp_path: Path) -> None:
    """Without an index: neither pip nor uv finds the requirement."""
    needs = '[build-system]\nrequires = ["acme-a>=2"]\nbuild-backend = "own"\n' + pyproject("acme-b")
    root = repository(tmp_path / "r", **{"a/pyproject.toml": pyproject("acme-a"), "b/pyproject.toml": needs})
    here = system()
    env = {**here.env, "UV_NO_INDEX": "1", "UV_NO_CACHE": "1", "RELEASE_INSTALLER": "uv", "PIP_CONFIG_FILE": os.devnull}
    here = replace(here, env={name: value for name, value in env.items() if name != "PIP_FIND_LINKS"})
    copy = builder.copy_project(here, root / "b", tmp_path / "copy")
    with pytest.raises(Exception, match="no index has its build requirement 'acme-a>=2'; the repository has") as raised:
        builder.build_distributions(here, copy, tmp_path / "dist", epoch=None, copy_of=root / "b")
    assert getattr(raised.value, "remedy").endswith(f"pypi-preflight set rehearse --directory {root}")  # noqa: B009


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("AssertionError: 'acme-a[x]' != 'acme-a' for wheel\n", "this pip cannot install 'acme-a[x]' with extras"),
        (
            "acme-a from URL has inconsistent name: expected 'acme-a', but metadata has 'acme-a'\n" + NONE,
            "'acme-a' with",
        ),
    ],
)
def test_a_pip_that_is_too_old_for_siblings_with_extras_is_named(output: str, reason: str) -> None:
    """Observed: pip 25.3, 2026-11."""
    found = venv.install_problem(output, name="acme-b", url=URL)
    assert isinstance(found, Unknown)
    assert reason in found.reason
    assert "--upgrade pip" in found.remedy
    assert build_failure.build_error(output).remedy == found.remedy


def test_an_sdist_that_takes_a_build_requirement_from_a_workspace_does_not_build_with_uv() -> None:
    """Observed: uv 0.13.9, 2026-11. Sources of other requirements do not matter."""
    output = (
        "error: Failed to download and build `acme-b @ URL`\n  cause: Failed to parse entry: `acme-a`\n"
        "  cause: `acme-a` references a workspace in `tool.uv.sources` (e.g., `acme-a = { workspace = true }`), but is "
        "not a workspace member\n"
    )
    found = venv.install_problem(output, name="acme-b", url=URL)
    assert isinstance(found, Finding)
    assert found.message.startswith("acme-b does not build from its sdist: '`acme-a` references a workspace")
    assert found.remedy == "move 'acme-a' from [tool.uv.sources] of its pyproject.toml to that of the workspace's root"
