"""One reading of one file: everything that the checks have to say about it, each thing under its check's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from release.acceptance.archive_rules import entry_points, members, read_members
from release.acceptance.evaluate import judge
from release.acceptance.file_rules import hashed
from release.acceptance.form_fields import project
from release.acceptance.rule import Refusal, Upload
from release.acceptance.tar_reader import read_tar
from release.acceptance.twine_form import TwineForm, twine_form
from release.checks.acceptance_remedies import ARCHIVE, METADATA, advice, message
from release.checks.archive_hygiene import shipped
from release.checks.archive_warnings import oddities
from release.core.facts import BuiltFile, BuiltFiles
from release.core.models.finding import Finding
from release.core.models.index import PYPI
from release.core.models.index_contents import OnIndex
from release.core.models.project_name import name_from_filename

TWINE = "twine-takes-the-files"
UPLOADER = "the-uploader-knows-the-metadata-version"
SAME_BYTES = "the-files-are-as-they-were-built"
_AGAIN = "build it again: python -m build"
#: scheme and host of the site whose help pages are named where no other is
SITE = PYPI.simple_url.removesuffix("/simple/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found in a file."""

    filename: str
    #: check's public name, finding
    findings: tuple[tuple[str, Finding], ...]
    #: of the bytes, 64 lower-case hex digits; empty where they can't be read
    sha256: str = ""
    #: of the form that twine would send; empty where there is no metadata
    name: str = ""
    version: str = ""
    #: of a wheel; empty where it has none
    entry_points: bytes = field(default=b"", repr=False)
    #: the files in the archive, in its order: path, bytes
    members: tuple[tuple[str, int], ...] = field(default=(), repr=False)
    #: the core metadata, as it lies in the archive
    metadata: bytes = field(default=b"", repr=False)


def examined(built: BuiltFiles) -> tuple[Examined, ...]:
    """Each file, read once however many checks look."""
    if "examined" not in built.memo:
        built.memo["examined"] = tuple(_open(file, built) for file in built.files)
    found: tuple[Examined, ...] = built.memo["examined"]
    return found


def _open(file: BuiltFile, built: BuiltFiles) -> Examined:
    filename = file.filename
    try:
        with file.open() as content:
            return _examine(file, content, built)
    except OSError as error:
        broken = Finding(message=f"it can't be read: {error.strerror or error}", remedy=_AGAIN, where=filename)
    except Exception as error:  # noqa: BLE001 - what breaks our reading must block, and must not hide the other files
        broken = Finding(message=f"it breaks our reading: {type(error).__name__}", remedy=_AGAIN, where=filename)
    return Examined(filename=filename, findings=((ARCHIVE, broken),))


def _examine(file: BuiltFile, content: BinaryIO, built: BuiltFiles) -> Examined:
    filename = file.filename
    memo: dict[str, Any] = {}
    with _sha256(file) as digest:
        if filename.endswith(".tar.gz"):
            memo["tar"] = read_tar(content, file.visit)
        form = twine_form(filename, content, sha256="", blake2_256="", memo=memo)
        read_members(memo, file.visit)
    memo["digests"] = {"sha256": digest.result()}
    fields = _grouped(form, filename) | {"sha256_digest": (digest.result(),)}
    upload = Upload(fields=fields, filename=filename, content=content, site=SITE, memo=memo)
    refusals = tuple(judge(upload, _on_index(built, upload)))
    findings = [
        *_changed(file, digest.result()),
        *(_finding(refusal, upload) for refusal in refusals),
        *_twine(form, refusals, filename),
        *oddities(upload),
        *shipped(upload),
    ]
    return Examined(
        filename=filename,
        findings=tuple(findings),
        sha256=digest.result(),
        name=upload.first("name") or "",
        version=upload.first("version") or "",
        entry_points=entry_points(upload),
        members=tuple(members(memo)),
        metadata=form.metadata,
    )


@contextmanager
def _sha256(file: BuiltFile) -> Iterator[Future[str]]:
    """The file's SHA-256, computed beside what the block does; known when it ends.

    Twine sends a BLAKE2 digest too, the same bytes hashed again: nothing new, and slow.
    """
    with file.open() as content, ThreadPoolExecutor(1, thread_name_prefix="sha256") as pool:
        yield pool.submit(lambda: hashed(content, ["sha256"])["sha256"])


