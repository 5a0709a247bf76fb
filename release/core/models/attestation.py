"""Attestations: who published which bytes, signed, as an index keeps them beside a file.

Sources: PEP 740 (the objects), in-toto Attestation Framework, "Statement v1".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from release.core.models.oidc_identity import ISSUERS

#: "this file was published by this publisher"
PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
#: "this file was built so" (SLSA provenance)
BUILD = "https://slsa.dev/provenance/v1"
#: the kinds that PyPI takes, at most one of each a file. Source: warehouse, `attestations/services.py`
PREDICATES = (PUBLISH, BUILD)
#: the publishers whose attestations PyPI takes. Source: the same, `oidc/models` (`supports_attestations`)
PUBLISHER_KINDS = ("GitHub", "GitLab", "Google")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationPublisher:
    """A workflow or an account that may publish, as a provenance names it."""

    #: "GitHub", "GitLab", "Google", …
    kind: str
    #: what tells it from others of its kind: ("repository", "octo/widget"), ("workflow", "release.yml"), …
    details: tuple[tuple[str, str], ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AttestationPublisher:
        """From its JSON object. Raises `ValueError` where it has no kind."""
        if not isinstance(data.get("kind"), str):
            raise ValueError("a publisher without a kind")  # noqa: TRY004 - it is the value that is wrong
        details = {name: value for name, value in data.items() if name != "kind" and isinstance(value, str)}
        return cls(kind=data["kind"], details=tuple(sorted(details.items())))

    def to_json(self) -> dict[str, str]:
        """Its JSON object."""
        return {"kind": self.kind, **dict(self.details)}

    def __str__(self) -> str:
        told = sorted(self.details, key=lambda detail: detail[0] == "environment")
        return ", ".join((self.kind, *(value for _, value in told)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What an index shows for a file: for each publisher, the attestations that came from it."""

    #: with each publisher the JSON texts of its attestations
    bundles: tuple[tuple[AttestationPublisher, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedAttestations:
    """The attestations of a file hold: these bytes were published by these."""

    publishers: tuple[AttestationPublisher, ...]
    #: of each attestation, what it says: one of `PREDICATES`
    predicates: tuple[str, ...]


def publisher_from_claims(claims: Mapping[str, Any]) -> AttestationPublisher | None:
    """The publisher that an identity token speaks for; None where it is none that an index knows.

    GitHub's is the workflow that holds the job (`job_workflow_ref`), which in a reusable workflow is
    not the one that was triggered. Source: warehouse, `oidc/models/github.py`, `gitlab.py`, `google.py`.
    """
    provider = ISSUERS.get(str(claims.get("iss")))
    kind = "Google" if provider == "Google Cloud" else provider
    texts = {name: str(value) for name, value in claims.items() if value}
    details: dict[str, str] = {}
    if kind == "GitHub":
        path = texts.get("job_workflow_ref", texts.get("workflow_ref", "")).partition("@")[0]
        details = {"repository": texts.get("repository", ""), "workflow": path.rpartition("/")[2]}
    elif kind == "GitLab":
        path = texts.get("ci_config_ref_uri", "").partition("@")[0].partition("//")[2]
        details = {"repository": texts.get("project_path", ""), "workflow_filepath": path}
    elif kind == "Google":
        details = {"email": texts.get("email", "")}
    if kind not in {*PUBLISHER_KINDS, "ActiveState"} or not all(details.values()):
        return None
    if kind in {"GitHub", "GitLab"} and "environment" in texts:
        details["environment"] = texts["environment"]
    return AttestationPublisher(kind=kind, details=tuple(sorted(details.items())))


def parse_provenance(data: Any) -> Provenance:
    """A provenance object, read. Raises `ValueError` where it is none."""
    try:
        if data["version"] != 1:
            raise ValueError(f"a provenance of version {data['version']!r}")
        return Provenance(
            bundles=tuple(
                (
                    AttestationPublisher.from_json(one["publisher"]),
                    tuple(json.dumps(each) for each in one["attestations"]),
                )
                for one in data["attestation_bundles"]
            )
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no provenance: {error}") from error


def predicate_of(statement: bytes, filename: str, sha256: str) -> str:
    """What a statement says of this very file: one of `PREDICATES`.

    Raises `ValueError`, in the words of the index, where it is about another file, other bytes, or
    says something else.
    Source: pypi-attestations 0.0.30, `Attestation.verify`.
    """
    try:
        data = json.loads(statement)
        subjects, kind = data["subject"], data["predicateType"]
        named = [(one["name"], one["digest"].get("sha256")) for one in subjects]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError("invalid statement") from None
    if len(named) != 1:
        raise ValueError("too many subjects in statement (must be exactly one)")
    name, digest = named[0]
    if _parsed(name) != _parsed(filename):
        raise ValueError(f"subject does not match distribution name: {name} != {filename}")
    if digest != sha256:
        raise ValueError("subject does not match distribution digest")
    if kind not in PREDICATES:
        raise ValueError(f"unknown attestation type: {kind}")
    return str(kind)


def _parsed(filename: Any) -> tuple[Any, ...]:
    """What a file name says, however it is spelled."""
    try:
        return parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidSdistFilename, InvalidWheelFilename, AttributeError) as error:
        raise ValueError(f"invalid subject: {error}") from None
