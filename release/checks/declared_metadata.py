"""What a pyproject.toml declares, judged as the index judges the metadata of a file: without a build.

Sources: pyproject.toml specification, "Declaring project metadata: the [project] table"; core metadata specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from release.acceptance.description_rules import the_description_renders
from release.acceptance.metadata_rules import invalid_fields
from release.acceptance.rule import CORE_METADATA, DESCRIPTIONS, METADATA, FileUpload, Refusal
from release.acceptance.warehouse_metadata_rules import InvalidField
from release.core.models.check_result import Finding
from release.core.models.index import PYPI, IndexContents
from release.core.similar_words import did_you_mean

#: keys of strings, and of lists of strings → the fields of the upload form
_STRINGS = {
    "name": "name", "version": "version", "description": "summary", "requires-python": "requires_python",
}  # fmt: skip
_LISTS = {
    "classifiers": "classifiers", "dependencies": "requires_dist", "dynamic": "dynamic",
    "import-names": "import_name", "import-namespaces": "import_namespace", "keywords": "keywords",
}  # fmt: skip
_OTHERS = {
    "readme", "license", "license-files", "authors", "maintainers", "urls", "optional-dependencies", "scripts",
    "gui-scripts", "entry-points",
}  # fmt: skip
_KEYS = {*_STRINGS, *_LISTS, *_OTHERS}
#: suffix of a README → its content type
_CONTENT_TYPES = {".md": "text/markdown", ".rst": "text/x-rst", ".txt": "text/plain"}
#: metadata field, as in METADATA → the keys that it is made from, where they have another name
_FROM = {
    "summary": "description", "classifier": "classifiers",
    "requires-dist": "dependencies, project.optional-dependencies",
    "description-content-type": "readme", "project-url": "urls", "provides-extra": "optional-dependencies",
    "author-email": "authors", "maintainer-email": "maintainers", "license-expression": "license",
    "import-name": "import-names", "import-namespace": "import-namespaces",
}  # fmt: skip
_SPECIFICATION = "https://packaging.python.org/en/latest/specifications/pyproject-toml/"
#: no rule about metadata looks at the time, or at what is on the index
_UNASKED = IndexContents(now=datetime.fromtimestamp(0, UTC))
#: stands for a version that only the build backend knows
_ANY_VERSION = "0"


def readme_file(project: Mapping[str, Any]) -> str | None:
    """The path of the README, relative to pyproject.toml; None where none is declared, or as text."""
    readme = project.get("readme")
    found = readme.get("file") if isinstance(readme, Mapping) else readme
    return found if isinstance(found, str) else None


def declared_findings(project: Mapping[str, Any], readme: str | None) -> list[tuple[str, Finding]]:
    """The name of a check, and what it would find, for each part of `[project]` that the index would refuse.

    `readme` is the text of `readme_file`; None where that cannot be read, which is reported. What is dynamic, and the
    files of a build, are not judged. Warnings are only about keys that the specification does not have.
    """
    problems = [*_form_problems(project), *_readme_problems(project, readme)]
    found = [(METADATA, one) for one in problems]
    if not any(one.severity == "block" for one in problems):
        upload = FileUpload(fields=_form(project, readme), site=PYPI.site)
        found += [(METADATA, _field_finding(one)) for one in invalid_fields(upload)]
        refused = the_description_renders(upload, _UNASKED)
        found += [(DESCRIPTIONS, _description_finding(refused))] if refused else []
    return found


def _form_problems(project: Mapping[str, Any]) -> Iterator[Finding]:
    """Keys whose value has not the type that the specification gives them, and those that contradict each other."""
    for key, value in project.items():
        if key not in _KEYS:
            remedy = "remove it, or move it to the table of your build backend below [tool]"
            near = did_you_mean(key, _KEYS)
            yield Finding(
                message=f"[project] has no key {key!r}{near}", remedy=remedy, severity="warn", where=f"project.{key}"
            )
        elif (expected := _expected(key, value)) is not None:
            yield _wrong(key, f"is not {expected}: {value!r}", f"write project.{key} as {expected}")
    if "\n" in str(project.get("description", "")):
        yield Finding(
            message="project.description has several lines; some build backends refuse it",
            remedy="write it on one line", severity="warn", where="project.description", source=_SPECIFICATION,
        )  # fmt: skip
    dynamic = project.get("dynamic")
    dynamic = dynamic if isinstance(dynamic, list) else []
    for key in dynamic:
        if key in project:
            yield _wrong(str(key), "is declared, and listed in project.dynamic", f"remove {key!r} from one of the two")
    if "name" not in project:
        yield _wrong("name", "is missing", 'add: name = "NAME"')
    if "version" not in project and "version" not in dynamic:
        yield _wrong("version", "is missing", 'add: version = "0.1.0", or list it in project.dynamic')


def _wrong(key: str, what: str, remedy: str) -> Finding:
    return Finding(message=f"project.{key} {what}", remedy=remedy, where=f"project.{key}", source=_SPECIFICATION)


def _expected(key: str, value: Any) -> str | None:
    """What a key must be; None where it is."""
    if key in _STRINGS:
        return None if isinstance(value, str) else "a string"
    if key in _LISTS or key == "license-files":
        return None if _is_list(value, str) else "a list of strings"
    if key in {"authors", "maintainers"}:
        people = _is_list(value, Mapping) and all(
            one.keys() <= {"name", "email"} and all(isinstance(text, str) for text in one.values()) for one in value
        )
        return None if people else "a list of tables with name and email"
    if key in {"urls", "scripts", "gui-scripts"}:
        return None if _is_table(value, str) else "a table of strings"
    if key == "optional-dependencies":
        lists = isinstance(value, Mapping) and all(_is_list(one, str) for one in value.values())
        return None if lists else "a table of lists of strings"
    if key in {"readme", "license"}:
        return None if isinstance(value, str) or _is_table(value, str) else "a string or a table of strings"
    return None if isinstance(value, Mapping) else "a table"


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


def _is_table(value: Any, kind: type) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, kind) for one in value.values())


def _readme_problems(project: Mapping[str, Any], text: str | None) -> Iterator[Finding]:
    path = readme_file(project)
    if path is None:
        return
    if text is None:
        yield _wrong(
            "readme", f"names {path!r}, which is no readable file in UTF-8", "correct the path, or add the file"
        )
    if _content_type(project) is None:
        remedy = f'declare it: readme = {{file = "{path}", content-type = "text/markdown"}}'
        yield _wrong("readme", f"names {path!r}, whose suffix implies no content type", remedy)


def _content_type(project: Mapping[str, Any]) -> str | None:
    readme = project.get("readme")
    if isinstance(readme, Mapping) and isinstance(readme.get("content-type"), str):
        return str(readme["content-type"])
    return _CONTENT_TYPES.get(PurePosixPath(readme_file(project) or "").suffix.lower())


def _form(project: Mapping[str, Any], readme: str | None) -> dict[str, tuple[str, ...]]:
    """The fields of the upload form, as a build backend and twine would fill them."""
    fields: dict[str, tuple[str, ...]] = {form: (project[key],) for key, form in _STRINGS.items() if key in project}
    fields |= {form: tuple(project[key]) for key, form in _LISTS.items() if project.get(key)}
    fields.pop("dynamic", None)  # what the build fills in is not dynamic in its metadata
    if "summary" in fields:  # most backends join its lines
        fields["summary"] = (" ".join(fields["summary"][0].splitlines()),)
    if "keywords" in fields:
        fields["keywords"] = (",".join(fields["keywords"]),)
    for key, field in (("authors", "author"), ("maintainers", "maintainer")):
        people = project.get(key, [])
        names = [one["name"] for one in people if "email" not in one and "name" in one]
        emails = [
            f"{one['name']} <{one['email']}>" if "name" in one else one["email"] for one in people if "email" in one
        ]
        fields |= {name: (", ".join(found),) for name, found in ((field, names), (f"{field}_email", emails)) if found}
    license_ = project.get("license")
    fields |= {"license_expression": (license_,)} if isinstance(license_, str) else {}
    optional = project.get("optional-dependencies", {})
    fields |= {"provides_extra": tuple(optional)} if optional else {}
    requires = [*project.get("dependencies", ()), *(one for each in optional.values() for one in each)]
    fields |= {"requires_dist": tuple(requires)} if requires else {}
    if urls := project.get("urls"):
        fields["project_urls"] = tuple(f"{label}, {url}" for label, url in urls.items())
    if (text := readme if readme_file(project) else _text(project)) is not None:
        fields |= {"description": (text,), "description_content_type": (_content_type(project) or "text/plain",)}
    version = "2.5" if {"import_name", "import_namespace"} & fields.keys() else "2.4"
    return {"metadata_version": (version,), "version": (_ANY_VERSION,), **fields}


def _text(project: Mapping[str, Any]) -> str | None:
    readme = project.get("readme")
    return readme.get("text") if isinstance(readme, Mapping) else None


def _field_finding(field: InvalidField) -> Finding:
    where = f"project.{_FROM.get(field.name, field.name)}"
    message = field.message or field.text or f"the index's server fails on {field.name!r}"
    said = f"{field.text.rstrip('.')}. {field.see}" if field.text else None
    return Finding(
        message=message.rstrip("."), remedy=field.remedy.removesuffix(" and rebuild"), where=where, server_text=said,
        source=CORE_METADATA, cause=field.cause,
    )  # fmt: skip


def _description_finding(refused: Refusal) -> Finding:
    assert refused.advice is not None
    return Finding(
        message=refused.message or "the index's server fails on the description", remedy=refused.advice.remedy,
        where="project.readme", server_text=refused.text, cause=refused.advice.cause,
    )  # fmt: skip
