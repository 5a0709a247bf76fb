"""What a build has installed, compared with what the project pins."""

from __future__ import annotations

from collections.abc import Iterator

from release.checks.engine import Checklist, quote_some, warn
from release.core.build_constraints import write_command
from release.core.facts import BuiltFiles
from release.core.models.build_requirement import BuildEnvironments
from release.core.models.check_result import Finding, NotApplicable, Observation

#: ids in the catalog of failures
UNPINNED = "build.unpinned"
#: why a check does not apply
NOT_SET = "tool.release.build-constraints is not set"

OF_BUILD = Checklist[BuiltFiles]()


@OF_BUILD.check()
def the_build_was_pinned(built: BuiltFiles) -> Iterator[Observation]:
    """The files were built with pinned requirements only.

    The installer enforces the hashes. Its build is compared with the constraints, because a backend can ask for
    requirements that no file of the project states.
    """
    wanted = built.pinned_build
    if wanted is None:
        yield NotApplicable(reason=NOT_SET)
        return
    file, required = wanted
    if built.given:
        reason = "they were built elsewhere: what was installed for their build is not known here"
        if required:
            yield warn(reason, "build them with `pypi-preflight build`, which refuses what is not pinned")
        else:
            yield NotApplicable(reason=reason)
        return
    found: BuildEnvironments | None = built.build_environments
    if found is None:
        yield pin_finding(
            "what was installed for their build was not recorded: an earlier version built them",
            "move the files out of the directory of the release, which `pypi-preflight status` names, then run the "
            "same command again",
            required=required,
        )
    elif found.unpinned:
        yield pin_finding(
            f"the build installed requirements that no hash pins: {quote_some(found.unpinned)}",
            f"write the constraints again: {write_command(file)}",
            required=required,
        )


def pin_finding(message: str, remedy: str, *, required: bool, where: str | None = None) -> Finding:
    """A finding about what is not pinned; it blocks if `require-pinned-build` is set."""
    if not required:
        return warn(message, remedy, where, cause=UNPINNED)
    return Finding(message=message, remedy=remedy, where=where, cause=UNPINNED)
