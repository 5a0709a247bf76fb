"""The command line, as `python -m release`."""

import sys

from release.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
