"""Which attestations go with an upload, or why none do; and whether those on an index hold.

PyPI alone gets them, and only from a trusted publisher: it refuses those that come with an API token, after the
whole file was sent. No index but PyPI shows them, and what lies beside the files for it stays there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from release.adapters import sigstore
from release.adapters.index import integrity_api
from release.adapters.oidc import provider
from release.adapters.sigstore import InvalidAttestationError, NotSignedError, Sigstore
from release.adapters.system.system import System
from release.core.config import Config
from release.core.errors import RefusedError, UnreachableError
from release.core.events import Message, Observer, Progress
from release.core.facts import Access, ProjectMetadata
from release.core.models.attestation import PUBLISH, AttestationPublisher, Provenance, VerifiedAttestations
from release.core.models.credential import Ambient
from release.core.models.distribution import Distribution
from release.core.models.finding import Finding, NotApplicable, Unknown
from release.core.models.index import Index
from release.core.models.oidc_identity import OidcIdentity
from release.publishing.journal import Journal

#: waits before the index is asked again for a provenance that it should have; in seconds
_AGAIN = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)


def should_attest(config: Config, index: Index) -> bool:
    """Whether files that go to this index get attestations, if they can."""
    return config.attest != "never" and index.name == "pypi" and index.kind == "warehouse" and not index.ephemeral


def predict_signing(system: System, config: Config, access: Access) -> Access:
    """The same, with what can be seen before an upload of its chances to be signed. Changes nothing anywhere."""
    if config.attest == "never":
        return replace(access, signing=NotApplicable(reason="attest = false in [tool.release]"))
    if not should_attest(config, access.index):
        return replace(access, signing=NotApplicable(reason=f"{access.index.name} gets no attestations"))
    try:
        _speaker(system, access.index, trusted=isinstance(access.credential, Ambient))
    except NotSignedError as error:
        refused = _required(error)
        finding = Finding(message=refused.message, remedy=refused.remedy, cause=refused.cause)
        waived = NotApplicable(reason=f"not signed, because {error.message}")
        return replace(access, signing=finding if config.attest == "must" else waived)
    return access


def attach_attestations(  # noqa: PLR0913 - what goes where, and who is told
    files: Sequence[Distribution],
    index: Index,
    *,
    system: System,
    config: Config,
    trusted: bool,
    journal: Journal,
    notify: Observer,
) -> tuple[Distribution, ...]:
    """The same files, each with its attestations; without any where there are none to be had, which is said.

    What lies beside a file, as `<file>.*.attestation`, is used if it holds; the rest is signed. That writes into a
    public log, so it is done once the upload is decided upon. Raises `RefusedError` where attestations are required.
    """
    if not should_attest(config, index):
        _pass_over(files, index, notify)
        return tuple(files)
    try:
        identity, publisher = _speaker(system, index, trusted=trusted)
        trust = sigstore.sigstore_for(index, system.env)
        found = {file.filename: _beside(file, publisher, trust, notify) for file in files}
        bare = [file for file in files if PUBLISH not in found[file.filename]]
        if bare:
            notify(Progress(text=f"signing {len(bare)} files", unit="files"))
            for filename, text in sigstore.sign_files(bare, trust, identity).items():
                found[filename][PUBLISH] = text
    except NotSignedError as error:
        if config.attest == "must":
            raise _required(error) from None
        notify(Message(text=f"not signed, because {error.message}"))
        journal.write("unsigned", index=index.name, why=error.message)
        return tuple(files)
    notify(Message(text=f"signed as {publisher}"))
    signed = {filename: sorted(texts) for filename, texts in found.items()}
    journal.write("signed", index=index.name, publisher=publisher.to_json(), files=signed)
    return tuple(replace(file, attestations=tuple(found[file.filename].values())) for file in files)


def _speaker(system: System, index: Index, *, trusted: bool) -> tuple[OidcIdentity, AttestationPublisher]:
    """A fresh identity of this job for Sigstore, and whom it speaks for. Raises `UnsignedError` where there is none."""
    if not trusted:
        raise NotSignedError(
            "an API token is used: PyPI takes attestations from trusted publishers alone",
            remedy=f"let {index.name} trust the job's workflow: {index.site}/manage/projects/, Manage, Publishing; and "
            "take the token out of the job",
            cause="attest.with-api-token",
        )
    sigstore.require_sigstore()
    try:
        identity = provider.request_identity(system, sigstore.AUDIENCE)
    except provider.NoIdentityError as error:
        raise NotSignedError(error.message, remedy=error.remedy, cause=error.cause) from None
    if identity is None:
        raise NotSignedError(
            "no service vouches for this machine", remedy="publish from GitHub Actions or GitLab CI/CD"
        )
    return identity, sigstore.require_publisher(identity)


def _required(error: NotSignedError) -> RefusedError:
    return RefusedError(
        f"not signed, and attest = true in [tool.release], because {error.message}",
        remedy=error.remedy,
        cause=error.cause,
    )


def _paths(file: Distribution) -> list[Path]:
    """Attestations that other tools have left beside a file, by the names that twine knows."""
    start = f"{file.filename}."
    beside = file.path.parent
    return sorted(one for one in beside.iterdir() if one.name.startswith(start) and one.name.endswith(".attestation"))


def _beside(file: Distribution, publisher: AttestationPublisher, trust: Sigstore, notify: Observer) -> dict[str, str]:
    """What lies beside a file and holds, by what it says."""
    found: dict[str, str] = {}
    for path in _paths(file):
        try:
            text = json.dumps(json.loads(path.read_text(encoding="utf-8")))
            found[sigstore.verify_attestation(text, publisher, file.filename, file.sha256, trust)] = text
        except (ValueError, OSError, InvalidAttestationError) as error:
            why = error.message if isinstance(error, InvalidAttestationError) else "it can't be read"
            notify(Message(text=f"{path.name} is not used: {why}"))
    return found


def _pass_over(files: Sequence[Distribution], index: Index, notify: Observer) -> None:
    count = sum(len(_paths(file)) for file in files)
    if count and not index.ephemeral:
        notify(Message(text=f"{count} attestations beside the files are left out: {index.name} gets none"))


# -- what an index has ------------------------------------------------------------------------------


def verify_on_index(
    system: System, index: Index, project: ProjectMetadata, file: Distribution, *, expected: bool = False
) -> VerifiedAttestations | Finding | Unknown | None:
    """Whether the attestations that `index` shows for a file of `project` hold for the bytes of `file`.

    `file` needs a path, a SHA-256 and a size; only its name and SHA-256 are used, so that it may be what was built
    or what was downloaded. Each attestation is verified against the publisher that the index names beside it.
    None: the index has none. Finding: one does not hold, or, where they are `expected`, they are not shown in time.
    Unknown: nobody can say, since the index does not answer or the extra `attest` is not installed. For PyPI the
    public Sigstore alone is believed; see `adapters.attestations.sigstore_for`.
    """
    try:
        found = integrity_api.fetch_provenance(index, project.name, project.version, file.filename)
        for pause in _AGAIN if expected else ():
            if found is not None:
                break
            system.sleep(pause)
            found = integrity_api.fetch_provenance(index, project.name, project.version, file.filename)
    except UnreachableError as error:
        return Unknown(reason=error.message, remedy=error.remedy, cause=error.cause)
    if found is None:
        return _missing(index, project, file) if expected else None
    return verify_provenance(system, index, file, found)


def verify_provenance(
    system: System, index: Index, file: Distribution, found: Provenance
) -> VerifiedAttestations | Finding | Unknown:
    """Whether what `index` has shown for a file holds for its bytes, as in `verified`."""
    trust = sigstore.sigstore_for(index, system.env)
    said = [(publisher, text) for publisher, texts in found.bundles for text in texts]
    try:
        predicates = [sigstore.verify_attestation(text, who, file.filename, file.sha256, trust) for who, text in said]
    except InvalidAttestationError as error:
        return Finding(
            message=f"an attestation of {file.filename!r} on {index.name} does not hold: {error.message}",
            remedy="yank the release, find out who uploaded that file, and release a new version",
            where=file.filename,
            cause="attest.invalid",
        )
    except NotSignedError as error:
        return Unknown(reason=f"the attestations can't be verified: {error.message}", remedy=error.remedy)
    return VerifiedAttestations(publishers=tuple(who for who, _ in found.bundles), predicates=tuple(predicates))


def _missing(index: Index, project: ProjectMetadata, file: Distribution) -> Finding:
    url = integrity_api.provenance_url(index, project.name, project.version, file.filename)
    return Finding(
        message=f"{index.name} took attestations with {file.filename!r}, and does not show them",
        remedy=f"look at {url} again later",
        where=file.filename,
    )


def verify_sent_attestations(
    system: System, index: Index, project: ProjectMetadata, files: Sequence[Distribution], journal: Journal
) -> dict[str, VerifiedAttestations | Finding | Unknown]:
    """The same for each of `files` that was sent with attestations, as the journal tells, by file name."""
    sent = frozenset(_signed(journal, index.name))
    found = {
        file.filename: verify_on_index(system, index, project, file, expected=True)
        for file in files
        if file.filename in sent
    }
    return {filename: said for filename, said in found.items() if said is not None}


def _signed(journal: Journal, index: str) -> Iterator[str]:
    for event in journal.events():
        files = event.get("files")
        if event["event"] == "signed" and event.get("index") == index and isinstance(files, Mapping):
            yield from files
