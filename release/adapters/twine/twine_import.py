"""Import what uploads need of twine, and nothing else."""

from __future__ import annotations

import gc
import sys
from types import ModuleType, SimpleNamespace
from typing import Self

#: modules that twine imports and an upload does not need → what of them is used
_UNUSED = {
    "rfc3986": frozenset[str](),
    "rich.progress": frozenset(
        ["Progress", "BarColumn", "DownloadColumn", "TimeRemainingColumn", "TransferSpeedColumn", "add_task", "update"]
    ),
}


def import_twine() -> None:
    """Import what uploads need, while the parent works."""
    gc.disable()  # nothing of it is garbage
    # The parent shows the progress, and has validated the address: not importing these takes 40 ms less, of 210.
    # Observed: twine 7.0.0, 2026-11 - `repository` makes a disabled progress bar for each upload, and `utils` parses
    # addresses from configuration files with rfc3986.
    unused = {name: _Unused(name, known) for name, known in _UNUSED.items() if name not in sys.modules}
    sys.modules.update(unused)
    from twine import package, repository  # noqa: F401

    from release.adapters.http import bounded_adapter  # noqa: F401

    for name in unused:
        del sys.modules[name]
    if "rich.progress" in unused:
        vars(repository)["rich"] = SimpleNamespace(progress=unused["rich.progress"])
    gc.enable()
    # Discard what twine prints with rich: its first line takes 25 ms and 3 MB.
    # Observed: twine 7.0.0, 2026-11 - rich loads its table of emoji for it.
    vars(repository)["print"] = lambda *_, **__: None


class _Unused(ModuleType):
    """Stands in for a module whose work is not needed: the known uses of it do nothing, any other is an error."""

    def __init__(self, name: str, known: frozenset[str]) -> None:
        super().__init__(name)
        self._known = known

    def __getattr__(self, name: str) -> Self:
        if name in self._known:
            return self
        raise AttributeError(f"this version of twine uses {self.__name__}.{name}, which is not loaded for uploads")

    def __call__(self, *_: object, **__: object) -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
