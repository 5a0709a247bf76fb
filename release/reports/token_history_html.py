"""The history of tokens as one page: a row for each, its states over time, what is wrong, each check's last use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from release.core.models.token_timeline import StatePeriod, TokenTimeline
from release.core.redaction import redact
from release.reports import record_text
from release.reports.html_elements import Markup, element
from release.reports.html_page import facts, linked, page
from release.reports.record_text import Tone
from release.reports.token_health_text import ORDER

_TONES: Mapping[str, Tone] = {
    "healthy": "good", "warning": "warn", "expiring": "warn", "expired": "bad", "revoked": "bad", "broken": "bad",
    "unknown": "calm",
}  # fmt: skip
#: pixels: of a strip, of its bars. What is worse is also higher, for those who do not see colours, and on paper
_STRIP = 18
_HEIGHTS: Mapping[Tone, int] = {"good": 6, "calm": 2, "warn": 11, "bad": 18}
#: what the strips show at most, and at least
_LONGEST, _SHORTEST = timedelta(days=90), timedelta(days=1)
#: from then on a state is one of the past
_STALE = timedelta(days=14)
#: states of a check that was really made
_MADE = {"passed", "warned", "failed", "waived"}
#: more rows than this are not unfolded of their own
_OPEN = 25

_STYLE = """
.axis, .token > summary { display: grid; column-gap: .9rem; align-items: center;
  grid-template-columns: .6rem minmax(0, 15rem) minmax(0, 1fr) 6.5rem; }
