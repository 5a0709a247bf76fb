"""Checks of a wheel's contents: an installer accepts a wheel that installs nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.utils import canonicalize_name

from release.checks.distribution_reader import inspect_built_files
from release.checks.engine import Checklist, quote_some
from release.core import module_names
from release.core.facts import BuiltFiles
from release.core.lazy_pattern import lazy_pattern
from release.core.models.check_result import Finding, NotApplicable, Observation
from release.core.models.distribution import InspectedFile

#: installed as scripts, data and headers. Source: the wheel specification, "The .data directory"
_DATA = lazy_pattern(r"^[^/]+\.data/(?:scripts|data|headers)/.")
_MODULES = lazy_pattern(r"^[^/]+\.data/(?:purelib|platlib)/")
_CODE = lazy_pattern(r"\.(?:pyi?|pyc|pth|so|pyd|dll|dylib|js|exe)$|/py\.typed$")

CHECKS = Checklist[BuiltFiles]()


@CHECKS.check()
def the_wheel_has_something_to_import(built: BuiltFiles) -> Iterator[Observation]:
    """The wheel has something to import or to run.

    A build backend that finds no package builds a wheel without one, and every installer accepts it. A wheel that
    only requires other projects is complete if its source has no package either.
    """
    source = sorted(_source_modules(built))
    wheels = [one for one in inspect_built_files(built) if one.is_wheel]
    if not wheels:
        yield NotApplicable(reason="there is no wheel")
    for one in wheels:
        if not one.metadata or _has_code(one):
            continue
        requires = one.fields.get("requires_dist", ())
        if not source and (requires or _has_data(one)):
            what = "it only requires other projects" if requires else "it has data only"
            yield NotApplicable(reason=f"{one.filename} has nothing to import or run: {what}")
            continue
        missing = f"; {quote_some(source)} {'is' if len(source) == 1 else 'are'} not in it" if source else ""
        yield Finding(
            message=f"{one.filename!r} has nothing to import or run{missing}",
            remedy="name the project's packages or modules in the build backend's configuration (setuptools: packages, "
            "py-modules or package-dir; hatchling: packages or only-include; poetry: packages), and build again",
        )


def _has_code(wheel: InspectedFile) -> bool:
    own = canonicalize_name(wheel.name)
    paths = [name for name in _payload(wheel) if _is_own(name, own) or _DATA.match(name)]
    return bool(wheel.entry_points.strip()) or any(_DATA.match(name) or _CODE.search(name) for name in paths)


def _has_data(wheel: InspectedFile) -> bool:
    """Whether there is data in a directory; a README or a license at the top is none."""
    own = canonicalize_name(wheel.name)
    return any("/" in name and _is_own(name, own) for name in _payload(wheel))


def _payload(wheel: InspectedFile) -> list[str]:
    names = (_MODULES.sub("", name) for name, _ in wheel.members if not name.endswith("/"))
    return [name for name in names if not name.partition("/")[0].endswith((".dist-info", ".egg-info"))]


def _is_own(path: str, own: str) -> bool:
    """Whether a path is not that of tests, documentation or a setup.py; a project may be called "docs"."""
    top = path.partition("/")[0].partition(".")[0]
    return top not in module_names.NOT_API or canonicalize_name(top) == own


def _source_modules(built: BuiltFiles) -> set[str]:
    """The project's modules in git, or else in the sdist: those in src, of its name, or in a top-level package."""
    paths: Iterable[str] = built.source_tree.tracked if built.source_tree else ()
    files = inspect_built_files(built)
    names = {canonicalize_name(one.name) for one in files if one.name}
    if built.source_tree is None:
        sdists = (one for one in files if not one.is_wheel)
        paths = {name.partition("/")[2] for one in sdists for name, _ in one.members}
    python = {path for path in paths if path.endswith(".py")}
    packages = {path.split("/")[0] for path in python if path.count("/") == 1 and path.endswith("/__init__.py")}
    packages -= module_names.NOT_API
    return {
        path
        for path in python
        if path.startswith("src/")
        or canonicalize_name(path.partition("/")[0].removesuffix(".py")) in names
        or path.partition("/")[0] in packages
    }
