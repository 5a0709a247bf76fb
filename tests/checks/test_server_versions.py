"""What only another version of the server's libraries refuses, or accepts, is a warning that names the versions."""

from __future__ import annotations

import io
from typing import Any

import packaging
import pytest
import trove_classifiers
from packaging.version import Version

from release.acceptance.server_reference import SERVER
from release.checks.distributions import CHECKS
from release.checks.engine import run
from release.checks.server_versions import NEWER_SERVERS
from release.core.facts import BuiltFile, BuiltFiles, ProjectMetadata
from release.core.models.check_result import Finding
from tests.acceptance.making import NOW, WHEEL, ask_twine, metadata, wheel

NEW = "Framework :: Acme :: 99"
IS_NEWER = Version(packaging.__version__) > Version("26.3")


def findings(project: ProjectMetadata | None = None, **fields: Any) -> list[tuple[str, Finding]]:
    """Findings about a wheel, with the names of their checks."""
    content = wheel(metadata(**fields))
    file = BuiltFile(
        filename=WHEEL,
        size=len(content),
        sha256=None,
        open=lambda: io.BytesIO(content),
        ask_twine=lambda: ask_twine(WHEEL, content),
    )
    installed = {"packaging": packaging.__version__, "trove-classifiers": "2027.1"}
    facts = BuiltFiles(project=project, files=(file,), now=NOW, installed=installed)
    return [(outcome.check, one) for outcome in run(CHECKS, facts) for one in outcome.findings]


def test_a_classifier_of_a_newer_list_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [found.severity for _, found in findings(Classifier=NEW)] == ["block"]
    monkeypatch.setattr(trove_classifiers, "classifiers", trove_classifiers.classifiers | {NEW})
    [(check, found)] = findings(Classifier=NEW)
    assert (check, found.severity) == (NEWER_SERVERS, "warn")
    pinned = f"trove-classifiers {SERVER.pins['trove-classifiers']} ({SERVER.name})"
    assert found.message == (
        f"differs by server version: {pinned} does not know the classifier {NEW!r}, trove-classifiers 2027.1 does"
    )
    assert found.remedy == "remove the classifier until https://pypi.org/classifiers/ lists it"


def test_a_classifier_that_a_newer_list_has_deprecated_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    name, successor = "Framework :: Odoo", "Framework :: Odoo :: 19.0"
    assert findings(Classifier=name) == []
    monkeypatch.setitem(trove_classifiers.deprecated_classifiers, name, [successor])
    [(check, found)] = findings(Classifier=name)
    assert (check, found.severity, found.remedy) == (NEWER_SERVERS, "warn", f"use {successor!r} instead")


def test_an_older_list_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trove_classifiers, "classifiers", set())
    monkeypatch.setattr(trove_classifiers, "deprecated_classifiers", {})
    assert findings(Classifier="Framework :: Odoo :: 19.0") == []
    assert [found.severity for _, found in findings(Classifier="Natural Language :: Ukranian")] == ["block"]


@pytest.mark.skipif(not IS_NEWER, reason="the installed packaging judges as the server's")
@pytest.mark.parametrize(
    ("fields", "remedy"),
    [
        ({"License_Expression": "LicenseRef-"}, "in project.license, write identifiers of https://spdx.org/licenses/"),
        ({"License_Expression": "(MIT OR Apache-2.0) WITH Classpath-exception-2.0"}, "in project.license, write"),
        ({"Description_Content_Type": "text/markdown; $"}, "write text/markdown, text/x-rst or text/plain"),
        ({"Requires_Python": "==="}, "write a version specifier such as '>=3.11'"),
    ],
)
def test_what_a_newer_packaging_refuses_is_a_warning(fields: dict[str, Any], remedy: str) -> None:
    everything = findings(Metadata_Version="2.4", **fields)
    assert {one.severity for _, one in everything} == {"warn"}
    [found] = [one for check, one in everything if check == NEWER_SERVERS]
    assert found.message.startswith(
        f"differs by server version: packaging {SERVER.pins['packaging']} ({SERVER.name}) accepts the metadata, "
        f"packaging {packaging.__version__} refuses it: "
    )
    assert found.remedy.startswith(remedy)


@pytest.mark.skipif(not IS_NEWER, reason="the installed packaging judges as the server's")
def test_a_run_is_refused_where_its_own_twine_would_not_send_the_file() -> None:
    project = ProjectMetadata(name="acme-widget", version="5.0")
    found = dict(findings(project, Metadata_Version="2.4", License_Expression="LicenseRef-"))
    assert NEWER_SERVERS not in found
    assert found["twine-takes-the-files"].severity == "block"
    assert "accepts the metadata" in found["twine-takes-the-files"].message


def test_what_the_server_refuses_is_no_difference() -> None:
    found = findings(Metadata_Version="2.4", License_Expression="MIT OR")
    assert [check for check, _ in found] == ["the-index-takes-the-metadata"]
    assert findings(Metadata_Version="2.4", License_Expression="MIT OR (LicenseRef-A)") == []
