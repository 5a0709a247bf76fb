"""What was seen of a release from outside, for its readers: how it ended, and one JSON document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from release.core.errors import Exit
from release.core.facts import InstallTrial, PublishedRelease
from release.core.models.attestation import Provenance, VerifiedAttestations
from release.core.models.check_result import CheckState
from release.core.models.confirmation_result import Confirmation
from release.core.models.finding import Finding, NotApplicable, Unknown
from release.core.models.project_listing import IndexFile
from release.reports.lines import Line, outcome_to_json

#: what is done, in order, for `--plan`
STEPS = (
    "ask the index for the files of the release, past caches",
    "fetch each file, and compare it with its page and with the record",
    "compare the metadata of the files, and look at what the index says of their attestations",
    "install the wheel, and the sdist, each into a clean environment, and try what they install",
)


def publisher_summary(outside: PublishedRelease) -> Iterator[str]:
    """Who published which part of the files, and who says so."""
    told: dict[str, list[str]] = {}
    for filename, provenance in outside.provenance.items():
        for who, _ in provenance.bundles if isinstance(provenance, Provenance) else ():
            told.setdefault(str(who), []).append(filename)
    for publisher, files in told.items():
        held = all(isinstance((outside.verified or {}).get(filename), VerifiedAttestations) for filename in files)
        how = "verified" if held else "as the index says"
        yield f"published by {publisher}: {len(files)} of {len(outside.files)} files, {how}"


def confirmation_to_lines(found: Confirmation) -> Iterator[Line]:
    """The end of it."""
    done = found.exit == Exit.DONE
    annotation = None if done else ("error", "release confirm", found.message)
    yield Line(text=found.message, style="bold green" if done else "bold red", annotation=annotation)
    if found.remedy:
        yield Line(text=f"→ {found.remedy}")


def confirmation_to_json(found: Confirmation) -> dict[str, Any]:
    """The document of `confirm NAME==VERSION --json`, schema 1; docs/confirm.md describes it."""
    seen = found.outside
    return {
        "schema": 1,
        "verb": "confirm",
        "exit": int(found.exit),
        "message": found.message,
        "remedy": found.remedy,
        "project": seen.project.name,
        "version": seen.project.version,
        "index": {"name": seen.index.name, "simple_url": seen.index.simple_url},
        "status": seen.status,
        "record": found.record,
        "checks": [outcome_to_json(one) for one in found.outcomes],
        "files": [_file(seen, one) for one in seen.files],
        "installs": {"wheel": _tried(seen.wheel), "sdist": _tried(seen.sdist)},
    }


def _file(seen: PublishedRelease, file: IndexFile) -> dict[str, Any]:
    came = seen.fetched.get(file.filename)
    got = came if came is not None and not isinstance(came, Unknown) else None
    return {
        "file": file.filename,
        "url": file.url,
        "sha256": got.sha256 if got else None,
        "size": got.size if got else None,
        "listed_sha256": file.sha256,
        "listed_size": file.size,
        "uploaded": file.upload_time.isoformat() if file.upload_time else None,
        "yanked": file.yanked,
        "provenance": _provenance(seen, file.filename),
    }


def _provenance(seen: PublishedRelease, filename: str) -> dict[str, Any] | None:
    told = seen.provenance.get(filename)
    if told is None:
        return None
    said = None if seen.verified is None else seen.verified.get(filename)
    known = told if isinstance(told, Provenance) else None
    return {
        "publishers": [publisher.to_json() for publisher, _ in known.bundles] if known else None,
        "attestations": sum(len(texts) for _, texts in known.bundles) if known else None,
        "verified": {VerifiedAttestations: True, Finding: False}.get(type(said)),
    }


def _tried(tried: InstallTrial | Unknown | NotApplicable | None) -> dict[str, Any]:
    match tried:
        case InstallTrial():
            outcome = "installed" if tried.install is None else _word(tried.install)
            trials: Sequence[dict[str, Any]] = [
                {
                    "what": one.what,
                    "outcome": "worked" if one.problem is None else _word(one.problem),
                    "took": round(one.took, 3),
                }
                for one in tried.trials
            ]
            return {"file": tried.filename, "outcome": outcome, "trials": trials}
        case Unknown():
            return {"file": None, "outcome": str(CheckState.UNKNOWN), "trials": []}
        case _:
            return {"file": None, "outcome": "not tried", "trials": []}


def _word(problem: Finding | Unknown) -> str:
    if isinstance(problem, Unknown):
        return str(CheckState.UNKNOWN)
    return str(CheckState.FAILED if problem.severity == "block" else CheckState.WARNED)
