"""The screen: nothing is wider than it, and a secret that a run was given reaches what masks it, and no reader."""

from __future__ import annotations

import pytest

from release.cli.terminal import console
from release.core.events import SecretObtained
from release.core.secret import Secret
from tests.fake_tokens import token


@pytest.mark.parametrize("quiet", [True, False])
@pytest.mark.parametrize("kind", [console.PlainConsole, console.ActionsConsole])
@pytest.mark.parametrize("masks", [True, False])
def test_a_secret_goes_to_what_masks_it_and_nowhere_else(
    kind: type[console.PlainConsole], masks: bool, quiet: bool
) -> None:
    secret, shown, masked = token(), list[str](), list[str]()
    with kind(shown.append, mask=masked.append if masks else None, quiet=quiet) as screen:
        screen.on_event(SecretObtained(secret=Secret(secret)))
    assert masked == ([f"::add-mask::{secret}\n"] if masks else [])
    assert shown == []
