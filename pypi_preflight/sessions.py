"""The nox sessions: `from pypi_preflight import sessions; sessions.register()`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pypi_preflight.own_package import import_own

if TYPE_CHECKING:
    from release.sessions import *  # noqa: F403 - it is this module
else:
    sys.modules[__name__] = import_own("sessions")
