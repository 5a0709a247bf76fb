"""What goes with an upload: a copy of the token for this project and half an hour, and a question before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from release.acceptance.twine_form import twine_form
from release.adapters import probes
from release.errors import UnreachableError
from release.facts import Project
from release.model import attenuation
from release.model.credential import Credential
from release.model.distribution import Distribution
from release.model.index import Index
from release.model.upload import Rejection

#: how long a copy lives
LIFE = timedelta(minutes=30)
#: bytes in a second on a line that is slow and no failure: a copy outlives the upload that it is for
_SLOW = 20_000
_BAD_REQUEST = 400


def lent(
    credential: Credential, index: Index, project: Project, files: Sequence[Distribution], *, now: datetime
) -> Credential:
    """The credential for one upload of `files`: limited to the project and to `LIFE`, where it is a token.

    What leaks on the way, from the uploader for instance, is worth nothing soon after. `now` is the
    index's time.
    """
    if index.kind != "warehouse":
        return credential
    lasts = LIFE + timedelta(seconds=sum(file.size for file in files) / _SLOW)
    return attenuation.for_upload(credential, project.name, now=now, lasts=lasts)


def refused_metadata(index: Index, credential: Credential, project: Project, file: Distribution) -> Rejection | None:
    """The index's refusal of a file's metadata, asked without sending the file; None where it has none.

    Whatever else it says, it will say to the upload.
    """
    if not probes.may_ask(index, credential.password):
        return None
    with file.path.open("rb") as content:
        form = twine_form(file.filename, content, sha256=file.sha256, blake2_256="")
    if form.refusals:
        return None
    fields = [one for one in form.fields if one[0] != "blake2_256_digest"]  # one digest is enough
    try:
        probed = probes.metadata(index, credential.password, project=project.name, fields=fields)
    except UnreachableError:
        return None
    if probed.passed() or probed.status != _BAD_REQUEST:
        return None
    return Rejection(filename=file.filename, status=probed.status, text=probed.words())
