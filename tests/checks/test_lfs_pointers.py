"""A Git LFS pointer is refused where a user would get it; a file about pointers is none."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from release.checks import distributions, lfs_pointers
from release.checks.distribution_reader import inspect_built_files
from release.checks.engine import run
from release.core.facts import BuiltFile, BuiltFiles
from release.core.models.check_result import CheckState, Outcome
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name

HEAD = "version https://git-lfs.github.com/spec/v1\n"
OID = f"oid sha256:{'8e' * 32}\n"
POINTER = f"{HEAD}{OID}size 48605698\n"
NAME = "no-git-lfs-pointer-is-shipped"


def checked(filename: str, content: bytes) -> Outcome:
    file = BuiltFile(filename=filename, size=len(content), sha256=None, open=lambda: io.BytesIO(content))
    built = BuiltFiles(project=None, files=(file,), now=datetime(2026, 11, 1, tzinfo=UTC))
    (found,) = (one for one in run(distributions.CHECKS, built) if one.check == NAME)
    return found


@pytest.mark.parametrize(
    "pointer",
    [
        POINTER,
        POINTER.replace("\n", "\r\n"),
        POINTER.rstrip("\n"),
        f"{HEAD}ext-0-foo sha256:{'aa' * 32}\n{OID}size 1\n",
        POINTER.replace("git-lfs.github", "hawser.github"),
    ],
    ids=["plain", "windows", "no line break at its end", "extension", "of 2014"],
)
@pytest.mark.parametrize("path", ["acme_widget/model.bin", "acme_widget/tests/data/a.npz", "acme_widget/code.py"])
def test_a_pointer_in_a_wheel_is_refused(pointer: str, path: str) -> None:
    found = checked(wheel_name(), wheel(files={path: pointer}))
    assert found.state is CheckState.FAILED
    (finding,) = found.findings
    assert finding.message == f"1 file is a Git LFS pointer without the content: '{path}'"
    assert "git lfs install && git lfs pull" in finding.remedy
    assert "lfs: true" in finding.remedy
    assert finding.where == wheel_name()


def test_many_pointers_are_counted_and_the_first_are_named() -> None:
    files = {f"acme_widget/{number}.bin": POINTER for number in range(8)}
    (finding,) = checked(wheel_name(), wheel(files=files)).findings
    assert finding.message.startswith("8 files are Git LFS pointers without the content: 'acme_widget/0.bin', ")
    assert finding.message.endswith(" and 3 more")


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"acme_widget/model.bin": POINTER}, CheckState.FAILED),
        ({"src/acme/tests/x.bin": POINTER, "src/acme/__init__.py": ""}, CheckState.FAILED),
        ({"weights.bin": POINTER}, CheckState.FAILED),
        ({"tests/a.bin": POINTER, "acme_widget/model.bin": POINTER}, CheckState.FAILED),
        ({"tests/data/a.bin": POINTER}, CheckState.WARNED),
        ({"docs/logo.png": POINTER, "python/Tests/a.bin": POINTER}, CheckState.WARNED),
    ],
)
def test_in_an_sdist_it_counts_where_it_is(files: Mapping[str, str], state: CheckState) -> None:
    found = checked(sdist_name(), sdist(files=dict(files)))
    assert found.state is state
    assert len(found.findings) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"# {POINTER}",
        f"\n{POINTER}",
        HEAD,
        f"{HEAD}{OID}",
        f"{HEAD}size 3\n",
        HEAD.replace("v1", "v12") + OID + "size 3\n",
        POINTER + "x" * 2000,
        f'POINTER = """{POINTER}"""\n',
        "version 1\noid sha256:00\nsize 3\n",
        "",
    ],
)
def test_a_file_that_only_mentions_pointers_is_none(text: str) -> None:
    for found in (
        checked(wheel_name(), wheel(files={"acme_widget/x.txt": text, "acme_widget/y.py": text})),
        checked(sdist_name(), sdist(files={"acme_widget/x.txt": text})),
    ):
        assert found.state is CheckState.PASSED


def test_the_visitor_of_the_file_gets_every_piece() -> None:
    seen = []
    search = lfs_pointers.PointerSearch(lambda *piece: seen.append(piece))
    content = wheel(files={"acme_widget/x.bin": POINTER})
    file = BuiltFile(filename=wheel_name(), size=1, sha256=None, open=lambda: io.BytesIO(content), visit=search)
    inspect_built_files(BuiltFiles(project=None, files=(file,), now=datetime(2026, 11, 1, tzinfo=UTC)))
    assert ("acme_widget/x.bin", POINTER.encode(), False) in seen


def test_a_later_piece_of_a_large_file_is_no_pointer() -> None:
    search = lfs_pointers.PointerSearch(None)
    search("a.txt", b"x" * 4096, True)
    search("a.txt", POINTER.encode(), False)
    search("b.txt", POINTER.encode(), True)
    search("b.txt", b"", False)
    assert search._found == []
