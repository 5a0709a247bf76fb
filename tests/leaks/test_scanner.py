"""What counts as a secret in some bytes, and what does not."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.core.models.leak import INDEX_TOKEN, SECRET_KINDS, Leak
from release.leaks.scanner import difference, may_gain_secret, may_hold_secret, scan_bytes
from tests import fake_tokens

PIECES = (
    *(b"pypi-", b"AgE", b"AgEIcHlwaS5vcmcC", b"A", b"g", b"E", b"\n", b"\\\n", b"> ", b"\0", b"A\0g\0E\0", b"\xff\xfe"),
    *(b"ghp_", b"npm_", b"sk_live_", b"glpat-", b"xoxb-", b"1234567890-", b"AKIA", b"AIza", b"a1B2c3D4" * 6),
    *(b"-----BEGIN ", b"PRIVATE KEY-----", b"-----END ", b"Private-MAC: ", b"PuTTY-User-Key-File-2: x\n"),
)
WRAPS = ("\n", "\r\n", "\n        ", "\n> ", "\n# ", "\\\n", "\\\n    ", '"\n    "', "' +\n  '", "\\n", "=\n", "\n│ ")


def kinds(text: str | bytes, path: str = "") -> list[str]:
    found = scan_bytes(text.encode() if isinstance(text, str) else text, path)
    return [leak.kind for leak in found]


@pytest.mark.parametrize("wrap", WRAPS, ids=map(repr, WRAPS))
def test_a_token_is_found_wherever_a_line_break_tears_it_apart(wrap: str) -> None:
    name = fake_tokens.identifier()
    token = fake_tokens.token(name)
    for at in range(1, len(token)):
        found = scan_bytes(f"first\nTOKEN = {token[:at]}{wrap}{token[at:]}\nnext words\n".encode())
        assert [leak.identity for leak in found] == [name], at


def test_a_token_is_found_when_it_is_wrapped_into_many_lines() -> None:
    name = fake_tokens.identifier()
    token = fake_tokens.token(name)
    quoted = "".join(f"> {token[at : at + 40]}\n" for at in range(0, len(token), 40))
    assert [leak.identity for leak in scan_bytes(quoted.encode())] == [name]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_token_is_found_in_utf_16(encoding: str) -> None:
    name = fake_tokens.identifier()
    text = f"one\ntwo {fake_tokens.token(name)}\n".encode(encoding)
    assert [(leak.identity, leak.line) for leak in scan_bytes(text)] == [(name, 2)]
    amidst = os.urandom(1001).replace(b"A", b"B") + text + os.urandom(100)
    assert [leak.identity for leak in scan_bytes(amidst)] == [name]


def test_a_token_is_found_in_a_recording_of_basic_authorisation() -> None:
    name = fake_tokens.identifier()
    header = base64.b64encode(f"__token__:{fake_tokens.token(name)}".encode()).decode()
    assert [leak.identity for leak in scan_bytes(f"Authorization: Basic {header}".encode())] == [name]


TOKENS: dict[str, Callable[[str], str]] = {
    "alone": fake_tokens.token,
    "neutered": fake_tokens.expired_token,
    "with a caveat": lambda name: fake_tokens.token(name, b"[0,1,0]"),
    "without its prefix": lambda name: fake_tokens.token(name).removeprefix("pypi-"),
    "of TestPyPI": lambda name: fake_tokens.token(name, host="test." + fake_tokens.HOST),
    "glued to what follows": lambda name: fake_tokens.token(name) + "Z",
    "in an address": lambda name: f"https://__token__:{fake_tokens.token(name)}@example.org/",
    "in standard base64": lambda name: fake_tokens.token(name).replace("-", "+").replace("_", "/").replace("+", "-", 1),
}


@pytest.mark.parametrize("make", TOKENS.values(), ids=TOKENS)
def test_a_token_counts_in_every_form_that_gives_it_away(make: Callable[[str], str]) -> None:
    name = fake_tokens.identifier()
    (leak,) = scan_bytes(f"x = '{make(name)}'".encode())
    assert (leak.kind, leak.identity) == (INDEX_TOKEN, name)
    assert leak.host.endswith(fake_tokens.HOST)


@pytest.mark.parametrize(
    "text",
    [
        "password = pypi-AgEIcHlwaS5vcmcC...",
        "pypi-AgEIcHlwaS5vcmcCJDEyMzQ1Njc4",
        "pypi-AgENdGVzdC5weXBpLm9yZwI" + "A" * 150,
        "pypi-" + "x" * 180,
        "re.compile(r'pypi-AgE[A-Za-z0-9_-]{50,}')",
        "MIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ",
    ],
)
def test_examples_and_shortened_tokens_are_none(text: str) -> None:
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("0" * 8 + "-0000-0000-0000-" + "0" * 12, fake_tokens.HOST),
        ("11111111-1111-4111-8111-111111111111", fake_tokens.HOST),
        (fake_tokens.identifier(), "127.0.0.1"),
        (fake_tokens.identifier(), "localhost"),
        (fake_tokens.identifier(), "pypi.example.org"),
        ("not-a-uuid", fake_tokens.HOST),
    ],
)
def test_tokens_that_no_index_issued_are_none(name: str, host: str) -> None:
    assert kinds(fake_tokens.token(name, host=host)) == []


OTHERS: dict[str, tuple[str, Callable[[], str]]] = {
    "GitHub, personal": ("github-token", lambda: fake_tokens.checksummed_token("ghp_")),
    "GitHub, of an app": ("github-installation-token", lambda: fake_tokens.checksummed_token("ghs_")),
    "GitHub, fine-grained": (
        "github-fine-grained-token",
        lambda: f"github_pat_{fake_tokens.random_text(22)}_{fake_tokens.random_text(59)}",
    ),
    "npm": ("npm-token", lambda: fake_tokens.checksummed_token("npm_")),
    "GitLab": ("gitlab-token", lambda: "glpat-" + fake_tokens.random_text(20)),
    "AWS": (
        "aws-key",
        lambda: (
            f"id = AKIA{fake_tokens.random_text(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}\n"
            f"secret = aB1{fake_tokens.random_text(37)}"
        ),
    ),
    "Slack": (
        "slack-token",
        lambda: f"xoxb-{'8' + fake_tokens.random_text(11, '0123456789')}-917364528190-{fake_tokens.random_text(24)}",
    ),
    "Stripe": ("stripe-key", lambda: "sk_live_" + fake_tokens.random_text(24)),
    "Google": ("google-key", lambda: "AIza" + fake_tokens.random_text(35)),
    "RSA": ("private-key", fake_tokens.private_key),
    "PKCS 8": ("private-key", lambda: fake_tokens.private_key("PRIVATE KEY", 1218)),
    "RSA, as a string in JSON": ("private-key", lambda: json.dumps({"key": fake_tokens.private_key()})),
    "OpenSSH": (
        "private-key",
        lambda: fake_tokens.armoured("OPENSSH PRIVATE KEY", b"openssh-key-v1\0" + os.urandom(400)),
    ),
    "service account": (
        "google-service-account",
        lambda: json.dumps({"type": "service_account", "private_key": fake_tokens.private_key("PRIVATE KEY", 1218)}),
    ),
    "PuTTY": (
        "private-key",
        lambda: (
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: a\nPublic-Lines: 1\n"
            f"{fake_tokens.random_text(60)}\nPrivate-Lines: 1\n{fake_tokens.random_text(48)}\n"
            f"Private-MAC: {os.urandom(32).hex()}\n"
        ),
    ),
}


@pytest.mark.parametrize(("kind", "make"), OTHERS.values(), ids=OTHERS)
def test_secrets_of_other_services_are_found_by_their_published_forms(kind: str, make: Callable[[], str]) -> None:
    text = f"a line\nvalue: {make()}\n"
    (leak,) = scan_bytes(text.encode())
    assert (leak.kind, leak.line) == (kind, 2)
    assert may_hold_secret(text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "ghp_" + "a1B2c3D4e5F6" * 3,
        "npm_" + "0" * 36,
        "AKIAIOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AKIA" + "QWERTYUIOPASDFGH",
        "sk_live_" + "x" * 24,
        "glpat-xxxxxxxxxxxxxxxxxxxx",
        "xoxb-" + "123456789012-1234567890123-" + "x" * 24,
        "AIzaSy" + "Your" * 8 + "Q",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA...\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n<your key here>\n-----END PRIVATE KEY-----",
        'if line.startswith("-----BEGIN PRIVATE KEY-----"): pass',
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
    ],
)
def test_what_documentation_shows_is_none(text: str) -> None:
    assert kinds(text) == []


FILES = {
    ".pypirc": ("pypirc", "[pypi]\nusername = me\npassword = q7-Zebra-42\n"),
    "a/.netrc": ("netrc", "machine example.org login me password q7-Zebra-42\n"),
    ".env": ("env", "DEBUG=1\nexport API_TOKEN='q7Zebra42Lamp'\n"),
    "deploy/.env.production": ("env", "DB_PASSWORD=q7Zebra42Lamp\n"),
    ".git-credentials": ("git-credentials", "https://me:q7Zebra42@example.org\n"),
    "x.zip!b/.pypirc": ("pypirc", "[a]\npassword: q7-Zebra-42\n"),
}


@pytest.mark.parametrize(("path", "kind", "text"), [(path, *known) for path, known in FILES.items()])
def test_files_with_credentials_are_found_by_their_names(path: str, kind: str, text: str) -> None:
    assert kinds(text, path) == [kind]
    assert kinds(text, "notes.txt") == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (".pypirc", "[pypi]\nusername = __token__\npassword = <your token>\n"),
        (".pypirc", "[pypi]\nusername = me\n"),
        (".env", "SECRET_KEY=changeme\nTOKEN=${CI_TOKEN}\nPASSWORD=\nTOKENS_PER_PAGE=20\n"),
        (".env.example", "API_TOKEN=q7Zebra42Lamp\n"),
        (".netrc", "machine example.org login me password YOUR_PASSWORD\n"),
    ],
)
def test_placeholders_in_such_files_are_none(path: str, text: str) -> None:
    assert kinds(text, path) == []


def test_a_token_in_a_pypirc_is_told_once() -> None:
    assert kinds(f"[pypi]\nusername = __token__\npassword = {fake_tokens.token()}\n", ".pypirc") == [INDEX_TOKEN]


def test_one_secret_twice_in_a_file_is_one_leak_at_its_first_place() -> None:
    token = fake_tokens.token()
    (leak,) = scan_bytes(f"\n\n{token}\n{token}\n".encode())
    assert leak.line == 3


@pytest.mark.parametrize("size", [0, 100, 3000, 100_000])
def test_a_secret_that_a_version_adds_is_in_what_has_changed(size: int) -> None:
    before = b"".join(b"%d\n" % number for number in range(size))
    half = len(before) // 2
    secret = fake_tokens.token().encode()
    assert difference(before, before) == []
    for data in (before[:half] + secret + before[half:], secret + before, before + secret):
        ((start, end),) = difference(data, before)
        assert data[:start] + data[len(data) - (len(before) - start) :] == before or secret in data[start:end]
        assert may_gain_secret(data, difference(data, before))
    torn = before[:half] + secret[:2] + b"\x01-" + secret[2:] + before[half:]
    data = before[:half] + secret + before[half:]
    assert may_gain_secret(data, difference(data, torn))


def test_what_has_changed_in_a_large_file_is_little() -> None:
    before = b"".join(b"%d\n" % number for number in range(100_000))
    ((start, end),) = difference(before[:200_000] + b"new" + before[200_000:], before)
    assert end - start < 6000


def samples() -> dict[str, bytes]:
    """A secret of each kind; the token also torn apart as far as the prefilter goes, and in UTF-16."""
    found = {name: make().encode() for name, (_, make) in OTHERS.items()}
    token = fake_tokens.token().encode()
    far = b"A" + b" " * 160 + b"n" + b"\n" * 160 + b"r" + b'"' * 160
    found |= {"token": token, "torn": far + b"g" + far[1:] + b"E" + token[8:], "wide": b"A\0g\0E\0"}
    return found | {"basic": base64.b64encode(b"__token__:" + token)}


@pytest.mark.parametrize("name", samples())
def test_a_secret_is_found_from_whichever_of_its_bytes_has_changed(name: str) -> None:
    """A later version joins what was apart: only some bytes around that place are searched."""
    secret = samples()[name]
    text = b"".join(b"%d words\n" % number for number in range(1000))
    data = text + secret + text
    first = next(at for at in range(len(data)) if not may_hold_secret(data[at:])) - 1  # where a match begins
    last = next(at for at in range(first, len(data)) if may_hold_secret(data[first:at]))  # and where it ends
    assert len(text) <= first < last <= len(text) + len(secret)
    assert all(may_gain_secret(data, [(at, at)]) for at in range(first + 1, last))
    assert not may_gain_secret(data, [(5, 9), (len(text) - 2000, len(text) - 1500), (len(data), len(data))])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_version_in_utf_16_is_searched_whole(encoding: str) -> None:
    data = f"some words\n{fake_tokens.checksummed_token('ghp_')}\n".encode(encoding)
    assert may_gain_secret(data, [(10, 10)])
    assert not may_gain_secret(data[:20], [(10, 10)])


@pytest.mark.parametrize(
    ("kind", "path", "passed_over"),
    [
        ("private-key", "tests/server.pem", True),
        ("private-key", "x-1.0.tar.gz!x-1.0/test/key.pem", True),
        ("private-key", "x.libs/libgnutls-5d3a.so.30", True),
        ("private-key", "deploy/server.pem", False),
        ("private-key", "contest/server.pem", False),
        ("slack-token", "docs/index.md", True),
        (INDEX_TOKEN, "tests/test_upload.py", False),
        ("github-token", "docs/index.md", False),
        ("github-installation-token", "tests/replay.txt", True),
        ("github-installation-token", "app/replay.txt", False),
        # of gevent, pytest-httpbin, django-sslserver
        ("private-key", "src/greentest/3.12/keycert.pem", True),
        ("private-key", "pytest_httpbin/certs/server.key", True),
        ("private-key", "sslserver/certs/development.key", True),
        ("private-key", "acme/certs/localhost.pem", True),
        ("private-key", "acme/certs/server.key", False),
        ("private-key", "attestation/server.key", False),
        (INDEX_TOKEN, "pytest_httpbin/certs/server.key", False),
    ],
)
def test_among_tests_and_examples_only_what_is_proven_counts(kind: str, path: str, *, passed_over: bool) -> None:
    assert Leak(kind=kind, identity="1", path=path, line=1).is_example is passed_over


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=40), max_size=20).map(b"".join))
def test_no_bytes_break_the_search(data: bytes) -> None:
    """And what the sieve lets through, a search finds nothing in."""
    assert may_hold_secret(data) or not scan_bytes(data)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", [b"AgE", b"A\n", b"A" + b"-" * 159, b"-----BEGIN PRIVATE KEY-----", b"AC: 0", b"_" * 30]
)
def test_text_that_is_made_to_be_slow_is_not(piece: bytes) -> None:
    """Backtracking would take hours, which the limit of this test ends."""
    scan_bytes(piece * (500_000 // len(piece)), ".env")


def test_every_kind_says_where_it_is_taken_back() -> None:
    assert all(kind.revoke for kind in SECRET_KINDS.values())


def test_what_only_the_prefilter_matches_imports_no_detector() -> None:
    """Bytes of an image or of a compiled module, in which the first pass finds an anchor once in some files."""
    program = (
        "import sys; from release.leaks.scanner import may_hold_secret, scan_bytes\n"
        "data = bytes.fromhex('41cda882dfa82a999fa52be36745')\n"
        "assert may_hold_secret(data) and not scan_bytes(data, 'x.png'); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=240)
    assert not {"release.leaks.index_tokens", "release.leaks.detectors"} & set(done.stdout.split())
