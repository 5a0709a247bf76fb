"""The inspection of a file, in one pass: everything the checks report about it, under the names of the checks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import nullcontext
from typing import BinaryIO

from msgspec.structs import replace

from release.acceptance import form_rules
from release.acceptance.archive_rules import ARCHIVE
from release.acceptance.description_rules import DESCRIPTION, is_rst
from release.acceptance.file_rules import FILE, OUTSIDE
from release.acceptance.open_distribution import OpenDistribution, sha256_in_parallel
from release.acceptance.rule import ARCHIVE_CHECK, CORE_METADATA, METADATA, REBUILD, FileUpload, Refusal, Rule
from release.acceptance.twine_form import TWINE_VERSION, TwineForm, TwineObjection, twine_form
from release.acceptance.warehouse_metadata_rules import SEE_CORE_METADATA
from release.acceptance.wheel_rules import the_wheel_has_its_metadata
from release.checks import archive_warnings, lfs_pointers, upload_sequence, wheel_checks
from release.checks.engine import warn
from release.checks.release_contents import NO_EARLIER_RELEASE
from release.checks.server_versions import (
    NEWER_SERVERS,
    judged_by_newer_library,
    metadata_difference,
    metadata_remedy,
    version_differences,
)
from release.core.facts import BuiltFile, BuiltFiles, PreviousRelease
from release.core.models.check_result import Finding, Observation, Unknown
from release.core.models.distribution import InspectedFile, TwineRefusal
from release.core.models.index import PYPI, IndexContents, name_from_filename
from release.core.shell import quote_word

#: checks of one file, besides the rules of the index
OF_AN_ARCHIVE = wheel_checks.CHECKS + archive_warnings.CHECKS
TWINE = "twine-takes-the-files"
LICENSE_FIELD = "the-license-files-fit-the-metadata-version"
UPLOADER = "the-uploader-knows-the-metadata-version"
SAME_BYTES = "the-files-are-as-they-were-built"
#: PEP 639 defined License-File for 2.4
_BEFORE_LICENSE_FILES = frozenset({"1.0", "1.1", "1.2", "2.1", "2.2", "2.3"})
#: scheme and host of the site whose help pages are named by default
SITE = PYPI.simple_url.removesuffix("/simple/")


def inspect_built_files(built: BuiltFiles) -> tuple[InspectedFile, ...]:
    """Each file, read once however many checks ask."""
    return inspect_in_turn(built, built.files) if built.cache.files is None else built.cache.files


def inspect_in_turn(built: BuiltFiles, files: Iterable[BuiltFile]) -> tuple[InspectedFile, ...]:
    """The same for files that become those of `built`: each is read as soon as it comes."""
    accepted = upload_sequence.AcceptedFiles()
    built.cache.files = tuple(_inspect(file, built, accepted) for file in files)
    return built.cache.files


def _inspect(file: BuiltFile, built: BuiltFiles, accepted: upload_sequence.AcceptedFiles) -> InspectedFile:
    """`accepted`: the files before this one that the index would accept, to which this one is added."""
    filename = file.filename
    try:
        with file.open() as content:
            return _inspect_content(file, content, built, accepted)
    except OSError as error:
        message = f"cannot read the file: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001 - a failed inspection must block, and must not hide the other files
        message = f"the inspection of the file crashed: {type(error).__name__}"
    finding = Finding(message=message, remedy=REBUILD, where=filename)
    return InspectedFile(filename=filename, findings=((ARCHIVE_CHECK, finding),))


def _inspect_content(
    file: BuiltFile, content: BinaryIO, built: BuiltFiles, accepted: upload_sequence.AcceptedFiles
) -> InspectedFile:
    filename = file.filename
    pointers = lfs_pointers.PointerSearch(file.visit)
    distribution = OpenDistribution(filename, content, visit=pointers)
    with sha256_in_parallel(file.open, file.size) as digest:
        own = bool(wheel_checks.other_dist_infos(distribution))  # that is reported, not what twine makes of the others
        form = twine_form(distribution, sha256="", blake2_256="", own=own)
        draft = FileUpload(fields=_form_fields(form, filename, ""), file=distribution)
        if built.render_rst is not None and is_rst(draft.value("description_content_type")):
            built.render_rst.prepare(draft.value("description"))
        with file.read_parts(content) if file.read_parts is not None else nullcontext() as second:
            distribution.read_members(second)
    sha256 = digest()
    distribution.set_digest("sha256", sha256)
    fields = _form_fields(form, filename, sha256)
    upload = FileUpload(fields=fields, file=distribution, site=SITE, render_rst=built.render_rst)
    refusals = tuple(all_refusals(upload, _on_index(built, upload)))
    findings: list[tuple[str, Observation]] = [
        *((refusal.advice.check, _finding(refusal, upload, built)) for refusal in refusals if refusal.advice),
        *_twine_findings(file, upload, form, refusals, built),
        *_version_findings(file, upload, form, refusals, built),
        *_license_field_findings(form, filename),
        *upload_sequence.refusals_after(upload, sha256, accepted, built.now),
        *((item.name, found) for item in OF_AN_ARCHIVE for found in item.observe(upload)),
        *((item.name, found) for item in lfs_pointers.CHECKS for found in item.observe(pointers.result(distribution))),
    ]
    if file.sha256 not in {None, sha256}:
        message = f"the file has changed since it was built: its SHA-256 was {file.sha256} and is {sha256} now"
        remedy = "rebuild, and find out what writes to the directory"
        findings.append((SAME_BYTES, Finding(message=message, remedy=remedy, where=filename)))
    blocks = any(isinstance(found, Finding) and found.severity == "block" for _, found in findings)
    if not blocks:
        accepted.add(upload, sha256)
    sent = dict(form.fields)
    return InspectedFile(
        filename=filename,
        findings=tuple((name, found) for name, found in findings if isinstance(found, Finding)),
        sha256=sha256,
        name=sent.get("name", ""),
        version=sent.get("version", ""),
        entry_points=distribution.entry_points,
        members=tuple(distribution.members),
        metadata=form.metadata,
    )


def _on_index(built: BuiltFiles, upload: FileUpload) -> IndexContents:
    """What the index has of the file's project; nothing where it was not contacted or did not respond.

    A file without readable metadata belongs to the project in its file name.
    """
    name = upload.project or name_from_filename(upload.filename)
    known = built.on_index.get(name) if built.on_index and name else None
    if isinstance(known, IndexContents):
        return known
    # A project with an earlier release is no new one, whose name could be refused.
    exists = name is not None and isinstance(built.previous, PreviousRelease)
    names = frozenset({name} if name and exists else ())
    return IndexContents(now=built.now, names=names, file_limit=built.file_limit)


def _form_fields(form: TwineForm, filename: str, sha256: str) -> dict[str, tuple[str, ...]]:
    fields: dict[str, tuple[str, ...]] = {"filetype": ("bdist_wheel" if filename.endswith(".whl") else "sdist",)}
    fields.update({name: () for name, _ in form.fields})
    for name, value in form.fields:
        fields[name] = (*fields[name], value)
    return fields | {"sha256_digest": (sha256,)}


def _finding(refusal: Refusal, upload: FileUpload, built: BuiltFiles) -> Finding:
    assert refusal.advice is not None
    name, filename = upload.value("name"), upload.filename
    asked = isinstance((built.on_index or {}).get(upload.project), IndexContents)
    if (
        refusal.rule == form_rules.the_new_name_is_no_standard_module.name
        and not asked
        and built.previous != NO_EARLIER_RELEASE
    ):
        message = f"{name!r} is the name of a standard library module, which the index accepts only for an existing "
        if built.project is not None:
            remedy = "run it where the index can be reached (without --offline); for a new project, choose another name"
        else:
            command = f"pypi-preflight inspect --index pypi {quote_word(filename)}"
            remedy = f"if the project is yours: {command}; else choose another name"
        return warn(f"{message}project; the index was not contacted", remedy, filename)
    return Finding(
        message=refusal.message or _shorten(refusal.text),
        remedy=refusal.advice.remedy,
        where=filename,
        server_text=refusal.text,
        source=refusal.advice.source,
        cause=refusal.advice.cause,
    )


def _shorten(text: str) -> str:
    """The index's message in the style of ours: without its prefix, help address, capital and full stop."""
    text = text.removeprefix("Invalid distribution file. ")
    for see in (" See http", ". See "):
        text = text.partition(see)[0]
    text = text.rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def _twine_findings(
    file: BuiltFile, upload: FileUpload, form: TwineForm, refusals: tuple[Refusal, ...], built: BuiltFiles
) -> Iterator[tuple[str, Finding]]:
    """What the installed twine refuses, unless it only repeats the index.

    It is asked where its code is another than the one that the form follows, where that one objects, and where an older
    Python may read other members than the index. That it cannot read an archive which the index can read depends on the
    Python that runs it: without a project, which is to be uploaded from here, another one may upload the file.
    """
    reported = {refusal.advice.check for refusal in refusals if refusal.advice}
    is_cut = upload.file.open_tar is not None and upload.file.open_tar.cut
    known = form.objection is None and built.installed.get("twine") == TWINE_VERSION and not is_cut
    if file.ask_twine is None or known or (not form.metadata and ARCHIVE_CHECK in reported):  # which it need not read
        return
    said, filename = file.ask_twine(), file.filename
    if isinstance(said, Unknown):
        yield TWINE, Finding(message=said.reason, remedy=said.remedy, where=filename, cause=said.cause)
    elif said is not None and form.objection is not None:
        yield from _refused_metadata(said, form.objection, form, filename=filename, reported=reported, built=built)
    elif said is not None and not reported & {METADATA, ARCHIVE_CHECK}:
        alone = built.project is None
        yield TWINE, _crash_finding(said, filename, alone=alone) if said.crashed else _twine_finding(said, filename)


