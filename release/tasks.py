"""The Invoke tasks: each runs one command of the program.

A project's own `tasks.py` is two lines:

    from pypi_preflight import tasks
    namespace = tasks.collection()

Its own tasks in that file stand next to these. Each task has the name of its command; older names are aliases.
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

from release.cli.task_namespace import TaskNamespace

__all__ = ["collection"]

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
    """The options that have a value: a switch, one with a value, or one with several; "_" in their names is "-"."""
    words: list[str] = []
    for name, value in flags.items():
        if value:
            values = () if value is True else (value,) if isinstance(value, str) else value
            words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return words


@task(auto_shortflags=False)
def check(_: Context, index: str = "", new_project: str = "") -> None:
    """Check the source and the credentials for each index."""
    _run("check", *_flags(index=index, new_project=new_project))


@task(auto_shortflags=False)
def build(_: Context, output: str = "", siblings: str = "") -> None:
    """Build sdist and wheel from a clean clone, and check them; with --output, copy them into a directory."""
    _run("build", *_flags(output=output, siblings=siblings))


@task(auto_shortflags=False, iterable=["files"], help=_FILES)
def inspect(_: Context, files: Sequence[str], index: str = "", others: bool = False) -> None:
    """Check whether PyPI would accept these files, or those in dist/; --others also runs third-party checkers."""
    found = [*files] or sorted(str(path) for path in Path("dist").glob("*") if path.is_file())
    if not found:
        raise Exit("dist/ is empty\n→ pass files: invoke inspect --files FILE", code=2)
    _run("inspect", *found, *_flags(index=index, others=others))


@task(auto_shortflags=False, positional=["version"])
def prepare(
    _: Context, version: str = "", yes: bool = False, plan: bool = False, release: bool = False, offline: bool = False
) -> None:
    """Bump the version (major, minor, patch, pre, VERSION), date the changelog, check and commit."""
    _run("prepare", *filter(None, [version]), *_flags(yes=yes, plan=plan, release=release, offline=offline))


@task(auto_shortflags=False)
def verify(_: Context, index: str = "", project: str = "", offline: bool = False, exchange: bool = False) -> None:
    """Verify the credentials; if they do not work, show why and how to fix it."""
    _run("verify", *_flags(index=index, project=project, offline=offline, exchange=exchange))


@task(auto_shortflags=False)
def diagnose(_: Context, log: str = "", here: bool = False, project: str = "", offline: bool = False) -> None:
    """Find the cause of a failed upload in its log, or what would make the next one fail."""
    _run("diagnose", *_flags(log=log, here=here, project=project, offline=offline))


@task(auto_shortflags=False)
def explain(_: Context, cause: str) -> None:
    """Explain a known failure: its symptoms and its remedy; "all" lists all of them."""
    _run("explain", "--all" if cause == "all" else cause)


@task(auto_shortflags=False)
def store(_: Context, index: str = "pypi", project: str = "") -> None:
    """Verify a token and store it in the keyring; with --project, as that project's own."""
    _run("store", *_flags(index=index, project=project))


@task(auto_shortflags=False, aliases=("token-health",))
def tokens(_: Context, fleet: str = "", offline: bool = False, strict: bool = False, notify: bool = False) -> None:
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
    _run("testpypi", *_flags(files=files, new_project=new_project))


@task(auto_shortflags=False, iterable=["files"], help=_FILES, aliases=("upload",))
def publish(
    _: Context,
    files: Sequence[str],
    yes: bool = False,
    index: str = "",
    dry_run_on: str = "",
    new_project: str = "",
) -> None:
    """Upload the built files to PyPI and confirm the release; `release` does the whole chain."""
    options: dict[str, Any] = {"yes": yes, "index": index, "dry_run_on": dry_run_on, "new_project": new_project}
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
def ci(_: Context, service: str, set: bool = False, output: str = "", force: bool = False) -> None:  # noqa: A002 - its option
    """Print the workflow of a release: github, gitlab or buildkite; --set for a set; --output writes a file."""
    _run("ci", service, *_flags(set=set, output=output, force=force))


