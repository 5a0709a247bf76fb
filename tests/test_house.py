"""The house rules that a machine can hold: floors, purity, secrets, size."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "release"

#: room → floor; a module imports from its own floor and from those below
FLOORS = [
    {"errors"},
    {
        "core",
        "model",
        "diagnostics",
        "tables",
        "config",
        "fleet",
        "channels",
        "health_report",
        "plan",
        "steps",
        "facts",
        "checklist",
        "diagnoses",
        "acceptance",
        "checks",
        "report",
        "record",
        "reports",
        "standing",
        "past",
        "lines",
        "verdict_report",
        "leak_report",
        "ending",
        "inspection_report",
        "outside_report",
        "archive_tree",
        "platforms",
    },
    {"adapters", "sandbox", "leaks"},
    {
        "credentials",
        "publishing",
        "token_health",
        "survey",
        "workflows",
        "journal",
        "keeping",
        "attesting",
        "building",
        "lending",
        "minting",
        "verification",
        "delivery",
        "lanes",
        "pace",
        "refusals",
        "uploading",
        "given",
        "pipeline",
        "promotion",
        "waiting",
        "inspection",
        "leak_search",
        "comparing",
        "confirming",
        "looking",
        "status",
        "diagnosing",
        "mending",
        "storing",
        "health",
    },
    {"cli", "__main__", "scheduled", "verbs", "asking", "agreeing", "tasks", "sessions"},
]
PURE = FLOORS[0] | FLOORS[1]
#: while modules move: what imports upwards until it is split
UPWARDS = {
    ("adapters/credentials/replacing.py", "release.credentials"),
    ("checks/leak_checks.py", "release.leaks"),
    ("acceptance/file_rules.py", "release.publishing.upload.pending"),
    ("adapters/index/token_probes.py", "release.credentials.sources"),
    ("checks/index_state.py", "release.publishing.upload.pending"),
    ("core/config.py", "release.publishing.upload.upload_state"),
    ("core/facts.py", "release.token_health.fleet"),
}
#: where a secret's text is really needed
REVEALING = {
    "core/tokens/token.py",
    "core/models/oidc_identity.py",  # what an identity token says of the job
    "adapters/oidc/provider.py",  # exchanges it
    "core/redaction.py",
    "core/secret.py",
    "adapters/sigstore.py",
    "adapters/twine/twine_process.py",
    "cli/terminal/console.py",  # tells it to a CI system that hides it from then on
    "adapters/github/releases.py",
    "credentials/storage/keyring_writer.py",
    "token_health/rotation/replace.py",  # writes a new token where the old one lies
    "adapters/github/actions_secrets.py",  # hands it to gh, on standard input
    "adapters/index/token_probes.py",
    "token_health/notify/webhook.py",  # such an address is a secret
    "token_health/notify/apprise.py",
    "token_health/notify/mail.py",  # logs in at the mail server
    "sandbox/server.py",
    "sandbox/oidc_provider.py",  # compares what a job shows
}

MODULES = sorted(ROOT.rglob("*.py"))
ALL = pytest.mark.parametrize("path", MODULES, ids=[str(p.relative_to(ROOT)) for p in MODULES])


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def floor(name: str) -> int | None:
    return next((number for number, rooms in enumerate(FLOORS) if name in rooms), None)


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "release":
            yield from (f"release.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@ALL
def test_a_module_imports_from_its_own_floor_and_below(path: Path) -> None:
    if path.name == "__init__.py" and path.parent == ROOT:
        return
    own = floor(room(path))
    assert own is not None, "a room of no floor: add it to FLOORS, or put the module into a room"
    for name in imports(parse(path)):
        if name.startswith("release."):
            there = floor(name.split(".")[1])
            assert there is not None, name
            upwards = any(path == ROOT / module and name.startswith(there) for module, there in UPWARDS)
            assert there <= own or upwards, f"imports upwards: {name}"
            if room(path) == "adapters" and not upwards:
                assert name.split(".")[1] in {"errors", "model", "adapters", "core", "acceptance"}, (
                    f"a door with an opinion: {name}"
                )


@ALL
def test_the_first_two_floors_are_pure(path: Path) -> None:
    if room(path) not in PURE:
        return
    forbidden = {"subprocess", "socket", "requests", "os", "shutil", "tempfile", "time"}
    assert not forbidden & {name.split(".")[0] for name in imports(parse(path))}
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in {"open", "print", "input", "datetime.now", "datetime.utcnow", "time.time"}, called


@ALL
def test_only_the_program_prints_and_nothing_is_called_dry_run(path: Path) -> None:
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"print", "sys.exit"}:
            assert path.name == "__main__.py", f"line {node.lineno}"
        if isinstance(node, ast.arg):
            assert node.arg != "dry_run", f"line {node.lineno}"


@ALL
def test_a_secret_is_revealed_in_the_listed_modules_alone(path: Path) -> None:
    reveals = any(isinstance(node, ast.Attribute) and node.attr == "reveal" for node in ast.walk(parse(path)))
    if reveals:
        assert path.relative_to(ROOT).as_posix() in REVEALING


@ALL
def test_modules_and_functions_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 300
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef) and not (path.name == "__main__.py" and node.name == "parser"):
            assert (node.end_lineno or 0) - node.lineno < 50, f"{node.name}, line {node.lineno}"
