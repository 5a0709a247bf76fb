"""What is tried on an installed project, and what an end of it means."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from release.adapters.install import smoke_tests, venv
from release.adapters.install.smoke_tests import ProjectUnderTest, SmokeTestOutcome, smoke_test_problem
from release.adapters.install.venv import Environment
from release.adapters.system.system import System, real_system
from release.core.config import SmokeTestSettings
from release.core.errors import ConfigError
from release.core.facts import SmokeTest, SmokeTestResult
from release.core.models.check_result import Finding
from release.core.tokens import macaroon

SCRIPT = "def main():\n    import argparse\n    argparse.ArgumentParser().parse_args()\n"


@pytest.mark.parametrize(
    ("names", "modules"),
    [
        (["acme/__init__.py", "acme/sub/__init__.py", "acme/x.py", "acme-1.0.dist-info/METADATA"], ["acme"]),
        (["acme.py", "_acme.cpython-311-darwin.so", "fast.pyd", "slow.abi3.so"], ["_acme", "acme", "fast", "slow"]),
        (["ns/a/__init__.py", "ns/b/c/__init__.py", "ns/b/c/d/__init__.py", "ns/e.py"], ["ns.a", "ns.b.c", "ns.e"]),
        (["acme/__init__.cpython-311-darwin.so"], ["acme"]),
        (["acme-1.0.data/purelib/acme/__init__.py", "acme-1.0.data/scripts/run.py", "a.data/data/x.py"], ["acme"]),
        (["tests/__init__.py", "docs/conf.py", "examples/a.py", "setup.py", "conftest.py", "acme.py"], ["acme"]),
        (["acme-stubs/__init__.pyi", "acme/py.typed", "acme/data.json"], []),
        (["81d2__mypyc.cpython-311-x86_64-linux-gnu.so", "class.py", "not-a-name.py", "acme.pth"], []),
        (["acme/__pycache__/__init__.cpython-311.pyc", "../../../bin/acme", "../../../etc/acme/settings.py"], []),
        (["__main__.py", "acme/__main__.py"], []),
    ],
)  # fmt: skip
def test_the_default_imports_are_what_the_project_is_known_by(names: list[str], modules: list[str]) -> None:
    assert [one.words[0] for one in smoke_tests.default_smoke_tests(names, "")] == modules


def test_the_default_scripts_are_the_console_scripts() -> None:
    text = "[console_scripts]\nAcme = acme.cli:main\nacme-x = acme.x : run [pretty]\n[gui_scripts]\nwin = acme:gui\n"
    assert smoke_tests.console_scripts(text) == {"Acme": "acme.cli:main", "acme-x": "acme.x:run"}
    assert [one.title for one in smoke_tests.default_smoke_tests([], text)] == ["Acme --help", "acme-x --help"]
    assert smoke_tests.console_scripts("no section") == {}


def test_what_is_asked_for_is_taken_as_it_is() -> None:
    settings = SmokeTestSettings(imports=("acme.deep",), commands=("acme 'a b'",))
    found = smoke_tests.configured_smoke_tests(settings)
    assert [(one.kind, one.words, one.asked_for) for one in found or ()] == [
        ("import", ("acme.deep",), True), ("command", ("acme", "a b"), True),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="no closing quotation"):
        smoke_tests.configured_smoke_tests(SmokeTestSettings(commands=("acme 'a",)))


def link(**more: Any) -> dict[str, Any]:
    return {"import_error": False, "exit": False, "module": None, "not_found": False, "explicit": False} | more


def missing(module: str | None) -> dict[str, Any]:
    return link(import_error=True, not_found=True, module=module)


IMPORT = SmokeTest(kind="import", words=("acme",))
HELP = SmokeTest(kind="script", words=("acme", "--help"))
EXIT = link(exit=True)


@pytest.mark.parametrize(
    ("attempt", "status", "chain", "absent", "output", "severity"),
    [
        (IMPORT, 0, [], [], "", None),
        (IMPORT, 1, [missing("rich")], ["rich"], "", "warn"),
        (IMPORT, 1, [missing("rich.table")], ["rich.table"], "", "warn"),
        (IMPORT, 1, [link(import_error=True), missing("rich")], ["rich"], "", "warn"),
        (IMPORT, 1, [link(explicit=True), missing("rich")], ["rich"], "", "warn"),
        (IMPORT, 1, [link(import_error=True)], ["rich"], "", "warn"),
        (IMPORT, 1, [link(), missing("rich")], ["rich"], "", "block"),
        (IMPORT, 1, [link(import_error=True)], ["winreg", "org"], "", "block"),
        (IMPORT, 1, [missing("acme._gone")], ["acme._gone"], "", "block"),
        (IMPORT, 1, [missing("ns.acme.gone")], ["ns.acme.gone"], "", "block"),
        (IMPORT, 1, [missing("ns.other")], ["ns.other"], "", "warn"),
        (IMPORT, 1, [link(import_error=True), missing("acme.gone"), missing("rich")], [], "", "block"),
        (IMPORT, 1, [missing("cgi")], ["cgi"], "", "block"),
        (IMPORT, 1, [missing("tkinter")], ["tkinter"], "", "warn"),
        (
            IMPORT,
            1,
            [link(import_error=True, module="numpy")],
            ["rich"],
            "cannot import name 'x' from 'numpy'",
            "block",
        ),
        (IMPORT, 1, [link()], ["rich"], "ValueError: no", "block"),
        (IMPORT, None, [], [], "", "block"),
        (IMPORT, -11, [], [], "", "block"),
        (HELP, 2, [EXIT], [], "Usage: acme", "warn"),
        (HELP, 2, [link()], [], "usage: acme", "block"),
        (HELP, 1, [EXIT], ["click"], "install acme[cli]", "warn"),
        (HELP, 1, [EXIT], [], "no", "block"),
        (HELP, None, [], [], "", "warn"),
        (HELP, -11, [], ["click"], "usage", "block"),
        (replace(IMPORT, asked_for=True), 1, [missing("rich")], ["rich"], "", "block"),
        (replace(HELP, kind="command", asked_for=True), None, [], [], "", "block"),
    ],
)
def test_an_end_is_judged(  # noqa: PLR0917 - the columns of the table
    attempt: SmokeTest,
    status: int | None,
    chain: list[dict[str, Any]],
    absent: list[str],
    output: str,
    severity: str | None,
) -> None:
    report = {"chain": chain, "absent": absent} if chain else {}
    own = ProjectUnderTest(name="acme", roots=("acme", "ns.acme"), requires=())
    found = smoke_test_problem(attempt, SmokeTestOutcome(status=status, output=output, report=report, limit=60), own)
    assert (found and found.severity) == severity
    assert found is None or found.remedy


def test_the_extra_that_would_bring_it_is_named() -> None:
    own = ProjectUnderTest(name="acme", roots=("acme",), requires=("rich>=1 ; extra == 'pretty'", "six"))
    ending = SmokeTestOutcome(status=1, output="", report={"chain": [missing("rich")], "absent": []}, limit=60)
    found = smoke_test_problem(IMPORT, ending, own)
    assert found is not None
    assert "acme[pretty]" in found.remedy


def test_the_module_that_was_missed_last_is_named() -> None:
    own = ProjectUnderTest(name="acme", roots=("acme",), requires=())
    report = {"chain": [EXIT], "absent": ["brotli", "click", "acme._speedups", "winreg"]}
    found = smoke_test_problem(
        HELP, SmokeTestOutcome(status=1, output="pip install acme[cli]", report=report, limit=60), own
    )
    assert found is not None
    assert "'click'" in found.message


def installed(tmp_path: Path, entry_points: str = "", **files: str) -> tuple[System, Environment]:
    """A clean environment with a project "acme" of these files, without any index."""
    machine = real_system()
    path = tmp_path / "acme-1.0-py3-none-any.whl"
    members = {
        **files,
        "acme-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n",
        "acme-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "acme-1.0.dist-info/entry_points.txt": entry_points,
    }
    record = "".join(f"{name},,\n" for name in [*members, "acme-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**members, "acme-1.0.dist-info/RECORD": record}.items():
            archive.writestr(name, text)
    clean = venv.create_environment(machine, tmp_path / "env")
    url = path.as_uri()
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert venv.install_file(machine, clean, name="acme", version="1.0", url=url, sha256=sha256) is None
    return machine, clean


def severities(trials: Sequence[SmokeTestResult]) -> dict[str, str | None]:
    return {one.what: one.problem.severity if one.problem else None for one in trials}


def test_each_kind_of_project_gets_its_verdict(tmp_path: Path) -> None:
    scripts = {
        "fine": "main",
        "usage": "usage",
        "extra": "extra",
        "daemon": "daemon",
        "broken": "broken",
        "none": "gone",
    }
    points = "[console_scripts]\n" + "".join(f"{name} = good:{call}\n" for name, call in scripts.items())
    good = (
        SCRIPT
        + """
