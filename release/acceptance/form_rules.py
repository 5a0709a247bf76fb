"""Rules on the upload form itself, and on the name of a project that the index does not have yet.

Source: warehouse, `forklift/legacy.py`, `forklift/forms.py` and `packaging/services.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pkgutil import get_data

from msgspec.structs import replace
from packaging.utils import NormalizedName

from release.acceptance.metadata_rules import invalid_fields
from release.acceptance.rule import CORE_METADATA, METADATA, NEW_NAMES, Advice, FileUpload, Refusal, Rules, server_error
from release.acceptance.server_reference import SERVER
from release.acceptance.warehouse_metadata_rules import SEE_CORE_METADATA
from release.core.lazy_pattern import lazy_pattern
from release.core.models.index import IndexContents, is_project_name

# ruff: noqa: ARG001 - every rule takes the upload and the index, whichever it needs

_DIGEST = lazy_pattern(r"[A-F0-9]{64}$", re.IGNORECASE)
_REQUIRED = "This field is required."
#: longer values are abbreviated to both ends
_LONGEST, _END = 60, 30

#: in the index's order: the project's name first, then by field name, then what concerns several fields
FORM = Rules(METADATA)


@FORM.rule(remedy="send protocol_version 1")
def the_protocol_version_is_known(upload: FileUpload, index: IndexContents) -> str | None:
    """`protocol_version` is 1 if given."""
    known = upload.cleaned.get("protocol_version", ("1",))[-1] == "1"
    return None if known else "Unknown protocol version."


@FORM.rule(remedy="use ASCII letters and digits with '.', '_' and '-' between them", source=f"{CORE_METADATA}#name")
def the_name_is_valid(upload: FileUpload, index: IndexContents) -> str | None:
    """The form names a project, in ASCII letters and digits with `.`, `_`, `-` between them."""
    name = upload.value("name")
    if is_project_name(name):
        return None
    error = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
    short = f"{name[:_END]}...{name[-_END:]}" if len(name) > _LONGEST else name
    return f"{short!r} is an invalid value for Name. Error: {error if name else _REQUIRED} {SEE_CORE_METADATA}"


@FORM.rule(remedy="send 64 hex digits")
def the_blake2_digest_is_hex(upload: FileUpload, index: IndexContents) -> str | None:
    """`blake2_256_digest` is 64 hex digits if given."""
    return _digest(upload, "blake2_256_digest", "BLAKE2")


@FORM.rule(remedy="publish an sdist or a wheel", cause="file.type")
def the_file_type_is_known(upload: FileUpload, index: IndexContents) -> str | None:
    """`filetype` is one of the two that are still accepted."""
    filetype = upload.value("filetype")
    if filetype in {"sdist", "bdist_wheel"}:
        return None
    error = "Use a known file type." if filetype else _REQUIRED
    return f"Invalid value for filetype. Error: {error}"


@FORM.rule(remedy="send 64 hex digits")
def the_sha256_digest_is_hex(upload: FileUpload, index: IndexContents) -> str | None:
    """`sha256_digest` is 64 hex digits if given."""
    return _digest(upload, "sha256_digest", "SHA256")


@FORM.rule(remedy="rename the wheel to match its tags")
def the_python_version_fits_the_file_type(upload: FileUpload, index: IndexContents) -> str | None:
    """`pyversion` of a wheel is its Python tag; that of an sdist is `source` or absent."""
    filetype, pyversion = upload.value("filetype"), upload.value("pyversion")
    error = None
    if filetype and filetype != "sdist" and not pyversion:
        error = "Python version is required for binary distribution uploads."
    elif filetype == "sdist" and pyversion not in {"", "source"}:
        error = "Use 'source' as Python version for an sdist."
    return f"Invalid value for pyversion. Error: {error}" if error else None


@FORM.rule(remedy="send sha256_digest")
def a_digest_is_given(upload: FileUpload, index: IndexContents) -> str | None:
    """At least one of the three digests is given."""
    given = any(upload.value(name) for name in ("md5_digest", "sha256_digest", "blake2_256_digest"))
    return None if given else "Error: Include at least one message digest."


def _digest(upload: FileUpload, field: str, algorithm: str) -> str | None:
    value = upload.value(field)
    if not value.strip() or _DIGEST.match(value):
        return None
    return f"Invalid value for {field}. Error: Use a valid, hex-encoded, {algorithm} message digest."


@FORM.rule(remedy="correct pyproject.toml and rebuild", source=CORE_METADATA)
def the_metadata_is_valid(upload: FileUpload, index: IndexContents) -> Refusal | None:
    """The core metadata in the form conforms to its specification and to the index's own rules."""
    return next(metadata_refusals(upload), None)


