"""What the server's `packaging` refuses in core metadata, in its words.

Own code, because versions of `packaging` differ, and because Python's versions differ about paths of Windows.
Source: core metadata specification. Observed: packaging 25.0 to 26.4 under Python 3.11 to 3.14, 2026-11.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from release.acceptance.dependency_specifiers import InvalidDependencyError, parse_dependency
from release.acceptance.license_expressions import is_license_expression
from release.acceptance.server_reference import ServerFailsError
from release.acceptance.version_specifiers import is_specifier_set, is_version
from release.acceptance.warehouse_metadata_rules import CORRECT, InvalidField, Raw
from release.core.lazy_pattern import lazy_pattern

#: metadata versions, oldest first → the fields that each introduced, as METADATA spells them
_INTRODUCED: Mapping[str, tuple[str, ...]] = {
    "1.0": (
        *("metadata-version", "name", "version", "platform", "summary", "description", "keywords", "home-page"),
        *("author", "author-email", "license"),
    ),
    "1.1": ("supported-platform", "download-url", "classifier", "requires", "provides", "obsoletes"),
    "1.2": (
        *("maintainer", "maintainer-email", "requires-dist", "provides-dist", "obsoletes-dist", "requires-python"),
        *("requires-external", "project-url"),
    ),
    "2.1": ("description-content-type", "provides-extra"),
    "2.2": ("dynamic",),
    "2.3": (),
    "2.4": ("license-expression", "license-file"),
    "2.5": ("import-name", "import-namespace"),
}
_VERSIONS = tuple(_INTRODUCED)
_ADDED = {field: version for version, fields in _INTRODUCED.items() for field in fields}
#: keys of `packaging.metadata.RawMetadata` that are not the field's name with underscores
_FIELDS = {
    "platforms": "platform",
    "supported_platforms": "supported-platform",
    "classifiers": "classifier",
    "project_urls": "project-url",
    "license_files": "license-file",
    "import_names": "import-name",
    "import_namespaces": "import-namespace",
}
_REQUIRED = ("metadata_version", "name", "version")

_NAME = lazy_pattern(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)
_TYPES = ["text/plain", "text/markdown", "text/x-rst"]
_VARIANTS = ["GFM", "CommonMark"]

#: field → remedy and cause
_ADVICE: Mapping[str, tuple[str, str | None]] = {
    "metadata-version": ("build with a backend that writes metadata 2.5 or older", "meta.tool-too-old"),
    "summary": ("write the summary on one line", "meta.summary-long"),
    "license-expression": ("use an SPDX expression: https://spdx.org/licenses/", "meta.license-both"),
    "dynamic": ("correct project.dynamic", "meta.dynamic-invalid"),
    "requires-python": ("write a version specifier such as '>=3.11'", "meta.requires-python-invalid"),
    "requires-dist": ("write the dependency as in PEP 508: 'name>=1.0'", "meta.requires-dist-invalid"),
}
_CHOOSE_TYPE = ("use text/markdown, text/x-rst or text/plain", "meta.description-render")
_CHOOSE_CHARSET = ("write charset=UTF-8, in upper case", None)


def specification_errors(raw: Raw) -> Iterator[InvalidField]:
    """What is wrong with each field; one error for a field."""
    version = raw.get("metadata_version")
    for key in dict.fromkeys((*_REQUIRED, *raw)):
        field = _FIELDS.get(key, key.replace("_", "-"))
        added = _ADDED.get(field, "")
        if not added:
            continue  # of a metadata version that the server does not know
        if version in _VERSIONS and _VERSIONS.index(added) > _VERSIONS.index(str(version)):
            text = f"{field} introduced in metadata version {added}, not {version}"
            yield InvalidField(
                name=field, text=text, remedy="build with a newer backend, which writes newer metadata", cause=None
            )
        elif (error := _value_error(key, field, raw.get(key))) is not None:
            yield error


def _value_error(key: str, field: str, value: Any) -> InvalidField | None:
    find = _FINDERS.get(key)
    try:
        found = find(value) if find else None
        if found is None:
            return None
        template, advice = found if isinstance(found, tuple) else (found, _ADVICE.get(field, (CORRECT, None)))
        return InvalidField(name=field, text=_fill_in(template, field), remedy=advice[0], cause=advice[1])
    except ServerFailsError:
        return InvalidField(name=field, server_fails=True)


def _fill_in(template: str, field: str) -> str:
    """A message with the field's name.

    The library fills it into a message that contains the value already, so that braces in the value are placeholders,
    and what they contain an error that the server does not catch.
    """
    if re.search(r"\{field[^}]*[:!.\[]", template):  # it could be made as long as memory is
        raise ServerFailsError
    try:
        return template.format_map({"field": repr(field)})
    except Exception as error:
        raise ServerFailsError from error


#: a message with `{field}`, or with the advice that goes with it; None for a valid value
_Found = str | tuple[str, tuple[str, str | None]] | None


def _metadata_version_error(value: str | None) -> _Found:
    return None if value in _VERSIONS else f"{value!r} is not a valid metadata version"


def _is_name(value: str) -> bool:
    return _NAME.fullmatch(value) is not None


def _name_error(value: str | None) -> _Found:
    return _required_error(_is_name, value)


def _version_error(value: str | None) -> _Found:
    return _required_error(is_version, value)


def _required_error(is_valid: Callable[[str], object], value: str | None) -> _Found:
    if not value:
        return "{field} is a required field"
    return None if is_valid(value) else f"{value!r} is invalid for {{field}}"


def _summary_error(value: str) -> _Found:
    return "{field} must be a single line" if "\n" in value else None


def _first_error(is_valid: Callable[[str], object], values: Iterable[str]) -> _Found:
    return next((f"{value!r} is invalid for {{field}}" for value in values if not is_valid(value)), None)


def _one_error(is_valid: Callable[[str], object], value: str) -> _Found:
    return _first_error(is_valid, (value,))


def _is_dependency(text: str) -> bool:
    try:
        parse_dependency(text)
    except InvalidDependencyError:
        return False
    return True


def _dynamic_error(values: Iterable[str]) -> _Found:
    for value in map(str.lower, values):
        if value in {"name", "version", "metadata-version"}:
            return f"{value!r} is not allowed as a dynamic field"
        if value not in _ADDED:
            return f"{value!r} is not a valid dynamic field"
    return None


def _license_file_error(values: Iterable[str]) -> _Found:
    for path in values:
        invalid = f"{path!r} is invalid for {{field}}, "
        if ".." in path:
            return f"{invalid}parent directory indicators are not allowed"
        if "*" in path:
            return f"{invalid}paths must be resolved"
        if re.match(r"/|[/\\]{2}|[^/\\]:[/\\]", path, re.DOTALL):
            return f"{invalid}paths must be relative"
        if not _is_plain_path(path):
            return f"{invalid}paths must use '/' delimiter"
    return None


def _is_plain_path(path: str) -> bool:
    """Whether Windows has no other spelling of a relative path, as Python 3.13 and newer read it."""
    if "\\" in path:
        return False
    drive, rest = (path[:2], path[2:]) if path[1:2] == ":" else ("", path)
    parts = [part for part in rest.split("/") if part not in {"", "."}]
    current = "./" if not drive and parts and parts[0][1:2] == ":" else ""  # as in "./c:x", which is no drive
    return path == (f"{drive}{current}{'/'.join(parts)}" or ".")


def _import_name_error(values: Iterable[str]) -> _Found:
    for value in values:
        name, semicolon, option = value.partition(";")
        name = name.rstrip()
        for part in name.split("."):
            if not part.isidentifier():
                return f"{name!r} is invalid for {{field}}; {part!r} is not a valid identifier"
            if keyword.iskeyword(part):
                return f"{name!r} is invalid for {{field}}; {part!r} is a keyword"
        if semicolon and option.lstrip() != "private":
            return f"{value!r} is invalid for {{field}}; the only valid option is 'private'"
    return None


def parse_content_type(text: str) -> tuple[str, Mapping[str, str]] | None:
    """Type and parameters; None where the standard library's parser, and with it the server, fails."""
    from email.message import EmailMessage

    message = EmailMessage()
    try:
        message["content-type"] = text
        return message.get_content_type().lower(), dict(message["content-type"].params)
    except Exception:  # noqa: BLE001 - the parser raises ValueError, IndexError, … and the server does not catch it
        return None


