"""Archives whose framing was changed: one verdict on every Python, and it is that of the index's server.

`framings.tar.xz`: small wheels and sdists with randomly changed framing, and the server's answers to them. Observed:
warehouse 6b62157 under CPython 3.14.10, 2026-11. `damaged.tar.xz`: others on which older versions of `zipfile` and
`tarfile` decide differently, and the answers of the server's checks, without that of the zip's framing, by the
libraries of CPython 3.14.10. Both contain `answers.json`: file name → verdict, message (of a failure: its exception).
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from release.acceptance.archive_rules import the_zip_reads_in_one_way
from release.acceptance.file_rules import FILE
from release.acceptance.rule import Rule, first_refusal
from release.acceptance.tar_reader import is_tar
from release.acceptance.zip_reader import starts_as_zip
from release.core.models.index import USER_DOCS
from tests.acceptance.making import NOTHING, upload

_HERE = Path(__file__).parent
_PACKS = ("framings.tar.xz", "damaged.tar.xz")


class Framing(NamedTuple):
    """An archive and the server's answer."""

    name: str
    content: bytes
    verdict: str
    message: str


def framings(pack: str) -> Iterator[Framing]:
    with tarfile.open(_HERE / pack) as archive:
        files = {one.name: archive.extractfile(one) for one in archive}
        contents = {name: stream.read() for name, stream in files.items() if stream is not None}
    for name, (verdict, message) in json.loads(contents["answers.json"]).items():
        yield Framing(name, contents[name], verdict, str(message).replace("https://{pypi-docs-host}", USER_DOCS))


def decide(name: str, content: bytes, rules: Sequence[Rule]) -> tuple[str, str]:
    project, version = name.removesuffix(".tar.gz").split("-")[:2]
    refusal = first_refusal(rules, upload(content, name, name=project, version=version), NOTHING)
    if refusal is None:
        return "ok", "None"
    if refusal.status == 500:
        return "500", refusal.message
    return "refused", refusal.text.removeprefix("Invalid distribution file. ")


def agrees(framing: Framing, found: tuple[str, str]) -> bool:
    if framing.verdict != "500" or found[0] != "500":
        return found == (framing.verdict, framing.message)
    reason = framing.message.partition(": ")[2].rstrip(".")
    paths = {
        "Can't mix absolute and relative paths": "it mixes absolute and relative paths",
        "commonpath() arg is an empty sequence": "it has no members",
    }
    return paths.get(reason, reason) in found[1]


@pytest.mark.parametrize("pack", _PACKS)
def test_the_verdict_is_the_servers_on_every_python(pack: str) -> None:
    """Accepted, refused with the server's words, or an error of the server with the library's."""
    rules = [rule for rule in FILE if pack == "framings.tar.xz" or rule is not the_zip_reads_in_one_way]
    found = [(one, decide(one.name, one.content, rules)) for one in framings(pack)]
    assert len(found) > 100
    assert [(one.name, one.verdict, one.message, decided) for one, decided in found if not agrees(one, decided)] == []


@pytest.mark.skipif(sys.version_info < (3, 14), reason="older libraries decide differently")
@pytest.mark.parametrize("pack", _PACKS)
def test_the_readers_follow_the_library_of_3_14(pack: str) -> None:
    """What is a zip, and what is a tar."""
    for one in framings(pack):
        assert starts_as_zip(io.BytesIO(one.content)) == zipfile.is_zipfile(io.BytesIO(one.content)), one.name
        try:
            expected: object = tarfile.is_tarfile(io.BytesIO(one.content))
        except Exception as error:  # noqa: BLE001 - a damaged file raises anything
            expected = str(error)
        starts = is_tar(io.BytesIO(one.content))
        assert (starts if isinstance(starts, bool) else starts.reason) == expected, one.name
