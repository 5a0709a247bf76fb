"""Import msgspec without what it does not need here."""

from __future__ import annotations

import sys
import threading

_OPTIONAL = "typing_extensions"


def import_msgspec() -> None:
    """Import msgspec without `typing_extensions`, whose import takes as long as all of msgspec's.

    msgspec asks it for features that newer versions of Python have, and asks `typing` where it is not installed.
    Observed: msgspec 0.22, `_utils.py`; Python 3.11 to 3.14 have them. Other modules import it as ever;
    where another thread could do so meanwhile, and would not find it, nothing is left out.
    """
    if "msgspec" in sys.modules or _OPTIONAL in sys.modules or threading.active_count() > 1:
        return
    sys.modules[_OPTIONAL] = None  # type: ignore[assignment] # its import raises an ImportError
    try:
        import msgspec  # noqa: F401 - for the modules that import it after this
    finally:
        del sys.modules[_OPTIONAL]
