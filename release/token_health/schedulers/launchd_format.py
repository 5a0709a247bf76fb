"""A property list for launchd, in the user's own session, where the login keychain is open.

Source: launchd.plist(5).
"""

from __future__ import annotations

import plistlib
from itertools import product

from release.core.errors import ReleaseError, UsageError
from release.token_health.schedulers.command import Job, one_line
from release.token_health.schedulers.cron_expression import When, parse

#: more entries than anybody has times for
_MOST = 200


def label(job: Job) -> str:
    """How launchd calls the job."""
    return f"pypi-preflight.{job.name}"


def plist(job: Job) -> bytes:
    """The property list, as XML. Raises `UsageError` for times that would need too many entries."""
    one_line(job, "a property list")
    found = {
        "Label": label(job),
        "ProgramArguments": list(job.argv),
        "EnvironmentVariables": dict(job.env),
        "StartCalendarInterval": intervals(job.when),
        "StandardOutPath": job.log,
        "StandardErrorPath": job.log,
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "RunAtLoad": False,
    }
    return plistlib.dumps(found, sort_keys=False)


def times(text: bytes) -> list[When]:
    """The times of a property list, an entry each. Raises `ReleaseError` where it is not one of ours."""
    keys = ("Minute", "Hour", "Day", "Month", "Weekday")
    try:
        entries = plistlib.loads(text)["StartCalendarInterval"]
        return [parse(" ".join(str(entry.get(key, "*")) for key in keys), "") for entry in entries]
    except (plistlib.InvalidFileException, ValueError, LookupError, AttributeError) as error:
        raise ReleaseError(f"the property list can't be read: {error}", remedy="install it again") from None


def intervals(when: When) -> list[dict[str, int]]:
    """The times as entries, each of one value a key; a key that is left out means any."""
    minutes = [{}] if when.any_of("minutes") else [{"Minute": value} for value in when.minutes]
    hours = [{}] if when.any_of("hours") else [{"Hour": value} for value in when.hours]
    months = [{}] if when.any_of("months") else [{"Month": value} for value in when.months]
    entries: list[dict[str, int]] = []
    for days, weekdays in when.alternatives:
        days_of_both = [{"Day": one} for one in days or ()] + [{"Weekday": one} for one in weekdays or ()]
        each = product(months, days_of_both or [{}], hours, minutes)
        entries += [{key: value for part in parts for key, value in part.items()} for parts in each]
    if len(entries) > _MOST:
        raise UsageError(
            f"{when.text!r} would need {len(entries)} entries in launchd's list, which is made for up to {_MOST}",
            remedy="name fewer times: --every day, for one",
        )
    return entries
