"""Repairs of this machine's configuration: each shows its change, and is made only once the user agrees.

A repair is offered only where its result is known to be right: a token that is complete, a file in which nothing
else has changed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from release.adapters.system import safe_write
from release.adapters.system.system import System
from release.core.facts import Access
from release.core.models.index import WELL_KNOWN
from release.core.models.secret_location import ConfigFileKey, KeyringEntry, location_to_text, project_of
from release.core.redaction import redact
from release.core.secret import Secret
from release.core.tokens.token import Token, decode
from release.credentials.sources import keyring, pypirc, pypirc_file
from release.credentials.sources.base import BrokenSourceError, read_bytes
from release.credentials.sources.pypirc_file import load_pypirc

#: causes that a new token in the keyring fixes
FIXED_BY_NEW_TOKEN = frozenset(
    """cred.missing cred.truncated cred.malformed cred.alphabet cred.placeholder cred.control-chars cred.bom-nonascii
    cred.account-password cred.other-service cred.pasted-twice cred.wrong-index cred.expired cred.revoked
    cred.signature-mismatch cred.project-scope-mismatch cred.project-scope-new-project keyring.stale
    keyring.service-mismatch keyring.username-mismatch keyring.other-project pypirc.testpypi-under-pypi pypirc.indented
    pypirc.section-misspelled pypirc.key-misspelled pypirc.commented-out src.password-missing url.credentials
    cred.swapped""".split()  # noqa: SIM905 - a list that people read
)
#: characters of a token that may appear in a masked line by chance
_CHANCE = 12
_SERVERS = ("distutils", "index-servers")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One change, for the user to agree to."""

    #: id of the known failure that it fixes
    cause: str
    #: an instruction: "make the file readable by its owner only"
    title: str
    #: file and line, or the keyring's entry
    where: str
    #: what is there and what would be, one line each, secrets masked; empty where there is nothing
    before: str = ""
    after: str = ""
    #: makes the change. Raises ReleaseError and OSError
    apply: Callable[[], object]


