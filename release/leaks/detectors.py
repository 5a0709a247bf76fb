"""Detect secrets of other services by their published formats, and private keys.

The checksum or structure of a format must be valid; without one, the text must look random. The examples in
vendors' documentation have neither. `at` is where the prefilter matched: at an "A", else at the last character
of a prefix.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator

from release.core.models.leak import SecretMatch
from release.core.secret import Secret

#: called with a file's bytes and the offset where the prefilter matched
Detector = Callable[[bytes, int], SecretMatch | None]

_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PLACEHOLDERS = (
    b"example", b"sample", b"dummy", b"fake", b"redact", b"replace", b"placeholder", b"changeme", b"secret", b"your",
    b"insert", b"xxxx", b"0000", b"1234567", b"abcdefg",
)  # fmt: skip
_REPETITION = re.compile(rb"(.)\1{4}")

# Group 1 is the random part.
_GITHUB = re.compile(rb"gh[pousr]_([A-Za-z0-9]{36})")
_GITHUB_REFRESH = re.compile(rb"ghr_([A-Za-z0-9]{76})")
_NPM = re.compile(rb"npm_([A-Za-z0-9]{36})")
_AWS = re.compile(rb"(?<![A-Za-z0-9])A[KS]IA([A-Z2-7]{16})(?![A-Za-z0-9])")
_AWS_SECRET = re.compile(rb"(?<![A-Za-z0-9/+=_-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])")
#: bytes before and after an access key in which its secret is searched: a few lines
_NEARBY = 400


def github_token(data: bytes, at: int) -> SecretMatch | None:
    """Source: GitHub blog 2021-04-05, "Behind GitHub's new authentication token formats"."""
    found = [_GITHUB.match(data, at - 3), _GITHUB_REFRESH.match(data, at - 3)]
    valid = next((one for one in found if one and _checksum_holds(one[1])), None)
    if valid is None:
        return None
    return _spot("github-installation-token" if valid[0].startswith(b"ghs_") else "github-token", valid)


def npm_token(data: bytes, at: int) -> SecretMatch | None:
    """Source: GitHub blog 2021-09-23, "Announcing npm's new access token format"."""
    found = _NPM.match(data, at - 3)
    return _spot("npm-token", found) if found and _checksum_holds(found[1]) else None


def _random_token(kind: str, pattern: bytes, *offsets: int) -> Detector:
    """A detector of tokens that only look random; the prefilter matches one of so many bytes after their start."""
    compiled = re.compile(pattern)

    def detect(data: bytes, at: int) -> SecretMatch | None:
        found = next(filter(None, (compiled.match(data, at - offset) for offset in offsets)), None)
        return _spot(kind, found) if found and _looks_random(found[1]) else None

    return detect


# Source: GitHub and GitLab documentation, "Token prefixes".
github_fine_grained_token = _random_token(
    "github-fine-grained-token", rb"github_pat_([A-Za-z0-9]{22}_[A-Za-z0-9]{59})", 10
)
gitlab_token = _random_token("gitlab-token", rb"gl(?:pat|dt|rt)-([A-Za-z0-9_-]{20,300})", 5, 4)
# Source: Stripe documentation, "API keys"; test keys (`sk_test_`) are harmless.
stripe_key = _random_token("stripe-key", rb"[sr]k_live_([A-Za-z0-9]{24,247})", 7)
# Source: Slack documentation, "Tokens".
slack_token = _random_token(
    "slack-token", rb"(?:xox[abeoprs]-(?:\d{10,13}-){1,3}|xapp-\d-[A-Z0-9]{9,12}-\d{10,13}-)([A-Za-z0-9]{24,64})", 4
)
# Source: Google Cloud documentation, "Manage API keys".
google_key = _random_token("google-key", rb"AIza([A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])", 0)


def aws_key(data: bytes, at: int) -> SecretMatch | None:
    """An access key is reported only with its secret nearby.

    Source: AWS documentation, "IAM identifiers" and "Manage access keys".
    """
    found = _AWS.match(data, at)
    if found is None or not _looks_random(found[1]):
        return None
    nearby = data[max(0, found.start() - _NEARBY) : found.end() + _NEARBY]
    for text in _AWS_SECRET.findall(nearby):
        if all(re.search(case, text) for case in (rb"[a-z]", rb"[A-Z]", rb"[0-9]")) and _looks_random(text):
            return _spot("aws-key", found)
    return None


def _looks_random(text: bytes) -> bool:
    """Whether a text looks random: no placeholder, no repetition, and enough different characters."""
    lowered = text.lower()
    return (
        len(set(text)) * 10 >= min(len(text), 24) * 4
        and not any(word in lowered for word in _PLACEHOLDERS)
        and _REPETITION.search(lowered) is None
    )


def _checksum_holds(body: bytes) -> bool:
    """Whether the last six characters are the CRC32 of those before, in base 62."""
    number = zlib.crc32(body[:-6])
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit] + digits
    return digits.encode() == body[-6:] and len(set(body)) > 9  # noqa: PLR2004 - fewer: an example with a valid checksum


def _spot(kind: str, found: re.Match[bytes]) -> SecretMatch:
    return SecretMatch(kind=kind, offset=found.start(), identity=Secret(found[0].decode("latin-1")).fingerprint)


#: Bounded, so that no text takes long to match.
_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]{0,40})PRIVATE KEY( BLOCK)?-----")
#: the end of a key; another beginning before it shows that it has none
_PEM_END = re.compile(rb"-----(?:BEGIN|END) ")
_PEM_HEADER = re.compile(rb"(?m)^[ \t>#*]*[A-Za-z-]+: .*$")
_BETWEEN = re.compile(rb"\\[nr]|[\s\"'`,;|>#*\\()]+")
#: bytes; an RSA key of 16384 bits has 13 kB as PEM
_LONGEST_KEY = 20_000
_PUTTY = re.compile(
    rb"PuTTY-User-Key-File-\d: [^\n]{1,200}\n(?:[A-Z][A-Za-z-]+: [^\n]*\n|[A-Za-z0-9+/=]+\r?\n){1,400}?"
    rb"Private-MAC: [0-9a-f]{40,64}"
)
_SERVICE_ACCOUNT = re.compile(rb"\"type\"\s*:\s*\"service_account\"")


def private_key(data: bytes, at: int) -> SecretMatch | None:
    """Source: RFC 7468 (PEM), RFC 5208, 8017 and 5915 (contents), OpenSSH's `PROTOCOL.key`, RFC 9580 (PGP)."""
    start = data.rfind(b"-----BEGIN ", max(0, at - 60), at)
    found = _PEM.match(data, start) if start >= 0 else None
    if found is None or found.end(1) + len("PRIV") != at:
        return None
    end = _PEM_END.search(data, found.end(), found.end() + _LONGEST_KEY)
    if end is None or end[0] != b"-----END ":
        return None
    text = data[found.end() : end.start()]
    body = b"".join(part for part in _BETWEEN.split(_PEM_HEADER.sub(b"", text)) if part != b"+")
    if not _is_key(body, found[1].strip(), encrypted=b"ENCRYPTED" in text, pgp=found[2] is not None):
        return None
    near = data[max(0, start - _LONGEST_KEY // 20) : start]
    kind = "google-service-account" if _SERVICE_ACCOUNT.search(near) else "private-key"
    return SecretMatch(kind=kind, offset=start, identity=Secret(body.decode("latin-1")).fingerprint)


def putty_keys(data: bytes) -> Iterator[SecretMatch]:
    """Every key in the format of PuTTY. Source: PuTTY's manual, appendix C, "PPK file format"."""
    yield from (_spot("private-key", found) for found in _PUTTY.finditer(data))


def _is_key(body: bytes, form: bytes, *, encrypted: bool, pgp: bool) -> bool:
    if pgp:
        body = body.partition(b"=")[0]  # a checksum follows
        body += b"=" * (-len(body) % 4)
    try:
        data = base64.b64decode(body, validate=True)
    except binascii.Error:
        return False
    if pgp:
        return len(data) > 64 and data[0] & 0x80 != 0 and not _is_repetitive(data)  # noqa: PLR2004 - the tag bit of a packet
    if form == b"OPENSSH":
        return data.startswith(b"openssh-key-v1\0") and len(data) > 100  # noqa: PLR2004 - less is no key
    if encrypted:
        return len(data) >= 48 and not _is_repetitive(data)  # noqa: PLR2004 - a small elliptic key
    return _is_sequence(data)


def _is_sequence(data: bytes) -> bool:
    """Whether the bytes are exactly one DER sequence that looks random."""
    if len(data) < 40 or data[0] != 0x30 or _is_repetitive(data):  # noqa: PLR2004 - an Ed25519 key has 48
        return False
    if data[1] < 0x80:  # noqa: PLR2004 - the short form of a length
        return len(data) == 2 + data[1]
    width = data[1] & 0x7F
    return width in {1, 2, 3} and len(data) == 2 + width + int.from_bytes(data[2 : 2 + width], "big")


def _is_repetitive(data: bytes) -> bool:
    return len(set(data)) < 10  # noqa: PLR2004 - of 48 random bytes, some 40 differ
