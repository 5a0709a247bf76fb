"""Files that projects keep next to their code and leave out of a wheel on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import cache

from release.core.models.source_tree import BackendSettings

#: tests and what belongs to them
_TESTS = re.compile(
    r"(?:.*/)?_?(?:unit|functional|integration)?_?(?:tests?|testing|testsuite|test_?data|testutils?|fixtures)(?:/.*)?"
    r"|(?:.*/)?(?:test_[^/]*|[^/]*_tests?\.py|tests?\.py|conftest\.py|[^/]*\.test\.[jt]sx?)(?:/.*)?",
    re.IGNORECASE,
)
#: directories of documentation, development and sources of other languages
_DIRECTORIES = re.compile(
    r"(?:.*/)?(?:\.[^/]+|__pycache__|node_modules|_?docs?|docsrc|_?examples?|samples?|demos?|_?bench(?:marks?|marking)?"
    r"|perf|notebooks?|scripts|_?tools|devtools|_?dev|ci|conda|recipes?|_?codegen|build_tools|_build|_build_utils"
    r"|[^/]+\.egg-info)/.*",
    re.IGNORECASE,
)
#: sources and headers of compiled code, its build files, and inputs of generators
_SOURCES = re.compile(
    r".*\.(?:pyx|pxd|pxi|pyf|c|cc|cpp|cxx|h|hh|hpp|hxx|inl|ipp|tpp|f|for|f77|f90|f95|rs|cu|cuh|m|mm|s|asm|go|swift"
    r"|java|kt|i|swg|in|in\.py|proto|thrift|g4|y|l|tp|ts|tsx|jsx|vue|scss|sass|less|map|qrc|pot|psd|xcf|sketch"
    r"|drawio|blend|cmake|mk|nix|ipynb|py[cod]|so|dll|dylib|o|a|lib|orig|rej|bak|swp|patch|diff|toml\.lock)"
    r"|.*(?:~|\.(?:py|c|h|pyx|pxd|pyi|cpp)\.(?:in|src|tp|j2|jinja2?|mako|tmpl|template))",
    re.IGNORECASE,
)
_TITLES = (
    "README|CHANGE(?:S|LOG)|HISTORY|NEWS|LICEN[CS]E|COPYING|NOTICE|TODO|NOTES?|AUTHORS|THANKS|CREDITS|CONTRIBUTING"
    "|MAINTAINERS|OWNERS|INSTALL|UPGRADING|DESIGN|ARCHITECTURE|CLAUDE|AGENTS"
)
#: notes for developers, and files of their tools; `authors.html` and `license.py` are neither
_NOTES = re.compile(
    rf"(?:.*/)?(?:\.[^/]+|(?:{_TITLES})(?:[-_.][^/]*)?(?<!\.py)(?<!\.json)(?<!\.html)"
    rf"|(?i:{_TITLES})(?:[-_][^/.]*)?(?:\.(?i:md|rst|txt|markdown|adoc))?"
    r"|(?i:(?:GNU)?Makefile)[^/]*|meson(?:\.build|_options\.txt|\.options)|CMakeLists\.txt|SConscript|BUILD(?:\.bazel)?"
    r"|Cargo\.(?:toml|lock)|setup\.cfg|pyproject\.toml|MANIFEST(?:\.in)?|tox\.ini|pytest\.ini|mypy\.ini"
    r"|noxfile\.py|requirements[^/]*\.(?:txt|in)|vendor(?:ed)?\.txt|package(?:-lock)?\.json|yarn\.lock"
    r"|pnpm-lock\.yaml|[tj]sconfig[^/]*\.json|[^/]*\.config\.[cm]?[jt]s|uv\.lock|poetry\.lock)"
)
#: READMEs by another name: an upper-case stem
_UPPER_CASE = re.compile(r"(?:.*/)?[A-Z][A-Z0-9_-]+(?:\.(?:md|rst|txt))?")
#: names that stand for everything, which no configuration excludes in earnest
_ALL = frozenset({"", "*", "**", "**/*", "*.*"})
_PACKAGE = "package:"


def is_test(path: str) -> bool:
    """Whether a path belongs to tests."""
    return _TESTS.fullmatch(path) is not None


def is_development_file(path: str) -> bool:
    """Whether users of an installed package have no use for a file, by its path below the package."""
    return any(one.fullmatch(path) for one in (_TESTS, _DIRECTORIES, _SOURCES, _NOTES, _UPPER_CASE))


def is_excluded(source: str, installed: str, patterns: Iterable[str]) -> bool:
    """Whether a pattern of the configuration names the file or a directory above it.

    `source` is its path in the project, `installed` its path in a wheel. Backends differ in how they read a pattern;
    every reading counts.
    """
    names = frozenset((*_with_parents(source), *_with_parents(installed)))
    packages = [one.replace("/", ".").removesuffix(".py") for one in _with_parents(installed)]
    for pattern in patterns:
        if pattern.startswith(_PACKAGE):
            if any(fnmatchcase(one, pattern.removeprefix(_PACKAGE)) for one in packages):
                return True
        elif any(fnmatchcase(name, form) for form in _forms(pattern) for name in names):
            return True
    return False


def excludes(settings: BackendSettings, source: str, installed: str) -> bool:
    """Whether the configuration leaves a file out of the wheel explicitly."""
    return is_excluded(source, installed, settings.excluded)


def _with_parents(path: str) -> Iterator[str]:
    """The path, and each directory above it."""
    while path:
        yield path
        path = path.rpartition("/")[0]


@cache
def _forms(pattern: str) -> tuple[str, ...]:
    pattern = pattern.removeprefix("./").lstrip("/").removesuffix("/**").removesuffix("/**/*").removesuffix("/*")
    pattern = pattern.rstrip("/")
    if pattern in _ALL:
        return ()
    bare = pattern.replace("**/", "")
    return tuple({pattern, f"*/{pattern}", bare, f"*/{bare}"} - _ALL)
