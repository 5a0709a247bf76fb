"""Repairs of this machine's configuration: each shows its change, and is made only once the user agrees.

A repair is offered only where its result is known to be right: a token that is complete, a file in which nothing
else has changed.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from msgspec import Struct

from release.adapters.system import safe_write
from release.adapters.system.system import System
from release.core.facts import Access
from release.core.models.credential import Credential, StoredSecret
from release.core.models.index import WELL_KNOWN
from release.core.models.secret_location import (
    ConfigFileKey,
    KeyringEntry,
    location_to_text,
    project_of,
)
from release.core.redaction import redact
from release.core.secret import Secret
from release.core.tokens.token import Token, decode
from release.credentials.sources import base, keyring, pypirc, pypirc_file
from release.credentials.sources.base import BrokenSourceError, read_bytes
from release.credentials.sources.pypirc_file import load_pypirc

_URL_CAUSES = frozenset(
    """url.no-scheme url.legacy-domain url.http url.no-trailing-slash url.simple-or-root
    pypirc.repository-mismatch""".split()  # noqa: SIM905 - a list that people read
)
#: characters of a token that may appear in a masked line by chance
_CHANCE = 12
_SERVERS = ("distutils", "index-servers")


class Repair(Struct, frozen=True, kw_only=True):
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


class _Proposals(Struct, frozen=True, kw_only=True):
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
        misplaced = () if isinstance(self.access.credential, Credential) else tuple(self._place_tokens())
        yield from misplaced or self._correct_lines()
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

    def _correct_lines(self) -> Iterator[Repair]:
        """A repository that means the index, but is not its upload URL; a username other than `__token__`."""
        wrong = dict(self._wrong_lines())
        try:
            file = load_pypirc(self.path, "~/.pypirc") if wrong else None
        except BrokenSourceError:
            return
        if file is None:
            return
        right = {"repository": self.access.index.upload_url, "username": "__token__"}
        for section, key in ((section, key) for section in file.parser.sections() for key in right):
            line = ConfigFileKey(path="~/.pypirc", section=section, key=key, line=file.line(section, key))
            cause = wrong.get((key, file.where(section, key))) or wrong.get((key, location_to_text(line)))
            new = pypirc_file.with_value(self.data, section, key, right[key]) if cause else None
            if cause and new is not None:
                old = base.without_user(self._value((section, key)) or "")
                yield Repair(
                    cause=cause, title=f"correct the {key}", where=location_to_text(line), before=f"{key} = {old}",
                    after=f"{key} = {right[key]}", apply=self._rewrite(new),
                )  # fmt: skip

    def _place_tokens(self) -> Iterator[Repair]:
        """A token of the index in a line of the file that no tool reads, or not as a password."""
        query = base.SourceQuery(index=self.access.index, env=self.system.env, home=self.system.home)
        for finding, change in pypirc.misplaced_tokens(query):
            new = change.apply(self.data)
            if new is not None and finding.cause is not None:
                before, after = (one.decode("utf-8", "replace").splitlines() for one in (self.data, new))
                yield Repair(
                    cause=finding.cause, title=change.to_text("the file"), where=finding.where or "~/.pypirc",
                    before="; ".join(_only_in(before, after)), after="; ".join(_only_in(after, before)),
                    apply=self._rewrite(new),
                )  # fmt: skip

    def _wrong_lines(self) -> Iterator[tuple[tuple[str, str], str]]:
        """((key, where), cause) of the values to correct."""
        for one in self.access.remarks:
            if one.cause in _URL_CAUSES:
                yield ("repository", one.where or ""), one.cause or ""
            elif one.cause == "cred.username-not-token":
                yield ("username", one.where or ""), one.cause
        used = self.access.credential
        if isinstance(used, Credential) and self.access.index.kind == "warehouse" and used.username != "__token__":
            yield ("username", location_to_text(used.username_origin)), "cred.username-not-token"

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
        shadowed = [(one.origin, one.password) for one in candidates if one.status == "shadowed"]
        if used is None:
            return
        (place, token), cause = used, causes[0] if causes else "src.env-shadows"
        for line, unused in shadowed:
            if cause == "src.env-shadows" and isinstance(line, ConfigFileKey) and unused != token:
                yield from self._delete_from_file(line, unused, "delete the token that is not used from its line")
        stored = next(((entry, other) for entry, other in shadowed if isinstance(entry, KeyringEntry)), None)
        if stored is None or stored[1] == token or isinstance(place, KeyringEntry):
            return
        entry, other = stored
        own = project_of(entry)
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


def line_to_replace(access: Access) -> StoredSecret | None:
    """The line of `.pypirc` with the token that an upload would use, or that was meant for it; None: there is none."""
    for one in access.candidates:
        place = one.origin
        if isinstance(place, ConfigFileKey) and place.kind == "pypirc" and one.status in {"used", "other-index"}:
            return StoredSecret(
                source="pypirc", location=place, secret=one.password, manual_change=f"change {location_to_text(place)}"
            )
    return None


def unwrapped(text: str) -> str | None:
    """The only complete token in a value, in its usual form; None where there is none, several, or nothing else.

    Quotes, blanks, line breaks, comments, other characters around it, a missing or repeated prefix and percent
    encoding are removed.
    """
    core = re.sub(r"(?<=\S)\s+[;#].*", "", text.strip(), flags=re.DOTALL)
    core = unquote("".join(one for one in core if one.isascii() and one.isprintable() and not one.isspace()))
    found: set[str] = set()
    for found_body in re.findall(r"AgE[\w+/-]+", re.sub("pypi-", " ", core, flags=re.IGNORECASE), re.ASCII):
        body = found_body.replace("+", "-").replace("/", "_")
        token = decode(Secret(f"pypi-{body}"))
        if isinstance(token, Token):
            found.add(f"pypi-{body[: len(body) - token.trailing]}")
    return found.pop() if len(found) == 1 and found != {text} else None


def _only_in(lines: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    """The lines that the others lack, without secrets; the values of a login are not shown at all."""
    for line in lines:
        if line not in others:
            key = re.match(r"[\s#;]*[A-Za-z][\w -]{0,30}\s*[:=]", line)
            whole = line.strip().startswith("[") or line.endswith("= __token__")
            yield redact(line) if whole else f"{key[0] if key else ''} …"


def _masked(text: str, token: str) -> str:
    """The value with the token masked, and without a comment, which may contain another."""
    shown = re.sub(r"(\s[;#]).*", r"\1 …", redact(text, [Secret(token)]), flags=re.DOTALL)
    pieces = (token[at : at + _CHANCE] for at in range(len("pypi-"), len(token) - _CHANCE))
    return f"<{len(text)} characters>" if any(map(shown.__contains__, pieces)) else " ".join(shown.split())