def usage():
    print("Usage: usage FILE"); raise SystemExit(2)
def extra():
    try:
        import no_such_click
    except ImportError:
        print("pip install acme[cli]"); raise SystemExit(1)
def daemon():
    import time; time.sleep(600)
def broken():
    raise ValueError("no such luck")
"""
    )
    machine, clean = installed(
        tmp_path, points, **{
            "good.py": good, "needy.py": "import no_such_rich.table\n", "torn.py": "from good import nothing\n",
            "crash.py": "import os; os.abort()\n",
            "half/__init__.py": "from half import core\nimport half.gone\n", "half/core.py": "",
            "hidden.py": "try:\n import no_such\nexcept ImportError as e:\n raise RuntimeError('get it') from e\n",
        },
    )  # fmt: skip
    trials = smoke_tests.run_smoke_tests(machine, clean, name="acme", limit=4)
    assert severities(trials) == {
        "import crash": "block", "import good": None, "import half": "block", "import hidden": "warn",
        "import needy": "warn", "import torn": "block", "fine --help": None, "usage --help": "warn",
        "extra --help": "warn", "daemon --help": "warn", "broken --help": "block", "none --help": "block",
    }  # fmt: skip
    problems = {one.what: one.problem for one in trials}
    said = problems["broken --help"]
    assert isinstance(said, Finding)
    assert "ValueError: no such luck" in said.message


LOOK = """
import json, os, pathlib, sys
pathlib.Path(os.environ["WHERE"]).write_text(json.dumps([dict(os.environ), os.getcwd(), os.listdir(), sys.path]))
"""


@pytest.mark.parametrize("kind", ["import", "command"])
def test_the_project_sees_no_credential_no_checkout_and_nobodys_home(tmp_path: Path, kind: str) -> None:
    machine, clean = installed(tmp_path, **{"acme.py": LOOK})
    token = macaroon.to_text(macaroon.create_macaroon("localhost", b"identifier", b"k" * 32))
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "acme.py").write_text("raise SystemExit('the checkout was imported')")
    names = ("TWINE_PASSWORD", "GITHUB_TOKEN", "SOMETHING")
    env = {**machine.env, **dict.fromkeys(names, token), "PYTHONPATH": str(checkout), "WHERE": str(tmp_path / "seen")}
    imports = SmokeTestSettings(imports=("acme",))
    settings = imports if kind == "import" else SmokeTestSettings(commands=("python -m acme",))
    wanted = smoke_tests.configured_smoke_tests(settings)
    trials = smoke_tests.run_smoke_tests(replace(machine, env=env), clean, name="acme", tests=wanted)
    assert [one.problem for one in trials] == [None]
    seen, here, beside, path = json.loads((tmp_path / "seen").read_text())
    assert token not in (tmp_path / "seen").read_text()
    assert not {*names, "PYTHONPATH"} & set(seen)
    assert Path(seen["HOME"]) != machine.home
    assert beside == []
    assert not Path(here).is_relative_to(checkout)
    assert str(checkout) not in path
    assert seen["PATH"].startswith(str(clean.bin))


def test_a_command_that_is_not_there_blocks(tmp_path: Path) -> None:
    machine, clean = installed(tmp_path, **{"acme.py": ""})
    wanted = smoke_tests.configured_smoke_tests(SmokeTestSettings(commands=("no-such-command --help",)))
    trials = smoke_tests.run_smoke_tests(machine, clean, name="acme", tests=wanted)
    assert severities(trials) == {"no-such-command --help": "block"}
