"""Compare a whole dry run with the same work done by hand, in one run, as a ratio of medians.

    python benchmarks/rehearsal.py [--rounds 5] [--pip]
    python benchmarks/rehearsal.py --comparison [--rounds 5]

By hand: `python -m build`, `twine check`, `twine upload` to an embedded index, a new virtual environment, an
installation from that index, and the same smoke test; with uv, or with pip and venv (`--pip`).

`--comparison`: how much of a rehearsal in a repository is the comparison of wheel, sdist and git.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from msgspec.structs import replace

import release
from release.adapters import collect
from release.adapters.builds import builder
from release.adapters.system.system import real_system
from release.checks import engine, source_comparison
from release.checks.distribution_reader import inspect_built_files
from release.core.facts import ProjectMetadata
from release.core.models.check_result import CheckState
from release.publishing import compare
from release.sandbox import server
from release.sandbox.seed import seed_for_project

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[project]
name = "acme-widget"
version = "1.0"
description = "A widget."
readme = "README.md"
scripts = { acme-widget = "acme_widget:main" }
"""


def project(directory: Path) -> None:
    (directory / "acme_widget").mkdir(parents=True)
    (directory / "pyproject.toml").write_text(PYPROJECT)
    (directory / "README.md").write_text("# Widget\n\nIt widgets.\n")
    for number in range(10):
        (directory / "acme_widget" / f"part{number}.py").write_text("VALUE = 1\n" * 200)
    (directory / "acme_widget" / "__init__.py").write_text('def main() -> None:\n    print("usage: acme-widget")\n')


def run(*argv: object, cwd: Path, env: dict[str, str]) -> None:
    done = subprocess.run([str(a) for a in argv], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{argv}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def by_hand(directory: Path, work: Path, env: dict[str, str], *, uv: str | None) -> None:
    out, venv = work / "dist", work / "venv"
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    with server.start_sandbox(seed_for_project("acme-widget")) as index:
        env = env | {"TWINE_PASSWORD": index.tokens["account"].reveal(), "TWINE_USERNAME": "__token__"}
        run(
            sys.executable,
            "-m",
            "build",
            "--outdir",
            out,
            *(["--installer", "uv"] if uv else []),
            cwd=directory,
            env=env,
        )
        files = sorted(out.iterdir())
        run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=directory, env=env)
        run(sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar",
            "--repository-url", index.upload_url, *files, cwd=directory, env=env)  # fmt: skip
        if uv:
            run(uv, "venv", "-q", "--no-config", venv, cwd=work, env=env)
            run(uv, "pip", "install", "-q", "--no-config", "--no-cache-dir", "--python", python,
                "--index-url", index.simple_url, "acme-widget==1.0", cwd=work, env=env)  # fmt: skip
        else:
            run(sys.executable, "-m", "venv", venv, cwd=work, env=env)
            run(python, "-m", "pip", "install", "-q", "--no-cache-dir", "--index-url", index.simple_url,
                "acme-widget==1.0", cwd=work, env=env | {"PIP_CONFIG_FILE": os.devnull})  # fmt: skip
        run(python, "-c", "import acme_widget", cwd=work, env=env)
        run(python.parent / "acme-widget", "--help", cwd=work, env=env)


def ours(directory: Path, env: dict[str, str]) -> None:
    run(sys.executable, "-m", "release", "rehearse", cwd=directory, env=env)


def comparison(directory: Path) -> float:
    """Seconds that the comparison of the rehearsed files with git takes."""
    system = real_system()
    dist = directory / ".release" / "rehearsal" / "dist"
    files = tuple(builder.load_distribution(path) for path in sorted(dist.iterdir()))
    built = collect.collect_built(system, files, ProjectMetadata(name="acme-widget", version="1.0"))
    inspect_built_files(built)  # a rehearsal reads the archives for its other checks, too
    begun = time.perf_counter()
    built = replace(built, source_tree=compare.collect_source_tree(system, directory))
    outcomes = list(engine.run(source_comparison.OF_GIT, built))
    taken = time.perf_counter() - begun
    assert all(outcome.state == CheckState.PASSED for outcome in outcomes), outcomes
    return taken


def measure_comparison(rounds: int, env: dict[str, str]) -> None:
    whole, part = [], []
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "project"
        project(directory)
        for number in range(300):
            (directory / "acme_widget" / f"data{number}.json").write_text("{}")
        (directory / ".gitignore").write_text(".release\n")
        git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
        for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all of it"]):
            run(*git, *words, cwd=directory, env=env)
        for number in range(rounds + 1):
            begun = time.perf_counter()
            ours(directory, env)
            if number:
                whole.append(time.perf_counter() - begun)
                part.append(comparison(directory))
    print(f"rehearsal {statistics.median(whole):.2f} s, of which the comparison {statistics.median(part):.3f} s")
    ratio = statistics.median(part) / statistics.median(whole)
    print(f"ratio of medians over {rounds} rounds: {ratio:.3f} (limit: 0.05)")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--pip", action="store_true")
    options.add_argument("--comparison", action="store_true")
    chosen = options.parse_args()
    # bytecode: without it every start compiles the program anew, which no installed program does
    compileall.compile_dir(Path(release.__file__).parent, quiet=1)
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["PYPI_PREFLIGHT_OFFLINE"] = "1"  # by hand, no index is asked for the last release either
    if chosen.comparison:
        measure_comparison(chosen.rounds, env)
        return
    uv = None if chosen.pip else shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    times: dict[str, list[float]] = {"ours": [], "by hand": []}
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        if not uv:
            env |= {"RELEASE_INSTALLER": "pip"}
        for number in range(chosen.rounds + 1):
            directory, work = root / f"project{number}", root / f"work{number}"
            project(directory)
            work.mkdir()
            begun = time.perf_counter()
            by_hand(directory, work, env, uv=uv)
            between = time.perf_counter()
            ours(directory, env)
            if number:  # the first round warms the caches
                times["by hand"].append(between - begun)
                times["ours"].append(time.perf_counter() - between)
    medians = {name: statistics.median(values) for name, values in times.items()}
    bound = 1.25 if uv else 1.15
    print(f"{'uv' if uv else 'pip'}: by hand {medians['by hand']:.2f} s, a dry run {medians['ours']:.2f} s")
    ratio = medians["ours"] / medians["by hand"]
    print(f"ratio of medians over {chosen.rounds} rounds: {ratio:.2f} (limit: {bound})")


if __name__ == "__main__":
    main()
