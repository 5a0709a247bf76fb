"""Uploads a directory of files as the pipeline does, and nothing else: made to be killed.

python -m tests.stories.half_done DIRECTORY < '{"upload_url": …, "simple_url": …, "token": …}'
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from release.adapters.system.system import real_system
from release.core.config import Config
from release.core.models.index import Index
from release.core.plan import Plan, Upload
from release.core.secret import Secret
from release.publishing import build, journal
from release.publishing.run_resources import RunResources
from tests.uploads import PROJECT, credential


def main() -> None:
    directory, place = Path(sys.argv[1]), json.load(sys.stdin)
    index = Index(name="pypi", upload_url=place["upload_url"], simple_url=place["simple_url"])
    plan = Plan(
        verb="publish", project=PROJECT.name, version="1.0", commit=None, strict=True, steps=(Upload(index="pypi"),)
    )
    files = build.find_distributions([directory / "wheelhouse"])
    log = journal.for_release(directory, version="1.0", commit=None)
    with (
        journal.lock_project(directory),
        RunResources(
            system=real_system(), notify=lambda _: None, plan=plan, config=Config(), expected=len(files)
        ) as delivery,
    ):
        delivery.use_credential("pypi", credential(Secret(place["token"])), None)
        delivery.upload(index, PROJECT, files, log, approve=lambda: None, check=lambda _: None)


if __name__ == "__main__":
    main()
