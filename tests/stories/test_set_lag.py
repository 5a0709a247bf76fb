"""A level of a set begins once the index lists the level before; meanwhile, nobody else releases the set."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

from release.sandbox.faults import Fault, RequestFilter, Stale
from tests.stories.project import Told, UserProject, files_on, indexes, posts
from tests.stories.workspace import DIAMOND, seed_for, workspace

NAMES = ("acme-core", "acme-http")


def test_a_level_waits_for_the_listing_and_a_second_run_is_refused(tmp_path: Path) -> None:
    with indexes(test=seed_for(NAMES, exist=True), real=seed_for(NAMES, exist=True)) as on:
        stale = Fault(what=Stale(seconds=4), when=RequestFilter(path="/simple/acme-core/", nth=(1, None)))
        on.pypi.inject(stale)
        project = workspace(tmp_path, DIAMOND[:2], on)
        project.credentials(on)
        told: list[Told] = []
        first = threading.Thread(
            target=lambda: told.append(project.run("set", "release", "--yes", "--dry-run-on", "sandbox"))
        )
        first.start()
        while first.is_alive() and not posts(on.pypi):
            time.sleep(0.05)
        second = project.run("set", "release", "--yes")
        assert second.status == 1
        assert "another run of the set is in progress" in second.err
        alone = _release_one(project)
        assert alone.status == 1
        assert "another run is in progress" in alone.err
        first.join()
        assert told[0].status == 0, told[0].all
        sent = [(one.filename, one.time) for one in posts(on.pypi) if one.status == 200]
        assert len(sent) == len({name for name, _ in sent}) == 4, "each file once, by the first run alone"
        core, http = ([at for name, at in sent if str(name).startswith(start)] for start in ("acme_core", "acme_http"))
        assert (min(http) - max(core)).total_seconds() >= 4
        assert all(len(files_on(on.pypi, name)) == 2 for name in NAMES)


def _release_one(project: UserProject) -> Told:
    place, config = project.root / "packages" / "acme-core", project.root / "pyproject.toml"
    return project.command(sys.executable, "-m", "release", "release", "--yes", "--config", str(config), cwd=place)
