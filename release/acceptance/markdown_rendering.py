"""Markdown as the index renders it: whether anything is left to show, and the page with its links.

The index renders with comrak. markdown-it parses the same Markdown; the rules here are where the two differ.
Source: readme_renderer, `markdown.py`. Observed: comrak 0.54 on the index, 2026-11.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.common.html_blocks import block_names
from markdown_it.common.html_re import HTML_OPEN_CLOSE_TAG_STR
from markdown_it.common.utils import normalizeReference, unescapeAll
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock, html_block, list_block
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from release.acceptance.link_definitions import parse_link_definition

#: levels of quotes, lists and footnotes; what is nested deeper is skipped
_NESTING = 50
#: columns that a footnote's lines are indented by, and that make a block of code elsewhere
_INDENT = 4
_FOOTNOTE = re.compile(r"\[\^([^\]\r\n\0\t ]+)\]:[ \t]*")
_REFERENCE = re.compile(r"\[\^((?:[^\\\[\]]|\\.)+)\]", re.DOTALL)
_UNDERLINE = re.compile(r"(=+|-+)[ \t]*")
_MARKER = re.compile(r"\d{1,9}[.)]")
_TAG = HTML_OPEN_CLOSE_TAG_STR.removeprefix("^")
_LONE_TAG = re.compile(rf"{_TAG}[\t\f ]*$")
#: markdown-it takes any white space after it for blanks
_TAG_BEFORE_SPACE = re.compile(
    rf"(?!</?(?:{'|'.join((*block_names, 'pre', 'script', 'style', 'textarea'))})\b){_TAG}\s+$", re.IGNORECASE
)
_ALERT = re.compile(r"\[!(?:note|tip|important|warning|caution)\]", re.IGNORECASE)
#: a blank line of a carriage return ends a footnote, as one of spaces does
_BLANK_RETURN = re.compile(r"(?<![^\r\n])\r(?!\n)")
_BEFORE_WWW = re.compile(r"(?<![^\t\n\r *_~(\[])$")
_SCHEME = re.compile(r"(?<![A-Za-z])(?:https?|ftp)$")
_ADDRESS = re.compile(r"(?:://|www\.)([\w\\-]*\.[\w.\\-]*)[^\t\n\r <]*")
#: elements that the project page shows as text
_SHOWN = re.compile(
    r"<(?=/?(?:title|textarea|style|xmp|iframe|noembed|noframes|script|plaintext)(?:[\s>]|/>))", re.IGNORECASE
)


def has_content(text: str, variant: str) -> bool:
    """Whether anything is left to show: definitions of links, and of footnotes that nothing refers to, are not."""
    return bool(_parser(variant).parse(text.removeprefix("\ufeff"), {}))


def render_markdown(text: str, variant: str, *, with_html: bool) -> str:
    """The description as HTML, before it is cleaned, with or without the HTML that it contains."""
    parser = _parser(variant)
    tokens = parser.parse(text.removeprefix("\ufeff"), {})
    return str(parser.renderer.render(tokens, parser.options, {"with_html": with_html}))


class _Parser(MarkdownIt):
    def normalizeLink(self, url: str) -> str:  # noqa: N802 - markdown-it's name
        return quote(url, safe="-_.+!*(),'~;/?:@&=$#%[]")

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - markdown-it's name; nothing is shown
        return True


@cache
def _parser(variant: str) -> _Parser:
    parser = _Parser("commonmark", {"maxNesting": _NESTING})
    parser.core.ruler.before("normalize", "blank_returns", _mark_blank_returns)
    parser.block.ruler.at("reference", _definitions)
    parser.block.ruler.at("list", _list, {"alt": ["paragraph", "reference", "blockquote"]})
    parser.block.ruler.at("html_block", _html_block, {"alt": ["paragraph", "reference", "blockquote"]})
    if variant == "GFM":
        parser.enable(["table", "strikethrough"])
        ends: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
        parser.block.ruler.before("reference", "footnote", _footnote, ends)
        parser.block.ruler.before("footnote", "alert", _alert)
        parser.block.ruler.before("reference", "lone_tag", _lone_tag, {"alt": ["paragraph"]})
        parser.inline.add_terminator_char("w")
        parser.inline.ruler.before("link", "address", _address)
        parser.inline.ruler.after("image", "footnote_reference", _footnote_reference)
        parser.inline.ruler.after("footnote_reference", "bracket", _bracket)
        parser.core.ruler.after("inline", "footnotes", _move_footnotes)
    for name in ("html_block", "html_inline"):
        parser.add_render_rule(name, _render_html)
    return parser


def _render_html(_: object, tokens: Sequence[Token], index: int, __: object, env: Mapping[str, bool]) -> str:
    return _SHOWN.sub("&lt;", tokens[index].content) if env["with_html"] else ""


def _mark_blank_returns(state: StateCore) -> None:
    state.src = _BLANK_RETURN.sub(" \n", state.src)


def _line(state: StateBlock, number: int, ending: int = 0) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number] + ending]


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A number at the very end of the text starts no list."""
    unfinished = state.eMarks[start] == len(state.src) and _MARKER.fullmatch(_line(state, start))
    return not unfinished and list_block(state, start, end, silent)


