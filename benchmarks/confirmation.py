"""Compare `confirm` of a release with 100 wheels with a bare client that downloads and hashes them.

Both ask the same embedded index, which is slowed down: 50 ms round-trip time, 20 MB/s per connection. The bare client
is requests with four kept-alive connections: it reads the project page, downloads each file and hashes it, and nothing
else. `confirm` runs as users run it: it also compares the pages, inspects the files, and installs the wheel for this
interpreter into a clean environment, where it is imported.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.table import Row, process, ratio
from release.core.child_environment import without_credentials
from release.sandbox.fault_json import fault_to_json
from release.sandbox.faults import Fault, Slow

NAME, VERSION = "acme-widget", "1.0"
COUNT, SIZE, ROUNDS = 100, 1_000_000, 5
SLOW = Fault(what=Slow(connection=0.05, answer=0.05, down=20_000_000))
METADATA = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\nSummary: A widget.\n"

BARE = """
import hashlib, sys, threading
from concurrent.futures import ThreadPoolExecutor
import requests

page, local = sys.argv[1], threading.local()

def session():
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.trust_env = False
    return local.session

def fetch(file):
    digest = hashlib.sha256()
    with session().get(file["url"], stream=True) as answer:
        answer.raise_for_status()
        for chunk in answer.iter_content(1 << 16):
            digest.update(chunk)
    return digest.hexdigest() == file["hashes"]["sha256"]

listing = session().get(page, headers={"Accept": "application/vnd.pypi.simple.v1+json"}).json()
with ThreadPoolExecutor(4) as pool:
    good = list(pool.map(fetch, listing["files"]))
assert len(good) == int(sys.argv[2]) and all(good)
"""


def wheel(number: int) -> tuple[str, bytes]:
    """Make a valid wheel with incompressible content."""
    tag = f"py3-none-manylinux_2_{number + 10}_x86_64"
    info = f"acme_widget-{VERSION}.dist-info"
    members: dict[str, bytes] = {
        "acme_widget/__init__.py": b"",
        "acme_widget/data.bin": os.urandom(SIZE),
        f"{info}/METADATA": METADATA.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{name},,\n" for name in [*members, f"{info}/RECORD"])
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in {**members, f"{info}/RECORD": record.encode()}.items():
            archive.writestr(name, data)
    return f"acme_widget-{VERSION}-{tag}.whl", content.getvalue()


@contextmanager
def index(directory: Path, faults: Sequence[Fault] = ()) -> Iterator[dict[str, Any]]:
    """Run an index that stores its files in a directory; yield its URLs and tokens."""
    world = directory / "world.json"
    world.write_text(json.dumps({"faults": [fault_to_json(one) for one in faults]}))
    words = [sys.executable, "-m", "release", "sandbox", "--world", str(world), "--state", str(directory / "state")]
    running = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert running.stdout is not None
        yield json.loads(running.stdout.readline())
    finally:
        running.terminate()
        running.wait()


def upload(place: dict[str, Any]) -> None:
    """Upload all wheels."""
    import requests

    with requests.Session() as session:
        session.auth = ("__token__", place["tokens"]["account"])
        for filename, content in map(wheel, range(COUNT)):
            fields = {
                ":action": "file_upload", "protocol_version": "1", "metadata_version": "2.1", "name": NAME,
                "version": VERSION, "summary": "A widget.", "filetype": "bdist_wheel", "pyversion": "py3",
                "sha256_digest": hashlib.sha256(content).hexdigest(),
            }  # fmt: skip
            session.post(place["upload_url"], data=fields, files={"content": (filename, content)}).raise_for_status()


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with index(directory) as place:
            upload(place)
        with index(directory, [SLOW]) as place:
            config = directory / "preflight.toml"
            config.write_text(
                "[tool.release.indexes.pypi]\n"
                f'upload-url = "{place["upload_url"]}"\nsimple-url = "{place["simple_url"]}"\n'
            )
            env = without_credentials(os.environ)
            words = ["confirm", f"{NAME}=={VERSION}", "--config", str(config), "--directory", str(directory)]
            ours = process([str(Path(sys.executable).with_name("pypi-preflight")), *words], env=env)
            peer = process([sys.executable, "-c", BARE, f"{place['simple_url']}{NAME}/", str(COUNT)], env=env)
            work = f"`confirm` of {COUNT} wheels of {SIZE / 1e6:g} MB, with the clean install"
            yield ratio(
                Row(work=work, goal=1.2, peer="downloading and hashing them, four at a time"), ours, peer, ROUNDS
            )
