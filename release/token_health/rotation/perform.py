"""Rotates a token, step by step: the new one is tried and in its places before the old one goes.

Whatever ends it, each place has the old token or the new one, whole. What was done is seen from the places;
only which of two tokens is the new one is remembered, without either. A token that others have seen goes first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from release.core.errors import Exit, ReleaseError
from release.core.facts import ProjectMetadata
from release.core.models.secret_location import KeyringEntry, shown
from release.core.secret import Secret
from release.credentials.sources import keyring_writer
from release.token_health.rotation import new_token, replace, unfinished_rotation
from release.token_health.rotation.discovery import Asked, Found, works
from release.token_health.rotation.revocation import Life, Watch
from release.token_health.rotation.rotation_plan import (
    Holding,
    Keep,
    Receive,
    Replace,
    Retire,
    SetSecret,
    Step,
    by_hand,
    changeable,
    page_to_delete,
)
from release.token_health.rotation.unfinished_rotation import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who rotates: somebody at a terminal, or a script."""

    #: shows a line
    tell: Callable[[str], None]
    #: answers whether a change is to be made
    agrees: Callable[[str], bool]
    #: answers what only a person can know or decide; a script says no
    sure: Callable[[str], bool]
    #: gives the new token. Raises UsageError where none comes
    token: Callable[[], Secret]
    #: shows a page of the index
    page: Callable[[str], None]
    #: how often the token is asked for again, where it is not the right one
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A place that does not have the new token."""

    where: str
    why: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What has become of it."""

    #: the places that have the new token, by this run or an earlier one
    replaced: tuple[str, ...]
    left: tuple[Left, ...]
    #: of the old token; "none" where the index has nothing to delete that could be asked about
    life: Life | Literal["none"]
    #: fingerprint, 8 hex digits
    new: str
    leaked: bool

    @property
    def status(self) -> Exit:
        if self.left or not self.replaced or (self.leaked and self.life == "alive"):
            return Exit.REFUSED
        return Exit.DONE if self.life in {"dead", "none"} else Exit.WARNED


