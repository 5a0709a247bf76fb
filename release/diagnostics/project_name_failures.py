"""The project's name."""

from __future__ import annotations

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis

DIAGNOSES = (
    Diagnosis(
        id="name.taken",
        title="the name belongs to another account",
        explanation="The project exists, and the account has no role on it. The index answers that the user isn't "
        "allowed to upload; the credential is valid.",
        symptoms=(shared_phrases.NO_ROLE, "403 You are not allowed to upload to '{project}'"),
        remedy="check {site}/project/{project}/: choose another name in pyproject.toml, or ask its owners for a role",
        detect="network",
        weight="high",
        sources=("pypi/warehouse#15411", "pypi/warehouse#11059", "pypi/warehouse#14891", "pypa/twine#261"),
    ),
    Diagnosis(
        id="name.reserved-empty",
        title="the name is registered, but has no releases",
        explanation="The project exists without files, so its page is not found, yet uploads are refused. TestPyPI has "
        "other projects, and may accept the name.",
        symptoms=(shared_phrases.NO_ROLE,),
        remedy="choose another name in pyproject.toml, or claim this one: {site}/help/#project-name-claim",
        detect="network",
        weight="high",
        sources=(
            "PEP 541",
            "pypi/support#167",
            "pypi/support#4153",
            "pypi/warehouse#9099",
            "pypi/warehouse#11270",
            "pypi/warehouse#10830",
        ),
    ),
    Diagnosis(
        id="name.too-similar",
        title="the name is too similar to an existing one",
        explanation="PyPI compares new names without case, dots, hyphens and underscores, and treats l and i as 1, and "
        "o as 0. It does not say which project the name is similar to.",
        symptoms=("400 The name '{project}' is too similar to an existing project",),
        remedy="choose a name that differs in letters, not in punctuation: {site}/help/#project-name",
        detect="network",
        weight="high",
        sources=("pypi/support#3761", "pypi/support#2012", "pypa/packaging-problems#1082", "pypi/warehouse#13373"),
    ),
    Diagnosis(
        id="name.prohibited",
        title="the name is prohibited",
        explanation="PyPI has a list of names that cannot be registered, because of abuse or to prevent mistakes; only "
        "the server knows it.",
        symptoms=("400 The name '{project}' isn't allowed. See",),
        remedy="choose another name in pyproject.toml: {site}/help/#project-name",
        detect="probe",
        weight="medium",
        sources=("pypi/warehouse#14891", "pypi/warehouse#10810", "pypa/packaging-problems#872"),
    ),
    Diagnosis(
        id="name.stdlib",
        title="the name is that of a standard library module",
        explanation="Names of modules of any Python since 2.6 are refused, including submodules.",
        symptoms=("400 The name '{project}' isn't allowed (conflict with Python Standard Library module name)",),
        remedy="choose another name in pyproject.toml: {site}/help/#project-name",
        detect="offline",
        weight="low",
        sources=("PyPI help: project-name", "pypi/stdlib-list"),
    ),
    Diagnosis(
        id="name.canonical-mismatch",
        title="a file's name does not begin with the normalized project name",
        explanation="PEP 625 and the wheel format require the normalized name and version, with the name in lower case "
        "and with underscores. Old backends use the name as it is spelled in the project.",
        symptoms=(
            "400 Start filename for '{project}' with '{expected}'",
            "400 Filename '{file}' is invalid, should be '{expected}'",
            "400 Filename '{file}' should contain the normalized project name '{expected}'",
        ),
        remedy="upgrade the build backend (setuptools>=80, hatchling, flit-core or poetry-core of this year) under "
        "[build-system] requires, and build again; never rename a built file",
        detect="offline",
        weight="medium",
        sources=("PEP 625", "PEP 427", "pypa/hatch#833", "pypi/warehouse#10030"),
    ),
    Diagnosis(
        id="name.invalid",
        title="the project's name is not valid",
        explanation="A name begins and ends with a letter or a digit, and consists of ASCII letters, digits, dots, "
        "hyphens and underscores only.",
        symptoms=(
            "400 is an invalid value for Name. Error: Start and end with a letter or numeral",
            "400 The name '{project}' is invalid",
        ),
        remedy="correct name under [project] in pyproject.toml",
        detect="offline",
        weight="low",
        sources=("PEP 508", "packaging.python.org: Names and normalization"),
    ),
    Diagnosis(
        id="name.race",
        title="the project was created by someone else at the same moment",
        explanation="Two first uploads happened at once: from two jobs of one release, or from two people.",
        symptoms=("409 The name '{project}' conflicts with an existing project",),
        remedy="run it again: if the project is yours, the upload succeeds; upload the first file alone, not several "
        "at once",
        detect="after",
        weight="low",
        sources=("pypi/warehouse: packaging/services.py",),
    ),
)
