"""The process that asks the keyring, started before anybody knows what it will be asked.

The library and its backends take longer to load than everything else that a look at credentials needs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from release.adapters.pipe import Pipe

_CHILD = Path(__file__).parent / "credentials" / "keyring_child.py"


def start(env: Mapping[str, str]) -> Pipe:
    """A child that loads the keyring, and then waits for one request. Close it.

    `env` reaches it whole: PYTHON_KEYRING_BACKEND and the session's bus are named there.
    """
    return Pipe([sys.executable, "-P", str(_CHILD)], env)
