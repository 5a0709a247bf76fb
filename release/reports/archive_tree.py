"""The contents of an archive as a tree of text: bounded, however many members there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

#: lines of one tree, and files shown of one directory
_LINES, _FILES = 40, 8


@dataclass(slots=True)
class _Directory:
    directories: dict[str, _Directory] = field(default_factory=dict)
    #: name, bytes
    files: list[tuple[str, int]] = field(default_factory=list)
    #: of all files below
    count: int = 0
    size: int = 0


def tree_lines(members: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Lines for the files of an archive, path and bytes each: as deep as fits, the rest summed up."""
    if not members:
        return
    root = _Directory()
    for path, count in members:
        _add(root, path, count)
    yield f"{_files(root.count)}, {format_size(root.size)} unpacked"
    for depth in (8, 6, 4, 3, 2, 1):
        found = list(_lines(root, depth))
        if len(found) <= _LINES:
            break
    yield from found[:_LINES]
    if len(found) > _LINES:
        yield f"  … and {len(found) - _LINES} more"


def _add(root: _Directory, path: str, count: int) -> None:
    at = root
    *directories, name = path.split("/")
    for part in (None, *directories):
        at = at if part is None else at.directories.setdefault(part, _Directory())
        at.count += 1
        at.size += count
    at.files.append((name, count))


def _lines(at: _Directory, depth: int, indent: str = "  ") -> Iterator[str]:
    for name, below in at.directories.items():
        yield _row(f"{indent}{printable(name)}/", f"{format_size(below.size)} in {_files(below.count)}")
        if depth > 1:
            yield from _lines(below, depth - 1, indent + "  ")
    for name, count in at.files[:_FILES]:
        yield _row(f"{indent}{printable(name)}", format_size(count))
    rest = at.files[_FILES:]
    if rest:
        yield _row(f"{indent}… {_files(len(rest))} more", format_size(sum(count for _, count in rest)))


def _row(name: str, what: str) -> str:
    return f"{name:<56}  {what}"


def _files(count: int) -> str:
    return f"{count} file{'s' if count != 1 else ''}"


def printable(text: str) -> str:
    r"""What comes from an archive may hold anything, commands to a terminal too: they are shown as `\x1b`."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def format_size(count: int) -> str:
    """Bytes for a reader."""
    if count < 1000:  # noqa: PLR2004 - kilo
        return f"{count} bytes"
    return f"{count / 1000:.0f} kB" if count < 1_000_000 else f"{count / 1_000_000:.1f} MB"  # noqa: PLR2004 - mega
