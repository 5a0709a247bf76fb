"""Run all benchmarks that have a goal, and print one table: `python -m benchmarks [NAME…]`.

Each module listed here has a function `rows()` that measures, and yields the rows of the table.
"""

from __future__ import annotations

import importlib
import sys

from benchmarks import table

#: the modules, in the order of the table
NAMES = ("starts", "inspection", "rehearsal", "upload", "health", "confirmation", "leaks", "installed")
#: modules that take many minutes: they run only when they are named
LONG: tuple[str, ...] = ("growth", "nox_chain", "release_set")


def main() -> None:
    names = sys.argv[1:] or NAMES
    if unknown := [name for name in names if name not in {*NAMES, *LONG}]:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are {', '.join((*NAMES, *LONG))}")
    table.compile_ours()
    print(table.machine(), flush=True)
    rows = []
    for name in names:
        for row in importlib.import_module(f"benchmarks.{name}").rows():
            print(table.printed([row]).splitlines()[-1], file=sys.stderr, flush=True)  # as soon as it is known
            rows.append(row)
    print(table.printed(rows))
    print(table.machine())


if __name__ == "__main__":
    main()
