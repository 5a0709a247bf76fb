"""Every way of stating a version: its places are found, and writing another one changes nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from release.adapters.builds import builder
from release.adapters.project_version import find_version, write_version
from release.adapters.system.system import real_system
from release.core.models.preparation import DerivedFromTags, VersionPlace
from tests.adapters.project_version.sample_projects import SAMPLES, Sample


def create(directory: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(text.encode())
    return directory


def find(directory: Path) -> tuple[VersionPlace, ...] | DerivedFromTags:
    file = directory / "pyproject.toml"
    return find_version(directory, tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {})


def found(directory: Path) -> tuple[str, ...]:
    places = find(directory)
    assert isinstance(places, tuple)
    return tuple(f"{place.path}:{place.line} {place.setting}" for place in places)


def rewrite(directory: Path, version: str) -> None:
    places = find(directory)
    assert isinstance(places, tuple)
    for edit in write_version(directory, places, version):
        assert edit.after is not None
        (directory / edit.path).write_bytes(edit.after)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_each_kind(tmp_path: Path, sample: Sample) -> None:
    create(tmp_path, sample.files)
    assert found(tmp_path) == sample.places
    rewrite(tmp_path, "1.2.0")
    assert found(tmp_path) == sample.places
    changed = {line.split(":")[0] for line in sample.places}
    for path, text in sample.files.items():
        after = (tmp_path / path).read_bytes().decode()
        assert (after != text) == (path in changed)
        assert len(after) == len(text)
        assert sum(a != b for a, b in zip(after, text, strict=True)) == sum(
            place.startswith(f"{path}:") for place in sample.places
        ), "one digit at each place"


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.parametrize("version", ["1.2.0", "1.2.0rc1"])
@pytest.mark.parametrize("sample", [one for one in SAMPLES if one.requires], ids=lambda sample: sample.id)
def test_the_backend_reads_what_is_written(tmp_path: Path, sample: Sample, version: str) -> None:
    create(tmp_path, sample.files)
    rewrite(tmp_path, version)
    assert builder.build_metadata(real_system(), tmp_path)["version"] == version
