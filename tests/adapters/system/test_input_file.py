"""A file that may never end is refused before it is opened."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from release.adapters.system.input_file import open_input
from release.adapters.system.program_output import load_log
from release.adapters.system.system import real_system
from release.core.errors import UsageError
from release.leaks import search
from release.publishing.inspection import inspect_files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither these devices nor named pipes")


def test_files_and_open_pipes_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with open_input(tmp_path / "a") as stream:
        assert stream.read() == b"x"
    read, write = os.pipe()
    os.write(write, b"y")
    os.close(write)
    with open_input(Path(f"/dev/fd/{read}")) as stream:
        assert stream.read() == b"y"
    os.close(read)


@pytest.mark.parametrize("kind", ["device", "link", "pipe"])
def test_devices_and_named_pipes_are_refused(tmp_path: Path, kind: str) -> None:
    path = Path("/dev/zero") if kind == "device" else tmp_path / "acme-1.0.tar.gz"
    if kind == "link":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)  # type: ignore[attr-defined,unused-ignore]
    words = "it is a pipe" if kind == "pipe" else "it is a device"
    with pytest.raises(UsageError, match=words):
        search.scan_paths(real_system(), tmp_path, [path])
    with pytest.raises(UsageError, match=words):
        inspect_files(real_system(), [path])
    with pytest.raises(UsageError, match=words):
        load_log(str(path))
