"""The commands that run a plan: check, build, rehearse, testpypi, publish and release."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from release.cli.command import (
    RUNS,
    Command,
    Write,
    ask_yes_no,
    expand_patterns,
    open_console,
    read_line,
    repeat_command,
    show,
)
from release.cli.offline_commands import require_online
from release.cli.project_options import complete_commands, complete_event, complete_outcome
from release.core.errors import Exit, RefusedError, ReleaseError, UsageError
from release.core.harmless import harmless_json
from release.core.offline import is_offline

if TYPE_CHECKING:
    from release.adapters.system.system import System
    from release.cli.terminal.console import PlainConsole
    from release.core.config import Config
    from release.core.facts import Access, Source
    from release.core.models.check_result import BlockingProblem
    from release.core.models.credential import Credential
    from release.core.models.distribution import Distribution
    from release.core.models.file_list import FileList
    from release.core.models.interpreter import RequiredPython
    from release.core.models.results import RunResult
    from release.core.plan import Plan
    from release.publishing.plan_run import RenewCredential
    from release.publishing.running_build import EarlyBuild


_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--index": {"metavar": "NAME", "help": "the index, by its name in the configuration"},
    "--built": {"action": "store_true", "help": "rehearse the files of the last build"},
    "--allow": {
        "action": "store_true",
        "help": "exit with status 0 even if failed checks would block a release, as long as the rehearsal goes through",
    },
    "--offline": {"action": "store_true", "help": "contact no index: do not compare with the last release"},
    "--yes": {"action": "store_true", "help": "do not prompt before the first step that cannot be undone"},
    "--dry-run-on": {
        "choices": ("testpypi", "sandbox", "none"),
        "help": "the index on which the same files must have passed before (default: testpypi)",
    },
    "--new-project": {"metavar": "NAME", "help": "the project's name, if this release creates the project"},
    "--files": {
        "nargs": "+", "type": Path, "metavar": "PATH",
        "help": "release these files, or the files in this directory and below it, instead of building them; no "
        "project is needed",
    },
    "--require-complete": {
        "type": Path, "metavar": "FILE",
        "help": "with --files: refuse unless they are the files of this list: names, or the output of sha256sum",
    },
    "--output": {"type": Path, "metavar": "DIR", "help": "copy the built files into this directory"},
    "--write-constraints": {
        "type": Path, "metavar": "FILE",
        "help": "build once, and pin in this file, relative to the project, what the build installs, with hashes, for "
        "build-constraints",
    },
    "--siblings": {
        "type": Path, "metavar": "DIR",
        "help": "take projects that the build requires from the files in the subdirectories of DIR, built before",
    },
}  # fmt: skip
#: what cannot be done without an index
_NEED_INDEX = frozenset({"testpypi", "publish", "release", "confirm"})
#: command → what it does where there is no project
_WITHOUT_PROJECT = {
    "confirm": "name any release: pypi-preflight confirm NAME==VERSION",
    **{verb: f"pass built files: pypi-preflight {verb} dist/*" for verb in ("rehearse", "testpypi", "publish")},
}


def add_plan_options(parser: argparse.ArgumentParser, *names: str) -> None:
    """Declare these options, and give defaults to all others that a plan may have.

    A command with `--files` takes the files as arguments, too: that is how twine, uv and others take them.
    """
    for name in names:
        parser.add_argument(name, **_OPTIONS[name])
    if "--files" in names:
        parser.add_argument("paths", nargs="*", type=Path, metavar="FILE", help="the same as --files")
    parser.set_defaults(
        index=None, built=False, allow=False, offline=False, yes=False, dry_run_on=None, new_project=None,
        files=(), paths=(), require_complete=None, output=None, siblings=None,
        write_constraints=None,
    )  # fmt: skip


def _command(*options: str) -> Command:
    return Command(lambda parser: add_plan_options(parser, *options), run_plan, RUNS)


def run_plan(options: argparse.Namespace, write: Write) -> int:
    """Run the command's plan; with `--plan`, only show it."""
    if options.built and options.files:
        raise UsageError("--built and --files name different files", remedy="omit one of the two")
    options.files = expand_patterns([*options.paths, *options.files])
    with _sibling_files(options) as add_siblings:
        if options.write_constraints is not None:
            return _write_constraints(options, write, add_siblings)
        return _run_plan(options, write, add_siblings)


