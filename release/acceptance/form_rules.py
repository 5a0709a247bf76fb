"""What the index asks of the form itself, before it looks at any project.

Source: warehouse, `forklift/legacy.py` and `forklift/forms.py`.
"""

from __future__ import annotations

import re

from release.acceptance.form_fields import first, read
from release.acceptance.metadata_rules import CORE_METADATA, problems
from release.acceptance.rule import Refusal, Rule, Upload
from release.core.models.index_contents import OnIndex
from release.core.models.project_name import is_project_name

# ruff: noqa: ARG001 - every rule takes the upload and the index, whatever it needs of them

_DIGEST = re.compile(r"[A-F0-9]{64}$", re.IGNORECASE)
_REQUIRED = "This field is required."
#: longer values are shown by both ends
_SHOWN, _END = 60, 30


def the_protocol_version_is_known(upload: Upload, index: OnIndex) -> Refusal | None:
    """`protocol_version` is 1 where it is given."""
    if read(upload).get("protocol_version", ("1",))[-1] == "1":
        return None
    return Refusal(rule="the-protocol-version-is-known", status=400, text="Unknown protocol version.")


def the_name_is_valid(upload: Upload, index: OnIndex) -> Refusal | None:
    """The form names a project, with ASCII letters and digits and `.`, `_`, `-` between them."""
    name = first(upload, "name")
    if is_project_name(name):
        return None
    error = "Start and end with a letter or numeral containing only ASCII numeric and '.', '_' and '-'."
    shown = f"{name[:_END]}...{name[-_END:]}" if len(name) > _SHOWN else name
    text = f"{shown!r} is an invalid value for Name. Error: {error if name else _REQUIRED} {CORE_METADATA}"
    return Refusal(rule="the-name-is-valid", status=400, text=text)


def a_digest_is_given(upload: Upload, index: OnIndex) -> Refusal | None:
    """At least one of the three digests is there."""
    if any(first(upload, name) for name in ("md5_digest", "sha256_digest", "blake2_256_digest")):
        return None
    return Refusal(rule="a-digest-is-given", status=400, text="Error: Include at least one message digest.")


def the_blake2_digest_is_hex(upload: Upload, index: OnIndex) -> Refusal | None:
    """`blake2_256_digest` is 64 hex digits where it is given."""
    return _digest(upload, "blake2_256_digest", "BLAKE2", "the-blake2-digest-is-hex")


def the_file_type_is_known(upload: Upload, index: OnIndex) -> Refusal | None:
    """`filetype` is one of the two that are still taken."""
    filetype = first(upload, "filetype")
    if filetype in {"sdist", "bdist_wheel"}:
        return None
    error = "Use a known file type." if filetype else _REQUIRED
    return Refusal(rule="the-file-type-is-known", status=400, text=f"Invalid value for filetype. Error: {error}")


def the_python_version_fits_the_file_type(upload: Upload, index: OnIndex) -> Refusal | None:
    """A wheel says for which Python it is; an sdist says `source`, or nothing."""
    filetype, pyversion = first(upload, "filetype"), first(upload, "pyversion")
    error = None
    if filetype and filetype != "sdist" and not pyversion:
        error = "Python version is required for binary distribution uploads."
    elif filetype == "sdist" and pyversion not in {"", "source"}:
        error = "Use 'source' as Python version for an sdist."
    if error is None:
        return None
    text = f"Invalid value for pyversion. Error: {error}"
    return Refusal(rule="the-python-version-fits-the-file-type", status=400, text=text)


def the_sha256_digest_is_hex(upload: Upload, index: OnIndex) -> Refusal | None:
    """`sha256_digest` is 64 hex digits where it is given."""
    return _digest(upload, "sha256_digest", "SHA256", "the-sha256-digest-is-hex")


def _digest(upload: Upload, field: str, what: str, rule: str) -> Refusal | None:
    value = first(upload, field)
    if not value.strip() or _DIGEST.match(value):
        return None
    text = f"Invalid value for {field}. Error: Use a valid, hex-encoded, {what} message digest."
    return Refusal(rule=rule, status=400, text=text)


def the_metadata_is_valid(upload: Upload, index: OnIndex) -> Refusal | None:
    """The core metadata in the form holds to its specification and to the index's own rules."""
    return next((problem.refusal() for problem in problems(upload)), None)


def the_form_has_a_file(upload: Upload, index: OnIndex) -> Refusal | None:
    """There is a `content` part."""
    if upload.content is not None:
        return None
    return Refusal(rule="the-form-has-a-file", status=400, text="Upload payload does not have a file.")


#: in the index's order: it names the project first, then reports by field name
FORM: tuple[Rule, ...] = (
    the_protocol_version_is_known,
    the_name_is_valid,
    a_digest_is_given,
    the_blake2_digest_is_hex,
    the_file_type_is_known,
    the_python_version_fits_the_file_type,
    the_sha256_digest_is_hex,
    the_metadata_is_valid,
    the_form_has_a_file,
)
