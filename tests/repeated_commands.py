"""Commands to repeat a run, of their text."""

from __future__ import annotations

import shlex

from release.core.repeated_command import RepeatedCommand


def repeated(text: str) -> RepeatedCommand:
    """The command of a line for a POSIX shell: `pypi-preflight set check --only a b`."""
    verb, options = list[str](), list[tuple[str, tuple[str, ...]]]()
    for word in shlex.split(text)[1:]:
        if word.startswith("--"):
            options.append((word, ()))
        elif options:
            options[-1] = (options[-1][0], (*options[-1][1], word))
        else:
            verb.append(word)
    return RepeatedCommand(verb=tuple(verb), options=tuple(options))
