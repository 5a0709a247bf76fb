"""A leaked secret: its kind, its location, and how to revoke it; never the secret itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from release.core.quoting import escape_unprintable


class SecretKind(Struct, frozen=True):
    """A kind of secret."""

    #: as in a sentence: "a GitHub token"
    what: str
    #: in the imperative: where to revoke it
    revoke: str
    #: whether its form proves that it is real: a structure or a checksum that examples do not have
    proven: bool = False
    #: whether it expires so soon that old ones are harmless
    short_lived: bool = False


INDEX_TOKEN = "pypi-token"  # noqa: S105 - the name of a kind
PRIVATE_KEY = "private-key"

SECRET_KINDS = {
    INDEX_TOKEN: SecretKind("an API token", "remove it on your account page: {site}/manage/account/", proven=True),
    "github-token": SecretKind("a GitHub token", "revoke it: https://github.com/settings/tokens", proven=True),
    # Source: GitHub documentation, "Generating an installation access token for a GitHub App"
    "github-installation-token": SecretKind(
        "a token of a GitHub Actions run or GitHub App",
        "nothing has to be revoked, because it expires within an hour of its creation",
        short_lived=True,
    ),
    "github-fine-grained-token": SecretKind(
        "a fine-grained GitHub token", "revoke it: https://github.com/settings/personal-access-tokens"
    ),
    "gitlab-token": SecretKind(
        "a GitLab token", "revoke it: https://gitlab.com/-/user_settings/personal_access_tokens"
    ),
    "npm-token": SecretKind(
        "an npm token", "revoke it: npm token revoke, or on the access tokens page of the account", proven=True
    ),
    "aws-key": SecretKind(
        "an AWS access key with its secret",
        "deactivate and delete it: https://console.aws.amazon.com/iam/home#/security_credentials",
    ),
    "slack-token": SecretKind("a Slack token", "revoke it: https://api.slack.com/apps"),
    "stripe-key": SecretKind("a Stripe live key", "roll it: https://dashboard.stripe.com/apikeys"),
    "google-key": SecretKind("a Google API key", "delete it: https://console.cloud.google.com/apis/credentials"),
    "google-service-account": SecretKind(
        "the private key of a Google service account",
        "delete the key: https://console.cloud.google.com/iam-admin/serviceaccounts",
    ),
    PRIVATE_KEY: SecretKind(
        "a private key", "create a new pair, and remove the old public key from everywhere it is trusted"
    ),
    "pypirc": SecretKind("a .pypirc with a password", "change the password, or revoke the token, on that index"),
    "netrc": SecretKind("a netrc file with a password", "change the password on that host"),
    "env": SecretKind("an .env file with a secret", "replace the secret where it was issued"),
    "git-credentials": SecretKind("a .git-credentials file", "revoke the token, or change the password, on that host"),
}

# Patterns as text: a release with a leak is rare, and the first use compiles them.
#: a path of tests or examples, or of what others test with: "greentest", "pytest_httpbin"
_EXAMPLE_PATH = (
    r"(?i)(?:\A|[/\\!_.-])(?:(?:py|green|unit)?tests?|localhost|self[_-]?signed|snake[_-]?oil|development|testing"
    r"|test_?data|fixtures?|cert_?data|mocks?|examples?|samples?|demos?|docs?|dummy\w*)(?:[/\\!_.-]|\Z)"
)

#: a path of certificates and their keys
_TLS_PATH = (
    r"(?i)(?:\A|[/\\!_.-])(?:ca|certs?|certificates?|client|https?|keycert|local|server|ssl|tls)(?:[/\\!_.-]|\Z)"
)

#: compiled libraries contain keys for their self-tests
_MACHINE_CODE = r"(?i)\.(?:so[.\d]*|a|o|lib|dll|pyd|dylib|exe|class)\Z"


class SecretMatch(Struct, frozen=True, kw_only=True):
    """A secret found in some bytes."""

    #: a key of `KINDS`
    kind: str
    #: position of its first byte, from 0
    offset: int
    #: distinguishes it without revealing it: the identifier of a token, else 8 hex digits of a hash
    identity: str
    #: host name of the index that issued it; empty if it is not a token of an index
    host: str = ""


class Leak(Struct, frozen=True, kw_only=True):
    """A secret in a file."""

    #: a key of `KINDS`
    kind: str
    #: as in `SecretMatch`
    identity: str
    host: str = ""
    #: the file, with forward slashes, followed by archive members, each after a "!"; empty if it has no name
    path: str
    #: from 1
    line: int
    #: name of the Git object that contains it, 40 or 64 hex digits; None outside history
    object: str | None = None
    #: the type of `object`: "blob", "commit" or "tag"
    object_type: str = "blob"
    #: the commit that added it, 40 or 64 hex digits; None if there is none, or it is unknown
    commit: str | None = None
    #: number of other objects of the history, or of other places, with the same secret
    others: int = 0
    #: since when git has it, "2019-03-04", if that is more than a year; None if it is newer, or unknown
    held_since: str | None = None

    @property
    def what(self) -> str:
        """The kind of secret, and its identifier or fingerprint."""
        whose = f" of {self.host}" if self.host else ""
        name = "identifier" if self.host else "fingerprint"
        return f"{SECRET_KINDS[self.kind].what}{whose} ({name} {self.identity})"

    @property
    def where(self) -> str:
        """File, line and commit, as far as they are known, on one line of printable characters."""
        at = self.commit or (self.object if self.object_type == "commit" else None)
        if self.object_type != "blob":
            return f"the message of {self.object_type} {(self.object or '')[:12]}, line {self.line}"
        place = (
            f"{escape_unprintable(self.path)}:{self.line}"
            if self.path
            else f"line {self.line} of the object {(self.object or '')[:12]}"
        )
        return f"{place} in commit {at[:12]}" if at else place

    @property
    def is_example(self) -> bool:
        """Whether it counts as an example: it is unproven, and in tests, examples or machine code."""
        kind = SECRET_KINDS[self.kind]
        built_in = self.kind == PRIVATE_KEY and re.search(_MACHINE_CODE, self.path) is not None
        expired = kind.short_lived and self.object is not None
        return not kind.proven and (built_in or expired or re.search(_EXAMPLE_PATH, self.path) is not None)

    @property
    def is_of_local_server(self) -> bool:
        """Whether it is the private key of a TLS server or client by its path, as projects have them for tests."""
        return self.kind == PRIVATE_KEY and re.search(_TLS_PATH, self.path) is not None


class UnscannedFile(Struct, frozen=True, kw_only=True):
    """A file that could not be searched completely."""

    #: as in `Leak`
    path: str
    reason: str
    #: whether the search was given up on the way, so that nothing is known of the rest
    given_up: bool = False


class ScanResult(Struct, frozen=True, kw_only=True):
    """The result of a search."""

    leaks: tuple[Leak, ...] = ()
    unread: tuple[UnscannedFile, ...] = ()
    #: number of files, or of objects of a repository, that were searched
    count: int = 0

    def real(self, *, by_file: bool = False) -> tuple[Leak, ...]:
        """Each secret once, at its first place; without those that count as examples at any of their places.

        `by_file`: once for each archive or other file, because each is published on its own.
        """
        groups: dict[tuple[str, ...], list[Leak]] = {}
        for leak in self.leaks:
            file = leak.path.partition("!")[0] if by_file else ""
            groups.setdefault((leak.kind, leak.identity, leak.host, file), []).append(leak)
        examples = {(leak.kind, leak.identity) for leak in self.leaks if leak.is_example}
        return tuple(
            replace(found[0], others=found[0].others + len(found) - 1)
            for found in groups.values()
            if (found[0].kind, found[0].identity) not in examples
        )


#: what is searched: the files of a release, a directory, the staged changes, all objects of a repository
ScanScope = Literal["files", "tree", "staged", "history"]


def merge_scans(parts: Iterable[ScanResult]) -> ScanResult:
    """The combined result of several searches."""
    parts = tuple(parts)
    return ScanResult(
        leaks=tuple(leak for part in parts for leak in part.leaks),
        unread=tuple(one for part in parts for one in part.unread),
        count=sum(part.count for part in parts),
    )