def _on_index(built: BuiltFiles, upload: Upload) -> OnIndex:
    """What the index has of the file's project; nothing, where it was not asked or did not answer.

    A file without readable metadata is for the project that its name speaks of.
    """
    name = project(upload) or name_from_filename(upload.filename)
    known = built.on_index.get(name) if built.on_index and name else None
    return known if isinstance(known, OnIndex) else OnIndex(now=built.now)


def _grouped(form: TwineForm, filename: str) -> dict[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {"filetype": ("bdist_wheel" if filename.endswith(".whl") else "sdist",)}
    fields.update({name: () for name, _ in form.fields})
    for name, value in form.fields:
        fields[name] = (*fields[name], value)
    return fields


def _changed(file: BuiltFile, sha256: str) -> Iterator[tuple[str, Finding]]:
    if file.sha256 not in {None, sha256}:
        yield (
            SAME_BYTES,
            Finding(
                message=f"sha256 was {file.sha256} when it was built and is {sha256} now",
                remedy="build again, and find out what writes into the directory",
                where=file.filename,
            ),
        )


def _finding(refusal: Refusal, upload: Upload) -> tuple[str, Finding]:
    known = advice(refusal)
    text = message(refusal)
    if refusal.rule == "the-description-renders" and refusal.status == 400:  # noqa: PLR2004 - else it broke
        why = str(upload.memo.get("description", "")).split("\n", 1)[0].removeprefix("<string>:").rstrip(".")
        text = f"{text}: {why}" if why else text
    return known.check, Finding(
        message=text,
        remedy=known.remedy,
        where=upload.filename,
        server_text=refusal.text,
        source=known.source,
        cause=known.cause,
    )


def _twine(form: TwineForm, refusals: tuple[Refusal, ...], filename: str) -> Iterator[tuple[str, Finding]]:
    """What twine itself refuses, where it does not only repeat the index."""
    checks = {advice(refusal).check for refusal in refusals}
    repeated = ARCHIVE if not form.metadata else METADATA
    version = dict(form.fields).get("metadata_version", "")
    unknown = f"{version!r} is not a valid metadata version"
    for text in form.refusals:
        if unknown in text and METADATA not in checks:
            yield UPLOADER, _too_new(filename, f"twine refuses it: its packaging knows no metadata version {version}")
        elif repeated not in checks or "unrecognized or malformed field" in text:
            yield TWINE, _refused(filename, text)
    if version in _TWINE_SINCE and METADATA not in checks and not form.refusals:
        since = _TWINE_SINCE[version]
        text = f"the metadata is of version {version}, which twine before {since} refuses"
        yield UPLOADER, replace(_too_new(filename, text), severity="warn")


#: metadata version → the twine that learnt it; what is two years old is not worth a warning
#: Source: twine's changelog
_TWINE_SINCE = {"2.5": "7.0"}


def _too_new(filename: str, text: str) -> Finding:
    return Finding(
        message=text,
        remedy="upgrade what uploads: python -m pip install -U twine packaging; or build with a backend that writes "
        "older metadata",
        where=filename,
        source="https://twine.readthedocs.io/en/stable/changelog.html",
        cause="meta.tool-too-old",
    )


def _refused(filename: str, text: str) -> Finding:
    return Finding(
        message=f"twine refuses it: {text}",
        remedy="build with a current backend, or upgrade twine and packaging: pip install -U twine packaging",
        where=filename,
        source="https://twine.readthedocs.io/",
        cause="meta.tool-too-old" if "metadata version" in text else None,
    )


def needs(metadata: bytes) -> Mapping[str, object]:
    """What a file asks of its environment, by field; fields that may yet change at build time excepted."""
    from packaging.metadata import parse_email

    raw, _ = parse_email(metadata)
    dynamic = {name.lower() for name in raw.get("dynamic", [])}
    if raw.get("metadata_version", "") < "2.2":
        return {}  # before, nothing in an sdist was reliable
    found = {
        "Requires-Python": raw.get("requires_python"),
        "Requires-Dist": sorted(raw.get("requires_dist", [])),
        "Provides-Extra": sorted(raw.get("provides_extra", [])),
    }
    return {name: value for name, value in found.items() if name.lower() not in dynamic}
