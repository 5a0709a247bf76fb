"""Why an upload failed: what the log alone shows, what this machine adds, and what is no explanation."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from release.adapters.system.program_output import Log
from release.core.config import Config
from release.core.facts import Access, ProjectMetadata
from release.core.models.check_result import CheckState, Finding, Outcome, Verdict, VerdictWord, derive_verdict
from release.core.models.index import PYPI, TESTPYPI, Index, ProjectListing
from release.core.models.probe import ProbeResult, ServerResponse
from release.core.models.results import Verification
from release.credentials.log_diagnosis import (
    Explanation,
    explain_failure,
    explanation_to_json,
    explanation_to_text,
    indexes_to_json,
    indexes_to_text,
    worst_index,
)

OUTPUTS = Path(__file__).parents[1] / "diagnostics" / "outputs"
REFUSED = (
    "Invalid or non-existent authentication information. See https://pypi.org/help/#invalid-auth for more information."
)
TWINE = f"Uploading distributions to {PYPI.upload_url}\nUploading acme-1.0-py3-none-any.whl\n"
TWINE_403 = f"{TWINE}ERROR    HTTPError: 403 Forbidden from {PYPI.upload_url}\n         {REFUSED}\n"
IN_ACTIONS = f"##[group]Run twine upload dist/*\n{TWINE_403}##[error]Process completed with exit code 1.\n"


def finding(cause: str | None, severity: str = "block") -> Finding:
    return Finding(message=f"found {cause}", remedy=f"correct {cause}", cause=cause, severity=severity)  # type: ignore[arg-type]


def verification(
    *findings: Finding, index: Index = PYPI, unknown: str | None = None, listed: bool = True, offline: bool = False
) -> Verification:
    states = [CheckState.FAILED if one.severity == "block" else CheckState.WARNED for one in findings]
    outcomes = [
        Outcome(check="c", title="t", state=state, findings=(one,)) for one, state in zip(findings, states, strict=True)
    ]
    if unknown:
        outcomes.append(
            Outcome(check="u", title="t", state=CheckState.UNKNOWN, reason="no answer", remedy="retry", cause=unknown)
        )
    access = Access(
        index=index, project=ProjectMetadata(name="acme", version="1.0"), credential=None, remarks=(), token=None,
        listing=ProjectListing(name="acme", files=()) if listed else None, now=datetime(2026, 11, 28, tzinfo=UTC),
    )  # fmt: skip
    return Verification(access=access, outcomes=tuple(outcomes), verdict=derive_verdict(outcomes), offline=offline)


def confirmed(one: Verification) -> Verification:
    reply = ServerResponse(status=400, reason="The description failed to render", headers={})
    permission = ProbeResult(kind="permission", project="acme", reply=reply)
    return replace(one, access=replace(one.access, permission=permission))


def explain(
    text: str, *found: Verification, here: bool = False, config: Config | None = None, skipped: int = 0
) -> tuple[Explanation, Verification | None, list[tuple[str, str | None]]]:
    """The explanation, the verification behind it, and the indexes and projects that were verified."""
    asked: list[tuple[str, str | None]] = []

    def verify(index: Index, project: str | None) -> Verification:
        asked.append((index.upload_url, project))
        return next((one for one in found if one.access.index.name == index.name), verification(index=index))

    log = Log(name="build.log", text=text, size=len(text), skipped=skipped)
    return *explain_failure(log, config or Config(), verify, here=here), asked


def test_the_cause_on_this_machine_explains_the_answer() -> None:
    broken = verification(finding("cred.truncated"), finding("src.env-shadows", "warn"))
    found, behind, asked = explain(TWINE_403, broken)
    assert behind is broken
    assert [url for url, _ in asked] == [PYPI.upload_url]
    assert (found.cause, found.certain, found.index) == ("cred.truncated", True, "pypi")
    assert (found.here, found.remedy) == (("found cred.truncated",), "correct cred.truncated")
    assert REFUSED[:40] in found.evidence
    assert found.others[0] == "cred.revoked"
    assert "cred.truncated" not in found.others
    assert found.examined == (
        f"build.log, {len(TWINE_403)} bytes", "the output of twine", "credential for pypi: broken (cred.truncated)",
    )  # fmt: skip


@pytest.mark.parametrize(
    "here",
    [
        verification(),
        verification(finding("cred.missing")),  # nothing was sent
        verification(finding("pypirc.malformed")),
        verification(finding("cred.truncated", "warn")),
        verification(finding("file.exists-different")),
        verification(unknown="net.dns-offline"),
    ],
)
def test_what_is_no_explanation_leaves_the_log_alone(here: Verification) -> None:
    found, behind, _ = explain(TWINE_403, here)
    assert behind is None
    assert (found.cause, found.certain, found.here) == ("cred.revoked", False, ())
    assert "cred.revoked" not in found.others
    assert found.remedy.startswith("run where the upload failed")


def test_a_cause_that_could_not_be_checked_explains_too() -> None:
    found, behind, _ = explain(TWINE_403, verification(unknown="keyring.stale"))
    assert behind is not None
    assert (found.cause, found.here, found.remedy) == ("keyring.stale", ("no answer",), "retry")


def test_a_warning_and_a_failure_of_one_cause_count_as_a_failure() -> None:
    both = verification(finding("cred.truncated", "warn"), finding("cred.truncated"))
    assert explain(TWINE_403, both)[0].cause == "cred.truncated"


def test_the_log_of_a_ci_run_is_compared_only_on_request() -> None:
    broken = verification(finding("cred.truncated"))
    found, behind, asked = explain(IN_ACTIONS, broken)
    assert (behind, asked) == (None, [])
    assert found.cause == "cred.revoked"
    assert found.examined[1:] == (
        "not the credentials of this machine: the log is of a CI run (GitHub Actions); with --here they are compared",
        "the output of twine in GitHub Actions",
    )
    assert found.remedy.startswith("run in that job, with the same variables")
    assert explain(IN_ACTIONS, broken, here=True)[0].cause == "cred.truncated"


def test_the_index_of_the_log_is_verified() -> None:
    assert [url for url, _ in explain(TWINE_403.replace(PYPI.upload_url, TESTPYPI.upload_url))[2]] == [
        TESTPYPI.upload_url
    ]
    elsewhere = TWINE_403.replace(PYPI.upload_url, "https://pypi.acme.example/legacy/")
    assert [url for url, _ in explain(elsewhere)[2]] == ["https://pypi.acme.example/legacy/"]
    own = Index(name="acme", upload_url="https://pypi.acme.example/legacy/", simple_url="x", kind="other")
    config = replace(Config(), indexes={"acme": own})
    found, _, asked = explain(elsewhere, config=config)
    assert asked[0][0] == own.upload_url
    assert found.index == "acme"
    assert found.examined[-1] == "credential for acme: no problem found; not confirmed by the index"
    nameless = f"ERROR    HTTPError: 403 Forbidden\n         {REFUSED}\n"
    assert [url for url, _ in explain(nameless)[2]] == [one.upload_url for one in Config().indexes.values()]


@pytest.mark.parametrize(
    ("recorded", "cause", "explains"),
    [
        ("twine-no-credential.txt", "keyring.no-backend", True),
        ("twine-no-credential.txt", "pypirc.section-unlisted", True),
        ("hatch-no-credential.txt", "pypirc.section-unlisted", True),
        ("hatch-no-credential.txt", "keyring.no-backend", False),
        ("hatch-no-credential.txt", "cred.truncated", False),
    ],
)
def test_a_missing_credential_has_a_reason_where_the_uploader_reads(recorded: str, cause: str, explains: bool) -> None:
    text = OUTPUTS.joinpath(recorded).read_text("utf-8").replace("http://127.0.0.1:18761/auth/", PYPI.upload_url)
    found, behind, _ = explain(text, verification(finding(cause)))
    assert found.cause == (cause if explains else "cred.missing")
    assert (behind is not None) is explains
    if "hatch" in recorded and not explains:
        assert found.remedy.startswith("give it an API token from https://")
        assert found.remedy.endswith("as HATCH_INDEX_AUTH, with HATCH_INDEX_USER=__token__")


def test_nothing_is_recognised() -> None:
    found, behind, asked = explain("all is well\n", skipped=7)
    assert (behind, asked, found.cause) == (None, [], None)
    assert found.title == "no known failure was found in this log"
    assert found.remedy.startswith("pass the whole output, preferably with --verbose; pypi-preflight explain --all")
    assert found.examined[0] == "build.log, 12 bytes, of which 7 in the middle were skipped"
    assert found.examined[-1].endswith(" known failures")
    text = list(explanation_to_text(found))
    assert text[0] == found.title
    assert text[-1] == f"→ {found.remedy}"


EXPLAINED = Explanation(
    cause="cred.revoked", title="the token is revoked", evidence="403", here=("a", "b"), remedy="create one",
    others=("o1", "o2", "o3", "o4", "o5"), index="pypi", project="acme", examined=("log",),
)  # fmt: skip


def test_an_explanation_for_a_person() -> None:
    lines = [
        "cred.revoked: the token is revoked",
        "  in the log: 403",
        "  found here: a",
        "  found here: b",
        "  the same message can mean: o1, o2, o3, o4, o5",
        "  examined: log",
        "→ create one",
        "  more: pypi-preflight explain cred.revoked",
    ]
    assert list(explanation_to_text(EXPLAINED)) == lines
    many = replace(EXPLAINED, others=(*EXPLAINED.others, "o6"))
    assert list(explanation_to_text(many))[4] == f"{lines[4]}, …"
    certain = replace(EXPLAINED, certain=True)
    assert list(explanation_to_text(certain)) == lines[:4] + lines[5:]
    bare = Explanation(cause=None, title="nothing", others=("x",))
    assert list(explanation_to_text(bare)) == ["nothing"]


def test_an_explanation_for_a_program() -> None:
    assert explanation_to_json(EXPLAINED) == {
        "schema": 1,
        "cause": "cred.revoked",
        "title": "the token is revoked",
        "evidence": {"log": "403", "here": ["a", "b"]},
        "remedy": "create one",
        "certain": False,
        "others": ["o1", "o2", "o3", "o4", "o5"],
        "index": "pypi",
        "project": "acme",
        "looked": ["log"],
    }


def judged(word: VerdictWord, index: Index, cause: str | None = None) -> Verification:
    verdict = Verdict(word=word, cause=cause, causes=(cause,) if cause else (), message="m" * bool(cause), remedy="r")
    return replace(verification(index=index), verdict=verdict)


def test_the_worst_index_is_repaired_first() -> None:
    words: tuple[VerdictWord, ...] = ("healthy", "warning", "unknown", "broken")
    rows = [judged(word, PYPI, "a.cause") for word in words]
    for count in (2, 3, 4):
        assert worst_index(rows[:count]) is rows[count - 1]
        assert worst_index(rows[count - 1 :: -1]) is rows[count - 1]
    assert worst_index(rows[:1]) is None
    assert worst_index([]) is None


def test_all_indexes_for_a_person_and_for_a_program() -> None:
    healthy, broken = confirmed(judged("healthy", TESTPYPI)), judged("broken", PYPI, "cred.expired")
    assert list(indexes_to_text([healthy, broken])) == [
        "testpypi: healthy",
        "pypi: broken (cred.expired)",
        "  m",
        "next, for pypi: m",
        "→ r",
        "  more: pypi-preflight explain cred.expired",
    ]
    row = {"index": "pypi", "verdict": "broken", "confirmed": False, "cause": "cred.expired",
           "causes": ["cred.expired"], "message": "m", "remedy": "r"}  # fmt: skip
    document = indexes_to_json([healthy, broken])
    assert document["schema"] == 1
    assert document["indexes"][1] == document["next"] == row
    assert document["indexes"][0]["confirmed"] is True
    assert indexes_to_json([healthy])["next"] is None


def test_no_problem_is_not_healthy_unless_the_index_confirms_it() -> None:
    healthy = verification()
    both = [healthy, verification(index=TESTPYPI)]
    assert list(indexes_to_text([confirmed(healthy)]))[-1] == "→ no problems found; next: pypi-preflight check"
    assert list(indexes_to_text(both))[-1] == (
        "→ no problem found; not confirmed by pypi and testpypi; next: pypi-preflight check"
    )
    offline = replace(healthy, offline=True)
    assert "found offline;" in list(indexes_to_text([offline]))[-1]
    assert "found;" in list(indexes_to_text([offline, both[1]]))[-1]
