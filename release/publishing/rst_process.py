"""Renders reStructuredText in a child process while this one reads the files: docutils takes as long as the rest.

The child starts before the text is known, as soon as a file shows that there will be one. Where that does not pay, or
the child fails, this process renders.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from release.acceptance.rst_rendering import RenderedRst, RendererBrokeError, render_rst
from release.publishing import early_rst

if TYPE_CHECKING:
    from release.adapters.system.process import Pipe

#: results that are stored
_STORED = 8


class RstProcess:
    """A child process that renders; a context manager, not for use by two threads.

    A call with a text returns what `render_rst` returns, and raises what that raises.
    """

    def __init__(self) -> None:
        self._pipe: Pipe | None = None
        #: texts that the child renders, in order
        self._requested: deque[str] = deque()
        #: text → the child's answer
        self._answers: dict[str, dict[str, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def start_for(self, paths: Sequence[Path], env: Mapping[str, str]) -> None:
        """Start the child if the first wheel has a description for it, and there is a second processor.

        It may run already: see `early_rst`.
        """
        process = early_rst.start_for(paths, env)
        if process is not None:
            from release.adapters.system.process import Pipe

            with suppress(OSError):
                self._pipe = Pipe.of(process)

    def prepare(self, text: str) -> None:
        """Let the child render a text that will be needed."""
        if self._pipe is None or text in self._requested or text in self._answers:
            return
        try:
            self._pipe.write({"text": text})
            self._requested.append(text)
        except OSError:
            self._end()

    def __call__(self, text: str) -> RenderedRst:
        while text in self._requested and self._pipe is not None:
            try:
                answer = self._pipe.read(math.inf)
                self._answers[self._requested.popleft()] = answer
            except (OSError, EOFError, ValueError):
                self._end()
        while len(self._answers) > _STORED:
            del self._answers[next(iter(self._answers))]
        match self._answers.get(text):
            case {"is": "rendered", "html": str(html), "error": str() | None as error}:
                return html, error
            case {"is": "broke", "message": str(message)}:
                raise RendererBrokeError(message)
            case _:
                return render_rst(text)

    def _end(self) -> None:
        """End the child at once; what it has not answered, this process renders."""
        self._requested.clear()
        if self._pipe is not None:
            self._pipe.kill()
            self._pipe.close()
        self._pipe = None
