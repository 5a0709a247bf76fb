"""The page about tokens: as it was, not to be broken out of, and in a real browser as wide as the window."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from release.core.models.token_health import TokenState, TokenTimeline
from release.reports.token_history_html import token_history_page
from tests import headless_browser
from tests.fake_tokens import token
from tests.reports.strips import NOW, every_state, seen, strip
from tests.reports.test_html import TOO_WIDE

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

GOLDEN = Path(__file__).parent / "golden" / "tokens.html"


def bars(page: str, number: int = 0) -> list[tuple[str, str, str]]:
    """(left, width, tone) of each bar of a row's strip."""
    picture = re.findall(r"<svg role.*?</svg>", page, re.DOTALL)[number]
    return re.findall(r'<rect x="([\d.]+%)" y="[\d.]+" width="([\d.]+%)" height="\d+" class="(\w+)">', picture)


def test_the_page_is_as_it_was() -> None:
    """To change it on purpose: `UPDATE_GOLDEN=1 python -m pytest tests/reports`, and read the difference."""
    made = token_history_page(every_state(), now=NOW)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_bytes(made.encode())
    assert made == GOLDEN.read_bytes().decode()


def test_nothing_breaks_out_of_it_and_nothing_is_run_or_fetched() -> None:
    names: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
            names.append(tag)
            for name, value in attributes:
                assert not name.startswith("on")
                assert name not in {"src", "srcset", "style"}
                assert name != "href" or str(value).startswith("https://")

    made = token_history_page(every_state(), now=NOW)
    Reader().feed(made)
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(names)
    assert names.count("details") == len(every_state())
    assert "default-src 'none'" in made.replace("&#x27;", "'")


def test_what_has_the_form_of_a_token_is_not_shown() -> None:
    secret = token()
    made = token_history_page(
        [strip(seen(place=f"command x {secret}", message=secret, remedy=secret), ("broken", 1, 0))], now=NOW
    )
    assert secret not in made
    assert secret[-40:] not in made


#: what was seen, days ago → left end, width and tone of each bar; the strips begin with the oldest, 90 days at most
BARS: dict[str, tuple[Sequence[tuple[TokenState, float, float]], list[tuple[str, str, str]]]] = {
    "the whole time": ([("healthy", 10, 0)], [("0.00%", "100.00%", "good")]),
    "a change": ([("healthy", 10, 5.5), ("revoked", 5, 0)], [("0.00%", "50.00%", "good"), ("50.00%", "50.00%", "bad")]),
    "older than the page": ([("healthy", 400, 45)], [("0.00%", "50.00%", "good")]),
    "no longer seen then": ([("healthy", 400, 120)], []),
    "a moment": ([("healthy", 10, 5.5), ("revoked", 5, 5)], [("0.00%", "50.00%", "good"), ("50.00%", "0.50%", "bad")]),
    "just now": ([("revoked", 0, 0)], [("99.50%", "0.50%", "bad")]),
}  # fmt: skip


@pytest.mark.parametrize("case", BARS)
def test_a_strip_has_its_states_where_they_were(case: str) -> None:
    states, expected = BARS[case]
    assert bars(token_history_page([strip(seen(), *states)], now=NOW)) == expected


def test_the_gravest_is_first_and_each_row_shows_cause_and_remedy_while_it_is_folded() -> None:
    """The element `summary` is what a folded row shows."""
    made = token_history_page(every_state(), now=NOW)
    rows = re.findall(r"<summary>(.*?)</summary>", made, re.DOTALL)
    assert " open=" not in made
    assert [re.findall(r'<span class="state">(\w+)<', row)[0] for row in rows] == [
        "expired", "revoked", "broken", "unknown", "expiring", "warning", "healthy", "healthy",
    ]  # fmt: skip
    assert "the token expired 2 days ago" in rows[0]
    assert '<a href="https://packages.example/manage/account/token/"' in rows[0]
    assert "the keyring is locked" in rows[3]
    assert "why" not in rows[6], "a healthy one without a message has none"


def test_a_check_tells_when_it_was_last_made_though_it_does_not_apply_any_more() -> None:
    """It warned 16 to 2 days ago; since then the token is gone, and it could not be made."""
    one = strip(
        seen("broken", "revoked", checks={"the-token-lasts": "skipped", "b": "skipped"}),
        ("expiring", 16, 2),
        ("revoked", 1, 0),
    )
    spans = (
        one.spans[0],
        *[
            type(one.spans[1])(state="revoked", since=s.since, last_seen=s.last_seen, checks=one.now.seen.checks)
            for s in one.spans[1:]
        ],
    )
    made = token_history_page([TokenTimeline(now=one.now, spans=spans)], now=NOW)
    assert f'the token lasts<span class="soft small"> warned, {NOW - timedelta(days=2):%Y-%m-%d %H:%M} UTC' in made
    assert 'b<span class="soft small"> skipped, never run' in made


def test_days_left_are_said() -> None:
    made = [
        token_history_page([strip(seen(expires=NOW + timedelta(days=days)), ("healthy", 1, 0))], now=NOW)
        for days in (9.5, 1.5, -1)
    ]
    assert [re.findall(r'class="left">([^<]*)<', one) for one in made] == [
        ["9 days left"],
        ["1 day left"],
        ["expired"],
    ]


def test_what_nobody_has_looked_at_for_long_has_its_date() -> None:
    made = token_history_page([strip(seen(expires=NOW + timedelta(days=9)), ("healthy", 40, 30))], now=NOW)
    assert re.findall(r'class="left">([^<]*)<', made) == [f"on {NOW - timedelta(days=30):%Y-%m-%d}"]


def test_where_nothing_is_remembered_the_page_says_how_to_begin() -> None:
    made = token_history_page([], now=NOW)
    assert "the history is empty" in made
    assert "pypi-preflight tokens" in made


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with headless_browser.browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.mark.skipif(
    not (headless_browser.CHROMIUM and headless_browser.DRIVER), reason="needs chromium and chromedriver"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_and_asks_for_nothing(
    running: Chrome, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = tmp_path / "tokens.html"
    page.write_text(token_history_page(every_state(), now=NOW), encoding="utf-8")
    running.get("about:blank")
    headless_browser.requests(running)
    headless_browser.show(running, page, width=width, scheme=scheme)
    headless_browser.screenshot(running, tmp_path / f"folded-{width}-{scheme}.png")
    assert running.execute_script(TOO_WIDE) == []
    running.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    headless_browser.screenshot(running, tmp_path / f"open-{width}-{scheme}.png")
    assert running.execute_script(TOO_WIDE) == []
    assert running.execute_script("return document.documentElement.scrollWidth") <= width
    assert headless_browser.requests(running) == [page.as_uri()]
    ground = running.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
    assert ground == ("rgb(246, 246, 243)" if scheme == "light" else "rgb(19, 21, 25)")


@pytest.mark.skipif(
    not (headless_browser.CHROMIUM and headless_browser.DRIVER), reason="needs chromium and chromedriver"
)
def test_paper_shows_what_the_screen_folds(running: Chrome, tmp_path: Path) -> None:
    page = tmp_path / "tokens.html"
    page.write_text(token_history_page(every_state(), now=NOW), encoding="utf-8")
    headless_browser.show(running, page, width=800, scheme="dark")
    inside = (
        "return document.querySelector('details:not([open]) .inside').checkVisibility({contentVisibilityAuto: true})"
    )
    assert headless_browser.becomes(running, inside, wanted=False)
    running.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert headless_browser.becomes(running, inside, wanted=True)
