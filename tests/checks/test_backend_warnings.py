"""Files that the configuration declares and the build does not find: loud below a package, silent elsewhere."""

from __future__ import annotations

import io

import pytest

from release.checks import backend_warnings
from release.checks.engine import run
from release.core.facts import BuiltFile, BuiltFiles
from release.core.models.source_tree import DeclaredFile, SourceTree
from tests.acceptance.making import NOW, SDIST, WHEEL, sdist, wheel_members, zipped

TABLE = "src/acme_widget/data/table.dat"


def reported(*warnings: str, declared: tuple[str, ...] = (), members: tuple[str, ...] = ()) -> list[str]:
    """The messages, for a wheel of the package acme_widget with further `members`."""
    content = wheel_members() | dict.fromkeys(("acme_widget/__init__.py", *members), b"")
    files = tuple(
        BuiltFile(filename=name, size=len(data), sha256=None, open=lambda data=data: io.BytesIO(data))  # type: ignore[misc]
        for name, data in ((SDIST, sdist()), (WHEEL, zipped(content)))
    )
    tree = SourceTree(
        tracked=frozenset({"src/acme_widget/__init__.py"}),
        declared=tuple(DeclaredFile(path=path, setting="MANIFEST.in") for path in declared),
    )
    facts = BuiltFiles(project=None, files=files, now=NOW, source_tree=tree, backend_warnings=warnings)
    (outcome,) = run(backend_warnings.CHECKS, facts)
    assert not outcome.state.blocks, outcome
    return [f"{one.message} → {one.remedy}" for one in outcome.findings]


def test_a_declared_file_that_git_ignores_is_named() -> None:
    """What setuptools prints about it is the consequence."""
    found = reported("no files found matching 'src/acme_widget/data/*.dat'", declared=(TABLE,))
    message = f"declared by MANIFEST.in, but not tracked by git, so the release is built without it: {TABLE!r}"
    assert found == [f"{message} → add it to git: git add --force {TABLE}; or remove it from MANIFEST.in"]


@pytest.mark.parametrize(
    ("path", "members"),
    [(TABLE, ("acme_widget/data/table.dat",)), ("notes.txt", ()), ("docs/a.txt", ()), ("tests/data/a.dat", ())],
)
def test_what_is_shipped_or_outside_the_packages_is_silent(path: str, members: tuple[str, ...]) -> None:
    """A build may make the file; a stray line about the root of the project does no harm."""
    assert reported(declared=(path,), members=members) == []


@pytest.mark.parametrize(
    "text",
    [
        "no files found matching 'src/acme_widget/data/*.dat'",
        "no files found matching '*.txt' under directory 'src/acme_widget/data'",
        "no directories found matching 'src/acme_widget/data'",
        "Package 'acme_widget.data' is absent from the `packages` configuration",
        "file src/gone.py (for module gone) not found",
    ],
)
def test_what_the_backend_reports_below_a_package_is_shown(text: str) -> None:
    (found,) = reported(text)
    assert found.startswith(f"the build backend reports: {text}")


@pytest.mark.parametrize(
    "text",
    [
        "no files found matching 'HISTORY.rst'",
        "no files found matching '*.zzz' anywhere in distribution",
        "no files found matching '*.png' under directory 'docs'",
        "no files found matching '*.h' under directory 'src/acme_widget'",
        "no files found matching '*.json' under directory 'src/acme_widget/tests'",
        "Package 'acme_widget.assets' is absent from the `packages` configuration",
        "Package 'acme_widget.tests' is absent from the `packages` configuration",
    ],
)
def test_harmless_reports_are_silent(text: str) -> None:
    """Old lines of MANIFEST.in, sources of compiled code, and data directories that setuptools ships all the same."""
    assert reported(text, members=("acme_widget/assets/a.json",)) == []


def test_one_pattern_of_several_for_a_directory_may_match_nothing() -> None:
    """`recursive-include alembic/templates *.mako README *.py *.pyi`: the other patterns match."""
    text = "no files found matching '*.pyi' under directory 'src/acme_widget/data'"
    assert reported(text, members=("other/src/acme_widget/data/a.json",)) == []
    assert len(reported(text, members=("other/src/acme_widget/database.json",))) == 1
