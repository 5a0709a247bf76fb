"""Run sandboxes for another process, which controls them through this one's standard input and output.

Each line of the input is a request, each line of the output its answer, both JSON objects in ASCII:

    {"do": "start", "world": {…}, "tls": false}  →  {"result": {"id": 1, "upload_url": …, "tokens": {…}, …}}
    {"do": "yank", "id": 1, "arguments": ["acme-widget", "1.0"]}  →  {"result": null}
    {"do": "stop", "id": 1}  →  {"result": null}

An answer to a mistake is `{"error": …, "remedy": …}`. The first line of the output is the pattern of the environment
variables that hold credentials. The process ends with its input, so it does not outlive the one that started it.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache
from typing import Any, TextIO

from msgspec.structs import asdict

from release.core.child_environment import CREDENTIAL_PATTERN
from release.core.errors import ReleaseError, UsageError
from release.sandbox import server
from release.sandbox.certificates import Certificates, temporary_certificates
from release.sandbox.fault_json import fault_to_json, parse_faults
from release.sandbox.seed import SeedData
from release.sandbox.server import Sandbox


def main() -> None:
    """Answer requests until the input ends."""
    # Ctrl-C reaches every process of the terminal; this one is needed until the other has finished
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = sys.stdin, sys.stdout
    sys.stdout = sys.stderr
    serve_requests(requests, answers)


def serve_requests(requests: TextIO, answers: TextIO) -> None:
    """Answer each line of `requests` with a line of `answers`; stop all sandboxes at the end."""
    running: dict[int, Sandbox] = {}
    _write(answers, {"result": {"credential_variables": CREDENTIAL_PATTERN}})
    with ExitStack() as stack:
        shared = cache(lambda: stack.enter_context(temporary_certificates()))
        for number, line in enumerate(requests, 1):
            try:
                answer = {"result": _answer(json.loads(line), number, running, stack, shared)}
            except ReleaseError as error:
                answer = {"error": error.message, "remedy": error.remedy}
            _write(answers, answer)


def _write(answers: TextIO, answer: Mapping[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _answer(
    request: Mapping[str, Any],
    number: int,
    running: dict[int, Sandbox],
    stack: ExitStack,
    certificates: Callable[[], Certificates],
) -> Any:
    word = request["do"]
    if word == "start":
        data = SeedData.parse(json.dumps(request["world"]))
        tls = certificates() if request["tls"] else False
        sandbox = running[number] = stack.enter_context(server.start_sandbox(data, tls=tls))
        return {"id": number, **sandbox.to_json()}
    if word == "stop":
        running.pop(request["id"]).close()
        return None
    return _ACTIONS[word](running[request["id"]], *request.get("arguments", ()))


def _inject(sandbox: Sandbox, *faults: Any) -> None:
    sandbox.inject(*parse_faults(json.dumps(faults)))


def _revoke(sandbox: Sandbox, token: str) -> None:
    if token not in sandbox.tokens:
        raise UsageError(f"no token is named {token!r}", remedy=f"use one of {', '.join(sandbox.tokens)}")
    sandbox.revoke(token)


#: what can be done with a running sandbox, by the names of its methods
_ACTIONS: Mapping[str, Callable[..., Any]] = {
    "clear_faults": Sandbox.clear_faults,
    "delete_file": Sandbox.delete_file,
    "faults": lambda sandbox: [fault_to_json(fault) for fault in sandbox.faults],
    "files": Sandbox.files,
    "history": Sandbox.history,
    "inject": _inject,
    "log": lambda sandbox: [asdict(line) | {"time": line.time.isoformat()} for line in sandbox.log],
    "revoke": _revoke,
    "yank": Sandbox.yank,
}
