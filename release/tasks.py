"""The Invoke collection: the order of the verbs, for people.

A project's own `tasks.py` is two lines:

    from invoke import Collection
    from release import tasks; namespace = Collection.from_module(tasks)
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

_FILES = {"files": "a file or directory that was built elsewhere, to be released; may be given several times"}


def _program(verb: str, *options: str) -> None:
    """Run one verb of the program here; its exit status becomes ours."""
    status = subprocess.run([sys.executable, "-m", "release", verb, *options], check=False).returncode
    if status:
        raise Exit(code=status)


def _flags(**flags: str | bool | Sequence[str]) -> list[str]:
    """The options that were given: a switch, one with its value, or one with several."""
    words: list[str] = []
    for name, value in flags.items():
        if value:
            values = () if value is True else (value,) if isinstance(value, str) else value
            words += [f"--{name}", *map(str, values)]
    return words


@task(auto_shortflags=False)
def check(_: Context, index: str = "") -> None:
    """Run the checklist: the source, and the way to each index."""
    _program("check", *_flags(index=index))


@task(auto_shortflags=False)
def build(_: Context) -> None:
    """Build sdist and wheel from a clean clone, and check them."""
    _program("build")


@task(auto_shortflags=False)
def verify(_: Context, index: str = "", project: str = "", offline: bool = False) -> None:
    """Say whether the credentials work, and if not, why not and what to do."""
    _program("verify", *_flags(index=index, project=project, offline=offline))


@task(auto_shortflags=False)
def diagnose(_: Context, log: str = "", offline: bool = False) -> None:
    """Name the cause of a failed upload from its log, or what stands in the way of the next."""
    _program("diagnose", *_flags(log=log, offline=offline))


@task(auto_shortflags=False)
def explain(_: Context, cause: str) -> None:
    """Say what a cause is, how it shows and how to mend it; "all" for all of them."""
    _program("explain", "--all" if cause == "all" else cause)


@task(auto_shortflags=False)
def store(_: Context, index: str = "pypi") -> None:
    """Take a token, try it, and keep it in the keyring."""
    _program("store", *_flags(index=index))


@task(auto_shortflags=False)
def token_health(
    _: Context, fleet: str = "", offline: bool = False, strict: bool = False, notify: bool = False
) -> None:
    """Say how every token is: of this project, or of a fleet (a TOML file)."""
    _program("tokens", *_flags(fleet=fleet, offline=offline, strict=strict, notify=notify))


@task(auto_shortflags=False)
def rotate(_: Context, index: str = "pypi", project: str = "", leaked: bool = False) -> None:
    """Replace a token by a new one wherever it lies, and see the old one dead."""
    _program("rotate", *_flags(index=index, project=project, leaked=leaked))


@task(auto_shortflags=False)
def rehearse(_: Context, built: bool = False) -> None:
    """Rehearse a whole release on an embedded index; needs no credentials."""
    _program("rehearse", *_flags(built=built))


@task(auto_shortflags=False, iterable=["files"], help=_FILES)
def testpypi(_: Context, files: Sequence[str]) -> None:
    """Upload to TestPyPI, install from there and try it: the dry run."""
    _program("testpypi", *_flags(files=files))


@task(auto_shortflags=False, iterable=["files"], help=_FILES)
def upload(
    _: Context,
    files: Sequence[str],
    yes: bool = False,
    index: str = "",
    dry_run_on: str = "",
    new_project: str = "",
) -> None:
    """Upload to PyPI what was built, and confirm it from outside."""
    options: dict[str, Any] = {"yes": yes, "index": index, "dry-run-on": dry_run_on, "new-project": new_project}
    _program("publish", *_flags(**options, files=files))


@task(auto_shortflags=False)
def confirm(_: Context, index: str = "", release: str = "", record: str = "") -> None:
    """Look at a release from outside: hashes, clean install, smoke test; with --release NAME==VERSION at any."""
    _program("confirm", *filter(None, [release]), *_flags(index=index, record=record))


@task(auto_shortflags=False)
def leaks(_: Context, history: bool = False, staged: bool = False) -> None:
    """Search for tokens, keys and credential files, in all of history too."""
    _program("leaks", *_flags(history=history, staged=staged))


@task(auto_shortflags=False)
def schedule(_: Context, every: str = "", kind: str = "", fleet: str = "", do: str = "print") -> None:
    """Have tokens looked at again and again; --do install, remove or status."""
    _program("schedule", f"--{do}", *_flags(every=every, kind=kind, fleet=fleet))


@task(auto_shortflags=False)
def status(_: Context) -> None:
    """Show what the journal knows of this project's releases."""
    _program("status")


@task(auto_shortflags=False, positional=["version"])
def report(_: Context, version: str = "", form: str = "text", output: str = "") -> None:
    """Show what the runs for a version did; --form html, markdown, junit or sarif."""
    _program("report", *([version] if version else []), *_flags(output=output, **{form: form != "text"}))


@task(auto_shortflags=False)
def history(_: Context) -> None:
    """List the releases of this project, the newest first."""
    _program("history")


@task(auto_shortflags=False)
def release(context: Context, yes: bool = False, new_project: str = "") -> None:
    """Release: show the plan, ask, then run the nox chain up to PyPI."""
    if not Path("noxfile.py").is_file():
        raise Exit(
            "no noxfile.py here, so there is no chain to run\n"
            "→ create it with two lines (from release.sessions import register; register()),\n"
            "  or release without nox: python -m release release",
            code=2,
        )
    _program("release", "--plan")
    if not yes and not _agreed():
        raise Exit("not confirmed: nothing was done\n→ answer y, or pass --yes", code=1)
    session = f"{context.config.get('nox_prefix', '')}publish"
    words = ["--yes", *_flags(**{"new-project": new_project})]
    status = subprocess.run([sys.executable, "-m", "nox", "--session", session, "--", *words], check=False).returncode
    if status:
        raise Exit(code=status)


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    sys.stdout.write("Go on with what can't be undone? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


TASKS = (
    check,
    build,
    verify,
    diagnose,
    explain,
    store,
    token_health,
    schedule,
    rotate,
    rehearse,
    testpypi,
    upload,
    confirm,
    leaks,
    status,
    report,
    history,
    release,
)


def collection(name: str | None = None, *, nox_prefix: str = "") -> Collection:
    """The tasks, to be used as a namespace or added to one.

    `nox_prefix` is what the project gave to `release.sessions.register`.
    """
    made = Collection(name, *TASKS) if name else Collection(*TASKS)
    made.configure({"nox_prefix": nox_prefix})
    return made


ns = collection()
