"""Import msgspec without what it does not need here."""

from __future__ import annotations

import sys
import threading

from release.core.substitute_modules import import_at_call, module_of, substitute_modules


def import_msgspec() -> None:
    """Import msgspec without three modules, which take longer than the rest of it, for what it needs of them.

    Where another thread could miss them meanwhile, nothing is left out.
    Observed: msgspec 0.22, `_utils.py`, `_core.c`, `_json_schema.py`; Python 3.11 to 3.14.
    """
    if "msgspec" in sys.modules or threading.active_count() > 1:
        return
    substitutes = {
        # for features that newer versions of Python have: it uses `typing` where this cannot be imported
        "typing_extensions": None,
        # for JSON schemas
        "textwrap": import_at_call("textwrap", "dedent"),
    }
    if sys.platform == "linux":  # `uuid`, which it imports, asks for the system before Python 3.13
        substitutes["platform"] = module_of(system=lambda: "Linux")
    with substitute_modules(substitutes):
        import msgspec  # noqa: F401 - for the modules that import it after this
