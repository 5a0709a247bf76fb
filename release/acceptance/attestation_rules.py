"""Rules on the attestations that come with a file (PEP 740).

Source: warehouse, `attestations/services.py` and `forklift/legacy.py`: the last rules of all, applied after the whole
file has arrived.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

from release.acceptance.rule import Refusal
from release.core.models.attestation import PREDICATES, PUBLISHER_KINDS, predicate_of

#: returns the predicate type of an attestation; raises `ValueError` with the reason why verification failed
Verifier = Callable[[dict[str, Any]], str]

_MISSING = "Field required [type=missing]"
_WRONG = "Input should be {} [type={}]"


def check_attestations(text: str, *, publisher: str | None, verifier: Verifier) -> Refusal | None:
    """Why the index rejects `text`, the form's field; None where it accepts it.

    `publisher` is the kind of trusted publisher that uploads; None for a user's token.
    """
    reason = _reason(text, publisher, verifier)
    if reason is None:
        return None
    return Refusal(
        rule="attestations-come-with-trusted-publishing" if publisher is None else "the-attestations-hold",
        text=f"Invalid attestations supplied during upload: {reason}",
    )


def statement_verifier(filename: str, sha256: str) -> Verifier:
    """A verifier that accepts every signature and checks only the statement: file name, digest, predicate type."""

    def verify(attestation: dict[str, Any]) -> str:
        return predicate_of(base64.b64decode(attestation["envelope"]["statement"]), filename, sha256)

    return verify


def _reason(text: str, publisher: str | None, verifier: Verifier) -> str | None:
    if publisher is None:
        return "Attestations are only supported when using Trusted Publishing"
    if publisher not in PUBLISHER_KINDS:
        return f"Attestations are not currently supported with {publisher} publishers"
    problems, attestations = _parse(text)
    if problems:
        plural = "" if len(problems) == 1 else "s"
        lines = "".join(f"\n{line}" for line in problems)
        return f"Malformed attestations: {len(problems)} validation error{plural} for list[Attestation]{lines}"
    if not attestations:
        return "Malformed attestations: an empty attestation set is not permitted"
    if len(attestations) > len(PREDICATES):
        return f"A maximum of {len(PREDICATES)} attestations per file are supported"
    return _verification_failure(attestations, verifier)


def _verification_failure(attestations: list[dict[str, Any]], verifier: Verifier) -> str | None:
    kinds = set()
    for attestation in attestations:
        try:
            kind = verifier(attestation)
        except ValueError as error:
            reason = f"Verification failed: {error}"
            return f"Could not verify the uploaded artifact using the included attestation: {reason}"
        if kind not in PREDICATES:
            return f"Attestation with unsupported predicate type: {kind}"
        if kind in kinds:
            return f"Multiple attestations for the same file with the same predicate type ({kind}) are not supported"
        kinds.add(kind)
    return None


def _parse(text: str) -> tuple[list[str], list[dict[str, Any]]]:
    """Validation errors, and the attestations. The index's own messages continue with help addresses."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return [f"  Invalid JSON: {error} [type=json_invalid]"], []
    if not isinstance(data, list):
        return [f"  {_WRONG.format('a valid array', 'list_type')}"], []
    problems = [f"{number}{where}" for number, one in enumerate(data) for where in _errors(one)]
    return problems, data


def _errors(attestation: Any) -> Iterator[str]:
    """Validation errors of one attestation, by field."""
    if not isinstance(attestation, dict):
        yield "\n  " + _WRONG.format("an object", "model_type")
        return
    if "version" not in attestation:
        yield f".version\n  {_MISSING}"
    elif attestation["version"] != 1:
        yield f".version\n  {_WRONG.format('1', 'literal_error')}"
    yield from _part_errors(attestation, "verification_material", ("certificate",))
    material = attestation.get("verification_material")
    if isinstance(material, dict):
        entries = material.get("transparency_entries")
        if entries is None:
            yield f".verification_material.transparency_entries\n  {_MISSING}"
        elif not isinstance(entries, list) or not entries:
            yield f".verification_material.transparency_entries\n  {_WRONG.format('a list of at least 1', 'too_short')}"
    yield from _part_errors(attestation, "envelope", ("statement", "signature"))


def _part_errors(attestation: dict[str, Any], name: str, fields: tuple[str, ...]) -> Iterator[str]:
    part = attestation.get(name)
    if part is None:
        yield f".{name}\n  {_MISSING}"
    elif not isinstance(part, dict):
        yield f".{name}\n  {_WRONG.format('an object', 'model_type')}"
    else:
        for field in fields:
            if field not in part:
                yield f".{name}.{field}\n  {_MISSING}"
                continue
            try:
                base64.b64decode(part[field].encode("ascii"))
            except (ValueError, AttributeError):  # AttributeError: not a text
                yield f".{name}.{field}\n  {_WRONG.format('valid base64', 'base64_decode')}"
