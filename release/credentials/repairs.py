"""What can safely be mended on this machine: each a proposal that shows its change and waits to be asked for.

A proposal is offered only where what comes out of it is known to be right: a token that is whole, a
file of which nothing else has changed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from release.adapters.system import private_rewrite
from release.adapters.system.system import System
from release.core.facts import Access
from release.core.models.credential import Candidate
from release.core.models.index import WELL_KNOWN
from release.core.redaction import redact
from release.core.secret import Secret
from release.core.tokens.token import Token, decode
from release.credentials.sources import ini_editor, keyring_writer

_PLACE = re.compile(r".+, line (?P<line>\d+), \[(?P<section>.+)\] (?P<key>\w+)")
_LINE = re.compile(r".+, line (?P<line>\d+)")
_ENTRY = re.compile(r"keyring \(.*\), service '(?P<service>[^']+)', user '(?P<user>[^']+)'")
#: causes that a new token in the keyring mends
FRESH = frozenset(
    """cred.missing cred.truncated cred.malformed cred.alphabet cred.placeholder cred.control-chars cred.bom-nonascii
    cred.account-password cred.other-service cred.pasted-twice cred.wrong-index cred.expired cred.revoked
    cred.signature-mismatch cred.project-scope-mismatch cred.project-scope-new-project keyring.stale
    keyring.service-mismatch keyring.username-mismatch pypirc.testpypi-under-pypi""".split()  # noqa: SIM905 - a list that people read
)
#: characters of a token that may show up in a masked line by chance, and no more
_CHANCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One change, for somebody to agree to."""

    #: id of the known failure that it mends
    cause: str
    #: an order: "let nobody else read the file"
    title: str
    #: file and line, or the keyring's entry
    where: str
    #: what stands there and what would, one line each, secrets masked; empty where nothing does
    before: str = ""
    after: str = ""
    #: makes the change. Raises ReleaseError and OSError
    do: Callable[[], object]


