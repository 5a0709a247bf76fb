"""Everything that the index would say against a file, not only the first thing."""

from __future__ import annotations

from collections.abc import Iterator

from release.acceptance.archive_rules import ARCHIVE
from release.acceptance.description_rules import DESCRIPTION
from release.acceptance.file_rules import FILE, OUTSIDE
from release.acceptance.form_fields import first, project
from release.acceptance.form_rules import FORM, the_metadata_is_valid, the_name_is_valid
from release.acceptance.metadata_rules import problems
from release.acceptance.name_rules import NEW_NAME, the_new_name_is_valid
from release.acceptance.rule import Refusal, Rule, Upload
from release.acceptance.wheel_rules import the_wheel_has_its_metadata
from release.core.models.index_contents import OnIndex


def judge(upload: Upload, index: OnIndex) -> Iterator[Refusal]:
    """Each refusal, in the index's order; the first is what it would answer."""
    for rule in _rules(upload, index):
        if rule is the_metadata_is_valid:
            yield from (problem.refusal() for problem in problems(upload))
        elif (refusal := rule(upload, index)) is not None:
            yield refusal


def _rules(upload: Upload, index: OnIndex) -> tuple[Rule, ...]:
    """The rules that apply.

    Those about new names only where the index does not have the project; a file without readable
    metadata, or without a name in it, is judged from outside and as an archive: the rest would only repeat that.
    """
    if not first(upload, "name"):
        said = (the_name_is_valid,) if first(upload, "metadata_version") else ()
        return (*said, *OUTSIDE, *ARCHIVE, the_wheel_has_its_metadata)
    known = bool(index.files) or project(upload) in index.names
    new = tuple(rule for rule in NEW_NAME if rule is not the_new_name_is_valid and not known)  # FORM has said that
    return FORM + new + DESCRIPTION + FILE
