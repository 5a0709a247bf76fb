"""Secrets that would go out: in the files of a release, in a working tree, in the history of a repository."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from release.checks.engine import Check, check
from release.core.facts import BuiltFiles, LeakScan
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.leak import INDEX_TOKEN, SECRET_KINDS, Leak
from release.leaks.credential_files import KINDS as FILES

_REWRITE = "force-push every branch and tag, and let everybody clone anew"


@check()
def no_token_of_an_index_leaks(leaks: LeakScan) -> Iterator[Observation]:
    """No API token of PyPI or TestPyPI goes out.

    Each is proven by its structure. One that has expired, or is blanked out in part, counts: published, it
    gets the real one revoked, since PyPI goes by its identifier. Source: PyPI's help, "compromised token".
    """
    yield from (finding(leak, leaks) for leak in leaks.searched.real if leak.kind == INDEX_TOKEN)


@check()
def no_key_of_another_service_leaks(leaks: LeakScan) -> Iterator[Observation]:
    """No token, key or private key of another service goes out.

    Formats are those that the services publish. Where nothing proves that one is real, those that lie among
    tests, examples or machine code are passed over.
    """
    yield from (finding(leak, leaks) for leak in leaks.searched.real if leak.kind not in {INDEX_TOKEN, *FILES})


@check()
def no_credential_file_leaks(leaks: LeakScan) -> Iterator[Observation]:
    """No file with credentials goes out: .pypirc, netrc, .env, .git-credentials."""
    yield from (finding(leak, leaks) for leak in leaks.searched.real if leak.kind in FILES)


@check()
def everything_could_be_searched(leaks: LeakScan) -> Iterator[Observation]:
    """Everything could be searched for secrets.

    A file that unpacks to far more than its size, and archives in archives without end, are left alone.
    """
    for one in leaks.searched.unread:
        reason = f"{one.path}: {one.reason}" if one.path else one.reason
        yield Unknown(reason=reason, remedy="look into it by hand, or leave it out")


def finding(leak: Leak, leaks: LeakScan) -> Finding:
    """What there is to say of a leak: where it lies, and what to do, in that order."""
    files = leaks.scope == "files"
    more = f" and in {leak.others} more object{'s' if leak.others > 1 else ''}" if leak.others else ""
    return Finding(
        message=f"{leak.what} lies in {leak.where}{more}",
        remedy=_REMEDIES[leaks.scope](leak, revoke(leak)),
        where=leak.path.partition("!")[0] if files else leak.where,
        source="https://pypi.org/help/#compromised-token" if leak.kind == INDEX_TOKEN else None,
        cause="meta.secret-in-dist" if files else "cred.leaked-auto-revoked" if leak.kind == INDEX_TOKEN else None,
    )


def revoke(leak: Leak) -> str:
    """An order: where the secret is taken back."""
    return SECRET_KINDS[leak.kind].revoke.format(site=f"https://{leak.host}")


def _in_files(_leak: Leak, revoke: str) -> str:
    return f"{revoke}, unless nobody else has seen it; leave it out of the build, and build again"


def _in_tree(_leak: Leak, revoke: str) -> str:
    return f"{revoke}, unless nobody else has seen it; then look for older copies: python -m release leaks --history"


def _in_index(leak: Leak, _revoke: str) -> str:
    path = leak.path.partition("!")[0]
    return f"take it out of the file before you commit: git restore --staged -- {path!r}"


def _in_history(leak: Leak, revoke: str) -> str:
    if leak.object_type != "blob":
        way = f"git filter-repo --replace-message FILE (FILE holds the secret, outside the repository); {_REWRITE}"
    elif leak.commit:
        path = leak.path.partition("!")[0]
        way = f"git filter-repo --invert-paths --path {path!r} (or --replace-text FILE to keep the file); {_REWRITE}"
    else:
        way = "no branch has it any more: git reflog expire --expire=now --all, then git gc --prune=now"
    return f"first {revoke}; then {way}"


_REMEDIES: dict[str, Callable[[Leak, str], str]] = {
    "files": _in_files,
    "tree": _in_tree,
    "staged": _in_index,
    "history": _in_history,
}

CHECKS: tuple[Check[LeakScan], ...] = (
    no_token_of_an_index_leaks,
    no_key_of_another_service_leaks,
    no_credential_file_leaks,
    everything_could_be_searched,
)


def _of_built(item: Check[LeakScan]) -> Check[BuiltFiles]:
    """The same check, of the files of a release."""

    def observe(built: BuiltFiles) -> Iterable[Observation]:
        if built.leaks is None:
            return (NotApplicable(reason="the files were not searched"),)
        return item.observe(built.leaks)

    return Check(name=item.name, title=item.title, why=item.why, observe=observe, needs=())


OF_BUILT: tuple[Check[BuiltFiles], ...] = tuple(map(_of_built, CHECKS))
