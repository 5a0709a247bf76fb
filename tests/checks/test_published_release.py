from __future__ import annotations

import hashlib
from io import BytesIO
from typing import Any

import pytest
from msgspec.structs import replace

from release.checks import engine
from release.checks.published_release import CHECKS, refuse_install
from release.core.facts import BuiltFile, BuiltFiles, InstallTrial, ProjectMetadata, PublishedRelease
from release.core.models.attestation import PUBLISH, AttestationPublisher, Provenance, VerifiedAttestations
from release.core.models.check_result import CheckState, Finding, NotApplicable, Outcome, Unknown
from release.core.models.distribution import ManifestFile, ReleaseManifest
from release.core.models.file_hashes import parse_hashes
from release.core.models.index import PYPI, IndexFile
from release.core.models.smoke_test import SmokeTest, SmokeTestAttempt, SmokeTestResult
from tests.acceptance.making import NOW, SDIST, WHEEL, metadata, sdist, wheel

FAILED, NOT_APPLICABLE, PASSED, SKIPPED, UNKNOWN, WARNED = (
    CheckState.FAILED,
    CheckState.NOT_APPLICABLE,
    CheckState.PASSED,
    CheckState.SKIPPED,
    CheckState.UNKNOWN,
    CheckState.WARNED,
)
SHA = "a" * 64
OTHER = "b" * 64
BAD = Finding(message="it broke", remedy="mend it")
TEST = SmokeTest(kind="import", words=("acme_widget",))
WORKED, BROKE = (
    (SmokeTestResult(test=TEST, attempts=(SmokeTestAttempt(test=TEST, status=status, line="it broke"),)),)
    for status in (0, 1)
)
SILENT = Unknown(reason="silence", remedy="wait")
GITHUB = AttestationPublisher(kind="GitHub", details=(("repository", "acme/widget"), ("workflow", "r.yml")))
OURS = Provenance(bundles=((GITHUB, ("{}",)),))
THEIRS = Provenance(bundles=((AttestationPublisher(kind="GitLab", details=(("repository", "evil/widget"),)), ("{}",)),))
HELD = VerifiedAttestations(publishers=(GITHUB,), predicates=(PUBLISH,))


def page(filename: str = WHEEL, **more: Any) -> IndexFile:
    return IndexFile(filename=filename, url="http://h/", **{"sha256": SHA, "size": 9, **more})


def came(filename: str = WHEEL, content: bytes = b"", **more: Any) -> BuiltFile:
    return BuiltFile(filename=filename, open=lambda: BytesIO(content), **{"size": 9, "sha256": SHA, **more})


def recorded(*files: str, **more: Any) -> ReleaseManifest:
    made = tuple(ManifestFile(filename=one, **{"size": 9, "sha256": SHA, **more}) for one in files)
    return ReleaseManifest(project="acme-widget", version="1.0", files=made)


def contents(**files: bytes) -> BuiltFiles:
    names = {"wheel": WHEEL, "sdist": SDIST}
    files = {"wheel": wheel(), "sdist": sdist()} | files
    described = (came(names[key], content, sha256=None, size=len(content)) for key, content in files.items())
    return BuiltFiles(project=None, files=tuple(described), now=NOW)


def outside(**more: Any) -> PublishedRelease:
    """acme-widget 1.0, a wheel and an sdist, in order."""
    works: dict[str, Any] = {
        "trials": WORKED,
        "files": ("acme_widget.py", "acme_widget-1.0.dist-info/METADATA"),
    }
    facts: dict[str, Any] = {
        "index": PYPI,
        "project": ProjectMetadata(name="acme-widget", version="1.0"),
        "status": "active",
        "files": (page(), page(SDIST)),
        "recorded": recorded(WHEEL, SDIST),
        "by_json": (page(), page(SDIST)),
        "fetched": {WHEEL: came(), SDIST: came(SDIST)},
        "built": contents(),
        "provenance": {WHEEL: OURS, SDIST: OURS},
        "verified": {WHEEL: HELD, SDIST: HELD},
        "wheel": InstallTrial(filename=WHEEL, install=None, **works),
        "sdist": InstallTrial(filename=SDIST, install=None, **works),
    }
    return PublishedRelease(**(facts | more))


