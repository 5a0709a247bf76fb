"""The Invoke tasks: each runs one command of the program.

A project's own `tasks.py` is two lines:

    from pypi_preflight import tasks
    namespace = tasks.collection()
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import task

#: nox, where PYTHONPATH names a directory with a module of its name, or of one of its libraries
_NOX = (
    "from pypi_preflight.import_path import put_project_last; put_project_last(); from nox.__main__ import main; main()"
)
_FILES = {"files": "a prebuilt file, or a directory of them; may be given several times"}


def _run(command: str, *options: str) -> None:
    """Run a command of the program in this directory, and exit with its status."""
    status = subprocess.run([sys.executable, "-P", "-m", "pypi_preflight", command, *options], check=False).returncode
    if status:
        raise Exit(code=status)


def _flags(**flags: str | bool | Sequence[str]) -> list[str]:
    """The options that have a value: a switch, one with a value, or one with several."""
    words: list[str] = []
    for name, value in flags.items():
        if value:
            values = () if value is True else (value,) if isinstance(value, str) else value
            words += [f"--{name}", *map(str, values)]
    return words


@task(auto_shortflags=False)
def check(_: Context, index: str = "", new_project: str = "") -> None:
    """Check the source and the credentials for each index."""
    _run("check", *_flags(index=index, **{"new-project": new_project}))


@task(auto_shortflags=False)
def build(_: Context, output: str = "") -> None:
    """Build sdist and wheel from a clean clone, and check them; with --output, copy them into a directory."""
    _run("build", *_flags(output=output))


@task(auto_shortflags=False)
def verify(_: Context, index: str = "", project: str = "", offline: bool = False, exchange: bool = False) -> None:
    """Verify the credentials; if they do not work, show why and how to fix it."""
    _run("verify", *_flags(index=index, project=project, offline=offline, exchange=exchange))


@task(auto_shortflags=False)
def diagnose(_: Context, log: str = "", offline: bool = False) -> None:
    """Find the cause of a failed upload in its log, or what would make the next one fail."""
    _run("diagnose", *_flags(log=log, offline=offline))


@task(auto_shortflags=False)
def explain(_: Context, cause: str) -> None:
    """Explain a known failure: its symptoms and its remedy; "all" lists all of them."""
    _run("explain", "--all" if cause == "all" else cause)


@task(auto_shortflags=False)
def store(_: Context, index: str = "pypi", project: str = "") -> None:
    """Verify a token and store it in the keyring; with --project, as that project's own."""
    _run("store", *_flags(index=index, project=project))


@task(auto_shortflags=False)
def token_health(
    _: Context, fleet: str = "", offline: bool = False, strict: bool = False, notify: bool = False
) -> None:
    """Show the health of all tokens of a project or fleet (a TOML file)."""
    _run("tokens", *_flags(fleet=fleet, offline=offline, strict=strict, notify=notify))


@task(auto_shortflags=False)
def rotate(_: Context, index: str = "pypi", project: str = "", leaked: bool = False) -> None:
    """Rotate a token: replace it everywhere it is stored, then confirm the old one is revoked."""
    _run("rotate", *_flags(index=index, project=project, leaked=leaked))


@task(auto_shortflags=False)
def rehearse(_: Context, built: bool = False, allow: bool = False, offline: bool = False) -> None:
    """Rehearse a release on an embedded index, without credentials."""
    _run("rehearse", *_flags(built=built, allow=allow, offline=offline))


@task(auto_shortflags=False, iterable=["files"], help=_FILES)
def testpypi(_: Context, files: Sequence[str], new_project: str = "") -> None:  # noqa: PT028 - a task, not a test
    """Upload to TestPyPI, install from there and run smoke tests: the dry run."""
    _run("testpypi", *_flags(files=files, **{"new-project": new_project}))


@task(auto_shortflags=False, iterable=["files"], help=_FILES)
def upload(
    _: Context,
    files: Sequence[str],
    yes: bool = False,
    index: str = "",
    dry_run_on: str = "",
    new_project: str = "",
) -> None:
    """Upload the built files to PyPI and confirm the release."""
    options: dict[str, Any] = {"yes": yes, "index": index, "dry-run-on": dry_run_on, "new-project": new_project}
    _run("publish", *_flags(**options, files=files))


