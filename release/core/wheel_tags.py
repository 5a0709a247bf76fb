"""What the file names of a release say: the tags of its wheels, their platforms, and a summary of many files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from release.core.time_text import format_count

#: rows of a table of platforms
_FEWEST, _ROWS = 2, 15
#: characters of one of its lines
_WIDTH = 72
_PARTS = 3


def expand_tags(filename: str) -> tuple[str, ...]:
    """Each tag of a wheel, "cp311-cp311-win_amd64", in the order of its name; empty for any other file.

    Source: PEP 425, "Compressed Tag Sets".
    """
    parts = _tag_parts(filename)
    if parts is None:
        return ()
    pythons, abis, platforms = (part.split(".") for part in parts)
    return tuple(f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms)


def _tag_parts(filename: str) -> tuple[str, str, str] | None:
    """The compressed Python, ABI and platform tags of a wheel, lower case; None for any other file."""
    if not filename.endswith(".whl"):
        return None
    parts = filename.removesuffix(".whl").lower().rsplit("-", _PARTS)
    return (parts[1], parts[2], parts[3]) if len(parts) > _PARTS else None


def platform_family(filename: str) -> str | None:
    """The platform of a wheel without versions: "linux x86_64", "macosx arm64", "win_amd64"; None for a pure wheel."""
    tag = filename.removesuffix(".whl").rpartition("-")[2].partition(".")[0]
    if tag == "any" or not filename.endswith(".whl"):
        return None
    for pattern, family in ((r"manylinux(?:1|2010|2014|_\d+_\d+)_(.+)", "linux"), (r"musllinux_\d+_\d+_(.+)", "musl")):
        if found := re.fullmatch(pattern, tag):
            return f"{family} {found[1]}"
    if found := re.fullmatch(r"(macosx|ios|android)_\d+(?:_\d+)?_(.+)", tag):
        return f"{found[1]} {found[2]}"
    return tag


def python_of_wheel(filename: str) -> str | None:
    """The Python that a wheel is for: "cp313", "cp313t" (free-threaded), "cp39-abi3", "py3"; None for other files."""
    parts = _tag_parts(filename)
    if parts is None:
        return None
    python, abi, _ = parts
    if abi in {"abi3", "abi3t"}:
        return f"{python}-{abi}"
    return abi if abi.startswith(f"{python}t") else python


def summarize_files(filenames: Collection[str]) -> str:
    """How many files of which kinds: "97 wheels for 5 Pythons and 20 platforms, 1 sdist"."""
    wheels = [name for name in filenames if _tag_parts(name) is not None]
    others = len(filenames) - len(wheels)
    texts = [_wheels_to_text(wheels)] if wheels else []
    return ", ".join([*texts, *([format_count(others, "sdist")] if others else [])])


def _wheels_to_text(wheels: Collection[str]) -> str:
    count = format_count(len(wheels), "wheel")
    cells = {(python_of_wheel(name), platform_family(name)) for name in wheels}
    pythons, platforms = ({cell[place] for cell in cells} for place in (0, 1))
    if len(wheels) == 1 or platforms == {None}:
        return count
    is_full = len(cells) == len(wheels) == len(pythons) * len(platforms) and len(pythons) > 1 < len(platforms)
    names = [format_count(len(pythons), "Python"), format_count(len(platforms), "platform")]
    return f"{count} for {(' × ' if is_full else ' and ').join(names)}"  # noqa: RUF001 - a product


def platforms_to_lines(filenames: Iterable[str]) -> Iterator[str]:
    """The Pythons that there are wheels for, a line for each platform: "linux x86_64: cp311 cp312".

    Nothing for one platform alone.
    """
    found: dict[str, list[str]] = {}
    for name in filenames:
        if (python := python_of_wheel(name)) is not None:
            found.setdefault(platform_family(name) or "any platform", []).append(python)
    if len(found) < _FEWEST:
        return
    shown = dict(sorted(found.items())[: _ROWS if len(found) <= _ROWS else _ROWS - 1])
    yield from _rows(shown)
    if len(found) > len(shown):
        rest = [pythons for platform, pythons in found.items() if platform not in shown]
        yield f"{len(rest)} more platforms: {format_count(sum(map(len, rest)), 'wheel')}"


def _rows(found: Mapping[str, Collection[str]]) -> Iterator[str]:
    margin = max(map(len, found), default=0) + 1
    for platform, pythons in found.items():
        names = sorted(set(pythons), key=_order)
        text = f"{platform + ':':<{margin}} {' '.join(names)}"
        if len(text) > _WIDTH:
            text = f"{platform + ':':<{margin}} {len(names)} Pythons, {names[0]} to {names[-1]}"
        yield text


def _order(python: str) -> tuple[str, int, int, str]:
    """`cp39` before `cp310`."""
    found = re.match(r"([a-z]+)(\d)(\d*)", python)
    return (found[1], int(found[2]), int(found[3] or 0), python) if found else (python, 0, 0, python)
