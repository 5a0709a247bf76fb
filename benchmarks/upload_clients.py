"""The clients that `benchmarks.upload` times, each run as a process of its own: `python -m benchmarks.upload_clients`.

The first argument is the client, "ours" or "bare"; the second a JSON file with the index's URLs and token, and the
files with what the checks before an upload know: path, SHA-256 and size.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

NAME, VERSION = "acme-widget", "1.0"


def bare(place: dict[str, Any], files: Sequence[dict[str, Any]]) -> None:
    """Hash and send each file with requests, the first one alone and then four at a time; nothing else."""
    import hashlib
    from concurrent.futures import ThreadPoolExecutor

    import requests
    from requests_toolbelt import MultipartEncoder

    local = threading.local()

    def send(file: dict[str, Any]) -> None:
        if not hasattr(local, "session"):
            local.session = requests.Session()
            local.session.auth = ("__token__", place["tokens"]["account"])
        path = Path(file["path"])
        with path.open("rb") as stream:
            fields = {
                ":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1", "name": NAME,
                "version": VERSION, "summary": "A widget.", "filetype": "bdist_wheel", "pyversion": "py3",
                "sha256_digest": hashlib.file_digest(stream, "sha256").hexdigest(),
            }  # fmt: skip
            stream.seek(0)
            form = MultipartEncoder({**fields, "content": (path.name, stream, "application/octet-stream")})
            answer = local.session.post(place["upload_url"], data=form, headers={"Content-Type": form.content_type})
        answer.raise_for_status()

    with ThreadPoolExecutor(4) as pool:
        pool.submit(send, files[0]).result()
        list(pool.map(send, files[1:]))


def ours(place: dict[str, Any], files: Sequence[dict[str, Any]]) -> None:
    """Start the workers as a run does before its first step, then send the files as its upload step does.

    The garbage collector has the settings of the program.
    """
    import gc
    import os
    import tempfile

    from pypi_preflight.command_line import collect_seldom

    collect_seldom()
    from release.adapters.twine.twine_starter import TwineStarter

    starter = TwineStarter(os.environ, several=len(files) > 2)  # the first is sent alone
    from release.core.config import UploadSettings
    from release.publishing.upload.workers import UploadWorkers

    count = max(1, min(UploadSettings().concurrency, len(files) - 1))
    with tempfile.TemporaryDirectory() as scratch, starter, UploadWorkers(starter) as workers:
        workers.grow(count)
        from release.core.models.distribution import Distribution

        upload = engine(place, Path(scratch), workers)
        upload.run([Distribution(path=Path(one["path"]), sha256=one["sha256"], size=one["size"]) for one in files])
    gc.freeze()  # as at the end of `command_line.main`


def engine(place: dict[str, Any], directory: Path, workers: Any) -> Any:
    """Make the upload engine of a release, without the checks before it."""
    from release.adapters import collect
    from release.core.facts import ProjectMetadata
    from release.core.models.credential import Credential
    from release.core.models.index import Index
    from release.core.models.secret_location import SandboxToken
    from release.core.secret import Secret
    from release.publishing import journal
    from release.publishing.upload.uploader import Uploader

    origin = SandboxToken()
    credential = Credential(
        username="__token__", username_origin=origin, password=Secret(place["tokens"]["account"]), origin=origin
    )
    where = Index(name="sandbox", upload_url=place["upload_url"], simple_url=place["simple_url"], ephemeral=True)
    return Uploader(
        index=where, project=ProjectMetadata(name=NAME, version=VERSION), notify=lambda _event: None, workers=workers,
        journal=journal.for_release(directory, version=VERSION, commit=None),
        credential=lambda: credential,
        fetch_listing=partial(collect.collect_listing, where, NAME, fresh=True, retries=0),
    )  # fmt: skip


if __name__ == "__main__":
    task = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    {"ours": ours, "bare": bare}[sys.argv[1]](task["place"], task["files"])
