"""The Invoke tasks: `from pypi_preflight import tasks; namespace = tasks.collection()`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pypi_preflight.own_package import import_own

if TYPE_CHECKING:
    from release.tasks import *  # noqa: F403 - it is this module
else:
    sys.modules[__name__] = import_own("tasks")
