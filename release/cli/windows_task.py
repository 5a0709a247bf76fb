"""Runs the program for Task Scheduler: `pythonw -P -m pypi_preflight.windows_task LOG COMMAND…`.

Task Scheduler stores no output, and `pythonw` has none: the log contains the output of the last run and its status.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path


def main(arguments: Sequence[str]) -> int:
    """Run the program with its output in a file. Returns the exit status."""
    from release.cli import main as command_line

    log = Path(arguments[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream, redirect_stdout(stream), redirect_stderr(stream):
        try:
            status = command_line.main(arguments[1:])
        except SystemExit as ended:  # a command line that argparse refuses
            status = ended.code if isinstance(ended.code, int) else 1
        stream.write(f"exit status {status}\n")
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
