"""The links at the bottom of a changelog that compare each release with the one before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from release.adapters.changelog.release_titles import replace_versions

#: of Markdown, and of reStructuredText
_DEFINITION = re.compile(
    r"(?P<before>[ ]{0,3}\[|\.\. _`?)(?P<label>[^\]`]+?)(?P<after>\]:[ \t]*<?|`?:[ \t]+)(?P<url>\S+?)(?P<end>>?[ \t]*)"
)
_COMPARED = re.compile(r"(?P<start>.*/compare/)(?P<old>.+?)(?P<dots>\.{2,3})(?P<new>.+)")


class _Link(Struct, frozen=True, kw_only=True):
    line: int
    found: re.Match[str]

    def with_url(self, url: str, *, label: str | None = None) -> str:
        found = self.found
        return found["before"] + (label or found["label"]) + found["after"] + url + found["end"]


def update_links(
    lines: Sequence[str], *, renamed: dict[str, str], pending: bool, tag: str, newline: str
) -> tuple[list[str], bool]:
    """The lines with a link for the new version, and whether there were any links.

    `renamed`: version of an earlier release → the one after it, so that the last value is the new version. `pending`:
    whether a section for what is not released stays. `tag`: that of the release, where no link shows how it is spelled.
    """
    links = {link.found["label"].lower(): link for link in _definitions(lines)}
    older, version = list(renamed)[-1] if renamed else "", list(renamed.values())[-1] if renamed else ""
    unreleased = links.get("unreleased")
    last = next((links[name] for name in (older, f"v{older}") if older and name in links), None)
    if version in links or (unreleased is None and last is None):
        return list(lines), bool(links)
    made: list[tuple[int, int, list[str]]] = []  # line, how many lines it replaces, the new ones
    compared = _COMPARED.fullmatch(unreleased.found["url"]) if unreleased else None
    label = f"v{version}" if last and last.found["label"].startswith("v") else version
    if unreleased and compared:
        new_tag = replace_versions(compared["old"], {older: version}) if older and older in compared["old"] else tag
        own = unreleased.with_url(compared["start"] + compared["old"] + compared["dots"] + new_tag, label=label)
        still = unreleased.with_url(compared["start"] + new_tag + compared["dots"] + compared["new"])
        if _is_ascending(links, last) and last is not None and last.line > unreleased.line:
            made += [(last.line + 1, 0, [own]), (unreleased.line, 1, [still] if pending else [])]
        else:
            both = [own, still] if last is not None and last.line < unreleased.line else [still, own]
            made.append((unreleased.line, 1, both if pending else [own]))
    elif last:
        own = last.with_url(replace_versions(last.found["url"], renamed), label=label)
        made.append((last.line + _is_ascending(links, last), 0, [own]))
        if unreleased and not pending:
            made.append((unreleased.line, 1, []))
    changed = list(lines)
    for line, count, new in sorted(made, reverse=True):
        if line and line <= len(changed) and not changed[line - 1].endswith(("\n", "\r")):
            changed[line - 1] += newline
        changed[line : line + count] = [one + newline for one in new]
    return changed, True


def _is_ascending(links: Mapping[str, _Link], last: _Link | None) -> bool:
    """Whether the link of the newest release is below those of earlier ones."""
    numbers = [one.line for label, one in links.items() if re.match(r"v?\d", label)]
    return last is not None and len(numbers) > 1 and last.line == max(numbers)


def _definitions(lines: Sequence[str]) -> Iterator[_Link]:
    for number, line in enumerate(lines):
        if found := _DEFINITION.fullmatch(line.rstrip("\r\n")):
            yield _Link(line=number, found=found)