def _html_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A tag on a line of its own, but for other white space than blanks, starts no block."""
    line = _line(state, start)
    spaced = line.startswith("<") and _TAG_BEFORE_SPACE.match(line) and not _LONE_TAG.match(line)
    return not spaced and html_block(state, start, end, silent)


def _alert(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: ARG001 - as every rule
    """The first line of an alert is its kind and its title, which is only text."""
    quote = state.tokens[-1] if state.tokens and not silent else None
    if quote is None or quote.type != "blockquote_open" or quote.map is None or quote.map[0] != start:
        return False
    if state.is_code_block(start) or not _ALERT.match(_line(state, start)):
        return False
    state.line = start + 1
    return True


def _definitions(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: ARG001 - as every rule
    """A paragraph that starts with link definitions. They are found in it when it ends: it ends as any paragraph."""
    if silent or state.is_code_block(start) or not _line(state, start).startswith("["):
        return False
    parent, state.parentType = state.parentType, "paragraph"
    rules = state.md.block.ruler.getRules("paragraph")
    lines, number, rest, level = [_line(state, start, 1)], start + 1, "", 0
    while number < state.lineMax and not state.isEmpty(number):
        indent, line = state.sCount[number], _line(state, number)
        if 0 <= indent < state.blkIndent + _INDENT:
            if indent >= state.blkIndent and (underline := _UNDERLINE.fullmatch(line)):
                if rest := _without_definitions(state, lines):
                    level = 1 if underline[1][0] == "=" else 2
                    number += 1
                    break
                lines = []
            elif any(rule(state, number, state.lineMax, True) for rule in rules):
                break
        lines.append(_line(state, number, 1))
        number += 1
    state.parentType, state.line = parent, number
    if rest := rest or _without_definitions(state, lines):
        kind, tag = ("heading", f"h{level}") if level else ("paragraph", "p")
        state.push(f"{kind}_open", tag, 1)
        inline = state.push("inline", "", 0)
        inline.content, inline.children = rest.strip(), []
        state.push(f"{kind}_close", tag, -1)
    return True


def _without_definitions(state: StateBlock, lines: list[str]) -> str:
    text, position = "".join(lines), 0
    references = state.env.setdefault("references", {})
    while definition := parse_link_definition(text, position):
        label = normalizeReference(definition.label)
        references.setdefault(label, {"href": state.md.normalizeLink(definition.target), "title": ""})
        position = definition.end
    return text[position:]


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The definition of a footnote: the rest of its line, and what is indented by four columns."""
    begins = state.bMarks[start] + state.tShift[start]
    found = not state.is_code_block(start) and _FOOTNOTE.match(state.src, begins, state.eMarks[start])
    if not found or silent:
        return bool(found)
    token = state.push("footnote_open", "", 1)
    token.meta, token.hidden = {"label": _fold(found[1])}, True
    state.env.setdefault("footnotes", set()).add(token.meta["label"])
    saved = state.bMarks[start], state.tShift[start], state.sCount[start], state.parentType, state.blkIndent
    outer = state.env.get("footnote_indent", 0)
    state.blkIndent += _INDENT
    state.bMarks[start], state.tShift[start], state.sCount[start] = found.end(), 0, state.blkIndent
    state.parentType, state.env["footnote_indent"] = "footnote", state.blkIndent
    state.md.block.tokenize(state, start, _end_of_footnote(state, start, end))
    state.line = max(state.line, start + 1)
    state.env["footnote_indent"] = outer
    state.bMarks[start], state.tShift[start], state.sCount[start], state.parentType, state.blkIndent = saved
    state.push("footnote_close", "", -1).hidden = True
    return True


