"""What the index asks of the name of a project that it does not have yet.

Source: warehouse, `packaging/services.py`.
"""

from __future__ import annotations

import re
from functools import cache

from packaging.utils import NormalizedName, canonicalize_name

from release.acceptance.form_fields import first, project
from release.acceptance.form_rules import the_name_is_valid
from release.acceptance.rule import Refusal, Rule, Upload
from release.core.models.index_contents import OnIndex

# ruff: noqa: ARG001 - every rule takes the upload and the index, whatever it needs of them

_LOOKS_ALIKE = str.maketrans({".": "", "_": "", "-": "", "l": "1", "i": "1", "o": "0"})


def the_new_name_is_valid(upload: Upload, index: OnIndex) -> Refusal | None:
    """The name has the form of a name."""
    if the_name_is_valid(upload, index) is None:
        return None
    return Refusal(rule="the-new-name-is-valid", status=400, text=f"The name {first(upload, 'name')!r} is invalid.")


def the_new_name_is_no_standard_module(upload: Upload, index: OnIndex) -> Refusal | None:
    """No module of any Python's standard library has the name, dotted submodules included."""
    if project(upload) not in standard_modules():
        return None
    text = (
        f"The name {first(upload, 'name')!r} isn't allowed (conflict with Python Standard Library module name). "
        f"See {upload.help('project-name')} for more information."
    )
    return Refusal(rule="the-new-name-is-no-standard-module", status=400, text=text)


def the_new_name_is_free(upload: Upload, index: OnIndex) -> Refusal | None:
    """No project has the name yet."""
    if project(upload) not in index.names:
        return None
    return Refusal(rule="the-new-name-is-free", status=409, text=_text(upload, "conflicts with an existing project"))


def the_new_name_is_not_prohibited(upload: Upload, index: OnIndex) -> Refusal | None:
    """The administrators of the index have not locked the name."""
    if project(upload) not in index.prohibited:
        return None
    return Refusal(rule="the-new-name-is-not-prohibited", status=400, text=_text(upload, "isn't allowed"))


def the_new_name_is_unlike_the_others(upload: Upload, index: OnIndex) -> Refusal | None:
    """No project's name looks like it: `.`, `_`, `-` do not count, `l`, `i`, `1` are one, and so are `o`, `0`."""
    shape = look(first(upload, "name"))
    if not any(look(name) == shape for name in index.names):
        return None
    text = _text(upload, "is too similar to an existing project")
    return Refusal(rule="the-new-name-is-unlike-the-others", status=400, text=text)


def _text(upload: Upload, what: str) -> str:
    return f"The name {first(upload, 'name')!r} {what}. See {upload.help('project-name')} for more information."


def look(name: str) -> str:
    """What of a name the index compares to find similar ones."""
    return name.lower().translate(_LOOKS_ALIKE)


@cache
def standard_modules() -> frozenset[NormalizedName]:
    """Normalised names of all modules of all Pythons that stdlib-list knows, with their packages."""
    from stdlib_list import short_versions, stdlib_list

    modules = {module for version in short_versions for module in stdlib_list(version)}
    parents = {module[: dot.start()] for module in modules for dot in re.finditer(r"\.", module)}
    return frozenset(canonicalize_name(module.strip("-_.")) for module in modules | parents)


NEW_NAME: tuple[Rule, ...] = (
    the_new_name_is_valid,
    the_new_name_is_no_standard_module,
    the_new_name_is_free,
    the_new_name_is_not_prohibited,
    the_new_name_is_unlike_the_others,
)
