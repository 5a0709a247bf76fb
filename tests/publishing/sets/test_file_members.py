"""The members of a set, from the metadata of built files."""

from __future__ import annotations

from pathlib import Path

import pytest

from release.adapters.builds import builder
from release.core.errors import UsageError
from release.core.models.distribution import Distribution
from release.publishing.sets.file_members import members_of_files
from tests.sample_distributions import sdist, sdist_name, wheel, wheel_name


def written(directory: Path, name: str, content: bytes) -> Distribution:
    (directory / name).write_bytes(content)
    return builder.load_distribution(directory / name)


def of(directory: Path, name: str, version: str = "1.0", extra: str = "", *, source: bool = False) -> Distribution:
    if source:
        return written(directory, sdist_name(name, version), sdist(name, version, metadata_extra=extra))
    return written(directory, wheel_name(name, version), wheel(name, version, metadata_extra=extra))


def test_members_are_sorted_and_have_all_their_files(tmp_path: Path) -> None:
    files = [of(tmp_path, "Beta"), of(tmp_path, "alpha", source=True), of(tmp_path, "alpha")]
    first, second = members_of_files(files)
    assert (first.name, first.version, second.name) == ("alpha", "1.0", "Beta")
    assert [one.filename for one in first.files] == sorted(one.filename for one in files[1:])
    assert members_of_files([]) == ()


def test_requirements_of_all_files_count_each_once(tmp_path: Path) -> None:
    """An sdist may leave out what its wheel has (PEP 643)."""
    files = [
        of(tmp_path, "alpha", extra="Requires-Dist: beta\nRequires-Dist: gamma; extra == 'x'\n"),
        of(tmp_path, "alpha", extra="Requires-Dist: beta\n", source=True),
    ]
    (member,) = members_of_files(files)
    assert member.requires == ("beta", "gamma; extra == 'x'")


def test_a_private_project_is_named_as_one(tmp_path: Path) -> None:
    (private,) = members_of_files([of(tmp_path, "alpha", extra="Classifier: Private :: Do Not Upload\n")])
    assert (private.private, private.private_by) == (True, "classifier 'Private :: Do Not Upload'")
    (public,) = members_of_files([of(tmp_path, "beta", extra="Classifier: Topic :: Private :: No\n")])
    assert (public.private, public.private_by) == (False, "")


def test_two_versions_of_a_project_are_no_set(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the files of 'alpha' have several versions: '.*', '.*'"):
        members_of_files([of(tmp_path, "alpha"), of(tmp_path, "alpha", "1.1")])
    assert len(members_of_files([of(tmp_path, "alpha"), of(tmp_path, "alpha", "1.0.0", source=True)])) == 1


@pytest.mark.parametrize(
    "text", ["Name: -alpha\nVersion: 1.0\n", "Name: alpha\nVersion: one\n", "Name: alpha\n", "Version: 1.0\n"]
)
def test_a_file_without_a_name_or_version_cannot_be_ordered(tmp_path: Path, text: str) -> None:
    broken = wheel("alpha", files={"alpha-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\n{text}"})
    with pytest.raises(UsageError, match="has no valid name and version") as wrong:
        members_of_files([written(tmp_path, wheel_name("alpha"), broken)])
    assert "pypi-preflight inspect" in wrong.value.remedy
