"""The results of commands: what is confirmed, what is refused, and the words for it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from release.core.errors import Exit
from release.core.facts import Access, BuiltFiles, InstallTrial, ProjectMetadata, PublishedRelease
from release.core.models.check_result import CheckState, Finding, Outcome, Unknown, Verdict, VerdictWord
from release.core.models.exchanged_token import PublisherProof
from release.core.models.index import PYPI, TESTPYPI, IndexFile, ProjectListing
from release.core.models.interpreter import Interpreter, version_to_text
from release.core.models.probe import ProbeKind, ProbeResult, ServerResponse
from release.core.models.results import Confirmation, InspectionResult, Verification
from release.core.models.set_results import IndexStanding, MemberResult, SetRunResult

NOW = datetime(2026, 11, 28, tzinfo=UTC)
ACME = ProjectMetadata(name="Acme", version="1.0")
NO_ANSWER = Unknown(reason="no answer", remedy="try again")


def probe(kind: ProbeKind = "permission", text: str = "The description failed to render") -> ProbeResult:
    return ProbeResult(kind=kind, project="", reply=ServerResponse(status=400, reason=text, headers={}))


PASSED, REFUSED = probe(), probe(text="no")
FIRST = probe("first-release", "The name 'x' isn't allowed (conflict with Python Standard Library module name)")


@pytest.mark.parametrize(
    ("permission", "word", "offline", "confirmed", "text"),
    [
        (PASSED, "healthy", False, True, "healthy"),
        (PASSED, "warning", False, True, "warning"),
        (PASSED, "broken", False, False, "broken"),
        (PASSED, "unknown", False, False, "unknown"),
        (REFUSED, "healthy", False, False, "no problem found; not confirmed by the index"),
        (FIRST, "healthy", False, False, "no problem found; not confirmed by the index"),
        (None, "healthy", True, False, "no problem found offline; not confirmed by the index"),
        (NO_ANSWER, "unknown", False, False, "unknown"),
    ],
)
def test_only_the_index_confirms_a_credential(
    permission: Any, word: VerdictWord, offline: bool, confirmed: bool, text: str
) -> None:
    access = Access(
        index=PYPI, project=ACME, credential=None, remarks=(), token=None, listing=None, now=NOW,
        permission=permission,
    )  # fmt: skip
    found = Verification(access=access, outcomes=(), verdict=Verdict(word=word), offline=offline)
    assert (found.confirmed, found.verdict_text) == (confirmed, text)


@pytest.mark.parametrize(
    ("problem", "permission", "proven"),
    [
        (None, PASSED, True),
        (None, REFUSED, False),
        (None, NO_ANSWER, False),
        (None, None, False),
        (NO_ANSWER, PASSED, False),
    ],
)
def test_a_publisher_is_proven_by_its_permission(problem: Unknown | None, permission: Any, proven: bool) -> None:
    assert PublisherProof(problem=problem, permission=permission).proven is proven


@pytest.mark.parametrize(
    ("files", "release", "refused"),
    [
        ((), (), False),
        (("accept", "warn"), ("warn",), False),
        (("accept", "refuse"), (), True),
        (("accept",), ("warn", "block"), True),
    ],
)
def test_one_refused_file_refuses_the_inspection(
    files: tuple[str, ...], release: tuple[str, ...], refused: bool
) -> None:
    document = {"files": [{"verdict": one} for one in files], "release": [{"severity": one} for one in release]}
    built = BuiltFiles(project=None, files=(), now=NOW)
    assert InspectionResult(document=document, built=built, index=None).refused is refused


def listed(name: str, size: int | None = 1) -> IndexFile:
    return IndexFile(filename=name, url="", sha256=None, size=size)


INSTALLED = InstallTrial(filename="a", install=None)


@pytest.mark.parametrize(
    ("files", "rest", "words"),
    [
        (1, {"wheel": INSTALLED}, "1 file as the index lists them, without a record; wheel installed"),
        (2, {"wheel": INSTALLED, "sdist": INSTALLED, "recorded": SimpleNamespace()},
         "2 files as recorded; wheel and sdist installed"),
        (2, {"wheel": NO_ANSWER, "sdist": INSTALLED, "recorded": SimpleNamespace()},
         "2 files as recorded; sdist installed"),
    ],
)  # fmt: skip
def test_a_confirmed_release(files: int, rest: dict[str, Any], words: str) -> None:
    release = PublishedRelease(
        index=PYPI, project=ACME, status="active", files=tuple(listed(str(one)) for one in range(files)), **rest
    )
    passed = Outcome(check="c", title="t", state=CheckState.PASSED)
    found = Confirmation(release=release, outcomes=(passed,), record=None)
    assert found.message == f"Acme 1.0 on pypi is confirmed: {words}"
    assert (found.exit, found.remedy) == (Exit.DONE, "")


def test_a_release_with_a_problem_is_not_confirmed() -> None:
    release = PublishedRelease(index=PYPI, project=ACME, status="active", files=())
    problem = Finding(message="a file is missing", remedy="upload it")
    failed = Outcome(check="c", title="t", state=CheckState.FAILED, findings=(problem,))
    found = Confirmation(release=release, outcomes=(failed,), record=None)
    assert found.message == "Acme 1.0 on pypi is not confirmed: a file is missing"
    assert (found.exit, found.remedy) == (Exit.REFUSED, "upload it")


def member(exit_status: Exit | None, *, version: str = "1.0", stopped: bool = False) -> MemberResult:
    result: Any = None if exit_status is None else SimpleNamespace(exit=exit_status)
    standings = tuple(IndexStanding(index=one, standing="whole") for one in ("testpypi", "pypi"))
    return MemberResult(name="Acme", version=version, result=result, standings=standings, stopped=stopped)


def test_a_member_of_a_set() -> None:
    assert member(Exit.REFUSED).failed
    assert not member(Exit.REFUSED, stopped=True).failed
    assert not member(Exit.DONE).failed
    assert not member(None).failed
    assert [member(None).title, member(None, version="").title] == ["Acme 1.0", "Acme"]
    found = member(None).standing("pypi")
    assert found is not None
    assert found.index == "pypi"
    assert member(None).standing("other") is None


def test_the_message_of_a_set_has_a_headline_and_its_progress() -> None:
    def result(message: str) -> SetRunResult:
        return SetRunResult(
            verb="release", release_set=SimpleNamespace(),  # type: ignore[arg-type] # not read
            exit=Exit.DONE, message=message, remedy="", next_command="", indexes=(), members=(),
        )  # fmt: skip

    found = result("it stopped\ntestpypi has 2\npypi has 1")
    assert (found.headline, found.progress) == ("it stopped", ("testpypi has 2", "pypi has 1"))
    assert (result("done").headline, result("done").progress) == ("done", ())


def test_the_version_of_an_interpreter() -> None:
    from pathlib import Path

    assert Interpreter(path=Path("python"), version=(3, 13, 0)).release == "3.13.0"
    assert version_to_text((3, 9)) == "3.9"


def test_the_limit_of_a_file_is_the_default_or_what_the_index_has() -> None:
    from release.core.models.project_limits import FILE_SIZE

    def limit(*listings: Any) -> int:
        return BuiltFiles(project=None, files=(), now=NOW, listings=listings).file_limit

    large = ProjectListing(name="acme", files=(listed("a", FILE_SIZE + 5), listed("b", None), listed("c", 7)))
    small = ProjectListing(name="acme", files=(listed("c", 7),))
    other = PYPI.__class__(name="o", upload_url="", simple_url="", kind="other")
    assert limit() == FILE_SIZE
    assert limit((PYPI, None), (TESTPYPI, small)) == FILE_SIZE
    assert limit((TESTPYPI, small), (PYPI, large)) == FILE_SIZE + 5
    assert limit((other, large)) == FILE_SIZE
