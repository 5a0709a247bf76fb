"""A token in a place that no upload reads: the remedy, done as it is written, makes it count; and what twine reads."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from release.core.facts import ProjectMetadata
from release.core.models.index import PYPI, Index
from release.core.models.secret_location import EnvironmentVariable
from release.core.tokens import macaroon
from release.credentials.repairs import propose_repairs
from release.credentials.sources import misplaced_tokens, pypirc
from release.credentials.sources.base import SourceQuery
from release.credentials.sources.pypirc_lines import parse_lines
from release.credentials.verify import verify_credential
from tests import fake_tokens
from tests.credentials.test_states import INDEXES, STATES, prepare, verify_state

#: causes whose remedy is an edit in words, or a command for this shell alone
EDITED = {
    "pypirc.indented", "pypirc.section-misspelled", "pypirc.key-misspelled", "pypirc.commented-out", "pypirc.not-found",
    "src.wrong-env-name", "cred.swapped", "url.credentials", "env.not-forwarded", "pypirc.bypassed-by-url",
    "cred.wrong-index",
}  # fmt: skip
_BLANKS = re.compile(r"remove the blanks at the beginning of lines? (\d+)(?: to (\d+))? of ")
_HEADING = re.compile(r"write (\[.+\]) in line (\d+) of ")
_KEY = re.compile(r"write 'password' in place of '(.+)' in line (\d+) of ")
_COMMENT = re.compile(r"remove the '#' or ';' from line (\d+) of ")
_MOVE = re.compile(r"move line (\d+) of \S+ to a section (\[.+\])")
_REPLACE = re.compile(r"write two lines in place of line (\d+) of ")
_COPY = re.compile(r"copy line (\d+) of '(.+)' to the section (\[.+\]) of '(.+)'")
_WRITE = re.compile(r"write in \S+, line (\d+): (.+)")
_TOKEN = re.compile(r"pypi-[\w-]+")


def edit(remedy: str, path: Path) -> bool:
    """Do what the remedy says to do with the file; False: it is no such remedy."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    if found := _BLANKS.match(remedy):
        for number in range(int(found[1]), int(found[2] or found[1]) + 1):
            lines[number - 1] = lines[number - 1].lstrip()
    elif found := _HEADING.match(remedy):
        lines[int(found[2]) - 1] = found[1]
    elif found := _KEY.match(remedy):
        lines[int(found[2]) - 1] = lines[int(found[2]) - 1].replace(found[1], "password", 1)
    elif found := _COMMENT.match(remedy):
        lines[int(found[1]) - 1] = re.sub(r"^\s*[#;]\s*", "", lines[int(found[1]) - 1])
    elif found := _MOVE.match(remedy):
        line = lines.pop(int(found[1]) - 1)
        lines += [found[2]] * (found[2] not in lines)
        lines.insert(lines.index(found[2]) + 1, line)
    elif found := _REPLACE.match(remedy):
        token = _TOKEN.search(lines[int(found[1]) - 1])
        assert token is not None
        lines = [one for one in lines if not re.match(r"\s*(username|password)\b", one) or token[0] in one]
        at = next(number for number, one in enumerate(lines) if token[0] in one)
        lines[at : at + 1] = ["username = __token__", f"password = {token[0]}"]
    elif found := _WRITE.match(remedy):
        lines[int(found[1]) - 1] = found[2]
    elif found := _COPY.match(remedy):
        lines += [found[3], Path(found[2]).read_text(encoding="utf-8").splitlines()[int(found[1]) - 1]]
    else:
        return False
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return True


def run(remedy: str, env: dict[str, str]) -> dict[str, str]:
    """The environment after a command."""
    done = subprocess.run(
        ["bash", "-c", f"{remedy} && env -0"], env=env, capture_output=True, text=True, check=True, timeout=240
    )
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if "=" in line)


CASES = [state for state in STATES if state["cause"] in EDITED]


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
@pytest.mark.parametrize(
    ("state", "by_diagnose"),
    [(state, by) for state in CASES for by in (False, True) if not by or "pypirc" in state],
    ids=lambda one: one["id"] if isinstance(one, dict) else "diagnose" * one,
)
def test_the_change_that_is_named_makes_the_token_count(
    state: dict[str, Any], by_diagnose: bool, tmp_path: Path
) -> None:
    system = prepare(state, tmp_path)
    index = INDEXES[state.get("index", "pypi")]
    project = ProjectMetadata(name="acme-widget", version="1.0")
    seen: list[str | None] = []
    for _ in range(3):
        found = verify_credential(system, index, project, offline=True, directory=tmp_path / "project")
        verdict = found.verdict
        if verdict.word == "healthy":
            return
        assert verdict.cause not in seen, f"{seen}: {verdict.remedy}"
        seen.append(verdict.cause)
        in_words = next((one.remedy for one in found.access.remarks if one.cause == verdict.cause), "")
        if by_diagnose and verdict.remedy == "pypi-preflight diagnose":
            repair = propose_repairs(system, found.access, verdict.causes)[0]
            assert repair.cause == verdict.cause
            assert not re.search("AgE|hunter2", f"{repair.title} {repair.before} {repair.after}")
            repair.apply()
        elif not edit(in_words, tmp_path / ".pypirc"):
            if re.search("pypi-preflight|read -rs|secret behind|workflow", verdict.remedy):
                return  # takes a token, which tests/stories/test_pasted_remedies.py types
            removed = re.match(r"remove \$(\w+) from the environment of this job", verdict.remedy)
            env = dict(system.env)
            after = {name: env[name] for name in env if name != removed[1]} if removed else run(verdict.remedy, env)
            system = replace(system, env=after)
    raise AssertionError(seen)


