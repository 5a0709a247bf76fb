"""The access to an index, checked before a release: the credential, what the index has, attestations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from release.adapters.system.system import System
from release.checks import credential_checks, credential_remedies, engine
from release.core.config import Config
from release.core.events import Observer
from release.core.facts import Access, GitState, Source
from release.core.models import check_result
from release.core.models.check_result import Outcome
from release.core.models.credential import Credential
from release.core.plan import SANDBOX, Plan, Upload
from release.credentials import verify
from release.publishing import attest


def check_access(  # noqa: PLR0913 - an index, and the environment of the run
    system: System,
    config: Config,
    name: str,
    source: Source,
    *,
    ours: frozenset[str],
    directory: Path,
    credential: Credential | None,
    plan: Plan,
    notify: Observer,
    offline: bool = False,
) -> tuple[Access, tuple[Outcome, ...]]:
    """The access to the index called `name`, and the outcomes of its checks.

    `ours`: SHA-256 of files that this release has built; `credential` replaces the one of the sources. `plan`: that of
    the run, which may upload to this index. `offline`: the index is not asked, and what depends on it not checked.
    """
    facts = verify.collect_access(
        system, config.index(name), source.project, waive=config.waive, credential=credential, ours=ours,
        directory=directory, exchange=config.exchange != "never", new_project=plan.new_project,
        keep=any(step.index == name for step in plan.irreversible), notify=notify,
        offline=offline,
    )  # fmt: skip
    branch = source.git.branch if isinstance(source.git, GitState) else None
    facts = replace(facts, branch=branch, maintenance_branches=config.maintenance_branches)
    if not offline:
        facts = attest.predict_signing(system, config, facts)
    checks = credential_checks.CHECKS + credential_checks.OF_SIGNING
    return facts, tuple(engine.run(checks, facts, waive=config.waive, block=config.block, subject=name))


def may_renew(plan: Plan, earlier: Iterable[Outcome], outcomes: Iterable[Outcome]) -> bool:
    """Whether a new credential removes all that stops a run which uploads: `outcomes`, as no `earlier` one stops it."""
    uploads = any(isinstance(step, Upload) and step.index != SANDBOX for step in plan.steps)
    if not (plan.strict and uploads) or any(one.state.blocks for one in earlier):
        return False
    causes = check_result.blocking_causes(outcomes)
    return bool(causes) and all(map(credential_remedies.is_fixed_by_new_token, causes))
