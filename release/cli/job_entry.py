"""Run a command with the inputs of a CI job: the last step of the GitHub action and of the GitLab component.

Their definitions, `action.yml` and `templates/release/template.yml`, call it as `python -P -m release.cli.job_entry`:
nothing is imported from the directory of the project.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from release.cli.output_streams import encodable_streams, write_output
from release.core.errors import Exit, ReleaseError, from_os_error
from release.core.quoting import escape_unprintable
from release.core.redaction import redact
from release.publishing.ci import job_inputs
from release.publishing.ci.job_inputs import JobInputs

#: the file that a GitHub job writes its outputs to. Source: GitHub documentation, "Workflow commands", GITHUB_OUTPUT
_OUTPUTS = "GITHUB_OUTPUT"
#: the file for a GitLab job's report of variables. Source: GitLab documentation, "CI/CD artifacts reports types"
_DOTENV = "PREFLIGHT_DOTENV"


def main() -> int:
    """Run the command of the job, and write its outputs. Returns the exit status."""
    with encodable_streams():
        return _main()


def _main() -> int:
    begun = datetime.now(UTC).replace(microsecond=0)
    command, directory, told = "publish", Path(), ""
    try:
        inputs = job_inputs.take_inputs(os.environ)
        command, directory = inputs.command, Path(inputs.directory)
        status = _run(inputs)
    except (ReleaseError, OSError) as error:
        failure = error if isinstance(error, ReleaseError) else from_os_error(error)
        told, status = f"{failure.message}\n→ {failure.remedy}\n", int(failure.exit)
        write_output(told, sys.stderr)
    _report(command, status, _last_run(directory, begun), told)
    return status


def _run(inputs: JobInputs) -> int:
    from release.adapters import project_config
    from release.checks.all_checks import check_names
    from release.cli.main import main as run_program

    directory = Path(inputs.directory)
    config = project_config.load_config(directory, check_names=check_names, needs_project=False)
    index = job_inputs.find_target(inputs, config.indexes)
    new = index if index not in config.indexes else None
    for note in job_inputs.notes_on(inputs, new, password="TWINE_PASSWORD" in os.environ):
        write_output(f"{note}\n")
    if (inputs.print_hash or inputs.verbose) and "files" in job_inputs.COMMANDS[inputs.command]:
        write_output("".join(f"{line}\n" for line in job_inputs.hash_lines(_files(inputs))))
    with _config_file(job_inputs.adapted_table(inputs, _own_table(directory), new)) as file:
        words = job_inputs.command_words(inputs, index=index, config=file)
        rehearsal = job_inputs.rehearsal_words(inputs, config=file)
        return (rehearsal and run_program(rehearsal)) or run_program(words)


def _files(inputs: JobInputs) -> list[Path]:
    return job_inputs.list_distributions(inputs.packages_dir)


def _own_table(directory: Path) -> Mapping[str, Any]:
    """The project's `[tool.release]`, which is valid; empty without a pyproject.toml."""
    from release.adapters import project_config

    path = directory / "pyproject.toml"
    data = project_config.load_toml(path) if path.is_file() else {}
    table: Mapping[str, Any] = data.get("tool", {}).get("release", {})
    return table


@contextmanager
def _config_file(table: Mapping[str, Any] | None) -> Iterator[Path | None]:
    """A file with this `[tool.release]`, until the end of the block: the files of the project stay as they are."""
    if table is None:
        yield None
        return
    import tomlkit

    from release.adapters.system.temporary_directory import temporary_directory

    with temporary_directory() as work:
        path = work / "pyproject.toml"
        path.write_text(tomlkit.dumps({"tool": {"release": dict(table)}}), encoding="utf-8")
        yield path


def _last_run(directory: Path, begun: datetime) -> tuple[Path, Mapping[str, Any]] | None:
    """The path of the record of the run that began since then, and that run; None if none was recorded."""
    from release.adapters.system.state_directory import store_in
    from release.publishing import recorder

    project = directory.resolve()
    try:
        with store_in(None, os.environ, project):
            path = recorder.find_record(project, None)
        run: Mapping[str, Any] = recorder.load_record(path)["runs"][-1]
    except (ReleaseError, OSError, LookupError):
        return None
    return (path, run) if datetime.fromisoformat(run["begun"]) >= begun else None


def _report(command: str, status: int, recorded: tuple[Path, Mapping[str, Any]] | None, told: str) -> None:
    """Write the outputs of the job; a summary where no run has written one."""
    from release.publishing.recorder import append_job_summary

    path, run = recorded or ("", {})
    verdict = Exit(status).name.lower() if status in set(Exit) else "refused"
    outputs = {"verdict": verdict, "cause": run.get("exit", {}).get("cause") or "", "record": str(path)}
    _append(os.environ.get(_OUTPUTS), (f"{name}={value}" for name, value in outputs.items()))
    _append(os.environ.get(_DOTENV), (f"PREFLIGHT_{name.upper()}={value}" for name, value in outputs.items()))
    if recorded is None:
        text = told or "the log has the details\n"
        append_job_summary(os.environ, lambda: _summary(f"pypi-preflight {command}: {verdict}", redact(text)))


def _summary(title: str, text: str) -> str:
    from release.reports.markdown import escape_markdown

    return f"### {escape_markdown(title)}\n\n" + "<br>\n".join(map(escape_markdown, text.splitlines())) + "\n"


def _append(path: str | None, lines: Iterable[str]) -> None:
    if path:
        with Path(path).open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{escape_unprintable(line)}\n" for line in lines)  # a line break would start another


if __name__ == "__main__":
    raise SystemExit(main())
