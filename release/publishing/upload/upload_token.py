"""What goes with an upload: a copy of the token for this project and half an hour, and a question before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from release.acceptance.open_distribution import OpenDistribution
from release.acceptance.twine_form import twine_form
from release.adapters.index import token_probes
from release.core.errors import UnreachableError
from release.core.facts import ProjectMetadata
from release.core.models.credential import Credential
from release.core.models.distribution import Distribution
from release.core.models.index import Index
from release.core.models.upload_result import Rejection
from release.core.tokens import attenuation

#: how long a copy lives
LIFE = timedelta(minutes=30)
#: how old a copy is when another is made
RENEW_AFTER = timedelta(minutes=20)
#: bytes in a second on a line that is slow and no failure: a copy outlives the upload that it is for
_SLOW = 20_000
_BAD_REQUEST = 400


def attenuate_for_upload(
    credential: Credential, index: Index, project: ProjectMetadata, files: Sequence[Distribution], *, now: datetime
) -> Credential:
    """The credential for one upload of `files`: limited to the project and to `LIFE`, where it is a token.

    What leaks on the way, from the uploader for instance, is worth nothing soon after. `now` is the
    index's time.
    """
    if index.kind != "warehouse":
        return credential
    lasts = LIFE + timedelta(seconds=sum(file.size for file in files) / _SLOW)
    return attenuation.attenuate_for_upload(credential, project.name, now=now, lasts=lasts)


def renewing_credential(make: Callable[[], Credential], now: Callable[[], datetime]) -> Callable[[], Credential]:
    """What `make` makes, made anew once it is older than `RENEW_AFTER`: asked for each file, so that none runs out."""
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
    """The first refusal that the index has for any file's metadata; where files share it, it is asked about once."""
    if not token_probes.may_probe(index, credential.password):
        return None
    seen = set()
    for file in files:
        text = _metadata(file)
        if text not in seen and (refused := check_metadata(index, credential, project, file)):
            return refused
        seen.add(text)
    return None


def _metadata(file: Distribution) -> bytes:
    with file.path.open("rb") as content:
        return twine_form(OpenDistribution(file.filename, content), sha256=file.sha256, blake2_256="").metadata


def check_metadata(
    index: Index, credential: Credential, project: ProjectMetadata, file: Distribution
) -> Rejection | None:
    """The index's refusal of a file's metadata, asked without sending the file; None where it has none.

    Whatever else it says, it will say to the upload.
    """
    if not token_probes.may_probe(index, credential.password):
        return None
    with file.path.open("rb") as content:
        form = twine_form(OpenDistribution(file.filename, content), sha256=file.sha256, blake2_256="")
    if form.objection:
        return None
    fields = [one for one in form.fields if one[0] != "blake2_256_digest"]  # one digest is enough
    try:
        probed = token_probes.probe_metadata(index, credential.password, project=project.name, fields=fields)
    except UnreachableError:
        return None
    if probed.passed() or probed.status != _BAD_REQUEST:
        return None
    return Rejection(filename=file.filename, status=probed.status, message=probed.message())
