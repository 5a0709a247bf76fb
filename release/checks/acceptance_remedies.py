"""For each rule of the index: the check that it belongs to, what mends it, and which known failure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from release.acceptance.rule import Refusal
from release.core.models.index import USER_DOCS

SPECIFICATIONS = "https://packaging.python.org/en/latest/specifications"
CORE = f"{SPECIFICATIONS}/core-metadata/"
WHEELS = f"{SPECIFICATIONS}/binary-distribution-format/"
SDISTS = f"{SPECIFICATIONS}/source-distribution-format/"
ARCHIVES = f"{USER_DOCS}/archives"

METADATA = "the-index-takes-the-metadata"
NEW_NAMES = "the-index-takes-the-name"
DESCRIPTION = "the-description-renders"
FILE_NAMES = "the-file-names-are-right"
ROOM = "the-index-has-room"
NEW_FILES = "the-files-are-new-to-the-index"
ARCHIVE = "the-archives-are-sound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a maintainer needs to know beside the index's words."""

    #: public name of the check
    check: str
    #: an order
    remedy: str
    #: id in the catalog of known failures
    cause: str | None = None
    source: str | None = None
    #: what is wrong, where the index's words don't say it
    message: str | None = None


_REBUILD = "build it again: python -m build"
_NORMAL = "build with a current backend, which writes normalised names: python -m build (setuptools>=69.3)"
_BUMP = "take a new version: an index never takes other bytes under a name that it has seen"
_LICENCE = "list the file in project.license-files and rebuild, or remove the entry"
_RELEASE_NAME = "choose another project name, see the help page in the index's answer"