LINES = st.sampled_from(  # headings, options, continuations, comments
    ["[pypi]", "[distutils]", "  [pypi]", "\t[testpypi]", "username = a", "  username = a", "password: b",
     " password=b", "index-servers =", "  pypi", "# password = c", "  ; note", "", "   ", "key", "[ x ]", "repository = https://a.test/"]
)  # fmt: skip


@given(st.lists(LINES, max_size=9))
def test_lines_are_read_as_the_parser_reads_them(lines: list[str]) -> None:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string("\n".join(lines))
    except configparser.Error:
        return
    theirs = {(section, key) for section in parser.sections() for key in parser[section]}
    ours = {(one.section, one.key) for one in parse_lines("\n".join(lines)) if one.kind == "option"}
    assert ours == theirs


@pytest.mark.parametrize(
    ("text", "url", "password"),
    [
        ("[pypi]\npassword = x\n", PYPI.upload_url, None),
        ("[pypi]\npassword = x\n", None, "x"),
        (f"[pypi]\nrepository = {PYPI.upload_url.replace('//', '//__token__:x@')}\n", None, None),
        ("[pypi]\n", PYPI.upload_url.replace("//", "//__token__:x@"), "x"),
    ],
    ids=["an address passes the file over", "no address", "an address with a password in the file", "in the variable"],
)
def test_twine_alone_reads_what_the_messages_say(
    text: str, url: str | None, password: str | None, tmp_path: Path
) -> None:
    from twine.utils import get_repository_from_config

    (tmp_path / ".pypirc").write_text(text, encoding="utf-8")
    assert get_repository_from_config(str(tmp_path / ".pypirc"), "pypi", url).get("password") == password


def test_places_of_other_indexes_and_private_sections_are_no_mistake(tmp_path: Path) -> None:
    state = {
        "env": {"PIP_INDEX_URL": "https://user:⟦T1⟧@acme.test/simple/", "ACME_SECRET": "⟦T1⟧"},
        "pypirc": "[distutils]\nindex-servers = acme\n[acme]\nrepository = https://acme.test/\nusername = a\n"
        "password = ⟦T1⟧\n",
        "files": {".pypirc.bak": "[acme]\npassword = ⟦T1⟧\n", "project/.env": "TOKEN=⟦T1⟧\n"},
        "tokens": {"T1": {"mint": 1, "at": "testpypi"}},
    }
    found = verify_state(state, tmp_path)
    assert (found.verdict.word, found.verdict.cause) == ("broken", "cred.missing")
    assert [one.cause for one in found.access.remarks if one.cause != "keyring.no-backend"] == []


def test_a_section_of_another_index_on_the_same_host_is_no_mistake(tmp_path: Path) -> None:
    def local(name: str, port: int) -> Index:
        base = f"http://127.0.0.1:{port}/"
        return Index(name=name, upload_url=f"{base}legacy/", simple_url=f"{base}simple/")

    text = macaroon.to_text(macaroon.create_macaroon("127.0.0.1", str(uuid.uuid4()).encode(), os.urandom(32)))
    (tmp_path / ".pypirc").write_text(f"[pypi]\nrepository = http://127.0.0.1:7/legacy/\npassword = {text}\n")
    query = SourceQuery(index=local("testpypi", 8), env={}, home=tmp_path)
    assert list(pypirc.misplaced_tokens(query)) == []


@pytest.mark.parametrize(
    ("name", "tool"),
    [
        ("UV_PUBLISH_TOKEN", "uv"),
        ("HATCH_INDEX_AUTH", "hatch"),
        ("FLIT_PASSWORD", "flit"),
        ("POETRY_PYPI_TOKEN_PYPI", "poetry"),
        ("PDM_PUBLISH_PASSWORD", "pdm"),
        ("INPUT_PASSWORD", "the publishing action"),
        ("TWINE_TOKEN", ""),
    ],
)
def test_the_tool_that_reads_a_variable_is_named(name: str, tool: str, tmp_path: Path) -> None:
    found = verify_state({"env": {name: "⟦T0⟧"}, "tokens": {"T0": {"mint": 1}}}, tmp_path)
    reader = f"which only {tool} reads" if tool else "which no upload tool reads"
    assert found.verdict.message == f"${name} has a token, {reader}: twine reads $TWINE_PASSWORD"
    assert [one.origin for one in found.access.candidates] == [EnvironmentVariable(name=name)]


def test_nothing_is_searched_where_a_credential_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    for name in ("find_misplaced_tokens", "find_misplaced_variables", "find_username_alone"):
        monkeypatch.setattr(f"release.credentials.sources.misplaced_tokens.{name}", refuse)
    state = {"env": {"TWINE_PASSWORD": "⟦T0⟧", "MY_SECRET": "⟦T0⟧"}, "tokens": {"T0": {"mint": 1}}}
    assert verify_state(state, tmp_path).verdict.word == "healthy"


def test_a_variable_that_no_upload_reads_is_a_candidate_that_is_not_used() -> None:
    """Only where it is the token and nothing else, under a name that a shell has."""
    secret = fake_tokens.token()
    env = {
        "OUR_TOKEN": secret, "INPUT_PASSWORD": f" {secret}\n", "TWINE_PASSWORD": secret, "A-B": secret,
        "TEXT": f"token {secret}", "URL": f"https://__token__:{secret}@acme.test/", "HOME": "/home/ann",
    }  # fmt: skip
    found = misplaced_tokens.find_misplaced_variables(SourceQuery(index=PYPI, env=env, home=Path("/home/ann")))
    assert [(one.origin, one.status, one.tool) for one in found] == [
        (EnvironmentVariable(name="INPUT_PASSWORD"), "other-tool", "the publishing action"),
        (EnvironmentVariable(name="OUR_TOKEN"), "other-tool", "no tool"),
    ]
