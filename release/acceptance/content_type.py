"""Description-Content-Type, as the index reads it.

Stricter than packaging 26.3 about the charset and more patient with odd parameters: the index
has 26.2. Observed: warehouse 6b62157, 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping

from release.acceptance.metadata_error import Problem, broken

_FIELD = "description-content-type"
_TYPES = ["text/plain", "text/markdown", "text/x-rst"]
_VARIANTS = ["GFM", "CommonMark"]


def parse_content_type(text: str) -> tuple[str, Mapping[str, str]] | None:
    """Type and parameters; None where the standard library's parser, and with it the server, breaks."""
    from email.message import EmailMessage

    message = EmailMessage()
    try:
        message["content-type"] = text
        return message.get_content_type().lower(), dict(message["content-type"].params)
    except Exception:  # noqa: BLE001 - the parser raises ValueError, IndexError, … and the server does not catch it
        return None


def problem_of_content_type(text: str) -> Problem | None:
    """What the index says about a content type; None where it takes it."""
    parsed = parse_content_type(text)
    if parsed is None:
        return broken(_FIELD)
    kind, parameters = parsed
    if kind not in _TYPES or kind not in text.lower():
        return Problem(field=_FIELD, text=f"{_FIELD!r} must be one of {_TYPES}, not {text!r}")
    charset, variant = parameters.get("charset", "UTF-8"), parameters.get("variant", "GFM")
    if charset != "UTF-8":
        return Problem(field=_FIELD, text=f"{_FIELD!r} can only specify the UTF-8 charset, not {charset!r}")
    if kind == "text/markdown" and variant not in _VARIANTS:
        return Problem(field=_FIELD, text=f"valid Markdown variants for {_FIELD!r} are {_VARIANTS}, not {variant!r}")
    return None