def metadata_refusals(upload: FileUpload) -> Iterator[Refusal]:
    """A refusal for each invalid field, in the order in which the index would report them."""
    for field in invalid_fields(upload):
        advice = Advice(check=METADATA, remedy=field.remedy, cause=field.cause, source=CORE_METADATA)
        if field.server_fails:
            refusal = server_error(f"the index's server fails on the metadata field {field.name!r}")
        else:
            text = field.text if field.text.endswith(".") else f"{field.text}."
            refusal = Refusal(text=f"{text} {field.see}", message=field.message)
        yield replace(refusal, rule="the-metadata-is-valid", advice=advice)


@FORM.rule(remedy="send the file")
def the_form_has_a_file(upload: FileUpload, index: IndexContents) -> str | None:
    """The form has a `content` part."""
    return None if upload.file.content is not None else "Upload payload does not have a file."


_SIMILAR = str.maketrans({".": "", "_": "", "-": "", "l": "1", "i": "1", "o": "0"})
#: prohibited on every index that runs the server's code. Source: warehouse, migration 1e2ccd34f539
_PROHIBITED = frozenset({"requirements-txt", "rrequirements-txt"})
_RENAME = "choose another project name; the help page in the index's message explains why"

NEW_NAME = Rules(NEW_NAMES)


@NEW_NAME.rule(remedy=_RENAME)
def the_new_name_is_valid(upload: FileUpload, index: IndexContents) -> str | None:
    """The name is a valid project name."""
    return None if the_name_is_valid(upload, index) is None else f"The name {upload.value('name')!r} is invalid."


@NEW_NAME.rule(
    remedy="choose another project name; if your project is already on the index, name the index: inspect --index NAME",
    cause="name.stdlib",
)
def the_new_name_is_no_standard_module(upload: FileUpload, index: IndexContents) -> str | None:
    """The name is not that of a standard library module of any Python version, dotted submodules included."""
    if not is_standard_module(upload.project):
        return None
    return _text(upload, "isn't allowed (conflict with Python Standard Library module name)")


@NEW_NAME.rule(remedy=_RENAME, cause="name.taken")
def the_new_name_is_free(upload: FileUpload, index: IndexContents) -> Refusal | None:
    """No project has the name yet."""
    if upload.project not in index.names:
        return None
    return Refusal(status=409, text=_text(upload, "conflicts with an existing project"))


@NEW_NAME.rule(remedy=_RENAME, cause="name.prohibited")
def the_new_name_is_not_prohibited(upload: FileUpload, index: IndexContents) -> str | None:
    """Neither the server's code nor the administrators of the index have prohibited the name."""
    return _text(upload, "isn't allowed") if upload.project in index.prohibited | _PROHIBITED else None


@NEW_NAME.rule(remedy=_RENAME, cause="name.too-similar")
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


def is_standard_module(name: NormalizedName) -> bool:
    """Whether the name is one of `standard_modules`, all of which few names need."""
    return all(word in _module_lists() for word in name.split("-")) and name in standard_modules()


@cache
def _module_lists() -> str:
    """The lists that `standard_modules` reads, in lower case: each word of a normalized name is in it as it is."""
    from stdlib_list import short_versions, stdlib_list

    texts = []
    for version in filter(_is_known, short_versions):
        try:  # twice as fast as `stdlib_list`
            data = get_data("stdlib_list", f"lists/{version}.txt")
        except OSError:
            data = None
        texts += stdlib_list(version) if data is None else [data.decode()]
    return "\n".join(texts).lower()


@cache
def standard_modules() -> frozenset[NormalizedName]:
    """Normalized names of the modules of all Python versions up to the server's, and of their packages.

    Source: stdlib-list, which lists each version on every Python.
    """
    from stdlib_list import short_versions, stdlib_list

    known = (version for version in short_versions if _is_known(version))
    modules = new = {"", *chain.from_iterable(map(stdlib_list, known))}
    while new := {module.rpartition(".")[0] for module in new} - modules:
        modules |= new
    modules.discard("")
    # as `canonicalize_name`, which takes a hundred times as long for each on its own
    normalized = re.sub(r"[-_.]+", "-", "\n".join(modules)).lower().split("\n")
    return frozenset(NormalizedName(name.strip("-")) for name in normalized)


def _is_known(python: str) -> bool:
    """Whether the server's stdlib-list has that version of Python, such as "3.14"; a newer one may have more."""
    return [int(part) for part in python.split(".")] <= [int(part) for part in SERVER.python.split(".")]
