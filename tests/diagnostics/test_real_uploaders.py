"""Failures that are made anew, with the real uploaders: no cause is certain and wrong, and the first one is right.

Each uploader is installed into an environment of its own, from the package registry. Some minutes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.diagnostics import uploaders
from tests.diagnostics.bare_machine import Verifier, bare_verifier, diagnosed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.network,
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform == "win32", reason="the environments have the layout of POSIX"),
    pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificate"),
]
CASES = [
    (tool, name)
    for tool in uploaders.TESTED
    for name, scenario in uploaders.SCENARIOS.items()
    if tool not in scenario.skip
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with one environment for each uploader."""
    directory = tmp_path_factory.mktemp("uploaders")
    for tool in uploaders.TESTED:
        place = directory / tool
        python = str(place / "bin" / "python")
        for words in (
            ["venv", "--python", sys.executable, str(place)],
            ["pip", "install", "--python", python, *uploaders.ENVIRONMENTS[tool]],
        ):
            subprocess.run([sys.executable, "-m", "uv", "--quiet", *words], check=True, timeout=280)
    return directory


@pytest.fixture(scope="module")
def running(installed: Path) -> Iterator[uploaders.Servers]:
    with uploaders.servers(installed) as servers:
        yield servers


@pytest.fixture(scope="module")
def nothing_here(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    return bare_verifier(tmp_path_factory.mktemp("home"))


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_a_real_failure_is_named(
    case: tuple[str, str], installed: Path, running: uploaders.Servers, tmp_path: Path, nothing_here: Verifier
) -> None:
    tool, name = case
    log = uploaders.output_of(tool, name, running, tmp_path / "project", installed / tool / "bin")
    found, expected = diagnosed(log, nothing_here), uploaders.SCENARIOS[name].expected(tool)
    assert (found.cause in expected) if expected else found.cause is None, f"{found}\n{log}"
