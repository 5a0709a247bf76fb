"""Descriptions are rendered by many threads at once, where warnings are errors, and none of them breaks."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator

import pytest

from release.acceptance import rst_rendering


@pytest.fixture
def restless() -> Iterator[None]:
    """Threads that change places as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restless")
def test_threads_that_render_do_not_meet_the_warnings_of_each_other() -> None:
    rst_rendering.render_rst("warm")
    broken: list[str] = []

    def render(thread: int) -> None:
        for number in range(15):
            try:
                rst_rendering.render_rst(f".. <unknown-directive>::\n\n{thread} {number}\n")
            except rst_rendering.RendererBrokeError as error:
                broken.append(repr(error.__cause__))

    threads = [threading.Thread(target=render, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert broken == []
