"""The catalog: complete, well formed, without secrets, and equal to its page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from release.diagnostics import symptom_search
from release.diagnostics.catalog import CATALOG, SECTIONS, similar_ids
from release.diagnostics.models import fill_placeholders
from release.reports import catalog_page

ROOT = Path(__file__).parents[2]

#: the public causes, one word for each; other people's scripts rely on these ids
IDS = tuple(
    """
cred.missing cred.env-empty cred.token-whitespace cred.username-whitespace cred.control-chars cred.quotes
cred.bom-nonascii cred.prefix-missing cred.truncated cred.placeholder cred.username-not-token cred.username-typo
cred.account-password cred.wrong-index cred.prefix-doubled cred.pasted-twice cred.assignment cred.other-service
cred.alphabet cred.malformed cred.trailing cred.head-missing cred.comment cred.secret-reference cred.file-path
cred.identifier cred.encoded cred.project-scope-mismatch cred.project-scope-new-project cred.expired cred.not-yet-valid
cred.revoked cred.leaked-auto-revoked cred.signature-mismatch cred.user-caveat cred.caveat-invalid account.disabled
account.email-unverified account.no-2fa account.no-role org.inactive project.archived project.quarantined
cred.scope-conflict cred.scope-empty cred.scope-unnormalised cred.publisher-caveat cred.project-id-scope
cred.expires-soon

src.env-shadows src.wrong-env-name src.password-missing cred.swapped pypirc.not-found pypirc.section-unlisted
pypirc.section-misspelled pypirc.key-misspelled pypirc.indented pypirc.commented-out pypirc.missing-repo
pypirc.testpypi-under-pypi pypirc.repository-mismatch pypirc.bypassed-by-url pypirc.malformed pypirc.percent
pypirc.perms keyring.service-mismatch keyring.username-mismatch keyring.other-project keyring.stale
keyring.no-backend keyring.hang
env.not-forwarded shell.mangled ci.fork-pr ci.secret-scope ci.invalid-input-name ci.token-argv

url.no-trailing-slash url.simple-or-root url.legacy-domain url.no-scheme url.http url.credentials net.dns-offline
net.tls net.proxy net.timeout-reset server.readonly server.outage server.5xx-then-exists server.new-project-quota
server.closed-release server.login-limit

tp.id-token-permission tp.fork-pr tp.event-unsupported tp.environment-mismatch tp.renamed tp.invalid-publisher
tp.reusable-workflow tp.custom-sub tp.pending-name-mismatch tp.pending-exists tp.token-expired tp.jti-reuse
tp.unknown-issuer tp.identity-refused tp.disabled tp.testpypi-not-configured tp.mixed-credentials
tp.environment-protection attest.reusable attest.with-api-token attest.stale-files attest.missing-for-file
attest.invalid

name.taken name.reserved-empty name.too-similar name.prohibited name.stdlib name.canonical-mismatch name.invalid
name.race

build.hash-mismatch build.unpinned

file.exists-different file.partial-release file.name-reuse-deleted sdist.duplicate dist.stale dist.missing
version.local version.not-bumped version.mismatch-tag version.invalid wheel.platform-tag wheel.zip-invalid
sdist.structure size.file size.project file.type file.name-invalid file.digest-mismatch file.content-forbidden
upload.malformed

meta.tool-too-old meta.description-render meta.content-type-invalid meta.classifier-invalid
meta.classifier-deprecated meta.direct-dependency meta.license-file-missing meta.license-both meta.license-invalid
meta.summary-long meta.email-invalid meta.url-label meta.dynamic-invalid meta.requires-python-invalid
meta.requires-dist-invalid meta.field-invalid meta.secret-in-dist

