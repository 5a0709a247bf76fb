"""What is heavy is imported where it is needed, and not before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import sample_distributions
from tests.stories.project import make

HEAVY = {
    "twine", "keyring", "rich", "requests", "urllib3", "werkzeug", "docutils", "readme_renderer", "nox", "invoke",
    "jinja2",
}  # fmt: skip
SPY = """
import atexit, json, runpy, sys
def tell():
    open({path!r}, "w").write(json.dumps(sorted({{*sys.modules, *(name.split(".")[0] for name in sys.modules)}})))
atexit.register(tell)
sys.argv = ["release", *{words!r}]
runpy.run_module("release", run_name="__main__", alter_sys=True)
"""


def imported(words: list[str], tmp_path: Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> set[str]:
    path = tmp_path / "modules.json"
    subprocess.run(
        [sys.executable, "-c", SPY.format(path=str(path), words=words)],
        cwd=cwd, env=env, check=False, capture_output=True, timeout=240,
    )  # fmt: skip
    return set(json.loads(path.read_text()))


@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["status"]])
def test_help_and_offline_verbs_import_nothing_heavy(tmp_path: Path, words: list[str]) -> None:
    assert imported(words, tmp_path) & HEAVY == set()


def test_the_help_of_a_command_imports_nothing_that_runs_programs(tmp_path: Path) -> None:
    """`subprocess` and `tempfile`, with what they import, take a fifth of the time of such a command."""
    assert imported(["check", "--help"], tmp_path) & {"subprocess", "tempfile"} == set()


def test_a_check_without_network_imports_no_client(tmp_path: Path) -> None:
    """Nothing listens there, so that nothing is asked for: neither an HTTP client nor a keyring is needed."""
    table = "".join(
        f'[tool.release.indexes.{n}]\nupload-url = "http://127.0.0.1:9/legacy/"\nsimple-url = "http://127.0.0.1:9/simple/"\n'
        for n in ("pypi", "testpypi")
    )
    project = make(tmp_path, more=table)
    seen = imported(["check", "--json"], tmp_path, project.environment(), project.root)
    assert seen & HEAVY == set()


def test_the_help_lists_registered_modules_without_importing_them(tmp_path: Path) -> None:
    """Every command declares its options, so what one option imports, all commands import."""
    seen = imported(["schedule", "--help"], tmp_path)
    assert "release.token_health.schedulers" in seen
    assert not {
        name for name in seen if name.startswith(("release.token_health.schedulers.", "release.publishing.ci."))
    }
    assert not {"release.reports.html", "release.reports.junit"} & seen


def test_a_verification_offline_imports_no_network_and_no_platform_tags(tmp_path: Path) -> None:
    """`packaging.utils` loads `packaging.tags`, and with it a dozen modules of the standard library."""
    project = make(tmp_path)
    seen = imported(["verify", "--offline", "--index", "pypi"], tmp_path, project.environment(), project.root)
    assert "release.credentials.verify" in seen
    assert not {"packaging.tags", "ssl", "http.client", "release.adapters.http.http_client"} & seen


def test_an_inspection_of_files_imports_nothing_that_reads_projects(tmp_path: Path) -> None:
    path = tmp_path / sample_distributions.wheel_name()
    path.write_bytes(sample_distributions.wheel())
    seen = imported(["inspect", str(path)], tmp_path)
    assert "release.checks.distributions" in seen
    assert not {"release.adapters.collect", "release.core.config", "release.checks.declared_metadata"} & seen


def test_the_end_of_the_program_searches_no_module_for_cycles(tmp_path: Path) -> None:
    """That takes a tenth of the time of a short command."""
    counts = tmp_path / "counts.json"
    spy = f"import atexit, gc; atexit.register(lambda: open({str(counts)!r}, 'w').write(str(gc.get_freeze_count())))"
    program = "import sys; sys.argv[1:] = ['status']; from pypi_preflight.command_line import main; sys.exit(main())"
    subprocess.run([sys.executable, "-P", "-c", f"{spy}\n{program}"], cwd=tmp_path, check=True, timeout=240)
    assert int(counts.read_text()) > 0
