"""The wheel and the sdist compared with what git has of the project."""

from __future__ import annotations

import configparser
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from msgspec import Struct

from release.checks.distribution_reader import inspect_built_files
from release.checks.engine import Checklist, quote_some, warn
from release.checks.import_scan import find_importers
from release.checks.shipping_remedies import how_to_ship_data, how_to_ship_module
from release.checks.source_layout import Layout, MissingFile, find_layout
from release.checks.unshipped_files import excludes, is_development_file, is_excluded, is_test
from release.core.facts import BuiltFiles
from release.core.models.check_result import Finding, NotApplicable, Observation
from release.core.models.distribution import InspectedFile
from release.core.models.source_tree import SourceTree

OF_GIT = Checklist[BuiltFiles]()
_SOURCE = "https://packaging.python.org/en/latest/discussions/src-layout-vs-flat-layout/"
_SCRIPTS = ("console_scripts", "gui_scripts")


class _Comparison(Struct, frozen=True, kw_only=True):
    """One wheel against git."""

    wheel: InspectedFile
    tree: SourceTree
    layout: Layout
    #: below its packages and not left out on purpose
    missing: tuple[MissingFile, ...]
    #: left out of the sdist only, from which the wheel is built
    left_out: tuple[MissingFile, ...]
    #: the outermost sub-packages without any file in the wheel
    sub_packages: tuple[MissingFile, ...]
    #: dotted name → the importing file in the wheel, for modules that git has
    imported: Mapping[str, str]


def _compare(built: BuiltFiles) -> _Comparison | None:
    """The comparison of the wheel; None without a repository or a wheel."""
    tree = built.source_tree
    wheel = next((one for one in inspect_built_files(built) if one.is_wheel and one.members), None)
    if tree is None or wheel is None:
        return None
    if isinstance(built.cache.comparison, _Comparison):
        return built.cache.comparison
    layout = find_layout((path for path, _ in wheel.members), tree.tracked)
    settings = tree.backend
    kept = tuple(one for one in layout.missing if not excludes(settings, one.source, one.installed))
    shown = tuple(one for one in kept if not is_development_file(one.inside) and not _is_needless(one, layout))
    only_sdist = tree.backend.excluded_from_sdist
    left_out = tuple(one for one in shown if is_excluded(one.source, one.installed, only_sdist))
    shown = tuple(one for one in shown if one not in left_out)
    sub_packages = tuple(_sub_packages(shown, tree.tracked, layout))
    candidates = {
        _dotted(one.installed): one for one in kept if one.installed.endswith(".py") and not is_test(one.inside)
    }
    wanted = {*candidates, *_at_the_top(layout, tree, wheel)}
    imported: Mapping[str, str] = {}
    if wanted:
        for file in built.files:
            if file.filename == wheel.filename:
                with file.open() as stream:
                    imported = find_importers(stream, wanted)
    comparison = _Comparison(
        wheel=wheel, tree=tree, layout=layout, missing=shown, left_out=left_out, sub_packages=sub_packages,
        imported=imported,
    )  # fmt: skip
    built.cache.comparison = comparison
    return comparison


def reported_as_missing(built: BuiltFiles) -> frozenset[str]:
    """The paths in the wheel of all files that are reported here, because git has them and the wheel has not."""
    comparison = _compare(built)
    return (
        frozenset(one.installed for one in (*comparison.missing, *comparison.left_out)) if comparison else frozenset()
    )


def _is_needless(one: MissingFile, layout: Layout) -> bool:
    """Sources of translations that are shipped compiled, and stubs of a package without type information."""
    if one.source.endswith(".po"):
        return any(path.endswith(".mo") for path in layout.installed)
    if one.source.endswith(".pyi"):
        return not any(path.endswith("/py.typed") for path in layout.installed)
    return False


def _dotted(path: str) -> str:
    return path.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")