def proposals(system: System, access: Access, causes: Sequence[str]) -> tuple[Mend, ...]:
    """What could be mended on the way to an index; `causes` are the ids that its verdict names, the root first."""
    path = system.home / ".pypirc"
    data = path.read_bytes() if path.is_file() else b""
    return tuple(_proposals(_Case(system=system, access=access, causes=tuple(causes), path=path, data=data)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """What there is to be looked at."""

    system: System
    access: Access
    causes: tuple[str, ...]
    path: Path
    #: of the file; empty where there is none
    data: bytes

    def rewritten(self, new: bytes) -> Callable[[], None]:
        return partial(private_rewrite.replace_private_file, self.path, self.data, new)


def _proposals(case: _Case) -> Iterator[Mend]:
    remarked = {remark.cause: remark.where or "" for remark in case.access.remarks}
    if "pypirc.malformed" in remarked:
        yield from _mark(case, remarked["pypirc.malformed"])
    if "pypirc.section-unlisted" in remarked:
        yield from _listed(case, remarked["pypirc.section-unlisted"])
    for one in case.access.candidates:
        if one.origin.kind == "pypirc" and one.standing == "used":
            yield from _value(case, one)
    if "pypirc.perms" in remarked:
        mode = f"{case.path.stat().st_mode & 0o777:o}"
        yield Mend(
            cause="pypirc.perms", title="let nobody else read the file", where=remarked["pypirc.perms"],
            before=f"mode {mode}", after="mode 600", do=partial(private_rewrite.make_private, case.path),
        )  # fmt: skip
    yield from _shadows(case)


def _mark(case: _Case, where: str) -> Iterator[Mend]:
    bare = case.data.removeprefix(codecs.BOM_UTF8)
    if bare != case.data and ini_editor.values(bare) is not None:
        yield Mend(
            cause="pypirc.malformed", title="take the byte order mark away", where=where,
            before="U+FEFF, then the first line", after="the first line", do=case.rewritten(bare),
        )  # fmt: skip


def _listed(case: _Case, where: str) -> Iterator[Mend]:
    """A section that nobody reads, since index-servers does not name it."""
    line = _LINE.fullmatch(where)
    name = ini_editor.heading(case.data, int(line["line"])) if line else None
    if name is None or name.lower() == case.access.index.name.lower() != name:
        return  # a section in the wrong case would be another index
    servers, default = ("distutils", "index-servers"), tuple(WELL_KNOWN)
    new = ini_editor.with_word(case.data, *servers, name, default)
    if new is not None:
        old = (ini_editor.values(case.data) or {}).get(servers)
        yield Mend(
            cause="pypirc.section-unlisted", title=f"let uploaders read section [{name}]", where=where,
            before="" if old is None else f"index-servers = {' '.join(old.split())}",
            after=f"index-servers = {' '.join([*(default if old is None else old.split()), name])}",
            do=case.rewritten(new),
        )  # fmt: skip


def _value(case: _Case, one: Candidate) -> Iterator[Mend]:
    """A password that is a whole token once quotes, blanks and comments are gone."""
    place = _PLACE.fullmatch(one.origin.detail)
    text = (ini_editor.values(case.data) or {}).get((place["section"], place["key"])) if place else None
    clean = unwrapped(text) if text is not None else None
    if place is None or text is None or clean is None:
        return
    new, broken = ini_editor.with_value(case.data, place["section"], place["key"], clean), decode(Secret(text))
    if new is not None:
        yield Mend(
            cause="cred.token-whitespace" if isinstance(broken, Token) else broken.cause,
            title="keep the token alone in its line", where=one.origin.detail,
            before=f"{place['key']} = {_masked(text, clean)}",
            after=f"{place['key']} = {_masked(clean, clean)}",
            do=case.rewritten(new),
        )  # fmt: skip


def unwrapped(text: str) -> str | None:
    """The token in a value without quotes, blanks, line breaks and a comment; None where that makes no whole one."""
    core = re.sub(r"(?<=\S)\s+[;#].*", "", text.strip(), flags=re.DOTALL)
    core = "".join(core.strip("'\"`<> \t").split())
    token = decode(Secret(core))
    return core if core != text and isinstance(token, Token) and not token.trailing else None


def _masked(text: str, token: str) -> str:
    """The value for the eye: the token is masked, and a comment, which may hold another, is cut."""
    shown = re.sub(r"(\s[;#]).*", r"\1 …", redact(text, [Secret(token)]), flags=re.DOTALL)
    pieces = (token[at : at + _CHANCE] for at in range(len("pypi-"), len(token) - _CHANCE))
    return f"<{len(text)} characters>" if any(map(shown.__contains__, pieces)) else " ".join(shown.split())


def _shadows(case: _Case) -> Iterator[Mend]:
    """Two sources with different tokens: the one that is known not to be the right one goes.

    Where the one that is used works, an entry of the keyring behind it is out of date. Where it is
    broken, and lies in the file, and the keyring's is whole and of this index, the file's goes.
    """
    found, causes = case.access.candidates, case.causes
    used = next((one for one in found if one.standing == "used"), None)
    entry = next((one for one in found if one.origin.kind == "keyring" and one.standing == "shadowed"), None)
    if used is None or entry is None or entry.password == used.password:
        return
    if not causes or causes[0] == "src.env-shadows":
        yield from _entry_away(case, entry)
    elif causes[0].startswith("cred.") and isinstance(decode(entry.password), Token):
        yield from _line_away(case, used)


def _entry_away(case: _Case, entry: Candidate) -> Iterator[Mend]:
    words = _ENTRY.fullmatch(entry.origin.detail)
    if words:
        yield Mend(
            cause="src.env-shadows", title="take the token that is not used out of the keyring",
            where=entry.origin.detail, before=f"<token {entry.password.fingerprint}>",
            do=partial(keyring_writer.remove, words["service"], words["user"], case.system.env),
        )  # fmt: skip


def _line_away(case: _Case, used: Candidate) -> Iterator[Mend]:
    place = _PLACE.fullmatch(used.origin.detail)
    new = ini_editor.without(case.data, place["section"], place["key"]) if place else None
    if new is not None:
        yield Mend(
            cause="src.env-shadows", title="take the broken token away, so that the keyring's is used",
            where=used.origin.detail, before=f"password = <token {used.password.fingerprint}>", do=case.rewritten(new),
        )  # fmt: skip
