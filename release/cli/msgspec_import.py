"""Import msgspec without what it does not need here."""

from __future__ import annotations

import sys

_OPTIONAL = "typing_extensions"


def import_msgspec() -> None:
    """Import msgspec without `typing_extensions`, whose import takes as long as all of msgspec's.

    msgspec asks it for features that newer versions of Python have, and asks `typing` where it is not installed.
    Observed: msgspec 0.22, `_utils.py`; Python 3.11 to 3.14 have them. Other modules import it as ever.
    """
    if "msgspec" in sys.modules or _OPTIONAL in sys.modules:
        return
    sys.modules[_OPTIONAL] = None  # type: ignore[assignment] # its import raises an ImportError
    try:
        import msgspec  # noqa: F401 - for the modules that import it after this
    finally:
        del sys.modules[_OPTIONAL]
