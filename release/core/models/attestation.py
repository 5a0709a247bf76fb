"""Attestations: signed statements about who published a file, as an index stores them.

Sources: PEP 740 (the objects), in-toto Attestation Framework, "Statement v1".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from release.core.foreign_json import parse_foreign_json
from release.core.models.oidc_identity import ISSUERS

#: the file was published by the publisher
PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
#: how the file was built (SLSA provenance)
BUILD = "https://slsa.dev/provenance/v1"
#: the kinds that PyPI accepts, at most one of each per file. Source: warehouse, `attestations/services.py`
PREDICATES = (PUBLISH, BUILD)
#: the publishers whose attestations PyPI accepts. Source: the same, `oidc/models` (`supports_attestations`)
PUBLISHER_KINDS = ("GitHub", "GitLab", "Google")


class AttestationPublisher(Struct, frozen=True, kw_only=True):
    """A workflow or an account that may publish, as in a provenance."""

    #: "GitHub", "GitLab", "Google", …
    kind: str
    #: its properties: ("repository", "octo/widget"), ("workflow", "release.yml"), …
    details: tuple[tuple[str, str], ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> AttestationPublisher:
        """From a JSON object. Raises `ValueError` if it has no kind."""
        if not isinstance(data.get("kind"), str):
            raise ValueError("the publisher has no kind")  # noqa: TRY004 - the value is wrong, not its type
        details = {name: value for name, value in data.items() if name != "kind" and isinstance(value, str)}
        return cls(kind=data["kind"], details=tuple(sorted(details.items())))

    def to_json(self) -> dict[str, str]:
        """Its JSON object."""
        return {"kind": self.kind, **dict(self.details)}

    def __str__(self) -> str:
        ordered = sorted(self.details, key=lambda detail: detail[0] == "environment")
        return ", ".join((self.kind, *(value for _, value in ordered)))


class Provenance(Struct, frozen=True, kw_only=True):
    """The attestations of a file on an index, by publisher."""

    #: each publisher with the JSON texts of its attestations
    bundles: tuple[tuple[AttestationPublisher, tuple[str, ...]], ...]


class VerifiedAttestations(Struct, frozen=True, kw_only=True):
    """The attestations of a file are valid: these publishers published these bytes."""

    publishers: tuple[AttestationPublisher, ...]
    #: the predicate of each attestation: one of `PREDICATES`
    predicates: tuple[str, ...]


def publisher_from_claims(claims: Mapping[str, Any]) -> AttestationPublisher | None:
    """The publisher for the claims of an identity token; None if no index supports it.

    On GitHub, it is the workflow that contains the job (`job_workflow_ref`), which for a reusable workflow is
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
    """A provenance from its JSON value. Raises `ValueError` if it is not valid."""
    try:
        if data["version"] != 1:
            raise ValueError(f"provenance version {data['version']!r} is not supported")
        bundles = [
            (AttestationPublisher.from_json(one["publisher"]), tuple(map(json.dumps, one["attestations"])))
            for one in data["attestation_bundles"]
        ]
        return Provenance(bundles=tuple(bundles))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a valid provenance: {error}") from error


def predicate_of(statement: bytes, filename: str, sha256: str) -> str:
    """The predicate of a statement about this file: one of `PREDICATES`.

    Raises `ValueError`, with the message of the index, if it is about another file or other bytes, or has
    another predicate.
    Source: pypi-attestations 0.0.30, `Attestation.verify`.
    """
    try:
        data = parse_foreign_json(statement)
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
    """The parsed file name, in any spelling."""
    try:
        return parse_wheel_filename(filename) if filename.endswith(".whl") else parse_sdist_filename(filename)
    except (InvalidSdistFilename, InvalidWheelFilename, AttributeError) as error:
        raise ValueError(f"invalid subject: {error}") from None