.axis { padding: 0 1.1rem .35rem; font-size: .8rem; color: var(--soft); }
.axis .ends { grid-column: 3; display: flex; justify-content: space-between; gap: 1rem; }
.token .name { display: block; line-height: 1.35; }
.token .place { font-weight: 400; font-size: .85rem; color: var(--soft); }
.token .how { text-align: right; line-height: 1.35; }
.token .how .left { display: block; font-size: .82rem; color: var(--soft); }
.strip { display: block; overflow: hidden; } .strip rect { fill: var(--tone); }
.strip .track { fill: var(--line); }
.inside { padding: .2rem 1.1rem 1rem; } .inside > * + * { margin-top: .7rem; }
.inside .checks { padding: 0; columns: 19rem; column-gap: 2rem; } .inside .checks li { break-inside: avoid; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin-top: .9rem; font-size: .84rem; color: var(--soft); }
.legend li { display: flex; align-items: center; gap: .45rem; } .legend svg { flex: none; }
@media (max-width: 34rem) {
  .token > summary { grid-template-columns: .6rem minmax(0, 1fr) auto; row-gap: .45rem; }
  .token .strip { grid-column: 2 / -1; grid-row: 2; }
  .axis { grid-template-columns: .6rem minmax(0, 1fr); } .axis .ends { grid-column: 2; }
}
@media print { .strip rect { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def tokens(strips: Sequence[TokenTimeline], *, now: datetime) -> str:
    """The page, as things were at `now` (aware, UTC): the gravest first."""
    ranked = sorted(strips, key=lambda one: (ORDER.index(one.now.seen.word), one.now.seen.about, one.now.seen.place))
    said = _said(strips)
    start = _start(strips, now)
    rows = [_row(one, start=start, now=now, open_=number < _OPEN) for number, one in enumerate(ranked)]
    main = element("main", _top(strips, said, now), *(_list(rows, start, now) if rows else ()))
    foot = element("footer", "Made by pypi-preflight from the history of token health. No token is in it.")
    return page(f"Token health: {said}", main, foot, more_style=_STYLE)


def _said(strips: Iterable[TokenTimeline]) -> str:
    counts = Counter(one.now.seen.word for one in strips)
    return ", ".join(f"{counts[word]} {word}" for word in ORDER if counts[word]) or "nothing is remembered yet"


def _top(strips: Sequence[TokenTimeline], said: str, now: datetime) -> Markup:
    present = {one.now.seen.word for one in strips}
    gravest = next((word for word in ORDER if word in present), "unknown")
    last = max((one.now.last_seen for one in strips), default=None)
    looked = f"last look {_moment(last)}, drawn {_moment(now)}" if last else "run: python -m release tokens"
    return element(
        "header",
        element("p", "Token health", class_="kicker"),
        element("h1", f"{len(strips)} credential{'' if len(strips) == 1 else 's'}"),
        element("div", element("strong", said), element("p", looked, class_="soft small"),
                class_=f"verdict {_TONES[gravest]}"),
    )  # fmt: skip


def _list(rows: Sequence[Markup], start: datetime, now: datetime) -> Iterator[Markup]:
    yield element("h2", "Tokens")
    ends = element("span", element("span", f"{start:%Y-%m-%d}"), element("span", f"{now:%Y-%m-%d}"), class_="ends")
    yield element("div", ends, class_="axis", aria_hidden="true")
    yield element("div", *rows)
    yield _legend()


def _legend() -> Markup:
    shown = {"healthy": "good", "warning, expiring": "warn", "broken, revoked, expired": "bad", "unknown": "calm"}
    items = []
    for name, tone in shown.items():
        height = _HEIGHTS[tone]  # type: ignore[index] # the four tones
        bar = element("rect", x=0, y=(_STRIP - height) / 2, width=22, height=height, class_=tone)
        picture = element("svg", bar, width=22, height=_STRIP, class_="strip", aria_hidden="true")
        items.append(element("li", picture, element("span", name)))
    return element("ul", *items, class_="legend")


# -- a row ------------------------------------------------------------------------------------------


def _row(one: TokenTimeline, *, start: datetime, now: datetime, open_: bool) -> Markup:
    seen = one.now.seen
    name = element(
        "span",
        f"{seen.project or 'the account'} ",
        element("span", seen.index, class_="soft"),
        element("span", redact(seen.place), class_="name place"),
        class_="name",
    )
    left = element("span", _left(one, now), class_="left")
    how = element("span", element("span", seen.state, class_="state"), left, class_="how")
    summary = element("summary", name, _strip(one, start, now), how)
    unfolded = "" if open_ and seen.word == "broken" else None
    return element("details", summary, _inside(one), class_=f"token {_TONES[seen.state]}", open=unfolded)


def _left(one: TokenTimeline, now: datetime) -> str:
    """How long it lasts; of one that nobody has looked at for a while, that."""
    expires = one.now.seen.expires
    if now - one.now.last_seen > _STALE:
        return f"on {one.now.last_seen:%Y-%m-%d}"
    if expires is None:
        return ""
    days = (expires - now) // timedelta(days=1)
    return "its time is over" if expires <= now else f"{days} day{'' if days == 1 else 's'} left"


def _inside(one: TokenTimeline) -> Markup:
    seen = one.now.seen
    return element(
        "div",
        element("div", element("p", redact(seen.message)), _remedy(seen.remedy)) if seen.message else None,
        facts(
            ("Since", _moment(one.now.since)),
            ("Last seen", f"{_moment(one.now.last_seen)} ({one.now.count} times)"),
            ("Expires", _moment(seen.expires) if seen.expires else None),
            ("Scope", seen.scope),
            ("Identifier", seen.identifier and element("code", seen.identifier)),
            ("Fingerprint", seen.fingerprint and element("code", seen.fingerprint)),
        ),
        element("ul", *(_check(one, name) for name in seen.checks), class_="checks") if seen.checks else None,
        class_="inside",
    )


def _remedy(remedy: str) -> Markup | None:
    return element("p", linked(redact(remedy)), class_="remedy") if remedy else None


def _check(one: TokenTimeline, name: str) -> Markup:
    """How a check ended when it was last made: what does not apply today may have done so before."""
    made = next((span for span in reversed(one.spans) if span.checks.get(name) in _MADE), None)
    state = made.checks[name] if made else one.now.seen.checks[name]
    return _ended(name, state, f"{state}, {_moment(made.last_seen)}" if made else f"{state}, never made")


@lru_cache(maxsize=1024)
def _ended(name: str, state: str, when: str) -> Markup:
    """Kept, since most of a thousand tokens are looked at in the same minute."""
    tone, mark = record_text.STATES.get(state, ("bad", "?"))
    about = element("span", f" {when}", class_="soft small")
    return element(
        "li",
        element("span", mark, class_=f"mark {tone}", aria_hidden="true"),
        element("span", name.replace("-", " "), about),
    )


# -- the strip --------------------------------------------------------------------------------------


def _start(strips: Iterable[TokenTimeline], now: datetime) -> datetime:
    """Where all strips begin."""
    first = min((span.since for one in strips for span in one.spans), default=now)
    return max(now - _LONGEST, min(first, now - _SHORTEST))


def _strip(one: TokenTimeline, start: datetime, now: datetime) -> Markup:
    """The states over time, as wide as the page allows. Each lasts until the next one; the last, until it was seen."""
    ends = [span.since for span in one.spans[1:]] + [one.now.last_seen]
    shown = [(span, min(end, now)) for span, end in zip(one.spans, ends, strict=True) if end >= start]
    told = "; ".join(f"{span.state} since {_moment(span.since)}" for span, _ in shown) or "not seen in this time"
    track = element("rect", x=0, y=(_STRIP - 1) / 2, width="100%", height=1, class_="track")
    bars = [_bar(span, end, start, now) for span, end in shown]
    return element("svg", element("title", told), track, *bars, role="img", width="100%", height=_STRIP, class_="strip")


def _bar(span: StatePeriod, end: datetime, start: datetime, now: datetime) -> Markup:
    whole = (now - start) / timedelta(seconds=1)
    at = min(max((span.since - start) / timedelta(seconds=1) / whole * 100, 0.0), 99.5)
    width = min(max((end - start) / timedelta(seconds=1) / whole * 100 - at, 0.5), 100 - at)
    tone = _TONES[span.state]
    height = _HEIGHTS[tone]
    # Numbers and a word of our own: there may be tens of thousands of these.
    return Markup(
        f'<rect x="{at:.2f}%" y="{(_STRIP - height) / 2}" width="{width:.2f}%" height="{height}" class="{tone}"></rect>'
    )


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
