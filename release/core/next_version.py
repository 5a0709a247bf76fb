"""Propose the version of the next release: from what the user wishes, from the commits, or from the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from release.core.calendar_version import (
    CalendarForm,
    find_calendar_form,
    next_calendar_version,
    raise_counter,
)
from release.core.conventional_commits import CommitLevel, describe_level, highest_level
from release.core.errors import UsageError
from release.core.models.preparation import Bump, CommitSummary, EarlierVersion, Proposal
from release.core.similar_words import did_you_mean
from release.core.tag_form import is_comparable
from release.core.version_parts import (
    PARTS,
    Part,
    Phase,
    final_release,
    first_pre_release,
    is_before_release,
    next_dev_release,
    next_post_release,
    next_pre_release,
    raise_part,
)
from release.core.version_spelling import spell_like

Word = Literal["major", "minor", "patch", "pre", "alpha", "beta", "rc", "final", "post", "dev"]

#: the words for a next version, besides the version itself
WORDS: tuple[Word, ...] = ("major", "minor", "patch", "pre", "alpha", "beta", "rc", "final", "post", "dev")
#: the version of a project that has none
FIRST_VERSION = Version("0.1.0")
_SYNONYMS: dict[str, Word] = {"a": "alpha", "b": "beta", "prerelease": "pre", "stable": "final", "micro": "patch"}
_PHASES: dict[Word, Phase] = {"alpha": "a", "beta": "b", "rc": "rc"}


class _State(Struct, frozen=True, kw_only=True):
    """What a proposal starts from."""

    #: of the project's files; of the newest release where they state none, or an older one
    current: Version | None
    #: the newest that is released
    newest: Version | None
    #: the newest first
    released: tuple[EarlierVersion, ...]
    #: where the versions have the date
    form: CalendarForm | None
    commits: Sequence[CommitSummary]
    today: date

    @property
    def is_current_released(self) -> bool:
        return self.current is not None and self.current == self.newest


def propose_version(
    current: Version | None,
    commits: Sequence[CommitSummary],
    wish: str | None,
    *,
    today: date,
    released: Sequence[EarlierVersion] = (),
) -> Proposal:
    """The next version.

    `current`: what the project's files state; None where it is derived from tags. `commits`: since the last release,
    the newest first. `wish`: one of `WORDS`, a version ("1.2.0", "v1.2.0"), or None for what the history asks for.
    `released`: the versions of the tags that are reachable from the commit, and of the index where it was asked, in any
    order; without those of later series, where an earlier one is maintained.

    Raises `UsageError` where the wish is neither a word nor a version, and where the version would not be newer.
    """
    versions = sorted(_comparable(current, released), key=lambda pair: pair[0])
    newest = versions[-1][0] if versions else None
    known = max(filter(None, (current, newest)), default=None)
    newest_first = tuple(one for _, one in reversed(versions))
    state = _State(
        current=known, newest=newest, released=newest_first, commits=commits, today=today,
        form=None if known is None else find_calendar_form(known, newest_first, today),
    )  # fmt: skip
    word = _word(wish)
    if wish is not None and word is None:
        return _given(state, wish)
    version, bump, reason = _propose(state, word)
    _require_newer(state, version, str(word or "the proposal"))
    return Proposal(version=version, text=_spell(state, version), bump=bump, reason=reason)


def _comparable(current: Version | None, released: Sequence[EarlierVersion]) -> list[tuple[Version, EarlierVersion]]:
    """The released versions of the same series, unless there is none: a date that was released once is another one."""
    known = [(version, one) for one in released if (version := _parse(one.text))]
    alike = [pair for pair in known if current is None or is_comparable(pair[0], current)]
    return alike or known


def _propose(state: _State, word: Word | None) -> tuple[Version, Bump | None, str]:
    current = state.current
    if current is None:
        return _first(word)
    if state.form is not None and (found := _of_calendar(state, current, state.form, word)):
        return found
    if word is None:
        return _from_history(state, current)
    reason = f"{word!r} of {current}"
    match word:
        case "major" | "minor" | "patch":
            return raise_part(current, word), word, reason
        case "pre" | "alpha" | "beta" | "rc":
            return _pre_release(state, current, _PHASES.get(word)), "pre", reason
        case "final":
            return final_release(current), "final", reason
        case "post":
            return next_post_release(current), "post", reason
        case "dev":
            return next_dev_release(current), "dev", reason


def _of_calendar(
    state: _State, current: Version, form: CalendarForm, word: Word | None
) -> tuple[Version, Bump | None, str] | None:
    """The next calendar version; None for what is the same as for other versions."""
    reason = f"versions are dates, and today is {state.today:%Y-%m-%d}"
    following = next_calendar_version(form, current, state.today)
    match word:
        case "major" | "minor" if word == "major" or not form.is_yearly:
            raise UsageError(
                f"{word!r} does not apply to versions that are dates, such as {current}",
                remedy="pypi-preflight prepare",
            )
        case "patch" if not form.is_yearly:
            return raise_counter(form, current), "patch", f"'patch' of {current}"
        case "pre" | "alpha" | "beta" | "rc" if not is_before_release(current):
            base = following or raise_part(current, "minor")
            return first_pre_release(base, _PHASES.get(word, "rc"), first=_first_number(state)), "pre", reason
        case "dev" if not is_before_release(current):
            return Version(f"{following or raise_part(current, 'minor')}.dev1"), "dev", reason
        case None if following is not None:
            if state.is_current_released or following.release[: form.length] > current.release[: form.length]:
                return following, "calendar", reason
            if not form.is_yearly:
                return final_release(current), None, f"{current} is not released yet"
    return None


def _first(word: Word | None) -> tuple[Version, Bump | None, str]:
    """The first version of a project without any."""
    reason = "no release yet"
    match word:
        case None | "minor" | "final":
            return FIRST_VERSION, None, reason
        case "major" | "patch":
            return raise_part(Version("0.0.0"), word), word, reason
        case "pre" | "alpha" | "beta" | "rc":
            return first_pre_release(FIRST_VERSION, _PHASES.get(word, "rc")), "pre", reason
        case "dev":
            return Version(f"{FIRST_VERSION}.dev1"), "dev", reason
        case "post":
            raise UsageError(
                "'post' needs a version that is released", remedy=f"pypi-preflight prepare {FIRST_VERSION}"
            )


def _from_history(state: _State, current: Version) -> tuple[Version, Bump | None, str]:
    """What the commits since the last release ask for, by Conventional Commits where the history has them."""
    if state.newest is None:
        version = final_release(current) if is_before_release(current) else current
        return version, None, "no release yet"
    part, reason = _part_of_history(state)
    if state.is_current_released or is_before_release(current):
        final = is_before_release(current) and raise_part(current, part) == final_release(current)
        return raise_part(current, part), "final" if final else part, reason
    needed = raise_part(state.newest, part)
    if needed > current:
        return needed, part, reason
    return current, None, f"{current} is not released yet"


def _part_of_history(state: _State) -> tuple[Part, str]:
    """The part that the commits raise, and why; without Conventional Commits the last one, at most the third."""
    found = highest_level(state.commits)
    if found is not None:
        part = _allowed(found, state)
        return part, describe_level(found, breaking=found.level == "major")
    why = "the commits do not follow Conventional Commits" if state.commits else "no commits since the last release"
    parts = max((len(version.release) for one in state.released if (version := _parse(one.text))), default=3)
    last = PARTS[min(parts, len(PARTS)) - 1]
    return last, f"{why}: a {last} release"


def _allowed(found: CommitLevel, state: _State) -> Part:
    """The part for a level: a breaking change is a minor release before 1.0, and where the first part is the year.

    Source: Semantic Versioning 2.0.0, rule 4.
    """
    version = state.newest or state.current
    early = version is not None and version.epoch == 0 and version.release[0] == 0
    return "minor" if (early or state.form is not None) and found.level == "major" else found.level


def _pre_release(state: _State, current: Version, phase: Phase | None) -> Version:
    """The next pre-release: of the release that the current one leads to, or of the one that the commits ask for.

    Without Conventional Commits it is one of the next minor version: a fix rarely has pre-releases.
    """
    first = _first_number(state)
    if is_before_release(current):
        found = next_pre_release(current, phase, first=first)
        if found is None:
            raise UsageError(
                f"{phase}{first} of {final_release(current)} would not be newer than {current}",
                remedy="pypi-preflight prepare pre",
            )
        return found
    if state.newest is not None and not state.is_current_released:  # the files state the next version already
        return first_pre_release(current, phase or "rc", first=first)
    level = highest_level(state.commits)
    part = _allowed(level, state) if level and level.commit else "minor"
    return first_pre_release(raise_part(current, part), phase or "rc", first=first)


def _first_number(state: _State) -> int:
    """The number of a first pre-release: 1, or 0 where the project counts so."""
    earlier = (_parse(one.text) for one in state.released)
    return 0 if any(one.pre[1] == 0 for one in earlier if one and one.pre) else 1


def _given(state: _State, wish: str) -> Proposal:
    """The version that the user gave."""
    typed = wish.strip()
    try:
        version = Version(typed)
    except InvalidVersion:
        raise UsageError(
            f"{wish!r} is neither a version nor one of {', '.join(WORDS)}{did_you_mean(typed.lower(), WORDS)}",
            remedy="pass a version such as 1.2.0, or one of these words",
        ) from None
    if version.local is not None:
        raise UsageError(
            f"{wish!r} has a local part, which PyPI does not accept",
            remedy=f"pypi-preflight prepare {version.public}",
        )
    _require_newer(state, version, repr(wish))
    plain = typed.lower().removeprefix("v")
    text = plain if plain[:1].isdigit() and not version.is_prerelease else _spell(state, version)
    return Proposal(version=version, text=text, bump=None, reason="given on the command line")


def _require_newer(state: _State, version: Version, what: str) -> None:
    """A release needs a version that is newer than every released one; the current one may lead to it."""
    current = state.current
    if current is None or (version > current):
        return
    leads_there = (
        state.newest is not None
        and version > state.newest
        and (version.release == current.release or current.is_devrelease)
    )
    if not state.is_current_released and (version == current or leads_there):
        return
    where = "which is released" if state.is_current_released else "the project's version"
    subject = f"{what}: {version}" if what != repr(str(version)) else what
    raise UsageError(
        f"{subject} is not newer than {current}, {where}",
        remedy=f"pypi-preflight prepare {_newer(state, current)}",
    )


def _newer(state: _State, current: Version) -> Version:
    """The next version, for a remedy."""
    if state.form is None:
        return raise_part(current, "patch")
    return next_calendar_version(state.form, current, state.today) or raise_counter(state.form, current)


def _spell(state: _State, version: Version) -> str:
    text = spell_like(version, [one.text for one in state.released])
    return text if _parse(text) == version else str(version)


def _word(wish: str | None) -> Word | None:
    word = (wish or "").strip().lower()
    return next((one for one in WORDS if one == word), _SYNONYMS.get(word))


def _parse(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
