"""The result of confirming a published release."""

from __future__ import annotations

from dataclasses import dataclass

from release.core.errors import Exit
from release.core.facts import InstallTrial, PublishedRelease
from release.core.models.check_result import Outcome, blocking_problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The result of `confirm`."""

    release: PublishedRelease
    outcomes: tuple[Outcome, ...]
    #: path of the record that it was compared with; None if there was none
    record: str | None

    @property
    def exit(self) -> Exit:
        return Exit.REFUSED if any(one.state.blocks for one in self.outcomes) else Exit.DONE

    @property
    def message(self) -> str:
        published = self.release
        release = f"{published.project.name} {published.project.version} on {published.index.name}"
        problem = blocking_problem(self.outcomes)
        if problem:
            return f"{release} is not confirmed: {problem.message}"
        compared = "as recorded" if published.recorded else "as the index lists them, without a record"
        installed = [
            kind
            for kind, tried in (("wheel", published.wheel), ("sdist", published.sdist))
            if isinstance(tried, InstallTrial)
        ]
        return (
            f"{release} is confirmed: {len(published.files)} file{'s' if len(published.files) > 1 else ''} {compared}; "
            f"{' and '.join(installed)} installed"
        )

    @property
    def remedy(self) -> str:
        problem = blocking_problem(self.outcomes)
        return problem.remedy if problem else ""
