"""Project names: what is one, and which spellings are the same. Loads in no time, unlike `packaging.utils`.

That module brings everything about platform tags with it, which takes longer to load than all that a look at a
credential needs.
Source: PEP 503 "Normalized Names"; core metadata specification, "Name".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

_NAME = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)


def is_project_name(text: str) -> bool:
    """Whether a project can be called so."""
    return _NAME.match(text) is not None


def normalize_name(name: str) -> NormalizedName:
    """The one spelling that all spellings of a name have in common."""
    return cast("NormalizedName", re.sub(r"[-_.]+", "-", name).lower())


def name_from_filename(filename: str) -> NormalizedName | None:
    """The project that the name of a wheel or an sdist speaks of; None where it speaks of none."""
    name = filename.partition("-")[0] if filename.endswith(".whl") else filename.rpartition("-")[0]
    return normalize_name(name) if name else None