def _sub_packages(missing: Iterable[MissingFile], tracked: frozenset[str], layout: Layout) -> Iterator[MissingFile]:
    """The `__init__.py` of each outermost missing sub-package, all of whose parents are packages."""
    found: list[str] = []
    directories = {path.rpartition("/")[0] for path in layout.installed}
    for one in missing:
        directory = one.installed.removesuffix("/__init__.py")
        if directory == one.installed or not all(part.isidentifier() for part in directory.split("/")):
            continue
        shipped = any(each == directory or each.startswith(f"{directory}/") for each in directories)
        inner = any(directory.startswith(f"{each}/") for each in found)
        if shipped or inner or not _parents_are_packages(one, tracked):
            continue
        found.append(directory)
        yield one


def _parents_are_packages(one: MissingFile, tracked: frozenset[str]) -> bool:
    parent = one.source.removesuffix("/__init__.py").rpartition("/")[0]
    depth = one.inside.count("/") - 1
    for _ in range(depth):
        if f"{parent}/__init__.py" not in tracked:
            return False
        parent = parent.rpartition("/")[0]
    return True


def _at_the_top(layout: Layout, tree: SourceTree, wheel: InspectedFile) -> set[str]:
    """Modules and packages next to those of the wheel, which the wheel does not have."""
    from packaging.utils import canonicalize_name

    required = set(map(canonicalize_name, _requirement_names(wheel)))
    found = set()
    for top in layout.tops:
        start = f"{top}/" if top else ""
        for path in tree.tracked:
            inside = path[len(start) :] if path.startswith(start) else ""
            name = inside.removesuffix("/__init__.py").removesuffix(".py")
            if name == inside or "/" in name or not name.isidentifier() or is_test(inside):
                continue
            known = name in sys.stdlib_module_names or canonicalize_name(name) in required
            if not known and not layout.has_module(name) and not excludes(tree.backend, path, inside):
                found.add(name)
    return found


def _requirement_names(wheel: InspectedFile) -> Iterator[str]:
    for text in wheel.fields.get("requires_dist", ()):
        if found := re.match(r"\s*([\w.-]+)", text):
            yield found[1]


@OF_GIT.check()
def the_wheel_has_every_sub_package(built: BuiltFiles) -> Iterator[Observation]:
    """The wheel has every sub-package that git has below its packages.

    What the configuration of the build backend leaves out explicitly does not count, nor do tests, documentation,
    examples and development tools.
    """
    found = _compare(built)
    if found is None:
        yield _nothing_to_compare(built)
        return
    for one in found.sub_packages:
        source = one.source.removesuffix("/__init__.py")
        installed = one.installed.removesuffix("/__init__.py")
        yield Finding(
            message=f"git has the sub-package {source!r}, the wheel {found.wheel.filename!r} does not",
            remedy=f"{how_to_ship_module(found.tree.backend, installed, source)}; if it is left out on purpose, "
            'accept it in pyproject.toml: [tool.release.waive] the-wheel-has-every-sub-package = "your reason"',
            source=_SOURCE,
        )


@OF_GIT.check()
def the_wheel_has_what_it_imports(built: BuiltFiles) -> Iterator[Observation]:
    """The wheel has the modules of the project that it imports.

    Imports under a condition, or in a `try` that expects them to fail, do not count.
    """
    found = _compare(built)
    if found is None:
        yield _nothing_to_compare(built)
        return
    reported = {_dotted(one.installed) for one in found.sub_packages}
    for name, user in sorted([*found.imported.items(), *_scripts(found)]):
        if any(name == one or name.startswith(f"{one}.") for one in reported):
            continue
        reported.add(name)
        source = _source_of(name, found)
        if source is None:
            continue
        installed = name.replace(".", "/") + (".py" if source.endswith(".py") else "")
        yield Finding(
            message=f"git has {source!r}, which {user} imports, the wheel {found.wheel.filename!r} does not have it",
            remedy=how_to_ship_module(found.tree.backend, installed, source),
        )


