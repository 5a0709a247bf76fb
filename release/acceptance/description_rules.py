"""Whether the index can show the description.

Source: warehouse, `utils/readme.py`. Observed: readme_renderer 45.0 on the index, 2026-11.
"""

from __future__ import annotations

import io
import threading
from functools import lru_cache
from typing import Any

from release.acceptance.content_type import parse_content_type
from release.acceptance.form_fields import first
from release.acceptance.metadata_error import BROKEN
from release.acceptance.rule import Refusal, Rule, Upload
from release.core.models.index_contents import OnIndex

#: where the index's readme_renderer differs from newer ones: a title that stands alone is the page's title and
#: leaves nothing to show. No configuration file of this machine has a say.
# ruff: noqa: ARG001 - every rule takes the upload and the index, whatever it needs of them

_RST_SETTINGS = {
    "doctitle_xform": True,
    "sectsubtitle_xform": True,
    "initial_header_level": 2,
    "_disable_config": True,
}


class RendererBrokeError(Exception):
    """docutils stumbled over the text; the server answers such a file with an internal error."""


def the_description_renders(upload: Upload, index: OnIndex) -> Refusal | None:
    """The description renders: reStructuredText without a single warning, Markdown to something at all."""
    text, content_type = first(upload, "description"), first(upload, "description_content_type")
    if not text:
        return None
    rule = "the-description-renders"
    try:
        if failure(upload, text, content_type) is None:
            return None
    except RendererBrokeError:
        return Refusal(rule=rule, status=500, text=BROKEN)
    how = f"for '{content_type}'" if content_type else "in the default format of reStructuredText"
    address = upload.help("description-content-type")
    return Refusal(
        rule=rule, status=400, text=f"The description failed to render {how}. See {address} for more information."
    )


def failure(upload: Upload, text: str, content_type: str) -> str | None:
    """Why the description does not render, in the renderer's words; None where it does.

    Raises RendererBrokeError where the renderer itself breaks.
    """
    if "description" not in upload.memo:
        upload.memo["description"] = _failure(text, content_type)
    why: str | None = upload.memo["description"]
    return why


@lru_cache(maxsize=8)  # a wheel and its sdist have one description
def _failure(text: str, content_type: str) -> str | None:
    kind = _kind(content_type)
    if kind == "text/x-rst":
        return _rst(text)[1]
    if kind == "text/markdown":
        return _markdown(text)
    return None


def _kind(content_type: str) -> str:
    kind, _ = parse_content_type(content_type or "text/x-rst") or ("text/plain", {})
    return kind


def as_html(text: str, content_type: str) -> str | None:
    """The description as the project's page shows it, before anything unsafe is taken out; None for plain text.

    Raises RendererBrokeError.
    """
    match _kind(content_type):
        case "text/x-rst":
            return _rst(text)[0]
        case "text/markdown":
            from comrak import render_markdown

            html: str = render_markdown(text)
            return html
        case _:
            return None


#: docutils silences its own warnings for a moment, which is for the whole process: of two threads in it, one meets them
_ONE_AT_A_TIME = threading.Lock()


@lru_cache(maxsize=8)
def _rst(text: str) -> tuple[str, str | None]:
    """HTML; and why there is none, in the renderer's words."""
    from docutils.core import publish_parts
    from docutils.utils import SystemMessage
    from docutils.writers.html5_polyglot import Writer
    from readme_renderer.rst import SETTINGS, ReadMeHTMLTranslator

    warnings = io.StringIO()
    writer = Writer()
    writer.translator_class = ReadMeHTMLTranslator
    settings: dict[str, Any] = {**SETTINGS, **_RST_SETTINGS, "warning_stream": warnings}
    try:
        with _ONE_AT_A_TIME:
            parts = publish_parts(text, writer=writer, settings_overrides=settings)
    except SystemMessage as message:
        return "", str(message)
    except Exception as error:
        raise RendererBrokeError(str(error)) from error
    html = parts["docinfo"] + parts["fragment"]
    return html, None if html else "no content besides the title"


def _markdown(text: str) -> str | None:
    """Markdown fails only where nothing is left to show.

    A line that does not begin a link or footnote definition always leaves something; only without one is the
    renderer asked.
    """
    lines = [line.strip() for line in text.splitlines()]
    if any(line and not line.startswith("[") for line in lines):
        return None
    if any(lines):
        from comrak import render_markdown

        if render_markdown(text):
            return None
    return "no content"


DESCRIPTION: tuple[Rule, ...] = (the_description_renders,)
