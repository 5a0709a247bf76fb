"""Run the tools that people use, away from this machine's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from release.core.child_environment import without_credentials

#: what a machine needs to reach a package registry at all
_CERTIFICATES = ("PIP_CERT", "PIP_CLIENT_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


def run_module(*argv: str, env: Mapping[str, str] | None = None, home: Path) -> tuple[int, str]:
    """Run a Python tool of this environment; returns its status and output."""
    return run_client(sys.executable, "-m", *argv, env=env, home=home)


def run_client(
    *argv: str, env: Mapping[str, str] | None = None, home: Path, cwd: Path | None = None
) -> tuple[int, str]:
    """Run a tool in a home of its own, with no setting of this machine but certificates."""
    kept = {
        name: value
        for name, value in without_credentials(os.environ).items()
        if name in _CERTIFICATES or not name.startswith(("PIP_", "UV_"))
    }
    clean = {
        "HOME": str(home),
        "USERPROFILE": str(home),
        "PIP_CONFIG_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    done = subprocess.run(
        argv, env=kept | clean | dict(env or {}), cwd=cwd, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=240, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout
