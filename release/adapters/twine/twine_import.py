"""Import what uploads need of twine, and nothing else."""

from __future__ import annotations

import gc
import sys
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace
from typing import Self

from release.adapters.twine.upload_body import UploadBody

#: modules that twine and requests import and an upload does not need → what of them is used
_UNUSED = {
    "charset_normalizer": frozenset[str](),
    "configparser": frozenset(["RawConfigParser"]),
    "idna": frozenset[str](),
    "requests_toolbelt": frozenset[str](),
    "rfc3986": frozenset[str](),
    "rich.progress": frozenset(
        ["Progress", "BarColumn", "DownloadColumn", "TimeRemainingColumn", "TransferSpeedColumn", "add_task", "update"]
    ),
}


def import_twine() -> None:
    """Import what uploads need, while the parent works."""
    gc.disable()  # nothing of it is garbage
    # The parent shows the progress, and has validated the address: not importing these takes 60 ms less, of 210.
    # Observed: twine 7.0.0, 2026-11 - `repository` makes a disabled progress bar for each upload, and `utils` reads
    # configuration files, and parses addresses from them with rfc3986; requests 2.34.2 guesses the encoding only for
    # the text of a response, and imports idna again for a host that is not ASCII.
    unused = {name: _Unused(name, known) for name, known in _UNUSED.items() if name not in sys.modules}
    toolbelt = find_spec("requests_toolbelt")
    if toolbelt is not None and "requests_toolbelt" in unused:  # its `utils.user_agent` is used, and needs nothing else
        unused["requests_toolbelt"].__path__ = toolbelt.submodule_search_locations or []
    sys.modules.update(unused)
    from twine import package, repository  # noqa: F401

    from release.adapters.http import bounded_adapter  # noqa: F401

    for name in unused:
        del sys.modules[name]
    vars(repository)["requests_toolbelt"] = SimpleNamespace(
        MultipartEncoder=UploadBody, MultipartEncoderMonitor=lambda form, _callback: form
    )
    if "rich.progress" in unused:
        vars(repository)["rich"] = SimpleNamespace(progress=unused["rich.progress"])
    gc.freeze()  # else the collector would search all of it for cycles now, and write to memory that processes share
    gc.enable()
    # Discard what twine prints with rich: its first line takes 25 ms and 3 MB.
    # Observed: twine 7.0.0, 2026-11 - rich loads its table of emoji for it.
    vars(repository)["print"] = lambda *_, **__: None


class _Unused(ModuleType):
    """Stands in for a module whose work is not needed: the known uses of it do nothing, any other is an error."""

    #: requests warns of a version of charset_normalizer that it does not know
    __version__ = "3.0.0"

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
