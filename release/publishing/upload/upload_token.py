"""Short-lived, project-scoped upload tokens, and the metadata preflight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.twine_form import TwineForm, twine_form
from release.adapters.index import token_probes
from release.core.errors import UnreachableError
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution, Rejection
from release.core.models.index import Index
from release.core.tokens import token

#: lifetime of an attenuated token
LIFE = timedelta(minutes=30)
#: age at which it is replaced
RENEW_AFTER = timedelta(minutes=20)
#: bytes per second of the slowest connection: the token must not expire during the upload
_SLOW = 20_000
_BAD_REQUEST = 400


def attenuated_credential(
    credential: Credential, index: Index, project: ProjectMetadata, files: Sequence[Distribution], *, now: datetime
) -> Credential:
    """The credential for one upload of `files`: a token is restricted to the project and to `LIFE`.

    If it leaks, for example from the upload process, it is soon worthless. `now` is the index's time.
    """
    if index.kind != "warehouse":
        return credential
    lifetime = LIFE + timedelta(seconds=sum(file.size for file in files) / _SLOW)
    return token.attenuate_for_upload(credential, project.name, now=now, lasts=lifetime)


def renewing_credential(make: Callable[[], Credential], now: Callable[[], datetime]) -> Callable[[], Credential]:
    """Returns the credential from `make`, and a new one once it is older than `RENEW_AFTER`."""
    made: tuple[datetime, Credential] | None = None

    def current() -> Credential:
        nonlocal made
        if made is None or now() - made[0] > RENEW_AFTER:
            made = (now(), make())
        return made[1]

    return current


def rejected_metadata(
    index: Index, credential: Credential, project: ProjectMetadata, files: Sequence[Distribution]
) -> Rejection | None:
    """The first rejection of any file's metadata, asked without uploading; identical metadata is sent once."""
    if not token_probes.may_probe(index, credential.password):
        return None
    seen = set()
    for file in files:
        with file.path.open("rb") as content:
            form = twine_form(OpenDistribution(file.filename, content), sha256=file.sha256, blake2_256="")
        if form.metadata in seen or form.objection:
            continue
        seen.add(form.metadata)
        rejection = _check_form(index, credential, project, file, form)
        if rejection is not None:
            return rejection
    return None


def _check_form(
    index: Index, credential: Credential, project: ProjectMetadata, file: Distribution, form: TwineForm
) -> Rejection | None:
    """The index's rejection of a form without its file; any other answer is left to the upload."""
    fields = [one for one in form.fields if one[0] != "blake2_256_digest"]  # one digest is enough
    try:
        probed = token_probes.probe_metadata(index, credential.password, project=project.name, fields=fields)
    except UnreachableError:
        return None
    if probed.passed() or probed.status != _BAD_REQUEST:
        return None
    return Rejection(filename=file.filename, status=probed.status, message=probed.message())