@contextmanager
def _sibling_files(options: argparse.Namespace) -> Iterator[Callable[[System], System]]:
    """What makes builds take siblings from the files of `--siblings`."""
    if options.siblings is None:
        yield lambda system: system
        return
    from release.adapters.install import siblings
    from release.adapters.system.temporary_directory import temporary_directory
    from release.publishing.sets.sibling_files import find_siblings

    found = find_siblings(options.siblings, without=options.output)
    with temporary_directory() as work:
        numbers = count()
        yield lambda system: siblings.with_siblings(
            system, found, scratch=lambda name: work / f"{name}-{next(numbers)}"
        )


def _run_plan(options: argparse.Namespace, write: Write, add_siblings: Callable[[System], System]) -> int:
    from release.adapters.system import system as systems
    from release.publishing.running_build import EarlyBuild

    system, directory = systems.real_system(), options.directory.resolve()
    if options.files or options.require_complete:
        from release.publishing import prebuilt

        files, listed = prebuilt.load_given_files(options.files, options.require_complete)
        config = _load_config(options, directory, needs_project=False)
        source = prebuilt.source_of(system, files, config)
        return _execute(options, write, _Facts(system, config, source, files, listed))
    config = _load_config(options, directory, needs_project=True)
    with EarlyBuild(directory) as early:
        rehearses = options.command == "rehearse" and not (options.built or options.plan)
        meanwhile = early.start if rehearses else lambda _system, _python: None
        source, system = _collect_source(options, system, config, add_siblings, meanwhile)
        return _execute(options, write, _Facts(system, config, source, early=early))


class _Facts(NamedTuple):
    """What a run starts from."""

    system: System
    config: Config
    source: Source
    files: tuple[Distribution, ...] = ()
    listed: FileList | None = None
    early: EarlyBuild | None = None


def _execute(options: argparse.Namespace, write: Write, facts: _Facts) -> int:
    """Make the plan; show it, or execute it."""
    from msgspec.structs import replace

    from release.adapters.oidc import provider
    from release.core import plan as plans
    from release.publishing import build, prebuilt, runner
    from release.reports import run_text

    directory = options.directory.resolve()
    system, config, source, files, listed, early = facts
    plan = plans.make_plan(
        options.command, config, source, index=options.index, built=options.built, prebuilt=bool(files),
        files=prebuilt.files_to_text(files),
    )  # fmt: skip
    identified = config.exchange != "never" and provider.may_request_identity(system.env)
    plan = replace(plan, new_project=options.new_project, exchanges=identified and plan.checks_credentials)
    if options.plan:
        document = plans.plan_to_json(plan, dict(config.indexes))
        lines = [*run_text.plan_to_lines(plan), *run_text.files_to_lines([file.filename for file in files])]
        show(options, write, document, (line.text for line in lines))
        return Exit.DONE
    if plan.verb in _NEED_INDEX:
        require_online(plan.verb, (config.index(name) for name in plan.targets if name != plans.SANDBOX), system.env)
    if plan.needs_approval and not options.yes and not sys.stdin.isatty():
        raise ReleaseError("cannot prompt: standard input is not a terminal", remedy="pass --yes to skip the prompt")
    with open_console(options, write) as console:
        console.align(step.title for step in plan.steps)
        run = runner.RunOptions(
            config=config, source=source, directory=directory, system=system, files=files, listed=listed,
            notify=lambda event: console.on_event(complete_event(event, options)),
            approve=_approval(console, options, write),
            command=repeat_command(options, options.command, keep=_REPEATED),
            renew=_renewal(console, options, write, config, source), allow=options.allow,
            offline=options.offline or (plan.verb not in _NEED_INDEX and is_offline(system.env)), early=early,
        )  # fmt: skip
        result = _complete(runner.execute_plan(plan, run), options)
    if options.json:
        document = plans.plan_to_json(result.plan, dict(config.indexes))
        write(harmless_json(run_text.run_to_json(result, document)))
    console.show(run_text.run_to_lines(result, width=console.width))
    if options.output is not None and result.exit == Exit.DONE:
        build.copy_files(result.files, options.output)
    return int(result.exit)


def _write_constraints(options: argparse.Namespace, write: Write, add_siblings: Callable[[System], System]) -> int:
    from msgspec.structs import replace

    from release.adapters import collect
    from release.adapters.install import interpreters
    from release.adapters.system import system as systems
    from release.core.events import Progress
    from release.publishing.written_constraints import write_constraints
    from release.reports import constraints_text

    if options.plan or options.output is not None:
        raise UsageError("--write-constraints builds only to find out what is installed", remedy="pass it alone")
    directory = options.directory.resolve()
    file = directory / options.write_constraints  # as `build-constraints` and remedies have it
    config = _load_config(options, directory, needs_project=True)
    system = replace(systems.real_system(), passed=config.pass_environment)
    system = add_siblings(interpreters.with_interpreter(system, collect.collect_required_python(system, directory)))
    with open_console(options, write) as console:
        done = write_constraints(
            system, directory, file.resolve(), on_line=lambda line: console.on_event(Progress(text=line))
        )
    document = constraints_text.written_to_json(done)
    show(options, write, document, constraints_text.written_to_lines(done, config))
    return Exit.DONE


