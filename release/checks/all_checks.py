"""All checks, by section: for `explain`, for docs/checks.md, and for the names in the configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import CodeType, FunctionType, MappingProxyType, ModuleType
from typing import Any

from release import acceptance, checks
from release.checks.engine import Check
from release.core.lazy_pattern import lazy_pattern

#: heading → the modules of its checks; modules of this package that are not listed come last
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "The project": ("source_checks", "tag_checks"),
    "The credential and the index": (
        "token_checks", "trusted_publishing_checks", "publisher_claims", "token_limit_checks", "index_state",
        "credential_checks",
    ),
    "The files": ("distributions", "build_pins", "archive_warnings", "file_set"),
    "Comparisons": ("source_comparison", "backend_warnings", "reproducibility", "previous_release"),
    "Secrets": ("leak_checks",),
    "After the upload": ("post_upload",),
    "Published releases": ("published_release",),
    "Release sets": ("set_checks",),
    "Token health": ("token_health_checks",),
}  # fmt: skip
_OTHERS = "Further checks"
_CAUSE = lazy_pattern(r"[a-z]+\.[a-z0-9]+(?:-[a-z0-9]+)*")


@cache
def check_sections() -> Mapping[str, tuple[Check[Any], ...]]:
    """Heading → its checks; each public name once, with the first check of that name."""
    sections = dict(_SECTIONS)
    listed = {name for names in sections.values() for name in names}
    rest = tuple(name for name in _modules_of(checks) if name not in listed)
    sections[_OTHERS] = tuple(name for name in rest if f"{checks.__name__}.{name}" != __name__)
    seen: dict[str, str] = {}
    made: dict[str, tuple[Check[Any], ...]] = {}
    for heading, names in sections.items():
        found = {one.name: one for name in names for one in _checks_of(import_module(f"{checks.__name__}.{name}"))}
        made[heading] = tuple(one for name, one in found.items() if seen.setdefault(name, heading) == heading)
    return MappingProxyType({heading: found for heading, found in made.items() if found})


@cache
def checks_by_name() -> Mapping[str, Check[Any]]:
    """Public name → check."""
    return MappingProxyType({one.name: one for found in check_sections().values() for one in found})


def check_names() -> frozenset[str]:
    """The public names of all checks, which `waive` and `checks` of a configuration may contain."""
    return frozenset(checks_by_name())


def is_index_refusal(check: Check[Any]) -> bool:
    """Whether the index refuses what the check reports, so that to waive it does not help."""
    from release.acceptance import rule
    from release.checks.distribution_reader import TWINE

    of_files = {
        rule.METADATA, rule.NEW_NAMES, rule.DESCRIPTIONS, rule.FILE_NAMES, rule.SIZES, rule.NEW_FILES,
        rule.ARCHIVE_CHECK, TWINE,
    }  # fmt: skip
    if check.name == "the-version-is-the-newest-of-its-series":  # which only misleads users
        return False
    return check.name in of_files or check in check_sections()["The credential and the index"]


@cache
def _rule_causes() -> Mapping[str, frozenset[str]]:
    """Name of a check → the causes of the rules of the index that it reports."""
    from release.acceptance.rule import METADATA, Rule

    found: dict[str, set[str]] = {}
    for module in _modules_of(acceptance):
        for value in vars(import_module(f"{acceptance.__name__}.{module}")).values():
            for item in _items(value):
                if isinstance(item, Rule) and item.advice.cause:
                    found.setdefault(item.advice.check, set()).add(item.advice.cause)
                elif not isinstance(item, Rule):  # what the rules about fields of the metadata use
                    ids = set(_texts(item, set()) if isinstance(item, FunctionType) else _ids((item,)))
                    found.setdefault(METADATA, set()).update(id_ for id_ in ids if id_.startswith("meta."))
    return {name: frozenset(causes) for name, causes in found.items()}


def causes_of(check: Check[Any], catalog: Mapping[str, object]) -> tuple[str, ...]:
    """The causes of `catalog` that a check's own module names for it, in the catalog's order."""
    named = _rule_causes().get(check.name, frozenset()) | set(_texts(check.observe, set()))
    return tuple(id_ for id_ in catalog if id_ in named)


def _modules_of(package: ModuleType) -> Iterator[str]:
    """The names of a package's modules."""
    import pkgutil  # which takes 2 ms, and which only the names of all checks need

    return (found.name for found in pkgutil.iter_modules(package.__path__))


def _checks_of(module: ModuleType) -> Iterator[Check[Any]]:
    for value in vars(module).values():
        for item in _items(value):
            if isinstance(item, Check):
                yield item


def _items(value: object) -> Iterable[object]:
    """The values of a registry: a list, a tuple or a mapping; or the value itself."""
    if isinstance(value, Mapping):
        return tuple(value.values())
    return value if isinstance(value, list | tuple) else (value,)


def _texts(function: object, seen: set[str]) -> Iterator[str]:
    """The ids in a function, and in the functions and constants of its module that it uses."""
    if not isinstance(function, FunctionType):
        return
    for code in _codes(function.__code__):
        yield from _ids(code.co_consts)
        for name in code.co_names:
            value = function.__globals__.get(name)
            if name in seen or getattr(value, "__module__", function.__module__) != function.__module__:
                continue
            seen.add(name)
            yield from _texts(value, seen) if isinstance(value, FunctionType) else _ids((value,))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _codes(one)


def _ids(values: tuple[object, ...]) -> Iterator[str]:
    for one in values:
        if isinstance(one, str) and _CAUSE.fullmatch(one):
            yield one
        elif isinstance(one, tuple | frozenset):
            yield from _ids(tuple(one))
