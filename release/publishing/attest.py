"""Attestations: attach them to an upload, or explain why there are none; verify those on an index.

Only PyPI gets them, and only with trusted publishing: with an API token, PyPI refuses them after the whole file was
sent. Attestations next to the files are not sent to any other index.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from release.adapters import sigstore
from release.adapters.index import json_api
from release.adapters.oidc import provider
from release.adapters.sigstore import InvalidAttestationError, NotSignedError, Sigstore
from release.adapters.system.system import System
from release.core.config import Config
from release.core.errors import RefusedError, UnreachableError
from release.core.events import Message, Observer, Progress
from release.core.facts import Access, ProjectMetadata
from release.core.foreign_json import parse_foreign_json
from release.core.models.attestation import PUBLISH, AttestationPublisher, Provenance, VerifiedAttestations
from release.core.models.check_result import Finding, NotApplicable, Unknown
from release.core.models.credential import Ambient
from release.core.models.distribution import Distribution
from release.core.models.index import Index
from release.core.models.oidc_identity import OidcIdentity
from release.publishing.journal import Journal

#: seconds; the pauses between attempts to fetch a provenance that the index should have
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


def should_attest(config: Config, index: Index) -> bool:
    """Whether files for this index get attestations, if possible."""
    return config.attest != "never" and index.name == "pypi" and index.kind == "warehouse" and not index.ephemeral


def predict_signing(system: System, config: Config, access: Access) -> Access:
    """Add to the facts whether the files can be signed, as far as it is known before the upload. Has no effects."""
    if config.attest == "never":
        return replace(access, signing=NotApplicable(reason="attest = false in [tool.release]"))
    if not should_attest(config, access.index):
        return replace(access, signing=NotApplicable(reason=f"{access.index.name} gets no attestations"))
    try:
        _signer(system, access.index, trusted=isinstance(access.credential, Ambient))
    except NotSignedError as error:
        if config.attest != "must":
            return replace(access, signing=NotApplicable(reason=f"not signed: {error.message}"))
        refused = _required(error)
        signing = Finding(message=refused.message, remedy=refused.remedy, cause=refused.cause)
        return replace(access, signing=signing)
    return access


def attach_attestations(  # noqa: PLR0913 - files, their index, and the means to sign
    files: Sequence[Distribution],
    index: Index,
    *,
    system: System,
    config: Config,
    trusted: bool,
    journal: Journal,
    notify: Observer,
) -> tuple[Distribution, ...]:
    """The files with their attestations; unchanged where there are none.

    Valid attestations next to a file (`<file>.*.attestation`) are used; the others are created. That writes to a
    public log, so it must follow the user's approval. Raises `RefusedError` where attestations are required.
    """
    if not should_attest(config, index):
        count = sum(len(_attestation_paths(file)) for file in files)
        if count and not index.ephemeral:
            notify(Message(text=f"{count} attestations next to the files are not sent: {index.name} accepts none"))
        return tuple(files)
    try:
        identity, publisher = _signer(system, index, trusted=trusted)
        trust = sigstore.sigstore_for(index, system.env)
        found = {file.filename: _load_attestations(file, publisher, trust, notify) for file in files}
        bare = [file for file in files if PUBLISH not in found[file.filename]]
        if bare:
            notify(Progress(text=f"signing {len(bare)} files", unit="files"))
            for filename, text in sigstore.sign_files(bare, trust, identity).items():
                found[filename][PUBLISH] = text
    except NotSignedError as error:
        if config.attest == "must":
            raise _required(error) from None
        notify(Message(text=f"not signed: {error.message}"))
        journal.write("unsigned", index=index.name, why=error.message)
        return tuple(files)
    notify(Message(text=f"signed as {publisher}"))
    signed = {filename: sorted(texts) for filename, texts in found.items()}
    journal.write("signed", index=index.name, publisher=publisher.to_json(), files=signed)
    return tuple(replace(file, attestations=tuple(found[file.filename].values())) for file in files)


def _signer(system: System, index: Index, *, trusted: bool) -> tuple[OidcIdentity, AttestationPublisher]:
    """A new identity token of this job for Sigstore, and its publisher. Raises `NotSignedError` where there is none."""
    if not trusted:
        raise NotSignedError(
            "an API token is used, and PyPI accepts attestations only with trusted publishing",
            remedy=f"add the job's workflow as a trusted publisher: {index.site}/manage/projects/, Manage, Publishing; "
            "then remove the token from the job",
            cause="attest.with-api-token",
        )
    sigstore.require_sigstore()
    try:
        identity = provider.request_identity(system, sigstore.AUDIENCE)
    except provider.NoIdentityError as error:
        raise NotSignedError(error.message, remedy=error.remedy, cause=error.cause) from None
    if identity is None:
        raise NotSignedError("this machine has no OIDC identity", remedy="publish from GitHub Actions or GitLab CI/CD")
    return identity, sigstore.require_publisher(identity)


def _required(error: NotSignedError) -> RefusedError:
    message = f"attest = true in [tool.release], but the files cannot be signed: {error.message}"
    return RefusedError(message, remedy=error.remedy, cause=error.cause)


def _attestation_paths(file: Distribution) -> list[Path]:
    """Attestations that other tools have left next to a file, named as twine expects."""
    start = f"{file.filename}."
    nearby = file.path.parent.iterdir()
    return sorted(one for one in nearby if one.name.startswith(start) and one.name.endswith(".attestation"))


def _load_attestations(
    file: Distribution, publisher: AttestationPublisher, trust: Sigstore, notify: Observer
) -> dict[str, str]:
    """The valid attestations next to a file: predicate type → JSON text."""
    found: dict[str, str] = {}
    for path in _attestation_paths(file):
        try:
            text = json.dumps(parse_foreign_json(path.read_bytes()))
            found[sigstore.verify_attestation(text, publisher, file.filename, file.sha256, trust)] = text
        except (ValueError, OSError, InvalidAttestationError) as error:
            why = error.message if isinstance(error, InvalidAttestationError) else "it cannot be read"
            notify(Message(text=f"{path.name} is not used: {why}"))
    return found


# -- attestations on an index ------------------------------------------------------------------------------


def verify_on_index(
    system: System, index: Index, project: ProjectMetadata, file: Distribution, *, expected: bool = False
) -> VerifiedAttestations | Finding | Unknown | None:
    """Verify the attestations that `index` has for `file`, each against the publisher that the index names.

    Only the name and the SHA-256 of `file` are used. None: the index has no attestations. Finding: one is invalid, or
    `expected` ones are not shown in time. Unknown: the index does not answer, or the extra `attest` is not installed.
    For PyPI only the public Sigstore is trusted; see `adapters.sigstore.sigstore_for`.
    """
    try:
        found = json_api.fetch_provenance(index, project.name, project.version, file.filename)
        for pause in _PAUSES if expected else ():
            if found is not None:
                break
            system.sleep(pause)
            found = json_api.fetch_provenance(index, project.name, project.version, file.filename)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)
    if found is None:
        url = json_api.provenance_url(index, project.name, project.version, file.filename)
        message = f"{index.name} accepted attestations with {file.filename!r}, but does not show them"
        return Finding(message=message, remedy=f"check {url} later", where=file.filename) if expected else None
    return verify_provenance(system, index, file, found)


def verify_provenance(
    system: System, index: Index, file: Distribution, found: Provenance
) -> VerifiedAttestations | Finding | Unknown:
    """Verify a provenance of `index` against a file, as `verify_on_index` does."""
    trust = sigstore.sigstore_for(index, system.env)
    try:
        predicates = [
            sigstore.verify_attestation(text, publisher, file.filename, file.sha256, trust)
            for publisher, texts in found.bundles
            for text in texts
        ]
    except InvalidAttestationError as error:
        return Finding(
            message=f"an attestation of {file.filename!r} on {index.name} is invalid: {error.message}",
            remedy="yank the release, find out who uploaded the file, and release a new version",
            where=file.filename,
            cause="attest.invalid",
        )
    except NotSignedError as error:
        return Unknown(reason=f"the attestations cannot be verified: {error.message}", remedy=error.remedy)
    return VerifiedAttestations(publishers=tuple(who for who, _ in found.bundles), predicates=tuple(predicates))


def verify_sent_attestations(
    system: System, index: Index, project: ProjectMetadata, files: Sequence[Distribution], journal: Journal
) -> dict[str, VerifiedAttestations | Finding | Unknown]:
    """Verify each file that was sent with attestations according to the journal: file name → result."""
    sent: set[str] = set()
    for event in journal.events():
        if event["event"] == "signed" and event.get("index") == index.name and isinstance(event.get("files"), Mapping):
            sent.update(event["files"])
    signed = [file for file in files if file.filename in sent]
    results = {file.filename: verify_on_index(system, index, project, file, expected=True) for file in signed}
    return {filename: result for filename, result in results.items() if result is not None}
