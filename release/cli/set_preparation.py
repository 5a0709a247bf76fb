"""The command `set prepare`: the next version of each member that has changed, as one commit."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from release.cli.command import Write, ask_yes_no, open_console, repeat_command, require_prompt, show
from release.core.errors import Exit, RefusedError
from release.core.harmless import harmless_json
from release.core.models import check_result
from release.core.offline import is_offline

if TYPE_CHECKING:
    from release.cli.terminal.console import PlainConsole
    from release.core.repeated_command import RepeatedCommand
    from release.publishing.prepare.collect_preparation import PrepareOptions
    from release.publishing.prepare.collect_set_preparation import SetPreparation
    from release.publishing.prepare.preparation_run import PreparationRun
    from release.reports.lines import Line


def run_set_prepare(options: argparse.Namespace, write: Write) -> int:
    """Prepare the release of a set; with `--plan`, only show what would be changed. Raises `ReleaseError`."""
    from release.adapters.system import system as systems
    from release.publishing import journal
    from release.publishing.prepare.collect_preparation import PrepareOptions
    from release.publishing.prepare.collect_set_preparation import collect_set_preparation
    from release.publishing.prepare.undo_record import require_none_interrupted, undo_interrupted
    from release.publishing.sets.read_members import load_set_config
    from release.reports.lines import Line

    system, directory = systems.real_system(), options.directory.resolve()
    require_prompt(options)
    config = load_set_config(directory, options.config)
    offline = options.offline or is_offline(system.env)
    asked = PrepareOptions(system=system, directory=directory, config=config, wish=options.wish, offline=offline)
    if options.plan:
        require_none_interrupted(system, directory, str(_again(options)))
        prepared = collect_set_preparation(asked, options.only)
        show(options, write, _to_json(prepared), (line.text for line in _to_lines(prepared, options)))
        return Exit.DONE
    with open_console(options, write) as console, journal.lock_preparation(directory):
        console.show(Line(text=note, style="bold") for note in undo_interrupted(system, directory))
        prepared = collect_set_preparation(asked, options.only)
        run = _prepare(options, write, console, asked, prepared) if prepared.members else None
    return _end(options, write, console, prepared, run)


def _prepare(
    options: argparse.Namespace, write: Write, console: PlainConsole, asked: PrepareOptions, prepared: SetPreparation
) -> PreparationRun:
    """Show the plan, ask, and make the changes. Raises `ReleaseError`; everything is as before then."""
    from release.publishing.prepare.collect_set_preparation import check_prepared_set
    from release.publishing.prepare.preparation_run import PreparationRun
    from release.publishing.prepare.prepared_check import check_prepared

    if not (options.quiet and options.yes):  # a plan that is to be approved is shown
        console.show(_to_lines(prepared, options))
    _require_sound(prepared)
    if not options.yes:
        with console.paused():
            if not ask_yes_no(write, f"Prepare {_names(prepared)}?"):
                raise RefusedError("not confirmed", remedy="answer y, or pass --yes")

    again = _again(options)

    def check() -> None:
        for one in prepared.members:
            result = check_prepared(
                asked.system,
                one,
                index=None,
                offline=True,
                notify=console.on_event,
                command=again,
            )
            if result.exit != Exit.DONE:
                name = one.preparation.project
                raise RefusedError(f"{name}: {result.message}", remedy=result.remedy, cause=result.cause)
        check_prepared_set(asked, prepared)

    run = PreparationRun(
        system=asked.system, home=asked.directory, members=prepared.members, notify=console.on_event, check=check
    )  # fmt: skip
    run.execute()
    return run


def _require_sound(prepared: SetPreparation) -> None:
    """Raise `RefusedError` where anything is known that would stop the release of a member."""
    for one in prepared.members:
        problem = check_result.blocking_problem(one.outcomes)
        if problem is not None:
            raise RefusedError(problem.message, remedy=problem.remedy, cause=problem.cause)
        for finding in one.preparation.findings:
            if finding.severity == "block":
                name = one.preparation.project
                raise RefusedError(f"{name}: {finding.message}", remedy=finding.remedy, cause=finding.cause)


def _end(
    options: argparse.Namespace, write: Write, console: PlainConsole, prepared: SetPreparation,
    run: PreparationRun | None,
) -> int:  # fmt: skip
    from release.reports.ending import Ending, ending_to_lines

    if run is None:
        message = "all members are prepared already: nothing is to be changed"
    else:
        tags = [one.preparation.tag for one in prepared.members if one.preparation.tag]
        what = [f"commit {run.commit[:12]}"] if run.record.message else []
        what += [f"tags {', '.join(dict.fromkeys(tags))}"] if tags else []
        message = f"{_names(prepared)}: prepared by {' and '.join(what)}; nothing is pushed"
    following = str(repeat_command(options, "set", "release", keep=("only",)))
    if options.json:
        end = {"exit": 0, "message": message, "remedy": "", "next": following, "commit": run.commit if run else None}
        write(harmless_json(_to_json(prepared) | end))
    ending = Ending(command="set prepare", message=message, remedy="", passed=True, next_command=following)
    console.show(ending_to_lines(ending, width=console.width))
    return int(Exit.DONE)


def _names(prepared: SetPreparation) -> str:
    made = [one.preparation for one in prepared.members]
    return ", ".join(f"{one.project} {one.proposal.text}" for one in made)


def _to_lines(prepared: SetPreparation, options: argparse.Namespace) -> list[Line]:
    from release.publishing.prepare.preparation_run import commit_message
    from release.reports.lines import Line, outcome_to_lines
    from release.reports.preparation_text import preparation_to_lines

    lines: list[Line] = []
    for one in prepared.members:
        lines += preparation_to_lines(one.preparation, verbose=bool(options.verbose))
    lines += [Line(text=f"{name}: left out: {why}", style="dim") for name, why in prepared.left_out.items()]
    if prepared.members:
        blocking = {one.check: one for member in prepared.members for one in member.outcomes if one.state.blocks}
        lines += [line for one in blocking.values() for line in outcome_to_lines(one)]
        if any(one.preparation.message for one in prepared.members):
            subject = commit_message(prepared.members).partition("\n")[0]
            branch = prepared.members[0].branch
            lines.append(Line(text=f"then: check the source of each, and commit {subject!r} on {branch}"))
    return lines


def _to_json(prepared: SetPreparation) -> dict[str, Any]:
    from release.reports.preparation_text import preparation_to_json

    return {
        "schema": 1, "verb": "set prepare",
        "members": [preparation_to_json(one.preparation) for one in prepared.members],
        "left_out": [{"member": name, "reason": why} for name, why in prepared.left_out.items()],
    }  # fmt: skip


def _again(options: argparse.Namespace) -> RepeatedCommand:
    """The command that does the same again."""
    return repeat_command(options, "set", "prepare", arguments=filter(None, [options.wish]), keep=("only", "offline"))
