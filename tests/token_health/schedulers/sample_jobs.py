"""Jobs, with names that every format has its own trouble with."""

from __future__ import annotations

from typing import Any

from release.token_health.schedulers import cron_expression
from release.token_health.schedulers.base import ScheduledJob

#: a path as users have them
ODD = '/srv/it\'s 100% "of" $HOME; <é> & `x`'


def job(every: str = "30 7 * * 1-5", **changed: Any) -> ScheduledJob:
    fields: dict[str, Any] = {
        "name": "pypi-preflight-acme-0123abcd", "title": f"Check the tokens of {ODD}",
        "argv": (f"{ODD}/python", "-P", "-m", "pypi_preflight", "tokens", "--directory", ODD),
        "env": {"PATH": f"/usr/bin:{ODD}"}, "times": cron_expression.parse_cron(every, "seed"), "log": f"{ODD}/log",
    }  # fmt: skip
    return ScheduledJob(**fields | changed)


#: cron → the same as calendar events, or the reason why it can't be said
TIMES = {
    "30 7 * * 1-5": ["Mon,Tue,Wed,Thu,Fri *-*-* 07:30:00"],
    "*/20 * * * *": ["*-*-* *:00,20,40:00"],
    "0 9 1,15 * *": ["*-*-01,15 09:00:00"],
    "0 9 13 * fri": ["*-*-13 09:00:00", "Fri *-*-* 09:00:00"],
    "5 0 29 feb *": ["*-02-29 00:05:00"],
    "15 14 * jan-mar sun": ["Sun *-01,02,03-* 14:15:00"],
    "0 0 * * 7": ["Sun *-*-* 00:00:00"],
    "59 23 31 12 *": ["*-12-31 23:59:00"],
}
