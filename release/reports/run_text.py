"""The plan and the result of a run, and the confirmation of a published release, as text and JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from msgspec.structs import asdict

from release.core import wheel_tags
from release.core.errors import Exit
from release.core.facts import InstallTrial, PublishedRelease
from release.core.models.attestation import Provenance, VerifiedAttestations
from release.core.models.check_result import CheckState, Finding, NotApplicable, Unknown
from release.core.models.distribution import Receipt, Rejection, UnclearResponse, UploadResult
from release.core.models.index import IndexFile
from release.core.models.results import Confirmation, RunResult
from release.core.plan import Plan, Upload
from release.reports.ending import Ending, ending_to_lines
from release.reports.lines import Line, format_iso_time, outcome_to_json

#: what `confirm` does, for `--plan`
CONFIRM_STEPS = (
    "fetch the list of the release's files from the index, bypassing caches",
    "download each file, and compare it with its page and with the record",
    "compare the metadata of the files, and check their attestations on the index",
    "install wheel and sdist, each into a clean environment, and test what they install",
)


def plan_to_lines(plan: Plan) -> Iterator[Line]:
    """The plan, with the steps marked that cannot be undone."""
    commit = f" at {plan.commit[:12]}" if plan.commit else ""
    release = f"{plan.project or 'this project'} {plan.version or '(version unknown)'}"
    yield Line(text=f"{plan.verb}: {release}{commit}", style="bold")
    for number, step in enumerate(plan.steps, 1):
        final = "   (cannot be undone)" if isinstance(step, Upload) and step in plan.irreversible else ""
        yield Line(text=f"  {number}. {step.title}{final}")
    if plan.exchanges:
        yield Line(
            text="  where no token is stored, the checks of the credentials exchange the identity of this job for a"
        )
        yield Line(text="  token and revoke it at once: two lines in the security history of the project")


def files_to_lines(filenames: Collection[str]) -> Iterator[Line]:
    """Where there are wheels for several platforms, the Pythons that each platform has wheels for."""
    yield from (Line(text=f"  {line}") for line in wheel_tags.platforms_to_lines(filenames))


def run_to_lines(result: RunResult, *, width: int | None = None) -> Iterator[Line]:
    """What happened, where the record is, and the next command. `width`: the columns of a terminal."""
    ending = Ending(
        command=result.plan.verb, message=result.message, remedy=result.remedy,
        passed=result.exit == Exit.DONE, record=result.record, next_command=result.next_command,
    )  # fmt: skip
    return ending_to_lines(ending, width=width)


def run_to_json(result: RunResult, plan: dict[str, Any]) -> dict[str, Any]:
    """The document of a run, schema 1; `plan` is the document of its plan."""
    return {
        "schema": 1, "verb": result.plan.verb, "exit": int(result.exit),
        "message": result.message, "remedy": result.remedy, "cause": result.cause, "next": result.next_command,
        "project": result.plan.project, "version": result.plan.version, "commit": result.plan.commit,
        "checks": [outcome_to_json(one) for one in result.outcomes],
        "files": [{"file": f.filename, "sha256": f.sha256, "size": f.size} for f in result.files],
        "uploads": {name: [answer_to_json(one) for one in answers] for name, answers in result.uploads.items()},
        "record": result.record, "plan": plan,
    }  # fmt: skip


def answer_to_json(answer: UploadResult) -> dict[str, Any]:
    """The result of one file's upload."""
    match answer:
        case Receipt():
            return {"answer": "receipt"} | asdict(answer)
        case Rejection(filename=filename, status=status, message=message):
            return {"answer": "rejection", "filename": filename, "status": status, "text": message}
        case UnclearResponse():
            fields = {name: getattr(answer, name) for name in ("detail", "retry_after", "sent")}
            return {"answer": "unclear", "filename": answer.filename, "what": answer.summary, **fields}


def publisher_summary(release: PublishedRelease) -> Iterator[str]:
    """A line for each publisher: how many files it published, and whether its attestations were verified here."""
    found: dict[str, list[str]] = {}
    for filename, provenance in release.provenance.items():
        for publisher, _ in provenance.bundles if isinstance(provenance, Provenance) else ():
            found.setdefault(str(publisher), []).append(filename)
    for name, files in found.items():
        verified = all(isinstance((release.verified or {}).get(filename), VerifiedAttestations) for filename in files)
        source = "verified" if verified else "as the index says"
        yield f"published by {name}: {len(files)} of {len(release.files)} files, {source}"


def confirmation_to_json(found: Confirmation) -> dict[str, Any]:
    """The document of `confirm NAME==VERSION --json`, schema 1; docs/confirm.md describes it."""
    published = found.release
    return {
        "schema": 1, "verb": "confirm", "exit": int(found.exit), "message": found.message, "remedy": found.remedy,
        "project": published.project.name, "version": published.project.version,
        "index": {"name": published.index.name, "simple_url": published.index.simple_url},
        "status": published.status, "record": found.record,
        "checks": [outcome_to_json(one) for one in found.outcomes],
        "files": [_file(published, one) for one in published.files],
        "installs": {"wheel": _install(published.wheel), "sdist": _install(published.sdist)},
    }  # fmt: skip


def _file(published: PublishedRelease, file: IndexFile) -> dict[str, Any]:
    fetched = published.fetched.get(file.filename)
    known = fetched if fetched is not None and not isinstance(fetched, Unknown) else None
    return {
        "file": file.filename, "url": file.url,
        "sha256": known.sha256 if known else None, "size": known.size if known else None,
        "listed_sha256": file.sha256, "listed_size": file.size,
        "uploaded": format_iso_time(file.upload_time), "yanked": file.yanked,
        "provenance": _provenance(published, file.filename),
    }  # fmt: skip


def _provenance(published: PublishedRelease, filename: str) -> dict[str, Any] | None:
    provenance = published.provenance.get(filename)
    if provenance is None:
        return None
    verified = (published.verified or {}).get(filename)
    known = provenance if isinstance(provenance, Provenance) else None
    return {
        "publishers": [publisher.to_json() for publisher, _ in known.bundles] if known else None,
        "attestations": sum(len(texts) for _, texts in known.bundles) if known else None,
        "verified": None if isinstance(verified, Unknown | None) else isinstance(verified, VerifiedAttestations),
    }


_TRIAL = {None: "worked", "warn": str(CheckState.WARNED), "block": str(CheckState.FAILED)}


def _install(trial: InstallTrial | Unknown | NotApplicable | None) -> dict[str, Any]:
    if not isinstance(trial, InstallTrial):
        outcome = str(CheckState.UNKNOWN) if isinstance(trial, Unknown) else "not tried"
        return {"file": None, "outcome": outcome, "trials": []}
    trials = [
        {"what": one.test.title, "outcome": _TRIAL[one.severity], "took": round(one.took, 3)} for one in trial.trials
    ]
    return {"file": trial.filename, "outcome": _outcome(trial.install, "installed"), "trials": trials}


def _outcome(problem: Finding | Unknown | None, success: str) -> str:
    if problem is None:
        return success
    if isinstance(problem, Unknown):
        return str(CheckState.UNKNOWN)
    return str(CheckState.FAILED if problem.severity == "block" else CheckState.WARNED)
