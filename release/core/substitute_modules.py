"""Import a module without another one that it imports for a function or two, and that takes longer than itself."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any


@contextmanager
def substitute_modules(substitutes: Mapping[str, ModuleType | None]) -> Iterator[None]:
    """Within the block, imports find these modules in place of those that have not been imported yet.

    None: such an import raises an ImportError. Outside of the block, these modules are imported as ever; no other
    thread may import one meanwhile.
    """
    absent = {name: module for name, module in substitutes.items() if name not in sys.modules}
    sys.modules.update(absent)  # type: ignore[arg-type] # None is allowed. Source: Python's documentation, "The module cache"
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def module_of(**functions: object) -> ModuleType:
    """A module with these functions."""
    module = ModuleType("substitute")
    vars(module).update(functions)
    return module


def import_at_call(module: str, *names: str) -> ModuleType:
    """A module with these functions of another one, which is imported when one of them is called."""

    def deferred(name: str) -> object:
        def call(*arguments: Any, **options: Any) -> Any:
            return getattr(import_module(module), name)(*arguments, **options)

        return call

    return module_of(**{name: deferred(name) for name in names})
