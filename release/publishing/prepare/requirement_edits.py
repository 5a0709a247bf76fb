"""The requirements of a set's members on each other, where a new version asks for another one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.specifiers import Specifier
from packaging.version import InvalidVersion, Version

from release.core.models.check_result import Finding
from release.core.models.preparation import FileEdit
from release.core.set_order import SiblingRequirement

_FILE = "pyproject.toml"


def raised_requirement(edge: SiblingRequirement, before: Version | None, after: str, *, lockstep: bool) -> str | None:
    """A requirement on a member that goes from one version to another; None where it stays.

    A pin of the version before is raised. In lockstep, a lower bound at it is raised, too: the members are released and
    tested as one. All other requirements are what their author means: a set's checks name those that cannot be met.
    """
    if before is None or edge.requirement.url:
        return None
    operators = {"==", "===", ">=", "~="} if lockstep else {"==", "==="}
    for one in edge.requirement.specifier:
        if one.operator in operators and _is_version(one, before):
            pattern = rf"({re.escape(one.operator)}\s*){re.escape(one.version)}(?![\w.*+!])"
            text = re.sub(pattern, lambda found: found[1] + after, edge.text, count=1)
            return text if text != edge.text else None
    return None


def replace_requirements(
    directory: Path, edits: Sequence[FileEdit], replaced: Mapping[str, str]
) -> tuple[tuple[FileEdit, ...], list[Finding]]:
    """The edits with those requirements replaced in pyproject.toml, where they are whole strings.

    A finding for each requirement that is not spelled so there.
    """
    if not replaced:
        return tuple(edits), []
    own = next((one for one in edits if one.path == _FILE), None)
    before = own.before if own else (directory / _FILE).read_bytes()
    after = (own.after if own else before) or b""
    done, findings = [], []
    for old, new in replaced.items():
        changed = re.sub(
            rf"(?P<quote>[\"']){re.escape(old)}(?P=quote)".encode(),
            lambda found, new=new: found["quote"] + new.encode() + found["quote"],  # type: ignore[misc]
            after,
        )
        if changed == after:
            findings.append(
                Finding(
                    message=f"the requirement {old!r} is to become {new!r}, but it is not a string in {_FILE}",
                    remedy="change it where the build backend reads it, and commit it", severity="warn", where=_FILE,
                )
            )  # fmt: skip
        else:
            done.append(f"{old} → {new}")
        after = changed
    if not done:
        return tuple(edits), findings
    what = ", ".join([*([own.what] if own else []), *done])
    edit = FileEdit(path=_FILE, before=before, after=after, what=what)
    return (edit, *(one for one in edits if one is not own)), findings


def _is_version(one: Specifier, version: Version) -> bool:
    try:
        return Version(one.version) == version
    except InvalidVersion:
        return False