ADVICE: Mapping[str, Advice] = {
    "the-protocol-version-is-known": Advice(check=METADATA, remedy="send protocol_version 1"),
    "the-name-is-valid": Advice(
        check=METADATA, remedy="use ASCII letters and digits with '.', '_' and '-' between them", source=f"{CORE}#name"
    ),
    "a-digest-is-given": Advice(check=METADATA, remedy="send sha256_digest"),
    "the-blake2-digest-is-hex": Advice(check=METADATA, remedy="send 64 hex digits"),
    "the-sha256-digest-is-hex": Advice(check=METADATA, remedy="send 64 hex digits"),
    "the-file-type-is-known": Advice(check=METADATA, remedy="publish an sdist or a wheel", cause="file.type"),
    "the-python-version-fits-the-file-type": Advice(check=METADATA, remedy="rename the wheel as its tags say"),
    "the-form-has-a-file": Advice(check=METADATA, remedy="send the file"),
    "the-new-name-is-valid": Advice(check=NEW_NAMES, remedy=_RELEASE_NAME),
    "the-new-name-is-no-standard-module": Advice(
        check=NEW_NAMES,
        remedy="choose another project name; if the index has your project already, name it: inspect --index NAME",
        cause="name.stdlib",
    ),
    "the-new-name-is-free": Advice(check=NEW_NAMES, remedy=_RELEASE_NAME, cause="name.taken"),
    "the-new-name-is-not-prohibited": Advice(check=NEW_NAMES, remedy=_RELEASE_NAME, cause="name.prohibited"),
    "the-new-name-is-unlike-the-others": Advice(check=NEW_NAMES, remedy=_RELEASE_NAME, cause="name.too-similar"),
    "the-description-renders": Advice(
        check=DESCRIPTION,
        remedy="mend the text; for Markdown set project.readme to a .md file, so that its content type is said",
        cause="meta.description-render",
    ),
    "the-file-name-is-printable": Advice(check=FILE_NAMES, remedy=_REBUILD),
    "the-file-name-has-no-slash": Advice(check=FILE_NAMES, remedy=_REBUILD),
    "the-extension-fits-the-file-type": Advice(
        check=FILE_NAMES, remedy="publish .tar.gz and .whl files only: python -m build", cause="file.type"
    ),
    "the-part-is-a-file": Advice(check=FILE_NAMES, remedy="send it as application/octet-stream"),
    "the-file-name-fits-a-disk": Advice(
        check=FILE_NAMES,
        remedy="shorten the project's name or its tags",
        message="the file name is longer than 255 bytes, over which the index's server breaks",
    ),
    "the-file-is-small-enough": Advice(
        check=ROOM, remedy="leave out what users don't need, or ask the index for a higher limit", cause="size.file"
    ),
    "the-project-is-small-enough": Advice(
        check=ROOM, remedy="delete old releases, or ask the index for a higher limit", cause="size.project"
    ),
    "the-digests-are-right": Advice(check=ARCHIVE, remedy=_REBUILD),
    "the-file-is-new": Advice(check=NEW_FILES, remedy=_BUMP, cause="file.exists-different"),
    "the-file-name-was-never-used": Advice(check=NEW_FILES, remedy=_BUMP, cause="file.name-reuse-deleted"),
    "the-release-is-open": Advice(check=NEW_FILES, remedy="take a new version"),
    "the-release-has-no-sdist-yet": Advice(
        check=NEW_FILES, remedy="upload the wheels only, or take a new version", cause="sdist.duplicate"
    ),
    "the-file-is-one-archive": Advice(check=ARCHIVE, remedy=_REBUILD, source=ARCHIVES),
    "the-file-is-what-its-name-says": Advice(check=ARCHIVE, remedy=_REBUILD, source=ARCHIVES),
    "the-file-is-no-bomb": Advice(check=ARCHIVE, remedy="leave out what unpacks to so much", source=ARCHIVES),
    "the-compression-is-usual": Advice(
        check=ARCHIVE, remedy="store or deflate every member", cause="wheel.zip-invalid", source=ARCHIVES
    ),
    "the-tar-can-be-read": Advice(check=ARCHIVE, remedy=_REBUILD),
    "the-tar-is-not-sparse": Advice(
        check=ARCHIVE, remedy="pack without --sparse", cause="sdist.structure", source=ARCHIVES
    ),
    "the-sdist-has-one-top-directory": Advice(
        check=ARCHIVE, remedy="build the sdist with a backend: python -m build --sdist", cause="sdist.structure"
    ),
    "the-sdist-has-its-metadata": Advice(
        check=ARCHIVE,
        remedy="build the sdist with a backend: python -m build --sdist",
        cause="sdist.structure",
        source=SDISTS,
    ),
    "the-wheel-has-its-wheel-file": Advice(
        check=ARCHIVE,
        remedy="build it again and don't rename it: python -m build --wheel",
        cause="wheel.zip-invalid",
        source=WHEELS,
    ),
    "the-code-is-not-protected": Advice(
        check=ARCHIVE, remedy="publish the code unencrypted; rebuild where a member is damaged"
    ),
    "the-zip-reads-in-one-way": Advice(
        check=ARCHIVE,
        remedy="repack it: python -m wheel unpack FILE, then python -m wheel pack DIRECTORY",
        cause="wheel.zip-invalid",
        source=ARCHIVES,
    ),
    "the-sdist-name-parses": Advice(check=FILE_NAMES, remedy=_NORMAL, cause="name.canonical-mismatch", source=SDISTS),
    "the-sdist-name-is-of-the-project": Advice(
        check=FILE_NAMES, remedy=_NORMAL, cause="name.canonical-mismatch", source=SDISTS
    ),
    "the-sdist-name-is-normalised": Advice(
        check=FILE_NAMES, remedy=_NORMAL, cause="name.canonical-mismatch", source=SDISTS
    ),
    "the-sdist-has-its-licence-files": Advice(
        check=ARCHIVE, remedy=_LICENCE, cause="meta.license-file-missing", source=f"{CORE}#license-file"
    ),
    "the-wheel-name-parses": Advice(check=FILE_NAMES, remedy=_NORMAL, source=WHEELS),
    "the-platforms-are-taken": Advice(
        check=FILE_NAMES,
        remedy="build with cibuildwheel, or repair the wheel: auditwheel repair FILE, delocate-wheel FILE",
        cause="wheel.platform-tag",
        source=f"{SPECIFICATIONS}/platform-compatibility-tags/",
    ),
    "the-wheel-name-is-of-the-project": Advice(
        check=FILE_NAMES, remedy=_NORMAL, cause="name.canonical-mismatch", source=WHEELS
    ),
    "the-wheel-name-is-normalised": Advice(
        check=FILE_NAMES, remedy=_NORMAL, cause="name.canonical-mismatch", source=WHEELS
    ),
    "the-wheel-name-has-the-version": Advice(
        check=FILE_NAMES, remedy="empty dist/ and build again: python -m build", cause="dist.stale", source=WHEELS
    ),
    "the-wheel-has-its-licence-files": Advice(
        check=ARCHIVE, remedy=_LICENCE, cause="meta.license-file-missing", source=f"{CORE}#license-file"
    ),
    "the-wheel-has-its-record": Advice(
        check=ARCHIVE,
        remedy="write RECORD anew: python -m wheel unpack FILE, then python -m wheel pack DIRECTORY",
        cause="wheel.zip-invalid",
        source=f"{SPECIFICATIONS}/recording-installed-packages/#the-record-file",
    ),
    "the-entry-points-are-valid": Advice(
        check=ARCHIVE,
        remedy="name scripts with letters, digits, '.', '_' and '-' in project.scripts and rebuild",
        cause="wheel.zip-invalid",
        source=f"{SPECIFICATIONS}/entry-points/",
    ),
    "the-wheel-has-its-metadata": Advice(check=ARCHIVE, remedy=_REBUILD, cause="wheel.zip-invalid", source=WHEELS),
    "the-wheel-name-is-not-too-long": Advice(check=FILE_NAMES, remedy="shorten the project's name or its tags"),
}

