"""A secret that a run was given reaches the CI system that masks it, and no reader."""

from __future__ import annotations

import pytest

from release import lines
from release.adapters import console
from release.model.event import Obtained
from release.model.secret import Secret
from tests.minting import token


@pytest.mark.parametrize("kind", [console.Plain, console.Quiet, console.Silent, console.Actions])
@pytest.mark.parametrize("masks", [True, False])
def test_a_secret_goes_to_what_masks_it_and_nowhere_else(kind: type[console.Plain], masks: bool) -> None:
    secret, shown, masked = token(), list[str](), list[str]()
    with kind(lines.lines, shown.append, mask=masked.append if masks else None) as screen:
        screen.tell(Obtained(secret=Secret(secret)))
    assert masked == ([f"::add-mask::{secret}\n"] if masks else [])
    assert shown == []
