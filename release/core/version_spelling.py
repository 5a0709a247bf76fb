"""Spell versions as a project spells them: `2026.06.04`, `1.0.0-rc.1`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from packaging.version import Version

from release.core.lazy_pattern import lazy_pattern

#: "1.0.0-rc.1": the separators, and the name of the phase
_PRE_RELEASE = lazy_pattern(
    r"\d(?P<before>[-_.]?)(?P<phase>alpha|beta|preview|pre|rc|a|b|c)(?P<inside>[-_.]?)", re.IGNORECASE
)
_PHASES = {"alpha": "a", "beta": "b", "preview": "rc", "pre": "rc", "c": "rc"}


def spell_like(version: Version, spellings: Sequence[str]) -> str:
    """A version in the spelling of earlier ones, the newest first: with zeros (`2026.06.04`), and their pre-releases.

    What the earlier ones do not show is spelled as PEP 440 normalizes it.
    """
    numbers = "_" if any(re.match(r"\d+_\d", text) for text in spellings[:1]) else "."
    release = numbers.join(_pad(number, at, spellings) for at, number in enumerate(version.release))
    epoch = f"{version.epoch}!" if version.epoch else ""
    phase = ""
    if version.pre:
        phase = _pre_release(*version.pre, spellings)
    rest = str(version).partition("".join(map(str, version.pre)))[2] if version.pre else ""
    if not version.pre:
        rest = str(version).removeprefix(epoch).removeprefix(".".join(map(str, version.release)))
    return f"{epoch}{release}{phase}{rest}"


def _pad(number: int, at: int, spellings: Sequence[str]) -> str:
    """A part of the version, with as many zeros as the last one below ten had."""
    for text in spellings:
        parts = re.match(r"(?:\d+!)?(\d+(?:[._]\d+)*)", text)
        part = re.split(r"[._]", parts[1])[at : at + 1] if parts else []
        if part and int(part[0]) < 10:  # noqa: PLR2004 - numbers that can have a leading zero
            return str(number).zfill(len(part[0]))
    return str(number)


def _pre_release(phase: str, number: int, spellings: Sequence[str]) -> str:
    """A pre-release in the spelling of the last one; "alpha" stands for "a" where "beta" stood for "b"."""
    for text in spellings:
        if found := _PRE_RELEASE.search(text):
            words = {"a": "alpha", "b": "beta"} if len(found["phase"]) > 1 and found["phase"] != "rc" else {}
            if _PHASES.get(found["phase"].lower(), found["phase"].lower()) == phase:
                words = {phase: found["phase"]}
            return f"{found['before']}{words.get(phase, phase)}{found['inside']}{number}"
    return f"{phase}{number}"


def spell_as_semver(version: Version, earlier: str = "") -> str | None:
    """A version in the form of Semantic Versioning, as Cargo and npm require it: 1.2.0-rc.1 of 1.2.0rc1.

    `earlier`: a version whose pre-releases it follows ("1.2.0-rc1", "1.2.0-beta.1"). None for a version that cannot be
    spelled so: of more than three parts, or with an epoch. Source: Semantic Versioning 2.0.0, rules 2 and 9.
    """
    numbers = [*version.release, 0, 0][: max(3, len(version.release))]
    if version.epoch or len(numbers) > 3:  # noqa: PLR2004 - major, minor, patch
        return None
    pre = _pre_release(*version.pre, [earlier, "1.0.0-alpha.1"]).lstrip("-._") if version.pre else ""
    rest = (
        pre,
        *(f"{name}.{getattr(version, name)}" for name in ("post", "dev") if getattr(version, name) is not None),
    )
    return "-".join(filter(None, (".".join(map(str, numbers)), ".".join(filter(None, rest)))))
