"""What the smoke tests of an installed project show, and how to fix or accept it."""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from release.checks.shipping_remedies import how_to_ship_module
from release.core import module_names
from release.core.models.check_result import Finding, NotApplicable, Note, Observation
from release.core.models.smoke_test import ExceptionLink, SmokeTestAttempt, SmokeTestResult, TestedProject
from release.core.models.source_tree import SourceTree

_INCLUDE = "include it by the build backend's configuration"
_TRY_AGAIN = "install the wheel into a new environment, run it there, fix the project and build again"
#: what is said of a library that is missing. Observed, 2026-11: glibc 2.41, cffi 2.1.1, cairocffi 1.7.1,
#: sounddevice 0.5.6, pyenchant 3.3.0, pyzbar 0.1.9, openslide-python 1.4.7, libusb1 3.4.0, mpv 1.0.8, hid 1.0.9.
#: Sources: dyld of macOS ("Library not loaded"); CPython, Modules/_ctypes/callproc.c and Python/dynload_win.c
_NO_LIBRARY = re.compile(
    r"(?P<glibc>[\w.+-]+\.(?:so|dylib|dll)[\w.]*): cannot open shared object|Library not loaded: (?P<dyld>\S+)"
    r"|Could not find module '(?P<ctypes>[^']+)'|DLL load failed while importing (?P<windows>\w+)"
    r"|cannot load library '(?P<cffi>[^']+)'|no library called \W?(?P<cairocffi>[\w.+-]*\w)"
    r"|\b(?P<after>[A-Za-z][\w+-]*)'? (?:C |shared )?library (?:was )?not found"
    r"|(?i:unable to|cannot|can't|could not|couldn't|failed to) (?:find|locate|load) (?:a suitable |the )?"
    r"(?:(?P<shared>[\w+-]+) (?:shared|C) library|(?P<lib>lib(?!rar|er)[\w+-]+(?:\.\d+)*))"
    r"|(?:find|load) any of the following libraries: ?(?P<several>[\w.+-]+)"
)
_DJANGO = "a configured Django project"
#: what Django says, also within the exception of another library. Observed: django-ninja 1.7.1, pydantic 2.14, 2026-11
_NO_SETTINGS = "define the environment variable DJANGO_SETTINGS_MODULE or call settings.configure()"
#: (what the exception says, the host that has to be configured first). Observed: Django 5.2.19, Flask 3.1.3,
#: pytest 9.2.0, Sphinx 9.0.4, 2026-11
_HOSTS = (
    (
        re.compile(
            r"^django\.core\.exceptions\.(?:ImproperlyConfigured|AppRegistryNotReady)|DJANGO_SETTINGS_MODULE"
            r"|isn't in an application in INSTALLED_APPS|Apps aren't loaded yet"
        ),
        _DJANGO,
    ),
    (re.compile(r"Working outside of (?:application|request) context"), "a running Flask application"),
    # what pytest raises for skip() and fail() names itself a built-in exception
    (re.compile(r"^(?:_pytest|pluggy|pytest)\.|^(?:Skipped|Failed|Exit): "), "a run of pytest"),
    (re.compile(r"^sphinx\.errors\."), "a run of Sphinx"),
)
#: programs that load plug-ins; those who use a plug-in have its host
_PROGRAMS = frozenset({
    "pytest", "sphinx", "django", "flask", "mkdocs", "pylint", "flake8", "nox", "tox", "IPython", "jupyterlab",
    "notebook", "airflow", "celery", "scrapy", "mypy", "pelican", "napari", "qgis", "bpy", "maya", "hou",
})  # fmt: skip
_NOT_EXPORTED = re.compile(r"cannot import name '(\w+)' from (?:partially initialized module )?'([\w.]+)'")
#: directories that packages are in, besides those of the packages that were installed
_SOURCE_DIRECTORIES = ("", "src/", "lib/", "python/")


def smoke_test_observations(
    trials: Iterable[SmokeTestResult],
    *,
    check: str,
    source: SourceTree | None = None,
    waived: Collection[str] = (),
) -> Iterator[Observation]:
    """The problems of the imports and runs of an installed project.

    `check` is the name with which they can be waived; `source` is what git has of the project; `waived` are
    the checks that the configuration waives: their table stands there already, and TOML does not allow it twice.
    """
    trials = tuple(trials)
    if not trials:
        yield NotApplicable(reason="there is nothing to import or run")
    failed = [trial for trial in trials if trial.severity is not None]
    accept = "" if check in waived else "; " + _configuration(trials, failed, check, has_waivers=bool(waived))
    for trial in trials:
        if trial in failed:
            finding = trial.not_run or _failure(trial, source or SourceTree(tracked=frozenset()))
            # the lines are the same for all of them
            yield replace(finding, remedy=f"{finding.remedy}{accept}") if trial is failed[0] else finding
        elif trial.needed_extras:
            extras = ",".join(trial.needed_extras)
            yield Note(
                message=f"{trial.test.title!r} works with {trial.project.name}[{extras}]",
                remedy="if all users need it, move what it requires from the extra to dependencies",
            )


