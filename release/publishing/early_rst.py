"""Starts the child that renders reStructuredText before this program has imported the command that needs it.

Both imports take as long, and run at the same time. A wrong guess costs time and nothing else.
"""

from __future__ import annotations

import atexit
import zipfile
from contextlib import suppress
from pathlib import Path

from release.adapters.system.processors import usable_processors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from subprocess import Popen

#: bytes of a wheel, and of the start of its metadata, that are searched for the type of the description
_LARGEST_WHEEL, _HEAD = 16 << 20, 1 << 16
#: the paths that are searched, as text → the child, or None where none pays; one item at most
_started: dict[tuple[str, ...], Popen[bytes] | None] = {}


def start_early(words: Iterable[str], env: Mapping[str, str]) -> None:
    """Start the child for the first wheel in the words of a command line, if it pays."""
    wheels = [Path(word) for word in words if word.endswith(".whl")][:1]
    _started[_key(wheels)] = _start(wheels, env)
    atexit.register(_end)


def start_for(paths: Iterable[Path], env: Mapping[str, str]) -> Popen[bytes] | None:
    """Return the child that was started for the first wheel of these, or start it now if it pays."""
    wheels = [path for path in paths if path.name.endswith(".whl")][:1]
    if _key(wheels) in _started:
        return _started.pop(_key(wheels))
    return _start(wheels, env)


def _key(wheels: Iterable[Path]) -> tuple[str, ...]:
    return tuple(map(str, wheels))


def _start(wheels: Iterable[Path], env: Mapping[str, str]) -> Popen[bytes] | None:
    """The child, if the wheel has a description for it, and there is a second processor."""
    if any(map(has_rst_description, wheels)) and usable_processors() > 1:
        from release.publishing.own_process import launch_own_process

        with suppress(OSError):
            return launch_own_process("release.publishing.rst_process_child", "rst_handler", env)
    return None


def _end() -> None:
    """End a child that was not used, as after a wrong option."""
    while _started:
        _, process = _started.popitem()
        if process is not None:
            process.kill()
            with process:  # closes its pipes, and waits for it
                pass


def has_rst_description(path: Path) -> bool:
    """Whether a wheel seems to have a description in reStructuredText."""
    try:
        if path.stat().st_size > _LARGEST_WHEEL:
            return False
        with zipfile.ZipFile(path) as archive:
            name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
            with archive.open(name) as member:
                text = member.read(_HEAD).decode("utf-8", "replace")
    except Exception:  # noqa: BLE001 - an untrusted archive raises anything; the inspection reports it
        return False
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    kinds = [line.lower() for line in head.split("\n") if line.lower().startswith("description-content-type:")]
    return bool(body.strip()) and all("text/x-rst" in kind for kind in kinds)
