"""What signals do in a run: they end it once, and nothing that ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from release.adapters.system import deferred_signals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a process that signals itself ends there")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_each_signal_is_an_interrupt(name: str) -> None:
    before = signal.getsignal(getattr(signal, name))
    with pytest.raises(KeyboardInterrupt), deferred_signals.signals_as_interrupt():
        signal.raise_signal(getattr(signal, name))
    assert signal.getsignal(getattr(signal, name)) == before


def test_signals_in_quick_succession_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    cleaned = 0
    with deferred_signals.signals_as_interrupt():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        for now[0] in (100.1, 100.5, 100.9):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            cleaned += 1
        now[0] = 101.0  # a second later it is a wish of its own
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert cleaned == 3


def test_what_ends_the_run_is_not_interrupted() -> None:
    with deferred_signals.signals_as_interrupt() as interrupts:
        interrupts.end()
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_on_the_way_out_a_signal_keeps_the_status(name: str) -> None:
    code = (
        "import signal; from release.adapters.system.deferred_signals import signals_as_interrupt\n"
        "with signals_as_interrupt() as interrupts: interrupts.exit_with(4)\n"
        f"import gc; gc.collect(); signal.raise_signal(signal.{name})\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False)
    assert done.returncode == 4


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with deferred_signals.signals_as_interrupt():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_within_other_blocks_the_interrupt_is_delivered_as_they_say() -> None:
    arrived: list[str] = []
    with deferred_signals.signals_as_interrupt():
        with deferred_signals.ignored_signals(), deferred_signals.handled_signals(lambda: arrived.append("handled")):
            signal.raise_signal(signal.SIGTERM)

        def finish() -> None:
            with deferred_signals.deferred_signals():
                signal.raise_signal(signal.SIGTERM)
                arrived.append("finished")

        with pytest.raises(KeyboardInterrupt):
            finish()
    assert arrived == ["handled", "finished"]


def test_another_thread_changes_nothing() -> None:
    def inside() -> None:
        with deferred_signals.signals_as_interrupt():
            found.append(signal.getsignal(signal.SIGTERM))

    found: list[object] = []
    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]
