"""What a pattern of `expected` that no file matches was probably meant to be."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from release.core.models.file_list import SDIST, matches
from release.core.similar_words import closest_words
from release.core.wheel_tags import expand_tags

#: what tags are made of. Source: packaging 26.4, `packaging/tags.py`; PEP 425, 600, 656, 730, 738, 783
_WORDS = frozenset(
    [
        "any",
        "none",
        "abi3",
        "abi3t",
        "cp",
        "py",
        "pp",
        "ip",
        "jy",
        "graalpy",
        "linux",
        "manylinux",
        "musllinux",
        "macosx",
        "win",
        "win32",
        "win_amd64",
        "win_arm64",
        "amd64",
        "arm64",
        "x86_64",
        "x86",
        "i686",
        "i386",
        "aarch64",
        "armv7l",
        "armv6l",
        "ppc64le",
        "ppc64",
        "s390x",
        "riscv64",
        "loongarch64",
        "universal2",
        "universal",
        "intel",
        "ios",
        "iphoneos",
        "iphonesimulator",
        "android",
        "arm64_v8a",
        "armeabi_v7a",
        "pyodide",
        "pyemscripten",
        "emscripten",
        "wasm32",
    ]
)
#: how similar a misspelt word is to the right one
_CLOSE = 0.75


def suggest_pattern(pattern: str, uncovered: Collection[str]) -> str | None:
    """A pattern of the same form that covers one of the files `uncovered`; None where none is close.

    Another Python version, platform or architecture is not misspelt: its wheel is missing.
    """
    for candidate in _candidates(pattern, uncovered):
        if candidate != pattern and any(matches(candidate, name) for name in uncovered):
            return candidate
    return None


def _candidates(pattern: str, uncovered: Collection[str]) -> Iterator[str]:
    if closest_words(pattern.lower(), [SDIST, "source", "tar.gz"], likeness=_CLOSE):
        yield SDIST
        return
    for one in dict.fromkeys((pattern, _respelt(pattern, uncovered))):
        yield one
        yield from _completed(one)


def _completed(pattern: str) -> Iterator[str]:
    """The pattern with the parts of a tag that it lacks: `cp311-manylinux*`, `cp311`."""
    parts = pattern.split("-")
    if len(parts) == 2:  # noqa: PLR2004 - Python and platform
        yield "-*-".join(parts)
    if not pattern.endswith("*"):
        yield f"{pattern}*" if "-" in pattern else f"{pattern}-*"


def _respelt(pattern: str, uncovered: Collection[str]) -> str:
    """The pattern with each unknown word replaced by the closest word of the files' tags."""
    words = {word for name in uncovered for tag in expand_tags(name) for word in _words_of(tag)}
    return re.sub(r"[^*?\[\]-]+", lambda found: _closest(found[0], words), pattern.lower())


def _words_of(tag: str) -> Iterator[str]:
    """The parts of a tag, and the words of its platform."""
    yield from tag.split("-")
    platform = tag.rpartition("-")[2]
    if found := re.fullmatch(r"([a-z]+?)(\d*(?:_\d+)*)_([a-z].*)", platform):
        yield from (found[1], found[3], f"{found[1]}_")


def _closest(text: str, words: Collection[str]) -> str:
    """The word that differs in letters only; the text itself if it is known, or none is close."""
    if text.strip("_") in _WORDS or text in words or re.fullmatch(r"(?:cp|pp|py)\d+t?", text):
        return text
    alike = [word for word in words if re.sub(r"\D", "", word) == re.sub(r"\D", "", text)]
    return next(iter(closest_words(text, alike, likeness=_CLOSE)), text)
