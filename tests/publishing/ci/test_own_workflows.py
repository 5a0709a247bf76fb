"""The workflows of this repository: valid, pinned, without findings; its release is the generated one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from release.adapters.system.system import real_system
from release.publishing.ci import github
from release.publishing.ci.pipeline import load_pipeline
from tests.publishing.ci.workflow_files import parsed, schema_errors, steps, tool

ROOT = Path(__file__).parents[3]
WORKFLOWS = ROOT / ".github" / "workflows"
ACTION = ROOT / "action.yml"
DEPENDABOT = ROOT / ".github" / "dependabot.yml"
PYPROJECT: Any = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = ".github/action-requirements.txt"
OWN_COMMENT = """\
#
# Differs from what the command prints in one thing, which tests/publishing/ci/test_own_workflows.py holds: the tool is
# installed from this checkout, since no index has it before its first release.
"""


def own_release(generated: str) -> str:
    """What `pypi-preflight ci github` prints, with this package installed from the checkout, not from an index."""
    first, rest = generated.split("\n", 1)
    assert first.startswith("# Written by `pypi-preflight ci github`")
    text = f"# Written by `pypi-preflight ci github --requirements {LOCK}`.\n{OWN_COMMENT}{rest}"
    install = re.compile(rf"(?m)^( +- run: python -P -m pip install .*)--require-hashes --requirement {LOCK}$")
    assert len(install.findall(text)) == 4
    text = install.sub(lambda found: f"{found[0]}\n{found[1]}--no-deps --no-build-isolation .", text)
    files = ("/release/", "/pypi_preflight/", "/README.md", "/LICENSE")
    return re.sub(rf"(?m)^( +)/{LOCK}$", lambda found: "\n".join([found[0], *(found[1] + one for one in files)]), text)


def workflows() -> Iterator[tuple[str, str]]:
    for path in sorted(WORKFLOWS.iterdir()):
        yield path.name, path.read_text(encoding="utf-8")


def test_the_release_of_this_package_is_the_generated_one() -> None:
    pipeline = load_pipeline(real_system(), ROOT, lock=LOCK, proof="15 9 * * 1")
    expected = own_release(github.render_release(pipeline))
    assert (WORKFLOWS / "release.yml").read_text(encoding="utf-8") == expected


def test_all_are_of_their_schemas() -> None:
    for name, text in workflows():
        assert schema_errors("github-workflows", parsed(text)) == [], name
    assert schema_errors("dependabot", parsed(DEPENDABOT.read_text(encoding="utf-8"))) == []
    action = parsed(ACTION.read_text(encoding="utf-8"))
    assert schema_errors("github-actions", action) == []
    assert schema_errors("github-actions", action | {"outputs": {"verdict": {}}})


def test_no_audit_finds_anything() -> None:
    status, said = tool("zizmor", "--offline", "--persona", "auditor", str(WORKFLOWS), str(DEPENDABOT), str(ACTION))
    assert status == 0, said
    assert "No findings to report" in said


def test_every_action_is_pinned_as_in_the_generated_workflows() -> None:
    for name, text in workflows():
        assert set(re.findall(r"uses: (.*)", text)) <= set(github.ACTIONS.values()), name
        for step in steps(text):
            assert "${{" not in step.get("run", ""), name
            if "checkout" in step.get("uses", ""):
                assert step["with"]["persist-credentials"] is False


def test_the_tests_run_on_three_systems_and_each_python_that_the_package_names() -> None:
    jobs = parsed((WORKFLOWS / "tests.yml").read_text(encoding="utf-8"))["jobs"]
    matrix = jobs["tests"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["machine"]} == {"ubuntu", "macos", "windows"}
    named = {
        re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", one) for one in PYPROJECT["project"]["classifiers"]
    }
    assert set(matrix["python"]) == {found[1] for found in named if found}
    sessions = set(re.findall(r"nox -s ([\w ]+)", (WORKFLOWS / "tests.yml").read_text(encoding="utf-8")))
    source = (ROOT / "noxfile.py").read_text(encoding="utf-8")
    for session in " ".join(sessions).split():
        assert f"def {session}(session" in source
