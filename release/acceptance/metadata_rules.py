"""What the index asks of the core metadata in the form.

It lets `packaging` judge first; only metadata that passes there meets the index's own rules.
Where this machine's `packaging` is newer than the index's, the older judgement counts.
Observed: warehouse 6b62157 with packaging 26.2, 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from release.acceptance.content_type import problem_of_content_type
from release.acceptance.form_fields import Fields, read
from release.acceptance.metadata_error import CORE_METADATA, LOCAL_VERSIONS, Problem
from release.acceptance.rule import Upload
from release.acceptance.warehouse_metadata_rules import own_problems

__all__ = ["CORE_METADATA", "LOCAL_VERSIONS", "Problem", "problems"]

#: form fields whose name is not that of `packaging.metadata.RawMetadata`
_FORM_NAMES = {
    "platform": "platforms",
    "supported_platform": "supported_platforms",
    "license_file": "license_files",
    "import_name": "import_names",
    "import_namespace": "import_namespaces",
}

_STRINGS = frozenset(
    {
        "author",
        "author_email",
        "description",
        "description_content_type",
        "download_url",
        "home_page",
        "license",
        "license_expression",
        "maintainer",
        "maintainer_email",
        "metadata_version",
        "name",
        "requires_python",
        "summary",
        "version",
    }
)
_LISTS = frozenset(
    {
        "classifiers",
        "dynamic",
        "import_names",
        "import_namespaces",
        "license_files",
        "obsoletes",
        "obsoletes_dist",
        "platforms",
        "provides",
        "provides_dist",
        "provides_extra",
        "requires",
        "requires_dist",
        "requires_external",
        "supported_platforms",
    }
)
#: those that the index's packaging knows; this machine's may know more, or fewer
_METADATA_VERSIONS = frozenset({"1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"})
#: the fields that the index reports first, whatever else is wrong
_FIRST = ("metadata-version", "name", "version")


def problems(upload: Upload) -> tuple[Problem, ...]:
    """Everything that is wrong with the metadata, in the order in which the index would name it."""
    if "problems" not in upload.memo:
        upload.memo["problems"] = tuple(sorted(_find(read(upload)), key=_rank))
    found: tuple[Problem, ...] = upload.memo["problems"]
    return found


def _rank(problem: Problem) -> tuple[int, int | str]:
    if problem.status != 400:  # noqa: PLR2004 - a server that broke has not come as far as its list
        return (0, "")
    return (1, _FIRST.index(problem.field)) if problem.field in _FIRST else (2, problem.field)


def _find(fields: Fields) -> list[Problem]:
    raw, unusable = _raw(fields)
    if unusable:
        return [Problem(field=name, text=f"{name!r} has invalid data") for name in unusable]
    found = [*_specification(raw)]
    return found or list(own_problems(raw))


def _raw(fields: Fields) -> tuple[dict[str, Any], list[str]]:
    """The metadata as `packaging` takes it, and the form fields that can't be read as such."""
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
        elif name == "project_urls" and (urls := _project_urls(values)) is not None:
            raw[name] = urls
        elif name in _STRINGS or name in {"keywords", "project_urls"}:
            unusable.append(form_name)
    return raw, unusable


def _project_urls(values: tuple[str, ...]) -> dict[str, str] | None:
    """Label → address; None where a label comes twice."""
    pairs = [value.partition(",") for value in values]
    urls = {label.strip(): url.strip() for label, _, url in pairs}
    return urls if len(urls) == len(values) else None


@dataclass(frozen=True, slots=True)
class _Said:
    """An error of `packaging`, by field."""

    field: str
    text: str


def _specification(raw: dict[str, Any]) -> Iterator[Problem]:
    version, content_type = raw.get("metadata_version"), raw.get("description_content_type")
    if version not in _METADATA_VERSIONS:
        yield Problem(field=_FIRST[0], text=f"{version!r} is not a valid metadata version")
    for said in _packaging(raw):
        if said.field == _FIRST[0]:
            continue
        if said.field == "summary" and "single line" in said.text and "\n" not in raw["summary"]:
            continue  # packaging 26.3 counts more characters as line ends than the index's
        if said.field == "description-content-type" and "introduced in" not in said.text:
            continue  # judged below, as the index does
        yield Problem(field=said.field, text=said.text)
    if content_type is not None and (problem := problem_of_content_type(content_type)) is not None:
        yield problem


def _packaging(raw: dict[str, Any]) -> list[_Said]:
    from packaging.metadata import InvalidMetadata, Metadata, RawMetadata

    try:
        Metadata.from_raw(RawMetadata(**raw))  # type: ignore[typeddict-item] # keys and types made by _raw
    except ExceptionGroup as group:
        return [_Said(e.field, str(e)) for e in group.exceptions if isinstance(e, InvalidMetadata)]
    return []
