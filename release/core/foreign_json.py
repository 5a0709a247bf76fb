"""Parse JSON that this program did not just write: answers of servers, output of tools, files that others can damage.

A few bytes can stand for much: `[` 200,000 times exhausts the interpreter's stack, and 30 MB of `[],` become 600 MB of
lists. So the depth and the number of values are limited, and every fault is a `ForeignJsonError`, a `ValueError`.
"""

from __future__ import annotations

from typing import Any

#: levels; an index's pages have 4, a Sigstore bundle 10. Code that prints a value recurses once for each
MAX_DEPTH = 60
#: values of one document: about 25,000 files on a project page
MAX_VALUES = 500_000
#: of a file that this program wrote: the record of a set has some hundred for each member and run
OWN_VALUES = 20_000_000


class ForeignJsonError(ValueError):
    """The text is no JSON, or is nested too deeply, or has too many values; the message contains none of it."""


def parse_foreign_json(text: bytes | str, *, max_values: int = MAX_VALUES, errors: str = "strict") -> Any:
    """The value of a JSON text; bytes are UTF-8, UTF-16 or UTF-32. Raises `ForeignJsonError`.

    `errors`: "replace" for a text whose faults are another's, and must not hide the rest.
    """
    import json

    try:
        # Every value but the first follows one of these. Those within texts count, too.
        separators = (b",", b"[", b"{") if isinstance(text, bytes) else (",", "[", "{")
        if sum(map(text.count, separators)) > max_values:  # type: ignore[arg-type] # both are of one kind
            raise ForeignJsonError(f"JSON with more than {max_values:,} values")
        if isinstance(text, bytes):
            text = text.decode(json.detect_encoding(text), errors)
        value = json.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise ForeignJsonError(_TOO_DEEP) from None
    except ValueError as error:  # also an integer of more than 4,300 digits
        raise ForeignJsonError(str(error)) from None
    if is_too_deep(value):
        raise ForeignJsonError(_TOO_DEEP)
    return value


def is_too_deep(value: Any) -> bool:
    """Whether lists and tables are nested more than `MAX_DEPTH` levels deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            one
            for each in level
            if isinstance(each, (list, dict))
            for one in (each.values() if isinstance(each, dict) else each)
            if isinstance(one, (list, dict))
        ]
        if not level:
            return False
    return True


_TOO_DEEP = f"JSON that is nested more than {MAX_DEPTH} levels deep"