post.index-lag post.representation-skew post.testpypi-deps post.hash-mismatch post.no-strong-hash
post.import-broken
post.tag-without-release post.yank-vs-delete post.first-file-metadata
""".split()  # noqa: SIM905 - a list that people read
)

#: causes that nothing on this machine, and no sandbox, can bring about, or tell apart from others; each with the
#: reason. All others are brought about in tests/stories/test_causes.py
NOT_REPRODUCIBLE = {
    "cred.leaked-auto-revoked": "only the index knows why it revoked a token; from here it is cred.revoked",
    "shell.mangled": "a shell changes the value before any program sees it; what is left is a damaged token",
    "server.login-limit": "takes an address that an administrator banned",
    "tp.environment-protection": "GitHub refuses to start the job; no program of ours runs",
    "attest.reusable": "takes a certificate that Sigstore issued to a workflow on GitHub",
    "name.race": "two uploads within the same milliseconds",
    "file.content-forbidden": "takes the commercial programs that encrypt the code",
    "post.representation-skew": "two caches of a content delivery network that disagree",
    "post.yank-vs-delete": "a habit; what follows from it is file.name-reuse-deleted",
    "account.disabled": "the index answers as for a deleted token, so it is told with cred.revoked",
    "keyring.stale": "the index answers as for any deleted token: cred.revoked, with the keyring as its place",
    "ci.fork-pr": "takes a run on GitHub for a fork; its words are those of a missing secret or identity",
    "ci.secret-scope": "which secrets a job may see is known to the CI system alone; it shows as cred.env-empty",
    "ci.token-argv": "nothing fails, until the token is revoked",
    "tp.fork-pr": "takes a run on GitHub for a fork; its words are those of tp.id-token-permission",
    "tp.reusable-workflow": "takes an identity that GitHub made for a called workflow; its words are those of a "
    "publisher that is not found",
    "tp.invalid-publisher": "takes an exchange with an index: tests/credentials/test_publisher_proof.py",
    "tp.testpypi-not-configured": "its words are those of any publisher that is not found",
    "name.taken": "the index answers as for a missing role: account.no-role",
    "meta.secret-in-dist": "the index takes such files; what reveals them is the revoked token",
    "post.testpypi-deps": "what another index lacks shows as any dependency that is not found",
    "post.import-broken": "it is named by the words of the failed import, which are the project's own",
    "post.tag-without-release": "a state of the repository and the index between two runs, which is no failure",
    "post.first-file-metadata": "the index takes it; it shows on the project's page alone",
}


def test_every_cause_is_there_once_and_in_order() -> None:
    assert tuple(CATALOG) == IDS
    assert sum(len(section) for section in SECTIONS.values()) == len(IDS)


def test_a_record_says_what_it_is_how_it_shows_and_what_to_do() -> None:
    for diagnosis in CATALOG.values():
        assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", diagnosis.id)
        assert diagnosis.symptoms or diagnosis.also or diagnosis.shows, diagnosis.id
        assert diagnosis.sources, diagnosis.id
        assert all(diagnosis.sources), diagnosis.id
        for line in (diagnosis.title, diagnosis.remedy):
            assert line, diagnosis.id
            assert not line.endswith("."), "no full stop"
            assert line[0].islower() or line.startswith(".pypirc"), line
        assert diagnosis.explanation.endswith(".")
        assert 1 <= len(re.findall(r"[.!?](?:\s|$)", diagnosis.explanation)) <= 4, diagnosis.explanation
        assert len(diagnosis.title) <= 100


def test_a_record_can_be_filled_in_with_nothing_known() -> None:
    """Every place in a remedy has a word, and the addresses are those of PyPI."""
    for diagnosis in CATALOG.values():
        filled = fill_placeholders(diagnosis.remedy)
        assert not re.search(r"\{[a-z_]+\}", filled)
        assert "SITE" not in filled
        assert "UPLOAD_URL" not in filled


def test_no_record_shows_a_secret() -> None:
    for diagnosis in CATALOG.values():
        text = json.dumps(catalog_page.diagnosis_to_json(diagnosis))
        assert not re.search(r"pypi-A|eyJ[\w-]{8,}|AgE[IN]", text)


def test_a_symptom_has_a_word_to_look_for() -> None:
    """Short words would be found everywhere; the pattern must match the symptom's own text."""
    for symptom in (text for one in CATALOG.values() for text in (*one.symptoms, *one.also)):
        assert len(symptom_search.rarest_word(symptom)) >= 4, symptom
        assert symptom_search.find_symptom(symptom, symptom.replace("{", "x").replace("}", "x")), symptom