def _scripts(found: _Comparison) -> Iterator[tuple[str, str]]:
    """Module of a console script that is not in the wheel, and the script."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign] # the documented way to keep upper case
    with suppress(UnicodeDecodeError, configparser.Error):
        parser.read_string(found.wheel.entry_points.decode())
    for group in filter(parser.has_section, _SCRIPTS):
        for name, target in parser.items(group):
            module = target.partition(":")[0].partition("[")[0].strip()
            if module and not found.layout.has_module(module):
                yield module, f"the script {name!r}"


def _source_of(dotted: str, found: _Comparison) -> str | None:
    """The path of a module or package in the project: with ".py", or a directory; None where git has none."""
    path = dotted.replace(".", "/")
    for start in sorted({f"{top}/" if top else "" for top in found.layout.tops} | {""}, reverse=True):
        if f"{start}{path}/__init__.py" in found.tree.tracked:
            return f"{start}{path}"
        if f"{start}{path}.py" in found.tree.tracked:
            return f"{start}{path}.py"
    for one in found.layout.missing:
        if _dotted(one.installed) == dotted:
            return one.source.removesuffix("/__init__.py")
    return None


@OF_GIT.check()
def the_wheel_has_what_git_has(built: BuiltFiles) -> Iterator[Observation]:
    """The wheel has the modules, data and py.typed that git has below its packages.

    What the configuration of the build backend leaves out explicitly does not count, nor do tests, documentation,
    examples, notes, and the sources of compiled code.
    """
    found = _compare(built)
    if found is None:
        yield _nothing_to_compare(built)
        return
    gone = tuple(one.installed.removesuffix("__init__.py") for one in found.sub_packages)
    rest = [
        one
        for one in found.missing
        if not one.installed.startswith(gone or ("//",)) and _dotted(one.installed) not in found.imported
    ]
    settings, filename = found.tree.backend, found.wheel.filename
    typed = [one for one in rest if one.source.endswith("/py.typed")]
    if typed:
        names = quote_some([one.source for one in typed])
        message = f"git has {names}, the wheel does not: type checkers ignore the annotations of the package"
        yield warn(message, how_to_ship_data(settings, typed), filename)
    modules = [one for one in rest if one.source.endswith(".py")]
    if modules:
        first = modules[0]
        names = quote_some([one.source for one in modules])
        remedy = how_to_ship_module(settings, first.installed, first.source)
        yield warn(f"modules that git has are not in the wheel: {names}", _or_exclude(remedy), filename)
    data = [one for one in rest if one not in typed and one not in modules]
    if data:
        names = quote_some([one.source for one in data])
        remedy = how_to_ship_data(settings, data)
        yield warn(f"files that git has are not in the wheel: {names}", _or_exclude(remedy), filename)


def _or_exclude(remedy: str) -> str:
    return f"if users need it, {remedy}"


@OF_GIT.check()
def the_sdist_has_what_git_has(built: BuiltFiles) -> Iterator[Observation]:
    """The sdist has what its wheel needs, and no file that git does not know.

    Files that the build makes, that git ignores, or that are reached through a tracked link are no stray files.
    """
    tree = built.source_tree
    if tree is None:
        yield _nothing_to_compare(built)
        return
    found = _compare(built)
    for sdist in inspect_built_files(built):
        if sdist.is_wheel:
            continue
        contained = {path.partition("/")[2] for path, _ in sdist.members}
        if stray := sorted(contained & tree.untracked):
            message = f"in the sdist, but not tracked by git: {quote_some(stray)}"
            yield warn(message, "add it to git, or exclude it from the sdist", sdist.filename)
        left_out = [one.source for one in (found.left_out if found else ()) if one.source not in contained]
        if left_out:
            message = f"excluded from the sdist only, so the wheel built from it lacks it too: {quote_some(left_out)}"
            yield warn(message, "exclude it from the wheel too, or from neither", sdist.filename)


def _nothing_to_compare(built: BuiltFiles) -> NotApplicable:
    without = "repository" if built.source_tree is None else "wheel"
    return NotApplicable(reason=f"there is no {without} to compare with")
