"""The command line, as `python -m release`."""

import sys

from pypi_preflight.command_line import main

if __name__ == "__main__":
    sys.exit(main())