def outcomes(facts: PublishedRelease) -> dict[str, Outcome]:
    return {outcome.check: outcome for outcome in engine.run(CHECKS, facts)}


def test_a_release_in_order_passes_everything() -> None:
    assert {name: one.state for name, one in outcomes(outside()).items() if one.state != PASSED} == {}


@pytest.mark.parametrize(
    ("facts", "check", "state", "says"),
    [
        ({"status": "quarantined", "files": ()}, "the-project-is-in-good-standing", FAILED, "quarantine"),
        ({"status": "archived"}, "the-project-is-in-good-standing", WARNED, "archived"),
        ({"files": (), "waited": 60}, "the-release-is-visible", FAILED, "not yet visible"),
        ({"files": (), "by_json": None}, "the-release-is-visible", FAILED, "missing"),
        ({"files": (page(),), "waited": 60}, "every-file-is-listed", FAILED, "not yet visible"),
        ({"files": (page(),), "waited": 60}, "every-file-is-listed", FAILED, "waited 60 s"),
        ({"files": (page(),), "by_json": None}, "every-file-is-listed", FAILED, f"{SDIST} is missing"),
        ({"files": (page(),), "recorded": None}, "every-file-is-listed", FAILED, "not yet visible"),
        ({"recorded": recorded(SDIST)}, "every-listed-file-is-recorded", FAILED, WHEEL),
        ({"recorded": recorded(WHEEL, SDIST, sha256=OTHER)}, "every-file-has-the-recorded-bytes", FAILED, OTHER),
        ({"recorded": recorded(WHEEL, SDIST, size=8)}, "every-file-has-the-recorded-bytes", FAILED, "8 bytes"),
        ({"recorded": recorded(WHEEL, SDIST, size=None)}, "every-file-has-the-recorded-bytes", PASSED, ""),
        ({"by_json": (page(sha256=OTHER), page(SDIST))}, "the-pages-of-the-index-agree", FAILED, OTHER),
        ({"by_json": None}, "the-pages-of-the-index-agree", NOT_APPLICABLE, "JSON API"),
        ({"files": (page(yanked="oh"), page(SDIST))}, "no-file-is-yanked", FAILED, f"{WHEEL!r} is yanked"),
        ({"files": (page(yanked="oh"), page(SDIST, yanked="oh"))}, "no-file-is-yanked", FAILED, "whole release"),
        ({"files": (page(yanked="oh"), page(SDIST))}, "no-file-is-yanked", FAILED, "'oh'"),
        ({"files": (page(yanked=""), page(SDIST))}, "no-file-is-yanked", FAILED, "without a reason"),
        (
            {"built": contents(wheel=wheel(metadata(Requires_Dist="a")))},
            "the-files-say-the-same", FAILED, "only there 'a'",
        ),
        ({"built": contents(sdist=sdist(metadata(Summary="x")))}, "the-files-say-the-same", WARNED, "Summary"),
        ({"verified": None}, "the-attestations-hold", WARNED, "cannot be verified here"),
        ({"verified": {WHEEL: HELD, SDIST: BAD}}, "the-attestations-hold", FAILED, "it broke"),
        ({"verified": {WHEEL: SILENT, SDIST: HELD}}, "the-attestations-hold", UNKNOWN, "silence"),
        ({"provenance": {}}, "every-file-has-attestations-or-none-has", NOT_APPLICABLE, "no file"),
        ({"provenance": {WHEEL: OURS}}, "every-file-has-attestations-or-none-has", WARNED, "1 of 2 files"),
        (
            {"provenance": {WHEEL: OURS, SDIST: THEIRS}},
            "every-file-has-attestations-or-none-has", WARNED, "GitHub, acme/widget, r.yml; GitLab, evil/widget",
        ),
        (
            {"provenance": {WHEEL: OURS, SDIST: SILENT}},
            "every-file-has-attestations-or-none-has", UNKNOWN, "silence",
        ),
        (
            {"wheel": InstallTrial(filename=WHEEL, install=BAD)},
            "the-wheel-installs-into-a-clean-environment", FAILED, "it broke",
        ),
        ({"wheel": SILENT}, "the-wheel-installs-into-a-clean-environment", UNKNOWN, "silence"),
        (
            {"sdist": InstallTrial(filename=SDIST, install=BAD)},
            "the-sdist-installs-into-a-clean-environment", FAILED, "it broke",
        ),
        (
            {"sdist": NotApplicable(reason="there is none")},
            "the-sdist-installs-into-a-clean-environment", NOT_APPLICABLE, "there is none",
        ),
        (
            {"wheel": InstallTrial(filename=WHEEL, install=None, trials=BROKE)},
            "what-the-wheel-installs-works", FAILED, "it broke",
        ),
        (
            {"sdist": InstallTrial(filename=SDIST, install=None, files=("acme_widget.py",))},
            "what-the-sdist-installs-works", NOT_APPLICABLE, "nothing to import",
        ),
        (
            {
                "wheel": InstallTrial(
                    filename=WHEEL, install=None, trials=WORKED, files=("acme_widget.py", "b.py", "b.so")
                )
            },
            "the-sdist-installs-what-the-wheel-does", FAILED, "the wheel installs 'b.py', and the sdist does not",
        ),
    ],
)  # fmt: skip
def test_each_fault_is_found_by_its_check_and_by_no_other(
    facts: dict[str, Any], check: str, state: CheckState, says: str
) -> None:
    found = outcomes(outside(**facts))
    outcome = found.pop(check)
    assert outcome.state == state
    assert says in outcome.reason + " ".join(finding.message for finding in outcome.findings)
    assert all(finding.remedy for finding in outcome.findings)
    others = {name: one.state for name, one in found.items() if one.state.blocks or one.state == WARNED}
    assert others == {}


