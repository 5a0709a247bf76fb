"""A secret where it must not be: what it is, where it lies, and how it is taken back. Never the secret itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretKind:
    """A kind of secret."""

    #: as it reads in a sentence: "a token of GitHub"
    what: str
    #: an order: where it is taken back
    revoke: str
    #: whether its form proves it: a structure or a checksum that no made-up example has
    proven: bool = False


INDEX_TOKEN = "pypi-token"  # noqa: S105 - the name of a kind

SECRET_KINDS = {
    INDEX_TOKEN: SecretKind(
        what="an API token", revoke="remove it on the page of your account: {site}/manage/account/", proven=True
    ),
    "github-token": SecretKind(
        what="a token of GitHub", revoke="revoke it: https://github.com/settings/tokens", proven=True
    ),
    "github-fine-grained-token": SecretKind(
        what="a fine-grained token of GitHub", revoke="revoke it: https://github.com/settings/personal-access-tokens"
    ),
    "gitlab-token": SecretKind(
        what="a token of GitLab", revoke="revoke it: https://gitlab.com/-/user_settings/personal_access_tokens"
    ),
    "npm-token": SecretKind(
        what="a token of npm",
        revoke="revoke it: npm token revoke, or on the access tokens page of the account",
        proven=True,
    ),
    "aws-key": SecretKind(
        what="an access key of AWS with its secret",
        revoke="deactivate and delete it: https://console.aws.amazon.com/iam/home#/security_credentials",
    ),
    "slack-token": SecretKind(what="a token of Slack", revoke="revoke it: https://api.slack.com/apps"),
    "stripe-key": SecretKind(what="a live key of Stripe", revoke="roll it: https://dashboard.stripe.com/apikeys"),
    "google-key": SecretKind(
        what="an API key of Google", revoke="delete it: https://console.cloud.google.com/apis/credentials"
    ),
    "google-service-account": SecretKind(
        what="the private key of a Google service account",
        revoke="delete the key: https://console.cloud.google.com/iam-admin/serviceaccounts",
    ),
    "private-key": SecretKind(
        what="a private key", revoke="make a new pair, and take the old public key from wherever it is trusted"
    ),
    "pypirc": SecretKind(
        what="a .pypirc with a password", revoke="change the password, or revoke the token, on that index"
    ),
    "netrc": SecretKind(what="a netrc file with a password", revoke="change the password on that host"),
    "env": SecretKind(what="an .env file with a secret", revoke="replace the secret where it was issued"),
    "git-credentials": SecretKind(
        what="a .git-credentials file", revoke="revoke the token, or change the password, on that host"
    ),
}

#: a path that says of what lies there that it is for tests or for show
_MADE_UP = re.compile(
    r"(?:\A|[/\\!_.-])(?:tests?|testing|test_?data|fixtures?|cert_?data|mocks?|examples?|samples?|demos?|docs?|dummy\w*)(?:[/\\!_.-]|\Z)",
    re.IGNORECASE,
)


#: libraries have keys built in to test themselves with
_MACHINE_CODE = re.compile(r"\.(?:so[.\d]*|a|o|lib|dll|pyd|dylib|exe|class)\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretMatch:
    """A secret in some bytes."""

    #: a key of `KINDS`
    kind: str
    #: of its first byte, from 0
    offset: int
    #: what tells it from others and gives nothing away: a token's identifier, else 8 hex digits of a hash
    identity: str
    #: host name of the index that issued it; empty for what is no token of an index
    host: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A secret in a file."""

    #: a key of `KINDS`
    kind: str
    #: as in `Spot`
    identity: str
    host: str = ""
    #: the file, with forward slashes; members of archives follow it, each behind a "!"; empty where it has no name
    path: str
    #: from 1
    line: int
    #: object name of what holds it in the repository, 40 or 64 hex digits; None outside history
    object: str | None = None
    #: "blob", "commit" or "tag"; what `object` is
    object_type: str = "blob"
    #: the commit that brought it in, 40 or 64 hex digits; None where there is none, or none is known
    commit: str | None = None
    #: how many other objects of the history hold the same secret
    others: int = 0

    @property
    def what(self) -> str:
        """The kind of secret, and which one it is."""
        whose = f" of {self.host}" if self.host else ""
        name = "identifier" if self.host else "fingerprint"
        return f"{SECRET_KINDS[self.kind].what}{whose} ({name} {self.identity})"

    @property
    def where(self) -> str:
        """File, line, commit: as much of it as there is."""
        at = self.commit or (self.object if self.object_type == "commit" else None)
        if self.object_type != "blob":
            return f"the message of {self.object_type} {(self.object or '')[:12]}, line {self.line}"
        place = (
            f"{self.path}:{self.line}" if self.path else f"line {self.line} of the object {(self.object or '')[:12]}"
        )
        return f"{place} in commit {at[:12]}" if at else place

    @property
    def passed_over(self) -> bool:
        """Whether it is taken for made up: nothing proves it, and it lies among tests, examples or machine code."""
        built_in = self.kind == "private-key" and _MACHINE_CODE.search(self.path) is not None
        return not SECRET_KINDS[self.kind].proven and (built_in or _MADE_UP.search(self.path) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnscannedFile:
    """Something that could not be searched to its end."""

    #: as in `Leak`
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """What a search has found, and how much it has read."""

    leaks: tuple[Leak, ...] = ()
    unread: tuple[UnscannedFile, ...] = ()
    #: files, or objects of a repository, that were searched
    count: int = 0

    @property
    def real(self) -> tuple[Leak, ...]:
        """The leaks but those that are taken for made up."""
        return tuple(leak for leak in self.leaks if not leak.passed_over)


#: where was searched: files that go out, a directory, what is staged for a commit, all objects of a repository
ScanScope = Literal["files", "tree", "staged", "history"]


def merge_scans(parts: Iterable[ScanResult]) -> ScanResult:
    """The sum of several searches."""
    parts = tuple(parts)
    return ScanResult(
        leaks=tuple(leak for part in parts for leak in part.leaks),
        unread=tuple(one for part in parts for one in part.unread),
        count=sum(part.count for part in parts),
    )
