"""Compare how long commands without network take with a bare Python, and with `twine --version`."""

from __future__ import annotations

import os
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Row, process, ratio
from release.core.child_environment import without_credentials
from release.core.models.index import PYPI
from release.core.tokens import macaroon

ROUNDS = 21
PYTHON = (sys.executable, "-c", "import argparse; argparse.ArgumentParser().parse_args()")
TWINE = (str(Path(sys.executable).with_name("twine")), "--version")
OURS = str(Path(sys.executable).with_name("pypi-preflight"))


def token() -> str:
    """Make a token in PyPI's format that no index knows."""
    return macaroon.to_text(macaroon.create_macaroon(PYPI.token_location, str(uuid.uuid4()).encode(), os.urandom(32)))


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as directory:
        cwd, env = Path(directory), without_credentials(os.environ)
        python, twine = process(PYTHON, cwd=cwd, env=env), process(TWINE, cwd=cwd, env=env)
        sound, broken = env | {"TWINE_PASSWORD": token()}, env | {"TWINE_PASSWORD": token()[:-7]}
        completion = env | {"_ARGCOMPLETE": "1", "COMP_LINE": "pypi-preflight ver", "COMP_POINT": "18",
                            "_ARGCOMPLETE_STDOUT_FILENAME": os.devnull}  # fmt: skip
        option = completion | {"COMP_LINE": "pypi-preflight verify --off", "COMP_POINT": "27"}
        verify = ("verify", "--offline", "--project", "acme-widget")
        for work, words, theirs, environment, status in (
            ("`--help`", ("--help",), python, env, 0),
            ("completion of a command", (), python, completion, 0),
            ("completion of an option", (), python, option, 0),
            ("`verify --offline`, sound token", verify, twine, sound, 0),
            ("`verify --offline`, broken token", verify, twine, broken, 1),
            ("`explain`", ("explain", "cred.malformed"), twine, env, 0),
            ("`status`", ("status",), twine, env, 0),
        ):
            ours = process((OURS, *words), cwd=cwd, env=environment, expected=(status,))
            peer, goal = ("a bare Python with argparse", 1.5) if theirs is python else ("`twine --version`", 0.5)
            yield ratio(Row(work=work, goal=goal, peer=peer), ours, theirs, ROUNDS)
