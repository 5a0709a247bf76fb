from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from release.checks import engine
from release.checks.post_upload import CHECKS
from release.core.facts import UploadedRelease
from release.core.models.attestation import PUBLISH, VerifiedAttestations
from release.core.models.check_result import CheckState, Finding, Outcome, Unknown
from release.core.models.distribution import Distribution
from release.core.models.index import TESTPYPI, IndexFile, ProjectListing
from release.core.models.smoke_test import SmokeTest, SmokeTestAttempt, SmokeTestResult

FAILED, NOT_APPLICABLE, PASSED, SKIPPED, UNKNOWN, WARNED = (
    CheckState.FAILED,
    CheckState.NOT_APPLICABLE,
    CheckState.PASSED,
    CheckState.SKIPPED,
    CheckState.UNKNOWN,
    CheckState.WARNED,
)
SHA = "a" * 64
WHEEL, SDIST = "acme_widget-1.0-py3-none-any.whl", "acme_widget-1.0.tar.gz"
HOLDS = VerifiedAttestations(publishers=(), predicates=(PUBLISH,))
BAD = Finding(message="it broke", remedy="mend it")


def file(filename: str = WHEEL, **more: Any) -> IndexFile:
    return IndexFile(filename=filename, url="http://h/", **{"sha256": SHA, **more})


def listing(*files: IndexFile) -> ProjectListing:
    return ProjectListing(name="Acme-Widget", files=files)


def trial(status: int | None) -> SmokeTestResult:
    test = SmokeTest(kind="script", words=("acme", "--help"))
    return SmokeTestResult(test=test, attempts=(SmokeTestAttempt(test=test, status=status, line="it broke"),))


def published(**more: Any) -> UploadedRelease:
    expected = tuple(Distribution(path=Path(name), sha256=SHA, size=1) for name in (WHEEL, SDIST))
    trials = (trial(0),)
    facts = {"index": TESTPYPI, "expected": expected, "listing": listing(file(), file(SDIST)), "install": None}
    return UploadedRelease(**{**facts, "trials": trials, "attested": {WHEEL: HOLDS}, **more})


def outcomes(facts: UploadedRelease) -> dict[str, Outcome]:
    return {outcome.check: outcome for outcome in engine.run(CHECKS, facts)}


def test_a_release_that_is_all_there_passes_everything() -> None:
    assert {outcome.state for outcome in outcomes(published()).values()} == {PASSED}


@pytest.mark.parametrize(
    ("facts", "check", "state", "says"),
    [
        ({"listing": Unknown(reason="silence", remedy="wait")}, "the-index-could-be-asked", UNKNOWN, "silence"),
        ({"listing": None}, "every-file-is-listed", FAILED, WHEEL),
        ({"listing": listing(file())}, "every-file-is-listed", FAILED, SDIST),
        ({"listing": listing(file(sha256="b" * 64), file(SDIST))}, "every-file-has-our-bytes", FAILED, "b" * 64),
        ({"listing": listing(file(sha256=None), file(SDIST))}, "every-file-has-our-bytes", UNKNOWN, WHEEL),
        ({"listing": listing(file(yanked=""), file(SDIST))}, "no-file-is-yanked", FAILED, WHEEL),
        ({"listing": listing(file(yanked="bad"), file(SDIST))}, "no-file-is-yanked", FAILED, "'bad'"),
        (
            {"listing": listing(file(), file(SDIST), file("acme-widget-1.zip"))},
            "no-file-is-not-ours", WARNED, "acme-widget-1.zip",
        ),
        ({"attested": {}}, "the-attestations-hold", NOT_APPLICABLE, "no file was uploaded with"),
        ({"attested": {WHEEL: BAD, SDIST: HOLDS}}, "the-attestations-hold", FAILED, "it broke"),
        ({"attested": {WHEEL: Unknown(reason="why", remedy="do")}}, "the-attestations-hold", UNKNOWN, "why"),
        ({"install": BAD}, "it-installs-into-a-clean-environment", FAILED, "it broke"),
        ({"install": Unknown(reason="why", remedy="do")}, "it-installs-into-a-clean-environment", UNKNOWN, "why"),
        ({"trials": ()}, "what-was-installed-works", NOT_APPLICABLE, "nothing"),
        (
            {"trials": (trial(1), trial(None))},
            "what-was-installed-works", FAILED, "it broke",
        ),
        ({"trials": (trial(None),)}, "what-was-installed-works", WARNED, "still running"),
    ],
)  # fmt: skip
def test_each_fault_is_found_by_its_check_and_by_no_other(
    facts: dict[str, Any], check: str, state: CheckState, says: str
) -> None:
    found = outcomes(published(**facts))
    outcome = found.pop(check)
    assert outcome.state == state
    assert says in outcome.reason + " ".join(finding.message for finding in outcome.findings)
    assert all(finding.remedy for finding in outcome.findings)
    assert {other.state for other in found.values()} <= {PASSED, SKIPPED}


def test_files_of_other_versions_are_no_strangers() -> None:
    facts = published(listing=listing(file(), file(SDIST), file("acme_widget-0.9.tar.gz"), file("odd.txt")))
    assert outcomes(facts)["no-file-is-not-ours"].state == PASSED
