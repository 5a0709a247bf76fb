"""Ask the installed twine whether it would send a file, in a child process that reads one file after the other.

The child starts with the first question, since the import of twine takes as long as the inspection of a small file. It
reads files as for an upload; nothing is sent.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

import release
from release.adapters.system.own_child import own_child_environment
from release.core.models.check_result import Unknown
from release.core.models.distribution import TwineRefusal
from release.core.shell import quote_word

if TYPE_CHECKING:
    from release.adapters.system.process import Pipe

_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); from release.adapters.twine import twine_reader_child as child; "
    "child.main()"
)
_MEGABYTE = 1_000_000
#: seconds for the child to start, and to read a file; more for each MB
_START, _READ, _READ_MEGABYTE = 60.0, 30.0, 1.0


class TwineReader:
    """A child process that reads files with twine; a context manager, not for use by two threads."""

    def __init__(self, *, env: Mapping[str, str]) -> None:
        self._env = env
        self._pipe: Pipe | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the child at once."""
        if self._pipe is not None:
            self._pipe.kill()
            self._pipe.close()
        self._pipe = None

    def objection(self, path: Path) -> TwineRefusal | Unknown | None:
        """Twine's refusal of a file, in a message without the file's directory; None where it would send it."""
        if self._pipe is None:
            self._pipe = self._start()
        absolute = path.absolute()
        try:
            limit = _START + _READ + _READ_MEGABYTE * path.stat().st_size / _MEGABYTE
            self._pipe.write({"path": str(absolute)})
            found = self._pipe.read(limit)
            message, crashed = found["objection"], bool(found["crashed"])
        except (EOFError, OSError, ValueError, KeyError) as error:  # a TimeoutError is an OSError
            why = "it takes too long" if isinstance(error, TimeoutError) else self._pipe.last_error_line()
            self.close()
            remedy = f"run: python -m twine check {quote_word(str(path))}; reinstall twine if that fails"
            return Unknown(reason=f"cannot read {path.name!r} with twine: {why}", remedy=remedy)
        if message is None:
            return None
        message = str(message).replace(f": {absolute}", "").replace(str(absolute), absolute.name)
        return TwineRefusal(message=message, crashed=crashed)

    def _start(self) -> Pipe:
        from release.adapters.system.process import Pipe
        from release.core.child_environment import without_credentials

        # -P: modules in the current directory must not be imported instead of twine's, nor those of PYTHONPATH.
        root = str(Path(release.__file__).parents[1])
        return Pipe(
            [sys.executable, "-P", "-c", _BOOT, root], own_child_environment(without_credentials(self._env, "twine"))
        )
