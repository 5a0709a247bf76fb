"""Which index a token was issued by, and which it may be sent to."""

from __future__ import annotations

from release.core.models.index import Index, is_loopback


def location_matches(location: str, index: Index) -> bool:
    """Whether a token with this location may be sent to the index; this machine has several names."""
    own = index.token_location
    return location == own or (is_loopback(location) and is_loopback(own))