# -- what is wrong -----------------------------------------------------------------------------------


def _failure(trial: SmokeTestResult, source: SourceTree) -> Finding:
    first = trial.attempts[0]
    title = f"{trial.test.title!r}"
    if first.status is None:
        message = f"{title} is still running after {first.limit:g} s"
        if trial.severity == "warn":
            remedy = "if it ignores its arguments by design, run another command in its place"
            return Finding(message=message, remedy=remedy, severity="warn")
        return Finding(message=message, remedy="find out what it waits for: nothing answers in a smoke test")
    if first.status < 0:
        return Finding(
            message=f"{title} was ended by signal {-first.status}{_words(first)}", remedy=_remedy(trial, source)
        )
    if first.status == 0:
        message = f"{title} ends the program that imports it"
        return Finding(message=message, remedy='do it only under: if __name__ == "__main__"')
    message = f"{title} fails with status {first.status}: {_line(first)!r}{_place(first, trial.project)}"
    return Finding(message=message + _tried(trial), remedy=_remedy(trial, source))


def _line(attempt: SmokeTestAttempt) -> str:
    """The exception's own last line; of a program that ended itself, the line that says why."""
    link = next(iter(attempt.chain or ()), None)
    return link.line if link is not None and not link.exit else attempt.line


def _words(attempt: SmokeTestAttempt) -> str:
    return f": {attempt.line!r}" if attempt.line else ""


def _place(attempt: SmokeTestAttempt, project: TestedProject) -> str:
    """The place of the exception; and where the project's own files led to it, if that is another one."""
    link = next((link for link in attempt.chain or () if link.place), None)
    if link is None:
        return ""
    own = next((place for place in reversed(link.places) if _is_own(place, project)), link.place)
    return f" (in {link.place})" if own == link.place else f" (in {link.place}; from {own})"


def _is_own(place: str, project: TestedProject) -> bool:
    return module_names.is_part_of(_module_of(place), project.roots)


def _module_of(place: str) -> str:
    """The dotted module of a place in site-packages."""
    return place.partition(",")[0].removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _tried(trial: SmokeTestResult) -> str:
    """What else was tried, and did not help."""
    name = trial.project.name
    tried = [f"{name}[{','.join(one.extras)}] {one.problem}" for one in trial.extras]
    return "".join(f"; {one}" for one in tried)


# -- how to fix it -----------------------------------------------------------------------------------


def _remedy(trial: SmokeTestResult, source: SourceTree) -> str:
    first = trial.attempts[0]
    chain = first.chain or ()
    if unshipped := _unshipped(chain, trial.project, source.tracked):
        path, module = unshipped
        return f"not shipped: {path!r} is in git and not in the wheel; {_how_to_ship(source, path, module)}"
    if missing := next((link for link in chain if link.not_found and link.module), None):
        return _remedy_for_missing(missing, trial.project, source.siblings)
    text = "\n".join(
        [*(f"{link.type}: {link.line}" for link in chain), first.output if not chain or chain[0].exit else ""]
    )
    if library := _NO_LIBRARY.search(text):
        name = posixpath.basename(next(part for part in library.groups() if part))
        return f"install the system library {name!r}, and run the same command again, or ship it in the wheel"
    if first.needs_screen:
        return "it needs a screen: run the same command where there is one, for example with xvfb-run"
    for pattern, host in _HOSTS:
        if any(pattern.search(link.line) for link in chain):
            return f"it can only be imported in {host}; test it there"
    if _NO_SETTINGS in first.output:
        return f"it can only be imported in {_DJANGO}; test it there"
    return _TRY_AGAIN


def _remedy_for_missing(missing: ExceptionLink, project: TestedProject, siblings: Mapping[str, str]) -> str:
    module = missing.module or ""
    top = module.partition(".")[0]
    if sibling := _sibling_with(module, siblings):
        return f"add {sibling!r}, the project of this repository that has {module!r}, to dependencies"
    if module_names.is_part_of(module, (*project.roots, *_targets(project))):
        return f"the wheel has no module {module!r}: {_INCLUDE}, or do not import it"
    if top in module_names.REMOVED and not module_names.provider_of(module):
        return f"do not import {top!r}, which newer Pythons do not have, or require a project that provides it"
    if module_names.in_standard_library(module) and not module_names.provider_of(module):
        return f"this Python has no {top!r}: import it only where it exists, or install a Python that has it"
    if (importer := _importer(missing, project)) is not None:
        return f"{importer!r} imports {module!r} without requiring it: require another version of it, or {module!r} too"
    extras = module_names.extras_with(module, project.requires)
    provider = module_names.provider_of(module)
    if extras:
        return f"move what provides {module!r} from the extra {extras[0]!r} to dependencies"
    if top in _PROGRAMS:
        return f"add {provider or top!r}, which this plug-in is for, to dependencies"
    named = f"the project that provides {module!r}"
    if provider:
        named = f"{provider!r}, which provides {module!r}," if provider != module else f"{module!r}"
    return f"add {named} to dependencies"