@task(auto_shortflags=False)
def schedule(_: Context, every: str = "", kind: str = "", fleet: str = "", do: str = "print") -> None:
    """Schedule recurring token checks; --do install, remove or status."""
    _run("schedule", f"--{do}", *_flags(every=every, kind=kind, fleet=fleet))


@task(auto_shortflags=False, positional=["action"])
def config(_: Context, action: str = "show") -> None:
    """Show the settings and where they come from, or check them: invoke config check."""
    _run("config", action)


@task(auto_shortflags=False)
def sandbox(_: Context, port: str = "", world: str = "", tls: bool = False) -> None:
    """Run the embedded index in the foreground."""
    _run("sandbox", *_flags(port=port, world=world, tls=tls))


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
    """Release, the whole chain: show the plan, ask for approval, then run the nox sessions up to PyPI."""
    _require_noxfile("pypi-preflight release")
    _run("release", "--plan")
    _run_session(context, "release", *_flags(new_project=new_project), yes=yes)


@task(auto_shortflags=False, iterable=["only"])
def set_list(_: Context, only: Sequence[str], index: str = "", offline: bool = False) -> None:
    """List the members of a set in the order of their requirements, and which would be released."""
    _run("set", "list", *_flags(only=only, index=index, offline=offline))


@task(auto_shortflags=False, iterable=["only", "new_project"])
def set_check(_: Context, only: Sequence[str], new_project: Sequence[str], index: str = "") -> None:
    """Check the source and the credentials of all members of a set."""
    _run("set", "check", *_flags(only=only, new_project=new_project, index=index))


@task(auto_shortflags=False, iterable=["only"])
def set_rehearse(_: Context, only: Sequence[str], allow: bool = False, offline: bool = False) -> None:
    """Rehearse the release of a set on one embedded index."""
    _run("set", "rehearse", *_flags(only=only, allow=allow, offline=offline))


@task(auto_shortflags=False, iterable=["only", "new_project"], aliases=("release-set",))
def set_release(
    context: Context,
    only: Sequence[str],
    new_project: Sequence[str],
    yes: bool = False,
    index: str = "",
) -> None:
    """Release a set: show its members, ask for approval, then run the nox session set-release."""
    _require_noxfile("pypi-preflight set release")
    options = _flags(only=only, index=index)
    _run("set", "list", *options)
    _run_session(context, "set-release", *options, *_flags(new_project=new_project), yes=yes)


@task(auto_shortflags=False, iterable=["only"])
def set_status(_: Context, only: Sequence[str], index: str = "", offline: bool = False) -> None:
    """Show what each index has of a set, and the command that continues."""
    _run("set", "status", *_flags(only=only, index=index, offline=offline))


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
    prepare, check, build, inspect, verify, diagnose, explain, store, tokens, schedule, rotate, rehearse, testpypi,
    publish, confirm, leaks, ci, config, sandbox, status, report, history, release, set_list, set_check, set_rehearse,
    set_release, set_status,
)  # fmt: skip


def collection(name: str | None = None, *, prefix: str = "", nox_prefix: str = "") -> Collection:
    """The tasks, as the namespace of a file, next to the tasks that the file defines itself.

    `prefix` is put before each name ("release-" makes "release-build"). With `name`, it is a collection to be added to
    a namespace: "name.build". `nox_prefix` is the prefix that was passed to `sessions.register`. Invoke stops with
    exit status 2 if the file has a task of one of these names.
    """
    file = sys._getframe(1).f_globals  # noqa: SLF001 - of the caller
    made = TaskNamespace(TASKS, name=name, prefix=prefix, file=file)
    made.configure({"nox_prefix": nox_prefix})
    return made


ns = collection()
