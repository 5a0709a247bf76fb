"""The command that repeats a run, with the options that the remedy of its refusal names."""

from __future__ import annotations

import re

#: the option at the end of a remedy, and the names of projects after it; a way around the problem is no remedy of it
_OPTION = re.compile(r"(?<!others only: )(--(?:only|new-project))((?: [A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)+)$")


def repeat_with_remedy(command: str, remedy: str) -> str:
    """The command, with the option in place of the same one before: `to create it, pass --new-project acme`."""
    found = _OPTION.search(remedy)
    if found is None:
        return command
    before = re.compile(rf" {found[1]}(?: (?!--)\S+)+")
    return f"{before.sub('', command)} {found[1]}{found[2]}"