def test_what_cannot_be_reproduced_is_known_all_the_same() -> None:
    assert NOT_REPRODUCIBLE.keys() <= CATALOG.keys()
    assert all(NOT_REPRODUCIBLE.values())


def test_the_page_equals_the_records() -> None:
    """To write it anew: pypi-preflight explain --all --markdown > docs/failures.md."""
    page = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
    assert page == catalog_page.catalog_to_markdown(SECTIONS)


def test_the_page_links_to_each_record() -> None:
    page = catalog_page.catalog_to_markdown(SECTIONS)
    links = re.findall(r"\]\(#([\w-]+)\)", page)
    anchors = [
        re.sub(r"[^\w -]", "", heading).replace(" ", "-") for heading in re.findall(r"^### `(.*)`$", page, re.MULTILINE)
    ]
    assert links == anchors


def test_a_record_fits_a_terminal_and_is_data() -> None:
    """At 80 columns nothing but an unbroken address or word is longer."""
    for diagnosis in CATALOG.values():
        text = catalog_page.diagnosis_to_text(diagnosis)
        assert [line for line in text.splitlines() if len(line) > 80 and " " in line.strip(" -")] == []
        data = json.loads(json.dumps(catalog_page.diagnosis_to_json(diagnosis)))
        assert {"id", "title", "explanation", "symptoms", "remedy", "detect", "weight", "sources"} <= data.keys()


@pytest.mark.parametrize(
    ("values", "text", "expected"),
    [
        ({}, "{site} {upload_url} {index} {user}", "https://pypi.org https://upload.pypi.org/legacy/ pypi USER"),
        ({"index": "testpypi"}, "{site} {upload_url}", "https://test.pypi.org https://test.pypi.org/legacy/"),
        (
            {"upload_url": "https://test.pypi.org/legacy"},
            "{index}: {upload_url}",
            "testpypi: https://test.pypi.org/legacy/",
        ),
        ({"upload_url": "https://pypi.org/simple/"}, "{upload_url}", "https://upload.pypi.org/legacy/"),
        (
            {"upload_url": "http://127.0.0.1:1/legacy"},
            "{site} {upload_url}",
            "http://127.0.0.1:1 http://127.0.0.1:1/legacy/",
        ),
        ({"index": "company"}, "{index} {upload_url}", "company UPLOAD_URL"),
        ({"project": "acme"}, "{project}=={version}", "acme==VERSION"),
        ({"project": "a; rm -rf ~"}, "pip install {project}", "pip install PROJECT"),
        ({"user": "$(id)"}, "{user}", "USER"),
        ({"file": "-rf"}, "rm {file}", "rm FILE"),
        ({}, "${{ secrets.X }}", "${{ secrets.X }}"),
    ],
)
def test_a_remedy_is_filled_with_what_is_known_and_safe(values: dict[str, str], text: str, expected: str) -> None:
    """A value from foreign output never changes what a command does."""
    assert fill_placeholders(text, values) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("cred.mising", "cred.missing"),
        ("quotes", "cred.quotes"),
        ("version.locale", "version.local"),
        ("CRED_MISSING", "cred.missing"),
    ],
)
def test_an_unknown_id_has_its_neighbours(word: str, expected: str) -> None:
    assert similar_ids(word)[0] == expected


def test_nonsense_has_no_neighbours() -> None:
    assert similar_ids("zzzzzzzz") == ()
    assert similar_ids("") == ()


def test_importing_the_package_is_cheap() -> None:
    """No record is read, no symptom compiled, and nothing imported that its neighbours do not import anyway."""
    script = (
        "import sys, release.core.models.index; before = set(sys.modules); import release.diagnostics.models; "
        "print(*sorted(set(sys.modules) - before))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.split() == ["release.diagnostics", "release.diagnostics.models"]
