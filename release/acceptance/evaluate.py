"""Every refusal of a file, not only the first that the index would give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from release.acceptance.archive_rules import ARCHIVE
from release.acceptance.description_rules import DESCRIPTION
from release.acceptance.file_rules import FILE, OUTSIDE
from release.acceptance.form_rules import FORM, metadata_refusals, the_metadata_is_valid, the_name_is_valid
from release.acceptance.name_rules import NEW_NAME, the_new_name_is_valid
from release.acceptance.rule import FileUpload, Refusal, Rule
from release.acceptance.wheel_rules import the_wheel_has_its_metadata
from release.core.models.index_contents import IndexContents


def all_refusals(upload: FileUpload, index: IndexContents) -> Iterator[Refusal]:
    """Each refusal, in the index's order; the first is the one it would respond with."""
    for rule in _applicable(upload, index):
        if rule is the_metadata_is_valid:
            yield from metadata_refusals(upload)
        elif (refusal := rule(upload, index)) is not None:
            yield refusal


def _applicable(upload: FileUpload, index: IndexContents) -> Iterable[Rule]:
    """The rules that apply.

    Rules on new names apply only where the index does not have the project. A file without readable metadata, or
    without a name in it, is checked from outside and as an archive; the other rules would only repeat that.
    """
    if not upload.value("name"):
        named = (the_name_is_valid,) if upload.value("metadata_version") else ()
        return (*named, *OUTSIDE, *ARCHIVE, the_wheel_has_its_metadata)
    known = bool(index.files) or upload.project in index.names
    # FORM has reported an invalid name already
    new = (rule for rule in NEW_NAME if rule is not the_new_name_is_valid and not known)
    return (*FORM, *new, *DESCRIPTION, *FILE)
