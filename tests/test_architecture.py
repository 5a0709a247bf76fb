"""What docs/architecture.md promises and a machine can check: the order of packages, purity, secrets, names, size."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.test_portability import NO_PATHS, doubled

ROOT = Path(__file__).parents[1] / "release"

#: from the bottom; a module imports from its own package and from the rows before; packages of one row are independent
PACKAGES = (
    ("core",),
    ("acceptance", "diagnostics"),
    ("adapters",),
    ("sandbox", "leaks"),
    ("checks",),
    ("credentials", "reports"),
    ("publishing",),
    ("token_health",),
    ("cli",),
    ("tasks", "sessions", "__main__"),
)
ROW = {package: number for number, row in enumerate(PACKAGES) for package in row}
PURE = {"core", "acceptance", "diagnostics", "checks", "reports"}
IMPURE_MODULES = {"subprocess", "socket", "requests", "urllib3", "os", "shutil", "tempfile", "time"}
IMPURE_CALLS = {"open", "print", "input", "datetime.now", "datetime.utcnow", "date.today", "time.time"}

#: the modules, and the packages of interchangeable modules, that need the text of a secret
REVEALING = {
    "core/secret.py",
    "core/redaction.py",
    "core/tokens/token.py",
    "core/models/oidc_identity.py",  # decodes the claims of an identity token
    "adapters/oidc/provider.py",  # exchanges it
    "adapters/sigstore.py",
    "adapters/twine/twine_process.py",
    "adapters/github/releases.py",
    "adapters/github/actions_secrets.py",  # hands it to gh, on standard input
    "adapters/index/staging_api.py",
    "adapters/index/token_probes.py",
    "cli/terminal/console.py",  # registers it with the CI service, which masks it from then on
    "credentials/sources/",  # each replaces secrets where it finds them
    "token_health/notify/",  # addresses of webhooks, passwords of mail servers
    "sandbox/server.py",
    "sandbox/oidc_provider.py",  # compares the request token of a job
}
#: the modules that may print and exit
PRINTING = {"cli/main.py", "__main__.py"}
#: file names that may stand in several packages
COMMON_FILE_NAMES = {"__init__.py", "models.py", "errors.py", "base.py"}
#: public functions that several modules define, with one meaning
COMMON_FUNCTIONS = {
    "main": "the entry point of a program, or of a child process",
    "find": "of each credential source: what it has for an index",
    "find_places": "of each kind of version: where a project states it",
    "locate": "of each credential source: where it stores secrets",
    "replace": "of each credential source: write a new secret",
    "read_channels": "of each notification channel: read its configuration",
    "render": "of each report format: a record in this format",
    "render_release": "of each CI service: the workflow that releases",
    "render_set": "of each CI service: the workflow that releases a set",
    "render_set_run": "of each CI service: what a run of that workflow reads of its plan",
    "render_token_health": "of each CI service: the workflow that checks tokens",
    "schedule_notes": "of each CI service: what is left to do by hand",
}
#: packages whose modules have a test module of their own name, at the same place below `tests/`
TESTED_BY_NAME = ("core", "credentials", "publishing")
_DATA = "data without behaviour of its own: the tests of what reads it"
_TOKENS = "tests/core/tokens/: test_damage.py, test_placeholders.py, test_other_secrets.py, test_token.py"
#: their modules without one → what tests them
TESTED_ELSEWHERE = {
    "core/events.py": _DATA,
    "core/facts.py": _DATA,
    "core/models/build_requirement.py": _DATA,
    "core/models/ci_job.py": _DATA,
    "core/models/derived_version.py": _DATA,
    "core/models/exchanged_token.py": _DATA,
    "core/models/interpreter.py": _DATA,
    "core/models/preparation.py": _DATA,
    "core/models/project_limits.py": _DATA,
    "core/models/release_set.py": _DATA,
    "core/models/second_process.py": _DATA,
    "core/models/set_results.py": _DATA,
    "core/models/source_tree.py": _DATA,
    "core/models/user_environment.py": _DATA,
    "core/token_health_facts.py": _DATA,
    "core/tokens/defects.py": _TOKENS,
    "core/tokens/refusals.py": "tests/checks/test_credential_checks.py",
    "core/tokens/scope.py": "tests/core/tokens/test_attenuation.py",
    "core/tokens/text_defects.py": _TOKENS,
    "credentials/sources/misplaced_tokens.py": "tests/credentials/test_misplaced_tokens.py",
    "credentials/sources/pypirc_lines.py": "tests/credentials/test_misplaced_tokens.py, sources/test_pypirc_file.py",
    "credentials/sources/tool_variables.py": "tests/credentials/sources/test_environment.py",
    "publishing/prepare/collect_preparation.py": "tests/publishing/prepare/test_preparation.py",
    "publishing/prepare/collect_set_preparation.py": "tests/stories/test_prepare_set.py",
    "publishing/early_rst.py": "tests/publishing/test_rst_process.py",
    "publishing/own_process.py": "tests/publishing/test_rst_process.py",
    "publishing/own_process_child.py": "tests/publishing/test_rst_process.py",
    "publishing/rst_process_child.py": "tests/publishing/test_rst_process.py",
    "publishing/second_reader_child.py": "tests/publishing/test_second_reader.py",
    "publishing/sets/member_run.py": "tests/publishing/sets/test_set_runner.py",
    "publishing/sets/set_options.py": _DATA,
}
#: lines; a module is one subject, and above this it rarely is
LONGEST_MODULE = 350
#: lines
LONGEST_FUNCTION = 50


def name_of(path: Path) -> str:
    parts = ("release", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES: Mapping[str, Path] = {name_of(path): path for path in sorted(ROOT.rglob("*.py"))}
ALL = tuple(name for name in MODULES if name != "release")


def file_of(module: str) -> str:
    return MODULES[module].relative_to(ROOT).as_posix()


def package_of(module: str) -> str:
    """The package, or entry point, of a dotted name below `release`."""
    return module.split(".")[1]


@cache
def parse(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


@cache
def nodes_of(tree: ast.AST) -> tuple[ast.AST, ...]:
    """All its nodes. Six tests look at those of every module, and to walk through them takes longer than to parse."""
    return tuple(ast.walk(tree))


def called(node: ast.Call) -> str:
    """The name, or `module.name`, that is called; empty for what is longer."""
    match node.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            return f"{module}.{name}"
        case _:
            return ""


def imports(tree: ast.AST) -> Iterator[str]:
    """Everything that is imported, wherever the statement stands; `from package import name` as `package.name`."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports(tree: ast.AST) -> set[str]:
    """The modules of this project that are imported."""
    found = set()
    for name in imports(tree):
        module = name
        while module.startswith("release.") and module not in MODULES:
            module = module.rpartition(".")[0]
        if module.startswith("release."):
            found.add(module)
    return found


