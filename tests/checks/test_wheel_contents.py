"""A wheel that installs nothing, and those that only look like it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import pytest

from release.checks import wheel_contents
from release.checks.engine import run
from release.core.facts import BuiltFiles
from release.core.models.check_result import CheckState, Outcome
from release.core.models.source_tree import SourceTree
from tests import sample_distributions as samples
from tests.acceptance.making import NOW
from tests.checks.test_distributions import file

NONE: Mapping[str, str | None] = {"acme_widget.py": None}
REQUIRES = "Requires-Dist: six\n"


def outcome(
    members: Mapping[str, str | None], *, sdist: Mapping[str, str | None] | None = None, more: str = "",
    tracked: Sequence[str] | None = None, name: str = "acme-widget",
) -> Outcome:  # fmt: skip
    stem = samples.stem(name)
    members = {f"{stem}.py": None, **members}
    wheel = samples.wheel(name, files=members, metadata_extra=more)
    files = [file(samples.wheel_name(name), wheel)]
    if sdist is not None:
        sample = samples.sdist(name, files={f"{stem}.py": None, "setup.py": "", **sdist}, metadata_extra=more)
        files.append(file(samples.sdist_name(name), sample))
    source = None if tracked is None else SourceTree(tracked=frozenset(tracked))
    built = BuiltFiles(project=None, files=tuple(files), now=NOW, source_tree=source)
    return list(run(wheel_contents.CHECKS, built))[-1]


@pytest.mark.parametrize(
    "members",
    [
        {"acme_widget.py": ""},
        {"acme/__init__.py": ""},
        {"acme/deep/module.py": ""},
        {"acme/_ext.cpython-311-x86_64-linux-gnu.so": ""},
        {"acme-stubs/__init__.pyi": ""},
        {"acme_widget-1.0.data/scripts/acme": "#!/bin/sh"},
        {"acme_widget-1.0.data/data/share/acme/table.dat": "x"},
        {"acme_widget-1.0.data/purelib/acme/__init__.py": ""},
        {"acme_widget-1.0.dist-info/entry_points.txt": "[console_scripts]\nacme = six:main\n"},
        {"acme.pth": "import six"},
    ],
)
def test_there_is_something_to_import_or_run(members: Mapping[str, str | None]) -> None:
    assert outcome(members, sdist={"src/acme/__init__.py": ""}).state == CheckState.PASSED


@pytest.mark.parametrize(
    ("members", "sdist", "more", "words"),
    [
        ({}, None, "", "has nothing to import or run"),
        ({}, {"acme_widget.py": ""}, "", "'acme_widget.py' is not in it"),
        ({}, {"src/acme/__init__.py": ""}, REQUIRES, "'src/acme/__init__.py' is not in it"),
        ({}, {"acme/__init__.py": "", "acme/x.py": ""}, REQUIRES, "'acme/__init__.py', 'acme/x.py' are not in it"),
        ({"tests/__init__.py": "", "docs/conf.py": ""}, {"src/acme/__init__.py": ""}, "", "is not in it"),
        ({"README.md": "x", "LICENSE": "x"}, {}, "", "has nothing to import or run"),
        (
            {"acme/table.dat": "x"},
            {"acme/__init__.py": "", "acme/table.dat": "x"},
            "",
            "'acme/__init__.py' is not in it",
        ),
    ],
)
def test_a_wheel_without_code_is_refused(
    members: Mapping[str, str | None], sdist: Mapping[str, str | None] | None, more: str, words: str
) -> None:
    found = outcome(members, sdist=sdist, more=more)
    assert found.state == CheckState.FAILED
    assert words in found.findings[0].message
    assert found.findings[0].where is None  # it stops a rehearsal, too


@pytest.mark.parametrize(
    ("members", "sdist", "more"),
    [
        ({}, {"README.md": "x"}, REQUIRES),
        ({}, {"tests/test_acme.py": "", "noxfile.py": "", "tools/release.py": ""}, REQUIRES),
        ({"tests/__init__.py": ""}, {"tests/__init__.py": ""}, REQUIRES),
        ({"acme/table.dat": "x"}, {"acme/table.dat": "x"}, ""),
    ],
)
def test_a_meta_package_passes_and_says_so(
    members: Mapping[str, str | None], sdist: Mapping[str, str | None], more: str
) -> None:
    found = outcome(members, sdist=sdist, more=more)
    assert found.state == CheckState.NOT_APPLICABLE
    assert "nothing to import or run" in found.reason


def test_git_is_the_source_where_there_is_one() -> None:
    assert outcome({}, sdist={}, more=REQUIRES, tracked=["src/acme/__init__.py"]).state == CheckState.FAILED
    assert outcome({}, sdist={}, more=REQUIRES, tracked=["README.md", "setup.py"]).state == CheckState.NOT_APPLICABLE


def test_a_project_may_be_called_docs() -> None:
    assert outcome({"docs/__init__.py": ""}, name="docs").state == CheckState.PASSED


def test_many_packages_of_the_source_take_linear_time() -> None:
    tracked = frozenset(f"package{number}/__init__.py" for number in range(20_000))
    built = BuiltFiles(project=None, files=(), now=NOW, source_tree=SourceTree(tracked=tracked))
    begun = time.process_time()
    assert wheel_contents._source_modules(built) == tracked
    assert time.process_time() - begun < 3
