"""Row by row: the embedded index answers an upload as PyPI did, and `inspect` says the same of the file beforehand."""

from __future__ import annotations

import hashlib
import html
import io
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from release.acceptance.file_rules import FILE
from release.acceptance.form_rules import FORM as FORM_RULES
from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.rule import FileUpload, first_refusal
from release.adapters.system import system
from release.checks.distribution_reader import SITE
from release.core.models.index import IndexContents
from release.publishing import inspection
from tests.acceptance.recorded_answers import FORM, OK, ROWS, Row
from tests.sandbox.sandbox_client import EXPLANATIONS, SEED_DATA, Clock, Reply, SandboxClient, page, sandbox_client

RECORDED = Path(__file__).parents[1] / "diagnostics" / "recorded.json"


def looked_at(pypi: SandboxClient, clock: Clock, path: Path) -> tuple[str, list[str]]:
    """The verdict of `inspect --index`, and what it says that the index would say."""
    here = replace(system.real_system(), now=clock)
    found = inspection.inspect_files(here, [path], index=pypi.sandbox.index()).document["files"][0]
    texts = [one["server_text"] for one in found["findings"] if one["severity"] == "block"]
    return found["verdict"], [text.replace(SITE, pypi.site) for text in texts if text]


@pytest.mark.parametrize("words", ROWS)
def test_a_recorded_answer_is_given_and_foreseen(words: str, tmp_path: Path) -> None:
    row, clock = ROWS[words], Clock()
    content = row.file.make()
    path = tmp_path / row.file.name
    path.write_bytes(content)
    with sandbox_client(clock=clock) as pypi:
        if row.before is not None:
            row.before(pypi, clock)
        verdict, texts = looked_at(pypi, clock, path)
        reply = row.send(pypi, content)
        line = written_out(row, pypi, content)
        assert reply.status == 200 or not left_behind(pypi)
    assert reply.line.encode("latin-1", "replace") == line.encode("latin-1")
    assert_body(row, reply)
    assert not {"WWW-Authenticate", "Retry-After", "Set-Cookie"} & set(reply.headers)
    if row.alone:
        assert verdict == row.verdict, row.alone
    else:
        assert verdict == ("accept" if line == OK else "refuse")
        assert line == OK or line.partition(" ")[2] in texts


def written_out(row: Row, pypi: SandboxClient, content: bytes) -> str:
    blake2 = hashlib.blake2b(content, digest_size=32).hexdigest()
    return row.line.replace("{pypi}", pypi.site).replace("{blake2}", blake2)


def left_behind(pypi: SandboxClient) -> set[str]:
    """What a refused upload must not leave: a file that was received, a project that it would have created."""
    there = pypi.ask("GET", "/simple/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}).json
    files = {path.name for path in pypi.sandbox._store.incoming.iterdir()}
    return files | {one["name"] for one in there["projects"]} - {one["name"] for one in SEED_DATA["projects"]}


def assert_body(row: Row, reply: Reply) -> None:
    """PyPI's standard page, or the same as JSON. The reason has no character beyond Latin-1, the page has."""
    if reply.status not in EXPLANATIONS or "?" in reply.reason:
        return
    detail = "" if reply.status == 200 else reply.reason
    if row.sent.get("accept"):
        title = {200: "OK", 400: "Bad Request"}[reply.status]
        message = f"{EXPLANATIONS[reply.status]}\n\n\n{detail}\n\n"
        assert reply.json == {"message": message, "code": reply.line, "title": title}
    else:
        assert reply.body == page(reply, detail), html.unescape(reply.body.decode())


#: recorded answers to other things than a file and its form, or in another form
OTHERWISE = ("Authorization header of 40 kB", "duplicate, other content, Accept:", "bad name, Accept:")
CONCERNED = ("attest.with-api-token", "file.", "meta.", "name.", "sdist.", "size.", "upload.", "version.", "wheel.")


@pytest.mark.parametrize(
    "known",
    [
        pytest.param(one, id=one["when"])
        for one in json.loads(RECORDED.read_text(encoding="utf-8"))
        if one["known_from"] == "run" and one["cause"].startswith(CONCERNED) and not one["when"].startswith(OTHERWISE)
    ],
)
def test_every_recorded_refusal_of_a_file_has_its_row(known: dict[str, Any]) -> None:
    """With the words that the catalog of failures knows it by."""
    row = ROWS[known["when"]]
    line = row.line.replace("{pypi}", SITE)
    if row.file.name in line:
        line = line.replace("{blake2}", known["text"].partition(" hash '")[2].partition("'")[0])
    assert line == f"{known['status']} {known['text']}"


def test_a_form_that_no_file_gives_is_judged_as_it_is_answered() -> None:
    """Where `inspect` has nothing to look at, the rules still are the same ones."""
    for words, row in ROWS.items():
        if row.alone != FORM or row.ask is not None or row.before is not None:
            continue
        content = row.file.make()
        form = row.file.form(content) | dict(row.form)
        if form[":action"] != "file_upload" or "attestations" in form:  # those are not for the rules
            continue
        first = first_refusal((*FORM_RULES, *FILE), as_upload(row, content, form), IndexContents(now=Clock().now))
        assert first is not None, words
        assert f"{first.status} {first.text}" == row.line, words


def as_upload(row: Row, content: bytes, form: dict[str, Any]) -> FileUpload:
    values = {name: (value,) if isinstance(value, str) else tuple(value) for name, value in form.items() if value}
    return FileUpload(
        fields=values,
        file=OpenDistribution(row.sent.get("filename", row.file.name), io.BytesIO(content)),
        content_type=row.sent.get("content_type", "application/octet-stream"),
        site=SITE,
    )
