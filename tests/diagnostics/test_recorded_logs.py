"""Real outputs of uploaders, and lines of public logs: the first cause is right, and none is certain and wrong.

`tool-outputs.json` and `excerpts.json` were given; `uploader-outputs.json` was made with `uploaders.py`. Hosts of PyPI
and TestPyPI are placeholders in all three.
"""

from __future__ import annotations

import json
import random
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from release.core.models.index import PYPI, TESTPYPI, host_of
from release.credentials.log_diagnosis import Explanation
from release.diagnostics.catalog import CATALOG
from release.diagnostics.log_text import plain_log
from release.diagnostics.symptom_search import find_symptom
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


def is_right(case: dict[str, Any], found: Explanation) -> bool:
    expected = case["expected_cause"]
    if case["id"] in INDISTINGUISHABLE:
        return not found.certain and bool({found.cause, *found.others} & set(expected))
    return found.cause in expected if expected else found.cause is None


@pytest.mark.parametrize("name", FILES)
def test_the_first_cause_of_a_recorded_log_is_right(name: str, nothing_here: Verifier) -> None:
    """Also where nothing of the run is on this machine."""
    cases = [case for case in CASES if case["id"].startswith(f"{name.partition('.')[0]}: ")]
    assert len(cases) > 20
    found = {case["id"]: diagnosed(uploaders.with_hosts(case["log"]), nothing_here) for case in cases}
    assert {case["id"]: found[case["id"]] for case in cases if not is_right(case, found[case["id"]])} == {}
    assert [id_ for id_, one in found.items() if one.cause and not one.remedy] == []


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


@pytest.mark.parametrize("variation", VARIATIONS)
def test_the_cause_stays_where_a_log_is_copied(variation: str, nothing_here: Verifier) -> None:
    wrong = {}
    for case in random.Random(variation).sample(CASES, SAMPLES):  # noqa: S311 - no secret
        found = diagnosed(VARIATIONS[variation](uploaders.with_hosts(case["log"])), nothing_here)
        if not is_right(case, found):
            wrong[case["id"]] = found
    assert wrong == {}


# -- nothing from memory ------------------------------------------------------------------------------------

#: words of tools that no recording contains → where they stand
FROM_SOURCE = {
    "InvalidConfiguration: could not determine credentials for configured repository": "twine 7.0.0: auth.py",
    "InvalidConfiguration: could not determine credentials": "twine 7.0.0: auth.py",
    "EOFError: EOF when reading a line": "Python 3: input() at the end of a file",
    "Invalid leading whitespace, reserved character(s), or return character(s) in header value": "requests 2.32: utils",
    "Your username contains control characters": "twine 7.0.0: utils.py",
    "Index not found: `{section}`": "uv 0.13.9: its binary",
    "Failed to unlock the item!": "keyring 25: backends/SecretService.py",
    "Failed to unlock the keyring!": "keyring 25: backends/kwallet.py",
    "Can't get password from keychain: (-25293": "keyring 25: backends/macOS",
    "Can't get password from keychain: (-25308": "keyring 25: backends/macOS",
    "Can't get password from keychain: (-128": "keyring 25: backends/macOS",
    "Unexpected input(s) '{input}', valid inputs are": "GitHub's runner: pypa/gh-action-pypi-publish#283",
    "[Errno -3] Temporary failure in name resolution": "glibc: EAI_AGAIN",
    "Temporary failure in name resolution": "glibc: EAI_AGAIN",
    "nodename nor servname provided, or not known": "macOS: EAI_NONAME",
    "[Errno 11001] getaddrinfo failed": "Windows: WSAHOST_NOT_FOUND",
    "[Errno 61] Connection refused": "macOS: ECONNREFUSED",
    "No connection could be made because the target machine actively refused it": "Windows: WSAECONNREFUSED",
    "An existing connection was forcibly closed by the remote host": "Windows: WSAECONNRESET",
    "No route to host": "Linux, macOS: EHOSTUNREACH",
    "The read operation timed out": "Python 3: ssl",
    "Connection timed out": "Linux: ETIMEDOUT",
    "Failed to create the collection:": "keyring 25: backends/SecretService.py",
    "Network is unreachable": "Linux, macOS: ENETUNREACH",
    "TLSV1_ALERT_PROTOCOL_VERSION": "OpenSSL; pypi/warehouse#3645",
    "The write operation timed out": "Python 3: ssl",
    "EOF occurred in violation of protocol": "Python 3: ssl; pypi/support#3183",
    "BrokenPipeError": "Python 3",
    "requests.exceptions.ReadTimeout": "requests 2.32: exceptions.py",
    "requests.exceptions.ConnectTimeout": "requests 2.32: exceptions.py",
    "Read timed out.": "urllib3 2: connectionpool.py",
    "Unable to retrieve an OIDC token from the CI platform": "twine 7.0.0: auth.py",
    "trusted publishing functionality not enabled": "warehouse 6b62157: oidc/views.py",
    "Trusted publishing functionality not enabled": "warehouse 6b62157: oidc/views.py",
    "has trusted publishing disabled": "pypa/gh-action-pypi-publish: oidc-exchange.py",
    "does not indicate trusted publishing support": "pypa/gh-action-pypi-publish: oidc-exchange.py",
    "The workflow was run with the 'attestations: true' input, but an explicit password was also set": "the action",
    "Certificate's Build Config URI": "pypa/gh-action-pypi-publish#283",
    "already has a publish attestation": "pypa/gh-action-pypi-publish#319",
    "Unknown distribution format: '{file}.attestation'": "Asana/python-asana#206",
    "invalid JSON in attestation": "twine 7.0.0",
    "It looks like there are no Python distribution packages to publish in the directory": "the action",
    "InvalidDistribution: Invalid distribution file: '{file}'": "twine 7.0.0: package.py",
    "InvalidDistribution: Invalid distribution metadata: unrecognized or malformed field '{field}'": "twine 7.0.0",
    "variants for 'description-content-type' are": "packaging 26.4: metadata.py",
    "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE": "pip 26: exceptions.py",
    "but hash does not match": "uv: uv-publish, HashMismatch",
    "ModuleNotFoundError: No module named '{module}'": "Python 3",
}


def test_no_words_of_a_tool_are_from_memory() -> None:
    """Each symptom is in a recording, or its source is named; a server's words are in `recorded.json`."""
    logs = [uploaders.with_hosts(case["log"]) for case in CASES]
    logs += [path.read_bytes().decode() for path in (HERE / "outputs").iterdir()]
    plain = [plain_log(log) for log in logs]
    words = {one for diagnosis in CATALOG.values() for one in (*diagnosis.symptoms, *diagnosis.also)}
    words = {one for one in words if not one[:3].isdigit()}
    unseen = {one for one in words if not any(find_symptom(one, log) for log in plain)}
    assert unseen == FROM_SOURCE.keys()