@task(auto_shortflags=False)
def confirm(_: Context, index: str = "", release: str = "", record: str = "") -> None:
    """Confirm a published release: hashes, clean install, smoke tests; --release NAME==VERSION for any project."""
    _run("confirm", *filter(None, [release]), *_flags(index=index, record=record))


@task(auto_shortflags=False)
def leaks(_: Context, history: bool = False, staged: bool = False) -> None:
    """Search for tokens, keys and credential files; --history searches all commits."""
    _run("leaks", *_flags(history=history, staged=staged))


@task(auto_shortflags=False)
def schedule(_: Context, every: str = "", kind: str = "", fleet: str = "", do: str = "print") -> None:
    """Schedule recurring token checks; --do install, remove or status."""
    _run("schedule", f"--{do}", *_flags(every=every, kind=kind, fleet=fleet))


@task(auto_shortflags=False)
def status(_: Context) -> None:
    """Show the status of this project's releases."""
    _run("status")


@task(auto_shortflags=False, positional=["version"])
def report(_: Context, version: str = "", form: str = "text", output: str = "") -> None:
    """Show the record of a version's runs; --form html, markdown, junit or sarif."""
    _run("report", *([version] if version else []), *_flags(output=output, **{form: form != "text"}))


@task(auto_shortflags=False)
def history(_: Context) -> None:
    """List this project's releases, the newest first."""
    _run("history")


@task(auto_shortflags=False)
def release(context: Context, yes: bool = False, new_project: str = "") -> None:
    """Release: show the plan, ask for approval, then run the nox sessions up to PyPI."""
    _require_noxfile("pypi-preflight release")
    _run("release", "--plan")
    _run_session(context, "publish", *_flags(**{"new-project": new_project}), yes=yes)


@task(auto_shortflags=False, iterable=["only", "new_project"])
def release_set(
    context: Context,
    only: Sequence[str],
    new_project: Sequence[str],
    yes: bool = False,
    index: str = "",
) -> None:
    """Release a set: show its members, ask for approval, then run the nox session set-release."""
    _require_noxfile("pypi-preflight set release")
    options = [*_list("only", only), *_flags(index=index)]
    _run("set", "list", *options)
    _run_session(context, "set-release", *options, *_list("new-project", new_project), yes=yes)


def _list(name: str, values: Sequence[str]) -> list[str]:
    return [f"--{name}", *values] if values else []


def _require_noxfile(command: str) -> None:
    if not Path("noxfile.py").is_file():
        raise Exit(
            "noxfile.py is missing, so there are no sessions to run\n"
            "→ create it with two lines (from pypi_preflight import sessions; sessions.register()),\n"
            f"  or release without nox: {command}",
            code=2,
        )


def _run_session(context: Context, session: str, *options: str, yes: bool) -> None:
    """Ask for approval, unless `yes`, and run a nox session, which does not ask again."""
    if not yes and not _approved():
        raise Exit("not confirmed: nothing was done\n→ answer y, or pass --yes", code=1)
    name = f"{context.config.get('nox_prefix', '')}{session}"
    argv = [sys.executable, "-P", "-c", _NOX, "--session", name, "--", "--yes", *options]
    status = subprocess.run(argv, check=False).returncode
    if status:
        raise Exit(code=status)


def _approved() -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stdout.write("Continue? The following steps cannot be undone. [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


TASKS = (
    check, build, verify, diagnose, explain, store, token_health, schedule, rotate, rehearse, testpypi, upload, confirm,
    leaks, status, report, history, release, release_set,
)  # fmt: skip


def collection(name: str | None = None, *, nox_prefix: str = "") -> Collection:
    """The tasks, as a namespace. `nox_prefix` is the one passed to `release.sessions.register`."""
    made = Collection(name, *TASKS) if name else Collection(*TASKS)
    made.configure({"nox_prefix": nox_prefix})
    return made


ns = collection()
