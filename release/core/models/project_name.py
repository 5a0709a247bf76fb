"""Project names: validation and normalization.

`packaging.utils` does the same, but it imports `packaging.tags`, which takes longer to load than all other modules
that verify a credential.
Source: PEP 503 "Normalized Names"; core metadata specification, "Name".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from packaging.utils import NormalizedName

_NAME = re.compile(r"([A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9])\Z", re.IGNORECASE | re.ASCII)


def is_project_name(text: str) -> bool:
    """Whether a text is a valid project name."""
    return _NAME.match(text) is not None


def normalize_name(name: str) -> NormalizedName:
    """The normalized form of a name."""
    return cast("NormalizedName", re.sub(r"[-_.]+", "-", name).lower())


def name_from_filename(filename: str) -> NormalizedName | None:
    """The project in the name of a wheel or an sdist; None if there is none."""
    name = filename.partition("-")[0] if filename.endswith(".whl") else filename.rpartition("-")[0]
    return normalize_name(name) if name else None
