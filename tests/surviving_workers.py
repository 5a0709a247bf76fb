"""No worker's end swallows the report: its test fails by name, another worker goes on with the rest.

A test that takes too long is interrupted by a signal. Where the signal comes between two steps of pytest, that is an
internal error of the worker, after which pytest-xdist 3.8 ends without a summary, and without what was left to run. A
worker that dies is replaced. Where it dies just before it is asked to give tests to another one, that is an internal
error of pytest-xdist's own.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import Any

import pytest
from _pytest._code.code import ExceptionRepr

#: the test that this process runs, or ran last
_running: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Let pytest-xdist notice that a worker is gone by the event of its end, not by the command that fails before."""
    if config.pluginmanager.hasplugin("xdist"):
        controller: Any = import_module("xdist.workermanage").WorkerController
        send = controller.sendcommand

        def send_if_there(node: object, name: str, **options: object) -> None:
            with suppress(OSError):
                send(node, name, **options)

        controller.sendcommand = send_if_there  # it has no option for it
        config.add_cleanup(partial(setattr, controller, "sendcommand", send))


def pytest_runtest_logstart(nodeid: str) -> None:
    """Note what is running. Before that, an internal error is one of the collection, and each worker would have it."""
    _running[:] = [nodeid]


@pytest.hookimpl(tryfirst=True)
def pytest_internalerror(excrepr: ExceptionRepr) -> None:
    """End a worker at once, with the stack on standard error, so that pytest-xdist reports its test and replaces it."""
    if "PYTEST_XDIST_WORKER" in os.environ and _running:
        print(f"\ninternal error in {_running[0]}:\n{excrepr}", file=sys.__stderr__, flush=True)
        os._exit(70)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take minutes: no worker starts one when the others are at their end."""
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)
