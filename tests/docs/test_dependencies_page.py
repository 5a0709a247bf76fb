"""The page of dependencies lists what pyproject.toml requires and what is really installed."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks import installed
from tests.docs.markdown_pages import DOCS, ROOT, read

PAGE = DOCS / "reference" / "dependencies.md"
ADDED, SHARED, OPTIONAL = "What it adds", "What the tools bring", "What is optional"


def table(heading: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    section = read(PAGE).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def project() -> Any:
    return tomllib.loads(read(ROOT / "pyproject.toml"))["project"]


def required() -> dict[str, Requirement]:
    return {canonicalize_name(one.name): one for one in map(Requirement, project()["dependencies"])}


def test_the_page_has_every_requirement_and_no_other() -> None:
    listed = [named(row[0])[0] for heading in (ADDED, SHARED) for row in table(heading)]
    assert len(listed) == len(set(listed))
    brought = {named(row[0])[0] for row in table(ADDED) if row[1] != "itself"}
    assert set(listed) - brought - {"pypi-preflight"} == set(required())
    assert set(installed.TOOLS) <= {named(row[0])[0] for row in table(SHARED)}


def test_the_page_says_what_brings_each_of_the_others() -> None:
    """By the metadata of what is installed here."""
    for row in table(ADDED) + table(SHARED):
        (name,) = named(row[0])
        for by in named(row[1]):
            one = Requirement(by)
            extras = one.extras or {""}
            needs = [Requirement(text) for text in importlib.metadata.requires(one.name) or []]
            active = {
                canonicalize_name(need.name)
                for need in needs
                if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras)
            }
            # filelock comes with virtualenv, which nox requires
            deeper = {
                canonicalize_name(Requirement(text).name)
                for need in active
                for text in importlib.metadata.requires(need) or []
            }
            assert name in active | deeper, (name, by)


def test_the_page_has_every_extra() -> None:
    listed = sorted((named(row[0])[0], named(row[1])[0]) for row in table(OPTIONAL))
    extras: dict[str, list[str]] = project()["optional-dependencies"]
    assert listed == sorted((extra, Requirement(text).name) for extra, texts in extras.items() for text in texts)


def test_each_has_a_reason() -> None:
    for heading in (ADDED, SHARED, OPTIONAL):
        assert table(heading)
        assert all(len(row) == 3 and len(row[2]) > 8 for row in table(heading))


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
def test_the_size_of_an_environment_counts_files_and_not_links(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "module.py").write_bytes(b"x" * 700)
    (tmp_path / "lib64").symlink_to("lib", target_is_directory=True)
    (tmp_path / "python").symlink_to("lib/module.py")
    assert installed.size_of(tmp_path) == 700


@pytest.mark.slow
@pytest.mark.network
def test_the_page_has_what_is_installed_over_the_tools() -> None:
    base, ours = installed.environments()
    assert sorted(ours.names - base.names) == sorted(named(row[0])[0] for row in table(ADDED))
    assert len(ours.names - base.names) <= installed.DISTRIBUTIONS
    assert (ours.size - base.size) / 1e6 <= installed.MEGABYTES
    assert {named(row[0])[0] for row in table(SHARED)} <= base.names
