"""The program for Task Scheduler: `pythonw -P -m pypi_preflight.windows_task LOG COMMAND…`."""

import sys

from pypi_preflight.command_line import prepare_imports

if __name__ == "__main__":
    prepare_imports()
    from release.cli.windows_task import main

    sys.exit(main(sys.argv[1:]))
