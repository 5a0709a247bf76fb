"""Compare `verify --offline` with `twine --version`, in one run, as a ratio of medians.

    python benchmarks/verify.py [--rounds 21]

Each round starts both programs once, one after the other, in a directory without a project and with a token in
TWINE_PASSWORD; the keyring is read too. The bytecode of both is compiled before.
"""

from __future__ import annotations

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import release
from release.core.child_environment import without_credentials
from release.core.models.index import PYPI
from release.core.tokens import macaroon

OURS = ("release", "verify", "--offline", "--project", "acme-widget")
THEIRS = ("twine", "--version")


def token() -> str:
    """Make a token in PyPI's format that no index knows."""
    return macaroon.to_text(macaroon.create_macaroon(PYPI.token_location, str(uuid.uuid4()).encode(), os.urandom(32)))


def took(words: tuple[str, ...], cwd: str, env: dict[str, str]) -> float:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", *words], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    duration = time.perf_counter() - begun
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return duration


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=21)
    rounds = options.parse_args().rounds
    root = Path(release.__file__).parent
    # bytecode: without it every start compiles the program anew, which no installed program does
    compileall.compile_dir(root, quiet=1)
    env = without_credentials(os.environ) | {"TWINE_PASSWORD": token(), "PYTHONPATH": str(root.parent)}
    ours: list[float] = []
    theirs: list[float] = []
    with tempfile.TemporaryDirectory() as directory:
        for number in range(rounds + 1):
            pair = took(OURS, directory, env), took(THEIRS, directory, env)
            if number:  # the first round warms the caches
                ours.append(pair[0])
                theirs.append(pair[1])
    mine, other = statistics.median(ours), statistics.median(theirs)
    print(f"verify --offline {mine:.3f} s, twine --version {other:.3f} s")
    print(f"ratio of medians over {rounds} rounds: {mine / other:.2f} (limit: less than 1)")


if __name__ == "__main__":
    main()