def _sibling_with(module: str, siblings: Mapping[str, str]) -> str | None:
    """The project of the repository that has a module; None where none has, or where several share its namespace."""
    found = {name for root, name in siblings.items() if module_names.is_part_of(module, [root])}
    return next(iter(found)) if len(found) == 1 else None


def _targets(project: TestedProject) -> list[str]:
    """The modules that its scripts run."""
    return [target.partition(":")[0] for target in project.scripts.values()]


def _importer(missing: ExceptionLink, project: TestedProject) -> str | None:
    """The top-level module of another project in which the import failed; None where it is one of the project."""
    file = missing.place.partition(",")[0]
    if not missing.by_statement or not file.endswith(".py") or _is_own(missing.place, project):
        return None
    return _module_of(missing.place).partition(".")[0]


def _unshipped(
    chain: Sequence[ExceptionLink], project: TestedProject, tracked: AbstractSet[str]
) -> tuple[str, str | None] | None:
    """The path in git of what is missing, and the module that it is; None where git does not have it either."""
    starts = _source_directories(project.roots, tracked)
    for link in chain:
        if link.not_found and link.module:
            modules = [link.module]
        elif link.import_error and (found := _NOT_EXPORTED.search(link.line)):
            modules = [f"{found[2]}.{found[1]}"]
        else:
            modules = []
        for module in modules:
            for start in starts:
                if path := _source_of(start + module.replace(".", "/"), tracked):
                    return path, module
        if link.file and (path := next((s + link.file for s in starts if s + link.file in tracked), None)):
            return path, None
    return None


def _how_to_ship(source: SourceTree, path: str, module: str | None) -> str:
    """The setting of the build backend that ships a module, from its path in git; a package is its directory."""
    if module is None:
        return _INCLUDE
    installed, stem = module.replace(".", "/"), posixpath.splitext(path)
    if stem[0].endswith(installed):
        return how_to_ship_module(source.backend, installed + stem[1], path)
    return how_to_ship_module(source.backend, installed, posixpath.dirname(path))


def _source_directories(roots: Iterable[str], tracked: AbstractSet[str]) -> list[str]:
    """The directories in git that packages of the project are in, each with a slash at its end."""
    found = dict.fromkeys(_SOURCE_DIRECTORIES)
    for root in roots:
        ends = tuple(f"{root.replace('.', '/')}{end}" for end in (".py", "/__init__.py"))
        for path in tracked:
            for end in ends:
                if path == end or path.endswith(f"/{end}"):
                    found[path.removesuffix(end)] = None
    return list(found)


def _source_of(path: str, tracked: AbstractSet[str]) -> str | None:
    """The file in git of a module, from its path without a suffix."""
    files = (f"{path}.py", f"{path}/__init__.py", f"{path}.pyx")
    inside = (one for one in sorted(tracked) if one.startswith(f"{path}/") and one.endswith(".py"))
    return next((one for one in files if one in tracked), None) or next(inside, None)


# -- how to accept it --------------------------------------------------------------------------------


def _configuration(
    trials: Sequence[SmokeTestResult], failed: Sequence[SmokeTestResult], check: str, *, has_waivers: bool
) -> str:
    """How to accept it: a table that leaves out what failed; one that waives the check where nothing else remains.

    What passed in a way that the configuration cannot repeat is left out, too: with an extra, or by its usage text.
    """
    imports: list[str] = []
    commands: list[str] = []
    for trial in trials:
        if trial in failed or not trial.passed or trial.test.kind == "gui script":
            continue
        passed = next(attempt for attempt in trial.attempts if attempt.passed)
        if passed.test.kind == "import":
            imports += passed.test.words if passed is trial.attempts[0] else ()
        elif passed.status == 0:
            commands.append(shlex.join(passed.test.words))
    if not imports and not commands:
        line = f'{check} = "known, and accepted"'
        if has_waivers:
            return f"or accept it, below [tool.release.waive] in pyproject.toml:\n{line}"
        return f"or accept it, in pyproject.toml:\n[tool.release.waive]\n{line}"
    configured = any(trial.test.asked_for for trial in trials)
    lines = ["or replace this table in pyproject.toml:" if configured else "or test only the rest, in pyproject.toml:"]
    lines += ["[tool.release.smoke]"]
    lines += [f"imports = {_array(imports)}"] if imports else []
    lines += [f"commands = {_array(commands)}"] if commands else []
    return "\n".join(lines)


def _array(words: Sequence[str]) -> str:
    """An array of TOML strings; JSON's are the same."""
    return json.dumps(list(words), ensure_ascii=False)
