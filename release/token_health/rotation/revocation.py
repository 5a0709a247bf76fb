"""Whether an old token still lives; asked with a copy of it that can upload nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from release.adapters.system.system import System
from release.core.models.credential import Credential, Origin
from release.core.models.finding import Unknown
from release.core.models.index import Index
from release.core.models.probe import ProbeResult
from release.core.secret import Secret
from release.credentials import verify

#: "unknown": nobody could tell: no network, no token, or an index that can't be asked
Life = Literal["alive", "dead", "unknown"]

#: seconds between two questions
PAUSE = 5.0
_ENDED = {"cred.revoked", "cred.leaked-auto-revoked", "cred.expired", "tp.token-expired"}
_NO_PROJECT = Unknown(reason="the account alone is asked about", remedy="")
_OLD = Origin(kind="default", detail="the old token")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How an old token is watched until it is dead."""

    system: System
    index: Index
    #: seconds; 0: it is asked once
    limit: float

    def until_dead(self, old: Secret) -> Life:
        """Ask until it is dead, nobody can be asked, or the time is over. Ctrl-C ends the waiting."""
        until = self.system.now().timestamp() + self.limit
        life = self.life(old)
        try:
            while life != "dead" and self._may_change(old) and self.system.now().timestamp() < until:
                self.system.sleep(PAUSE)
                life = self.life(old)
        except KeyboardInterrupt:
            return life
        return life

    def life(self, old: Secret) -> Life:
        """How it is now."""
        given = Credential(username="__token__", username_origin=_OLD, password=old, origin=_OLD)
        found = verify.verify(self.system, self.index, _NO_PROJECT, credential=given, tiers=(verify.identified,))
        if found.verdict.cause in _ENDED:
            return "dead"
        return (
            "alive" if isinstance(found.access.identity, ProbeResult) and found.verdict.word != "unknown" else "unknown"
        )

    def _may_change(self, old: Secret) -> bool:
        from release.adapters.index import token_probes

        return token_probes.may_probe(self.index, old)
