"""The child process that renders reStructuredText.

→ {"text"}
← {"is": "rendered", "html", "error"}      as `render_rst` returns them
← {"is": "broke", "message"}               it raised RendererBrokeError
"""

from __future__ import annotations

from release.acceptance.rst_rendering import RendererBrokeError, import_renderer, render_rst

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from release.publishing.own_process_child import Handler


def rst_handler() -> Handler:
    """Import what renders, and return what handles a request."""
    import_renderer()
    return _render


def _render(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    try:
        html, error = render_rst(request["text"])
    except RendererBrokeError as broke:
        yield {"is": "broke", "message": str(broke)}
    else:
        yield {"is": "rendered", "html": html, "error": error}
