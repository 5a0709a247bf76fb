"""Keys of other services, identifiers, and secrets of an account are named by their forms, and never shown."""

from __future__ import annotations

import base64
import hashlib
import os
import string
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from release.core.secret import Secret
from release.core.tokens.defects import TokenDefect
from release.core.tokens.other_secrets import identifier
from release.core.tokens.token import decode
from tests.fake_tokens import armoured, checksummed_token, private_key, random_text

HEX, UPPER, LOWER = "0123456789abcdef", string.ascii_uppercase + "234567", string.ascii_lowercase + "234567"


def jwt() -> str:
    parts = (b'{"alg":"RS256","typ":"JWT"}', b'{"iss":"https://127.0.0.1","aud":"pypi"}', os.urandom(64))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


#: what the message calls it → how it is made
KEYS = {
    "GitHub": [lambda: checksummed_token("ghp_"), lambda: checksummed_token("gho_"), lambda: "ghs_" + random_text(36),
               lambda: f"github_pat_{random_text(22)}_{random_text(59)}"],
    "GitLab": [lambda: "glpat-" + random_text(20), lambda: "gldt-" + random_text(20),
               lambda: "glcbt-64_" + random_text(20)],
    "npm": [lambda: checksummed_token("npm_")],
    "AWS": [lambda: "AKIA" + random_text(16, UPPER), lambda: "ASIA" + random_text(16, UPPER)],
    "Slack": [lambda: f"xoxb-{random_text(12, '0123456789')}-{random_text(24)}"],
    "Docker": [lambda: "dckr_pat_" + random_text(27), lambda: "dckr_oat_" + random_text(32)],
    "Hugging Face": [lambda: "hf_" + random_text(34)],
    "Google": [lambda: "AIza" + random_text(35), lambda: "ya29." + random_text(60),
               lambda: "GOCSPX-" + random_text(28)],
    "RubyGems": [lambda: "rubygems_" + random_text(48, HEX)],
    "Atlassian": [lambda: "ATATT3xFfGF0" + random_text(180), lambda: "ATBB" + random_text(32)],
    "Anthropic": [lambda: "sk-ant-api03-" + random_text(95)],
    "OpenAI": [lambda: "sk-proj-" + random_text(48), lambda: "sk-svcacct-" + random_text(60),
               lambda: "sk-" + random_text(48)],
    "SendGrid": [lambda: f"SG.{random_text(22)}.{random_text(43)}"],
    "crates.io": [lambda: "cio" + random_text(32)],
    "Artifactory": [lambda: "AKCp" + random_text(69), lambda: "cmVmdGtu" + random_text(56)],
    "DigitalOcean": [lambda: "dop_v1_" + random_text(64, HEX)],
    "Stripe": [lambda: "sk_live_" + random_text(24), lambda: "rk_test_" + random_text(24)],
    "Twilio": [lambda: "SK" + random_text(32, HEX)],
    "NuGet": [lambda: "oy2" + random_text(43, LOWER)],
    "Azure DevOps": [lambda: f"{random_text(76)}AZDO{random_text(4)}", lambda: random_text(51, LOWER) + "2"],
    "Anaconda": [lambda: f"ab-{uuid.uuid4()}"],
    "Databricks": [lambda: "dapi" + random_text(32, HEX)],
    "Vault": [lambda: "hvs." + random_text(24)],
    "JSON Web Token": [jwt],
}  # fmt: skip
EACH = [
    pytest.param(make, name, id=f"{name}-{number}")
    for name, makers in KEYS.items()
    for number, make in enumerate(makers)
]


def defect_of(value: str) -> TokenDefect:
    found = decode(Secret(value))
    assert isinstance(found, TokenDefect)
    assert max(value.split(), key=len) not in found.message + found.remedy
    return found


