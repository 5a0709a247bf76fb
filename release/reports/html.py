"""The record as one page that needs nothing else: no script, no request; for a screen, a phone, the dark, and paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from release.reports import record_text
from release.reports.archive_tree import size
from release.reports.html_elements import Markup, element, text, together
from release.reports.html_page import facts, linked, page
from release.reports.record import touched
from release.reports.record_text import Data, Group
from release.reports.release_progress import Standing, standings
from release.reports.svg_timeline import timeline


def html(record: Data) -> str:
    """The page: verdict, indexes, files, then the runs, the newest first."""
    main = element("main", _top(record), *_indexes(record), *_files(record), *_runs(record))
    return page(f"{record_text.title(record)}: {record_text.end(record['runs'][-1])[1]}", main, _foot(record))


def _top(record: Data) -> Markup:
    run = record["runs"][-1]
    project, version = record["project"] or "unknown project", record["version"] or "version unknown"
    return element(
        "header",
        element("p", "Record of a release", class_="kicker"),
        element("h1", f"{project} ", element("span", version, class_="version")),
        _verdict(run),
        facts(
            ("Tag", record["tag"]),
            ("Commit", record["commit"] and element("code", record["commit"])),
        ),
    )


def _verdict(run: Data) -> Markup:
    tone, word = record_text.end(run)
    remedy, took = run["exit"]["remedy"], record_text.duration(record_text.seconds(run))
    return element(
        "div",
        element("strong", str(run["exit"]["message"]) or word),
        element("p", linked(remedy), class_="remedy") if remedy else None,
        element("p", f"{run['verb']} on {record_text.moment(run['begun'])}: {word} in {took}", class_="soft small"),
        class_=f"verdict {tone}",
    )


def _indexes(record: Data) -> Iterator[Markup]:
    found = standings(record)
    if found:
        pages, passing = record_text.pages(record), record_text.passing(record)
        yield element("h2", "Indexes")
        yield element(
            "div", *(_standing(one, pages.get(one.index), one.index in passing) for one in found), class_="cards"
        )


def _standing(one: Standing, address: str | None, passing: bool) -> Markup:
    tone = "bad" if one.refused or one.verified is False else "good" if one.verified else "warn"
    name = element("a", one.index, href=address, rel="noreferrer") if address else text(one.index)
    note = element("p", "the embedded index of a rehearsal", class_="soft small") if passing else None
    return element("div", element("h3", name), element("p", one.word, class_=f"tone {tone}"), note, class_="card")


def _files(record: Data) -> Iterator[Markup]:
    if record["files"]:
        yield element("h2", "Files")
        yield element("div", *map(_file, record["files"]), class_="stack")


def _file(file: Data) -> Markup:
    return element(
        "div",
        element(
            "div", element("span", file["filename"]), element("span", size(file["size"]), class_="size"), class_="file"
        ),
        element("p", "SHA-256 ", element("code", file["sha256"]), class_="hash"),
        class_="card",
    )


# -- runs --------------------------------------------------------------------------------------


def _runs(record: Data) -> Iterator[Markup]:
    """The newest run open, and those in which an index answered; the others folded."""
    newest, *earlier = record["runs"][::-1]
    yield element("h2", "The last run" if earlier else "The run")
    yield from _run(newest)
    if earlier:
        yield element("h2", "Earlier runs")
    for run in earlier:
        tone, word = record_text.end(run)
        summary = element(
            "summary",
            element("span", run["verb"], " ", element("span", word, class_=f"state {tone}"), class_="name"),
            element("span", record_text.moment(run["begun"]), class_="tally"),
        )
        message = element("p", str(run["exit"]["message"]), class_="small")
        inside = element("div", message, *_run(run), class_="run")
        yield element("details", summary, inside, open="" if touched(run) else None)


def _run(run: Data) -> Iterator[Markup]:
    yield from _findings(run)
    yield from _under("Steps", timeline(run), class_="card picture")
    groups = [_group(group) for group in record_text.groups(run)]
    yield from _under("Checks", together(*groups) if groups else None)
    yield from _under("Waivers", _list(map(_waiver, run["waivers"])), class_="card")
    tools = [(name, version) for name, version in run["tools"].items()]
    yield from _under("Made with", facts(*tools) if tools else None, class_="card")


def _under(title: str, content: Markup | None, *, class_: str | None = None) -> Iterator[Markup]:
    if content:
        yield element("h3", title)
        yield element("div", content, class_=class_)


def _list(items: Iterable[Markup]) -> Markup | None:
    found = list(items)
    return element("ul", *found) if found else None


def _findings(run: Data) -> Iterator[Markup]:
    """What stands in the way, and what is worth knowing, each with its remedy."""
    cards = [_notable(check) for check in record_text.notable(run)]
    cards += [_refusal(index, answer) for index, answer in record_text.refusals(run)]
    if cards:
        yield element("h3", "What to know")
        yield element("div", *cards, class_="stack")


def _notable(check: Data) -> Markup:
    about = f" [{check['subject']}]" if check.get("subject") else ""
    # The reason of a check that could not be made is its finding.
    reason = f": {check['reason']}" if check.get("reason") and check["findings"] else ""
    return element(
        "div",
        element("h3", f"{check['title']}{about}"),
        element("p", f"{record_text.state(check)}{reason}", class_="state"),
        *map(_finding, record_text.said(check)),
        class_=f"card {record_text.tone(check)}",
    )


def _finding(finding: Data) -> Markup:
    where = f"{finding['where']}: " if finding.get("where") and finding["where"] not in finding["message"] else ""
    server = finding.get("server_text")
    source = finding.get("source")
    explained = element("code", f"python -m release explain {finding['cause']}") if finding.get("cause") else None
    return element(
        "div",
        element("p", f"{where}{finding['message']}"),
        element("p", f"the index would say: {server}", class_="soft small") if server else None,
        element("p", linked(finding["remedy"]), class_="remedy") if finding.get("remedy") else None,
        element("p", "more: ", explained, class_="soft small") if explained else None,
        element("p", "source: ", linked(source), class_="soft small") if source else None,
        class_="finding",
    )


def _refusal(index: str, answer: Data) -> Markup:
    return element(
        "div",
        element("h3", f"{answer['filename']} [{index}]"),
        element("p", record_text.answered(answer)),
        class_="card bad",
    )


def _group(group: Group) -> Markup:
    summary = element(
        "summary",
        element("span", group.title, class_="name"),
        element("span", group.tally, class_="tally"),
    )
    rows = element("ul", *map(_check, group.checks), class_="checks")
    return element("details", summary, rows, class_=group.tone, open="" if group.tone in {"bad", "warn"} else None)


def _check(check: Data) -> Markup:
    reason = f" ({check['reason']})" if check.get("reason") else ""
    state = "" if check["state"] == "passed" else f": {record_text.state(check)}"
    about = element("span", f"{state}{reason}", class_="soft small")
    mark = element("span", record_text.mark(check), class_=f"mark {record_text.tone(check)}", aria_hidden="true")
    return element("li", mark, element("span", check["title"], about))


def _waiver(waiver: Data) -> Markup:
    unused = "" if waiver["used"] else " (not needed by this run)"
    return element(
        "li", element("code", waiver["check"]), f": {waiver['reason']}", element("span", unused, class_="soft")
    )


def _foot(record: Data) -> Markup:
    made = record["runs"][-1]["tools"].get("pypi-preflight", "")
    return element("footer", f"Made by pypi-preflight {made} from record.json, schema {record['schema']}.")
