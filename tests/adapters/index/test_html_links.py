from __future__ import annotations

import html
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.adapters.index import html_links
from release.adapters.index.html_links import scan_html

VALUES = st.text("ab-1.>=\"'&;</ \n", max_size=12)


@settings(max_examples=60)
@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=4))
def test_what_was_written_is_read(links: list[tuple[str, str, str]]) -> None:
    page = "".join(
        f"<p><A\n href=\"{html.escape(url)}\" x data-yanked = '{html.escape(why)}' >{html.escape(text)}</A ><br/>"
        for url, why, text in links
    )
    expected = tuple((text.strip(), {"href": url, "data-yanked": why}) for url, why, text in links)
    assert scan_html(f"<!DOCTYPE html><!-- <a href=x>x</a> --><title><a></title>{page}").links == expected


class Reference(HTMLParser):
    """The links as the standard library reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, dict[str, str]]] = []
        self.opened: dict[str, str] | None = None
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.opened, self.text = {name: value or "" for name, value in attrs}, ""

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self.opened is not None:
            self.links.append((self.text.strip(), self.opened))
            self.opened = None


@pytest.mark.parametrize(
    "page",
    [
        "<a href=a.whl#sha256=00 data-yanked>a.whl</a>",
        "<a href=a/b.whl>a &lt; b</a> 1 < 2 <3",
        '<a href="a>b.whl" data-requires-python="&gt;=3.9"><span class=x>a</span>.whl</a>',
        "<a href='x'>one<a href=y>two</a></a>",
        "<A HREF=x>up</A><abbr>a</abbr></a><area href=z>",
        "<a href=it's.whl>quote</a>",
        "<script>if (a<b) '<a href=x>x</a>'</script><a href=y>y</a>",
        "<a\thref = x\n>x</a\n>",
        "<?php ?><!x><a href=x>x</a>",
        "<a/href=x>x</a>",
        "",
        "no markup & no end",
    ],
)
def test_it_reads_what_the_standard_library_reads(page: str) -> None:
    reference = Reference()
    reference.feed(page)
    reference.close()
    assert list(scan_html(page).links) == reference.links


@pytest.mark.parametrize(
    "part",
    [
        "<a", "<!--", "<![CDATA[", "<!", "</", "<", "<a a ", "<a href='x", '<a x="', "<a = = = ", "</a x", "<?", "&#",
        "<a>", "<script>", "<textarea></b", "<title>x</title", "<!-- --!", "<a href=x y=z", "<a href= ", "<a\n\n\n",
    ],
)  # fmt: skip
def test_a_hostile_page_takes_no_longer_than_its_length(part: str) -> None:
    """300 kB of it, for which html.parser of Python 3.11 needs up to ten minutes."""
    begun = time.process_time()
    try:
        scan_html(part * (300_000 // len(part)))
    except ValueError as error:
        assert "does not end" in str(error)  # noqa: PT017 - it may also be read
    assert time.process_time() - begun < 10


def test_there_are_so_many_links_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_links, "_MAX_LINKS", 1_000)
    assert len(scan_html("<a href=x>x</a>" * 1_000).links) == 1_000
    with pytest.raises(ValueError, match="more than 1,000 links"):
        scan_html("<a href=x>x</a>" * 1_001)
