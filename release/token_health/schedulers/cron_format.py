"""Lines of a crontab, in a block with marks, so that they are found again and nothing else is touched.

Source: crontab(5) of Debian's cron and of cronie.
"""

from __future__ import annotations

import re
import shlex

from release.core.errors import ReleaseError, UsageError
from release.token_health.schedulers.command import Job, one_line

#: characters that cron reads of a command. Source: vixie cron, `MAX_COMMAND`
_LONGEST = 998


def block(job: Job) -> str:
    """The lines of a job, marks included, each ended. Raises `UsageError` for what cron can't say."""
    begin, end = _marks(job.name)
    return f"{begin}\n# {_comment(job.title)}\n{job.when.text} {command(job)}\n{end}\n"


def command(job: Job) -> str:
    r"""The command as cron reads it: `%` would be a line break, so it is `\%`.

    The shell is named, since the crontab may have set another one. The environment is this line's alone:
    a line of its own would hold for all jobs below it. The log has the last run and how it ended.
    """
    one_line(job, "a crontab")
    if any("\\" in part for part in (*job.argv, *job.env.values(), job.log)):
        raise UsageError(
            "a path or value with a backslash can't stand in a crontab: crons do not agree on what it means",
            remedy="use --kind systemd, or a path without one",
        )
    words = [*(f"{name}={shlex.quote(value)}" for name, value in job.env.items()), shlex.join(job.argv)]
    script = f'{{ {" ".join(words)}; echo "exit status $?"; }} >{shlex.quote(job.log)} 2>&1'
    line = f"/bin/sh -c {shlex.quote(script)}".replace("%", "\\%")
    if len(line) > _LONGEST:
        raise UsageError(
            f"the command has {len(line)} characters, and cron reads {_LONGEST}",
            remedy="use --kind systemd, or shorter paths",
        )
    return line


def fits(job: Job) -> bool:
    """Whether cron would read all of the command."""
    try:
        command(job)
    except UsageError:
        return False
    return True


def with_block(crontab: str, job: Job) -> str:
    """The crontab with the job's block: in the place of the old one, or at the end."""
    found = _find(crontab, job.name)
    if found is None:
        ended = crontab if crontab.endswith("\n") or not crontab else f"{crontab}\n"
        return ended + block(job)
    return crontab[: found.start()] + block(job) + crontab[found.end() :]


def without_block(crontab: str, name: str) -> str:
    """The crontab without the block of that name, and everything else as it was."""
    found = _find(crontab, name)
    return crontab if found is None else crontab[: found.start()] + crontab[found.end() :]


def has_block(crontab: str, name: str) -> bool:
    return _find(crontab, name) is not None


def line_of(crontab: str, name: str) -> str | None:
    """The times of the block: the first five words of its line."""
    found = _find(crontab, name)
    lines = [line for line in (found[0].splitlines() if found else []) if line and not line.startswith("#")]
    return " ".join(lines[0].split()[:5]) if lines else None


def _find(crontab: str, name: str) -> re.Match[str] | None:
    begin, end = _marks(name)
    found = re.search(rf"^{re.escape(begin)}\n(?:(?!# <<<|# >>>).*\n)*{re.escape(end)}(?:\n|\Z)", crontab, re.MULTILINE)
    marks = [line for line in crontab.splitlines() if line in {begin, end}]
    if marks != ([] if found is None else [begin, end]):
        raise ReleaseError(
            f"the crontab does not have the two marks of {name!r} once each, with our own lines between them",
            remedy="run: crontab -e, and remove the lines of that job with what is left of its marks",
        )
    return found


def _marks(name: str) -> tuple[str, str]:
    return f"# >>> {name}: python -m release schedule >>>", f"# <<< {name} <<<"


def _comment(text: str) -> str:
    return "".join(one for one in text if one.isprintable())
