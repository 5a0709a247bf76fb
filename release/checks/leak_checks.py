"""Secrets that would be published: in the files of a release, in a working tree, in the history of a repository."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from release.checks.engine import Check, Checklist
from release.core.facts import BuiltFiles, LeakScan
from release.core.models.check_result import Finding, NotApplicable, Observation, Unknown
from release.core.models.leak import INDEX_TOKEN, PRIVATE_KEY, SECRET_KINDS, Leak, ScanScope
from release.core.quoting import escape_unprintable
from release.core.shell import quote_word
from release.core.time_text import format_count
from release.leaks.credential_files import KINDS as FILES

_REWRITE = "force-push every branch and tag, and have everybody clone again"
CHECKS = Checklist[LeakScan]()


@CHECKS.check()
def no_token_of_an_index_leaks(leaks: LeakScan) -> Iterator[Observation]:
    """No PyPI or TestPyPI tokens.

    Each is verified by its structure. Expired and partly masked tokens count: once published, they get the real one
    revoked, since PyPI goes by the identifier. Source: PyPI's help, "compromised token".
    """
    yield from (leak_finding(leak, leaks) for leak in leaks.real if leak.kind == INDEX_TOKEN)


@CHECKS.check()
def no_key_of_another_service_leaks(leaks: LeakScan) -> Iterator[Observation]:
    """No tokens or keys of other services.

    Formats are those that the services publish. Matches that cannot be verified are ignored in tests, examples and
    generated code.
    """
    others = {INDEX_TOKEN, PRIVATE_KEY, *FILES}
    yield from (leak_finding(leak, leaks) for leak in leaks.real if leak.kind not in others)


@CHECKS.check()
def no_private_key_leaks(leaks: LeakScan) -> Iterator[Observation]:
    """No private keys.

    Those of tests, examples and generated code are ignored. The private key of a TLS server or client that the
    repository has for more than a year counts as a key for tests of a local server, and is only a warning. A key that
    is published on purpose is accepted with a waiver, which hides no token.
    """
    yield from (leak_finding(leak, leaks) for leak in leaks.real if leak.kind == PRIVATE_KEY)


@CHECKS.check()
def no_credential_file_leaks(leaks: LeakScan) -> Iterator[Observation]:
    """No credential files (.pypirc, netrc, .env, .git-credentials)."""
    yield from (leak_finding(leak, leaks) for leak in leaks.real if leak.kind in FILES)


@CHECKS.check()
def everything_could_be_searched(leaks: LeakScan) -> Iterator[Observation]:
    """Everything could be searched for secrets.

    Files that unpack to far more than their size, and deeply nested archives, are not searched. A file whose search
    takes too long is not searched to its end.
    """
    for one in leaks.searched.unread:
        reason = f"{escape_unprintable(one.path)}: {one.reason}" if one.path else one.reason
        yield Unknown(reason=reason, remedy="inspect it by hand, or exclude it")


def leak_finding(leak: Leak, leaks: LeakScan) -> Finding:
    """The finding about a leak: where it is, and what to do, in that order."""
    in_files = leaks.scope == "files"
    noun = "more object" if leaks.scope == "history" else "more place"
    more = f" and in {format_count(leak.others, noun)}" if leak.others else ""
    harmless = leaks.scope == "files" and leak.held_since is not None and leak.is_of_local_server
    if harmless:
        more += f"; the repository has it since {leak.held_since}, so it counts as a key for tests of a local server"
    file_cause = "meta.secret-in-dist" if in_files else None
    return Finding(
        message=f"{leak.what} found in {leak.where}{more}",
        remedy=_remedy(leak, leaks.scope),
        severity="warn" if harmless else "block",
        where=escape_unprintable(leak.path.partition("!")[0]) if in_files else leak.where,
        source="https://pypi.org/help/#compromised-token" if leak.kind == INDEX_TOKEN else None,
        cause=file_cause or ("cred.leaked-auto-revoked" if leak.kind == INDEX_TOKEN else None),
    )


def revoke_remedy(leak: Leak) -> str:
    """Where the secret is revoked, in the imperative."""
    return SECRET_KINDS[leak.kind].revoke.format(site=f"https://{leak.host}")


def _remedy(leak: Leak, scope: ScanScope) -> str:
    revoke, path = revoke_remedy(leak), leak.path.partition("!")[0]
    if SECRET_KINDS[leak.kind].short_lived and scope != "staged":
        return (
            f"{revoke}; {'exclude it from the build, and rebuild' if scope == 'files' else 'remove it from the file'}"
        )
    match scope:
        case "files":
            return f"{revoke}, unless it has never been shared; exclude it from the build, and rebuild"
        case "tree":
            search = "pypi-preflight leaks --history"
            return f"{revoke}, unless it has never been shared; then search for older copies: {search}"
        case "staged":
            return f"remove it from the file before you commit: git restore --staged -- {quote_word(path)}"
        case _ if leak.object_type != "blob":
            fix = f"git filter-repo --replace-message FILE (FILE holds the secret, outside the repository); {_REWRITE}"
        case _ if leak.commit:
            path = quote_word(path)
            fix = f"git filter-repo --invert-paths --path {path} (or --replace-text FILE to keep the file); {_REWRITE}"
        case _:
            fix = "no branch contains it any longer: git reflog expire --expire=now --all, then git gc --prune=now"
    return f"first {revoke}; then {fix}"


def _of_built(item: Check[LeakScan]) -> Check[BuiltFiles]:
    """The same check, applied to the files of a release."""

    def observe(built: BuiltFiles) -> Iterable[Observation]:
        if built.leaks is None:
            return (NotApplicable(reason="the files were not searched"),)
        return item.observe(built.leaks)

    return Check(name=item.name, title=item.title, why=item.why, observe=observe, needs=())


OF_BUILT = [_of_built(item) for item in CHECKS]
