"""Recorded words, and the cause that each leads to.

`recorded.json` holds refusals of PyPI's own server: "run" were observed on a local run of its code
(pypi/warehouse 6b62157, November 2026), "source" were not: they are read from it, from threads of their
time, or written from knowledge of the server. `outputs/` holds what tools print, colours and line breaks
included: twine 7.0.0 and uv 0.13.9 as run at 80 columns. The others were not run here: most are from
threads, some shortened; `pdm-*`, `flit-no-credential`, `flit-percent`, `hatch-no-credential`,
`poetry-connection`, `twine-empty-password`, `twine-control-characters`, `twine-check-rst`,
`twine-old-metadata`, `semantic-release-box`, `keyring-none` and `pip-not-found` are written from the tools'
source or from knowledge of them, and so are the prefixes that CI adds in `actions-*`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from release.core.tokens.macaroon import create_macaroon, to_text
from release.diagnostics import symptom_search
from release.diagnostics.catalog import CATALOG
from release.diagnostics.matcher import recognise, remedy_for_answer, status_without_message

HERE = Path(__file__).parent
ANSWERS: list[dict[str, Any]] = json.loads((HERE / "recorded.json").read_text(encoding="utf-8"))

#: file → the cause it leads to, and values that are read from it
OUTPUTS: dict[str, tuple[str, dict[str, str]]] = {
    "action-empty-token": ("cred.prefix-missing", {"index": "pypi"}),
    "action-environment": ("tp.environment-protection", {"environment": "release"}),
    "action-id-token": ("tp.id-token-permission", {}),
    "action-no-publisher": ("tp.environment-mismatch", {}),
    "actions-twine-user": ("cred.username-not-token", {"project": "tplink-cloud-api", "version": "4.2.0"}),
    "actions-uv-exists": ("file.exists-different", {"file": "python_template_zuppif-0.1.2-py3-none-any.whl"}),
    "flit-no-credential": ("cred.missing", {"upload_url": "https://upload.pypi.org/legacy/"}),
    "flit-percent": ("pypirc.percent", {}),
    "flit-user": ("cred.username-not-token", {"project": "pible", "index": "pypi"}),
    "hatch-canonical": ("name.canonical-mismatch", {"project": "github3.py"}),
    "hatch-caveat": ("cred.caveat-invalid", {"host": "upload.pypi.org"}),
    "hatch-no-credential": ("cred.missing", {}),
    "hatch-old-metadata": ("meta.tool-too-old", {"field": "license-file", "needed": "2.4", "declared": "2.3"}),
    "keyring-none": ("keyring.no-backend", {}),
    "pdm-role": ("account.no-role", {"user": "bob", "project": "demo", "index": "pypi"}),
    "pdm-url": ("url.simple-or-root", {}),
    "pip-not-found": ("post.index-lag", {"project": "demo", "version": "1.0"}),
    "poetry-auth": ("cred.revoked", {"project": "mextractor", "version": "1.1.1", "index": "pypi"}),
    "poetry-connection": ("net.dns-offline", {"index": "pypi"}),
    "poetry-exists": ("file.exists-different", {"project": "brutils", "version": "2.0.0"}),
    "semantic-release-box": ("version.local", {"version": "1.0.dev1+gabc"}),
    "twine-auth": ("cred.revoked", {"file": "demo-1.0-py2.py3-none-any.whl", "host": "127.0.0.1"}),
    "twine-check-rst": ("meta.description-render", {}),
    "twine-classifier": ("meta.classifier-invalid", {"classifier": "Foo :: Bar"}),
    "twine-control-characters": ("cred.control-chars", {"index": "pypi"}),
    "twine-dns": ("net.dns-offline", {"host": "upload.example.invalid"}),
    "twine-empty-password": ("cred.env-empty", {"index": "pypi"}),
    "twine-exists": ("file.exists-different", {"file": "demo-1.0-py2.py3-none-any.whl"}),
    "twine-flaky": ("server.5xx-then-exists", {"file": "demo-1.0-py2.py3-none-any.whl"}),
    "twine-malformed": ("pypirc.malformed", {"pypirc": "~/.pypirc"}),
    "twine-no-credential": ("cred.missing", {}),
    "twine-no-files": ("dist.missing", {}),
    "twine-no-scheme": ("url.no-scheme", {}),
    "twine-old-metadata": ("meta.tool-too-old", {}),
    "twine-role-verbose": ("account.no-role", {"user": "bob", "project": "demo"}),
    "twine-scope": ("cred.project-scope-mismatch", {"project": "demo"}),
    "twine-section": ("pypirc.missing-repo", {"section": "tsetpypi"}),
    "twine-slash": ("url.no-trailing-slash", {"url": "http://127.0.0.1:18761/slash"}),
    "twine-tls": ("net.tls", {"index": "pypi"}),
    "twine-user": ("cred.username-not-token", {}),
    "uv-always-all": ("tp.mixed-credentials", {}),
    "uv-always-keyring": ("tp.mixed-credentials", {"index": "pypi"}),
    "uv-always-username": ("tp.mixed-credentials", {"index": "pypi"}),
    "pip-unpinned": ("build.unpinned", {}),
    "uv-unpinned": ("build.unpinned", {}),
    "uv-dns": ("net.dns-offline", {"host": "upload.example.invalid"}),
    "uv-exists": ("file.exists-different", {"file": "demo-1.0-py2.py3-none-any.whl"}),
    "uv-no-files": ("dist.missing", {}),
    "uv-no-publisher": ("tp.environment-mismatch", {}),
    "uv-no-scheme": ("url.no-scheme", {}),
    "uv-scope": ("cred.project-scope-mismatch", {"project": "demo"}),
}
#: outputs in which the tool keeps the server's words to itself, and the status that it shows
UNSAID = {"flit-unsaid": 400, "hatch-unsaid": 400}


def output(name: str) -> str:
    return (HERE / "outputs" / f"{name}.txt").read_bytes().decode()


@pytest.mark.parametrize("answer", ANSWERS, ids=[f"{one['status']} {one['when']}" for one in ANSWERS])
def test_a_recorded_answer_leads_to_its_cause(answer: dict[str, Any]) -> None:
    """With its status, as a page, as JSON, and out of a log without any status."""
    text, status = answer["text"], answer["status"]
    assert recognise(text, status=status)[0].cause == answer["cause"]
    assert recognise(page(status, text), status=status)[0].cause == answer["cause"]
    body = json.dumps({"message": f"Access was denied.\n\n\n{text}\n\n", "code": f"{status} {text}", "title": "x"})
    assert recognise(body, status=status)[0].cause == answer["cause"]
    if text[0] not in "{<":
        log = (
            f"ERROR    HTTPError: {status} Bad from https://upload.pypi.org/legacy/\n         {status} {text}\nexit 1\n"
        )
        assert recognise(log)[0].cause == answer["cause"]


def page(status: int, text: str) -> str:
    import html

    detail = html.escape(text)
    head = f"<html>\n <head>\n  <title>{status} {text}</title>\n </head>\n"
    return f"{head} <body>\n  <br/><br/>\n{detail}\n </body>\n</html>"


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_output_of_a_tool_leads_to_its_cause(name: str) -> None:
    cause, values = OUTPUTS[name]
    first = recognise(output(name))[0]
    assert first.cause == cause
    assert values.items() <= first.values.items()
    assert first.evidence
    assert "\n" not in first.evidence


def test_every_output_is_in_the_table() -> None:
    assert {path.stem for path in (HERE / "outputs").iterdir()} == OUTPUTS.keys() | UNSAID.keys()


def test_a_servers_words_have_a_recorded_answer() -> None:
    """No server text stands in the catalog from hearsay."""
    plain = [f"{answer['status']} {answer['text']}" for answer in ANSWERS]
    for cause, symptom in (
        (one.id, text) for one in CATALOG.values() for text in (*one.symptoms, *one.also) if text[:3].isdigit()
    ):
        found = [text for text in plain if symptom_search.find_symptom(symptom, text)]
        assert found, symptom
        status, _, text = found[0].partition(" ")
        assert cause in {match.cause for match in recognise(text, status=int(status))} or len(found) > 1, symptom


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_line_breaks_and_colours_do_not_hide_words(width: int) -> None:
    """As rich prints them: wrapped at blanks, padded, coloured, and with a time before each line in CI."""
    import textwrap

    for answer in [one for one in ANSWERS if one["text"][0] not in "{<"][::7]:
        lines = textwrap.wrap(
            f"{answer['status']} {answer['text']}", width - 9, break_long_words=False, break_on_hyphens=False
        )
        wrapped = "".join(
            f"2026-11-22T10:00:00.1234567Z \x1b[31m         {line.ljust(width - 9)}\x1b[0m\r\n" for line in lines
        )
        assert recognise(wrapped)[0].cause == answer["cause"], answer["when"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Uploading distributions to https://upload.pypi.org/legacy/\nUploading demo-1.0.tar.gz\n\nView at:\n",
        "The frobnicator is out of plumbs. See https://pypi.org/help/#frobnicator for more information.",
        "403 Forbidden",
        "All checks passed!",
    ],
)
def test_unknown_words_lead_nowhere(text: str) -> None:
    assert recognise(text) == ()


def test_an_unknown_answer_leads_nowhere_whatever_its_status() -> None:
    for status in (200, 400, 403, 409, 418, 422):
        assert recognise("The frobnicator is out of plumbs.", status=status) == ()


def test_candidates_come_in_the_order_of_the_decision_table() -> None:
    causes = [match.cause for match in recognise("Invalid or non-existent authentication information.", status=403)]
    table = """cred.revoked cred.truncated cred.wrong-index cred.env-empty cred.control-chars cred.quotes
        cred.bom-nonascii cred.prefix-missing cred.leaked-auto-revoked account.disabled"""
    order = table.split()
    assert causes[: len(order)] == order
    assert {"cred.placeholder", "shell.mangled", "project.quarantined", "tp.token-expired"} <= set(causes)
    assert "cred.missing" not in causes, "the upload was answered, so a credential was sent"


def test_a_sentence_of_one_cause_leads_before_one_of_many() -> None:
    """A warning that names the cause comes before the refusal that has a dozen, wherever it stands."""
    refused = output("twine-auth")
    warned = "WARNING  Your password contains control characters. Did you enter it correctly?\n"
    for text in (warned + refused, refused + warned):
        first = recognise(text)[0]
        assert (first.cause, first.certain) == ("cred.control-chars", True)


def test_each_reason_is_said_once() -> None:
    text = next(one["text"] for one in ANSWERS if "other-owned', project-scoped" in one["text"])
    first = recognise(text, status=403)[0]
    assert first.evidence.count("project-scoped token") == 1
    assert first.values["project"] == "other-owned"


@pytest.mark.parametrize("name", UNSAID)
def test_a_tool_that_keeps_the_servers_words_is_found_out(name: str) -> None:
    assert recognise(output(name)) == ()
    assert status_without_message(output(name)) == UNSAID[name]


def test_a_tool_that_shows_them_is_not() -> None:
    assert status_without_message(output("twine-auth")) is None
    assert status_without_message(output("hatch-old-metadata")) is None


def test_no_secret_of_a_log_is_shown_again() -> None:
    """Neither in evidence nor in values nor in remedies, whatever else the line says."""
    token = to_text(create_macaroon("pypi.org", b"6f1ed8ab-7c2c-4a0c-9d3e-111111111111", b"k" * 32))
    bare = token.removeprefix("pypi-")
    log = (
        f"twine upload -p {token} failed: Invalid or non-existent authentication information {bare}\n"
        f"RedirectDetected: https://bob:hunter2@example.org/legacy attempted to redirect to https://example.org/{token}/.\n"
    )
    found = recognise(log)
    assert "cred.revoked" in {match.cause for match in found}
    for match in found:
        shown = f"{match.evidence}{match.values}{match.remedy}"
        assert bare[20:40] not in shown
        assert "hunter2" not in shown


def test_a_remedy_names_the_case() -> None:
    refused = "The user 'bob' isn't allowed to upload to project 'demo'. See https://test.pypi.org/help/#project-name"
    assert "add bob at https://pypi.org/manage/project/demo/" in remedy_for_answer(refused, status=403)
    assert "https://test.pypi.org/manage/project/demo/" in remedy_for_answer(
        refused, status=403, values={"index": "testpypi"}
    )
    assert "https://pypi.org/help/" in remedy_for_answer("The frobnicator is out of plumbs.", status=400)


@pytest.mark.parametrize(
    "filler",
    [
        "Collecting requests>=2.32\n",
        "x" * 80 + "\n",
        "Invalid distribution file. Uploading 'a' \"b\" Retry 1 of 5\n",
        "x" * 1000,
    ],
    ids=["log", "lines", "words of symptoms", "one line"],
)
@pytest.mark.timeout(60)
def test_a_large_log_is_read(filler: str) -> None:
    """A megabyte with a refusal at its end, also where half of it looks like symptoms; a quarter of a second."""
    log = filler * (1_000_000 // len(filler)) + "\n" + output("twine-role-verbose")
    assert "account.no-role" in {match.cause for match in recognise(log)}
