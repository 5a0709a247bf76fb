"""The command `prepare`: bump the version, date the changelog, check, commit, and release if that is wanted."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from release.cli.command import RUNS, Command, Write, ask_yes_no, open_console, repeat_command, require_prompt
from release.cli.commands import release_run
from release.cli.offline_commands import require_online
from release.core.errors import Exit, RefusedError, ReleaseError, UsageError
from release.core.harmless import harmless_json
from release.core.offline import is_offline

if TYPE_CHECKING:
    from release.adapters.system.system import System
    from release.cli.terminal.console import PlainConsole
    from release.core.repeated_command import RepeatedCommand
    from release.publishing.prepare.collect_preparation import CollectedPreparation
    from release.publishing.prepare.preparation_run import PreparationRun

#: the options that a release has, too
_RELEASE_OPTIONS = ("index", "dry_run_on", "new_project")
_EPILOG = (
    "VERSION is a version (1.2.0), or what raises the current one: major, minor, patch, pre, alpha, beta, rc, final, "
    "post, dev. Without it, the commits since the last release decide. Everything is undone if a "
    "step fails."
)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("wish", nargs="?", metavar="VERSION", help="the next version, or which part of it is raised")
    parser.add_argument("--release", action="store_true", help="then release it, as the command `release` does")
    release_run.add_plan_options(parser, "--yes", "--index", "--dry-run-on", "--new-project")
    parser.add_argument(
        "--offline", action="store_true", help="contact no index: neither for its versions nor to check credentials"
    )


def run_prepare(options: argparse.Namespace, write: Write) -> int:
    """Prepare a release; with `--plan`, only show what would be changed. Raises `ReleaseError`."""
    from msgspec.structs import replace

    from release.adapters import project_config
    from release.adapters.system import system as systems
    from release.checks.all_checks import check_names
    from release.publishing import journal
    from release.publishing.prepare.collect_preparation import PrepareOptions, collect_preparation
    from release.publishing.prepare.undo_record import require_none_interrupted

    system, directory = systems.real_system(), options.directory.resolve()
    if options.release and options.offline:
        raise UsageError("a release needs its indexes: --release and --offline exclude each other", remedy="drop one")
    require_prompt(options)
    config = project_config.load_config(directory, options.config, check_names=check_names)
    config = replace(config, dry_run_on=options.dry_run_on or config.dry_run_on)
    if options.release and not options.plan:
        index = config.index(options.index or "pypi")
        require_online("prepare --release", [index], system.env, instead="omit --release")
    offline = options.offline or is_offline(system.env)
    asked = PrepareOptions(system=system, directory=directory, config=config, wish=options.wish, offline=offline)
    if options.plan:
        require_none_interrupted(system, directory, str(_again(options)))
        prepared = collect_preparation(asked)
        return _show_plan(options, write, prepared, offline=offline)
    with open_console(options, write) as console, journal.lock_preparation(directory):
        _undo_killed(system, directory, console)
        prepared = collect_preparation(asked)
        document = _prepare(options, write, console, prepared, offline=offline)
    if options.release and document.exit == Exit.DONE:
        return _release(options, write, console, document)
    return document.end(options, write, console)


class _Progress:
    """What a run of the command has come to."""

    def __init__(self, prepared: CollectedPreparation, run: PreparationRun | None) -> None:
        self.prepared, self.run = prepared, run
        self.exit, self.message, self.remedy = Exit.DONE, "", ""
        self.check: Any = None
        self.release: Any = None
        self.next = ""

    def end(self, options: argparse.Namespace, write: Write, console: PlainConsole) -> int:
        """Print the result, and return the exit status."""
        from release.reports import preparation_text
        from release.reports.ending import Ending, ending_to_lines

        if options.json:
            plan = preparation_text.preparation_to_json(self.prepared.preparation)
            end = {
                "schema": 1, "verb": "prepare", "exit": int(self.exit), "message": self.message, "remedy": self.remedy,
                "next": self.next,
            }  # fmt: skip
            commit = self.run.commit if self.run is not None and self.exit == Exit.DONE else None
            more = {"commit": commit, "check": self.check, "release": self.release}
            write(harmless_json(end | plan | more))
        ending = Ending(
            command="prepare", message=self.message, remedy=self.remedy, passed=self.exit == Exit.DONE,
            next_command=self.next,
        )  # fmt: skip
        console.show(ending_to_lines(ending, width=console.width))
        return int(self.exit)


def _show_plan(options: argparse.Namespace, write: Write, prepared: CollectedPreparation, *, offline: bool) -> int:
    from release.cli.command import show
    from release.reports import preparation_text
    from release.reports.lines import outcome_to_lines

    document = {"schema": 1, "verb": "prepare"} | preparation_text.preparation_to_json(prepared.preparation)
    lines = [*preparation_text.preparation_to_lines(
        prepared.preparation, _steps(prepared, options, offline=offline), verbose=bool(options.verbose)
    )]  # fmt: skip
    lines += [line for one in prepared.outcomes if one.state.blocks for line in outcome_to_lines(one)]
    show(options, write, document, (line.text for line in lines))
    return Exit.DONE


def _steps(prepared: CollectedPreparation, options: argparse.Namespace, *, offline: bool) -> list[str]:
    """What follows the edits and the tools, in words."""
    made = prepared.preparation
    steps = ["check the source" + ("" if offline else " and the credentials, as `check` does")]
    steps += [f"commit {made.message!r} on {prepared.branch}"] if made.message else []
    steps += [f"create the tag {made.tag} here"] if made.tag else []
    steps += ["release it, as `release` does; then push the commit and the tag"] if options.release else []
    return steps


def _prepare(
    options: argparse.Namespace, write: Write, console: PlainConsole, prepared: CollectedPreparation, *, offline: bool
) -> _Progress:
    """Show the plan, ask, and make the changes. Raises `ReleaseError`; everything is as before then."""
    from release.adapters.system import system as systems
    from release.publishing.prepare.preparation_run import PreparationRun
    from release.publishing.prepare.prepared_check import check_prepared
    from release.reports import preparation_text, run_text

    made = prepared.preparation
    done = _Progress(prepared, None)
    done.next = "" if options.release else str(repeat_command(options, "release", keep=_RELEASE_OPTIONS))
    if prepared.is_complete:
        done.message = f"{made.project} {made.proposal.text} is prepared already: nothing is to be changed"
        return done
    lines = preparation_text.preparation_to_lines(
        made, _steps(prepared, options, offline=offline), verbose=bool(options.verbose)
    )
    if not (options.quiet and options.yes):  # a plan that is to be approved is shown
        console.show(lines)
    _require_sound(prepared, console)
    _require_approval(options, write, console, prepared)
    system = systems.real_system()

    def check() -> None:
        result = check_prepared(
            system, prepared, index=options.index, offline=offline, notify=console.on_event,
            command=_again(options),
        )  # fmt: skip
        done.check = run_text.run_to_json(result, {})
        if result.exit != Exit.DONE:
            raise RefusedError(result.message, remedy=result.remedy, cause=result.cause)

    done.run = PreparationRun(
        system=system, home=prepared.directory, members=(prepared,), notify=console.on_event, check=check
    )  # fmt: skip
    done.run.execute()
    what = [f"commit {done.run.commit[:12]} on {prepared.branch}"] if made.message else []
    what += [f"tag {made.tag}"] if made.tag else []
    done.message = f"{made.project} {made.proposal.text} is prepared: {', '.join(what)}; nothing is pushed"
    return done


def _require_sound(prepared: CollectedPreparation, console: PlainConsole) -> None:
    """Raise `RefusedError` where anything is known that would stop the release."""
    from release.core.events import CheckFinished
    from release.core.models import check_result

    for one in prepared.outcomes:
        if one.state.blocks:
            console.on_event(CheckFinished(outcome=one, stops=True))
    problem = check_result.blocking_problem(prepared.outcomes)
    if problem is not None:
        raise RefusedError(problem.message, remedy=problem.remedy, cause=problem.cause)
    for finding in prepared.preparation.findings:
        if finding.severity == "block":
            raise RefusedError(finding.message, remedy=finding.remedy, cause=finding.cause)


def _require_approval(
    options: argparse.Namespace, write: Write, console: PlainConsole, prepared: CollectedPreparation
) -> None:
    if options.yes:
        return
    what = f"Prepare {prepared.preparation.project} {prepared.preparation.proposal.text}"
    question = f"{what}, and release it? An upload cannot be undone." if options.release else f"{what}?"
    with console.paused():
        if not ask_yes_no(write, question):
            raise RefusedError("not confirmed", remedy="answer y, or pass --yes")


def _release(options: argparse.Namespace, write: Write, console: PlainConsole, done: _Progress) -> int:
    """Release what was prepared. Where that ends before anything was sent or tagged, the preparation is undone."""
    from release.publishing.prepare.release_effects import has_lasting_effects

    output: list[str] = []
    given = argparse.Namespace(**vars(options) | {"command": "release", "yes": True})
    if not options.json and not options.quiet:
        write(f"{done.message}\n")
    try:
        status = release_run.run_plan(given, output.append if options.json else write)
        error: ReleaseError = RefusedError(
            "the release was refused before anything was sent", remedy="fix what is named above"
        )
    except ReleaseError as problem:
        if done.run is None:
            raise
        status, error = problem.exit, RefusedError(problem.message, remedy=problem.remedy, cause=problem.cause)
    done.release = json.loads("".join(output)) if output else None
    done.exit = Exit(status)
    if status and done.run is not None and not has_lasting_effects(done.prepared.directory, done.run.commit):
        if done.release:
            error.message, error.remedy = done.release["message"], done.release["remedy"]
        error = done.run.undo_after(error)
        done.message = f"{error.message}; the preparation is undone"
        done.remedy = f"{error.remedy}; then: {_again(options)}"
        return done.end(options, write, console)
    if options.json:
        done.message, done.remedy, done.next = (done.release[key] for key in ("message", "remedy", "next"))
        return done.end(options, write, console)
    return status


def _undo_killed(system: System, directory: Path, console: PlainConsole) -> None:
    from release.publishing.prepare.undo_record import undo_interrupted
    from release.reports.lines import Line

    console.show(Line(text=note, style="bold") for note in undo_interrupted(system, directory))


def _again(options: argparse.Namespace) -> RepeatedCommand:
    """The command that does the same again."""
    wish = [options.wish] if options.wish else []
    return repeat_command(options, "prepare", arguments=wish, keep=("release", *_RELEASE_OPTIONS, "offline"))


COMMANDS = {"prepare": Command(_add_arguments, run_prepare, RUNS, _EPILOG)}
