"""Rules on the core metadata in the form.

The index lets `packaging` validate first; only metadata that passes there meets the index's own rules.
Where this machine's `packaging` is newer than the index's, the older version's result counts.
Observed: warehouse 6b62157 with packaging 26.2, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from release.acceptance.rule import FileUpload
from release.acceptance.warehouse_metadata_rules import CORRECT, InvalidField, warehouse_errors

#: form fields whose name is not that of `packaging.metadata.RawMetadata`
_FORM_NAMES = {
    "platform": "platforms",
    "supported_platform": "supported_platforms",
    "license_file": "license_files",
    "import_name": "import_names",
    "import_namespace": "import_namespaces",
}
_STRINGS = frozenset(
    """
    author author_email description description_content_type download_url home_page license license_expression
    maintainer maintainer_email metadata_version name requires_python summary version
    """.split()  # noqa: SIM905 - a list that people read
)
_LISTS = frozenset(
    """
    classifiers dynamic import_names import_namespaces license_files obsoletes obsoletes_dist platforms provides
    provides_dist provides_extra requires requires_dist requires_external supported_platforms
    """.split()  # noqa: SIM905 - a list that people read
)
#: those that the index's packaging knows; this machine's may know more, or fewer
_METADATA_VERSIONS = frozenset({"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"})
#: the fields that the index reports first if several are wrong
_FIRST = ("metadata-version", "name", "version")

_CONTENT_TYPE = "description-content-type"
_TYPES = ["text/plain", "text/markdown", "text/x-rst"]
_VARIANTS = ["GFM", "CommonMark"]

#: field → remedy and cause, where `packaging` rejects its value
_ADVICE: Mapping[str, tuple[str, str | None]] = {
    "summary": ("write the summary on one line", "meta.summary-long"),
    "license-expression": ("use an SPDX expression: https://spdx.org/licenses/", "meta.license-both"),
    "dynamic": ("correct project.dynamic", "meta.dynamic-invalid"),
    "requires-python": ("write a version specifier such as '>=3.11'", "meta.requires-python-invalid"),
    "requires-dist": ("write the dependency as in PEP 508: 'name>=1.0'", "meta.requires-dist-invalid"),
}


def invalid_fields(upload: FileUpload) -> list[InvalidField]:
    """Everything wrong with the metadata, in the order in which the index would report it."""
    raw, unusable = _raw(upload.cleaned)
    if unusable:
        found = [InvalidField(name=name, text=f"{name!r} has invalid data") for name in unusable]
    else:
        found = list(_specification_errors(raw)) or list(warehouse_errors(raw))
    return sorted(found, key=_rank)


def _rank(field: InvalidField) -> tuple[int, int | str]:
    if field.server_fails:  # a server that failed has not come as far as its list
        return (0, "")
    return (1, _FIRST.index(field.name)) if field.name in _FIRST else (2, field.name)


def _raw(fields: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, Any], list[str]]:
    """The metadata as `packaging` takes it, and the form fields that cannot be read as such."""
    raw: dict[str, Any] = {}
    unusable: list[str] = []
    for form_name, values in fields.items():
        name = _FORM_NAMES.get(form_name, form_name)
        if values == ("",) or form_name in _FORM_NAMES.values():
            continue
        if name in _LISTS:
            raw[name] = list(values)
        elif name in _STRINGS and len(values) == 1:
            raw[name] = values[0]
        elif name == "keywords" and len(values) == 1:
            raw[name] = [word.strip() for word in values[0].split(",")]
        elif name == "project_urls" and len({value.partition(",")[0].strip() for value in values}) == len(values):
            pairs = [value.partition(",") for value in values]
            raw[name] = {label.strip(): url.strip() for label, _, url in pairs}
        elif name in _STRINGS or name in {"keywords", "project_urls"}:
            unusable.append(form_name)
    return raw, unusable


def _specification_errors(raw: dict[str, Any]) -> Iterator[InvalidField]:
    version, content_type = raw.get("metadata_version"), raw.get("description_content_type")
    if version not in _METADATA_VERSIONS:
        yield InvalidField(
            name=_FIRST[0],
            text=f"{version!r} is not a valid metadata version",
            remedy="build with a backend that writes metadata 2.5 or older",
            cause="meta.tool-too-old",
        )
    for name, text in _packaging_errors(raw):
        too_new = "introduced in metadata version" in text
        if name == _FIRST[0] or (name == _CONTENT_TYPE and not too_new):
            continue  # checked above and below, as the index does
        if name == "summary" and "single line" in text and "\n" not in raw["summary"]:
            continue  # packaging 26.3 counts more characters as line ends than the index's version
        remedy, cause = _ADVICE.get(name, (CORRECT, None))
        if too_new:
            remedy, cause = "build with a newer backend, which writes newer metadata", None
        yield InvalidField(name=name, text=text, remedy=remedy, cause=cause)
    if content_type is not None:
        yield from _content_type_errors(content_type)


def _packaging_errors(raw: dict[str, Any]) -> list[tuple[str, str]]:
    """Field and message of each error; `packaging` gives no code for what is wrong."""
    from packaging.metadata import InvalidMetadata, Metadata, RawMetadata

    try:
        Metadata.from_raw(RawMetadata(**raw))  # type: ignore[typeddict-item] # keys and types made by _raw
    except ExceptionGroup as group:
        return [(error.field, str(error)) for error in group.exceptions if isinstance(error, InvalidMetadata)]
    return []


def parse_content_type(text: str) -> tuple[str, Mapping[str, str]] | None:
    """Type and parameters; None where the standard library's parser, and with it the server, fails."""
    from email.message import EmailMessage

    message = EmailMessage()
    try:
        message["content-type"] = text
        return message.get_content_type().lower(), dict(message["content-type"].params)
    except Exception:  # noqa: BLE001 - the parser raises ValueError, IndexError, … and the server does not catch it
        return None


def _content_type_errors(text: str) -> Iterator[InvalidField]:
    """What the index rejects in Description-Content-Type.

    Stricter than packaging 26.3 on the charset and more lenient on odd parameters: the index has 26.2.
    """
    parsed = parse_content_type(text)
    if parsed is None:
        yield InvalidField(name=_CONTENT_TYPE, server_fails=True)
        return
    kind, parameters = parsed
    charset, variant = parameters.get("charset", "UTF-8"), parameters.get("variant", "GFM")
    if kind not in _TYPES or kind not in text.lower():
        yield InvalidField(
            name=_CONTENT_TYPE,
            text=f"{_CONTENT_TYPE!r} must be one of {_TYPES}, not {text!r}",
            remedy="use text/markdown, text/x-rst or text/plain",
            cause="meta.description-render",
        )
    elif charset != "UTF-8":
        yield InvalidField(
            name=_CONTENT_TYPE,
            text=f"{_CONTENT_TYPE!r} can only specify the UTF-8 charset, not {charset!r}",
            remedy="write charset=UTF-8, in upper case",
        )
    elif kind == "text/markdown" and variant not in _VARIANTS:
        text = f"valid Markdown variants for {_CONTENT_TYPE!r} are {_VARIANTS}, not {variant!r}"
        yield InvalidField(name=_CONTENT_TYPE, text=text)
