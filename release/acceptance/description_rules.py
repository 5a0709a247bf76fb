"""Whether the index can render the description.

Source: warehouse, `utils/readme.py`. Observed: readme_renderer 45.0 on the index, 2026-11.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from release.acceptance.rst_rendering import RenderedRst, RendererBrokeError, render_rst
from release.acceptance.rule import DESCRIPTIONS, FileUpload, Refusal, Rules, server_error
from release.acceptance.specification_rules import parse_content_type
from release.core.models.index import IndexContents

DESCRIPTION = Rules(DESCRIPTIONS)


#: `render_rst`, or what renders elsewhere in the same way. Raises RendererBrokeError
RenderRst = Callable[[str], RenderedRst]
_EMPTY = "the README is empty: write a description in it, or correct readme in pyproject.toml"


@DESCRIPTION.rule(
    remedy="correct the text; for Markdown set project.readme to a .md file, which declares its content type",
    cause="meta.description-render",
)
def the_description_renders(upload: FileUpload, index: IndexContents) -> Refusal | None:  # noqa: ARG001 - as every rule
    """The description renders: reStructuredText without a single warning, Markdown to at least something."""
    text, content_type = upload.value("description"), upload.value("description_content_type")
    try:
        error = _render_error(text, content_type, upload.render_rst or render_rst) if text else None
    except RendererBrokeError:
        return server_error()
    if error is None:
        return None
    how = f"for '{content_type}'" if content_type else "in the default format of reStructuredText"
    failed = f"The description failed to render {how}."
    advice = None if text.strip() else replace(the_description_renders.advice, remedy=_EMPTY)
    first_line = error.split("\n", 1)[0].removeprefix("<string>:").rstrip(".")
    return Refusal(
        text=f"{failed} See {upload.help('description-content-type')} for more information.",
        message=f"the {failed[4:-1]}: {first_line if text.strip() else 'it is empty'}",
        advice=advice,
    )


def _render_error(text: str, content_type: str, render: RenderRst) -> str | None:
    """Why the description does not render, in the renderer's words. Raises RendererBrokeError."""
    kind = _kind(content_type)
    if kind == "text/x-rst":
        return render(text)[1]
    # Markdown fails only where nothing is left to show. A line that does not start a link or footnote definition
    # always leaves something; the renderer runs only if there is no such line.
    lines = [line.strip() for line in text.splitlines()]
    if kind != "text/markdown" or any(line and not line.startswith("[") for line in lines):
        return None
    return None if any(lines) and render_html(text, content_type) else "no content"


def _kind(content_type: str) -> str:
    kind, _ = parse_content_type(content_type or "text/x-rst") or ("text/plain", {})
    return kind


def is_rst(content_type: str) -> bool:
    """Whether the index renders such a description as reStructuredText, which is its default."""
    return _kind(content_type) == "text/x-rst"


def render_html(text: str, content_type: str, render: RenderRst = render_rst) -> str | None:
    """The description as the project's page shows it, before sanitizing; None for plain text.

    Raises RendererBrokeError.
    """
    match _kind(content_type):
        case "text/x-rst":
            return render(text)[0]
        case "text/markdown":
            from comrak import render_markdown

            html: str = render_markdown(text)
            return html
        case _:
            return None


def render_project_page(text: str, content_type: str, render: RenderRst = render_rst) -> str | None:
    """The description with the HTML and the extensions that the project's page supports; None for plain text.

    Raises RendererBrokeError. Source: readme_renderer, `markdown.py`, its options for GitHub's Markdown.
    """
    if _kind(content_type) != "text/markdown":
        return render_html(text, content_type, render)
    from comrak import ExtensionOptions, RenderOptions, render_markdown

    extensions, options = ExtensionOptions(), RenderOptions()
    extensions.autolink = extensions.footnotes = extensions.table = extensions.tagfilter = True
    extensions.strikethrough = extensions.tasklist = extensions.alerts = True
    options.unsafe_ = True  # nothing is shown: only targets are read
    html: str = render_markdown(text, extension_options=extensions, render_options=options)
    return html