@pytest.mark.parametrize("around", ["{}", "pypi-{}", " {}\n"])
@pytest.mark.parametrize(("make", "name"), EACH)
def test_a_key_of_another_service_is_named(make: object, name: str, around: str) -> None:
    for _ in range(20):
        found = defect_of(around.format(make()))  # type: ignore[operator] # a lambda of the table
        assert (found.cause, name in found.message) == ("cred.other-service", True), found


@pytest.mark.parametrize(
    "value",
    [private_key(), private_key("OPENSSH PRIVATE KEY"), armoured("PGP PRIVATE KEY BLOCK", os.urandom(200)),
     "ssh-ed25519 AAAA" + random_text(64) + " alice", "ssh-rsa AAAA" + random_text(300)],
    ids=["pem", "openssh", "pgp", "ssh-ed25519", "ssh-rsa"],
)  # fmt: skip
def test_a_key_of_a_pair_is_named(value: str) -> None:
    found = defect_of(value)
    assert (found.cause, "private or public key" in found.message) == ("cred.other-service", True), found


@pytest.mark.parametrize("around", ["{}", "pypi-{}", "{}\n"])
@pytest.mark.parametrize(
    ("value", "what"),
    [
        (str(uuid.uuid4()), "a UUID"),
        (str(uuid.uuid4()).upper(), "a UUID"),
        ("{" + str(uuid.uuid4()) + "}", "a UUID"),
        (hashlib.sha256(b"x").hexdigest(), "64 hexadecimal digits"),
        (hashlib.sha1(b"x").hexdigest(), "40 hexadecimal digits"),  # noqa: S324 - a form
        (hashlib.sha512(b"x").hexdigest(), "128 hexadecimal digits"),
        ("sha256:" + hashlib.sha256(b"x").hexdigest(), "64 hexadecimal digits"),
        ("alice@127.example", "an e-mail address"),
        ("alice.smith+pypi@mail.example", "an e-mail address"),
    ],
)
def test_what_only_identifies_something_is_named(value: str, what: str, around: str) -> None:
    found = defect_of(around.format(value))
    assert (found.cause, what in found.message) == ("cred.identifier", True), found


@pytest.mark.parametrize(
    "value", ["https://127.0.0.1/legacy/", "http://localhost:8080/simple", "git+ssh://127.0.0.1/x"]
)
def test_a_url_is_named(value: str) -> None:
    assert defect_of(value).cause == "cred.identifier"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("123456", "one-time code"),
        ("123 456", "one-time code"),
        ("0123456789abcdef", "recovery code"),
        ("1234567", "password or other text of 7 characters"),
        ("hunter2", "password or other text"),
        ("sk-hunter2", "password or other text"),
        ("ghp_hunter2", "password or other text"),
        ("AKIAhunter2", "password or other text"),
        ("SG.hunter.two", "password or other text"),
        ("alice@home", "password or other text"),
        ("SKtiger", "password or other text"),
    ],
)
def test_a_secret_of_an_account_is_named(value: str, what: str) -> None:
    found = defect_of(value)
    assert (found.cause, what in found.message) == ("cred.account-password", True), found


#: as lists, because Hypothesis tries the texts of the source, too, where texts are asked for
RANDOM = st.lists(st.sampled_from(string.ascii_letters + string.digits + string.punctuation), min_size=1, max_size=30)


@given(RANDOM.map("".join))
@settings(max_examples=300)
def test_no_short_random_text_is_called_a_key_or_an_identifier(value: str) -> None:
    assert defect_of_any(value) not in {"cred.other-service", "cred.encoded", "cred.head-missing", "cred.comment"}


def defect_of_any(value: str) -> str:
    found = decode(Secret(value))
    return found.cause if isinstance(found, TokenDefect) else ""


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("https://acme.test/x", "a URL"),
        ("ann@acme.test", "an e-mail address"),
        ("a" * 64, "64 hexadecimal digits: a digest, such as the hash of a file, or an identifier or key"),
    ],
)
def test_what_identifies_something_is_named(text: str, what: str) -> None:
    found = identifier(text)
    assert found is not None
    assert found.message == f"this is {what}, not an API token"
