"""The writer for terminals and logs: redacted, harmless, in characters that the encoding of the stream has.

All other modules write with `write_output`; `tests/test_writers.py` lists the exceptions.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from release.adapters.system import debug_log
from release.core.encodable import to_ascii, to_encodable
from release.core.harmless import OwnText, break_commands, escape_lines
from release.core.tokens.token_forms import may_have_token

TYPE_CHECKING = False  # of `typing`, whose import takes 2 ms
if TYPE_CHECKING:
    from typing import TextIO

_HANDLER = "pypi-preflight"
_ERRORS = {"stdin": "surrogateescape", "stdout": _HANDLER, "stderr": _HANDLER}


def _replace(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(to_ascii, error.object[error.start : error.end])), error.end


codecs.register_error(_HANDLER, _replace)


@contextmanager
def encodable_streams() -> Iterator[None]:
    """Within the block, stdout and stderr write similar ASCII text for what their encoding lacks.

    stdin accepts bytes that are not text, as `os.fsdecode` does. A stream that is missing, as with `pythonw` or after
    `>&-`, is the null device; one that is not Python's own is left as it is.
    """
    with ExitStack() as stack:
        for name, errors in _ERRORS.items():
            stream = getattr(sys, name)
            if stream is None:
                null = stack.enter_context(open(os.devnull, "r" if name == "stdin" else "w", encoding="utf-8"))  # noqa: PTH123
                setattr(sys, name, null)
                stack.callback(setattr, sys, name, None)
            elif isinstance(stream, io.TextIOWrapper) and stream.errors != errors:
                stack.callback(_set_errors, stream, str(stream.errors))
                _set_errors(stream, errors)
        yield


def _set_errors(stream: io.TextIOWrapper, errors: str) -> None:
    with suppress(OSError, ValueError):  # it is closed, or stdin has been read from already
        stream.reconfigure(errors=errors)


def write_output(text: str, stream: TextIO | None = None) -> None:
    """Write the redacted text, in which nothing commands a terminal or a log, unless it is `OwnText`.

    A reader that has closed the pipe does not stop a release.
    """
    stream = stream or sys.stdout
    debug_log.record(text)
    try:
        stream.write(_to_writable(text, getattr(stream, "encoding", None) or "utf-8"))
        stream.flush()
    except (OSError, ValueError) as error:
        with suppress(OSError, ValueError):  # what is left in it cannot be written at the end either
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        # Windows reports a closed pipe as an invalid argument
        if isinstance(error, OSError) and error.errno not in {errno.EPIPE, errno.EINVAL} and stream is not sys.stderr:
            raise


def _to_writable(text: str, encoding: str) -> str:
    own = isinstance(text, OwnText)
    if may_have_token(text):
        from release.core.redaction import redact

        text = redact(text)
    # similar signs can make a command: "██[error]" in ASCII
    return to_encodable(text, encoding) if own else break_commands(to_encodable(escape_lines(text), encoding))


def write_document(write: Callable[[str], object], text: str) -> None:
    """Write a text that belongs in a file, such as a page or a workflow: UTF-8, unless stdout is a terminal.

    Readers of such files expect UTF-8, also where the console has another encoding. `write` writes to stdout. What a
    document has from elsewhere is escaped in the way of its format.
    """
    text, stream = OwnText(text), sys.stdout
    if not isinstance(stream, io.TextIOWrapper) or stream.isatty():
        write(text)
        return
    before = stream.encoding
    with suppress(OSError, ValueError):
        stream.reconfigure(encoding="utf-8", errors=_HANDLER)
    try:
        write(text)
    finally:
        with suppress(OSError, ValueError):
            stream.reconfigure(encoding=before, errors=_HANDLER)
