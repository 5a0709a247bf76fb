"""Two builds of one source: the differing member and field are named, and the kind of difference."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from release.checks import reproducibility
from release.checks.engine import run
from release.core.facts import BuiltFile, BuiltFiles
from tests.acceptance.making import NOW, SDIST, WHEEL
from tests.stories.project import make


def file(name: str, content: bytes) -> BuiltFile:
    return BuiltFile(filename=name, size=len(content), sha256=None, open=lambda: io.BytesIO(content))


def tar(
    content: bytes = b"x",
    *,
    time: int = 1,
    gzip_time: int = 0,
    mode: int = 0o644,
    names: tuple[str, ...] = ("d/a", "d/b"),
) -> bytes:
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=gzip_time) as stream,
        tarfile.open(fileobj=stream, mode="w") as to,
    ):
        for name in names:
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), time, mode
            to.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def wheel(content: bytes = b"x", *, year: int = 2020, level: int = 6) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as to:
        to.writestr(zipfile.ZipInfo("a.py", (year, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED, level)
    return buffer.getvalue()


PACKED, OTHER = (
    "a second build gives the same contents, packed differently: ",
    "a second build gives different contents: ",
)


@pytest.mark.parametrize(
    ("name", "first", "second", "message"),
    [
        (SDIST, tar(), tar(), None),
        (SDIST, tar(), tar(gzip_time=9), f"{PACKED}gzip time of the archive"),
        (SDIST, tar(), tar(time=2), f"{PACKED}time of 'd/a', time of 'd/b'"),
        (SDIST, tar(), tar(mode=0o600, time=2), f"{PACKED}time of 'd/a', mode of 'd/a', time of 'd/b' and 1 more"),
        (SDIST, tar(), tar(names=("d/b", "d/a")), f"{PACKED}the order of the members"),
        (SDIST, tar(), tar(b"y", gzip_time=9), f"{OTHER}content of 'd/a', content of 'd/b'"),
        (SDIST, tar(), tar(names=("d/a",)), f"{OTHER}'d/b' is in only one of them"),
        (WHEEL, wheel(), wheel(year=2021), f"{PACKED}time of 'a.py'"),
        (WHEEL, wheel(), wheel(b"y", year=2021), f"{OTHER}content of 'a.py'"),
        (WHEEL, wheel(b"xyz" * 999, level=1), wheel(b"xyz" * 999, level=9), f"{PACKED}the compression"),
    ],
)
def test_a_difference_is_named(name: str, first: bytes, second: bytes, message: str | None) -> None:
    """Contents count more than times, owners and order."""
    facts = BuiltFiles(project=None, files=(file(name, first),), now=NOW, second_build=(file(name, second),))
    messages = [finding.message for outcome in run(reproducibility.OF_BUILDS, facts) for finding in outcome.findings]
    assert messages == ([message] if message else [])


@pytest.mark.network
def test_both_are_looked_at_where_the_configuration_says_so(tmp_path: Path) -> None:
    """hatchling is reproducible; an sdist that lacks data gives another wheel than the tree."""
    more = (
        "[tool.release]\nreproducible = true\nwheel-from-tree = true\n"
        '[tool.hatch.build.targets.sdist]\nexclude = ["data.json"]\n'
    )
    project = make(tmp_path, more=more)
    project.write("acme_widget/data.json", "{}")
    project.commit()
    told = project.run("rehearse", "--json")
    assert told.status == 0, told.all
    checks = {one["check"]: one for one in told.data["checks"]}
    assert checks["the-build-is-reproducible"]["state"] == "passed"
    assert "'acme_widget/data.json'" in checks["the-wheel-is-the-same-from-the-tree"]["findings"][0]["message"]
    assert "'acme_widget/data.json'" in checks["the-sdist-has-what-git-has"]["findings"][0]["message"]
