"""Parse workflow files as the CI services do, and run checkers on them."""

from __future__ import annotations

import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML


def parsed(text: str) -> Any:
    """The document, with the strings of YAML 1.2: `on` is one."""
    return YAML(typ="safe", pure=True).load(text)


def tool(name: str, *words: str) -> tuple[int, str]:
    """Exit status and output of a program from this environment."""
    program = Path(sysconfig.get_path("scripts")) / name
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr


def jobs(text: str) -> dict[str, Any]:
    found: dict[str, Any] = parsed(text)["jobs"]
    return found


def steps(text: str) -> Iterator[dict[str, Any]]:
    for job in jobs(text).values():
        yield from job["steps"]
