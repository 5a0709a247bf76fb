"""Include the GitLab component as GitLab does: check the inputs, and fill them into the jobs.

Source: GitLab documentation, "CI/CD inputs", `spec:inputs` and its types.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.publishing.ci.workflow_files import parsed

COMPONENT = Path(__file__).parents[3] / "templates" / "release" / "template.yml"
_TYPES: Mapping[str, type] = {"string": str, "boolean": bool, "array": list}


def split() -> tuple[str, str]:
    """The text of the header, and that of the jobs."""
    header, jobs = COMPONENT.read_text(encoding="utf-8").split("\n---\n")
    return header + "\n", jobs


def included(given: Mapping[str, Any]) -> dict[str, Any]:
    """The jobs of the component with these inputs."""
    header, jobs = split()
    declared = parsed(header)["spec"]["inputs"]
    assert given.keys() <= declared.keys(), given.keys() - declared.keys()
    values = {name: given.get(name, one.get("default")) for name, one in declared.items()}
    for name, one in declared.items():
        assert isinstance(values[name], _TYPES[one.get("type", "string")]), name
        assert "options" not in one or values[name] in one["options"], name
        assert "regex" not in one or re.search(one["regex"], values[name]), name
    found: dict[str, Any] = _filled(parsed(jobs), values)
    return found


def _filled(value: Any, inputs: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {_filled(key, inputs): _filled(one, inputs) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, inputs) for one in value]
    if not isinstance(value, str):
        return value
    whole = re.fullmatch(r"\$\[\[ inputs\.([\w-]+) \]\]", value)
    if whole and isinstance(inputs[whole[1]], list):
        return inputs[whole[1]]
    return re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", lambda found: _text(inputs[found[1]]), value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
