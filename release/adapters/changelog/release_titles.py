"""The titles of a changelog's sections: which release they are for, and the title of the next one in their style."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from msgspec import Struct
from packaging.version import InvalidVersion, Version

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(name[:3] for name in _MONTHS)})(?P<rest>[a-z]*)\.?"
_DAY = r"(?P<day>\d{1,2})(?P<ordinal>st|nd|rd|th)?"
#: dates as titles have them; a date that could be read in two ways (02/03/2026) is none
_DATES = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?P<year>\d{4})(?P<between>[-/.])(?P<number>\d{2})(?P=between)(?P<day>\d{2})(?!\d)",
        r"(?P<day>\d{1,2})(?P<between>\.)(?P<number>\d{1,2})\.(?P<year>\d{4})",
        rf"{_MONTH}(?P<between> ){_DAY}(?P<comma>,?) (?P<year>\d{{4}})",
        rf"{_DAY}(?P<between>[ -]){_MONTH}(?P=between)(?P<year>\d{{4}})",
        rf"{_MONTH} (?P<year>\d{{4}})",
    )
)
#: with at most a pre-release, a post-release and a development release
_VERSION = re.compile(
    r"(?<![\w.])[vV]?(?P<version>\d+(?:\.\d+)*(?:[-_.]?(?:alpha|beta|preview|pre|post|dev|rc|a|b|c)[-_.]?\d*){0,3})"
    r"(?![\w.]*\w)"
)
#: what stands for the date of a release that is not made yet. Source of "(unreleased)" and "not released yet":
#: the changelogs that zest.releaser reads
_NO_DATE = re.compile(
    r"un-?released|not (?:yet )?released(?: yet)?|to be released|in development|(?:[XY?]{4}-[XM?]{2}-[XD?]{2})"
    r"|\bTB[AD]\b|\bReleaseDate\b",
    re.IGNORECASE,
)
#: whole titles without a version
_UPCOMING = re.compile(
    r"un-?released(?: changes)?|upcoming(?: (?:release|version|changes))?|next (?:release|version)|development version",
    re.IGNORECASE,
)


#: lines below a heading
_DATE_LINE = re.compile(r"[*_(]*(?:released?(?: on| date)?|date)?:? ?[\w ,./-]{8,24}[*_).]*", re.IGNORECASE)
_UNDATED_LINE = re.compile(
    r"[*_(]*(?:release date:? |date:? )?(?:un-?released|not (?:yet )?released(?: yet)?)[*_).]*", re.IGNORECASE
)

#: what a link compares, on GitHub and GitLab
_COMPARED = re.compile(r"(?P<start>/compare/)(?P<old>[^\s)>]+?)(?P<dots>\.{2,3})(?P<new>[^\s)>]+)")


class ReleaseTitle(Struct, frozen=True, kw_only=True):
    """A title that is for a release: `[1.1.0] - 2026-01-31`, `1.2 (unreleased)`, `Unreleased`."""

    text: str
    #: the place of the version; None where it names none
    version: slice | None = None
    #: the place of the date, or of what stands for it
    date: slice | None = None
    released: bool

    @property
    def version_text(self) -> str:
        """The version as it is spelled; empty without one."""
        return self.text[self.version] if self.version else ""

    def is_for(self, version: Version) -> bool:
        """Whether it names this version."""
        return _parse(self.version_text) == version


def read_title(text: str) -> ReleaseTitle | None:
    """The title of a section as that of a release; None for any other title."""
    pending = _NO_DATE.search(text)
    bare = re.sub(r"\]\([^)]*\)|\][:\[].*|[\[\]*_`]", "", text).strip()
    for found in _VERSION.finditer(text):
        if _parse(found["version"]) is None or (pending and pending.start() <= found.start() < pending.end()):
            continue
        dated = _find_date(text, found.end())
        if "." not in found["version"] and not (dated or pending):
            continue
        place = pending.span() if pending else dated.span() if dated else None
        return ReleaseTitle(
            text=text, version=slice(*found.span("version")), date=slice(*place) if place else None,
            released=pending is None,
        )  # fmt: skip
    return ReleaseTitle(text=text, released=False) if _UPCOMING.match(bare) and _is_short(bare) else None


def next_title(pending: ReleaseTitle | None, like: ReleaseTitle | None, renamed: dict[str, str], today: date) -> str:
    """The title of a release that is made today.

    `pending`: the title that its section has until now; `like`: that of the release before. `renamed`: version in
    `like` → the one that takes its place; the new version comes last.
    """
    version = list(renamed.values())[-1] if renamed else ""
    if pending is not None and pending.version is not None and not _is_alike(pending, like):
        return _with_date(pending, version, format_like(_date_text(like), today))
    if like is not None and like.version is not None:
        before = like.text[: like.version.start]
        end = like.date.stop if like.date else like.version.stop
        between = like.text[like.version.stop : like.date.start] if like.date else ""
        dated = format_like(_date_text(like), today) if like.date else ""
        closing = re.match(r"[)\]*_`]*(?:\(https?://[^)\s]*\))?", like.text[end:])
        linked = replace_versions(closing[0], renamed) if closing else ""
        return before + version + replace_versions(between, renamed) + dated + linked
    bracketed = pending is not None and pending.text.lstrip("*_ ").startswith("[")
    return f"{f'[{version}]' if bracketed else version} - {today.isoformat()}"


def replace_versions(text: str, renamed: dict[str, str]) -> str:
    """The text with each version that is a key replaced at once; a link compares the new version with its key."""
    known = sorted(filter(None, renamed), key=len, reverse=True)
    if not known:
        return text
    names = "|".join(map(re.escape, known))
    version = re.compile(rf"(?<!\d)(?<!\d\.)(?:{names})(?!\d|\.\d|[a-z]+\d)")

    def replaced(part: str) -> str:
        return version.sub(lambda found: renamed[found[0]], part)

    def compared(found: re.Match[str]) -> str:
        new = replaced(found["new"])
        old = found["new"] if new != found["new"] else replaced(found["old"])
        return found["start"] + old + found["dots"] + new

    parts, at = [], 0
    for found in _COMPARED.finditer(text):
        parts += [replaced(text[at : found.start()]), compared(found)]
        at = found.end()
    return "".join([*parts, replaced(text[at:])])


def format_like(example: str, day: date) -> str:
    """The day in the form of another date; by ISO 8601 where that is none."""
    found = next((match for pattern in _DATES if (match := pattern.fullmatch(example))), None)
    if found is None:
        return day.isoformat()
    return "".join(_parts(found, day))


def _parts(found: re.Match[str], day: date) -> Iterator[str]:
    """The date in the form of `found`: each of its groups is replaced, and what is between them stays."""
    groups = {name: text for name, text in found.groupdict().items() if text is not None}
    month = _MONTHS[day.month - 1]
    padded = found.re is _DATES[0] or any(groups.get(name, "").startswith("0") for name in ("day", "number"))
    values = {
        "year": f"{day.year:04}",
        "number": f"{day.month:02}" if padded else str(day.month),
        "day": f"{day.day:02}" if padded else str(day.day),
        "ordinal": _ordinal(day.day),
        "month": month[:3],
        "rest": month[3:] if groups.get("rest") or groups.get("month") == "May" else "",
    }
    at = found.start()
    for name in sorted((one for one in groups if one in values), key=found.start):
        yield found.string[at : found.start(name)]
        yield values[name]
        at = found.end(name)
    yield found.string[at : found.end()]


def _ordinal(number: int) -> str:
    if number in {11, 12, 13}:
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _find_date(text: str, start: int) -> re.Match[str] | None:
    """The first date after the version."""
    found = [match for pattern in _DATES if (match := pattern.search(text, start))]
    return min(found, key=lambda match: (match.start(), -match.end()), default=None)


def _date_text(title: ReleaseTitle | None) -> str:
    return title.text[title.date] if title is not None and title.date is not None and title.released else ""


def _with_date(pending: ReleaseTitle, version: str, day: str) -> str:
    """The title with this version, and with the day for what stood for it."""
    places = [(pending.version, version), (pending.date, day)]
    text = pending.text
    for place, new in sorted(((one, new) for one, new in places if one), key=lambda pair: -pair[0].start):
        text = text[: place.start] + new + text[place.stop :]
    return text if pending.date else f"{text} - {day}"


def date_line(line: str, today: date) -> str | None:
    """The line below a heading that dates it, as in "Released 2026-01-31", for today; None where it is none."""
    found = _DATE_LINE.fullmatch(line.strip())
    dated = _find_date(line, 0)
    return line[: dated.start()] + format_like(dated[0], today) + line[dated.end() :] if found and dated else None


def is_undated(line: str) -> bool:
    """Whether the line below a heading says that it is not released yet, as in the changelogs of Pallets."""
    return _UNDATED_LINE.fullmatch(line.strip()) is not None


def _is_alike(pending: ReleaseTitle, like: ReleaseTitle | None) -> bool:
    """Whether the title of a release starts as this one, and has a date."""
    if like is None or like.version is None or like.date is None or pending.version is None:
        return False
    return like.text[: like.version.start] == pending.text[: pending.version.start]


def _is_short(text: str) -> bool:
    """Whether a title says nothing more than that: "Next release" is one, "Next releases of the API" is none."""
    rest = _UPCOMING.sub("", text, count=1)
    return not re.search(r"[A-Za-z]{2}", _NO_DATE.sub("", rest))


def _parse(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
