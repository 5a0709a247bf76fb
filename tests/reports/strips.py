"""Histories to be drawn: of every state, with hostile names, of nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from release.core.models.check_result import VerdictWord
from release.core.models.token_health import StatePeriod, StatusInterval, TokenState, TokenStatus, TokenTimeline

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script>\"'&\u202e\x00\ud800"
_CHECKS = {"a-credential-is-found": "passed", "the-token-lasts": "passed", "trusted-publishing-is-used": "skipped"}


def seen(word: VerdictWord = "healthy", state: TokenState | None = None, **more: object) -> TokenStatus:
    made = TokenStatus(
        index="pypi", upload_url="https://a.test/legacy/", project="acme-widget", place="$ACME_TOKEN",
        fingerprint="0a1b2c3d", identifier="3c6d8f0e-51a4-4dde-9d4e-486db6448f5f", scope="acme-widget",
        expires=None, word=word, state=state or word, cause="", message="", remedy="", checks=_CHECKS,
    )  # fmt: skip
    return replace(made, **more)  # its own fields


def strip(now: TokenStatus, *states: tuple[TokenState, float, float]) -> TokenTimeline:
    """A credential that was in these states, each from and to so many days ago."""
    spans = tuple(
        StatePeriod(
            state=state, since=NOW - timedelta(days=start), last_seen=NOW - timedelta(days=end),
            checks={**now.checks, "the-token-lasts": "warned" if state == "expiring" else "passed"}
            if state != "unknown" else {},
        )
        for state, start, end in states
    )  # fmt: skip
    last = spans[-1]
    before = spans[-2].state if len(spans) > 1 else None
    return TokenTimeline(
        now=StatusInterval(seen=now, before=before, since=last.since, last_seen=last.last_seen, count=12), spans=spans
    )


def every_state() -> list[TokenTimeline]:
    """One of each, and one that breaks out where it can."""
    remedy = "create a token at https://packages.example/manage/account/token/ and store it in place of this one"
    gone = {"message": "pypi does not know the token in $ACME_OLD", "remedy": remedy}
    late = {"expires": NOW + timedelta(days=9, hours=1), "message": "the token expires in 9 days", "remedy": remedy}
    over = {"expires": NOW - timedelta(days=2), "message": "the token expired 2 days ago", "remedy": remedy}
    return [
        strip(seen(expires=NOW + timedelta(days=200)), ("unknown", 80, 79), ("healthy", 79, 0)),
        strip(seen("warning", place="file ~/acme.token", index="testpypi", message="it is for every project"),
              ("warning", 30, 0.1)),
        strip(seen("warning", "expiring", project="acme-gadget", **late), ("healthy", 200, 5.1), ("expiring", 5, 0)),
        strip(seen("broken", "expired", project="acme-gizmo", **over), ("healthy", 85, 17), ("expiring", 16, 2.1),
              ("expired", 2, 0)),
        strip(seen("broken", "revoked", place="$ACME_OLD", checks={**_CHECKS, "the-token-lasts": "skipped"}, **gone),
              ("healthy", 60, 12), ("unknown", 11.9, 11), ("healthy", 10.9, 3), ("revoked", 3, 0)),
        strip(seen("broken", project=None, place="keyring, service 'https://a.test/legacy/', user '__token__'"),
              ("broken", 0.2, 0.2)),
        strip(seen("unknown", project="acme-sprocket", fingerprint="", identifier="", scope="", checks={},
                   message="the keyring is locked"), ("healthy", 40, 1.5), ("unknown", 1.4, 0)),
        strip(seen(place=HOSTILE, message=HOSTILE, remedy=HOSTILE, identifier=HOSTILE, scope=HOSTILE),
              ("healthy", 400, 120)),
    ]  # fmt: skip