@dataclass(kw_only=True)
class Rotation:
    """One run."""

    asked: Asked
    found: Found
    person: Person
    #: whether the keyring may be a readable file
    insecure: bool = False
    #: seconds for which the old token is watched
    limit: float = 0.0
    #: hears of each step once it is done
    after: Callable[[Step], None] = lambda _step: None
    new: Secret | None = None
    mark: Mark | None = None
    replaced: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    life: Life | Literal["none"] = "none"

    def carry_out(self) -> Ended:
        """Do it. Raises ReleaseError where no new token was taken, or none was kept; the old one is as it was then."""
        found = self.found
        self.new, self.mark, self.replaced = found.new, found.mark, list(found.done)
        for one in found.holdings:
            if not changeable(one.spot):
                self._leave(one, "it can't be changed from here")
        for step in found.steps:
            self._do(step)
            self.after(step)
        return self._over()

    def _do(self, step: Step) -> None:
        match step:
            case Receive():
                self._receive()
            case Replace(holding=holding):
                self._replace(holding)
            case Keep(entry=entry):
                self._keep(entry)
            case SetSecret(name=name):
                self._set_secret(name)
            case Retire(identifier=identifier):
                self._retire(identifier)

    def _over(self) -> Ended:
        ended = Ended(
            replaced=tuple(self.replaced), left=tuple(self.left), life=self.life, leaked=self.found.leaked,
            new=self.new.fingerprint if self.new else "",
        )  # fmt: skip
        never = self.found.old is None and self.life == "unknown" and self.person.attempts == 1
        if self.mark and (ended.status is Exit.DONE or never):  # a script is told once of what nobody can find out
            unfinished_rotation.forget(self.asked.state, self.mark)
        return ended

    # -- the new one ------------------------------------------------------------------------------

    def _receive(self) -> None:
        """Take a token that works, and is another one; remember which it is."""
        for line in new_token.suggestion(self.asked, self.found):
            self.person.tell(line)
        page = new_token.page(self.asked, self.found)
        if page:
            self.person.page(page)
        for attempt in range(self.person.attempts):
            new = self.person.token()
            refused = new_token.refusal(self.asked, self.found, new)
            if refused is None:
                break
            if attempt == self.person.attempts - 1:
                raise refused
            self.person.tell(f"{refused.message}\n→ {refused.remedy}")
        self.new = new
        self.mark = Mark(
            upload_url=self.asked.index.upload_url, old=self.found.fingerprint, new=new.fingerprint,
            identifier=self.found.identifier, leaked=self.found.leaked,
        )  # fmt: skip
        try:
            unfinished_rotation.write(self.asked.state, self.mark)
        except OSError as error:
            self.person.tell(f"note: a run that is broken off will not be gone on with: {error.strerror or error}")
        self.person.tell(f"the new token works: fingerprint {new.fingerprint}")

    # -- its places -------------------------------------------------------------------------------

    def _replace(self, holding: Holding) -> None:
        new = self._taken()
        unfit = self._unfit(holding, new)
        if unfit is not None:
            self.left.append(unfit)
            return
        self.person.tell(f"{holding.where}\n  - <token {self.found.fingerprint}>\n  + <token {new.fingerprint}>")
        if not self.person.agrees("Replace it?"):
            self._leave(holding, "it was left as it is")
            return
        try:
            replace.replace(holding, new, self.asked.system.env, insecure=self.insecure)
        except (ReleaseError, OSError) as error:
            self._failed(holding.where, error)
            return
        self.replaced.append(holding.where)
        self.person.tell("replaced, and read back")

    def _unfit(self, holding: Holding, new: Secret) -> Left | None:
        """Why the new token will not do for what else is uploaded from there."""
        for name in holding.projects:
            if name != self.asked.name:
                verdict = works(self.asked, new, ProjectMetadata(name=name, version="")).verdict
                if not verdict.passed:
                    return Left(where=holding.where, why=f"for {name}: {verdict.message}", remedy=verdict.remedy)
        return None

    def _keep(self, entry: KeyringEntry) -> None:
        if self.replaced:
            return
        self.person.tell(f"the new token has no place yet: {shown(entry)}")
        try:
            self._agreed_to_keep()
            keyring_writer.put(entry, self._taken(), self.asked.system.env, insecure=self.insecure)
        except ReleaseError:
            if self.mark:
                unfinished_rotation.forget(self.asked.state, self.mark)
            raise
        self.replaced.append(shown(entry))
        self.person.tell("kept, and read back")

    def _agreed_to_keep(self) -> None:
        if not self.person.agrees("Keep it there?"):
            raise ReleaseError(
                "the new token is kept nowhere",
                remedy=f"delete it, or run it again: {page_to_delete(self.asked.index)}",
            )

    def _set_secret(self, name: str) -> None:
        from release.adapters.github import actions_secrets

        where = f"secret {name} on GitHub"
        self.person.tell(where)
        if not self.person.agrees("Set it to the new token?"):
            self.left.append(Left(where=where, why="it was left as it is", remedy=f"run: gh secret set {name}"))
            return
        try:
            actions_secrets.set_secret(self.asked.system, self.asked.directory, name, self._taken())
        except ReleaseError as error:
            self._failed(where, error)
            return
        self.replaced.append(where)
        self.person.tell("set")

    def _taken(self) -> Secret:
        if self.new is None:
            raise AssertionError("a place comes after the token")
        return self.new

    def _leave(self, holding: Holding, why: str) -> None:
        self.left.append(Left(where=holding.where, why=why, remedy=by_hand(holding.spot)))

    def _failed(self, where: str, error: ReleaseError | OSError) -> None:
        remedy = error.remedy if isinstance(error, ReleaseError) else "make it writable for you, and run it again"
        why = error.message if isinstance(error, ReleaseError) else (error.strerror or str(error)).lower()
        self.left.append(Left(where=where, why=why, remedy=remedy))
        self.person.tell(f"not done: {why}")

    # -- the old one ------------------------------------------------------------------------------

    def _retire(self, identifier: str) -> None:
        """Have it deleted; only once nothing needs it, or others have seen it."""
        if self.life == "dead":
            return
        person, first = self.person, self.new is None
        if not first and not self.found.leaked and self.left:
            person.tell(
                f"the old token is still needed in {', '.join(one.where for one in self.left)}: keep it for now"
            )
            if not person.sure("Have these been changed, and shall the old one go now?"):
                self.life = "unknown"
                return
        if self.found.old is None:
            person.tell(f"the old token, identifier {identifier}, lies nowhere here any more, and can't be asked about")
            person.page(page_to_delete(self.asked.index))
            self.life = "dead" if person.sure("Is it gone from the list of tokens?") else "unknown"
            return
        watch = Watch(system=self.asked.system, index=self.asked.index, limit=self.limit)
        self.life = watch.life(self.found.old)
        if self.life != "dead":
            person.tell(f"delete the old token, identifier {identifier}")
            person.page(page_to_delete(self.asked.index))
            if self.limit:
                person.tell(f"  asking for up to {self.limit:.0f} s whether it is dead; Ctrl-C ends the waiting")
            self.life = watch.until_dead(self.found.old)
        person.tell("the old token is dead" if self.life == "dead" else f"the old token: {self.life}")
