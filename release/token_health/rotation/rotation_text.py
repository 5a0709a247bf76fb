"""A rotation as text and as JSON: the old token, the plan, the result."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from release.core.models.secret_location import location_to_text
from release.token_health.rotation.perform import STATE_TEXTS, RotationResult
from release.token_health.rotation.rotation_plan import RotationPlan, RotationRequest, deletion_page, step_to_text


def old_token_to_text(request: RotationRequest, plan: RotationPlan) -> Iterator[str]:
    """The old token and where it is stored, line by line."""
    about = f"{request.index.name}, {request.name or 'the account'}"
    if plan.unfinished is not None:
        yield f"{about}: resuming a rotation; the new token is in {', '.join(plan.done)}"
    else:
        yield f"{about}: the old token"
    facts = {
        "identifier": plan.identifier, "fingerprint": plan.fingerprint, "scope": plan.scope,
        "known for": f"{plan.age.days} days" if plan.age is not None else "",
    }  # fmt: skip
    yield "  " + " · ".join(f"{name} {value}" for name, value in facts.items() if value)
    for one in plan.stored:
        yield f"  in {location_to_text(one.location)}" + " (cannot be changed from here)" * (not one.replaceable)
    for where in plan.leaked_in:
        yield f"  leaked: {where}; the old token is revoked first"


def plan_to_text(plan: RotationPlan) -> Iterator[str]:
    """The steps in order, line by line."""
    for number, step in enumerate(plan.steps, 1):
        yield f"{number}. {step_to_text(step)}"
    for one in plan.stored:
        if not one.replaceable:
            yield f"by hand: {location_to_text(one.location)}: {one.manual_change}"


def result_to_text(request: RotationRequest, result: RotationResult, *, narrower: bool) -> Iterator[str]:
    """What was done and what is left to do, line by line."""
    yield f"the new token, fingerprint {result.new}, is in {', '.join(result.replaced)}"
    for one in result.left:
        yield f"not replaced: {one.where}: {one.reason}"
        yield f"  → {one.remedy}"
    if narrower:
        yield "note: the old token covered the entire account, the new one does not: other projects need their own"
    if STATE_TEXTS[result.old_state]:
        yield STATE_TEXTS[result.old_state]
    if result.old_state not in {"dead", "none"}:
        first = "once the locations above are changed, " if result.left and not result.leaked else ""
        yield f"  → {first}delete it: {deletion_page(request.index)}; then run the same command again"


def rotation_to_json(request: RotationRequest, plan: RotationPlan, result: RotationResult | None) -> dict[str, Any]:
    """The plan and, once it was executed, the result as JSON data, schema 1."""
    left = result.left if result else ()
    return {
        "schema": 1,
        "index": request.index.name,
        "project": request.name,
        "old": {
            "identifier": plan.identifier,
            "fingerprint": plan.fingerprint,
            "scope": plan.scope,
            "places": [location_to_text(one.location) for one in plan.stored],
            "leaked": plan.leaked,
            "leaked_in": list(plan.leaked_in),
            "state": result.old_state if result else None,
        },
        "resumed": plan.unfinished is not None,
        "steps": [step_to_text(one) for one in plan.steps],
        "new": {"fingerprint": result.new, "places": list(result.replaced)} if result else None,
        "left": [{"where": one.where, "message": one.reason, "remedy": one.remedy} for one in left],
        "exit": int(result.status) if result else None,
    }
