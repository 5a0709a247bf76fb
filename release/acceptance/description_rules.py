"""Whether the index can render the description.

Source: warehouse, `utils/readme.py`. Observed: readme_renderer 45.0 on the index, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec.structs import replace

from release.acceptance.rst_rendering import RenderedRst, RendererBrokeError, render_rst
from release.acceptance.rule import DESCRIPTIONS, FileUpload, Refusal, Rules, server_error
from release.acceptance.specification_rules import parse_content_type
from release.core.lazy_pattern import lazy_pattern
from release.core.models.index import IndexContents

DESCRIPTION = Rules(DESCRIPTIONS)


#: `render_rst`, or what renders elsewhere in the same way. Raises RendererBrokeError
RenderRst = Callable[[str], RenderedRst]
#: Markdown that shows nothing starts with the definition of a link or of a footnote …
_FIRST_DEFINITION = lazy_pattern(r"(?:[ \t]*[\r\n])* {0,3}\[(?:\^[^\]\r\n\0\t ]+|(?:[^\\\[\]]|\\.)+)\]:", re.DOTALL)
#: … and has no paragraph that starts with anything but a bracket
_OTHER_PARAGRAPH = lazy_pattern(r"\n[ \t]*\r?\n[^ \t\r\n\[]")
#: how the reason begins where the text shows nothing
_NO_CONTENT = "no content"
_WRITE_ONE = "write a description in the README, or correct readme in pyproject.toml"
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
    reason, advice = error.split("\n", 1)[0].removeprefix("<string>:").rstrip("."), None
    if not text.strip():
        reason, advice = "it is empty", replace(the_description_renders.advice, remedy=_EMPTY)
    elif reason.startswith(_NO_CONTENT):
        advice = replace(the_description_renders.advice, remedy=_WRITE_ONE)
    return Refusal(
        text=f"{failed} See {upload.help('description-content-type')} for more information.",
        message=f"the {failed[4:-1]}: {reason}",
        advice=advice,
    )


def _render_error(text: str, content_type: str, render: RenderRst) -> str | None:
    """Why the description does not render, in the renderer's words. Raises RendererBrokeError."""
    kind, variant = _kind_and_variant(content_type)
    if kind == "text/x-rst":
        return render(text)[1]
    if kind == "text/markdown" and _is_empty_markdown(text, variant):
        return f"{_NO_CONTENT} besides definitions of links and footnotes"
    return None


def _is_empty_markdown(text: str, variant: str) -> bool:
    text = text.removeprefix("\ufeff")
    if not _FIRST_DEFINITION.match(text):
        return not text.strip(" \t\r\n")
    if _OTHER_PARAGRAPH.search(text):
        return False
    from release.acceptance.markdown_rendering import has_content

    return not has_content(text, variant)


def _kind_and_variant(content_type: str) -> tuple[str, str]:
    """The type, and the variant of Markdown: GitHub's by default."""
    kind, parameters = parse_content_type(content_type or "text/x-rst") or ("text/plain", {})
    return kind, parameters.get("variant", "GFM")


def is_rst(content_type: str) -> bool:
    """Whether the index renders such a description as reStructuredText, which is its default."""
    return _kind_and_variant(content_type)[0] == "text/x-rst"


def is_markdown(content_type: str) -> bool:
    return _kind_and_variant(content_type)[0] == "text/markdown"


def render_html(text: str, content_type: str, render: RenderRst = render_rst) -> str | None:
    """The description without the HTML that it contains; None for plain text.

    Raises RendererBrokeError.
    """
    match _kind_and_variant(content_type)[0]:
        case "text/x-rst":
            return render(text)[0]
        case "text/markdown":
            from release.acceptance.markdown_rendering import render_markdown

            return render_markdown(text, "CommonMark", with_html=False)
        case _:
            return None


def render_project_page(text: str, content_type: str, render: RenderRst = render_rst) -> str | None:
    """The description as the project's page shows it, before sanitizing; None for plain text.

    Raises RendererBrokeError.
    """
    kind, variant = _kind_and_variant(content_type)
    if kind != "text/markdown":
        return render_html(text, content_type, render)
    from release.acceptance.markdown_rendering import render_markdown

    return render_markdown(text, variant, with_html=True)
