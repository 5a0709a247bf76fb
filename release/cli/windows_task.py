"""The program, as Task Scheduler runs it: `pythonw -m release.cli.windows_task LOG VERB…`.

Task Scheduler keeps no output, and `pythonw` has none: the log has that of the last run, and how it ended.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path


def main(words: Sequence[str]) -> int:
    """Run the program with its output in a file. Returns the exit status."""
    from release.cli import main as command_line

    log = Path(words[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream, redirect_stdout(stream), redirect_stderr(stream):
        try:
            status = command_line.main(words[1:])
        except SystemExit as ended:  # a command line that argparse refuses
            status = ended.code if isinstance(ended.code, int) else 1
        stream.write(f"exit status {status}\n")
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
