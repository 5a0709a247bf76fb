"""What a server with the libraries that are installed here would judge differently from the one that the rules follow.

Their versions differ in what they accept. The index's server is kept current, so that the newer judgement is likely to
count soon, if it does not yet: neither is worth a refusal, nor silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from release.acceptance.known_names import newer_classifiers, newly_deprecated_classifiers
from release.acceptance.rule import FileUpload
from release.acceptance.server_reference import SERVER
from release.acceptance.twine_form import TwineForm, TwineObjection
from release.acceptance.warehouse_metadata_rules import CORRECT
from release.checks.engine import quote_some, warn
from release.core.models.check_result import Finding

NEWER_SERVERS = "newer-servers-take-the-metadata"
_PACKAGING, _CLASSIFIERS = "packaging", "trove-classifiers"
_SPECIFIERS = "write specifiers as in PEP 508: 'name>=1.0', with no other blanks than spaces"
#: metadata field → what every version accepts
_REMEDIES: Mapping[str, str] = {
    "description-content-type": "write text/markdown, text/x-rst or text/plain, with charset=UTF-8 or no parameter",
    "license-expression": "in project.license, write identifiers of https://spdx.org/licenses/, WITH only right after "
    "an identifier, and letters, digits, '.' or '-' after LicenseRef-",
    "license-file": "rename the license file: no ':' in its path",
    "obsoletes-dist": _SPECIFIERS,
    "provides-dist": _SPECIFIERS,
    "requires-dist": _SPECIFIERS,
    "requires-python": "write a version specifier such as '>=3.11'",
    "summary": "write the summary on one line, without control characters",
}


def judged_by_newer_library(objection: TwineObjection | None) -> bool:
    """Whether an objection is of a `packaging` that is newer than the server's, which accepts the metadata."""
    from packaging import __version__
    from packaging.version import Version

    is_newer = Version(__version__) > Version(SERVER.pins[_PACKAGING])
    return objection is not None and objection.server_accepts and is_newer


def metadata_remedy(objection: TwineObjection) -> str:
    """What to do so that every version accepts the metadata."""
    return "; ".join(dict.fromkeys(_REMEDIES.get(field, CORRECT) for field in sorted(objection.fields)))


def metadata_difference(objection: TwineObjection) -> str:
    """Which version of `packaging` accepts the metadata, and which refuses it."""
    from packaging import __version__

    return (
        f"{_PACKAGING} {SERVER.pins[_PACKAGING]} ({SERVER.name}) accepts the metadata, {_PACKAGING} {__version__} "
        f"refuses it: {objection.errors}"
    )


def version_differences(upload: FileUpload, form: TwineForm, installed: Mapping[str, str]) -> Iterator[Finding]:
    """One finding for all differences of a file that the server accepts."""
    parts = list(_classifier_differences(upload, installed.get(_CLASSIFIERS, "of this environment")))
    if form.objection is not None and judged_by_newer_library(form.objection):
        parts.append((metadata_difference(form.objection), metadata_remedy(form.objection)))
    if parts:
        messages, remedies = zip(*parts, strict=True)
        yield warn(f"differs by server version: {'; '.join(messages)}", "; ".join(remedies), upload.filename)


def _classifier_differences(upload: FileUpload, version: str) -> Iterator[tuple[str, str]]:
    """Message and remedy; the newer list is asked only about what the server's does not have, or has not deprecated."""
    given: Sequence[str] = upload.cleaned.get("classifiers", ())
    pinned = f"{_CLASSIFIERS} {SERVER.pins[_CLASSIFIERS]} ({SERVER.name})"
    if added := sorted(newer_classifiers(given)):
        yield (
            f"{pinned} does not know the classifier {quote_some(added)}, {_CLASSIFIERS} {version} does",
            "remove the classifier until https://pypi.org/classifiers/ lists it",
        )
    if deprecated := newly_deprecated_classifiers(given):
        successors = sorted({successor for names in deprecated.values() for successor in names})
        shown = quote_some(list(deprecated))
        yield (
            f"{pinned} accepts the classifier {shown}, {_CLASSIFIERS} {version} has deprecated it",
            f"use {quote_some(successors)} instead" if successors else "remove the classifier",
        )
