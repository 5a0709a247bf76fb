"""Uploads directories of files as the pipeline does, and nothing else: made to be killed.

python -m tests.stories.half_done

Each line of standard input is one upload, in a process group of its own, forked from this process, which has imported
everything: {"directory": …, "upload_url": …, "simple_url": …, "token": …, "ended": …}. The answer is its process id.
It writes why it failed to the file `ended`, nothing if it did not; where it was killed, there is no such file.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path

from release.adapters.system.system import real_system
from release.core.config import Config
from release.core.models.index import Index
from release.core.plan import Plan, Upload
from release.core.secret import Secret
from release.publishing import journal, prebuilt
from release.publishing.run_resources import RunResources
from tests.uploads import PROJECT, credential

assert sys.platform != "win32", "it forks"

#: what an upload imports in functions
_IMPORTED_LATER = ("charset_normalizer", "decimal", "filelock", "idna", "requests", "stringprep", "urllib3")


def main() -> None:
    for name in _IMPORTED_LATER:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # leaves no zombies
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _upload_and_exit(json.loads(line))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _upload_and_exit(place: dict[str, str]) -> None:
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
    ended = Path(place["ended"])
    written = ended.with_name(f"{ended.name}.part")
    try:
        upload(place)
        written.touch()
    except BaseException:  # noqa: BLE001 - the parent's code must not go on in the child
        written.write_text(traceback.format_exc(), encoding="utf-8")
    written.rename(ended)
    os._exit(0)


def upload(place: dict[str, str]) -> None:
    directory = Path(place["directory"])
    index = Index(name="pypi", upload_url=place["upload_url"], simple_url=place["simple_url"])
    plan = Plan(
        verb="publish", project=PROJECT.name, version="1.0", commit=None, strict=True, steps=(Upload(index="pypi"),)
    )
    files = prebuilt.find_distributions([directory / "wheelhouse"])
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