def _content_type_error(text: str) -> _Found:
    """Stricter than packaging 26.3 on the charset, and more lenient on odd parameters."""
    parsed = parse_content_type(text)
    if parsed is None:
        raise ServerFailsError
    kind, parameters = parsed
    charset, variant = parameters.get("charset", "UTF-8"), parameters.get("variant", "GFM")
    if kind not in _TYPES or kind not in text.lower():
        return f"{{field}} must be one of {_TYPES}, not {text!r}", _CHOOSE_TYPE
    if charset != "UTF-8":
        return f"{{field}} can only specify the UTF-8 charset, not {charset!r}", _CHOOSE_CHARSET
    if kind == "text/markdown" and variant not in _VARIANTS:
        return f"valid Markdown variants for {{field}} are {_VARIANTS}, not {variant!r}"
    return None


#: key of `RawMetadata` → what finds the error in its value
_FINDERS: Mapping[str, Callable[[Any], _Found]] = {
    "metadata_version": _metadata_version_error,
    "name": _name_error,
    "version": _version_error,
    "summary": _summary_error,
    "description_content_type": _content_type_error,
    "dynamic": _dynamic_error,
    "provides_extra": partial(_first_error, _is_name),
    "requires_python": partial(_one_error, is_specifier_set),
    "requires_dist": partial(_first_error, _is_dependency),
    "license_expression": partial(_one_error, is_license_expression),
    "license_files": _license_file_error,
    "import_names": _import_name_error,
    "import_namespaces": _import_name_error,
}
