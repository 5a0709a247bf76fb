"""Git repositories for tests of what reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path


def git(directory: Path, *words: str) -> None:
    """Run git as a user with a name; local clones are allowed as submodules."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *identity, *words], cwd=directory, check=True, capture_output=True)


def committed(directory: Path, files: dict[str, str]) -> Path:
    """A repository with one commit of these files."""
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    git(directory, "init", "-q", "-b", "main")
    git(directory, "add", "-A")
    git(directory, "commit", "-q", "-m", "all")
    return directory
