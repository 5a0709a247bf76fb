"""Executes a rotation, step by step: the new token is verified and stored before the old one is revoked.

Wherever it is interrupted, each location holds the old token or the new one, complete. What was done shows from the
locations; only which of two tokens is the new one is saved, without either. A leaked token is revoked first.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Literal

from msgspec import Struct, field

from release.adapters.system.system import System
from release.core.errors import Exit, ReleaseError, os_error_reason
from release.core.facts import ProjectMetadata
from release.core.models.check_result import Unknown
from release.core.models.credential import StoredSecret
from release.core.models.index import Index
from release.core.models.probe import ProbeResult
from release.core.models.secret_location import KeyringEntry, location_to_text
from release.core.secret import Secret
from release.core.shell import quote_word
from release.credentials import verify
from release.credentials.sources import SOURCES, keyring
from release.token_health.rotation import new_token
from release.token_health.rotation.rotation_plan import (
    ObtainToken,
    ReplaceSecret,
    RevokeToken,
    RotationPlan,
    RotationRequest,
    SetGitHubSecret,
    Step,
    StoreInKeyring,
    UnfinishedRotation,
    delete_unfinished,
    deletion_page,
    save_unfinished,
)

#: of an old token; "unknown": no network, no token, or an index that cannot be queried
OldTokenState = Literal["alive", "dead", "unknown"]
STATE_TEXTS = {
    "dead": "the old token is revoked",
    "alive": "the old token still works",
    "unknown": "whether the old token still works is not known",
    "none": "",
}
_MAKE_WRITABLE = "make it writable for your user, and run the same command again"
_DECLINED = "you chose not to replace it"


class RotationPrompts(Struct, frozen=True, kw_only=True):
    """How the rotation talks to the user: on a terminal, or to a script."""

    #: prints a line
    report: Callable[[str], None]
    #: asks whether to make a change
    confirm_change: Callable[[str], bool]
    #: asks what only a person can know; the answer of a script is no
    confirm_fact: Callable[[str], bool]
    #: reads the new token. Raises UsageError where there is none
    read_token: Callable[[], Secret]
    #: shows a page of the index
    show_page: Callable[[str], None]
    #: how often to ask for the token, if it is not accepted
    attempts: int = 1


class NotReplaced(Struct, frozen=True, kw_only=True):
    """A location that does not have the new token."""

    where: str
    reason: str
    remedy: str


class RotationResult(Struct, frozen=True, kw_only=True):
    """What a rotation has done."""

    #: the locations that have the new token, from this run or an earlier one
    replaced: tuple[str, ...]
    left: tuple[NotReplaced, ...]
    #: "none" where there is nothing to delete on the index
    old_state: OldTokenState | Literal["none"]
    #: fingerprint, 8 hex digits
    new: str
    leaked: bool

    @property
    def status(self) -> Exit:
        if self.left or not self.replaced or (self.leaked and self.old_state == "alive"):
            return Exit.REFUSED
        return Exit.DONE if self.old_state in {"dead", "none"} else Exit.WARNED


class Rotation(Struct, kw_only=True):
    """One run."""

    request: RotationRequest
    plan: RotationPlan
    prompts: RotationPrompts
    #: seconds to wait until the old token is revoked
    timeout: float = 0.0
    new: Secret | None = None
    unfinished: UnfinishedRotation | None = None
    replaced: list[str] = field(default_factory=list)
    left: list[NotReplaced] = field(default_factory=list)
    old_state: OldTokenState | Literal["none"] = "none"

    def run(self) -> RotationResult:
        """Execute the plan. Raises ReleaseError where no new token was accepted or stored: the old one is unchanged."""
        plan = self.plan
        self.new, self.unfinished, self.replaced = plan.new, plan.unfinished, list(plan.done)
        for one in plan.stored:
            if not one.replaceable:
                self._leave(location_to_text(one.location), "it cannot be changed from here", one.manual_change)
        for step in plan.steps:
            self._execute(step)
        result = RotationResult(
            replaced=tuple(self.replaced), left=tuple(self.left), old_state=self.old_state, leaked=self.plan.leaked,
            new=self.new.fingerprint if self.new else "",
        )  # fmt: skip
        never = self.plan.old is None and self.old_state == "unknown" and self.prompts.attempts == 1
        if self.unfinished and (result.status is Exit.DONE or never):  # a script gets only one warning about that
            delete_unfinished(self.request.state, self.unfinished)
        return result

    def _execute(self, step: Step) -> None:
        match step:
            case ObtainToken():
                self._obtain_token()
            case ReplaceSecret(stored=stored):
                self._replace(stored)
            case StoreInKeyring(entry=entry):
                self._store_in_keyring(entry)
            case SetGitHubSecret(name=name):
                self._set_github_secret(name)
            case RevokeToken(identifier=identifier):
                self._revoke(identifier)

    def _obtain_token(self) -> None:
        """Read a token until one is accepted, and save which one it is."""
        for line in new_token.describe_new_token(self.request, self.plan):
            self.prompts.report(line)
        if page := new_token.page_for_new_token(self.request, self.plan):
            self.prompts.show_page(page)
        self.new = new = self._accepted_token()
        self.unfinished = UnfinishedRotation(
            upload_url=self.request.index.upload_url, old=self.plan.fingerprint, new=new.fingerprint,
            identifier=self.plan.identifier, leaked=self.plan.leaked,
        )  # fmt: skip
        try:
            save_unfinished(self.request.state, self.unfinished)
        except OSError as error:
            self.prompts.report(f"note: this rotation cannot be resumed if interrupted: {error.strerror or error}")
        self.prompts.report(f"the new token works: fingerprint {new.fingerprint}")

    def _accepted_token(self) -> Secret:
        for attempt in count(1):
            new = self.prompts.read_token()
            rejected = new_token.reject_new_token(self.request, self.plan, new)
            if rejected is None:
                break
            if attempt >= self.prompts.attempts:
                raise rejected
            self.prompts.report(f"{rejected.message}\n→ {rejected.remedy}")
        return new

    def _replace(self, stored: StoredSecret) -> None:
        new, where = self._new_token(), location_to_text(stored.location)
        for name in stored.projects:  # the new token must work for the other projects that use this location, too
            if name != self.request.name:
                project = ProjectMetadata(name=name, version="")
                verdict = verify.verify_token(self.request.system, self.request.index, new, project).verdict
                if not verdict.passed:
                    self._leave(where, f"for {name}: {verdict.message}", verdict.remedy)
                    return
        self.prompts.report(f"{where}\n  - <token {self.plan.fingerprint}>\n  + <token {new.fingerprint}>")
        if not self.prompts.confirm_change("Replace it?"):
            self._leave(where, _DECLINED, stored.manual_change)
            return
        replace = partial(SOURCES[stored.source].replace, stored, new, self.plan.storage)
        self._change(where, replace, done="replaced, and read back")

    def _store_in_keyring(self, entry: KeyringEntry) -> None:
        if self.replaced:
            return
        entry = new_token.entry_for(self.request, self._new_token()) or entry
        where = location_to_text(entry)
        self.prompts.report(f"the new token is not stored anywhere yet: {where}")
        try:
            self._confirm_keyring()
            keyring.write_entry(entry, self._new_token(), self.request.system.env, insecure=self.request.insecure)
        except ReleaseError:
            if self.unfinished:
                delete_unfinished(self.request.state, self.unfinished)
            raise
        self.replaced.append(where)
        self.prompts.report("stored, and read back")

    def _confirm_keyring(self) -> None:
        if not self.prompts.confirm_change("Store it there?"):
            raise ReleaseError(
                "the new token is not stored anywhere",
                remedy=f"delete it, or run the same command again: {deletion_page(self.request.index)}",
            )

    def _set_github_secret(self, name: str) -> None:
        from release.adapters.github import actions_secrets

        where = f"secret {name} on GitHub"
        self.prompts.report(where)
        if not self.prompts.confirm_change("Set it to the new token?"):
            self._leave(where, _DECLINED, f"run: gh secret set {quote_word(name)}")
            return
        system, directory = self.request.system, self.request.directory
        change = partial(actions_secrets.set_secret, system, directory, name, self._new_token())
        self._change(where, change, done="set", by_hand=f"run: gh secret set {quote_word(name)}")

    def _new_token(self) -> Secret:
        if self.new is None:
            raise AssertionError("a location is changed after the token was obtained")
        return self.new

    def _leave(self, where: str, reason: str, remedy: str) -> None:
        self.left.append(NotReplaced(where=where, reason=reason, remedy=remedy))

    def _change(self, where: str, change: Callable[[], None], *, done: str, by_hand: str = _MAKE_WRITABLE) -> None:
        try:
            change()
        except ReleaseError as error:
            self._leave(where, error.message, error.remedy)
        except OSError as error:
            self._leave(where, os_error_reason(error), by_hand)
        else:
            self.replaced.append(where)
            self.prompts.report(done)
            return
        self.prompts.report(f"not replaced: {self.left[-1].reason}")

    def _revoke(self, identifier: str) -> None:
        """Have it deleted, but only once nothing needs it, or if it has leaked."""
        if self.old_state == "dead":
            return
        prompts = self.prompts
        if self.new is not None and not self.plan.leaked and self.left:
            locations = ", ".join(one.where for one in self.left)
            prompts.report(f"the old token is still needed in {locations}: do not delete it yet")
            if not prompts.confirm_fact("Have you changed these locations, and should the old token be revoked now?"):
                self.old_state = "unknown"
                return
        system, index, old = self.request.system, self.request.index, self.plan.old
        if old is None:
            prompts.report(
                f"the old token, identifier {identifier}, is no longer stored here: the index cannot report its state"
            )
            prompts.show_page(deletion_page(index))
            self.old_state = "dead" if prompts.confirm_fact("Is it gone from the list of tokens?") else "unknown"
            return
        self.old_state = query_old_token(system, index, old)
        if self.old_state != "dead":
            prompts.report(f"delete the old token, identifier {identifier}")
            prompts.show_page(deletion_page(index))
            if self.timeout:
                prompts.report(f"  waiting up to {self.timeout:.0f} s until it is revoked; Ctrl-C stops waiting")
            self.old_state = wait_until_revoked(system, index, old, timeout=self.timeout)
        prompts.report(STATE_TEXTS[self.old_state])


#: seconds between two requests
PAUSE = 5.0


def wait_until_revoked(system: System, index: Index, old: Secret, *, timeout: float) -> OldTokenState:
    """Query its state until it is revoked or `timeout` seconds are over. Ctrl-C stops waiting."""
    from release.adapters.index import token_probes

    until = system.now().timestamp() + timeout
    state = query_old_token(system, index, old)
    try:
        while state != "dead" and token_probes.may_probe(index, old) and system.now().timestamp() < until:
            system.sleep(PAUSE)
            state = query_old_token(system, index, old)
    except KeyboardInterrupt:
        return state
    return state


def query_old_token(system: System, index: Index, old: Secret) -> OldTokenState:
    """Whether the index still accepts a token; it is queried with a copy of it that cannot upload anything."""
    found = verify.verify_token(
        system, index, old, Unknown(reason="only the account is verified", remedy=""), name="the old token",
        tiers=(verify.query_token,),
    )  # fmt: skip
    if found.verdict.cause in {"cred.revoked", "cred.leaked-auto-revoked", "cred.expired", "tp.token-expired"}:
        return "dead"
    return "alive" if isinstance(found.access.identity, ProbeResult) and found.verdict.word != "unknown" else "unknown"