def _refused_metadata(  # noqa: PLR0913 - what twine and the index say of a file
    said: TwineRefusal,
    objection: TwineObjection,
    form: TwineForm,
    *,
    filename: str,
    reported: AbstractSet[str],
    built: BuiltFiles,
) -> Iterator[tuple[str, Finding]]:
    """What twine refuses for a reason that was expected from the metadata."""
    if objection.unknown_version and METADATA not in reported:
        version = dict(form.fields).get("metadata_version", "")
        message = f"twine refuses the file: its packaging library does not know metadata version {version}"
        yield UPLOADER, _outdated_uploader(filename, message)
    elif (place := _not_utf8(form.metadata)) is not None:
        yield TWINE, _encoding_finding(place, filename)
    elif METADATA not in reported and judged_by_newer_library(objection):
        if built.project is not None:  # a run uploads with this twine; otherwise it is a difference of versions
            message = f"twine refuses the file: {metadata_difference(objection)}"
            yield TWINE, Finding(message=message, remedy=metadata_remedy(objection), where=filename)
    elif METADATA not in reported or objection.odd_field:
        found = _twine_finding(said, filename)
        yield TWINE, replace(found, cause="meta.tool-too-old" if objection.about_version else None)


def _twine_finding(said: TwineRefusal, filename: str) -> Finding:
    return Finding(
        message=f"twine refuses the file: {said.message}",
        remedy="build with a current backend, or upgrade twine and packaging: pip install -U twine packaging",
        where=filename,
        source="https://twine.readthedocs.io/",
    )


