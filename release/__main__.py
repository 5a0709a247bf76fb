"""The command line, as `python -m release`."""

import sys

from release import ignore_current_directory

if __name__ == "__main__":
    ignore_current_directory()
    from release.cli.main import main

    sys.exit(main())
