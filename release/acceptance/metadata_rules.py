"""Rules on the core metadata in the form.

The index lets its library validate first; only metadata that passes there meets the index's own rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from release.acceptance.rule import FileUpload
from release.acceptance.specification_rules import specification_errors
from release.acceptance.warehouse_metadata_rules import InvalidField, warehouse_errors

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
#: the fields that the index reports first if several are wrong
_FIRST = ("metadata-version", "name", "version")


def invalid_fields(upload: FileUpload) -> list[InvalidField]:
    """Everything wrong with the metadata, in the order in which the index would report it."""
    raw, unusable = parse_form(upload.cleaned)
    if unusable:
        found = [InvalidField(name=name, text=f"{name!r} has invalid data") for name in unusable]
    else:
        found = list(specification_errors(raw)) or list(warehouse_errors(raw))
    return sorted(found, key=_rank)


def _rank(field: InvalidField) -> tuple[int, int | str]:
    if field.server_fails:  # a server that failed has not come as far as its list
        return (0, "")
    return (1, _FIRST.index(field.name)) if field.name in _FIRST else (2, field.name)


def parse_form(fields: Mapping[str, tuple[str, ...]]) -> tuple[dict[str, Any], list[str]]:
    """The metadata as fields of `packaging.metadata.RawMetadata`, and the form fields that cannot be read as such."""
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