def _collect_source(
    options: argparse.Namespace, system: System, config: Config, add_siblings: Callable[[System], System],
    meanwhile: Callable[[System, RequiredPython | None], object],
) -> tuple[Source, System]:  # fmt: skip
    """The source, and the system for its builds and installs."""
    from release.adapters import collect
    from release.adapters.builds import pinned_builds
    from release.adapters.install import interpreters

    directory = options.directory.resolve()
    system, asks = pinned_builds.pin_builds(system, directory, config), options.command != "rehearse"
    source = collect.collect_source(add_siblings(system), directory, config, ask_backend=asks, meanwhile=meanwhile)
    return source, add_siblings(interpreters.with_interpreter(system, source.python))


def _complete(result: RunResult, options: argparse.Namespace) -> RunResult:
    from msgspec.structs import replace

    outcomes = tuple(complete_outcome(one, options) for one in result.outcomes)
    return replace(result, remedy=complete_commands(result.remedy, options), outcomes=outcomes)


def _load_config(options: argparse.Namespace, directory: Path, *, needs_project: bool) -> Config:
    from msgspec.structs import replace

    from release.adapters import project_config
    from release.checks.all_checks import check_names

    config = project_config.load_config(
        directory, options.config, check_names=check_names, needs_project=needs_project,
        instead=_WITHOUT_PROJECT.get(options.command, ""),
    )  # fmt: skip
    return replace(config, dry_run_on=options.dry_run_on or config.dry_run_on)


def _approval(console: PlainConsole, options: argparse.Namespace, write: Write) -> Callable[[Plan, str | None], bool]:
    """Asks before the first step that cannot be undone; where a project would be created, for its name too.

    The second argument is the index on which the project would be created: a project with a misspelled name stays
    there. Raises RefusedError if another name was given.
    """
    from release.reports import run_text

    def approve(plan: Plan, new_on: str | None) -> bool:
        if not plan.needs_approval:
            return True
        with console.paused():
            if not options.yes:
                console.show(run_text.plan_to_lines(plan))
                if not ask_yes_no(write, "Continue? The following steps cannot be undone."):
                    return False
            if new_on is not None:
                _require_name(plan, new_on, options.new_project, write)
        return True

    return approve


def _renewal(
    console: PlainConsole, options: argparse.Namespace, write: Write, config: Config, source: Source
) -> RenewCredential | None:
    """Offers to store a new token where the run would stop for its credential; None where prompts are not possible."""
    if options.json or options.quiet or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None

    def renew(access: Access, problem: BlockingProblem) -> Credential | None:
        from release.adapters.system import system as systems
        from release.cli.credential_prompts import CredentialSession

        session = CredentialSession(
            system=systems.real_system(), directory=options.directory.resolve(), config=config, project=source.project,
            offline=False, insecure=False, terminal=True, write=write,
        )  # fmt: skip
        with console.paused():
            return session.renew(access, problem)

    return renew


def _require_name(plan: Plan, index: str, name: str | None, write: Write) -> None:
    if name is None and sys.stdin.isatty():
        write(f"{plan.project} does not exist on {index}. Type its name to create it: ")
        name = read_line()
    if name != plan.project:
        problem = f"{name!r} is not its name" if name else "its name was not confirmed"
        raise RefusedError(
            f"this release would create the project {plan.project!r} on {index}, but {problem}",
            remedy=f"to create it, pass --new-project {plan.project}",
            option=("--new-project", str(plan.project)),
        )


#: the options that the same command needs again: not `--yes`, which was for this time
_REPEATED = (
    "index", "dry_run_on", "new_project", "require_complete", "output", "siblings", "built", "allow", "offline",
    "files",
)  # fmt: skip

COMMANDS = {
    "check": _command("--index", "--new-project"),
    "build": _command("--output", "--write-constraints", "--siblings"),
    "rehearse": _command("--built", "--allow", "--offline", "--files", "--require-complete"),
    "testpypi": _command("--index", "--yes", "--new-project", "--files", "--require-complete"),
    "publish": _command("--index", "--yes", "--dry-run-on", "--new-project", "--files", "--require-complete"),
    "release": _command("--index", "--yes", "--dry-run-on", "--new-project"),
}