def upward_imports(package: str, tree: ast.AST) -> set[str]:
    """The imports of packages above, or beside in the same row."""
    return {
        module
        for module in own_imports(tree)
        if package_of(module) != package and ROW[package_of(module)] >= ROW[package]
    }


def impurities(tree: ast.AST) -> set[str]:
    """Imports and calls that read the clock, the environment, files or the network."""
    found = {name for name in imports(tree) if name.split(".")[0] in IMPURE_MODULES}
    calls = (called(node) for node in nodes_of(tree) if isinstance(node, ast.Call))
    return found | (set(calls) & IMPURE_CALLS)


def circle(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of an import circle; empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def shared_names(kind: type[ast.FunctionDef | ast.ClassDef]) -> dict[str, list[str]]:
    """Each public name that several modules define at their top → the files that do."""
    found: dict[str, list[str]] = {}
    for module in MODULES:
        for node in parse(module).body:
            if isinstance(node, kind) and not node.name.startswith("_"):
                found.setdefault(node.name, []).append(file_of(module))
    return {name: files for name, files in found.items() if len(files) > 1}


def test_every_package_has_a_row() -> None:
    assert {package_of(module) for module in MODULES if module != "release"} == set(ROW)


def test_release_has_few_entries() -> None:
    entries = [path for path in ROOT.iterdir() if path.name != "__pycache__"]
    assert len(entries) <= 17, sorted(path.name for path in entries)


def broken(problems: Callable[[str], Iterable[object]]) -> dict[str, list[str]]:
    """Each module that has problems → the problems. All modules are one test: thousands take longer than they do."""
    found = {module: sorted(map(str, problems(module))) for module in ALL}
    return {module: listed for module, listed in found.items() if listed}


def test_imports_point_down() -> None:
    assert not broken(lambda module: upward_imports(package_of(module), parse(module)))


def test_an_import_of_a_higher_package_is_noticed() -> None:
    assert upward_imports("core", ast.parse("def f():\n    from release.publishing import runner"))
    assert upward_imports("reports", ast.parse("import release.credentials.verify"))
    assert upward_imports("acceptance", ast.parse("from release.diagnostics.catalog import CATALOG"))
    assert not upward_imports("publishing", ast.parse("from release.core import plan"))


def test_no_modules_import_each_other() -> None:
    graph = {module: own_imports(parse(module)) - {module} for module in MODULES}
    assert not circle(graph)
    assert circle(graph | {"release.core.errors": {"release.core.config"}})


def test_pure_packages_do_no_input_or_output() -> None:
    assert not broken(lambda module: impurities(parse(module)) if package_of(module) in PURE else ())


def test_impure_code_is_noticed() -> None:
    for code in ("import os", "from subprocess import run", "open('x')", "datetime.now()", "print(1)"):
        assert impurities(ast.parse(code)), code
    assert not impurities(ast.parse("from datetime import datetime\nstream.open()"))


def printing(module: str) -> Iterator[str]:
    for node in nodes_of(parse(module)):
        if isinstance(node, ast.Call) and called(node) in {"print", "sys.exit"}:
            if file_of(module) not in PRINTING:
                yield f"print or sys.exit in line {node.lineno}"
        elif isinstance(node, ast.arg) and node.arg == "dry_run":
            yield f"dry_run in line {node.lineno}"


def test_only_the_command_line_prints_and_nothing_takes_a_dry_run_parameter() -> None:
    assert not broken(printing)


def revealing(module: str) -> Iterator[str]:
    if file_of(module) in REVEALING or f"{Path(file_of(module)).parent.as_posix()}/" in REVEALING:
        return
    for node in nodes_of(parse(module)):
        if isinstance(node, ast.Attribute) and node.attr == "reveal":
            yield f"line {node.lineno}"


def test_secrets_are_revealed_in_the_listed_modules_only() -> None:
    assert not broken(revealing)


def test_the_lists_name_modules_that_exist() -> None:
    files = {file_of(module) for module in MODULES}
    assert not {entry for entry in REVEALING | PRINTING if not any(file.startswith(entry) for file in files)}


def too_long(module: str) -> Iterator[str]:
    lines = len(MODULES[module].read_text(encoding="utf-8").splitlines())
    if lines > LONGEST_MODULE:
        yield f"{lines} lines"
    for node in nodes_of(parse(module)):
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= LONGEST_FUNCTION:
            yield f"{node.name}, line {node.lineno}"


def test_modules_and_functions_stay_small() -> None:
    assert not broken(too_long)


def test_each_file_name_stands_in_one_package() -> None:
    places: dict[str, set[str]] = {}
    for path in MODULES.values():
        places.setdefault(path.name, set()).add(path.parent.relative_to(ROOT).as_posix())
    assert not {
        name: sorted(found) for name, found in places.items() if len(found) > 1 and name not in COMMON_FILE_NAMES
    }


def test_no_class_name_stands_in_two_modules() -> None:
    assert not shared_names(ast.ClassDef)


def test_no_public_function_name_has_two_meanings() -> None:
    shared = shared_names(ast.FunctionDef)
    assert not {name: files for name, files in shared.items() if name not in COMMON_FUNCTIONS}
    assert set(COMMON_FUNCTIONS) <= set(shared), "an exception that is no longer needed"


def test_modules_have_a_test_module_of_their_own_name() -> None:
    """What only whole runs notice is found late, and by luck."""
    files = {file_of(module) for module in ALL if package_of(module) in TESTED_BY_NAME}
    assert set(TESTED_ELSEWHERE) <= files
    tests = Path(__file__).parent
    places = {file: tests / Path(file).with_name(f"test_{Path(file).name}") for file in files}
    untested = {file for file, place in places.items() if not (file.endswith("__init__.py") or place.is_file())}
    assert not untested - set(TESTED_ELSEWHERE)


def test_messages_write_paths_as_their_users_do() -> None:
    """With `quote_path`: `repr` doubles the backslashes of Windows."""
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")}
    assert not {path: found for path, text in sources.items() if path not in NO_PATHS and (found := doubled(text))}
