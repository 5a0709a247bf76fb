"""What keeps stray files out of the sdist, in the settings of each build backend.

Observed: setuptools 84.2.1, hatchling 1.33.0, poetry-core 2.5.0, pdm-backend 2.5.0, uv_build 0.13.6, flit_core 4.2.0,
scikit-build-core 1.1.2, 2026-11: each setting but those of meson-python and maturin removes the files from the sdist.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest

from release.checks.archive_warnings import find_leftovers
from release.checks.distributions import CHECKS
from release.checks.engine import run
from release.checks.exclusion_remedies import how_to_exclude
from release.core.facts import BuiltFile, BuiltFiles
from release.core.models.source_tree import BackendSettings, SourceTree
from tests import sample_distributions as sample

STRAYS = [(".idea", True), ("acme/.DS_Store", False)]
#: files of one name in more directories than are listed one by one
MANY = [(f"acme/s{number}/.DS_Store", False) for number in range(5)]


@pytest.mark.parametrize(
    ("backend", "few", "many"),
    [
        (
            "setuptools",
            "MANIFEST.in: prune .idea; exclude acme/.DS_Store",
            "MANIFEST.in: recursive-exclude * .DS_Store",
        ),
        (
            "hatchling",
            '[tool.hatch.build] in pyproject.toml: exclude = [".idea", "acme/.DS_Store"]',
            '= ["**/.DS_Store"]',
        ),
        (
            "poetry-core",
            '[tool.poetry] in pyproject.toml: exclude = [".idea/**/*", "acme/.DS_Store"]',
            '= ["**/.DS_Store"]',
        ),
        (
            "pdm-backend",
            '[tool.pdm.build] in pyproject.toml: excludes = [".idea/**/*", "acme/.DS_Store"]',
            '= ["**/.DS_Store"]',
        ),
        (
            "uv_build",
            '[tool.uv.build-backend] in pyproject.toml: source-exclude = [".idea", "acme/.DS_Store"]',
            '= ["**/.DS_Store"]',
        ),
        (
            "flit_core",
            '[tool.flit.sdist] in pyproject.toml: exclude = [".idea", "acme/.DS_Store"]',
            '= ["**/.DS_Store"]',
        ),
        ("scikit-build-core", 'exclude = [".idea", "acme/.DS_Store"]', '= ["**/.DS_Store"]'),
        ("meson-python", ".gitattributes: .idea export-ignore; acme/.DS_Store", "**/.DS_Store export-ignore"),
    ],
)
def test_the_setting_of_the_backend_is_named(backend: str, few: str, many: str) -> None:
    settings = BackendSettings(name=backend)
    assert few in (how_to_exclude(settings, STRAYS) or "")
    assert many in (how_to_exclude(settings, MANY) or "")


def test_an_exclude_of_the_sdist_replaces_that_of_all_targets() -> None:
    """Hatchling reads [tool.hatch.build] only where the target has no such setting, as for pytest-html 4.2."""
    told = how_to_exclude(BackendSettings(name="hatchling", excluded_from_sdist=("/.github",)), STRAYS) or ""
    assert "[tool.hatch.build.targets.sdist] in pyproject.toml: exclude = " in told


def test_for_an_unknown_backend_no_setting_is_made_up() -> None:
    assert how_to_exclude(BackendSettings(name=""), STRAYS) is None


def test_a_stray_directory_is_one_path() -> None:
    paths = ["a-1/.idea/x.xml", "a-1/.idea/d/y.xml", "a-1/a/.DS_Store", "a-1/a/b.py", "a-1/node_modules/c/d.js"]
    found = find_leftovers("a-1.tar.gz", paths, own="a")
    assert sorted(set(found.values())) == ["a-1/.idea", "a-1/a/.DS_Store", "a-1/node_modules"]


def remedy(tree: SourceTree | None) -> str:
    content = sample.sdist(files={".idea/x.xml": "", ".idea/d/y.xml": "", "notes.orig": ""})
    one = BuiltFile(filename=sample.sdist_name(), open=lambda: io.BytesIO(content), size=len(content), sha256=None)
    facts = BuiltFiles(project=None, files=(one,), now=datetime(2026, 11, 1, tzinfo=UTC), source_tree=tree)
    (outcome,) = (done for done in run(CHECKS, facts) if done.check == "nothing-is-shipped-by-accident")
    (finding,) = outcome.findings
    return finding.remedy


def test_a_release_of_a_known_source_names_the_setting() -> None:
    tree = SourceTree(tracked=frozenset(), backend=BackendSettings(name="hatchling"))
    assert remedy(tree) == 'add it to [tool.hatch.build] in pyproject.toml: exclude = [".idea", "notes.orig"]'


def test_files_without_a_source_have_the_general_remedy() -> None:
    assert remedy(None) == "exclude it in the build backend's configuration"
