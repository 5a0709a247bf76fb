"""Parse workflow files as the CI services do, and run checkers on them."""

from __future__ import annotations

import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema.validators import validator_for
from ruamel.yaml import YAML


def parsed(text: str) -> Any:
    """The document, with the strings of YAML 1.2: `on` is one."""
    return YAML(typ="safe", pure=True).load(text)


def tool(name: str, *words: str) -> tuple[int, str]:
    """Exit status and output of a program from this environment."""
    program = Path(sysconfig.get_path("scripts")) / name
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=240)
    return done.returncode, done.stdout + done.stderr


def schema_errors(schema: str, document: Any) -> list[str]:
    """What is wrong with a document by a schema of check-jsonschema: "github-actions", "gitlab-ci", …"""
    from check_jsonschema.builtin_schemas import get_builtin_schema  # type: ignore[import-untyped]

    found = get_builtin_schema(f"vendor.{schema}")
    return [f"{error.json_path}: {error.message}" for error in validator_for(found)(found).iter_errors(document)]


def jobs(text: str) -> dict[str, Any]:
    found: dict[str, Any] = parsed(text)["jobs"]
    return found


def steps(text: str) -> Iterator[dict[str, Any]]:
    for job in jobs(text).values():
        yield from job["steps"]
