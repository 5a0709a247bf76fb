"""The verdict of a confirmation, kept in the journal with what it depends on, so that later runs can show it again."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from release.checks import post_upload
from release.core.config import Config
from release.core.models.check_result import CheckState, Finding, Outcome
from release.core.models.distribution import Distribution
from release.core.plan import SANDBOX
from release.publishing.journal import Journal
from release.reports.lines import outcome_to_json
from release.reports.record import redact_texts


class ConfirmationKey(Struct, frozen=True, kw_only=True):
    """What a verdict holds for: these files on this index, under these settings."""

    index: str
    #: empty for the sandbox: one is like another
    url: str
    #: SHA-256 of the files, sorted
    files: list[str]
    #: what the outcomes depend on besides the files, as JSON
    settings: dict[str, Any]


def confirmation_key(index: str, files: Iterable[Distribution], config: Config) -> ConfirmationKey:
    """The key of a confirmation on `index`.

    A waiver that was added or removed since, a new smoke test, another Python or another version of this program asks
    for a new confirmation.
    """
    checks = {check.name for check in post_upload.CHECKS}
    settings = {
        "program": metadata.version("pypi-preflight"),
        "python": platform.python_version(),
        "smoke": asdict(config.smoke),
        "waive": {name: reason for name, reason in config.waive.items() if name in checks},
        "block": sorted(config.block & checks),
    }
    return ConfirmationKey(
        index=index,
        url="" if index == SANDBOX else config.index(index).upload_url,
        files=sorted(file.sha256 for file in files),
        settings=json.loads(json.dumps(settings)),
    )


def store_verdict(
    journal: Journal, key: ConfirmationKey, outcomes: Sequence[Outcome], redact: Callable[[str], str]
) -> None:
    """Write the event "verified" with the outcomes of all checks. Raises `OSError`."""
    checks = redact_texts([outcome_to_json(one) for one in outcomes], redact)
    journal.write("verified", **asdict(key), checks=checks)


def load_verdict(journal: Journal, key: ConfirmationKey) -> tuple[Outcome, ...] | None:
    """The outcomes of the last confirmation with this key.

    None where there is none, or where the journal is of an older version of this program, which did not store them.
    """
    event = journal.last("verified", **asdict(key))
    if event is None or not event.get("checks"):
        return None
    try:
        return tuple(_parse_outcome(one) for one in event["checks"])
    except (TypeError, ValueError, KeyError):
        return None


def lapsed_waivers(event: Mapping[str, Any], waive: Collection[str]) -> tuple[str, ...]:
    """The checks that failed in a stored confirmation and were waived then, but are no longer."""
    checks = event.get("checks") or ()
    return tuple(one["check"] for one in checks if one["state"] == CheckState.WAIVED and one["check"] not in waive)


def _parse_outcome(data: Mapping[str, Any]) -> Outcome:
    findings = tuple(Finding(**one) for one in data["findings"])
    return Outcome(**{**data, "state": CheckState(data["state"]), "findings": findings})
