"""What else can be learnt of an index by reading it: whether a new name can be had, and whose clock is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from release.checks.engine import Check, check
from release.checks.index_state import the_index_answers
from release.core.facts import Access, ProjectMetadata
from release.core.models.finding import Finding, NotApplicable, Observation, Unknown
from release.core.models.project_name import normalize_name

#: how far the two clocks may be apart
_APART = timedelta(seconds=60)
_CAUSES = {
    "the-new-name-is-valid": "name.invalid",
    "the-new-name-is-no-standard-module": "name.stdlib",
    "the-new-name-is-unlike-the-others": "name.too-similar",
}


@check(needs=(the_index_answers,))
def the_new_name_can_be_had(access: Access) -> Iterator[Observation]:
    """The name is the project's, or looks free.

    By the index's own rules. Which names its administrators have locked is not published.
    Source: warehouse, `packaging/services.py`.
    """
    if access.listing is not None or not isinstance(access.project, ProjectMetadata):
        yield NotApplicable(reason="the project is on the index already")
    elif access.index.kind != "warehouse":
        yield NotApplicable(reason="an index of kind 'other' has rules of its own")
    elif isinstance(access.alike, Unknown):
        yield access.alike
    else:
        yield from _refused_name(access, access.project.name)


def _refused_name(access: Access, name: str) -> Iterator[Finding]:
    from release.acceptance import name_rules
    from release.acceptance.rule import Upload, first_refusal
    from release.core.models.index_contents import OnIndex
    from release.diagnostics import remedy_for

    alike = access.alike if isinstance(access.alike, tuple) else ()
    site = access.index.simple_url.removesuffix("/simple/")
    refusal = first_refusal(
        (
            name_rules.the_new_name_is_valid,
            name_rules.the_new_name_is_no_standard_module,
            name_rules.the_new_name_is_unlike_the_others,
        ),
        Upload(fields={"name": (name,)}, site=site),
        OnIndex(now=access.now, names=frozenset(map(normalize_name, alike))),
    )
    if refusal is None:
        return
    like = f" ({', '.join(map(repr, alike))})" if refusal.rule == "the-new-name-is-unlike-the-others" else ""
    what = {
        "the-new-name-is-valid": f"{name!r} has no form that a project's name may have",
        "the-new-name-is-no-standard-module": f"{name!r} is the name of a module of the standard library",
        "the-new-name-is-unlike-the-others": f"{name!r} looks like a project that {access.index.name} has{like}",
    }[refusal.rule]
    yield Finding(
        message=what,
        remedy=remedy_for(refusal.text, status=refusal.status, values={"upload_url": access.index.upload_url}),
        where=access.index.name,
        server_text=refusal.text,
        cause=_CAUSES[refusal.rule],
    )


@check(needs=(the_index_answers,))
def the_clocks_agree(access: Access) -> Iterator[Observation]:
    """This machine's clock and the index's agree, to a minute.

    What expires, expires by the index's clock; a token made by trusted publishing lives 15 minutes.
    """
    if access.skew is None:
        yield NotApplicable(reason="the index's clock was not asked")
    elif abs(access.skew) > _APART:
        seconds = round(abs(access.skew).total_seconds())
        how = "behind" if access.skew > timedelta() else "ahead of"
        yield Finding(
            message=f"this machine's clock is {seconds} s {how} the clock of {access.index.name}",
            remedy="set this machine's clock, by NTP for instance; then run it again",
            severity="warn",
            where=access.index.name,
        )


CHECKS: tuple[Check[Access], ...] = (the_new_name_can_be_had, the_clocks_agree)
