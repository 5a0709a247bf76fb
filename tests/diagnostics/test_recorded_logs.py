"""Real outputs of uploaders, and lines of public logs: the first cause is right, and none is certain and wrong.

`tool-outputs.json` and `excerpts.json` were given; `uploader-outputs.json` was made with `uploaders.py`. Hosts of PyPI
and TestPyPI are placeholders in all three.
"""

from __future__ import annotations

import json
import random
import re
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from release.core.models.index import PYPI, TESTPYPI, host_of
from release.credentials.log_diagnosis import Explanation
from tests.diagnostics import uploaders
from tests.diagnostics.bare_machine import Verifier, bare_verifier, diagnosed

HERE = Path(__file__).parent
FILES = ("tool-outputs.json", "excerpts.json", "uploader-outputs.json")
CASES: list[dict[str, Any]] = [
    {**case, "id": f"{name.partition('.')[0]}: {case['id']}"}
    for name in FILES
    for case in json.loads((HERE / name).read_text(encoding="utf-8"))
]
#: cases whose log is the same, letter by letter, as that of a case with another cause; the likeliest one comes first,
#: none is certain, and the right one is among the others
INDISTINGUISHABLE = {
    "tool-outputs: poetry:tls-self-signed": "poetry prints the same if the name does not resolve",
    "tool-outputs: poetry:proxy-407": "poetry prints the same if the name does not resolve",
    "tool-outputs: twine:empty-password": "the index answers every unknown credential in the same words",
    "tool-outputs: twine:username-newline:local": "the index answers every other username in the same words",
}


@pytest.fixture(scope="module")
def nothing_here(tmp_path_factory: pytest.TempPathFactory) -> Verifier:
    return bare_verifier(tmp_path_factory.mktemp("home"))


def holds(case: dict[str, Any], found: Explanation) -> None:
    expected = case["expected_cause"]
    if case["id"] in INDISTINGUISHABLE:
        assert not found.certain
        assert {found.cause, *found.others} & set(expected), found
    elif not expected:
        assert found.cause is None, found
    else:
        assert found.cause in expected, found


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_first_cause_of_a_recorded_log_is_right(case: dict[str, Any], nothing_here: Verifier) -> None:
    """Also where nothing of the run is on this machine."""
    found = diagnosed(uploaders.with_hosts(case["log"]), nothing_here)
    holds(case, found)
    assert not found.cause or found.remedy


def test_no_recording_contains_a_host_or_a_token() -> None:
    for name in FILES:
        text = (HERE / name).read_text(encoding="utf-8")
        assert host_of(PYPI.upload_url) not in text
        assert host_of(TESTPYPI.upload_url) not in text
        assert not re.search(r"pypi-A[\w-]{12,}|eyJ[\w-]{8,}", text)


# -- the same logs, as they are copied, wrapped and sent around -------------------------------------------


def folded(log: str, width: int) -> str:
    """Wrapped at blanks, as a terminal or a mail program does."""
    lines = [textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in log.splitlines()]
    return "\n".join(lines) + "\n"


def broken(log: str, width: int) -> str:
    """Broken at a column, also within words."""
    return "".join(
        line[at : at + width] + "\n" for line in log.splitlines() for at in range(0, max(len(line), 1), width)
    )


def prefixed(log: str, prefix: str) -> str:
    return "".join(f"{prefix}{line}\n" for line in log.splitlines())


def boxed(log: str, width: int) -> str:
    lines = [
        part for line in log.splitlines() for part in textwrap.wrap(line, width - 4, break_long_words=False) or [""]
    ]
    return "".join(
        ["╭", "─" * width, "╮\n", *(f"│ {line:<{width - 4}} │\n" for line in lines), "╰", "─" * width, "╯\n"]
    )


def without_ansi(log: str) -> str:
    return re.sub(r"\x1b\[[0-?]*[a-zA-Z]", "", log)


def stamped(log: str, form: str) -> str:
    return "".join(form.format(number % 60) + line + "\n" for number, line in enumerate(log.splitlines()))


VARIATIONS: dict[str, Callable[[str], str]] = {
    "folded at 100": lambda log: folded(without_ansi(log), 100),
    "folded at 60": lambda log: folded(without_ansi(log), 60),
    "folded at 40": lambda log: folded(without_ansi(log), 40),
    "broken at 120": lambda log: broken(without_ansi(log), 120),
    "without ANSI": without_ansi,
    "ANSI without the escape character": lambda log: log.replace("\x1b", ""),
    "ANSI in carets": lambda log: log.replace("\x1b", "^["),
    "red": lambda log: "".join(f"\x1b[31m{line}\x1b[0m\n" for line in log.splitlines()),
    "GitHub, raw": lambda log: stamped(log, "2026-11-27T10:00:{:02}.1234567Z "),
    "GitHub, raw, errors": lambda log: stamped(log, "2026-11-27T10:00:{:02}.1234567Z ##[error]"),
    "GitHub, gh run view": lambda log: stamped(log, "publish\tRun twine upload\t2026-11-27T10:00:{:02}.1234567Z "),
    "GitHub, web page": lambda log: (
        "Run twine upload dist/*\n" + without_ansi(log) + "Error: Process completed with exit code 1.\n"
    ),
    "GitLab": lambda log: "Running with gitlab-runner 18.6.0\n" + stamped(log, "2026-11-27T10:00:{:02}.123456Z 01O "),
    "Travis": lambda log: f'travis_fold:start:deploy\n{log}The command "twine upload dist/*" exited with 1.\n',
    "quoted Markdown": lambda log: prefixed(without_ansi(log), "> "),
    "quoted twice, fenced": lambda log: prefixed(f"```\n{without_ansi(log)}```\n", "> > "),
    "indented": lambda log: prefixed(log, "        "),
    "Windows line breaks": lambda log: log.replace("\n", "\r\n"),
    "in a box": lambda log: boxed(without_ansi(log), 100),
    "another file and project": lambda log: log.replace("acme_widget", "zope_thing").replace(
        "acme-widget", "zope.thing"
    ),
    "TestPyPI": lambda log: log.replace(host_of(PYPI.upload_url), host_of(TESTPYPI.upload_url)).replace(
        f"//{host_of(PYPI.simple_url)}", f"//{host_of(TESTPYPI.simple_url)}"
    ),
    "after a build": lambda log: (
        "* Creating isolated environment: venv+pip...\n* Getting build dependencies for wheel...\n"
        "Successfully built acme_widget-1.0.tar.gz and acme_widget-1.0-py3-none-any.whl\n" + log
    ),
    "jenkins": lambda log: "[Pipeline] sh\n" + stamped(log, "[2026-11-27T10:00:{:02}.123Z] "),
}
#: per variation, a sample of the cases that differs from variation to variation
SAMPLES = 60


def _sample() -> Iterator[Any]:
    for name in VARIATIONS:
        for case in random.Random(name).sample(CASES, min(SAMPLES, len(CASES))):  # noqa: S311 - no secret
            yield pytest.param(name, case, id=f"{name}: {case['id']}")


@pytest.mark.parametrize(("variation", "case"), list(_sample()))
def test_the_cause_stays_where_a_log_is_copied(variation: str, case: dict[str, Any], nothing_here: Verifier) -> None:
    holds(case, diagnosed(VARIATIONS[variation](uploaders.with_hosts(case["log"])), nothing_here))
