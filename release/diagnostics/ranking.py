"""Which of the messages in a log is the failure, and which of its causes comes first.

A log has warnings before the failure, attempts that a later one made good, and connections that broke before the
index answered. And the same message often has a dozen causes: their order is their likelihood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct

from release.diagnostics import shared_phrases
from release.diagnostics.models import Diagnosis
from release.diagnostics.symptom_search import Found

#: an index refuses the credential, but does not say why
_GENERIC = {shared_phrases.INVALID_AUTH, shared_phrases.ACCOUNT_NAME, shared_phrases.UNAUTHORIZED}
#: printed before the upload: they explain that the credential is refused, and no other failure
_WARNINGS = {
    shared_phrases.EMPTY, shared_phrases.EMPTY_SENT, shared_phrases.ODD, shared_phrases.CONTROL_CHARACTERS,
    shared_phrases.CONTROL_CHARACTERS_USERNAME, shared_phrases.NO_DISTRIBUTIONS,
}  # fmt: skip
#: the causes of a credential that the index does not know, the likeliest first. Source: failure-catalog of public
#: threads, 2026-11: most tokens were deleted, then cut when they were copied, then not given to the job
_LIKELY = ("cred.revoked", "cred.truncated", "ci.secret-scope", "cred.wrong-index", "cred.env-empty")
#: cause → what its messages contain as well: a proxy that is gone refuses the connection
_HIDES = {
    "net.proxy": {"net.dns-offline", "net.timeout-reset", "net.tls"},
    "net.tls": {"net.dns-offline", "net.timeout-reset"},
    "net.timeout-reset": {"net.dns-offline"},
}
#: an index has answered an upload. Observed: the uploaders named in `log_text`
_ANSWER = re.compile(
    r"HTTPError:\s+\d{3}\b|\b(?:Client|Server)\s+error\s+'\d{3}\b|\b\d{3}\s+(?:Client|Server)\s+Error:|HTTP\s+Error\s+\d{3}:"
    r"|Upload\s+failed\s+\(\d{3}\)|[Ss]tatus\s+code:?\s+\d{3}\b|\bwith\s+status\s+\d{3}\b|^\u26d4\s*\d{3}\b",
    re.MULTILINE,
)
#: all files were uploaded
_UPLOADED = re.compile(r"^View at:|^Packages? uploaded successfully|^\u2728 Packages uploaded", re.MULTILINE)
#: a claim of the identity, as the publishing action and uv print it
_CLAIM = re.compile(
    r"(?:^|[\s`])(?P<name>(?:job_)?workflow_ref|repository|environment)`?:\s+[`\"]?(?P<value>[\w./@-]+)", re.MULTILINE
)
#: an address that was meant to be the upload address
_NO_SLASH = re.compile(r"/legacy$")
_SENT_WHOLE = re.compile(r"-\s+Uploading\s+\S+\s+100%")


class SymptomHit(Struct, frozen=True, kw_only=True):
    """A symptom of a record that was found."""

    diagnosis: Diagnosis
    symptom: str
    #: whether it indicates this record first
    leads: bool
    found: Found
    #: whether it was only found where line breaks within words are ignored
    joined: bool = False

    @property
    def cause(self) -> str:
        return self.diagnosis.id

    @property
    def rank(self) -> int:
        """The place of the symptom in its record; 0 indicates the cause best."""
        return [*self.diagnosis.symptoms, *self.diagnosis.also].index(self.symptom)

    def within(self, other: SymptomHit) -> bool:
        """Whether `other` contains this match. The text that matches a gap (`…`) does not count."""
        mine, wider = self.found[:2], other.found[:2]
        return "…" not in other.symptom and wider[0] <= mine[0] and mine[1] <= wider[1] and mine != wider


def rank_hits(
    hits: Sequence[SymptomHit], plain: str, values: Mapping[str, str], *, in_ci: bool
) -> list[tuple[SymptomHit, bool]]:
    """The hits that can be the failure, the likeliest cause first; each with whether nothing else fits."""
    kept = [hit for hit in hits if not any(map(hit.within, hits))]
    kept = _without_warnings(_without_earlier(kept, plain))
    if "upload_url" in values and not _NO_SLASH.search(values["upload_url"]):
        kept = [hit for hit in kept if hit.leads or hit.cause != "url.no-trailing-slash"]
    causes = {hit.cause for hit in kept if hit.leads}
    hidden = {cause for one in causes for cause in _HIDES.get(one, ())}
    kept = [hit for hit in kept if hit.cause not in hidden]
    shared = Counter(hit.symptom for hit in kept)
    first = _first_by_context(kept, plain, values)

    def key(hit: SymptomHit) -> tuple[bool, bool, bool, int, int]:
        likely = _LIKELY.index(hit.cause) if hit.symptom in _GENERIC and hit.cause in _LIKELY else len(_LIKELY)
        elsewhere = not in_ci and hit.cause.startswith("ci.") and hit.symptom in _GENERIC
        return (
            hit.cause != first,
            not hit.leads,
            elsewhere,
            99 if hit.symptom in _GENERIC else shared[hit.symptom],
            likely,
        )

    kept.sort(key=key)
    return [(hit, hit.leads and shared[hit.symptom] == 1 and not hit.joined) for hit in kept]


def _without_earlier(hits: Sequence[SymptomHit], plain: str) -> list[SymptomHit]:
    """Without what was made good later: broken connections before an answer, failures before a whole upload."""
    uploaded = max((match.start() for match in _UPLOADED.finditer(plain)), default=-1)
    answered = max((match.start() for match in _ANSWER.finditer(plain)), default=-1)
    hits = [hit for hit in hits if hit.found.last >= uploaded or hit.cause.startswith("post.")]
    others = [hit.found.last for hit in hits if hit.leads and not hit.cause.startswith(("net.", "post."))]
    ended = max([answered, *others])
    return [hit for hit in hits if hit.found.last >= ended or not hit.cause.startswith(("net.", "post."))]


def _without_warnings(hits: list[SymptomHit]) -> list[SymptomHit]:
    failures = [hit for hit in hits if hit.leads and hit.symptom not in _WARNINGS | _GENERIC]
    return [hit for hit in hits if hit.symptom not in _WARNINGS] if failures else hits


def _first_by_context(hits: Sequence[SymptomHit], plain: str, values: Mapping[str, str]) -> str | None:
    """The cause that the rest of the log shows, of several with one message."""
    symptoms = {hit.cause: hit for hit in hits}
    if (slash := symptoms.get("url.no-trailing-slash")) and "url.simple-or-root" in symptoms:
        return "url.no-trailing-slash" if slash.leads or "upload_url" in values else "url.simple-or-root"
    if any(hit.symptom == shared_phrases.POETRY_CONNECTION for hit in hits):
        return "net.timeout-reset" if _SENT_WHOLE.search(plain) else "net.dns-offline"
    if any(hit.symptom == shared_phrases.NO_PUBLISHER for hit in hits):
        return _of_claims({match["name"]: match["value"] for match in _CLAIM.finditer(plain)})
    if missing := symptoms.get("pypirc.missing-repo"):
        return "url.no-scheme" if re.search(r"[/.]", missing.found.values.get("section", "")) else "pypirc.missing-repo"
    return None


def _of_claims(claims: Mapping[str, str]) -> str | None:
    """Why no publisher matches the claims of an identity; None where they do not show it."""
    called, top = (claims.get(name, "").partition("@")[0] for name in ("job_workflow_ref", "workflow_ref"))
    if called and top and "MISSING" not in (called, top) and called != top:
        return "tp.reusable-workflow"
    place = "/".join(called.split("/")[:2])
    if not top and called and claims.get("repository", place) != place:
        return "tp.reusable-workflow"
    return "tp.renamed" if claims.get("environment", "MISSING") not in {"MISSING", ""} else None