def test_bytes_that_are_not_those_of_the_page_are_a_fault_and_are_not_installed() -> None:
    for wrong in ({"sha256": OTHER}, {"size": 8}):
        found = outcomes(outside(fetched={WHEEL: came(**wrong), SDIST: came(SDIST)}, recorded=None))
        assert found["every-download-is-what-its-page-says"].state == FAILED
        assert found["the-wheel-installs-into-a-clean-environment"].state == SKIPPED
    lost = outcomes(outside(fetched={WHEEL: SILENT, SDIST: came(SDIST)}))
    assert lost["every-download-is-what-its-page-says"].state == UNKNOWN


def test_a_file_that_calls_itself_otherwise_is_found() -> None:
    for headers in ({"name": "acme-gadget"}, {"version": "1.1"}):
        found = outcomes(outside(built=contents(wheel=wheel(metadata(**headers)))))
        assert found["every-file-is-of-the-release"].state == FAILED
    spelled = contents(wheel=wheel(metadata(name="Acme.Widget", version="1.0.0")))
    assert outcomes(outside(built=spelled))["every-file-is-of-the-release"].state == PASSED


def test_a_page_that_shows_raw_markup_is_a_fault() -> None:
    broken = metadata(body="Title\n==\n\n.. no-such:: thing\n", Description_Content_Type="text/x-rst")
    found = outcomes(outside(built=contents(wheel=wheel(broken), sdist=sdist(broken))))
    assert found["the-description-renders"].state == FAILED
    assert found["the-index-would-take-each-file-today"].state == PASSED


def test_what_the_index_would_refuse_today_is_a_warning() -> None:
    """A classifier that is not known any more: the file was taken, and its next release will not be."""
    old = metadata(Classifier="Topic :: No Such Thing")
    found = outcomes(outside(built=contents(wheel=wheel(old), sdist=sdist(old))))
    assert found["the-index-would-take-each-file-today"].state == WARNED
    assert {one.state for name, one in found.items() if name != "the-index-would-take-each-file-today"} == {PASSED}


def test_nothing_follows_from_a_release_that_nobody_sees() -> None:
    """In quarantine, and while it is not visible, one check says so and all others are skipped or do not apply."""
    for facts in ({"status": "quarantined", "files": ()}, {"files": ()}):
        states = [one.state for one in outcomes(outside(**facts)).values()]
        assert states.count(FAILED) == 1
        assert set(states) <= {FAILED, SKIPPED, PASSED}


