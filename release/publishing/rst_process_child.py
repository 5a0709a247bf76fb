"""The child process that renders reStructuredText.

→ {"text"}
← {"is": "rendered", "html", "error"}      as `render_rst` returns them
← {"is": "broke", "message"}               it raised RendererBrokeError
"""

from __future__ import annotations

from contextlib import suppress

from release.acceptance.rst_rendering import RendererBrokeError, import_renderer, render_rst
from release.core.substitute_modules import import_at_call, substitute_modules

#: The first text takes ten times as long as the next, for what docutils imports then; the child would only wait.
_FIRST = "Title\n=====\n\nA *text*.\n"
#: What docutils imports to fetch what a text includes, and to show its own state: it does neither. With all that they
#: import, these modules take a third of the time.
_UNUSED = {
    "pprint": import_at_call("pprint", "pformat"),
    "urllib.request": import_at_call("urllib.request", "urlopen", "url2pathname"),
}
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from release.publishing.own_process_child import Handler


def rst_handler() -> Handler:
    """Import what renders, and return what handles a request."""
    with substitute_modules(_UNUSED):
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
