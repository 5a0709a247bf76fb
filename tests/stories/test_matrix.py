"""A matrix of a hundred wheels from a dozen machines: judged as one release, uploaded, killed and resumed."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.sample_distributions import fields, form, metadata, sdist, sdist_name, wheel, wheel_name, zipped
from tests.stories.project import Indexes, UserProject, files_on, indexes, posts, release_table

PYTHONS = ("cp310-cp310", "cp311-cp311", "cp312-cp312", "cp313-cp313", "cp313-cp313t")
PLATFORMS = (
    *(f"manylinux_2_28_{arch}" for arch in ("x86_64", "aarch64", "i686", "ppc64le", "s390x", "armv7l", "riscv64")),
    *(f"musllinux_1_2_{arch}" for arch in ("x86_64", "aarch64", "i686", "ppc64le", "s390x", "armv7l", "riscv64")),
    *("macosx_11_0_arm64", "macosx_10_13_x86_64", "win_amd64", "win32", "win_arm64", "ios_13_0_arm64_iphoneos"),
)
CONFIG = """\
[tool.release]
expected = ["sdist", "cp31?-*-manylinux*", "*-musllinux*", "*-win*", "*-macosx*", "*-ios*"]
upload = { concurrency = 1 }
"""
PUBLISH = ("publish", "--yes", "--config", "preflight.toml", "--files", "dist")


def tagged(directory: Path, tag: str, *, build: str = "", version: str = "1.0", **more: Any) -> Path:
    """A wheel with these tags, whose bytes no other wheel has."""
    directory.mkdir(parents=True, exist_ok=True)
    name = wheel_name(version=f"{version}{build and f'-{build}'}", tag=tag)
    (directory / name).write_bytes(
        wheel(version=version, tag=tag, files={"acme_widget.py": f"TAG = {tag + build!r}\n"}, **more)
    )
    return directory / name


@contextmanager
def matrix(tmp_path: Path) -> Iterator[tuple[Indexes, UserProject]]:
    """A hundred wheels and an sdist in twelve directories, as actions/download-artifact makes them."""
    with indexes() as on:
        machine = UserProject(root=tmp_path / "job", home=tmp_path / "home")
        machine.root.mkdir()
        machine.home.mkdir()
        machine.write("preflight.toml", CONFIG + release_table(on))
        machine.credentials(on)
        for number, platform in enumerate(PLATFORMS):
            for python in PYTHONS:
                tagged(machine.root / "dist" / f"part-{number % 12}", f"{python}-{platform}")
        (machine.root / "dist" / "part-0" / sdist_name()).write_bytes(sdist())
        yield on, machine


def send(index: Any, content: bytes, name: str) -> None:
    """Upload a file as another uploader does."""
    body, kind = form(fields(content, name, pyversion="cp311"), filename=name, content=content)
    token = index.tokens["account"].reveal()
    response = requests.post(
        index.upload_url, data=body, headers={"Content-Type": kind}, auth=("__token__", token), timeout=240
    )
    assert response.ok, response.reason


def hashes(machine: UserProject) -> dict[str, str]:
    files = (path for path in (machine.root / "dist").glob("*/*") if path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_hundred_wheels_are_judged_before_the_first_is_sent(tmp_path: Path) -> None:
    """What is wrong with any of them is listed in one go, and no request goes to the address for uploads."""
    with matrix(tmp_path) as (on, machine):
        dist, part = machine.root / "dist", machine.root / "dist" / "part-11"
        listed = "".join(f"{digest}  dist/{name}\n" for name, digest in hashes(machine).items())
        machine.write("SHA256SUMS", listed)
        tagged(part, "cp313-cp313-win_arm64", metadata_extra="Classifier: Framework :: Nonexistent\n")
        again = tagged(part, "cp312-cp312-win32", build="1")
        old = tagged(part, "cp312-cp312-macosx_11_0_arm64", version="0.9")
        tagged(part, "cp39-cp39-manylinux_2_28_x86_64")
        twice = tagged(part, "cp310-cp310-win_amd64", metadata_extra="License: MIT\n")
        content = {"PKG-INFO": metadata("acme-widget", "1.0"), "pyproject.toml": "", "acme_widget.py": ""}
        (part / "acme_widget-1.0.zip").write_bytes(zipped({f"acme_widget-1.0/{k}": v for k, v in content.items()}))
        gone = list(dist.glob("*/*ios*"))
        for path in gone:
            path.rename(tmp_path / path.name)

        other = wheel(tag="cp311-cp311-win32")  # other bytes of a wheel, which the index has
        send(on.pypi, other, wheel_name(tag="cp311-cp311-win32"))
        sent = len(on.pypi.log)

        told = machine.run(*PUBLISH, "--require-complete", "SHA256SUMS")
        assert told.status == 1, told.all
        assert {one.method for one in on.pypi.log[sent:]} == {"GET"}
        for words in (
            "Nonexistent",
            "the release has another sdist",
            "pypi has 'acme_widget-1.0-cp311-cp311-win32.whl' with different content",
            f"'dist/part-11/{again.name}' and 'dist/",
            "both have the tag cp312-cp312-win32",
            f"the files belong to 2 releases: acme-widget 0.9 ('{old.name}'), acme-widget 1.0",
            f"'dist/part-11/{twice.name}' and 'dist/",
            f"/{twice.name}' differ in their bytes",
            "no file matches '*-ios*', which `expected` in [tool.release] names",
            "5 files of 'SHA256SUMS' are missing",
            *(repr(path.name) for path in gone),
            "4 files are not in 'SHA256SUMS'",
            "is not the file of 'SHA256SUMS': its SHA-256 is",
        ):
            assert words in told.out, (words, told.out)
        assert "check the credentials" not in told.out


def test_a_hundred_wheels_are_uploaded_once_although_the_run_is_killed(tmp_path: Path) -> None:
    with matrix(tmp_path) as (on, machine):
        names = sorted(hashes(machine))
        with subprocess.Popen(
            [sys.executable, "-m", "release", *PUBLISH], cwd=machine.root, env=machine.environment(),
            stdout=subprocess.DEVNULL, start_new_session=True,
        ) as process:  # fmt: skip
            while len(posts(on.pypi)) < 40 and process.poll() is None:
                time.sleep(0.005)
            os.killpg(process.pid, signal.SIGKILL)  # type: ignore[attr-defined,unused-ignore]
        first = files_on(on.pypi)
        assert 0 < len(first) < 101

        told = machine.run(*PUBLISH)
        assert told.status == 0, told.all
        assert "100 wheels for 5 Pythons × 20 platforms, 1 sdist, from 12 directories" in told.out  # noqa: RUF001
        there = re.search(r"pypi has (\d+) of 101 files, (\d+) left to upload", told.out)
        assert there, told.out
        assert int(there[1]) >= len(first)
        assert int(there[1]) + int(there[2]) == 101
        assert files_on(on.pypi) == hashes(machine)
        accepted = [one.filename for one in posts(on.pypi) if one.status == 200]
        assert sorted(accepted) == names
        assert max(map(len, told.out.splitlines())) < 160
