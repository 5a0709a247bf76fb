"""Import msgspec without what it does not need here."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType


def import_msgspec() -> None:
    """Import msgspec without three modules, which take longer than the rest of it, for what it needs of them.

    Other modules import these as ever; where another thread could do so meanwhile, nothing is left out.
    Observed: msgspec 0.22, `_utils.py`, `_core.c`, `_json_schema.py`; Python 3.11 to 3.14.
    """
    if "msgspec" in sys.modules or threading.active_count() > 1:
        return
    substitutes: dict[str, ModuleType | None] = {
        # for features that newer versions of Python have: it uses `typing` where this cannot be imported
        "typing_extensions": None,
        # for JSON schemas
        "textwrap": _module("textwrap", dedent=_dedent),
    }
    if sys.platform == "linux":  # `uuid`, which it imports, asks for the system before Python 3.13
        substitutes["platform"] = _module("platform", system=lambda: "Linux")
    with _substituted(substitutes):
        import msgspec  # noqa: F401 - for the modules that import it after this


def _module(name: str, **functions: object) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(functions)
    return module


def _dedent(text: str) -> str:
    import textwrap

    return textwrap.dedent(text)


@contextmanager
def _substituted(substitutes: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Within the block, these modules are imported in place of those that have not been imported before."""
    absent = {name: module for name, module in substitutes.items() if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type] # the import of one that is None raises an ImportError
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
