"""Detect passwords in files whose name marks them as credential files: `.pypirc`, netrc, `.env`, `.git-credentials`."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from release.core.models.leak import SecretMatch
from release.core.secret import Secret

#: the kinds of `release.core.models.leak.KINDS` that are detected by file names
KINDS = frozenset({"pypirc", "netrc", "git-credentials", "env"})

#: the modes of files in a tree object
_FILES = frozenset({b"100644", b"100755", b"100664"})
#: a tree with a credential file contains one of these
_MARKS = (b"pypirc\0", b"netrc\0", b".git-credentials\0", b".env")
_NAMED = (b"pypirc", b"netrc", b".git-credentials")
_ENDINGS = ("pypirc", "netrc", ".git-credentials", ".env")

# Patterns as text: few files need them, and the first one compiles them.
_PYPIRC = rb"(?m)^[ \t]*password[ \t]*[=:][ \t]*(?P<value>[^\r\n]+)"
_NETRC = rb"(?m)^(?:[^#\r\n]*\s)?password\s+(?P<value>\S+)"
_GIT = rb"(?m)^https?://[^:/@\s]+:(?P<value>[^@\s]+)@"
_ENV = (
    rb"(?mi)^[ \t]*(?:export[ \t]+)?\w{0,60}"
    rb"(?:SECRET|TOKEN|PASSWORD|PASSWD|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL)\w{0,60}"
    rb"[ \t]*=[ \t]*[\"']?(?P<value>[^\s\"'#]+)"
)
#: placeholders, for others to replace
_EXAMPLE_NAME = r"(?i)example|sample|template|dist$|default|schema|test"
_PLACEHOLDER = (
    rb"(?is)[<$%{\[].*|.*\*\*\*.*|.*\.\.\.?|.*(?:your|my|example|sample|dummy|fake|change|replace|placeholder|insert|todo|xxx"
    rb"|localhost|password|passwd|secret|token|insecure|development|testing|hunter2).*|(.)\1*"
)


def find_password(path: str, data: bytes) -> Iterator[SecretMatch]:
    """The first password in a credential file; nothing in other files.

    Placeholders are no passwords, and `detectors` finds API tokens.
    """
    if not may_hold_credentials(path):
        return
    name = posixpath.basename(path.rpartition("!")[2])
    for kind, is_named_so, pattern in (
        ("pypirc", name.endswith("pypirc"), _PYPIRC),
        ("netrc", name in {".netrc", "_netrc", "netrc"}, _NETRC),
        ("git-credentials", name == ".git-credentials", _GIT),
        ("env", (name.endswith(".env") or name.startswith(".env.")) and not re.search(_EXAMPLE_NAME, name), _ENV),
    ):
        for found in re.finditer(pattern, data) if is_named_so else ():
            value = found["value"].strip().strip(b"\"'")
            if not re.fullmatch(_PLACEHOLDER, value) and b"pypi-" not in value and _is_secret(kind, value):
                identity = Secret(value.decode("latin-1")).fingerprint
                yield SecretMatch(kind=kind, offset=found.start(), identity=identity)
                break


def may_hold_credentials(path: str) -> bool:
    """Whether a file may be a credential file, by its name."""
    return path.endswith(_ENDINGS) or ".env." in path


def named_in_tree(tree: bytes, width: int) -> Iterator[tuple[str, str]]:
    """The object and name of each credential file in a tree object.

    `width` is the length of an object's name in bytes: 20, or 32 in a SHA-256 repository.
    """
    at = 0 if any(mark in tree for mark in _MARKS) else len(tree)
    while at < len(tree):
        # Source: gitformat-pack and git-mktree: the mode, a blank, the name, NUL, and the object's name in bytes.
        end = tree.find(b"\0", at)
        if end < 0:
            return
        mode, _, name = tree[at:end].partition(b" ")
        at = end + 1 + width
        if mode in _FILES and (name.endswith(_NAMED) or b".env" in name):
            yield tree[end + 1 : at].hex(), name.decode("utf-8", "replace")


def _is_secret(kind: str, value: bytes) -> bool:
    """Whether a value is a secret; in `.env` it needs some length, because other settings end in TOKEN or KEY too."""
    if kind != "env":
        return len(value) > 3  # noqa: PLR2004 - too short to protect anything
    return len(value) >= 8 and re.search(rb"\d", value) is not None and re.search(rb"[A-Za-z]", value) is not None  # noqa: PLR2004
