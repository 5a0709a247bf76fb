"""The child process that renders reStructuredText.

→ {"text"}
← {"is": "rendered", "html", "error"}      as `render_rst` returns them
← {"is": "broke", "message"}               it raised RendererBrokeError
"""

from __future__ import annotations

import sys
from contextlib import suppress

from release.acceptance.rst_rendering import RendererBrokeError, import_renderer, render_rst

#: The first text takes ten times as long as the next, for what docutils imports then; the child would only wait.
_FIRST = "Title\n=====\n\nA *text*.\n"
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from release.publishing.own_process_child import Handler


def rst_handler() -> Handler:
    """Import what renders, and return what handles a request."""
    sys.modules["ssl"] = None  # type: ignore[assignment] # its import raises: urllib does without, nothing is fetched
    import_renderer()
    with suppress(RendererBrokeError):
        render_rst(_FIRST)
    return _render


def _render(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        html, error = render_rst(request["text"])
    except RendererBrokeError as broke:
        yield {"is": "broke", "message": str(broke)}
    else:
        yield {"is": "rendered", "html": html, "error": error}
