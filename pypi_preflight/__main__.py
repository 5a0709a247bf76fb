"""The command line, as `python -m pypi_preflight`."""

import sys

from pypi_preflight.own_package import use_own_package

if __name__ == "__main__":
    use_own_package()
    from release import ignore_current_directory

    ignore_current_directory()
    from release.cli.main import main

    sys.exit(main())
