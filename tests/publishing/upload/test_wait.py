"""An index that shows a file some time after it took it, with a clock that only moves while somebody waits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from release.adapters.system import system
from release.core.events import Event, Progress
from release.core.models.index import ProjectListing
from release.publishing import remote_release
from release.sandbox import server
from release.sandbox.faults import Fault, Stale
from release.sandbox.seed import seed_for_project
from tests.sandbox.sandbox_client import SandboxClient
from tests.uploads import PROJECT, Clock


@pytest.mark.parametrize(("lag", "within", "seen"), [(60, 1800.0, True), (60, 20.0, False), (0, 0.0, True)])
def test_a_page_that_lags_is_waited_for(tmp_path: Path, lag: float, within: float, seen: bool) -> None:
    clock, told = Clock(), list[Event]()
    here = replace(system.real_system(), sleep=clock.sleep, now=clock.now)
    with server.start_sandbox(seed_for_project(PROJECT.name), clock=clock.now) as pypi:
        taken = SandboxClient(sandbox=pypi).upload()
        assert taken.line == "200 OK"
        path = tmp_path / "acme_widget-1.0-py3-none-any.whl"
        pypi.inject(Fault(what=Stale(seconds=lag)))
        found = remote_release.wait_until_listed(
            here, told.append, pypi.index(), PROJECT, {path.name}, within=within
        ).listing
    assert (isinstance(found, ProjectListing) and found.file(path.name) is not None) == seen
    assert (lag <= clock.passed < lag + 31) if seen else (within <= clock.passed < within + 31)
    assert all(isinstance(one, Progress) and one.unit == "seconds" for one in told)
    assert bool(told) == (clock.passed > 0)