#: the beginning or a part of the index's words about metadata → remedy, cause; the first that fits counts
_METADATA: tuple[tuple[str, str, str | None], ...] = (
    ("use of local versions", "commit and tag, or set local_scheme = 'no-local-version'", "version.local"),
    ("direct dependency", "depend on a released version; nothing that points to an address", "meta.direct-dependency"),
    ("has been deprecated", "take a classifier from https://pypi.org/classifiers/", "meta.classifier-deprecated"),
    ("not a valid classifier", "take a classifier from https://pypi.org/classifiers/", "meta.classifier-invalid"),
    ("not a valid email address", "mend the address, or leave it out", "meta.email-invalid"),
    ("is not a valid url", "begin the address with https://", "meta.url-label"),
    ("'summary' field must be", "shorten it", "meta.summary-long"),
    ("characters or less", "shorten that label in project.urls", "meta.url-label"),
    ("must be a single line", "write it on one line", "meta.summary-long"),
    ("License is deprecated", "keep project.license as an SPDX expression only", "meta.license-both"),
    ("invalid for 'license-expression'", "use an SPDX expression: https://spdx.org/licenses/", "meta.license-both"),
    ("dynamic field", "correct project.dynamic", "meta.dynamic-invalid"),
    ("'requires-python'", "write a version specifier such as '>=3.11'", "meta.requires-python-invalid"),
    ("'requires-dist'", "write the dependency as PEP 508 says: 'name>=1.0'", "meta.requires-dist-invalid"),
    ("must be one of ['text/", "use text/markdown, text/x-rst or text/plain", "meta.description-render"),
    ("UTF-8 charset", "write charset=UTF-8, in upper case", None),
    ("not a valid metadata version", "build with a backend that writes metadata 2.5 or older", "meta.tool-too-old"),
    ("introduced in metadata version", "build with a newer backend, which writes newer metadata", None),
    ("Must have a label", "give every entry of project.urls a label", "meta.url-label"),
    ("Must have a URL", "give every entry of project.urls an address", "meta.url-label"),
)


def advice(refusal: Refusal) -> Advice:
    """What to say beside a refusal."""
    if refusal.rule != "the-metadata-is-valid":
        return ADVICE[refusal.rule]
    found = ((remedy, cause) for words, remedy, cause in _METADATA if words in refusal.text)
    remedy, cause = next(found, ("correct it in pyproject.toml and rebuild", None))
    return Advice(check=METADATA, remedy=remedy, cause=cause, source=CORE)


def message(refusal: Refusal) -> str:
    """The index's words as one of our messages."""
    known = advice(refusal).message
    if known is not None:
        return known
    if refusal.status >= 500:  # noqa: PLR2004 - the server broke
        return f"the index's server breaks over it{': ' * bool(refusal.why)}{refusal.why.rstrip('.')}"
    text = refusal.text.removeprefix("Invalid distribution file. ")
    for see in (" See http", ". See "):
        text = text.partition(see)[0]
    text = text.rstrip(".")
    if text == "None":
        return f"the archive can't be read: {refusal.why.rstrip('.')}"
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
