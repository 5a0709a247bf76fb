"""The caveats that this program adds, byte for byte as the index writes them, and their reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from release.core.tokens import caveats

START = datetime(1970, 1, 1, tzinfo=UTC)


def test_caveats_are_compact_json() -> None:
    assert caveats.expiration(START + timedelta(seconds=2.9), START + timedelta(seconds=1)) == b"[0,2,1]"
    assert caveats.project_names("Acme.Widget", "b") == b'[1,["acme-widget","b"]]'


def test_what_is_written_is_read_back() -> None:
    end = datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert caveats.parse_caveat(caveats.expiration(end, START)) == caveats.Expiration(expires_at=end, not_before=START)
    assert caveats.parse_caveat(caveats.project_names("A")) == caveats.ProjectNames(names=("a",))