@pytest.mark.parametrize(
    ("facts", "runs"),
    [
        ({}, True),
        ({"recorded": None}, True),
        ({"recorded": recorded(SDIST)}, False),
        ({"recorded": recorded(WHEEL, sha256=OTHER)}, False),
        ({"fetched": {WHEEL: came(sha256=OTHER)}}, False),
        ({"fetched": {WHEEL: SILENT}}, False),
        ({"fetched": {}}, False),
    ],
)
def test_only_the_right_bytes_are_run(facts: dict[str, Any], runs: bool) -> None:
    assert (refuse_install(outside(**facts), page()) is None) is runs


BYTES = b"the bytes"
HASHES = {
    name: hashlib.new(name, BYTES).hexdigest() for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
}
HASHES |= {"blake2b": hashlib.blake2b(BYTES).hexdigest(), "foo": "12"}
WRONG = {name: digits[::-1] for name, digits in HASHES.items()}


@pytest.mark.parametrize(
    ("listed", "state", "says"),
    [
        ([("sha256", HASHES)], PASSED, ""),
        ([("sha384", HASHES)], PASSED, ""),
        ([("sha512", HASHES), ("md5", HASHES)], PASSED, ""),
        ([("blake2b", HASHES)], PASSED, ""),
        ([("sha256", HASHES), ("foo", HASHES)], PASSED, ""),
        ([("sha256", HASHES), ("md5", WRONG)], FAILED, f"MD5 {WRONG['md5']} is listed, {HASHES['md5']} was downloaded"),
        ([("sha256", HASHES), ("sha512", WRONG)], FAILED, "SHA-512"),
        ([("sha256", WRONG), ("sha512", HASHES)], FAILED, "SHA-256"),
        ([("sha256", HASHES), ("sha256", WRONG)], FAILED, f"SHA-256 {WRONG['sha256']} is listed"),
        ([("sha256", {"sha256": HASHES["sha256"][:-1]})], FAILED, "SHA-256"),
        ([("sha256", {"sha256": ""})], FAILED, "SHA-256"),
        ([("md5", WRONG)], UNKNOWN, f"lists only MD5 for '{WHEEL}', which proves nothing"),
        ([("md5", WRONG)], UNKNOWN, f"another one was downloaded: MD5 {WRONG['md5']} is listed"),
        ([("md5", HASHES)], UNKNOWN, "lists only MD5"),
        ([("sha1", HASHES), ("sha224", HASHES)], UNKNOWN, "lists only SHA-1 and SHA-224"),
        ([("foo", HASHES)], UNKNOWN, "lists no hash"),
        ([], UNKNOWN, "lists no hash"),
    ],
)  # fmt: skip
def test_one_strong_hash_must_fit_and_all_others_too(
    listed: list[tuple[str, dict[str, str]]], state: CheckState, says: str
) -> None:
    hashes = parse_hashes((name, digits[name].upper()) for name, digits in listed)
    one = page(sha256=hashes.sha256, other_hashes=hashes.others)
    fetched = {WHEEL: came(content=BYTES, sha256=HASHES["sha256"]), SDIST: came(SDIST)}
    facts = outside(files=(one, page(SDIST)), fetched=fetched)
    outcome = outcomes(facts)["every-download-is-what-its-page-says"]
    assert outcome.state is state
    texts = [outcome.reason, *(finding.message for finding in outcome.findings)]
    assert says in " ".join(texts)
    assert state is not UNKNOWN or outcome.cause == "post.no-strong-hash"
    assert (refuse_install(replace(facts, recorded=None), one) is None) is (state is PASSED)


def test_a_listed_file_that_was_not_downloaded_is_unknown_and_nothing_is_installed() -> None:
    shown = outcomes(outside(fetched={}))
    assert shown["every-download-is-what-its-page-says"].state == CheckState.UNKNOWN
    assert shown["the-wheel-installs-into-a-clean-environment"].state == CheckState.SKIPPED