def _crash_finding(said: TwineRefusal, filename: str, *, alone: bool) -> Finding:
    return Finding(
        message=f"twine cannot read the file with this Python: {said.message}",
        remedy=f"{REBUILD}; or upload with the newest Python",
        severity="warn" if alone else "block",
        where=filename,
    )


def _version_findings(
    file: BuiltFile, upload: FileUpload, form: TwineForm, refusals: tuple[Refusal, ...], built: BuiltFiles
) -> Iterator[tuple[str, Finding]]:
    """What differs by server version, unless the server refuses the metadata, or twine does in a run."""
    if any(refusal.advice and refusal.advice.check == METADATA for refusal in refusals):
        return
    shown = replace(form, objection=None) if built.project is not None and file.ask_twine is not None else form
    yield from ((NEWER_SERVERS, found) for found in version_differences(upload, shown, built.installed))


def _not_utf8(metadata: bytes) -> tuple[str, int, int] | None:
    """Field, line counted from 1, and value of the first byte that is not UTF-8; None where all bytes are."""
    try:
        metadata.decode()
    except UnicodeDecodeError as error:
        before = metadata[: error.start]
        head, separator, _ = before.replace(b"\r\n", b"\n").partition(b"\n\n")
        names = re.findall(rb"^([A-Za-z][A-Za-z-]*):", head, re.MULTILINE)
        field = "Description" if separator or not names else names[-1].decode()
        return field, before.count(b"\n") + 1, metadata[error.start]
    return None


