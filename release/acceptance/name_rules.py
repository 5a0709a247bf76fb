"""Rules on the name of a project that the index does not have yet.

Source: warehouse, `packaging/services.py`.
"""

from __future__ import annotations

import re
from functools import cache

from packaging.utils import NormalizedName, canonicalize_name

from release.acceptance.form_rules import the_name_is_valid
from release.acceptance.rule import NEW_NAMES, FileUpload, Refusal, Rules
from release.core.models.index_contents import IndexContents

# ruff: noqa: ARG001 - every rule takes the upload and the index, whichever it needs

_SIMILAR = str.maketrans({".": "", "_": "", "-": "", "l": "1", "i": "1", "o": "0"})
_RENAME = "choose another project name; the help page in the index's message explains why"

NEW_NAME = Rules()


@NEW_NAME.rule(check=NEW_NAMES, remedy=_RENAME)
def the_new_name_is_valid(upload: FileUpload, index: IndexContents) -> str | None:
    """The name is a valid project name."""
    return None if the_name_is_valid(upload, index) is None else f"The name {upload.value('name')!r} is invalid."


@NEW_NAME.rule(
    check=NEW_NAMES,
    remedy="choose another project name; if your project is already on the index, name the index: inspect --index NAME",
    cause="name.stdlib",
)
def the_new_name_is_no_standard_module(upload: FileUpload, index: IndexContents) -> str | None:
    """The name is not that of a standard library module of any Python version, dotted submodules included."""
    if upload.project not in standard_modules():
        return None
    return _text(upload, "isn't allowed (conflict with Python Standard Library module name)")


@NEW_NAME.rule(check=NEW_NAMES, remedy=_RENAME, cause="name.taken")
def the_new_name_is_free(upload: FileUpload, index: IndexContents) -> Refusal | None:
    """No project has the name yet."""
    if upload.project not in index.names:
        return None
    return Refusal(status=409, text=_text(upload, "conflicts with an existing project"))


@NEW_NAME.rule(check=NEW_NAMES, remedy=_RENAME, cause="name.prohibited")
def the_new_name_is_not_prohibited(upload: FileUpload, index: IndexContents) -> str | None:
    """The administrators of the index have not prohibited the name."""
    return _text(upload, "isn't allowed") if upload.project in index.prohibited else None


@NEW_NAME.rule(check=NEW_NAMES, remedy=_RENAME, cause="name.too-similar")
def the_new_name_is_unlike_the_others(upload: FileUpload, index: IndexContents) -> str | None:
    """No project has a similar name: `.`, `_`, `-` are ignored; `l`, `i`, `1` are equal, and so are `o` and `0`."""
    key = similarity_key(upload.value("name"))
    similar = any(similarity_key(name) == key for name in index.names)
    return _text(upload, "is too similar to an existing project") if similar else None


def _text(upload: FileUpload, what: str) -> str:
    return f"The name {upload.value('name')!r} {what}. See {upload.help('project-name')} for more information."


def similarity_key(name: str) -> str:
    """What the index compares to find similar names."""
    return name.lower().translate(_SIMILAR)


@cache
def standard_modules() -> frozenset[NormalizedName]:
    """Normalized names of all modules of all Python versions that stdlib-list knows, and of their packages."""
    from stdlib_list import short_versions, stdlib_list

    modules = {module for version in short_versions for module in stdlib_list(version)}
    parents = {module[: dot.start()] for module in modules for dot in re.finditer(r"\.", module)}
    return frozenset(canonicalize_name(module.strip("-_.")) for module in modules | parents)
