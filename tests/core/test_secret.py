"""A secret comes out by `reveal` alone."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable

import pytest

from release.core.secret import Secret


@pytest.mark.parametrize(
    "leak",
    [str, "{}".format, "{:>10}".format, lambda s: f"{s}", json.dumps, pickle.dumps,
     copy.copy, copy.deepcopy, lambda s: "a" + s],
)  # fmt: skip
def test_every_careless_use_raises(leak: Callable[[object], object]) -> None:
    with pytest.raises(TypeError) as caught:
        leak(Secret("hunter2"))
    assert "hunter2" not in str(caught.value)


def test_what_may_be_shown_gives_nothing_away() -> None:
    secret = Secret("hunter2")
    assert repr(secret) == "Secret(<7 characters>)"
    assert secret.fingerprint == "f52fbd32"  # sha256sum
    assert secret.reveal() == "hunter2"


def test_equality_is_by_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("\udce9").fingerprint  # text that UTF-8 can't hold
    assert Secret("\udce9") == Secret("\udce9")
    assert Secret("\udce9") != Secret("\udcea")
    assert hash(Secret("a")) != hash(Secret("b"))