def _encoding_finding(place: tuple[str, int, int], filename: str) -> Finding:
    """Metadata in another encoding, which pip does not install either. Observed: pip 26.3, 2026-11."""
    field, line, byte = place
    name = "METADATA" if filename.endswith(".whl") else "PKG-INFO"
    source = "the README" if field == "Description" else "the file that has it (pyproject.toml, setup.cfg or setup.py)"
    return Finding(
        message=f"{name} is not UTF-8: byte 0x{byte:02x} in the field {field}, line {line}; twine and pip refuse it",
        remedy=f"save {source} as UTF-8 and rebuild; setup.py: read files with encoding='utf-8'",
        where=filename,
        source=CORE_METADATA,
    )


def _license_field_findings(form: TwineForm, filename: str) -> Iterator[tuple[str, Finding]]:
    """License-File in metadata in which it has no meaning, and which twine therefore drops.

    Observed: uv 0.13.9 sends the field and gets status 400; twine 7.0.0 does not send it, 2026-11.
    """
    version = dict(form.fields).get("metadata_version", "")
    if version in _BEFORE_LICENSE_FILES and form.license_files:
        yield (
            LICENSE_FIELD,
            Finding(
                message=f"the metadata has License-File, but its version is {version}: uploads with uv are refused",
                remedy="upgrade the build backend, which then writes metadata 2.4 (setuptools>=77), and rebuild; or "
                "upload with twine, which does not send the field",
                severity="warn",
                where=filename,
                server_text=f"license-file introduced in metadata version 2.4, not {version}. {SEE_CORE_METADATA}",
                source=f"{CORE_METADATA}#license-file",
                cause="meta.tool-too-old",
            ),
        )


def _outdated_uploader(filename: str, message: str) -> Finding:
    return Finding(
        message=message,
        remedy="upgrade the uploader: python -m pip install -U twine packaging; or build with a backend that writes "
        "older metadata",
        where=filename,
        source="https://twine.readthedocs.io/en/stable/changelog.html",
        cause="meta.tool-too-old",
    )


def all_refusals(upload: FileUpload, index: IndexContents) -> Iterator[Refusal]:
    """Each refusal, in the index's order; the first is the one it would respond with."""
    for rule in _applicable(upload, index):
        if rule is form_rules.the_metadata_is_valid:
            yield from form_rules.metadata_refusals(upload)
        elif (refusal := rule(upload, index)) is not None:
            yield refusal


def _applicable(upload: FileUpload, index: IndexContents) -> Iterable[Rule]:
    """The rules that apply.

    Rules on new names apply only where the index does not have the project. A file without readable metadata, or
    without a name in it, is checked from outside and as an archive; the other rules would only repeat that.
    """
    if not upload.value("name"):
        named = (form_rules.the_name_is_valid,) if upload.value("metadata_version") else ()
        return (*named, *OUTSIDE, *ARCHIVE, the_wheel_has_its_metadata)
    known = bool(index.files) or upload.project in index.names
    # FORM has reported an invalid name already
    new = (rule for rule in form_rules.NEW_NAME if rule is not form_rules.the_new_name_is_valid and not known)
    return (*form_rules.FORM, *new, *DESCRIPTION, *FILE)
