"""Faults as users write them: in the world file, over the control address, in the documentation."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from release.core.errors import UsageError
from release.sandbox import fault_json, publishers, seed
from release.sandbox.fault_json import fault_to_json, parse_faults
from release.sandbox.faults import (
    KINDS,
    CannedResponse,
    Clash,
    DiskFull,
    Drop,
    Fault,
    RequestFilter,
    Slow,
    Stale,
)
from release.sandbox.seed import SeedData
from tests.sandbox.sandbox_client import SandboxClient, sandbox_client

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOCUMENT, re.DOTALL)

READ: dict[str, tuple[dict[str, Any], Fault]] = {
    "the least": ({"do": "clash"}, Fault(what=Clash())),
    "an answer": (
        {
            "do": "answer", "status": 503, "reason": "No", "headers": {"X-Why": "é"}, "body": "", "retry_after": "+",
            "retry_date": -1.5, "stored": True,
        },
        Fault(
            what=CannedResponse(
                status=503, reason="No", headers=(("X-Why", "é"),), body="", retry_after="+", retry_date=-1.5,
                stored=True,
            )
        ),
    ),
    "a break": ({"do": "drop", "at": "in-reply", "how": "hang"}, Fault(what=Drop(at="in-reply", how="hang"))),
    "slowness": (
        {"do": "slow", "connection": 1, "answer": 0.5, "work": 2, "up": 1e6, "down": 5},
        Fault(what=Slow(connection=1, answer=0.5, work=2, up=1e6, down=5)),
    ),
    "a stale page": ({"do": "stale", "seconds": 5}, Fault(what=Stale(seconds=5))),
    "a full disk": ({"do": "disk-full", "status": 500}, Fault(what=DiskFull(status=500))),
    "for some": (
        {
            "do": "clash", "name": "odd",
            "when": {"method": "POST", "path": "/legacy/", "project": "a", "filename": "*", "nth": [2, None]},
        },
        Fault(
            what=Clash(), name="odd",
            when=RequestFilter(method="POST", path="/legacy/", project="a", filename="*", nth=(2, None)),
        ),
    ),
    "for the third": ({"do": "clash", "when": {"nth": 3}}, Fault(what=Clash(), when=RequestFilter(nth=3))),
}  # fmt: skip


@pytest.mark.parametrize("row", READ)
def test_a_fault_is_read_and_told_again_in_the_same_words(row: str) -> None:
    data, fault = READ[row]
    assert parse_faults(json.dumps(data)) == (fault,)
    assert json.loads(json.dumps(fault_to_json(fault))) == data


def test_every_kind_can_be_read() -> None:
    assert {data["do"] for data, _ in READ.values()} == set(KINDS)


MISTAKES: dict[str, tuple[Any, str]] = {
    "no object": (3, "fault must be an object, not 3"),
    "in a list": ([{"do": "clash"}, 3], "faults[1] must be an object, not 3"),
    "no kind": ({}, "fault.do is missing"),
    "unknown kind": ({"do": "answr"}, "fault.do: unknown 'answr': did you mean 'answer'?"),
    "unknown key": (
        {"do": "answer", "status": 503, "retry-after": 2},
        "unknown key fault.retry-after: did you mean 'retry_after'?",
    ),
    "a key of another kind": ({"do": "clash", "status": 503}, "unknown key fault.status"),
    "a key is missing": ({"do": "answer"}, "fault.status is missing"),
    "no status": ({"do": "answer", "status": 100}, "fault.status must be a status from 200 to 999, not 100"),
    "a status as text": ({"do": "answer", "status": "503"}, "fault.status must be a status from 200 to 999, not '503'"),
    "two lines": (
        {"do": "answer", "status": 503, "reason": "a\r\nb"},
        r"fault.reason must be one line of Latin-1 text, not 'a\r\nb'",
    ),
    "two lines in a header": (
        {"do": "answer", "status": 503, "headers": {"X": "a\nb"}},
        r"fault.headers.X must be one line of Latin-1 text, not 'a\nb'",
    ),
    "no header": (
        {"do": "answer", "status": 503, "headers": {"X:": "a"}},
        "fault.headers must be a header name, not 'X:'",
    ),
    "a list of headers": (
        {"do": "answer", "status": 503, "headers": []},
        "fault.headers must be an object of header names and values, not []",
    ),
    "a body of another kind": ({"do": "answer", "status": 503, "body": {}}, "fault.body must be a string, not {}"),
    "no place": (
        {"do": "drop", "at": "after-the-body"},
        "fault.at: unknown 'after-the-body': did you mean 'after-body'?",
    ),
    "no way": ({"do": "drop", "at": "in-body", "how": "rest"}, "fault.how: unknown 'rest': did you mean 'reset'?"),
    "back in time": ({"do": "slow", "work": -1}, "fault.work must be a number of seconds, 0 or more, not -1"),
    "standing still": ({"do": "slow", "up": 0}, "fault.up must be bytes a second, more than 0, not 0"),
    "no number": ({"do": "slow", "up": True}, "fault.up must be bytes a second, more than 0, not true"),
    "no status of HTTP": ({"do": "disk-full", "status": 599}, "fault.status must be a standard HTTP status, not 599"),
    "unknown condition": (
        {"do": "clash", "when": {"file": "x"}},
        "unknown key fault.when.file: did you mean 'filename'?",
    ),
    "the zeroth": (
        {"do": "clash", "when": {"nth": 0}},
        "fault.when.nth must be a number from 1, or a list of the first and the last (null: no last), not 0",
    ),
    "backwards": (
        {"do": "clash", "when": {"nth": [3, 2]}},
        "fault.when.nth must be a number from 1, or a list of the first and the last (null: no last), not [3, 2]",
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", MISTAKES)
def test_a_mistake_is_named_with_its_place(row: str) -> None:
    data, message = MISTAKES[row]
    with pytest.raises(UsageError) as caught:
        parse_faults(json.dumps(data))
    assert caught.value.message == message
    assert caught.value.remedy


def test_a_mistake_in_the_world_file_is_named_there() -> None:
    with pytest.raises(UsageError, match=r"^faults\[0\].do: unknown 'drip': did you mean 'drop'\?"):
        SeedData.parse('{"faults": [{"do": "drip"}]}')


def test_faults_of_the_world_are_on_from_the_start(tmp_path: Path) -> None:
    """And with a state that goes on, those of the new world are."""
    with sandbox_client({"faults": [{"do": "answer", "status": 503}]}, state=tmp_path) as pypi:
        assert pypi.upload().status == 503
    with sandbox_client(state=tmp_path) as pypi:
        assert pypi.upload().status == 200


# -- the control address


def control(pypi: SandboxClient, method: str, data: Any = None) -> tuple[int, Any]:
    body = None if data is None else data if isinstance(data, bytes) else json.dumps(data).encode()
    reply = pypi.ask(method, urlsplit(pypi.sandbox.control_url).path, body=body)
    return reply.status, reply.json


def test_faults_are_put_in_looked_at_and_taken_away() -> None:
    fault = {"do": "answer", "status": 503, "when": {"method": "POST", "nth": 2}}
    with sandbox_client() as pypi:
        assert control(pypi, "GET") == (200, {"faults": []})
        assert control(pypi, "POST", fault) == (200, {"faults": [fault | {"met": 0, "struck": 0}]})
        status, told = control(pypi, "POST", [{"do": "clash"}, {"do": "stale", "seconds": 1}])
        assert [one["do"] for one in told["faults"]] == ["answer", "clash", "stale"]
        assert [pypi.upload(version=version).status for version in ("1.0", "1.1", "1.2")] == [200, 503, 200]
        assert control(pypi, "GET")[1]["faults"][0] == fault | {"met": 3, "struck": 1}
        assert control(pypi, "DELETE") == (200, {"faults": []})
        assert (status, pypi.upload(version="1.1").status) == (200, 200)


@pytest.mark.parametrize(
    ("method", "data", "status", "message"),
    [
        ("POST", {"do": "answr"}, 400, "fault.do: unknown 'answr': did you mean 'answer'?"),
        ("POST", b"{", 400, "the request is not valid JSON: "),
        ("POST", b"\xff", 400, "the request is not valid JSON: "),
        ("POST", [{"do": "clash"}, {}], 400, "faults[1].do is missing"),
        ("PUT", {"do": "clash"}, 405, "method 'PUT' is not allowed"),
    ],
)
def test_a_mistake_changes_nothing(method: str, data: Any, status: int, message: str) -> None:
    with sandbox_client() as pypi:
        got, told = control(pypi, method, data)
        assert got == status
        assert told["message"].startswith(message)
        assert told["remedy"]
        assert not pypi.sandbox.faults


def test_the_control_address_is_no_part_of_the_index() -> None:
    """No fault strikes it, no log has it, and nobody comes upon it."""
    with sandbox_client({"faults": [{"do": "drop", "at": "before-body"}]}) as pypi:
        assert control(pypi, "GET")[0] == 200
        assert pypi.sandbox.log == []
        assert control(pypi, "DELETE")[0] == 200
        for path in ("/+control/faults", "/+control//faults", "/+control/x/faults"):
            assert pypi.ask("POST", path, body=b'{"do": "clash"}').status == 404
        assert not pypi.sandbox.faults
        secret = urlsplit(pypi.sandbox.control_url).path.split("/")[2]
        assert len(secret) >= 20
        assert secret not in pypi.sandbox._store.requests.read_text(encoding="utf-8")
    with sandbox_client() as pypi:
        assert secret not in pypi.sandbox.control_url


# -- the documentation


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCKS if found == kind]


@pytest.mark.skipif(os.name == "nt" or not shutil.which("curl"), reason="the commands are for a POSIX shell with curl")
def test_the_commands_of_the_documentation_run_as_they_stand_there(tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = "\n".join(["set -eu", *blocks("sh"), "kill $!; wait $!; ls tmp"])
    (tmp_path / "tmp").mkdir()
    home = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")}
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={"PATH": path, "PYTHONPATH": str(ROOT), **home},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answers = [json.loads(one) for one in re.split(r"(?<=^})\n", done.stdout, flags=re.MULTILINE) if one]
    assert [len(one["faults"]) for one in answers] == [1, 1, 0]
    told = json.loads((tmp_path / "sandbox.json").read_text(encoding="utf-8"))
    assert set(re.findall(r"^\| `(\w+)` \|", DOCUMENT, re.MULTILINE)) >= set(told)


def test_every_json_of_the_documentation_is_read() -> None:
    world, quotas, faulty, recipes, publishing = blocks("json")
    assert [one.name for one in SeedData.parse(world).tokens] == ["account", "widget"]
    read = SeedData.parse(quotas)
    assert (read.new_projects[1].limit, read.file_size_limit, read.project_size_limit) == (1, 2**20, 10 * 2**20)
    assert len(SeedData.parse(faulty).faults) == 2
    assert [one.name for one in SeedData.parse(publishing).publishers] == ["widget", "new"]
    faults = parse_faults(recipes)
    assert {type(fault.what) for fault in faults} == set(KINDS.values())
    assert len({fault.name for fault in faults}) == len(faults)


def test_the_python_of_the_documentation_runs() -> None:
    """Its tests are run in tests/test_pytest_plugin.py."""
    (code,) = [text for text in blocks("python") if "def test" not in text]
    exec(code, {})  # noqa: S102 - it is ours


#: list in the world → the keys of its objects
OBJECTS = {"users": seed._USER, "projects": seed._PROJECT, "tokens": seed._TOKEN}


def test_the_documentation_has_a_table_of_every_key_of_a_world() -> None:
    (table,) = re.findall(r"^\| key \| default \|.*?\n\n", DOCUMENT, re.MULTILINE | re.DOTALL)
    keys = {f"{name}[].{key}" for name, readers in OBJECTS.items() for key in readers}
    assert set(re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)) == keys | set(seed._SEED_DATA)
    for word in (*seed.FLAGS, *publishers.JOB, *publishers._PUBLISHER, *seed._SIGNER):
        assert f"`{word}`" in DOCUMENT, word
    defaults = SeedData()
    assert f"100 MB ({defaults.file_size_limit} bytes)" in DOCUMENT
    assert f"10 GB ({defaults.project_size_limit} bytes)" in DOCUMENT
    assert [(one.limit, one.seconds) for one in defaults.new_projects] == [(40, 3600), (4, 86_400)], "as documented"


def test_the_documentation_names_every_key() -> None:
    for word, readers in fault_json._EFFECTS.items():
        (row,) = re.findall(rf"^\| `{word}` \|.*$", DOCUMENT, re.MULTILINE)
        assert set(re.findall(r"`(\w+)`", row)) - {word} >= set(readers)
    for word in fault_json._WHEN:
        assert re.search(rf"^\| `{word}` \|", DOCUMENT, re.MULTILINE), word