def _end_of_footnote(state: StateBlock, start: int, end: int) -> int:
    """The line that it does not reach: a line of few blanks, another footnote, or one that follows a blank line."""
    for number in range(start + 1, end):
        indent = state.sCount[number] - state.blkIndent + _INDENT
        if state.isEmpty(number):
            if 0 < indent < _INDENT:
                return number
        elif 0 <= indent < _INDENT and (state.isEmpty(number - 1) or _FOOTNOTE.match(_line(state, number))):
            return number
    return end


def _lone_tag(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: ARG001 - as every rule
    """A tag on a line of its own after a footnote is a block, while it would continue any other paragraph."""
    outside = silent and 0 <= state.sCount[start] < state.env.get("footnote_indent", 0)
    return outside and bool(_LONE_TAG.match(_line(state, start)))


def _address(state: StateInline, silent: bool) -> bool:
    """An address in the text is a link: brackets in it are part of it, unless it is in brackets itself."""
    if silent or state.src[state.pos] not in ":w" or state.level or state.env.get("bracket") is state:
        return False
    found = _ADDRESS.match(state.src, state.pos, state.posMax)
    before = _BEFORE_WWW if state.src[state.pos] == "w" else _SCHEME
    if not found or not before.search(state.src, max(0, state.pos - 6), state.pos):
        return False
    if "_" in "".join(found[1].split(".")[-2:]):
        return False
    state.pending += found[0]
    state.pos = found.end()
    return True


def _bracket(state: StateInline, silent: bool) -> bool:
    """Note whether the last bracket that is only text was an opening one."""
    if not silent and state.src[state.pos] in "[]":
        state.env["bracket"] = state if state.src[state.pos] == "[" else None
    return False


def _footnote_reference(state: StateInline, silent: bool) -> bool:
    found = None if silent else _REFERENCE.match(state.src, state.pos, state.posMax)
    label = _fold(unescapeAll(found[1])) if found else ""
    if not found or label not in state.env.get("footnotes", ()):
        return False
    state.env.setdefault("used", {}).setdefault(label)
    state.push("footnote_reference", "", 0).hidden = True
    state.pos = found.end()
    return True


def _fold(label: str) -> str:
    return " ".join(label.split()).casefold()


def _move_footnotes(state: StateCore) -> None:
    """Move the footnotes to the end, without those that nothing refers to.

    comrak does so with the last one of a label, and not within another footnote. The others stay where they are.
    """
    parts: list[list[Token]] = [[]]
    notes: dict[str, int] = {}
    depth = 0
    for token in state.tokens:
        if token.type == "footnote_open":
            if not depth:
                notes[token.meta["label"]] = len(parts)
                parts.append([])
            depth += 1
        parts[-1].append(token)
        if token.type == "footnote_close":
            depth -= 1
            if not depth:
                parts.append([])
    moved = set(notes.values())
    used = [notes[label] for label in state.env.get("used", ()) if label in notes]
    kept = [number for number in range(len(parts)) if number not in moved]
    state.tokens[:] = chain.from_iterable(parts[number] for number in [*kept, *used])
