"""What docs/architecture.md says about growth: each new thing touches the files listed there, and no other.

Each case is written into a copy of the package, which then has to know the new thing and pass the architecture test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Addition:
    #: file below `release/` → text that is appended; the file is created if it does not exist
    texts: dict[str, str]
    #: the file of the registry, below `release/`
    registry: str = ""
    #: text of the registry → the same with the new entry
    entries: tuple[tuple[str, str], ...] = ()
    #: Python code that fails if the new thing is not known; `run` returns the output of the command line
    proof: str


ADDITIONS = {
    "a check": Addition(
        texts={
            "checks/source_checks.py": '''

@CHECKS.check()
def the_name_is_short(source: Source) -> Iterator[Observation]:
    """The project name is short."""
    if not isinstance(source.project, Unknown) and len(source.project.name) > 40:
        yield Finding(message=f"the name {source.project.name!r} is long", remedy="choose a shorter name")
'''
        },
        proof="""
            from release.checks.source_checks import CHECKS
            assert CHECKS[-1].name == "the-name-is-short"
        """,
    ),
    "a rule of the index": Addition(
        texts={
            "acceptance/file_rules.py": '''

@OUTSIDE.rule(check=rule.FILE_NAMES, remedy="choose another name")
def the_file_name_is_polite(upload: FileUpload, index: IndexContents) -> str | None:
    """The file name is polite."""
    return "Not this name." if "rude" in upload.filename else None


FILE = (*OUTSIDE, *ARCHIVE, *SDIST, *WHEEL)
'''
        },
        proof="""
            from pathlib import Path
            Path("rude-1.0-py3-none-any.whl").write_bytes(b"")
            assert "Not this name." in run("inspect", "rude-1.0-py3-none-any.whl")
        """,
    ),
    "a known failure": Addition(
        texts={},
        registry="diagnostics/after_upload.py",
        entries=(
            (
                "DIAGNOSES = (\n",
                """DIAGNOSES = (
    Diagnosis(
        id="new.cause",
        title="something new",
        explanation="It was not known before.",
        symptoms=("418 I'm a teapot",),
        remedy="use a coffee machine",
        detect="offline",
        weight="low",
        sources=("RFC 2324",),
    ),
""",
            ),
        ),
        proof="""
            told = run("explain", "new.cause")
            assert "something new" in told and "use a coffee machine" in told, told
        """,
    ),
    "a credential source": Addition(
        texts={
            "credentials/sources/vault.py": '''"""A vault."""

from __future__ import annotations

from collections.abc import Iterator

from release.core.models.credential import StoredSecret
from release.core.models.secret_location import PrivateFile
from release.core.secret import Secret
from release.credentials.sources import base
from release.credentials.sources.base import SourceQuery, SourceResult, StorageQuery


def find(query: SourceQuery) -> SourceResult | None:
    """The password in the vault."""
    text = query.env.get("VAULT")
    return SourceResult(password=Secret(text), origin=PrivateFile(path="vault")) if text else None


def locate(query: StorageQuery) -> Iterator[StoredSecret]:
    """Nothing."""
    return iter(())


replace = base.refuse_replacement
'''
        },
        registry="credentials/sources/__init__.py",
        entries=(
            ("    trusted_publishing,\n", "    trusted_publishing,\n    vault,\n"),
            ('    "poetry": poetry,\n', '    "poetry": poetry,\n    "vault": vault,\n'),
        ),
        proof="""
            from pathlib import Path
            from release.core.models.credential import Credential
            from release.core.models.index import PYPI
            from release.credentials.sources import resolve
            from release.credentials.sources.base import SourceQuery
            env = {"VAULT": "hunter2", "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
            found = resolve(SourceQuery(index=PYPI, env=env, home=Path()))
            assert isinstance(found.credential, Credential) and found.credential.password.reveal() == "hunter2"
        """,
    ),
    "a report format": Addition(
        texts={
            "reports/comma_separated.py": '''"""Records as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def render(record: Mapping[str, Any]) -> str:
    """Return one line."""
    return f"version,{record['version']}"
'''
        },
        registry="reports/__init__.py",
        entries=(
            (
                "\nFORMATS: Mapping[str, ReportFormat] = {\n",
                """
FORMATS: Mapping[str, ReportFormat] = {
    "csv": ReportFormat(module="comma_separated", suffix=".csv", media_type="text/csv", description="one line"),
""",
            ),
        ),
        proof="""
            assert "--csv" in run("report", "--help")
        """,
    ),
    "a notification channel": Addition(
        texts={
            "token_health/notify/pager.py": '''"""A pager."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from release.core.models.secret_location import ConfiguredLocation
from release.core.secret import Secret
from release.core.tables import KeyPath


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """A pager's number."""

    number: str

    @property
    def name(self) -> str:
        return f"pager {self.number}"

    @property
    def locations(self) -> tuple[ConfiguredLocation, ...]:
        return ()

    def send(self, message: Mapping[str, Any], read_secret: Callable[[ConfiguredLocation], Secret]) -> tuple[str, ...]:
        """Beep."""
        return ()


def read_channels(value: Any, at: KeyPath) -> tuple[Pager, ...]:
    """Read one number."""
    return (Pager(number=str(value)),)
'''
        },
        registry="token_health/notify/__init__.py",
        entries=(
            ("import apprise, mail, webhook", "import apprise, mail, pager, webhook"),
            ('{"webhook": webhook,', '{"pager": pager, "webhook": webhook,'),
        ),
        proof="""
            from release.core.tables import KeyPath
            from release.token_health.notify import read_settings
            (channel,) = read_settings({"pager": 42}, KeyPath(file="fleet.toml", path="notify")).channels
            assert channel.name == "pager 42"
        """,
    ),
    "a CI service": Addition(
        texts={
            "publishing/ci/woodpecker.py": '''"""Woodpecker."""

from __future__ import annotations

from collections.abc import Sequence

from release.publishing.ci.pipeline import Pipeline

SCHEDULED_WORKFLOW = ".woodpecker/token-health.yml"
STATUS_COMMAND = "woodpecker-cli pipeline ls"


def render_release(pipeline: Pipeline) -> str:
    """Return the workflow."""
    return "steps: []\\\\n"


def render_token_health(pipeline: Pipeline, *, cron: str, command: str, variables: Sequence[str]) -> str:
    """Return the workflow."""
    return "steps: []\\\\n"


def schedule_notes(cron: str) -> tuple[str, ...]:
    return ("commit it",)
'''
        },
        registry="publishing/ci/__init__.py",
        entries=(('{"github": ', '{"woodpecker": "release.publishing.ci.woodpecker", "github": '),),
        proof="""
            assert "woodpecker" in run("ci", "--help")
            assert "woodpecker" in run("schedule", "--help")
        """,
    ),
}
RUN = """
import subprocess, sys
# the package in the current directory, which '-m release' does not import
PROGRAM = "import sys; from release.cli.main import main; sys.exit(main())"
def run(*words):
    done = subprocess.run([sys.executable, "-c", PROGRAM, *words], stdout=-1, stderr=-2, text=True, timeout=240)
    return " ".join(done.stdout.split())
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with all additions, each of which touches its listed files only; and the test of its structure."""
    tree = tmp_path_factory.mktemp("extended")
    shutil.copytree(ROOT / "release", tree / "release", ignore=shutil.ignore_patterns("__pycache__"))
    for added in ADDITIONS.values():
        for name, text in added.texts.items():
            path = tree / "release" / name
            path.write_text((path.read_text("utf-8") if path.exists() else "") + text, encoding="utf-8")
        for before, after in added.entries:
            path = tree / "release" / added.registry
            assert path.read_text("utf-8").count(before) == 1
            path.write_text(path.read_text("utf-8").replace(before, after), encoding="utf-8")
    (tree / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "test_architecture.py", tree / "tests")
    (tree / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return tree


def run_in(tree: Path, *argv: str) -> None:
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")} | {"HOME": str(tree)}
    env |= {"PYTHONDONTWRITEBYTECODE": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # for speed alone
    done = subprocess.run(
        [sys.executable, *argv], cwd=tree, env=env, capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


@pytest.mark.parametrize("kind", ADDITIONS)
def test_an_addition_works(kind: str, extended: Path) -> None:
    lines = [line.removeprefix(" " * 12) for line in ADDITIONS[kind].proof.splitlines()]
    run_in(extended, "-c", RUN + "\n".join(lines))


def test_the_package_with_all_additions_keeps_its_structure(extended: Path) -> None:
    without = ["-k", "not test_modules_have_a_test_module"]  # the tests of the modules are not copied
    run_in(extended, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/test_architecture.py", *without)


def test_the_documentation_lists_the_places() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    table = dict(row.strip("| ").split(" | ", 1) for row in text.splitlines() if row.startswith("| a "))
    assert set(ADDITIONS) <= set(table)
    for kind, added in ADDITIONS.items():
        for file in filter(None, (*added.texts, added.registry)):
            folder = file.rpartition("/")[0]
            assert f"{folder}/" in table[kind], file