def propose_repairs(system: System, access: Access, causes: Sequence[str]) -> tuple[Repair, ...]:
    """The repairs for the credential of an index; `causes` are the ids that its verdict names, the root first."""
    path = system.home / ".pypirc"
    return tuple(_Proposals(system=system, access=access, causes=causes, path=path, data=read_bytes(path)).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposals:
    system: System
    access: Access
    causes: Sequence[str]
    path: Path
    #: of the file; empty where there is none
    data: bytes

    def all(self) -> Iterator[Repair]:
        remarked = {remark.cause: remark.where or "" for remark in self.access.remarks}
        if "pypirc.malformed" in remarked:
            yield from self._remove_byte_order_mark(remarked["pypirc.malformed"])
        if "pypirc.section-unlisted" in remarked:
            yield from self._list_sections()
        for one in self.access.candidates:
            if isinstance(one.origin, ConfigFileKey) and one.status == "used":
                yield from self._clean_token(one.origin)
        if "pypirc.perms" in remarked:
            yield Repair(
                cause="pypirc.perms", title="make the file readable by its owner only",
                where=remarked["pypirc.perms"], before=f"mode {self.path.stat().st_mode & 0o777:o}", after="mode 600",
                apply=partial(self.path.chmod, 0o600),
            )  # fmt: skip
        yield from self._resolve_conflict()

    def _rewrite(self, new: bytes) -> Callable[[], None]:
        return partial(safe_write.replace_private_file, self.path, self.data, new)

    def _value(self, key: tuple[str, str]) -> str | None:
        return (pypirc_file.values(self.data) or {}).get(key)

    def _remove_byte_order_mark(self, where: str) -> Iterator[Repair]:
        bare = self.data.removeprefix(codecs.BOM_UTF8)
        if bare != self.data and pypirc_file.values(bare) is not None:
            yield Repair(
                cause="pypirc.malformed", title="remove the byte order mark", where=where,
                before="U+FEFF, then the first line", after="the first line", apply=self._rewrite(bare),
            )  # fmt: skip

    def _list_sections(self) -> Iterator[Repair]:
        """Sections that no tool reads, because index-servers does not list them."""
        try:
            file = load_pypirc(self.path, "~/.pypirc")
        except BrokenSourceError:
            return
        for name in pypirc.unlisted_sections(file, self.access.index) if file else ():
            new = pypirc_file.with_word(self.data, *_SERVERS, name, tuple(WELL_KNOWN))
            if file is not None and new is not None:
                old = self._value(_SERVERS)
                words = tuple(WELL_KNOWN) if old is None else old.split()
                yield Repair(
                    cause="pypirc.section-unlisted", title=f"add section [{name}] to index-servers",
                    where=file.where(name), before="" if old is None else f"index-servers = {' '.join(words)}",
                    after=f"index-servers = {' '.join([*words, name])}", apply=self._rewrite(new),
                )  # fmt: skip

    def _clean_token(self, location: ConfigFileKey) -> Iterator[Repair]:
        """A password that is a complete token once quotes, blanks and comments are removed."""
        text = self._value((location.section, location.key))
        clean = unwrapped(text) if text is not None else None
        if text is None or clean is None:
            return
        new = pypirc_file.with_value(self.data, location.section, location.key, clean)
        broken = decode(Secret(text))
        if new is not None:
            yield Repair(
                cause="cred.token-whitespace" if isinstance(broken, Token) else broken.cause,
                title="remove everything but the token from its line", where=location_to_text(location),
                before=f"{location.key} = {_masked(text, clean)}", after=f"{location.key} = {_masked(clean, clean)}",
                apply=self._rewrite(new),
            )  # fmt: skip

    def _resolve_conflict(self) -> Iterator[Repair]:
        """Two sources with different tokens: remove the one that is known to be wrong.

        Where the token that is used works, the keyring's entry behind it is out of date; but a project's own was stored
        on purpose, so that the file's is offered first. Where the one that is used is broken and stored in the file,
        and the keyring's is complete and of this index, the file's is removed.
        """
        candidates, causes = self.access.candidates, self.causes
        used = next(((one.origin, one.password) for one in candidates if one.status == "used"), None)
        shadowed = ((one.origin, one.password) for one in candidates if one.status == "shadowed")
        stored = next(((place, token) for place, token in shadowed if isinstance(place, KeyringEntry)), None)
        if used is None or stored is None or stored[1] == used[1] or isinstance(used[0], KeyringEntry):
            return
        (place, token), (entry, other) = used, stored
        cause, own = causes[0] if causes else "src.env-shadows", project_of(entry)
        if isinstance(place, ConfigFileKey) and isinstance(decode(other), Token):
            if cause.startswith("cred."):
                yield from self._delete_from_file(
                    place, token, "delete the broken token, so that the keyring's is used"
                )
            elif cause == "src.env-shadows" and own is not None:
                title = f"delete the token for every project from the file, so that the one of {own!r} is used"
                yield from self._delete_from_file(place, token, title)
        if cause == "src.env-shadows":
            yield Repair(
                cause="src.env-shadows", title="delete the token that is not used from the keyring",
                where=location_to_text(entry), before=f"<token {other.fingerprint}>",
                apply=partial(keyring.delete_entry, entry, self.system.env),
            )  # fmt: skip

    def _delete_from_file(self, place: ConfigFileKey, token: Secret, title: str) -> Iterator[Repair]:
        new = pypirc_file.without(self.data, place.section, place.key)
        if new is not None:
            yield Repair(
                cause="src.env-shadows", title=title, where=location_to_text(place),
                before=f"password = <token {token.fingerprint}>", apply=self._rewrite(new),
            )  # fmt: skip


def unwrapped(text: str) -> str | None:
    """The token in a value without quotes, blanks, line breaks and a comment; None where that is no complete token."""
    core = re.sub(r"(?<=\S)\s+[;#].*", "", text.strip(), flags=re.DOTALL)
    core = "".join(core.strip("'\"`<> \t").split())
    token = decode(Secret(core))
    return core if core != text and isinstance(token, Token) and not token.trailing else None


def _masked(text: str, token: str) -> str:
    """The value with the token masked, and without a comment, which may contain another."""
    shown = re.sub(r"(\s[;#]).*", r"\1 …", redact(text, [Secret(token)]), flags=re.DOTALL)
    pieces = (token[at : at + _CHANCE] for at in range(len("pypi-"), len(token) - _CHANCE))
    return f"<{len(text)} characters>" if any(map(shown.__contains__, pieces)) else " ".join(shown.split())
