"""Raise a version: by a part, to its final release, or to the next pre-, post- or development release.

Observed: `uv version --bump` of uv 0.13.9, `hatch version` of hatch 1.18.2, `poetry version` of poetry 2.5.1, `bumpver`
2026.1132, 2026-11. They agree on final versions, on epochs, and on the number of parts (minor of 1.2 is 1.3, of 1.2.3.4
1.3.0.0; patch of 1.2 is 1.2.1). Where they differ:

- patch of 1.2.0rc1 is 1.2.0 here and in poetry (as in npm), 1.2.1 in uv and hatch: a pre-release is not the release.
- the first pre-release is rc1 here and in uv, rc0 in hatch and bumpver, a0 in poetry.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from packaging.version import Version

Part = Literal["major", "minor", "patch"]
Phase = Literal["a", "b", "rc"]

PARTS: tuple[Part, ...] = ("major", "minor", "patch")


def raise_part(version: Version, part: Part) -> Version:
    """The next version that differs in `part`; a pre-release leads to its final release if that does."""
    at = PARTS.index(part)
    release = list(version.release) + [0] * (at + 1 - len(version.release))
    if is_before_release(version) and (part == "patch" or not any(release[at + 1 :])):
        return final_release(version)
    release[at] += 1
    return make_version(version.epoch, [*release[: at + 1], *(0 for _ in release[at + 1 :])])


def final_release(version: Version) -> Version:
    """The release that a pre-release or a development release leads to: 1.2.0 of 1.2.0rc1 and of 1.2.0.dev3."""
    return make_version(version.epoch, version.release)


def next_pre_release(version: Version, phase: Phase | None, *, first: int = 1) -> Version | None:
    """The next pre-release of the same release, in `phase` or its own; None if that would not be newer.

    1.2.0a1 leads to 1.2.0a2, to 1.2.0b1 with "b". 1.2.0a2.dev1 leads to 1.2.0a2.
    """
    if not is_before_release(version):
        return None
    own = version.pre or (phase or "rc", first - 1 if version.pre is None else 0)
    phase = phase or _phase(own[0])
    number = first
    if version.pre and phase == own[0]:
        number = own[1] if version.is_devrelease and version.post is None else own[1] + 1
    found = make_version(version.epoch, version.release, f"{phase}{number}")
    return found if found > version else None


def first_pre_release(release: Version, phase: Phase = "rc", *, first: int = 1) -> Version:
    return make_version(release.epoch, release.release, f"{phase}{first}")


def next_post_release(version: Version) -> Version:
    number = 1 if version.post is None else version.post if version.is_devrelease else version.post + 1
    pre = "".join(map(str, version.pre)) if version.pre else ""
    return make_version(version.epoch, version.release, f"{pre}.post{number}")


def next_dev_release(version: Version) -> Version:
    """The next development release: of the next patch, where `version` is a release itself."""
    if version.dev is not None:
        return Version(f"{version.public.rpartition('.dev')[0]}.dev{version.dev + 1}")
    return Version(f"{_after(version)}.dev1")


def is_before_release(version: Version) -> bool:
    """Whether a version comes before the release that its numbers name."""
    return version.pre is not None or (version.is_devrelease and version.post is None)


def make_version(epoch: int, release: Sequence[int], rest: str = "") -> Version:
    start = f"{epoch}!" if epoch else ""
    return Version(f"{start}{'.'.join(map(str, release))}{rest}")


def _after(version: Version) -> Version:
    if version.pre is not None:
        return next_pre_release(version, None) or final_release(version)
    return raise_part(version, "patch")


def _phase(letter: str) -> Phase:
    return "a" if letter == "a" else "b" if letter == "b" else "rc"
