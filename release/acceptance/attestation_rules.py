"""What the index asks of the attestations that come with a file (PEP 740).

Source: warehouse, `attestations/services.py` and `forklift/legacy.py`: the last questions of all, asked
after the whole file has arrived.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator
from typing import Any

from release.acceptance.rule import Refusal
from release.core.models.attestation import PREDICATES, PUBLISHER_KINDS, predicate_of

#: says what an attestation attests; raises `ValueError` with the reason why it is not believed
Verify = Callable[[dict[str, Any]], str]

_MISSING = "Field required [type=missing]"
_WRONG = "Input should be {} [type={}]"


def refusal(text: str, *, publisher: str | None, verify: Verify) -> Refusal | None:
    """Why the index does not take `text`, the form's field; None where it does.

    `publisher` is the kind of trusted publisher that uploads; None where it is a user's token.
    """
    reason = _reason(text, publisher, verify)
    if reason is None:
        return None
    return Refusal(
        rule="attestations-come-with-trusted-publishing" if publisher is None else "the-attestations-hold",
        status=400,
        text=f"Invalid attestations supplied during upload: {reason}",
    )


def by_its_statement(filename: str, sha256: str) -> Verify:
    """Believes every signature, and looks at what was signed: which file, which bytes, what about them."""

    def verify(attestation: dict[str, Any]) -> str:
        return predicate_of(base64.b64decode(attestation["envelope"]["statement"]), filename, sha256)

    return verify


def _reason(text: str, publisher: str | None, verify: Verify) -> str | None:
    if publisher is None:
        return "Attestations are only supported when using Trusted Publishing"
    if publisher not in PUBLISHER_KINDS:
        return f"Attestations are not currently supported with {publisher} publishers"
    problems, attestations = _read(text)
    if problems:
        many = "" if len(problems) == 1 else "s"
        lines = "".join(f"\n{line}" for line in problems)
        return f"Malformed attestations: {len(problems)} validation error{many} for list[Attestation]{lines}"
    if not attestations:
        return "Malformed attestations: an empty attestation set is not permitted"
    if len(attestations) > len(PREDICATES):
        return f"A maximum of {len(PREDICATES)} attestations per file are supported"
    return _disbelieved(attestations, verify)


def _disbelieved(attestations: list[dict[str, Any]], verify: Verify) -> str | None:
    seen = set()
    for one in attestations:
        try:
            kind = verify(one)
        except ValueError as error:
            why = f"Verification failed: {error}"
            return f"Could not verify the uploaded artifact using the included attestation: {why}"
        if kind not in PREDICATES:
            return f"Attestation with unsupported predicate type: {kind}"
        if kind in seen:
            return f"Multiple attestations for the same file with the same predicate type ({kind}) are not supported"
        seen.add(kind)
    return None


def _read(text: str) -> tuple[list[str], list[dict[str, Any]]]:
    """What is wrong with the form of it, and what it holds. The index's own words continue with addresses."""
    try:
        data = json.loads(text)
    except ValueError as error:
        return [f"  Invalid JSON: {error} [type=json_invalid]"], []
    if not isinstance(data, list):
        return [f"  {_WRONG.format('a valid array', 'list_type')}"], []
    problems = [f"{number}{where}" for number, one in enumerate(data) for where in _problems(one)]
    return problems, data


def _problems(one: Any) -> Iterator[str]:
    """What is wrong with the form of one attestation, by field."""
    if not isinstance(one, dict):
        yield "\n  " + _WRONG.format("an object", "model_type")
        return
    if "version" not in one:
        yield f".version\n  {_MISSING}"
    elif one["version"] != 1:
        yield f".version\n  {_WRONG.format('1', 'literal_error')}"
    yield from _part(one, "verification_material", ("certificate",))
    material = one.get("verification_material")
    if isinstance(material, dict):
        entries = material.get("transparency_entries")
        if entries is None:
            yield f".verification_material.transparency_entries\n  {_MISSING}"
        elif not isinstance(entries, list) or not entries:
            yield f".verification_material.transparency_entries\n  {_WRONG.format('a list of at least 1', 'too_short')}"
    yield from _part(one, "envelope", ("statement", "signature"))


def _part(one: dict[str, Any], name: str, fields: tuple[str, ...]) -> Iterator[str]:
    part = one.get(name)
    if part is None:
        yield f".{name}\n  {_MISSING}"
    elif not isinstance(part, dict):
        yield f".{name}\n  {_WRONG.format('an object', 'model_type')}"
    else:
        for field in fields:
            if field not in part:
                yield f".{name}.{field}\n  {_MISSING}"
            elif not _is_base64(part[field]):
                yield f".{name}.{field}\n  {_WRONG.format('valid base64', 'base64_decode')}"


def _is_base64(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=False)
    except (binascii.Error, ValueError, TypeError):
        return False
    return isinstance(value, str)
