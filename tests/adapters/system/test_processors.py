"""The number of processors respects the affinity of the process, and the quota of its container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from release.adapters.system.processors import usable_processors


@pytest.fixture(autouse=True)
def _eight_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)


@pytest.mark.parametrize(
    ("root", "group", "expected"),
    [
        ("max 100000", None, 8),
        (None, None, 8),
        ("100000 100000", None, 1),
        ("50000 100000", None, 1),
        ("250000 100000", None, 2),
        (None, "300000 100000", 3),
        ("200000 100000", "400000 100000", 2),
        ("none", "1 0", 8),
    ],
)
def test_a_quota_is_respected(tmp_path: Path, root: str | None, group: str | None, expected: int) -> None:
    own = tmp_path / "own"
    own.write_text("1:cpu:/old\n0::/a/b\n")
    (tmp_path / "a" / "b").mkdir(parents=True)
    for directory, text in ((tmp_path, root), (tmp_path / "a" / "b", group)):
        if text is not None:
            (directory / "cpu.max").write_text(f"{text}\n")
    assert usable_processors(tmp_path, own) == expected


@pytest.mark.parametrize(("quota", "expected"), [(-1, 8), (100_000, 1), (250_000, 2)])
def test_a_quota_of_version_1_is_respected(tmp_path: Path, quota: int, expected: int) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text(f"{quota}\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert usable_processors(tmp_path, tmp_path / "missing") == expected


def test_an_unknown_group_is_no_quota(tmp_path: Path) -> None:
    assert usable_processors(tmp_path, tmp_path / "missing") == 8


def test_a_platform_without_affinity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    assert usable_processors(tmp_path, tmp_path / "missing") == 3
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_processors(tmp_path, tmp_path / "missing") == 1
