"""reStructuredText as the index renders it. It imports little, since a process of its own may do it.

Source: warehouse, `utils/readme.py`. Observed: readme_renderer 45.0 on the index, 2026-11.
"""

from __future__ import annotations

import io
import threading
from functools import lru_cache
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: HTML, and the renderer's message where there is none
RenderedRst = tuple[str, str | None]


class RendererBrokeError(Exception):
    """docutils failed on the text; the server responds to such a file with an internal error."""


#: docutils disables its own warnings for a moment, for the whole process; a second thread would see them
_LOCK = threading.Lock()


def import_renderer() -> None:
    """Import what renders, which takes longer than the rendering of most texts."""
    for name in ("core", "readers.standalone", "parsers.rst", "writers.html5_polyglot"):
        import_module(f"docutils.{name}")
    import_module("readme_renderer.rst")


@lru_cache(maxsize=8)  # a wheel and its sdist have the same description
def render_rst(text: str) -> RenderedRst:
    """HTML, and the renderer's message where there is none. Raises RendererBrokeError."""
    from docutils.core import publish_parts
    from docutils.utils import SystemMessage
    from docutils.writers.html5_polyglot import Writer
    from readme_renderer.rst import SETTINGS, ReadMeHTMLTranslator

    warnings = io.StringIO()
    writer = Writer()
    writer.translator_class = ReadMeHTMLTranslator
    settings: dict[str, Any] = {
        **SETTINGS,
        # where the index's readme_renderer differs from newer versions: a title on its own becomes the page's title,
        # which leaves nothing to show
        "doctitle_xform": True,
        "sectsubtitle_xform": True,
        "initial_header_level": 2,
        "_disable_config": True,  # of this machine
        "warning_stream": warnings,
    }
    try:
        with _LOCK:
            parts = publish_parts(text, writer=writer, settings_overrides=settings)
    except SystemMessage as message:
        return "", str(message)
    except Exception as error:
        raise RendererBrokeError(str(error)) from error
    html = parts["docinfo"] + parts["fragment"]
    return html, None if html else "no content besides the title"
