"""The page in a real browser: at a desk and on a phone, by day and by night, it fits and asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from release.reports import html, set_html
from tests import headless_browser
from tests.runs import full, refused
from tests.set_runs import five, record_of, sixty

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

pytestmark = pytest.mark.skipif(
    not (headless_browser.CHROMIUM and headless_browser.DRIVER),
    reason="needs chromium and chromedriver (Debian: chromium-driver)",
)

#: elements that reach beyond the right edge of the window
TOO_WIDE = """
return [...document.querySelectorAll("body *")]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 0.5).map(e => e.outerHTML.slice(0, 80))
"""
#: texts of the picture that lie upon each other, or reach out of it
ILL_PLACED = """
return [...document.querySelectorAll("svg")].flatMap(svg => {
  const boxes = [...svg.querySelectorAll("text")].filter(e => e.textContent).map(e => e.getBoundingClientRect());
  const out = boxes.filter(a => a.right > svg.getBoundingClientRect().right + 0.5);
  const upon = boxes.filter((a, i) => boxes.slice(i + 1).some(
    b => a.right > b.left && b.right > a.left && a.bottom > b.top + 2 && b.bottom > a.top + 2));
  return [...out, ...upon].map(box => JSON.stringify(box));
})
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with headless_browser.browser(tmp_path_factory.mktemp("profile")) as one:
        yield one


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("record", [full(), refused()], ids=["full", "refused"])
def test_it_fits_and_asks_for_nothing(
    running: Chrome, tmp_path: Path, record: dict[str, Any], width: int, scheme: Literal["light", "dark"]
) -> None:
    page = tmp_path / "report.html"
    page.write_text(html.render(record), encoding="utf-8")
    running.get("about:blank")
    headless_browser.requests(running)
    headless_browser.show(running, page, width=width, scheme=scheme)
    running.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    headless_browser.screenshot(running, tmp_path / f"report-{width}-{scheme}.png")
    assert headless_browser.requests(running) == [page.as_uri()]
    assert running.execute_script("return innerWidth") == width
    assert running.execute_script("return document.documentElement.scrollWidth") <= width
    assert running.execute_script(TOO_WIDE) == []
    assert running.execute_script(ILL_PLACED) == []
    assert running.title.startswith("acme-widget 1.0")
    ground = running.execute_script("return getComputedStyle(document.documentElement).backgroundColor")
    assert ground == ("rgb(246, 246, 243)" if scheme == "light" else "rgb(19, 21, 25)")
    assert (tmp_path / f"report-{width}-{scheme}.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("members", "width", "scheme"),
    [(5, 1280, "light"), (5, 390, "dark"), (60, 1280, "dark"), (60, 390, "light")],
)
def test_the_page_of_a_set_fits_and_its_links_open_a_member(
    running: Chrome, tmp_path: Path, members: int, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = tmp_path / "set.html"
    release_set, fails = (five(), "acme-http") if members == 5 else (sixty(), "acme-component-19")
    page.write_text(set_html.render(record_of(release_set, fails=fails)), encoding="utf-8")
    running.get("about:blank")
    headless_browser.requests(running)
    headless_browser.show(running, page, width=width, scheme=scheme)
    last = f"document.getElementById('member-{members}')"
    closed = f"return {last}.closest('details').open"
    assert running.execute_script(closed) is False
    link = f"document.querySelector('svg a[href=\"#member-{members}\"]')"
    running.execute_script(f"{link}.dispatchEvent(new MouseEvent('click'))")
    assert headless_browser.becomes(running, closed, wanted=True)
    running.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert set(headless_browser.requests(running)) == {page.as_uri()}
    assert running.execute_script("return document.documentElement.scrollWidth") <= width
    assert running.execute_script(TOO_WIDE) == []
    assert running.execute_script(ILL_PLACED) == []
    assert running.title == f"set of {7 if members == 5 else 60} members: release: incomplete"


def test_paper_shows_what_the_screen_folds(running: Chrome, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    page.write_text(html.render(full()), encoding="utf-8")
    headless_browser.show(running, page, width=800, scheme="dark")
    row = "return document.querySelector('details:not([open]) li').checkVisibility({contentVisibilityAuto: true})"
    assert headless_browser.becomes(running, row, wanted=False)
    running.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert headless_browser.becomes(running, row, wanted=True)
    assert running.execute_script("return getComputedStyle(document.body).color") == "rgb(29, 32, 36)"
