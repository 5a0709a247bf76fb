"""The Python versions that a project requires, from the texts of its files."""

from __future__ import annotations

import pytest

from release.core import python_versions

PROJECT = '[project]\nname = "acme"\nrequires-python = "{}"\n'
POETRY = '[tool.poetry.dependencies]\npython = "{}"\n'
SETUP = "import sys\nfrom setuptools import setup\nsetup(name='acme', python_requires={})\n"


@pytest.mark.parametrize(
    ("pyproject", "setup_cfg", "setup_py", "specifier", "where"),
    [
        (PROJECT.format(">=3.13"), None, None, ">=3.13", "requires-python in pyproject.toml"),
        (PROJECT.format(">=3.13"), "[options]\npython_requires = >=3.8\n", None, ">=3.13", "pyproject.toml"),
        (PROJECT.format(">=3.11") + POETRY.format("^3.13"), None, None, ">=3.11", "requires-python in"),
        (POETRY.format("^3.13"), None, None, ">=3.13,<4", "[tool.poetry.dependencies]"),
        ('[tool.poetry.dependencies.python]\nversion = "~3.12"\n', None, None, ">=3.12,<3.13", "tool.poetry"),
        ('[tool.flit.metadata]\nrequires-python = ">=3.12"\n', None, None, ">=3.12", "pyproject.toml"),
        ("[build-system]\n", "[options]\npython_requires = >=3.13\n", None, ">=3.13", "setup.cfg"),
        (None, None, SETUP.format("'>=3.13'"), ">=3.13", "setup.py"),
    ],
)
def test_the_requirement_is_read_from_each_place(
    pyproject: str | None, setup_cfg: str | None, setup_py: str | None, specifier: str, where: str
) -> None:
    found = python_versions.declared_requires_python(pyproject, setup_cfg, setup_py)
    assert found is not None
    assert found[0] == specifier
    assert where in found[1]


@pytest.mark.parametrize(
    ("pyproject", "setup_cfg", "setup_py"),
    [
        (None, None, None),
        ('[project]\nname = "acme"\ndynamic = ["requires-python"]\n', None, None),
        (PROJECT.format("3.13 or later"), None, None),  # not a specifier: a rule of the metadata reports it
        (POETRY.format("^3.9 || ^3.13"), None, None),
        (POETRY.format("*"), None, None),
        ("[project", "[options", "def ("),
        ('project = 1\ntool = "x"\n', "python_requires = 3\n", ""),
        (None, None, SETUP.format("'>=3.' + str(sys.argv)")),
    ],
)
def test_nothing_is_guessed(pyproject: str | None, setup_cfg: str | None, setup_py: str | None) -> None:
    assert python_versions.declared_requires_python(pyproject, setup_cfg, setup_py) is None


@pytest.mark.parametrize(
    ("constraint", "specifier"),
    [
        ("^3.8.1", ">=3.8.1,<4"),
        ("^3", ">=3,<4"),
        ("~3.11", ">=3.11,<3.12"),
        ("~3.11.2", ">=3.11.2,<3.12"),
        ("3.13", "==3.13.*"),
        ("3.13.*", "==3.13.*"),
        ("==3.13.1", "==3.13.1"),
        (">=3.9,<4.0", ">=3.9,<4.0"),
        (">= 3.9, != 3.9.7", ">=3.9,!=3.9.7"),
        (">=3.9 <3.13", ">=3.9,<3.13"),
    ],
)
def test_constraints_of_poetry(constraint: str, specifier: str) -> None:
    assert python_versions.poetry_to_specifier(constraint) == specifier


def test_versions_are_compared_as_pip_does() -> None:
    assert python_versions.satisfies(">=3.13", (3, 13, 0))
    assert not python_versions.satisfies(">=3.13", (3, 12, 9))
    assert not python_versions.satisfies(">=3.8,!=3.12.*", (3, 12, 1))
    assert python_versions.satisfies("not a specifier", (3, 12, 1))
    assert python_versions.fitting_minors(">=3.12.4,<3.15") == ("3.12", "3.13", "3.14")
    assert python_versions.fitting_minors(">=3.99") == ()
