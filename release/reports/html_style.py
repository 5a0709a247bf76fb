"""How the page looks: one style sheet, light, dark and on paper, with nothing that is fetched."""

from __future__ import annotations

#: name → (light, dark); text colours have a contrast of 4.5 and more on page and card (WCAG 2.2, 1.4.3)
COLOURS = {
    "page": ("#f6f6f3", "#131519"),
    "card": ("#ffffff", "#1b1e24"),
    "line": ("#e2e2dc", "#2e333c"),
    "text": ("#1d2024", "#e7e7e3"),
    "soft": ("#5b6068", "#a2a8b1"),
    "link": ("#24589c", "#8fb8f0"),
    "good": ("#13703f", "#66c994"),
    "warn": ("#855800", "#e3b85f"),
    "bad": ("#b02318", "#ff9086"),
    "calm": ("#6a6f77", "#9299a3"),
}

_RULES = """
*, *::before, *::after { box-sizing: border-box; }
html { background: var(--page); color: var(--text); -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 56rem; padding: 2.5rem 1.25rem 4rem;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1, h2, h3, p, ul, dl, dd, figure { margin: 0; padding: 0; }
h1 { font-size: clamp(1.6rem, 6vw, 2.3rem); line-height: 1.2; font-weight: 650; letter-spacing: -.015em; }
h1 .version { color: var(--soft); font-weight: 400; }
h2 { font-size: 1.15rem; font-weight: 650; margin: 2.5rem 0 .75rem; }
h3 { font-size: .95rem; font-weight: 600; margin: 1.75rem 0 .6rem; }
ul { list-style: none; }
a { color: var(--link); text-underline-offset: .15em; }
code { font-family: ui-monospace, "SF Mono", "DejaVu Sans Mono", Consolas, monospace; font-size: .86em; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 3px;
  border-radius: 3px; }
.kicker, .facts dt, footer, .soft { color: var(--soft); }
.kicker { font-size: .85rem; margin-bottom: .25rem; }
.good { --tone: var(--good); } .warn { --tone: var(--warn); } .bad { --tone: var(--bad); }
.calm { --tone: var(--calm); }
.tone { color: var(--tone); }
.verdict { margin: 1.25rem 0; padding: 1rem 1.25rem; border-left: .3rem solid var(--tone);
  border-radius: .25rem .6rem .6rem .25rem;
  background: var(--card); box-shadow: 0 0 0 1px var(--line); }
.verdict strong { display: block; color: var(--tone); font-size: 1.1rem; font-weight: 650; line-height: 1.4; }
.facts { display: flex; flex-wrap: wrap; gap: .6rem 2rem; font-size: .92rem; }
.facts dt { font-size: .8rem; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .75rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1.1rem;
  min-width: 0; }
.stack > * + * { margin-top: .75rem; }
.card h3 { margin: 0 0 .15rem; }
.file { display: flex; justify-content: space-between; gap: 1rem; font-weight: 600; }
.file .size { flex: none; font-weight: 400; color: var(--soft); font-variant-numeric: tabular-nums; }
.hash { margin-top: .3rem; font-size: .86rem; color: var(--soft); }
.hash code { font-size: 1em; user-select: all; -webkit-user-select: all; }
.finding + .finding { margin-top: .6rem; }
.remedy { padding-left: 1.3em; text-indent: -1.3em; }
.remedy::before { content: "→"; display: inline-block; width: 1.3em; text-indent: 0; color: var(--tone); }
.small { font-size: .88rem; }
.state { font-size: .82rem; color: var(--tone); font-weight: 600; }
details { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
details + details { margin-top: .5rem; }
summary { display: grid; grid-template-columns: 1.1rem 1fr auto; column-gap: .2rem; align-items: baseline;
  padding: .65rem 1.1rem; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary::before { content: ""; flex: none; width: .42em; height: .42em; border: solid var(--soft);
  border-width: 0 .12em .12em 0;
  transform: rotate(-45deg) translate(-.1em, -.05em); }
details[open] > summary::before { transform: rotate(45deg) translate(-.1em, -.1em); }
summary .tally { font-size: .85rem; color: var(--soft); text-align: right; padding-left: 1rem; }
summary .name { font-weight: 600; }
.checks { padding: .1rem 1.1rem .8rem; font-size: .93rem; }
.checks li { display: grid; grid-template-columns: 1.3em 1fr; padding: .16rem 0; }
.checks .mark { color: var(--tone); font-weight: 700; }
.run { padding: 0 1.1rem 1rem; }
.timeline { display: block; overflow: hidden; font-size: .84rem; }
.timeline text { fill: var(--text); } .timeline .took { fill: var(--soft); font-variant-numeric: tabular-nums; }
.timeline .track { fill: var(--line); } .timeline .bar { fill: var(--tone); }
.picture { padding-bottom: .4rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: .85rem; }
@media (max-width: 34rem) {
  body { padding: 1.5rem .9rem 3rem; }
  .file { flex-direction: column; gap: 0; }
  summary .tally { grid-column: 2 / -1; text-align: left; padding-left: 0; }
  .run, .run .card { padding-left: .7rem; padding-right: .7rem; }
}
@media print {
  html { font-size: 9.5pt; } body { max-width: none; padding: 0; }
  html, .card, .verdict, details { background: none; }
  .card, li, .verdict { break-inside: avoid; } h2, h3, summary { break-after: avoid; }
  details > :not(summary) { display: block; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  summary::before { display: none; }
  a { color: inherit; }
  .bar, .track { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def style() -> str:
    """The sheet."""
    light = "".join(f"--{name}: {pair[0]}; " for name, pair in COLOURS.items())
    dark = "".join(f"--{name}: {pair[1]}; " for name, pair in COLOURS.items())
    return (
        f":root {{ color-scheme: light dark; {light}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}{_RULES}"
    )
