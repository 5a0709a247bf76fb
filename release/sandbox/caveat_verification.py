"""What a token allows: its caveats, judged as the index judges them. Unknown ones are refused.

Source: warehouse, `macaroons/caveats/__init__.py`, `_core.py` and `_legacy.py`, run 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Who asks, for which project, and when."""

    #: empty where a publisher asks
    user_id: str
    #: as the project spells it
    project: str
    normalized: str
    project_id: str
    #: unix seconds
    now: int
    #: the publisher that asks, and the identifiers of its projects; None where a user asks
    publisher_id: str | None = None
    publisher_projects: frozenset[str] = frozenset()


class UnreadableError(Exception):
    """The caveat is no JSON: the index stops there, and says only `unknown error`."""


def problem(caveat: bytes, context: Context) -> str | None:
    """Why a caveat is not met, in the index's words. Raises UnreadableError."""
    try:
        data = json.loads(caveat)
    except ValueError as error:
        raise UnreadableError from error
    if isinstance(data, dict):
        data = _adapted(data, context)
    if not isinstance(data, list):
        return "caveat must be an array"
    if not data:
        return "caveat array cannot be empty"
    kind = _KINDS.get(data[0]) if type(data[0]) is int else None
    if kind is None:
        return f"caveat has unknown tag: {data[0]}"
    fields = data[1:] + [None] * kind.optional
    if len(fields) < len(kind.fields):
        return "Not enough values"
    if not all(fits(field) for fits, field in zip(kind.fields, fields, strict=False)):
        return "invalid values for fields"
    return kind.judge(context, *fields[: len(kind.fields)])


def _adapted(data: dict[str, Any], context: Context) -> Any:
    """The array for one of the older forms, which were objects; the object itself where it is none of them."""
    permissions = data.get("permissions")
    if data.get("version") == 1 and permissions == "user":
        return [3, context.user_id]
    if data.get("version") == 1 and isinstance(permissions, dict) and "projects" in permissions:
        return [1, permissions["projects"]]
    if "nbf" in data and "exp" in data:
        return [0, data["exp"], data["nbf"]]
    return [2, data["project_ids"]] if "project_ids" in data else data


def _expiration(context: Context, expires_at: int, not_before: int) -> str | None:
    return None if not_before <= context.now < expires_at else "token is expired"


def _project_names(context: Context, names: list[str]) -> str | None:
    return None if context.normalized in names else _other_project(context)


def _project_ids(context: Context, ids: list[str]) -> str | None:
    return None if context.project_id in ids else _other_project(context)


def _other_project(context: Context) -> str:
    return f"project-scoped token is not valid for project: {context.project!r}"


def _user(context: Context, user_id: str) -> str | None:
    if context.publisher_id is not None:
        return "token with user restriction without a user"
    return None if user_id == context.user_id else "current user does not match user restriction in token"


def _publisher(context: Context, publisher_id: str, _claims: object) -> str | None:
    if context.publisher_id is None:
        return "OIDC scoped token used outside of an OIDC identified request"
    if context.publisher_id != publisher_id:
        return "current OIDC publisher does not match publisher restriction in token"
    if context.project_id not in context.publisher_projects:
        return f"OIDC scoped token is not valid for project {context.project!r}"
    return None


def _number(value: object) -> bool:
    return type(value) is int


def _text(value: object) -> bool:
    return isinstance(value, str)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _claims(value: object) -> bool:
    return value is None or isinstance(value, dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """One kind of caveat: the shape of its fields, and what they mean."""

    fields: tuple[Callable[[object], bool], ...]
    judge: Callable[..., str | None]
    #: how many of the last fields may be absent
    optional: int = 0


#: by tag
_KINDS = {
    0: _Kind(fields=(_number, _number), judge=_expiration),
    1: _Kind(fields=(_texts,), judge=_project_names),
    2: _Kind(fields=(_texts,), judge=_project_ids),
    3: _Kind(fields=(_text,), judge=_user),
    4: _Kind(fields=(_text, _claims), judge=_publisher, optional=1),
}
