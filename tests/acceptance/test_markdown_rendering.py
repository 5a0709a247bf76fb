"""Markdown is judged as the index judges it: compared with the library that renders there."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from readme_renderer import markdown

from release.acceptance.description_rules import DESCRIPTION, render_html, render_project_page
from release.acceptance.rule import first_refusal
from release.checks.description_checks import _may_be_relative, _PageTargets, relative_targets
from tests.acceptance.making import NOTHING, upload, wheel

KINDS = {"GFM": "text/markdown", "CommonMark": "text/markdown; variant=CommonMark"}


def is_refused(text: str, variant: str) -> bool:
    fields = {"description": text, "description_content_type": KINDS[variant]}
    return first_refusal(DESCRIPTION, upload(wheel(), **fields), NOTHING) is not None


PIECES = [
    "[a]: b", "[^1]: x", "[^1]: two words", "[^2]:", "[a]:", "[^1]", "[^2]", "[a]", "[^two words]: x", "[^1](x)",
    "[A]: <c d> 'e'", "[a]: <>", "[a\\]]: b", "[^a[b]: c", "[!NOTE]", "<!-- x -->", "<b>\n", "&nbsp;",
    "\n", "\n", "\n", "\n\n", "\n    ", "\n   ", "\n\t", " \n", "\r", "\r\n", "\n \n    ", "    ", "  ", " ", "\t",
    "https://e.example", "\0", "\x85", "\xa0", "\u2028", "\ufeff", "more", "'t'", '"t"', '"t\\"', "(t)", "`", "```",
    "> ", "- ", "1.", "2. x", "# h", "---", "===", "| a |\n|---|", "[", "]", "(", ")", "\\", "*", "_", "!", ":", "ß",
    "SS",
]  # fmt: skip
STARTS = ["", "[a]: b\n", "[^1]: x\n", "[^1]: two words\n", "[^2]: [^1]\n", "[a]:\n", "[^1]:\n    ", "\ufeff"]
TEXTS = st.tuples(st.sampled_from(STARTS), st.lists(st.sampled_from(PIECES), max_size=12)).map(
    lambda drawn: drawn[0] + "".join(drawn[1])
)


@settings(max_examples=150)
@given(TEXTS, st.sampled_from(sorted(KINDS)))
@example("[^1]: two words\nmore\n", "GFM")
@example("[^1]: two words\n    more\n\n    more\n", "GFM")
@example("[^1]: x\n \n    code\n", "GFM")
@example("[^1]: see [^2]\n[^2]: x\n", "GFM")
@example("[^1]: see `[^1]` and https://e.example/[^1]\n", "GFM")
@example("[^1]: x\n\n[^1]: x\n", "GFM")
@example("[^1]: [a]: b\nmore\n", "GFM")
@example("[^1]: x\n<b>\n", "GFM")
@example("[^1]: > [!NOTE] [^1]\n", "GFM")
@example("[^1]: <b>\x85\nmore\n", "GFM")
@example("\x0c\n", "GFM")
@example("[a]: b\x0c\n", "CommonMark")
@example("[a]: b\n    [c]: d\n", "CommonMark")
@example("[a]:\n2. c\n", "CommonMark")
@example("[a]: b\n---\n", "CommonMark")
def test_a_description_is_refused_where_the_renderer_shows_nothing(text: str, variant: str) -> None:
    """Only definitions of links, and of footnotes that nothing refers to, are left out of the page."""
    if text:
        assert is_refused(text, variant) == (markdown.render(text, variant) is None)


NESTED = "".join(f"{'  ' * level}- item\n" for level in range(20))
PAGES = {
    "links": "[a](a.md) [b](<b c.md> 'title') ![c](c(1).png) [d](d\\_e.md) [f](f&amp;g.md) [h](hü.md) [i]( i.md )\n",
    "references": "[a] [b][] [c][d] ![e]\n\n[a]: a.md\n[B]: b.md 'b'\n[d]:\nd.md\n[E]: e.png\n[a]: second.md\n",
    "an image in a link": "[![a](a.png)](b.md) [![c](https://e.example/c.png)](c.md)\n",
    "raw HTML": "<p align='center'>\n  <a href='a.md'><img src=\"b.png\" width=9></a>\n</p>\n\nx <a HREF=c.md>c</a>\n",
    "HTML that is shown": "<script>\n<img src='a.png'>\n</script>\n\nx <textarea><img src='b.png'></textarea>\n",
    "comments": "<!-- <img src='a.png'> -->\n\n<a\nhref='b.md'>b</a>\n\n<img src='c.png'>\xa0\n[d](d.md)\n",
    "code": "[x](x.md) `[a](a.md)` ``[b](`b.md)``\n\n    [c](c.md)\n\n```\n[d](d.md)\n<img src='e.png'>\n```\n",
    "tables": "| [a](a.md) | `|` |\n|---|:-:|\n| ![b](b.png) | [c\\|d](c.md) |\n\n| [e](e.md)\n|-\nx\n",
    "addresses": "https://e.example/[a](a.md) [b](b.md)https://e.example (www.e.example/[c](c.md)) <http:e>[d](d.md)\n",
    "footnotes": "[^1]: [a](a.md)\n[^2]: [b](b.md)\n\n    ![c](c.png)\n\nx[^2] [d](d.md) [[^2]](e.md)\n\n[^1](f.md)\n",
    "a footnote twice": "Text[^1]\n\n[^1]: [a](a.md)\n\n[^1]: [b](b.md)\n\n[^2]: > [^1]: [c](c.md)\n",
    "alerts and tasks": "> [!NOTE] [x](x.md)\n> [a](a.md)\n\n- [x] [b](b.md)\n- [ ] [c]\n\n[c]: c.md\n",
    "emphasis": "**[a](a.md)** ~~[b](b.md)~~ *[c*](c.md) _[d](d.md)_ \\[e](e.md) [f\\](f.md) [g] (g.md)\n",
    "deep lists": f"{NESTED}\n{'  ' * 20}[a](a.md)\n",
    "quotes": f"{'> ' * 20}[a](a.md)\n> [b]\n\n> [b]: b.md\n",
    "what a definition is not": "[a]: a.md 'x' y\n[b](b.md)\n[c]: <c d>x\n\n[e]: e.md\n===\n[f][e] [a]\n",
    "anchors and schemes": "[a](#a) [b](mailto:b@e.example) [c](javascript:c) [d](//e.example/d) [e](?e) [f]()\n",
}  # fmt: skip


@pytest.mark.parametrize("name", PAGES)
def test_the_targets_are_those_of_the_project_page(name: str) -> None:
    """In the same order, and with the HTML that the page supports, before it is cleaned."""
    pages = []
    for html in (markdown.variants["GFM"](PAGES[name]), render_project_page(PAGES[name], KINDS["GFM"])):
        page = _PageTargets()
        page.feed(html or "")
        # an address in the text is not made a link, since it is absolute; anchors have other names
        pages.append([[x for x in links if not x.startswith(("http", "#"))] for links in (page.images, page.links)])
    assert pages[0] == pages[1]
    assert any(pages[0])


def test_the_commonmark_variant_has_neither_tables_nor_footnotes() -> None:
    text = "| [a\\|b](a.md) |\n|---|\n\n[^1]: x [c](c.md)\n"
    assert "<table>" in (render_project_page(text, KINDS["GFM"]) or "")
    assert "<table>" not in (render_project_page(text, KINDS["CommonMark"]) or "")
    assert relative_targets(text, KINDS["GFM"]) == ["a.md"]
    assert relative_targets(text, KINDS["CommonMark"]) == ["a.md", "c.md"]


def test_the_text_of_a_description_is_without_its_html() -> None:
    html = render_html("<p>\nnone\n</p>\n\n*shown*<br>\n", "text/markdown")
    assert html == "<p><em>shown</em></p>\n"


@pytest.mark.parametrize(
    "text",
    [
        "Text\n", "[a](https://e.example) ![b](http://e.example/b.png)\n", "[a](#a) [b](mailto:b@e.example)\n",
        "[a]\n\n[a]: https://e.example\n", "<a href='https://e.example'><img src=\"https://e.example/a.png\"></a>\n",
        "src/acme and array[0]\n",
    ],
)  # fmt: skip
def test_a_description_with_absolute_links_only_is_not_rendered(text: str) -> None:
    assert not _may_be_relative(text)


LINKS = st.lists(
    st.sampled_from(
        ["[a](", "![a](", "[a]: ", "[a]", "<a href", "<img src", "=", '"', "'", ">", ")", "https://e.example/", "#a",
         "mailto:a", "b.md", " ", "\n", "\n> ", "<", "src", "href", "&#115;rc", "\\", "\xa0", "\t", "\n\n", "x"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@settings(max_examples=100)
@given(LINKS)
@example("[a]:\xa0https://e.example/\n\n[a]")
@example("<a href\n= b.md>")
def test_what_is_not_rendered_has_no_relative_links(text: str) -> None:
    if not _may_be_relative(text):
        page = _PageTargets()
        page.feed(markdown.variants["GFM"](text))
        assert not [x for x in page.images + page.links if not x.startswith(("https:", "mailto:", "#", "http:"))]


@pytest.mark.parametrize("piece", ["[", "![", "[a](", "> ", "- ", "[^1]: ", "*a ", "<a ", "<!--", "[a]: b 'c\n", "1. "])
def test_a_hostile_description_takes_linear_time(piece: str) -> None:
    """Nor does deep nesting end in an error."""
    taken = []
    for size in (2_000, 8_000):
        begun = time.process_time()
        render_project_page(piece * (size // len(piece)), "text/markdown")
        taken.append(time.process_time() - begun)
    assert taken[1] < 10 * taken[0] + 0.2
